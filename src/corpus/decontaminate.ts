/**
 * Decontamination: which documents give away which test questions. Two rules, both on lower-cased words without punctuation:
 *
 *   collision: the document holds any run of 13 words of the item (GPT-3, Brown et al. 2020, appendix C);
 *   overlap:   the document holds at least 80% of the item's 8-grams (MEDITRON, appendix B.5).
 *
 * An item too short for a rule is compared whole, if it has at least `MIN_WORDS` words. N-grams that stand in many items
 * ("which of the following is the most likely ...") are the benchmark's own phrasing and say nothing about any one item, so the
 * collision rule leaves them out. A document costs one pass over its words and two probes of a bit table each.
 */
import type { Document, Drop } from "./document.ts";
import { mix32, ngramHashes, WordBuffer } from "./words.ts";

export interface BenchmarkItem {
  benchmark: string;
  id: string;
  text: string;
}

export interface DecontaminateOptions {
  collisionWords: number;
  overlapWords: number;
  overlapFraction: number;
}

export interface ContaminationHit {
  document: string;
  source: string;
  benchmark: string;
  item: string;
  rule: "collision" | "overlap" | "whole";
  /** Share of the item's 8-grams in the document (1 for a whole short item). */
  overlap: number;
}

/** Items of fewer words are too common to compare at all. */
const MIN_WORDS = 5;
/** A 13-gram in more items than this (and in more than 1% of a benchmark's) is the benchmark's phrasing. */
const COMMON_ITEMS = 3;

/**
 * N-gram → items that hold it. A bit table answers almost every question; behind it the key is 53 bits of two independent
 * hashes, so a false match is expected once in some ten million documents.
 */
class GramTable {
  readonly n: number;
  #bits: Uint32Array;
  #mask: number;
  #items = new Map<number, number[]>();

  constructor(n: number, expected: number) {
    this.n = n;
    const bits = 2 ** Math.ceil(Math.log2(Math.max(1024, 16 * expected)));
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  #key(hash: number, words: WordBuffer, at: number): number {
    let check = 0;
    for (let i = at; i < at + this.n; i++) check = Math.imul(check ^ words.hashes[i]!, 0x5bd1e995) ^ (check >>> 13);
    return hash * 2 ** 21 + (mix32(check) >>> 11);
  }

  add(hash: number, words: WordBuffer, at: number, item: number): void {
    const key = this.#key(hash, words, at);
    const items = this.#items.get(key);
    if (items === undefined) this.#items.set(key, [item]);
    else if (items.at(-1) !== item) items.push(item);
    const bit = hash & this.#mask;
    this.#bits[bit >>> 5]! |= 1 << (bit & 31);
  }

  /** Items that hold the n-gram at word `at`. */
  get(hash: number, words: WordBuffer, at: number): { key: number; items: number[] } | undefined {
    const bit = hash & this.#mask;
    if (((this.#bits[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return undefined;
    const key = this.#key(hash, words, at);
    const items = this.#items.get(key);
    return items && { key, items };
  }

  /** Forgets n-grams that `isCommon` says are in too many items. */
  prune(isCommon: (items: number[]) => boolean): void {
    for (const [key, items] of this.#items) if (isCommon(items)) this.#items.delete(key);
  }
}

/** Finds benchmark items in documents. */
export class Decontaminator {
  readonly options: Readonly<DecontaminateOptions>;
  readonly items: readonly BenchmarkItem[];
  /** Items with fewer than `MIN_WORDS` words, which no rule can judge. */
  readonly tooShort: readonly BenchmarkItem[];
  #collision: GramTable;
  #overlap: GramTable;
  /** Distinct 8-grams of each item. */
  #gramsOf: Uint32Array;
  /** Short items by their number of words. */
  #whole = new Map<number, GramTable>();
  #words = new WordBuffer();
  #grams = new Uint32Array(1 << 14);

  constructor(items: readonly BenchmarkItem[], options: DecontaminateOptions) {
    this.items = items;
    this.options = options;
    const { collisionWords, overlapWords } = options;
    this.#gramsOf = new Uint32Array(items.length);
    let words = 0;
    for (const item of items) words += this.#words.scan(item.text);
    this.#collision = new GramTable(collisionWords, words);
    this.#overlap = new GramTable(overlapWords, words);
    const tooShort: BenchmarkItem[] = [];
    const sizes = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      sizes.set(item.benchmark, (sizes.get(item.benchmark) ?? 0) + 1);
      const count = this.#words.scan(item.text);
      if (count < MIN_WORDS) {
        tooShort.push(item);
        continue;
      }
      if (count < overlapWords) {
        const table = this.#whole.get(count) ?? new GramTable(count, 1024);
        this.#whole.set(count, table);
        this.#enter(table, index);
        continue;
      }
      this.#gramsOf[index] = new Set(this.#scan(overlapWords)).size;
      this.#enter(this.#overlap, index);
      this.#enter(this.#collision, index);
    }
    this.tooShort = tooShort;
    this.#collision.prune((holders) => {
      const size = sizes.get(items[holders[0]!]!.benchmark) ?? 0;
      return holders.length > Math.max(COMMON_ITEMS, 0.01 * size);
    });
  }

  /** N-grams of the words scanned last. */
  #scan(n: number): Uint32Array {
    if (this.#grams.length < this.#words.count) this.#grams = new Uint32Array(2 * this.#words.count);
    return this.#grams.subarray(0, ngramHashes(this.#words, n, this.#grams));
  }

  #enter(table: GramTable, item: number): void {
    const grams = this.#scan(table.n);
    for (let at = 0; at < grams.length; at++) table.add(grams[at]!, this.#words, at, item);
  }

  #match(table: GramTable, visit: (item: number, key: number) => void): void {
    const grams = this.#scan(table.n);
    for (let at = 0; at < grams.length; at++) {
      const found = table.get(grams[at]!, this.#words, at);
      if (found) for (const item of found.items) visit(item, found.key);
    }
  }

  /** Items that a text gives away, in the order of the items. */
  find(text: string): { item: number; rule: ContaminationHit["rule"]; overlap: number }[] {
    this.#words.scan(text);
    const collided = new Set<number>();
    this.#match(this.#collision, (item) => collided.add(item));
    const seen = new Map<number, Set<number>>();
    this.#match(this.#overlap, (item, key) => {
      const grams = seen.get(item);
      if (grams) grams.add(key);
      else seen.set(item, new Set([key]));
    });
    const hits: ReturnType<Decontaminator["find"]> = [];
    for (const [item, grams] of seen) {
      const overlap = grams.size / this.#gramsOf[item]!;
      if (collided.has(item)) hits.push({ item, rule: "collision", overlap });
      else if (overlap >= this.options.overlapFraction) hits.push({ item, rule: "overlap", overlap });
    }
    for (const table of this.#whole.values()) {
      const whole = new Set<number>();
      this.#match(table, (item) => whole.add(item));
      for (const item of whole) hits.push({ item, rule: "whole", overlap: 1 });
    }
    return hits.sort((a, b) => a.item - b.item);
  }

  /** The hits of a document, for the contamination report. */
  check(document: Document): ContaminationHit[] {
    return this.find(document.text).map(({ item, rule, overlap }) => ({
      document: document.id,
      source: document.source,
      benchmark: this.items[item]!.benchmark,
      item: this.items[item]!.id,
      rule,
      overlap: Math.round(overlap * 1000) / 1000,
    }));
  }
}

/** The drop of a contaminated document. */
export function contaminatedDrop(
  document: Document,
  hits: readonly ContaminationHit[],
  options: DecontaminateOptions,
): Drop {
  const first = hits[0]!;
  const more = hits.length > 1 ? ` and ${hits.length - 1} more` : "";
  return {
    id: document.id,
    source: document.source,
    rule: `decontaminate.${first.rule}`,
    value: first.overlap,
    threshold: first.rule === "collision" ? `${options.collisionWords} words` : options.overlapFraction,
    reason: `gives away item ${first.item} of ${first.benchmark}${more}`,
    title: document.title,
    characters: document.text.length,
  };
}

export interface ContaminationReport {
  items: number;
  tooShort: number;
  documents: number;
  byBenchmark: Record<string, { items: number; hit: number }>;
  hits: ContaminationHit[];
}

/** Which items were hit by which documents. */
export function contaminationReport(
  items: readonly BenchmarkItem[],
  tooShort: number,
  hits: ContaminationHit[],
): ContaminationReport {
  const byBenchmark: ContaminationReport["byBenchmark"] = {};
  for (const item of items) {
    byBenchmark[item.benchmark] ??= { items: 0, hit: 0 };
    byBenchmark[item.benchmark]!.items++;
  }
  for (const key of new Set(hits.map((hit) => JSON.stringify([hit.benchmark, hit.item]))))
    byBenchmark[(JSON.parse(key) as [string])[0]]!.hit++;
  return { items: items.length, tooShort, documents: new Set(hits.map((hit) => hit.document)).size, byBenchmark, hits };
}

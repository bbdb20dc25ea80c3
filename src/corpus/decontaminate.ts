/**
 * Decontamination: which documents give away which test questions. Two rules, both on lower-cased words without punctuation:
 *
 *   collision: the document holds any run of 13 words of the item (GPT-3, Brown et al. 2020, appendix C);
 *   overlap:   the document holds at least 80% of the item's 8-grams (MEDITRON, appendix B.5).
 *
 * An item too short for a rule is compared whole, if it has at least `MIN_WORDS` words. N-grams that stand in many items
 * ("which of the following is the most likely ...") are the benchmark's own phrasing and say nothing about any one item: neither
 * rule starts from one, though they count in the 80%. A document costs one pass over its words and a probe of a bit table each.
 */
import type { Document, Drop } from "./document.ts";
import { gramHash, mix32, ngramHashes, WordBuffer } from "./words.ts";

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
 * N-gram → items that hold it. A bit table small enough for the cache answers almost every question (two bits of one word a key: of other
 * n-grams three in a hundred pass); behind it an open-addressed
 * table compares 64 bits of two independent hashes, so a false match does not occur in practice.
 */
class GramTable {
  readonly n: number;
  #bits: Int32Array;
  #wordMask: number;
  /** Slot → first entry of a key + 1, 0 if free. */
  #slots: Int32Array;
  /** Of each entry: the key's halves, the item, and the next entry of the same key. */
  #hashes: Uint32Array;
  #checks: Uint32Array;
  #items: Int32Array;
  #next: Int32Array;
  #count = 0;

  /** @param capacity - N-grams that will be added, at most. */
  constructor(n: number, capacity: number) {
    this.n = n;
    const power = (least: number) => 2 ** Math.ceil(Math.log2(Math.max(1024, least)));
    this.#bits = new Int32Array(power(8 * capacity) / 32);
    this.#wordMask = this.#bits.length - 1;
    this.#slots = new Int32Array(power(2 * capacity));
    this.#hashes = new Uint32Array(capacity);
    this.#checks = new Uint32Array(capacity);
    this.#items = new Int32Array(capacity);
    this.#next = new Int32Array(capacity).fill(-1);
  }

  /** Whether an n-gram of this hash may be in the table. */
  mayHold(hash: number): boolean {
    const pattern = bitsOf(hash);
    return (this.#bits[hash & this.#wordMask]! & pattern) === pattern;
  }

  /**
   * Places of n-grams that may be in the table, looked for in a loop of their own: the bit table is larger than the fast caches, and
   * looks into it overlap only as long as nothing waits for their outcome. @param places - At least as long as `grams`. @returns how many.
   */
  placesOf(grams: Uint32Array, places: Uint32Array): number {
    const bits = this.#bits;
    const mask = this.#wordMask;
    let count = 0;
    for (let at = 0; at < grams.length; at++) {
      const hash = grams[at]!;
      const pattern = bitsOf(hash);
      if ((bits[hash & mask]! & pattern) === pattern) places[count++] = at;
    }
    return count;
  }

  #check(words: WordBuffer, at: number): number {
    let check = 0;
    for (let i = at; i < at + this.n; i++) check = Math.imul(check ^ words.hashes[i]!, 0x5bd1e995) ^ (check >>> 13);
    return mix32(check);
  }

  /** The slot of a key: where it stands, or the free one where it would. */
  #slot(hash: number, check: number): number {
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#checks[entry - 1] === check) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  add(hash: number, words: WordBuffer, at: number, item: number): void {
    const check = this.#check(words, at);
    const slot = this.#slot(hash, check);
    const first = this.#slots[slot]! - 1;
    // Items are added one after the other: a repeated n-gram of one item is at the head of its chain.
    if (first !== -1 && this.#items[first] === item) return;
    const entry = this.#count++;
    this.#hashes[entry] = hash;
    this.#checks[entry] = check;
    this.#items[entry] = item;
    this.#next[entry] = first;
    this.#slots[slot] = entry + 1;
    const word = hash & this.#wordMask;
    this.#bits[word] = this.#bits[word]! | bitsOf(hash);
  }

  /**
   * Calls `visit` for the items that hold the n-gram at word `at`; not if they are more than `limitOf` allows, for then the
   * n-gram is the benchmark's phrasing.
   */
  visit(hash: number, words: WordBuffer, at: number, limitOf: Uint32Array, visit: (item: number) => void): void {
    const first = this.#slots[this.#slot(hash, this.#check(words, at))]! - 1;
    if (first === -1) return;
    let left = limitOf[this.#items[first]!]!;
    for (let entry = first; entry !== -1; entry = this.#next[entry]!) if (left-- === 0) return;
    for (let entry = first; entry !== -1; entry = this.#next[entry]!) visit(this.#items[entry]!);
  }
}

/** Two bits of a word; the low bits of the hash choose the word. */
const bitsOf = (hash: number): number => (1 << (hash >>> 27)) | (1 << ((hash >>> 22) & 31));

/** Items with fewer than `MIN_WORDS` words, which no rule can judge. */
export function tooShortItems(items: readonly BenchmarkItem[]): BenchmarkItem[] {
  const words = new WordBuffer();
  return items.filter(({ text }) => words.scan(text) < MIN_WORDS);
}

/** Finds benchmark items in documents. */
export class Decontaminator {
  readonly options: Readonly<DecontaminateOptions>;
  readonly items: readonly BenchmarkItem[];
  #collision: GramTable;
  #overlap: GramTable;
  /** Distinct 8-grams of each item. */
  #gramsOf: (Uint32Array | undefined)[] = [];
  /** Items in which an n-gram may stand before it counts as phrasing, by the size of the item's benchmark. */
  #limitOf: Uint32Array;
  /** Short items by their number of words. */
  #whole = new Map<number, GramTable>();
  #words = new WordBuffer();
  #grams = new Uint32Array(1 << 14);
  #places = new Uint32Array(1 << 14);

  constructor(items: readonly BenchmarkItem[], options: DecontaminateOptions) {
    this.items = items;
    this.options = options;
    const { collisionWords, overlapWords } = options;
    const sizes = new Map<string, number>();
    let words = 0;
    for (const item of items) {
      words += this.#words.scan(item.text);
      sizes.set(item.benchmark, (sizes.get(item.benchmark) ?? 0) + 1);
    }
    this.#limitOf = Uint32Array.from(items, (item) => Math.max(COMMON_ITEMS, 0.01 * sizes.get(item.benchmark)!));
    this.#collision = new GramTable(collisionWords, words);
    this.#overlap = new GramTable(overlapWords, words);
    for (const [index, item] of items.entries()) {
      const count = this.#words.scan(item.text);
      if (count < MIN_WORDS) continue;
      if (count < overlapWords) {
        const table = this.#whole.get(count) ?? new GramTable(count, items.length);
        this.#whole.set(count, table);
        this.#enter(table, index);
        continue;
      }
      this.#enter(this.#overlap, index);
      this.#gramsOf[index] = Uint32Array.from(new Set(this.#scan(overlapWords)));
      this.#enter(this.#collision, index);
    }
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

  /** Items that a text gives away, in the order of the items. */
  find(text: string): { item: number; rule: ContaminationHit["rule"]; overlap: number }[] {
    const { collisionWords, overlapWords, overlapFraction } = this.options;
    this.#words.scan(text);
    const hits: ReturnType<Decontaminator["find"]> = [];
    for (const table of this.#whole.values()) {
      const whole = new Set<number>();
      const grams = this.#scan(table.n);
      for (let at = 0; at < grams.length; at++)
        if (table.mayHold(grams[at]!))
          table.visit(grams[at]!, this.#words, at, this.#limitOf, (item) => whole.add(item));
      for (const item of whole) hits.push({ item, rule: "whole", overlap: 1 });
    }

    // Thirteen shared words are six shared 8-grams in a row: the longer n-grams are looked at only there.
    const candidates = new Set<number>();
    const collided = new Set<number>();
    const needed = Math.max(1, collisionWords - overlapWords + 1);
    const grams = this.#scan(overlapWords);
    if (this.#places.length < grams.length) this.#places = new Uint32Array(2 * grams.length);
    const places = this.#places;
    const count = this.#overlap.placesOf(grams, places);
    for (let i = 0, run = 0; i < count; i++) {
      const at = places[i]!;
      if (i === 0 || places[i - 1] !== at - 1) run = 0;
      this.#overlap.visit(grams[at]!, this.#words, at, this.#limitOf, (item) => candidates.add(item));
      if (++run < needed) continue;
      const start = at - needed + 1;
      const hash = gramHash(this.#words, start, collisionWords);
      if (this.#collision.mayHold(hash))
        this.#collision.visit(hash, this.#words, start, this.#limitOf, (item) => collided.add(item));
    }
    if (candidates.size > 0 || collided.size > 0) {
      const held = new Set(grams);
      for (const item of new Set([...candidates, ...collided])) {
        const own = this.#gramsOf[item]!;
        const overlap = own.reduce((count, gram) => count + (held.has(gram) ? 1 : 0), 0) / own.length;
        if (collided.has(item)) hits.push({ item, rule: "collision", overlap });
        else if (overlap >= overlapFraction) hits.push({ item, rule: "overlap", overlap });
      }
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

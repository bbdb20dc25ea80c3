/**
 * Deduplication, within and across sources: same id, same PubMed or Semantic Scholar id (an abstract and its paper), same text, same opening, same title, near the same text. Documents that
 * share a key form a group (transitively), of which one stays: guideline before paper before abstract, then the newest, the
 * longest, and at last the smallest hash of its id, so the outcome does not depend on order, shards or threads.
 *
 * Memory is about 30 bytes a document; keys beyond `memoryBytes` go to disk.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { StagesConfig } from "./config.ts";
import {
  type Feature,
  type FeatureOptions,
  KEYS,
  type Key,
  readFeatures,
  sketchBytes,
  sketchPath,
} from "./features.ts";
import { KeyGroups } from "./key-groups.ts";
import { sketchSimilarity } from "./minhash.ts";

export type DeduplicateOptions = Exclude<StagesConfig["deduplicate"], false>;

export const DUPLICATE_RULES = [
  "deduplicate.id",
  "deduplicate.id-conflict",
  "deduplicate.pmid",
  "deduplicate.corpusid",
  "deduplicate.text",
  "deduplicate.opening",
  "deduplicate.title",
  "deduplicate.near",
] as const;
export type DuplicateRule = (typeof DUPLICATE_RULES)[number];

/** What becomes of each document, by its number in reading order. */
export interface Decisions {
  count: number;
  /** The rule by which a document goes and the number of the one that stays in its place, or undefined if it stays itself. */
  of(index: number): { rule: DuplicateRule; kept: number } | undefined;
  dropped: number;
}

/**
 * Decides which documents stay.
 * @param files - Feature files, in reading order: documents are numbered through all of them.
 * @param workDirectory - For keys that do not fit in memory.
 */
export async function deduplicate(
  files: readonly string[],
  options: DeduplicateOptions,
  workDirectory: string,
  signal?: AbortSignal,
): Promise<Decisions> {
  const layout: FeatureOptions = { near: options.near, titleMinWords: options.titleMinWords };
  async function* features(): AsyncGenerator<Iterable<Feature>> {
    for (const file of files) {
      signal?.throwIfAborted();
      yield* readFeatures(file, layout);
    }
  }

  const facts = new Facts();
  for await (const block of features()) for (const feature of block) facts.add(feature);
  const { count } = facts;
  const ruleOf = new Uint8Array(count);
  const keptOf = new Int32Array(count).fill(-1);

  const pass = async (
    rule: DuplicateRule,
    keys: (feature: Feature) => Iterable<[number, number]>,
    similar?: (a: number, b: number) => boolean,
  ): Promise<void> => {
    const groups = new KeyGroups(join(workDirectory, rule), options.memoryBytes);
    try {
      let index = 0;
      for await (const block of features())
        for (const feature of block) {
          if (ruleOf[index] === 0)
            for (const [high, low] of keys(feature)) {
              const spilling = groups.add(high, low, index);
              if (spilling) await spilling;
            }
          index++;
        }
      const sets = new DisjointSets(count);
      await groups.groups((members) => {
        if (!similar) {
          for (const member of members) sets.union(members[0]!, member);
          return;
        }
        // From the best document down: each joins the first one that it resembles, or stands for itself. The order is that of
        // the documents, not of the files.
        members.sort((a, b) => (facts.isBetter(a, b) ? -1 : 1));
        const standing: number[] = [];
        for (const member of members) {
          const twin = standing.find((other) => sets.find(other) === sets.find(member) || similar(other, member));
          if (twin !== undefined) sets.union(twin, member);
          else if (standing.length < MAX_STANDING) standing.push(member);
        }
      });
      // Best of each group first, then everyone else goes in its favour.
      const best = new Int32Array(count).fill(-1);
      for (let i = 0; i < count; i++) {
        if (ruleOf[i] !== 0) continue;
        const root = sets.find(i);
        const current = best[root]!;
        if (current === -1 || facts.isBetter(i, current)) best[root] = i;
      }
      for (let i = 0; i < count; i++) {
        if (ruleOf[i] !== 0) continue;
        const winner = best[sets.find(i)]!;
        if (winner === i) continue;
        const conflict = rule === "deduplicate.id" && !facts.sameText(i, winner);
        ruleOf[i] = 1 + DUPLICATE_RULES.indexOf(conflict ? "deduplicate.id-conflict" : rule);
        keptOf[i] = winner;
      }
    } finally {
      await groups.close();
    }
  };

  const single = (key: Key) => (feature: Feature) => {
    const value = feature.key(key);
    return value ? [value] : [];
  };
  for (const key of KEYS) if (key !== "title" || options.title) await pass(`deduplicate.${key}`, single(key));
  const { near } = options;
  if (near !== false) {
    const bands = function* (feature: Feature): Generator<[number, number]> {
      for (let band = 0; band < near.bands; band++) {
        const key = feature.band(band);
        if (key) yield key;
      }
    };
    const sketches = near.minSimilarity > 0 ? await Sketches.open(files, layout, options.memoryBytes) : undefined;
    try {
      const similar = sketches && ((a: number, b: number) => sketches.similarity(a, b) >= near.minSimilarity);
      await pass("deduplicate.near", bands, similar);
    } finally {
      sketches?.close();
    }
  }

  let dropped = 0;
  for (let i = 0; i < count; i++) if (ruleOf[i] !== 0) dropped++;
  return {
    count,
    dropped,
    of(index) {
      const rule = ruleOf[index] ?? 0;
      if (rule === 0) return undefined;
      let kept = keptOf[index]!;
      while (keptOf[kept] !== -1) kept = keptOf[kept]!; // the one that stayed may have gone by a later rule
      return { rule: DUPLICATE_RULES[rule - 1]!, kept };
    },
  };
}

/** Documents of one band key that resemble none of the others, at most: a bound on the work for a key of boilerplate. */
const MAX_STANDING = 16;

/** The sketches of all documents: in memory if they fit, else read where they stand. */
class Sketches {
  #size: number;
  #files: { from: number; bytes: Buffer | undefined; descriptor: number }[];
  #a: Buffer;
  #b: Buffer;

  private constructor(size: number, files: { from: number; bytes: Buffer | undefined; descriptor: number }[]) {
    this.#size = size;
    this.#files = files;
    this.#a = Buffer.alloc(size);
    this.#b = Buffer.alloc(size);
  }

  static async open(features: readonly string[], layout: FeatureOptions, memoryBytes: number): Promise<Sketches> {
    const size = sketchBytes(layout);
    const paths = features.map(sketchPath);
    const bytes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    const fits = bytes.reduce((sum, count) => sum + count, 0) <= memoryBytes;
    let from = 0;
    const files = paths.map((path, i) => {
      const start = from;
      from += bytes[i]! / size;
      return { from: start, bytes: fits ? readFileSync(path) : undefined, descriptor: fits ? -1 : openSync(path, "r") };
    });
    return new Sketches(size, files);
  }

  #load(document: number, into: Buffer): Buffer {
    let index = this.#files.length - 1;
    while (this.#files[index]!.from > document) index--;
    const { from, bytes, descriptor } = this.#files[index]!;
    const at = (document - from) * this.#size;
    if (bytes) return bytes.subarray(at, at + this.#size);
    readSync(descriptor, into, 0, this.#size, at);
    return into;
  }

  similarity(a: number, b: number): number {
    return sketchSimilarity(this.#load(a, this.#a), this.#load(b, this.#b));
  }

  close(): void {
    for (const { descriptor } of this.#files) if (descriptor !== -1) closeSync(descriptor);
  }
}

/** Columns of what decides between duplicates. */
class Facts {
  count = 0;
  #rank = new Uint8Array(1024);
  #date = new Int32Array(1024);
  #characters = new Uint32Array(1024);
  #idHigh = new Uint32Array(1024);
  #textHigh = new Uint32Array(1024);
  #textLow = new Uint32Array(1024);

  add(feature: Feature): void {
    if (this.count === this.#rank.length) {
      this.#rank = grown(this.#rank, new Uint8Array(2 * this.count));
      this.#date = grown(this.#date, new Int32Array(2 * this.count));
      this.#characters = grown(this.#characters, new Uint32Array(2 * this.count));
      this.#idHigh = grown(this.#idHigh, new Uint32Array(2 * this.count));
      this.#textHigh = grown(this.#textHigh, new Uint32Array(2 * this.count));
      this.#textLow = grown(this.#textLow, new Uint32Array(2 * this.count));
    }
    const i = this.count++;
    this.#rank[i] = feature.rank;
    this.#date[i] = feature.date;
    this.#characters[i] = feature.characters;
    this.#idHigh[i] = feature.key("id")?.[0] ?? 0;
    const text = feature.key("text") ?? [0, 0];
    this.#textHigh[i] = text[0];
    this.#textLow[i] = text[1];
  }

  sameText(a: number, b: number): boolean {
    return this.#textHigh[a] === this.#textHigh[b] && this.#textLow[a] === this.#textLow[b];
  }

  /** Whether `a` is to be kept rather than `b`. */
  isBetter(a: number, b: number): boolean {
    return (
      this.#rank[a]! - this.#rank[b]! ||
      this.#date[a]! - this.#date[b]! ||
      this.#characters[a]! - this.#characters[b]! ||
      this.#idHigh[b]! - this.#idHigh[a]! ||
      this.#textHigh[b]! - this.#textHigh[a]! ||
      this.#textLow[b]! - this.#textLow[a]!
    ) > 0; // biome-ignore format: one criterion a line
  }
}

function grown<T extends { set(values: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Union-find with path halving; the root is always the smallest member. */
export class DisjointSets {
  #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
  }

  find(member: number): number {
    const parent = this.#parent;
    let at = member;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }

  union(a: number, b: number): void {
    const rootA = this.find(a);
    const rootB = this.find(b);
    if (rootA < rootB) this.#parent[rootB] = rootA;
    else if (rootB < rootA) this.#parent[rootA] = rootB;
  }
}

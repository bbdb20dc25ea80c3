/**
 * Byte-pair encoding of one word: start from characters (or bytes) and merge the pair of lowest rank, leftmost first, until
 * no pair of the list is left. The same ids as Hugging Face's `tokenizers`, which has no synchronous call in Node.
 *
 * Text repeats its words, so a cache of words makes encoding a table look-up most of the time.
 *
 * @see Sennrich et al. 2016, arXiv:1508.07909
 */
import { ConfigError, DataError } from "../core/errors.ts";
import { utf16 } from "../core/utf16.ts";
import { BYTE_CHARACTERS } from "./byte-level.ts";
import type { BpeJson } from "./tokenizer-json.ts";
import { WordCache } from "./word-cache.ts";

const CACHE_WORDS = 1 << 17;
/** Longer words are not worth remembering: they rarely come twice. */
const CACHE_WORD_LENGTH = 64;
/** Above this many symbols a heap beats scanning for the best pair. */
const SCAN_SYMBOLS = 48;
/** ▁, SentencePiece's space. */
const WORD_MARK = 0x2581;
const HASH_PRIME = 0x01000193;

export class BpeModel {
  readonly #vocab: Map<string, number>;
  /** Pair → rank; `#merged[rank]` is the id of the joined token. */
  readonly #ranks: PairTable;
  readonly #merged: Int32Array;
  readonly #unknown: number | undefined;
  readonly #fuseUnknown: boolean;
  readonly #ignoreMerges: boolean;
  /** Ids of `<0x00>` … `<0xFF>`, or undefined without byte fallback. */
  readonly #fallback: (number | undefined)[] | undefined;
  readonly #byteIds: (number | undefined)[];
  readonly #words = new Map<string, Int32Array>();
  readonly #runs = new WordCache();
  /** Ranks of the pairs of one word. */
  readonly #scanned = new Int32Array(SCAN_SYMBOLS);
  readonly #byteWords = new Map<string, Int32Array>();

  /** @throws {ConfigError} For dropout and affixes, which no Llama-family tokenizer uses. @throws {DataError} For merges outside the vocabulary. */
  constructor(json: BpeJson, where: string) {
    for (const key of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] as const)
      if (json[key])
        throw new ConfigError("TOKENIZER_UNSUPPORTED", {
          message: `BPE with ${key} is not supported`,
          where,
          remedy: "take the tokenizer of a Llama, Mistral, Qwen or GPT family model",
        });
    this.#vocab = new Map(Object.entries(json.vocab));
    this.#ranks = new PairTable(json.merges.length);
    this.#merged = new Int32Array(json.merges.length);
    json.merges.forEach((merge, rank) => {
      const [left, right] = typeof merge === "string" ? splitMerge(merge) : merge;
      const a = this.#vocab.get(left);
      const b = this.#vocab.get(right);
      const joined = this.#vocab.get(left + right);
      if (a === undefined || b === undefined || joined === undefined)
        throw new DataError("TOKENIZER_MALFORMED", {
          message: `merge ${rank} (${JSON.stringify(merge)}) names a token that is not in the vocabulary`,
          where,
          remedy: "the file is damaged: fetch it again",
        });
      // A pair listed twice keeps its last rank, as a hash map filled in order does in the original.
      this.#ranks.set(a, b, rank);
      this.#merged[rank] = joined;
    });
    this.#unknown = json.unk_token ? this.#vocab.get(json.unk_token) : undefined;
    this.#fuseUnknown = json.fuse_unk ?? false;
    this.#ignoreMerges = json.ignore_merges ?? false;
    const hex = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    this.#fallback = json.byte_fallback
      ? Array.from({ length: 256 }, (_, byte) => this.#vocab.get(hex(byte)))
      : undefined;
    this.#byteIds = BYTE_CHARACTERS.map((character) => this.#vocab.get(character));
  }

  /** Whether no token holds `boundary` behind another character: then words cut before it can never merge across the cut. */
  splitsBefore(boundary: string): boolean {
    for (const token of this.#vocab.keys()) {
      let seenOther = false;
      for (const character of token) {
        if (character !== boundary) seenOther = true;
        else if (seenOther) return false;
      }
    }
    return true;
  }

  /** Ids of a word in vocabulary characters. */
  encode(word: string): Int32Array {
    return cached(this.#words, word, () => this.#encodeWord(word));
  }

  #encodeWord(word: string): Int32Array {
    if (this.#ignoreMerges) {
      const whole = this.#vocab.get(word);
      if (whole !== undefined) return Int32Array.of(whole);
    }
    return this.#merge(this.#symbols(word));
  }

  /** Adds the ids of a text in vocabulary characters, cut before each run of ▁ (`splitsBefore` says whether it may be). */
  encodeRuns(text: string, ids: number[]): void {
    const { length } = text;
    const units = utf16(text);
    for (let start = 0, end = 0; start < length; start = end) {
      let hash = 0;
      for (; end < length && units[end] === WORD_MARK; end++) hash = Math.imul(hash ^ WORD_MARK, HASH_PRIME);
      for (; end < length && units[end] !== WORD_MARK; end++) hash = Math.imul(hash ^ units[end]!, HASH_PRIME);
      hash ^= hash >>> 15;
      if (this.#runs.push(units, start, end, hash, ids)) continue;
      const word = this.#encodeWord(text.slice(start, end));
      for (let i = 0; i < word.length; i++) ids.push(word[i]!);
      this.#runs.set(units, start, end, hash, word);
    }
  }

  /** Ids of a word given as plain text, for a byte-level vocabulary. */
  encodeBytes(word: string): Int32Array {
    return cached(this.#byteWords, word, () => {
      const bytes = Buffer.from(word, "utf8");
      if (this.#ignoreMerges) {
        let mapped = "";
        for (const byte of bytes) mapped += BYTE_CHARACTERS[byte];
        const whole = this.#vocab.get(mapped);
        if (whole !== undefined) return Int32Array.of(whole);
      }
      const ids: number[] = [];
      let afterUnknown = false;
      for (const byte of bytes) {
        const id = this.#byteIds[byte];
        if (id === undefined) afterUnknown = this.#pushUnknown(ids, afterUnknown);
        else {
          ids.push(id);
          afterUnknown = false;
        }
      }
      return this.#merge(ids);
    });
  }

  #symbols(word: string): number[] {
    const ids: number[] = [];
    let afterUnknown = false;
    for (const character of word) {
      const id = this.#vocab.get(character);
      if (id !== undefined) {
        ids.push(id);
        afterUnknown = false;
        continue;
      }
      if (this.#fallback) {
        const bytes = Array.from(Buffer.from(character, "utf8"), (byte) => this.#fallback![byte]);
        if (bytes.every((byte) => byte !== undefined)) {
          ids.push(...(bytes as number[]));
          afterUnknown = false;
          continue;
        }
      }
      afterUnknown = this.#pushUnknown(ids, afterUnknown);
    }
    return ids;
  }

  /** Without an unknown token, what is not in the vocabulary vanishes; that is the original's rule. @returns whether the last symbol is unknown. */
  #pushUnknown(ids: number[], afterUnknown: boolean): boolean {
    if (this.#unknown === undefined) return afterUnknown;
    if (!(afterUnknown && this.#fuseUnknown)) ids.push(this.#unknown);
    return true;
  }

  #rank(left: number, right: number): number {
    return this.#ranks.get(left, right);
  }

  #merge(ids: number[]): Int32Array {
    return ids.length <= SCAN_SYMBOLS ? this.#mergeByScan(ids) : this.#mergeByHeap(ids);
  }

  #mergeByScan(ids: number[]): Int32Array {
    const ranks = this.#scanned;
    let length = ids.length;
    for (let i = 0; i < length; i++) ranks[i] = i + 1 < length ? this.#rank(ids[i]!, ids[i + 1]!) : -1;
    for (;;) {
      let best = -1;
      for (let i = 0; i + 1 < length; i++) if (ranks[i]! >= 0 && (best < 0 || ranks[i]! < ranks[best]!)) best = i;
      if (best < 0) break;
      ids[best] = this.#merged[ranks[best]!]!;
      for (let i = best + 1; i + 1 < length; i++) {
        ids[i] = ids[i + 1]!;
        ranks[i] = ranks[i + 1]!;
      }
      length--;
      ranks[best] = best + 1 < length ? this.#rank(ids[best]!, ids[best + 1]!) : -1;
      if (best > 0) ranks[best - 1] = this.#rank(ids[best - 1]!, ids[best]!);
    }
    ids.length = length;
    return Int32Array.from(ids);
  }

  /** The same by a linked list and a heap of (rank, position): n log n for text without word boundaries. */
  #mergeByHeap(ids: number[]): Int32Array {
    const n = ids.length;
    const next = Int32Array.from({ length: n }, (_, i) => i + 1);
    const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
    const alive = new Uint8Array(n).fill(1);
    // One key orders by rank, then position: both fit 53 bits.
    const heap = new MinHeap();
    const consider = (i: number) => {
      const j = next[i]!;
      if (j >= n) return;
      const rank = this.#rank(ids[i]!, ids[j]!);
      if (rank >= 0) heap.push(rank * n + i);
    };
    for (let i = 0; i + 1 < n; i++) consider(i);
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const i = key % n;
      const rank = (key - i) / n;
      const j = next[i]!;
      // An entry is stale when either side has changed since: its pair no longer has this rank.
      if (!alive[i] || j >= n || this.#rank(ids[i]!, ids[j]!) !== rank) continue;
      ids[i] = this.#merged[rank]!;
      alive[j] = 0;
      next[i] = next[j]!;
      if (next[j]! < n) previous[next[j]!] = i;
      consider(i);
      if (previous[i]! >= 0) consider(previous[i]!);
    }
    return Int32Array.from(ids.filter((_, i) => alive[i]));
  }
}

/** Pairs of ids and their ranks, open-addressed: a search costs a quarter of one in a Map. */
class PairTable {
  readonly #mask: number;
  /** Of each slot: left, right, 1 + rank (0: free). */
  readonly #slots: Int32Array;

  constructor(pairs: number) {
    this.#mask = 2 ** Math.ceil(Math.log2(2 * pairs + 2)) - 1;
    this.#slots = new Int32Array(4 * (this.#mask + 1));
  }

  #find(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = 4 * slot;
      if (slots[at + 2] === 0 || (slots[at] === left && slots[at + 1] === right)) return at;
    }
  }

  /** The rank of a pair, or -1. */
  get(left: number, right: number): number {
    return this.#slots[this.#find(left, right) + 2]! - 1;
  }

  set(left: number, right: number, rank: number): void {
    const at = this.#find(left, right);
    this.#slots[at] = left;
    this.#slots[at + 1] = right;
    this.#slots[at + 2] = rank + 1;
  }
}

class MinHeap {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let i = keys.push(key) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[i] = keys[parent]!;
      i = parent;
    }
    keys[i] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const top = keys[0];
    const last = keys.pop();
    if (last === undefined || keys.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= keys.length) break;
      if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= last) break;
      keys[i] = keys[child]!;
      i = child;
    }
    keys[i] = last;
    return top;
  }
}

function cached(cache: Map<string, Int32Array>, word: string, compute: () => Int32Array): Int32Array {
  const known = cache.get(word);
  if (known) return known;
  const ids = compute();
  if (word.length <= CACHE_WORD_LENGTH) {
    if (cache.size >= CACHE_WORDS) cache.clear();
    cache.set(word, ids);
  }
  return ids;
}

/** "a b" → ["a", "b"]; tokens hold no space in this older form. */
function splitMerge(merge: string): [string, string] {
  const space = merge.indexOf(" ");
  return [merge.slice(0, space), merge.slice(space + 1)];
}

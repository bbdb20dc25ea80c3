/**
 * Words as numbers: one pass over a text gives a 32-bit hash of each lower-cased word, the raw material of shingles (near
 * duplicates) and n-grams (decontamination). Numbers are words like any other: two texts that differ in a dose differ.
 */

import { utf16 } from "../core/utf16.ts";

/** UTF-16 unit -> its lower case if it can stand in a word, 0 if it separates words. */
const FOLD = foldingTable();
/** Units that are a word each: Chinese and Japanese write no spaces. */
const isIdeograph = (unit: number) => (unit >= 0x3040 && unit <= 0x30ff) || (unit >= 0x3400 && unit <= 0x9fff);

function foldingTable(): Uint16Array {
  const table = new Uint16Array(65536);
  const word = /[\p{L}\p{N}\p{M}]/u;
  for (let unit = 0; unit < 65536; unit++) {
    const character = String.fromCharCode(unit);
    if (unit >= 0xd800 && unit <= 0xdfff) table[unit] = unit;
    else if (word.test(character)) {
      const lower = character.toLowerCase();
      table[unit] = lower.length === 1 ? lower.charCodeAt(0) : unit;
    }
  }
  return table;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Room for the words of a text; grows, and is used again for the next one. */
export class WordBuffer {
  hashes = new Uint32Array(1 << 14);
  count = 0;

  #grow(): void {
    const larger = new Uint32Array(this.hashes.length * 2);
    larger.set(this.hashes);
    this.hashes = larger;
  }

  /** Hashes the words of a text; the former content is gone. @returns the number of words. */
  scan(text: string): number {
    let count = 0;
    let hash = FNV_OFFSET;
    let inWord = false;
    const { length } = text;
    const units = utf16(text);
    for (let i = 0; i < length; i++) {
      const unit = units[i]!;
      const folded = FOLD[unit]!;
      if (folded !== 0 && !(unit >= 0x3040 && isIdeograph(unit))) {
        hash = Math.imul(hash ^ folded, FNV_PRIME);
        inWord = true;
        continue;
      }
      if (inWord) {
        if (count === this.hashes.length) this.#grow();
        this.hashes[count++] = mix32(hash);
        hash = FNV_OFFSET;
        inWord = false;
      }
      if (folded !== 0) {
        if (count === this.hashes.length) this.#grow();
        this.hashes[count++] = mix32(Math.imul(FNV_OFFSET ^ folded, FNV_PRIME));
      }
    }
    if (inWord) {
      if (count === this.hashes.length) this.#grow();
      this.hashes[count++] = mix32(hash);
    }
    this.count = count;
    return count;
  }
}

/** MurmurHash3's finalizer: spreads every bit of a 32-bit number over all of them. */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 64-bit hash of the letters and digits of a text, lower-cased, as two 32-bit halves: equal for texts that read alike. */
export function hashLetters(text: string, seed: number, maxLetters = Number.POSITIVE_INFINITY): [number, number] {
  let high = mix32(seed ^ 0x9e3779b9);
  let low = mix32(seed + 0x7f4a7c15);
  let letters = 0;
  for (let i = 0; i < text.length && letters < maxLetters; i++) {
    const folded = FOLD[text.charCodeAt(i)]!;
    if (folded === 0) continue;
    letters++;
    high = Math.imul(high ^ folded, FNV_PRIME);
    low = Math.imul(low ^ folded, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return [mix32(high ^ letters), mix32(low + letters)];
}

/** Hashes of all n-grams of words, by a polynomial rolling over them. @param out - At least count − n + 1 long. @returns how many. */
export function ngramHashes(words: WordBuffer, n: number, out: Uint32Array): number {
  const { hashes, count } = words;
  if (count < n) return 0;
  let top = 1;
  for (let i = 1; i < n; i++) top = Math.imul(top, FNV_PRIME);
  let rolling = 0;
  for (let i = 0; i < n; i++) rolling = (Math.imul(rolling, FNV_PRIME) + hashes[i]!) | 0;
  out[0] = mix32(rolling);
  for (let i = n; i < count; i++) {
    rolling = (Math.imul((rolling - Math.imul(hashes[i - n]!, top)) | 0, FNV_PRIME) + hashes[i]!) | 0;
    out[i - n + 1] = mix32(rolling);
  }
  return count - n + 1;
}

/** The hash that `ngramHashes` gives the n-gram at word `at`. */
export function gramHash({ hashes }: WordBuffer, at: number, n: number): number {
  let rolling = 0;
  for (let i = at; i < at + n; i++) rolling = (Math.imul(rolling, FNV_PRIME) + hashes[i]!) | 0;
  return mix32(rolling);
}

import { expect, test } from "vitest";
import { WordCache } from "./word-cache.ts";

test("a word has its own ids or is unknown, whatever shares its hash and however often the table was emptied", () => {
  const cache = new WordCache();
  const units = (word: string) => new Uint16Array(new Uint8Array(Buffer.from(word, "utf16le")).buffer);
  const wordOf = (i: number) => `▁word${i}`;
  const idsOf = (i: number) => Array.from({ length: 1 + (i % 5) }, (_, k) => i + k);
  /** Two or three words a hash. */
  const hashOf = (i: number) => Math.imul(i % 60_000, 0x9e3779b1) >> 3;
  const known = (i: number): number[] | undefined => {
    const ids = [7];
    return cache.push(units(wordOf(i)), 0, wordOf(i).length, hashOf(i), ids) ? ids.slice(1) : undefined;
  };
  let unknown = 0;
  for (let i = 0; i < 150_000; i++) {
    if (known(i) !== undefined) throw new Error(`word ${i} was never entered`);
    cache.set(units(wordOf(i)), 0, wordOf(i).length, hashOf(i), idsOf(i));
    if (i % 997 === 0) expect(known(i)).toEqual(idsOf(i));
  }
  for (let i = 0; i < 150_000; i += 13) {
    const ids = known(i);
    if (ids === undefined) unknown++;
    else expect(ids).toEqual(idsOf(i));
  }
  // Emptied once, at 131,072 words: what came after is there.
  expect(unknown).toBe(Math.ceil(131_072 / 13));
  expect(known(149_999)).toEqual(idsOf(149_999));
});

test("words too long to come twice are not kept", () => {
  const cache = new WordCache();
  const long = new Uint16Array(65).fill(97);
  cache.set(long, 0, 65, 1, [1, 2]);
  expect(cache.push(long, 0, 65, 1, [])).toBe(false);
  cache.set(long, 1, 65, 2, [3]);
  const ids: number[] = [];
  expect(cache.push(long, 0, 64, 2, ids)).toBe(true);
  expect(ids).toEqual([3]);
});

test("of words with one hash, 64 are kept: no search is longer", () => {
  const cache = new WordCache();
  for (let i = 0; i < 50_000; i++) cache.set(Uint16Array.of(i), 0, 1, 5, [i]);
  const ids: number[] = [];
  for (let i = 0; i < 50_000; i++) cache.push(Uint16Array.of(i), 0, 1, 5, ids);
  expect(ids).toEqual(Array.from({ length: 64 }, (_, i) => i));
});

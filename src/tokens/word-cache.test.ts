import { expect, test } from "vitest";
import { WordCache } from "./word-cache.ts";

test("a word has its own ids or is unknown, whatever shares its hash and however often the table was emptied", () => {
  const cache = new WordCache();
  const units = (word: string) => Uint16Array.from(word, (character) => character.charCodeAt(0));
  const wordOf = (i: number) => `▁word${i}`;
  const idsOf = (i: number) => Array.from({ length: 1 + (i % 5) }, (_, k) => i + k);
  const known = (i: number): number[] | undefined => {
    const ids = [7];
    return cache.push(units(wordOf(i)), 0, wordOf(i).length, i % 60_000, ids) ? ids.slice(1) : undefined;
  };
  let unknown = 0;
  for (let i = 0; i < 150_000; i++) {
    if (known(i) !== undefined) throw new Error(`word ${i} was never entered`);
    cache.set(units(wordOf(i)), 0, wordOf(i).length, i % 60_000, idsOf(i));
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

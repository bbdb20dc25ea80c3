import fc from "fast-check";
import { expect, test } from "vitest";
import { MinHasher, minimaReference, similarity } from "./minhash.ts";
import { minhashWasm } from "./minhash-wasm.ts";

const uint32s = (length: { min: number; max: number }) =>
  fc.uint32Array({ minLength: length.min, maxLength: length.max });

test("the SIMD loop gives the minima of the plain one, for any numbers", () => {
  fc.assert(
    fc.property(
      uint32s({ min: 0, max: 300 }),
      uint32s({ min: 112, max: 112 }),
      uint32s({ min: 112, max: 112 }),
      (s, a, b) => {
        const simd = minhashWasm(a, b);
        expect(simd).toBeDefined();
        expect([...simd!(s, s.length)]).toEqual([...minimaReference(s, s.length, a, b)]);
      },
    ),
  );
});

test("memory grows with the text", () => {
  const a = Uint32Array.from({ length: 112 }, (_, i) => 2 * i + 1);
  const shingles = Uint32Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2654435761) >>> 0);
  expect([...minhashWasm(a, a)!(shingles, shingles.length)]).toEqual([
    ...minimaReference(shingles, shingles.length, a, a),
  ]);
});

test("the share of equal minima estimates the Jaccard similarity of the shingles", () => {
  const words = Array.from({ length: 1000 }, (_, i) => `w${Math.imul(i + 1, 7919) % 5000}`);
  const hasher = new MinHasher();
  // The second text has the first 800 words: 796 of its 5-word shingles among the 996 + 0, so J = 796/996 = 0.799.
  const estimate = similarity(hasher.signature(words.join(" ")), hasher.signature(words.slice(0, 800).join(" ")));
  // Standard error sqrt(0.8 · 0.2 / 112) = 0.038; four of them
  expect(Math.abs(estimate - 796 / 996)).toBeLessThan(0.16);
});

test("case and punctuation do not matter, a number does", () => {
  const hasher = new MinHasher();
  const keys = (text: string) => [...(hasher.bandKeys(text) ?? [])];
  expect(keys("Give 10 mg, twice a day.")).toEqual(keys("give 10 MG twice a day"));
  expect(keys("Give 10 mg, twice a day.")).not.toEqual(keys("Give 100 mg, twice a day."));
  expect(hasher.bandKeys(" -- ")).toBeUndefined();
});

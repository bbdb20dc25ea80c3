import { expect, test } from "vitest";
import { counterRandom, RandomState } from "./random.ts";

// numpy.random.RandomState(1234).shuffle(arange(8)) -> [2 1 6 0 4 5 3 7]   (Megatron's seed)
test("shuffle is numpy's, draw for draw", () =>
  expect([...new RandomState(1234).permutation(8)]).toEqual([2, 1, 6, 0, 4, 5, 3, 7]));

// r = numpy.random.RandomState(42); r.random_sample() -> 0.3745401188473625, 0.9507143064099162
test("random_sample is numpy's", () => {
  const state = new RandomState(42);
  expect([state.random(), state.random()]).toEqual([0.3745401188473625, 0.9507143064099162]);
});

// r = numpy.random.RandomState(0); r.standard_normal(3) -> 1.764052345967664, 0.4001572083672233, 0.9787379841057392
test("standard_normal is numpy's legacy gauss", () => {
  const state = new RandomState(0);
  expect(state.normal()).toBeCloseTo(1.764052345967664, 12);
  expect(state.normal()).toBeCloseTo(0.4001572083672233, 12);
  expect(state.normal()).toBeCloseTo(0.9787379841057392, 12);
});

test("counter streams: equal at the same place, spread evenly, different by seed", () => {
  expect(counterRandom(1, 5)).toBe(counterRandom(1, 5));
  expect(counterRandom(1, 5)).not.toBe(counterRandom(2, 5));
  let sum = 0;
  for (let i = 0; i < 10_000; i++) sum += counterRandom(3, i) / 2 ** 32;
  // mean of 10,000 uniforms: 0.5 ± 5 · 0.289/100
  expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.0145);
});

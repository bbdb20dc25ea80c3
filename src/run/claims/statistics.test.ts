import { expect, test } from "vitest";
import { RandomState } from "../../core/index.ts";
import { pairedBootstrap } from "../../eval/index.ts";
import { bootstrapEffect, reaches } from "./statistics.ts";

const difference = ([from, to]: number[]) => to! - from!;
const retained = ([base, kept, without]: number[]) =>
  base! > without! ? 1 - (base! - kept!) / (base! - without!) : Number.NaN;

/** Right or wrong for each item, with this share right. */
function answers(n: number, accuracy: number, seed: number): Float64Array {
  const random = new RandomState(seed);
  return Float64Array.from({ length: n }, () => (random.random() < accuracy ? 1 : 0));
}

test("with one seed it is the paired bootstrap of two models", () => {
  const [a, b] = [answers(300, 0.4, 1), answers(300, 0.6, 2)];
  const ours = bootstrapEffect([[a], [b]], difference);
  const theirs = pairedBootstrap(a, b);
  expect(ours.effect).toBeCloseTo(theirs.difference, 12);
  expect(ours.low).toBeCloseTo(theirs.low, 12); // same seed, same draws
  expect(ours.high).toBeCloseTo(theirs.high, 12);
});

test("the interval covers the truth about as often as it says", () => {
  // 60 experiments of 150 items and 3 seeds with a true difference of 0.2: 99.9% of the time Binomial(60, 0.95) lies above 50.
  let covered = 0;
  for (let i = 0; i < 60; i++) {
    const side = (accuracy: number, offset: number) =>
      [0, 1, 2].map((seed) => answers(150, accuracy, 10_000 + 100 * i + 10 * offset + seed));
    const { low, high } = bootstrapEffect([side(0.4, 1), side(0.6, 2)], difference, { resamples: 100 });
    if (low! <= 0.2 && high! >= 0.2) covered++;
  }
  expect(covered).toBeGreaterThan(50);
});

test("seeds are pooled, each keeps its own effect, and a model trained once stands against all of them", () => {
  const base = [Float64Array.of(0, 0, 1, 1)];
  const trained = [Float64Array.of(1, 1, 1, 1), Float64Array.of(0, 1, 1, 1)];
  const { effect, perSeed } = bootstrapEffect([base, trained], difference);
  expect(effect).toBe((1 + 0.75) / 2 - 0.5);
  expect(perSeed).toEqual([0.5, 0.25]);
});

test("seeds that disagree widen the interval beyond that of the items", () => {
  const base = [answers(1000, 0.4, 1)];
  const few = { resamples: 300 };
  const agree = bootstrapEffect([base, [2, 3, 4].map((seed) => answers(1000, 0.6, seed))], difference, few);
  const disagree = bootstrapEffect([base, [0.45, 0.6, 0.75].map((p, i) => answers(1000, p, 2 + i))], difference, few);
  expect(disagree.high! - disagree.low!).toBeGreaterThan(2 * (agree.high! - agree.low!));
});

test("the share of forgetting avoided: a half of what is lost, and no share where nothing is lost", () => {
  const right = (n: number) => [Float64Array.from({ length: 100 }, (_, i) => (i < n ? 1 : 0))];
  const half = bootstrapEffect([right(80), right(60), right(40)], retained);
  expect(half.effect).toBeCloseTo(0.5, 12); // 1 − (0.8 − 0.6) / (0.8 − 0.4)
  expect(half.low).toBeGreaterThan(0.25);
  expect(half.high).toBeLessThan(0.75);
  const none = bootstrapEffect([right(40), right(40), right(60)], retained);
  expect(none.effect).toBeNaN();
  expect(none.low).toBeNull();
  expect(reaches(none, 0.5)).toBe(false);
});

test("what holds: the effect reaches its threshold and is no chance; a margin below zero is one for the interval", () => {
  expect(reaches({ effect: 0.25, low: 0.1 }, 0.2)).toBe(true);
  expect(reaches({ effect: 0.15, low: 0.1 }, 0.2)).toBe(false); // too small
  expect(reaches({ effect: 0.25, low: -0.01 }, 0.2)).toBe(false); // could be nothing
  expect(reaches({ effect: 0, low: -0.01 }, -0.02)).toBe(true); // no worse than by 2 points
  expect(reaches({ effect: 0.01, low: -0.03 }, -0.02)).toBe(false); // could be worse
  expect(reaches({ effect: 0, low: 0 }, 0)).toBe(true); // the very same answers
  expect(reaches({ effect: 0.3, low: null }, 0.2)).toBe(false);
});

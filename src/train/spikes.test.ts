import { describe, expect, it } from "vitest";
import { nextSamples, robustZScore, SpikeDetector } from "./spikes.ts";

describe("robust z-score", () => {
  const noise = Array.from({ length: 20 }, (_, i) => 3 + 0.1 * ((i * 7) % 20) - 1);

  it("is (x − median) / (1.4826 · MAD)", () => {
    // Values 2.0, 2.1 … 3.9: median 2.95; deviations 0.05, 0.05, 0.15, 0.15 …: median 0.5.
    expect(robustZScore(2.95 + 1.4826 * 0.5 * 4, noise)).toBeCloseTo(4, 10);
    expect(robustZScore(2.95, noise)).toBeCloseTo(0, 10);
  });

  it("is not moved by an outlier in the history, needs 16 values, ignores ripples of a flat loss", () => {
    expect(robustZScore(6, [...noise, 1e6])).toBeGreaterThan(3);
    expect(robustZScore(1e6, noise.slice(0, 15))).toBe(0);
    expect(robustZScore(1.001, Array(20).fill(1))).toBeCloseTo(0.1, 5);
  });
});

it("the detector keeps a window and remembers it", () => {
  const detector = new SpikeDetector(20);
  for (let i = 0; i < 40; i++) detector.accept(i < 20 ? 9 : 3 + 0.01 * (i % 5), 1 + 0.01 * (i % 7));
  expect(detector.score(9, 1)).toBeGreaterThan(6);
  expect(detector.score(3, 50)).toBeGreaterThan(6);
  expect(detector.score(3, 1)).toBeLessThan(3);
  expect(detector.score(Number.NaN, 1)).toBe(Number.POSITIVE_INFINITY);
  const again = new SpikeDetector(20, JSON.parse(JSON.stringify(detector.history)));
  expect(again.score(4, 1.1)).toBe(detector.score(4, 1.1));
});

it("skipped samples are stepped over", () => {
  expect(nextSamples(4, 5, [[6, 8]])).toEqual([4, 5, 8, 9, 10]);
  expect(
    nextSamples(6, 2, [
      [0, 3],
      [6, 8],
      [8, 9],
    ]),
  ).toEqual([9, 10]);
  expect(nextSamples(0, 3, [])).toEqual([0, 1, 2]);
});

import { expect, test } from "vitest";
import { krippendorffAlpha, winRate } from "./review-statistics.ts";

// Krippendorff 2011, section D: four observers, twelve units, gaps. Printed: nominal 0.743, ordinal 0.815, interval 0.849.
const observers = [
  [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
  [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
  [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
  [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
];
const units = Array.from({ length: 12 }, (_, unit) => observers.map((row) => row[unit]!).filter((value) => value > 0));

test("alpha of the published example, on three scales", () => {
  expect(krippendorffAlpha(units, "nominal")).toBeCloseTo(0.743, 3);
  expect(krippendorffAlpha(units, "ordinal")).toBeCloseTo(0.815, 3);
  expect(krippendorffAlpha(units, "interval")).toBeCloseTo(0.849, 3);
});

test("full agreement is 1, none to speak of is undefined", () => {
  expect(
    krippendorffAlpha(
      [
        [1, 1],
        [4, 4],
        [2, 2],
      ],
      "ordinal",
    ),
  ).toBe(1);
  expect(krippendorffAlpha([[3, 3], [3]], "ordinal")).toBeUndefined();
  expect(krippendorffAlpha([[1], [2], [3]], "nominal")).toBeUndefined();
});

test("systematic disagreement is below 0", () => {
  expect(
    krippendorffAlpha(
      [
        [1, 5],
        [5, 1],
        [1, 5],
      ],
      "ordinal",
    ),
  ).toBeLessThan(0);
});

// By hand: item 1: (1 + 1 + ½) / 3 = 0.8333, item 2: 0, item 3: 1 → mean 0.6111; 3 wins, 1 tie, 1 loss.
test("a win rate averages within items first", () => {
  const rate = winRate(
    new Map([
      [1, [1, 1, 0.5]],
      [2, [0]],
      [3, [1]],
    ]),
  );
  expect(rate).toMatchObject({ wins: 3, ties: 1, losses: 1, items: 3 });
  expect(rate.rate).toBeCloseTo(0.6111, 4);
  expect(winRate(new Map([[1, [1]]])).interval.low).toBeCloseTo(0.2065, 4); // Wilson, 1 of 1
  expect(rate.interval.low).toBeLessThan(rate.rate);
  expect(rate.interval.high).toBeGreaterThan(rate.rate);
});

import { expect, test } from "vitest";
import {
  bootstrapInterval,
  holm,
  mcnemar,
  meanAndDeviation,
  normalQuantile,
  pairedBootstrap,
  wilsonInterval,
} from "./index.ts";

// scipy.stats.norm.ppf([0.975, 0.995, 0.01]) -> 1.959963984540054, 2.5758293035489004, -2.3263478740408408
test("normal quantiles", () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8);
  expect(normalQuantile(0.995)).toBeCloseTo(2.5758293035489004, 8);
  expect(normalQuantile(0.01)).toBeCloseTo(-2.3263478740408408, 8);
});

// statsmodels.stats.proportion.proportion_confint(c, n, method="wilson"): (15, 50) -> 0.19103, 0.43750; (0, 10) -> 0, 0.27754
test("Wilson's interval, also at the ends", () => {
  expect(wilsonInterval(15, 50).low).toBeCloseTo(0.19103, 4);
  expect(wilsonInterval(15, 50).high).toBeCloseTo(0.4375, 4);
  expect(wilsonInterval(0, 10)).toMatchObject({ low: 0 });
  expect(wilsonInterval(0, 10).high).toBeCloseTo(0.27754, 4);
  expect(wilsonInterval(10, 10).high).toBe(1);
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
});

// By hand: b = 1, c = 8: P(X ≤ 1), X ~ B(9, ½) = (1 + 9)/512; exact 2·10/512; mid-p 20/512 − 9/512
test("McNemar, exact and mid-p", () => {
  expect(mcnemar(1, 8).exact).toBeCloseTo(20 / 512, 12);
  expect(mcnemar(8, 1).midP).toBeCloseTo(11 / 512, 12);
  expect(mcnemar(4, 4)).toEqual({ exact: 1, midP: 1 });
  expect(mcnemar(0, 0)).toEqual({ exact: 1, midP: 1 });
  // Large counts neither overflow nor vanish early: z = 100/sqrt(2100) -> two-sided about 0.029.
  expect(mcnemar(1000, 1100).exact).toBeGreaterThan(0.02);
  expect(mcnemar(1000, 1100).exact).toBeLessThan(0.04);
});

// statsmodels multipletests([0.01, 0.04, 0.03, 0.005], method="holm") -> 0.03, 0.06, 0.06, 0.02
test("Holm's correction keeps order and monotony", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[i]).toBeCloseTo(p, 12);
  expect(holm([])).toEqual([]);
});

test("bootstrap: seeded, around the mean, as wide as the normal theory says", () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const interval = bootstrapInterval(values);
  expect(interval).toEqual(bootstrapInterval(values));
  // 0.25 ± 1.96 · sqrt(0.25 · 0.75 / 400) = 0.25 ± 0.0424
  expect(interval.low).toBeCloseTo(0.2076, 1.9);
  expect(interval.high).toBeCloseTo(0.2924, 1.9);
  const shifted = pairedBootstrap(
    values,
    values.map((v) => v + 0.1),
  );
  expect(shifted.difference).toBeCloseTo(0.1, 12);
  expect(shifted.high - shifted.low).toBeLessThan(1e-9);
});

test("mean and sample deviation over seeds", () => {
  // (0.4, 0.5, 0.6): mean 0.5, sd sqrt(0.02 / 2) = 0.1
  const { mean, deviation } = meanAndDeviation([0.4, 0.5, 0.6]);
  expect([mean, deviation]).toEqual([expect.closeTo(0.5, 12), expect.closeTo(0.1, 12)]);
  expect(meanAndDeviation([0.7]).deviation).toBe(0);
});

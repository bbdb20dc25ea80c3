/** Two models on the same items: is the difference more than chance? McNemar's test, the paired bootstrap, Holm's correction. */
import { RandomState } from "../../core/index.ts";
import type { BootstrapOptions, Interval } from "./intervals.ts";

export interface PairedCounts {
  /** Items only the first model got right. */
  onlyFirst: number;
  onlySecond: number;
  both: number;
  neither: number;
}

export function pairedCounts(first: readonly boolean[], second: readonly boolean[]): PairedCounts {
  const counts = { onlyFirst: 0, onlySecond: 0, both: 0, neither: 0 };
  for (const [i, right] of first.entries())
    counts[right ? (second[i] ? "both" : "onlyFirst") : second[i] ? "onlySecond" : "neither"]++;
  return counts;
}

/**
 * McNemar's test on the discordant pairs, by the binomial distribution itself:
 *   exact  p = min(1, 2 · P(X ≤ k)),       X ~ Binomial(b + c, ½), k = min(b, c)
 *   mid-p  p = 2 · P(X ≤ k) − P(X = k)     less conservative (1 where b = c)
 * @see Fagerland, Lydersen & Laake 2013, BMC Med Res Methodol 13:91
 */
export function mcnemar(onlyFirst: number, onlySecond: number): { exact: number; midP: number } {
  const n = onlyFirst + onlySecond;
  if (n === 0) return { exact: 1, midP: 1 };
  const k = Math.min(onlyFirst, onlySecond);
  // log C(n, i) − n log 2, summed up from i = 0: no overflow at any n.
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i);
    tail += Math.exp(logTerm);
  }
  return {
    exact: Math.min(1, 2 * tail),
    midP: onlyFirst === onlySecond ? 1 : Math.min(1, 2 * tail - Math.exp(logTerm)),
  };
}

/** Percentile interval of mean(second − first) over resampled items; each item keeps its pair. */
export function pairedBootstrap(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  options: BootstrapOptions = {},
): Interval & { difference: number } {
  const { resamples = 2000, confidence = 0.95, seed = 1234 } = options;
  const n = first.length;
  const gaps = Float64Array.from({ length: n }, (_, i) => second[i]! - first[i]!);
  const random = new RandomState(seed);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += gaps[Math.floor(random.random() * n)]!;
    means[r] = sum / n;
  }
  means.sort();
  const at = (q: number) => means[Math.round(q * (resamples - 1))]!;
  return {
    difference: gaps.reduce((sum, gap) => sum + gap, 0) / n,
    low: at((1 - confidence) / 2),
    high: at(1 - (1 - confidence) / 2),
  };
}

/**
 * Holm's step-down correction: p-values that hold together at one family-wise error rate.
 *   p̃(i) = max over j ≤ i of min(1, (m − j + 1) · p(j)),  p sorted upwards
 * @see Holm 1979, Scand J Statist 6:65
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  for (const [rank, { p, index }] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * p));
    adjusted[index] = highest;
  }
  return adjusted;
}

/** How sure a share is: Wilson's interval, the bootstrap, and the spread over seeds. */
import { RandomState } from "../../core/index.ts";

export interface Interval {
  low: number;
  high: number;
}

/** Φ⁻¹ by Acklam's rational approximation, relative error below 1.2e-9. */
export function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const horner = (coefficients: number[], x: number) => coefficients.reduce((sum, k) => sum * x + k, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return horner(c, q) / (horner(d, q) * q + 1);
  }
  if (p > 1 - 0.02425) return -normalQuantile(1 - p);
  const q = p - 0.5;
  return (horner(a, q * q) * q) / (horner(b, q * q) * q * q + 1);
}

/**
 * Wilson's score interval of a proportion, good at any n and near 0 and 1:
 *   (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n)
 * @see Wilson 1927, JASA 22:209
 */
export function wilsonInterval(correct: number, total: number, confidence = 0.95): Interval {
  if (total === 0) return { low: 0, high: 1 };
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const p = correct / total;
  const centre = p + (z * z) / (2 * total);
  const half = z * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  // With no or all items right the formula's end is 0 or 1 exactly; rounding must not step outside.
  return {
    low: correct === 0 ? 0 : Math.max(0, (centre - half) / scale),
    high: correct === total ? 1 : Math.min(1, (centre + half) / scale),
  };
}

export interface BootstrapOptions {
  resamples?: number;
  confidence?: number;
  seed?: number;
}

/**
 * Percentile bootstrap of the mean: items resampled with replacement, seeded.
 * @param values - One number per item. Shape [N].
 */
export function bootstrapInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  const { resamples = 2000, confidence = 0.95, seed = 1234 } = options;
  const n = values.length;
  if (n === 0) return { low: 0, high: 0 };
  const random = new RandomState(seed);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor(random.random() * n)]!;
    means[r] = sum / n;
  }
  means.sort();
  const at = (q: number) => means[Math.min(resamples - 1, Math.max(0, Math.round(q * (resamples - 1))))]!;
  return { low: at((1 - confidence) / 2), high: at(1 - (1 - confidence) / 2) };
}

/** Mean and sample standard deviation (n − 1), as papers print "mean ± sd of 3 seeds". One value has sd 0. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}

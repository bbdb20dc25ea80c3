/** Gradient checks by central differences in float64, and seeded inputs for them. */
import { counterRandom } from "../../src/core/index.ts";

/** Uniform numbers in [-1, 1), the same for the same seed. */
export function randomArray(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => counterRandom(seed, i) / 2 ** 31 - 1);
}

/**
 * dLoss/dx by central differences: (f(x+h) − f(x−h)) / 2h.
 * The error is h²/6·f''' from the step plus ε·|f|/h from rounding; with h = 1e-5 and |f| ~ 1 both are near 1e-11.
 */
export function centralDifferences(loss: (x: Float64Array) => number, x: Float64Array, h = 1e-5): Float64Array {
  const at = Float64Array.from(x);
  return Float64Array.from(x, (value, i) => {
    at[i] = value + h;
    const above = loss(at);
    at[i] = value - h;
    const below = loss(at);
    at[i] = value;
    return (above - below) / (2 * h);
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Largest |a − b|, over the largest |b|: one figure for a whole tensor. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    if (!(Math.abs(a[i]! - b[i]!) <= difference)) difference = Math.abs(a[i]! - b[i]!);
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return scale === 0 ? difference : difference / scale;
}

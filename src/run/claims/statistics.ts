/**
 * One effect and its interval from paired measurements: a two-level bootstrap over questions (or documents) and training seeds.
 *
 * Every side is measured on the same items, so an item is drawn for all sides at once; a seed is drawn for all sides at once too, as
 * "continued@2" comes from "base@2". A side that was trained once stands against every seed of the others.
 */
import { RandomState } from "../../core/index.ts";

/** One row a training seed, one number an item. */
export type Measured = readonly Float64Array[];

export interface Effect {
  effect: number;
  /** Percentile interval, 95%. Null where so many resamples leave the effect undefined that it has no end. */
  low: number | null;
  high: number | null;
  /** The effect under each seed alone. */
  perSeed: number[];
}

/**
 *   effect = f(m₁, m₂, ...),  mₖ = mean over seeds and items of side k
 *
 * @param sides - Same items in the same order; one row each, or as many rows as there are seeds.
 * @param f - From the means of the sides to the effect; NaN where they do not define one.
 */
export function bootstrapEffect(
  sides: readonly Measured[],
  f: (means: number[]) => number,
  options: { resamples?: number; seed?: number } = {},
): Effect {
  const { resamples = 2000, seed = 1234 } = options;
  const items = sides[0]?.[0]?.length ?? 0;
  const seeds = Math.max(...sides.map((side) => side.length));
  const row = (side: Measured, s: number) => side[side.length === 1 ? 0 : s]!;
  const meanOf = (side: Measured, chosen: readonly number[], weights?: Float64Array) => {
    let sum = 0;
    for (const s of side.length === 1 ? [0] : chosen) {
      const values = row(side, s);
      if (weights) for (let i = 0; i < items; i++) sum += weights[i]! * values[i]!;
      else for (let i = 0; i < items; i++) sum += values[i]!;
    }
    return sum / items / (side.length === 1 ? 1 : chosen.length);
  };
  const all = Array.from({ length: seeds }, (_, s) => s);
  const random = new RandomState(seed);
  const effects = new Array<number>(resamples);
  const weights = new Float64Array(items);
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let i = 0; i < items; i++) weights[Math.floor(random.random() * items)]!++;
    const chosen = seeds === 1 ? all : all.map(() => Math.floor(random.random() * seeds));
    effects[r] = f(sides.map((side) => meanOf(side, chosen, weights)));
  }
  // A resample without an effect speaks for none: it counts at the low end.
  const sorted = Float64Array.from(effects, (one) => (Number.isNaN(one) ? Number.NEGATIVE_INFINITY : one)).sort();
  const at = (q: number) => {
    const value = sorted[Math.round(q * (resamples - 1))]!;
    return Number.isFinite(value) ? value : null;
  };
  return {
    effect: f(sides.map((side) => meanOf(side, all))),
    low: at(0.025),
    high: at(0.975),
    perSeed: all.map((s) => f(sides.map((side) => meanOf([row(side, s)], [0])))),
  };
}

/** Whether an effect is there: it reaches the threshold, and its interval excludes none (or, below 0, the margin allowed). */
export function reaches({ effect, low }: Pick<Effect, "effect" | "low">, threshold: number): boolean {
  return effect >= threshold && low !== null && (threshold > 0 ? low > 0 : low >= threshold);
}

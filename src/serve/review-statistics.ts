/** How far reviewers agree, and which model they prefer. */
import { bootstrapInterval, type Interval, wilsonInterval } from "../eval/statistics/index.ts";

export type Scale = "nominal" | "ordinal" | "interval";

/**
 * Krippendorff's alpha for any number of reviewers, with gaps:
 *
 *   α = 1 − D_o / D_e,   D = Σ o(c, k) δ²(c, k) over the coincidences of values within units (D_o) or over all values (D_e)
 *
 *   nominal   δ² = [c ≠ k]
 *   ordinal   δ² = (Σ n_g over g between c and k, the two ends counted half)²
 *   interval  δ² = (c − k)²
 *
 * @param units - For each unit (an answer, a pair) the values that reviewers gave it. Units with fewer than two say nothing.
 * @returns undefined where no unit was judged twice, or all values are the same: there is no variation to agree about.
 * @see Krippendorff 2011, Computing Krippendorff's Alpha-Reliability
 */
export function krippendorffAlpha(units: readonly (readonly number[])[], scale: Scale): number | undefined {
  const pairable = units.filter((values) => values.length > 1);
  const values = [...new Set(pairable.flat())].sort((a, b) => a - b);
  if (values.length < 2) return undefined;
  const place = new Map(values.map((value, index) => [value, index]));
  const size = values.length;
  const coincidences = Array.from({ length: size }, () => new Float64Array(size));
  for (const unit of pairable)
    for (const [i, first] of unit.entries())
      for (const [j, second] of unit.entries())
        if (i !== j) coincidences[place.get(first)!]![place.get(second)!]! += 1 / (unit.length - 1);
  const totals = coincidences.map((row) => row.reduce((sum, count) => sum + count, 0));
  const n = totals.reduce((sum, count) => sum + count, 0);
  const distance = (c: number, k: number): number => {
    if (c === k) return 0;
    if (scale === "nominal") return 1;
    if (scale === "interval") return (values[c]! - values[k]!) ** 2;
    const [low, high] = c < k ? [c, k] : [k, c];
    let between = -(totals[low]! + totals[high]!) / 2;
    for (let g = low; g <= high; g++) between += totals[g]!;
    return between ** 2;
  };
  let observed = 0;
  let expected = 0;
  for (let c = 0; c < size; c++)
    for (let k = 0; k < size; k++) {
      observed += coincidences[c]![k]! * distance(c, k);
      expected += totals[c]! * totals[k]! * distance(c, k);
    }
  return expected === 0 ? undefined : 1 - ((n - 1) * observed) / expected;
}

export interface WinRate {
  wins: number;
  ties: number;
  losses: number;
  /** Wins and half the ties over all judgements, averaged within an item first. */
  rate: number;
  /** Wilson's over items: several reviews of one item are no new items. */
  interval: Interval;
  items: number;
}

/** @param outcomes - For each item, each reviewer's outcome for this model: 1 preferred, ½ the same, 0 the other one. */
export function winRate(outcomes: ReadonlyMap<unknown, readonly number[]>): WinRate {
  const all = [...outcomes.values()].flat();
  const perItem = [...outcomes.values()].filter((values) => values.length > 0).map(mean);
  return {
    wins: all.filter((outcome) => outcome === 1).length,
    ties: all.filter((outcome) => outcome === 0.5).length,
    losses: all.filter((outcome) => outcome === 0).length,
    rate: perItem.length === 0 ? 0.5 : mean(perItem),
    interval: wilsonInterval(
      perItem.reduce((sum, value) => sum + value, 0),
      perItem.length,
    ),
    items: perItem.length,
  };
}

export interface ItemMean {
  mean: number;
  /** Bootstrap over items; absent for a single one, which says nothing of how items vary. */
  interval?: Interval;
  items: number;
}

/** Mean of the items' means. */
export function itemMean(values: ReadonlyMap<unknown, readonly number[]>): ItemMean | undefined {
  const perItem = [...values.values()].filter((list) => list.length > 0).map(mean);
  if (perItem.length === 0) return undefined;
  const interval = perItem.length > 1 ? { interval: bootstrapInterval(perItem) } : {};
  return { mean: mean(perItem), ...interval, items: perItem.length };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

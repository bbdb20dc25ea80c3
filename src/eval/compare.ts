/**
 * Models side by side on the same items: difference with its interval, McNemar's test, Holm's correction over all pairs compared
 * together, and a plain verdict. A difference within noise is called that.
 */
import { DataError } from "../core/index.ts";
import type { ItemRecord } from "./record.ts";
import { holm, mcnemar, pairedBootstrap, pairedCounts } from "./statistics/index.ts";
import { itemAccuracies } from "./summary.ts";

export interface ComparedRun {
  /** As printed: the model's name. */
  name: string;
  records: readonly ItemRecord[];
  /** Scoring rule of this run. */
  rule: string;
}

export interface Comparison {
  first: string;
  second: string;
  items: number;
  /** accuracy(second) − accuracy(first). */
  difference: number;
  /** Paired bootstrap, 95%. */
  interval: { low: number; high: number };
  onlyFirst: number;
  onlySecond: number;
  /** Exact McNemar; with several seeds an item counts as right when most seeds are. */
  pExact: number;
  pMid: number;
  /** Mid-p after Holm's correction over every pair of this call. */
  pCorrected: number;
  verdict: "first better" | "second better" | "within noise";
}

/**
 * Every pair of runs within each group (one solver on one benchmark), or each run against the group's first with
 * `against: "first"`. All pairs of the call are one family for the correction.
 * @throws {DataError} EVAL_DIFFERENT_ITEMS when two runs answered different items: paired tests need the same ones.
 */
export function compareGroups(
  groups: readonly (readonly ComparedRun[])[],
  options: { against?: "all" | "first"; significance?: number } = {},
): Comparison[] {
  const { against = "all", significance = 0.05 } = options;
  const pairs = groups.flatMap((runs) => {
    const scored = runs.map(({ name, records, rule }) => ({
      name,
      accuracies: itemAccuracies(
        records.filter(({ rotation }) => rotation === 0),
        rule,
      ),
    }));
    return scored.flatMap((first, i) =>
      against === "first" && i > 0 ? [] : scored.slice(i + 1).map((second) => ({ first, second })),
    );
  });
  const measured = pairs.map(({ first, second }) => {
    const ids = [...first.accuracies.keys()];
    const missing = ids.find((id) => !second.accuracies.has(id));
    if (missing !== undefined || second.accuracies.size !== ids.length)
      throw new DataError("EVAL_DIFFERENT_ITEMS", {
        message: `"${first.name}" answered ${ids.length} items and "${second.name}" ${second.accuracies.size}${missing === undefined ? "" : `; ${missing} is in the first only`}`,
        remedy: "evaluate both on the same split with the same limit",
      });
    const a = ids.map((id) => first.accuracies.get(id)!);
    const b = ids.map((id) => second.accuracies.get(id)!);
    const counts = pairedCounts(
      a.map((share) => share > 0.5),
      b.map((share) => share > 0.5),
    );
    const { difference, low, high } = pairedBootstrap(a, b);
    const { exact, midP } = mcnemar(counts.onlyFirst, counts.onlySecond);
    return {
      first: first.name,
      second: second.name,
      items: ids.length,
      difference,
      interval: { low, high },
      onlyFirst: counts.onlyFirst,
      onlySecond: counts.onlySecond,
      pExact: exact,
      pMid: midP,
    };
  });
  const corrected = holm(measured.map(({ pMid }) => pMid));
  return measured.map((comparison, i) => ({
    ...comparison,
    pCorrected: corrected[i]!,
    verdict:
      corrected[i]! >= significance ? "within noise" : comparison.difference > 0 ? "second better" : "first better",
  }));
}

/** `compareGroups` of a single group. */
export const compareRuns = (
  runs: readonly ComparedRun[],
  options?: Parameters<typeof compareGroups>[1],
): Comparison[] => compareGroups([runs], options);

/** One line a pair: "continued − base: +4.2 points (1.1 to 7.3), p = 0.012 corrected: second better". */
export function formatComparison({ first, second, difference, interval, pCorrected, verdict }: Comparison): string {
  const points = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(100 * value).toFixed(1)}`;
  const p = pCorrected < 0.001 ? "p < 0.001" : `p = ${pCorrected.toFixed(3)}`;
  return `${second} − ${first}: ${points(difference)} points (${points(interval.low)} to ${points(interval.high)}), ${p} corrected: ${verdict}`;
}

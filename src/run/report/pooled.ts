/** From scores to rows of the accuracy table: training seeds pooled, and each model compared with the first on the same questions. */
import { join } from "node:path";
import { compareRuns, type ItemRecord, readRecords } from "../../eval/index.ts";
import { itemAccuracies } from "../../eval/summary.ts";
import { bootstrapEffect } from "../claims/statistics.ts";
import { withoutSeed } from "../seeds.ts";
import type { Result, Score } from "./data.ts";

/** One row a model, benchmark and solver, in the order of the scores. */
export async function pooledResults(directory: string, scores: readonly Score[]): Promise<Result[]> {
  const tables = groupBy(scores, ({ benchmark, solver }) => `${benchmark} ${solver}`);
  const results: Result[] = [];
  for (const table of tables.values()) {
    const models = [...groupBy(table, ({ model }) => withoutSeed(model))];
    const answers = await Promise.all(
      models.map(([, seeds]) => Promise.all(seeds.map((score) => recordsOf(directory, score)))),
    );
    // Questions of several seeds count as one: right where most seeds are.
    const runs = models.map(([name, seeds], i) => ({ name, records: answers[i]!.flat(), rule: seeds[0]!.rule }));
    const sameItems = new Set(runs.map(({ records }) => new Set(records.map(({ id }) => id)).size)).size === 1;
    const comparisons = sameItems ? compareRuns(runs, { against: "first" }) : [];
    for (const [i, [model, seeds]] of models.entries()) {
      const comparison = comparisons.find(({ second }) => second === model);
      const verdicts = { "second better": "better", "first better": "worse", "within noise": "within noise" } as const;
      const [first] = seeds as [Score, ...Score[]];
      results.push({
        model,
        benchmark: first.benchmark,
        solver: first.solver,
        scores: seeds,
        ...(seeds.length === 1
          ? { accuracy: first.accuracy, low: first.low, high: first.high }
          : overSeeds(answers[i]!, first.rule)),
        ...(comparison
          ? {
              versus: {
                model: comparison.first,
                difference: comparison.difference,
                ...comparison.interval,
                p: comparison.pCorrected,
                verdict: verdicts[comparison.verdict],
              },
            }
          : {}),
      });
    }
  }
  return results;
}

async function recordsOf(directory: string, { file }: Score): Promise<ItemRecord[]> {
  const { records } = await readRecords<ItemRecord>(join(directory, file));
  return records.filter(({ rotation }) => rotation === 0);
}

function overSeeds(records: ItemRecord[][], rule: string) {
  const measured = records.map((one) => Float64Array.from(itemAccuracies(one, rule).values()));
  const { effect, low, high, perSeed } = bootstrapEffect([measured], ([mean]) => mean!);
  const squares = perSeed.reduce((sum, one) => sum + (one - effect) ** 2, 0);
  return { accuracy: effect, low: low!, high: high!, seedDeviation: Math.sqrt(squares / (perSeed.length - 1)) };
}

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

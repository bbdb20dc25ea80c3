/** Few-shot demonstrations as the paper draws them: the training split shuffled with the seed, the first k. */
import { ConfigError } from "../../core/index.ts";
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import { numpyPermutation } from "./numpy-generator.ts";
import type { PromptFormat } from "./prompt.ts";

/** The paper's three seeds. */
export const paperSeeds = [1234, 432, 32];

/**
 * The same k items for every test item. In the harness's format the first k of the split, for MMLU of the item's own subject
 * (its `first_n` sampler).
 * @throws {ConfigError} EVAL_NO_DEMONSTRATIONS when the split is absent or too small.
 */
export function demonstrationsFor(
  benchmark: Benchmark,
  shots: number,
  seed: number,
  options: { format: PromptFormat; chainOfThought: boolean },
): (item: Item) => Item[] {
  if (shots === 0) return () => [];
  const split = benchmark.splits[benchmark.demonstrationSplit];
  const pool = (split?.items ?? []).filter((item) => !options.chainOfThought || item.explanation !== undefined);
  if (pool.length < shots)
    throw new ConfigError("EVAL_NO_DEMONSTRATIONS", {
      message: `${shots} shots need as many ${benchmark.demonstrationSplit} items${options.chainOfThought ? " with explanations" : ""}; "${benchmark.name}" has ${pool.length}`,
      where: `benchmarks.${benchmark.name}`,
      remedy: `name the ${benchmark.demonstrationSplit} file, set demonstrationSplit, or ask with shots: 0`,
    });
  // Only where demonstrations come from the scored split can an item meet its own answer (ids of different splits may agree).
  const sameSplit = benchmark.demonstrationSplit === benchmark.evaluationSplit;
  const spare = sameSplit ? 1 : 0;
  const without = (drawn: Item[], item: Item) =>
    (sameSplit ? drawn.filter(({ id }) => id !== item.id) : drawn).slice(0, shots);
  if (options.format === "lm-eval") {
    const bySubject = benchmark.type === "mmlu" ? groupBySubject(pool) : undefined;
    return (item) => without((bySubject?.get(item.subject) ?? pool).slice(0, shots + spare), item);
  }
  const order = numpyPermutation(seed, pool.length);
  const drawn = [...order.slice(0, shots + spare)].map((index) => pool[index]!);
  return (item) => without(drawn, item);
}

function groupBySubject(items: Item[]): Map<string | undefined, Item[]> {
  const groups = new Map<string | undefined, Item[]>();
  for (const item of items) groups.set(item.subject, [...(groups.get(item.subject) ?? []), item]);
  return groups;
}

/** `corpus.<name>`: sources to document shards, by `buildCorpus`, with the recipe's benchmarks for decontamination. */
import { dirname, join } from "node:path";
import { hashJson, startProgress } from "../../core/index.ts";
import {
  type BenchmarkItem,
  buildCorpus,
  type CorpusConfig,
  type CorpusManifest,
  MANIFEST,
} from "../../corpus/index.ts";
import { loadBenchmark } from "../../eval/benchmarks/load.ts";
import type { Counts } from "../events.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import type { LoadedRecipe } from "../load-recipe.ts";

export function corpusStage(name: string, { recipe, file }: LoadedRecipe): Stage {
  const config = recipe.corpora[name]!;
  const checked = comparedBenchmarks(config, recipe);
  const benchmarkFiles = checked.flatMap((one) => filesOf(recipe.benchmarks[one]!));
  return {
    id: `corpus.${name}`,
    needs: recipe.prepare.length > 0 ? ["prepare"] : [],
    settings: { config, benchmarks: checked.map((one) => recipe.benchmarks[one]) },
    files: [...config.sources.flatMap(pathsOf), ...benchmarkFiles],
    folder: folders.corpus(name),
    products: [join(folders.corpus(name), MANIFEST)],
    async run({ directory, signal }) {
      const benchmarks = await benchmarkItems(config, recipe, dirname(file));
      const manifest = await buildCorpusWithProgress(`corpus.${name}`, config, {
        directory: join(directory, folders.corpus(name)),
        signal,
        benchmarks,
      });
      return { counts: countsOf(manifest), product: productOf(manifest) };
    },
  };
}

/** Names of the recipe's benchmarks that a corpus is compared with. */
function comparedBenchmarks(config: CorpusConfig, { benchmarks }: LoadedRecipe["recipe"]): string[] {
  const named = config.stages.decontaminate?.benchmarks ?? [];
  return named.includes(ALL) ? Object.keys(benchmarks) : named.filter((one) => one in benchmarks);
}

/** In `decontaminate.benchmarks`: every benchmark of the recipe. */
const ALL = "all";

/** Items of the recipe's benchmarks that a corpus is compared with, by the names that it gives them. */
export async function benchmarkItems(
  config: CorpusConfig,
  recipe: LoadedRecipe["recipe"],
  directory: string,
): Promise<Record<string, BenchmarkItem[]>> {
  const benchmarks: Record<string, BenchmarkItem[]> = {};
  for (const benchmark of comparedBenchmarks(config, recipe)) {
    const { items } = await loadBenchmark(recipe.benchmarks[benchmark]!, { name: benchmark, directory });
    benchmarks[benchmark] = items.map(({ id, question }) => ({ benchmark, id, text: question }));
  }
  if (config.stages.decontaminate?.benchmarks.includes(ALL)) benchmarks[ALL] = Object.values(benchmarks).flat();
  return benchmarks;
}

/** `buildCorpus` with one progress line for each of its stages. */
export async function buildCorpusWithProgress(
  label: string,
  config: Parameters<typeof buildCorpus>[0],
  options: Parameters<typeof buildCorpus>[1],
): Promise<CorpusManifest> {
  let shown: { stage: string; progress: ReturnType<typeof startProgress>; done: number } | undefined;
  const manifest = await buildCorpus(config, {
    ...options,
    onProgress({ stage, documents, total }) {
      if (shown?.stage !== stage) {
        shown?.progress.end();
        shown = { stage, progress: startProgress({ label: `${label} ${stage}`, unit: "documents", total }), done: 0 };
      }
      shown.progress.add(documents - shown.done);
      shown.done = documents;
    },
  });
  shown?.progress.end();
  return manifest;
}

/** Records in, documents kept by split, and dropped. */
export function countsOf({ splits, drops, stages }: CorpusManifest): Counts {
  const kept = Object.fromEntries(Object.entries(splits).map(([split, { documents }]) => [split, documents]));
  return { records: stages[0]?.in ?? 0, dropped: drops.total, ...kept };
}

const productOf = ({ shards }: CorpusManifest) =>
  hashJson(shards.map(({ file, split, sha256 }) => [file, split, sha256]));

/** Files and folders that a source is read from. */
const pathsOf = (source: LoadedRecipe["recipe"]["corpora"][string]["sources"][number]): string[] => [
  ...("path" in source ? [source.path] : []),
  ...("papers" in source && source.papers !== undefined ? [source.papers] : []),
];

/** Files and folders that a benchmark is read from. */
export function filesOf(benchmark: object): string[] {
  const { path, train, validation, test, definition, labelled, testIds } = benchmark as Record<
    string,
    string | string[] | undefined
  >;
  return [path, train, validation, test, definition, labelled, testIds].flat().filter((one) => one !== undefined);
}

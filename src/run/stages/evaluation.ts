/** `eval.<model>.<benchmark>`: one model on one benchmark by every solver of the recipe. */
import { dirname, join } from "node:path";
import { type Progress, readJson, startProgress } from "../../core/index.ts";
import type { ContaminationReport } from "../../corpus/index.ts";
import {
  type Benchmark,
  type EvaluateConfig,
  type EvaluateOptions,
  evaluate,
  loadBenchmark,
  type Summary,
  settingsLabel,
  solverLabel,
} from "../../eval/index.ts";
import { evaluateConfigSchema } from "../../eval/settings.ts";
import type { LanguageModel } from "../../providers/language-model.ts";
import { openModel } from "../../providers/open.ts";
import type { Counts } from "../events.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import type { LoadedRecipe } from "../load-recipe.ts";
import { type AskedSolver, type Evaluation, evaluationBlocks, type Recipe, type Training } from "../recipe.ts";
import { filesOf } from "./corpus.ts";
import { modelDirectory } from "./training.ts";

export function evaluationStage(model: string, benchmarkName: string, { recipe, file }: LoadedRecipe): Stage {
  const benchmarkConfig = recipe.benchmarks[benchmarkName]!;
  const asked = evaluationsOf(model, benchmarkName, recipe);
  const folder = folders.evaluation(model, benchmarkName);
  const given = recipe.models[model];
  return {
    id: `eval.${model}.${benchmarkName}`,
    needs: [...(recipe.prepare.length > 0 ? ["prepare"] : []), ...(given ? [] : [`train.${model}`])],
    settings: { benchmark: benchmarkConfig, asked },
    files: [...filesOf(benchmarkConfig), ...(given ? filesOfModel(given) : [])],
    folder,
    products: asked.map((settings) => join(folder, labelOf(settings), "summary.json")),
    async run({ directory, signal }) {
      const benchmark = await loadBenchmark(benchmarkConfig, { name: benchmarkName, directory: dirname(file) });
      const languageModel = await loadModelOf(model, recipe, directory, signal);
      const contaminated = await contaminatedItems(model, benchmarkName, recipe, directory);
      const counts: Counts = { items: benchmark.items.length };
      const product: unknown[] = [];
      try {
        for (const settings of asked) {
          const label = labelOf(settings);
          const summary = await evaluateWithProgress(languageModel, benchmark, {
            ...settings,
            directory: join(directory, folder),
            ...(contaminated ? { contaminated } : {}),
            signal,
          });
          Object.assign(counts, correctCount(label, summary));
          product.push([label, summary.accuracy, summary.benchmark.splitSha256]);
        }
      } finally {
        await languageModel.close();
      }
      return { counts, product };
    },
  };
}

/** A model of the recipe, trained here or given; the caller closes it. */
export async function loadModelOf(
  model: string,
  recipe: Recipe,
  directory: string,
  signal?: AbortSignal,
): Promise<LanguageModel> {
  const { endOfDocument } = recipe.tokenizer ?? {};
  return openModel(recipe.models[model] ?? { path: await modelDirectory(model, recipe, directory) }, {
    name: model,
    ...(endOfDocument === undefined ? {} : { endOfDocument }),
    ...(signal ? { signal } : {}),
  });
}

export const filesOfModel = (given: Recipe["models"][string]): string[] =>
  "path" in given ? [join(given.path, "config.json")] : "gguf" in given ? [given.gguf] : [];

/**
 * Items of a benchmark that the model's training corpora hold, as their builds found them. Undefined where a corpus was not
 * checked against this benchmark: then nothing is known.
 */
async function contaminatedItems(
  model: string,
  benchmark: string,
  recipe: Recipe,
  directory: string,
): Promise<string[] | undefined> {
  const corpora = corporaOf(model, recipe);
  const items = new Set<string>();
  for (const corpus of corpora) {
    const stage = recipe.corpora[corpus]?.stages.decontaminate;
    if (!stage?.benchmarks.includes(benchmark)) return undefined;
    // Documents that gave items away were dropped: what was found is not in the corpus.
    if (stage.action === "drop") continue;
    const { hits } = await readJson<ContaminationReport>(join(directory, folders.corpus(corpus), "contamination.json"));
    for (const hit of hits) if (hit.benchmark === benchmark) items.add(hit.item);
  }
  return corpora.length === 0 ? undefined : [...items];
}

/** Every corpus that a model, or one that it comes from, was trained on. */
function corporaOf(model: string, recipe: Recipe): string[] {
  const training = recipe.train[model];
  if (!training) return [];
  const before = typeof training.from === "string" ? corporaOf(training.from, recipe) : [];
  return [...new Set([...before, ...(training.data ?? []).map(({ corpus }) => corpus)])];
}

/** `evaluate` with a progress line. */
export async function evaluateWithProgress(
  model: LanguageModel,
  benchmark: Benchmark,
  options: EvaluateOptions,
): Promise<Summary> {
  const label = `${model.name} on ${benchmark.name}, ${labelOf(settingsOf(options))}`;
  let progress: Progress | undefined;
  let shown = 0;
  const summary = await evaluate(model, benchmark, {
    ...options,
    onProgress({ done, total, resumed }) {
      if (!progress) {
        progress = startProgress({ label, unit: "items", total, start: resumed });
        shown = resumed;
      }
      progress.add(done - shown);
      shown = done;
    },
  });
  progress?.end();
  return summary;
}

/** The part of the options that is the settings. */
function settingsOf({
  directory: _d,
  cache: _c,
  contaminated: _x,
  signal: _s,
  onProgress: _p,
  ...settings
}: EvaluateOptions): EvaluateConfig {
  return settings;
}

/** The settings of each evaluation of a model on a benchmark: one a solver, those of earlier blocks first. */
export function evaluationsOf(model: string, benchmark: string, recipe: Recipe): EvaluateConfig[] {
  const asked = new Map<string, EvaluateConfig>();
  for (const block of evaluationBlocks(recipe)) {
    if (!block.models.includes(model) || !block.benchmarks.includes(benchmark)) continue;
    for (const solver of block.solvers) {
      const settings = settingsOfBlock(block, solver, model, recipe);
      if (!asked.has(labelOf(settings))) asked.set(labelOf(settings), settings);
    }
  }
  return [...asked.values()];
}

/** How a block asks a model by a solver: as the model was finetuned, where the recipe leaves it open. */
export function settingsOfBlock(block: Evaluation, entry: AskedSolver, model: string, recipe: Recipe): EvaluateConfig {
  const { models: _models, benchmarks: _benchmarks, solvers: _solvers, duringTraining: _during, ...shared } = block;
  const finetune = finetuningOf(model, recipe);
  const own = typeof entry === "string" ? { solver: entry } : withoutUndefined(entry);
  const { chat, system, options, answer, cue, ...asked } = { ...shared, ...own };
  const style =
    options === undefined && answer === undefined && cue === undefined ? finetune : { options, answer, cue };
  const opening = system ?? (chat === "auto" ? finetune?.system : undefined);
  return {
    ...asked,
    chat: chat !== "auto" ? chat : (finetune?.chat ?? "none"),
    ...(opening === undefined ? {} : { system: opening }),
    ...(style?.options === undefined ? {} : { options: style.options }),
    ...(style?.answer === undefined ? {} : { answer: style.answer }),
    ...(style?.cue === undefined ? {} : { cue: style.cue }),
  };
}

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

const parsedSettings = (settings: EvaluateConfig) => evaluateConfigSchema.parse(settings);
export const labelOf = (settings: EvaluateConfig): string => settingsLabel(parsedSettings(settings));
/** The same without the template around the prompt, which differs between the models that a table compares. */
export const solverLabelOf = (settings: EvaluateConfig): string => solverLabel(parsedSettings(settings));

/** How a model, or one that it comes from, was finetuned here: it expects the messages it was finetuned with. */
export function finetuningOf(model: string, recipe: Pick<Recipe, "train">): Training["finetune"] {
  const training = recipe.train[model];
  if (!training) return undefined;
  return training.finetune ?? (typeof training.from === "string" ? finetuningOf(training.from, recipe) : undefined);
}

function correctCount(label: string, { rule, scores }: Summary): Counts {
  const score = rule === null ? undefined : scores[rule];
  return score ? { [`correct by ${label}`]: score.correct } : {};
}

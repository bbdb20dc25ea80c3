/** What a recipe would do: sources, tokens, steps, memory and time, from what is known before any work. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { exists, readJson } from "../core/index.ts";
import { type MemoryPlan, memoryPlan, parseConfig } from "../model/index.ts";
import { readStageRecord } from "./graph.ts";
import { mixtureOf, pretrainingSteps } from "./length.ts";
import type { LoadedRecipe } from "./load-recipe.ts";
import { stagesOf } from "./pipeline.ts";
import type { Recipe, Training } from "./recipe.ts";

export interface SourcePlan {
  type: string;
  path: string;
  /** Undefined where nothing is there yet. */
  files?: number;
  bytes?: number;
}

export interface CorpusPlan {
  name: string;
  sources: SourcePlan[];
  /** Tokens of the training split; measured when the run has them, otherwise about a quarter of the bytes. */
  tokens?: number;
  measured: boolean;
}

export interface TrainingPlan {
  name: string;
  engine: string;
  parameters?: number;
  tokensPerStep: number;
  steps?: number;
  tokens?: number;
  memory?: MemoryPlan;
  /** 6 · parameters · tokens: multiplications and additions of forward and backward pass. */
  flop?: number;
}

export interface RecipePlan {
  name: string;
  directory: string;
  stages: { id: string; state: "finished before" | "to do" | "to resume" }[];
  corpora: CorpusPlan[];
  trainings: TrainingPlan[];
  missing: { key: string; path: string }[];
}

/** UTF-8 bytes of source files to one token: XML and compression roughly cancel out, and a token is about four characters. */
const BYTES_PER_TOKEN = 4;

export async function planRecipe(loaded: LoadedRecipe): Promise<RecipePlan> {
  const { recipe, directory, missing } = loaded;
  const stages: RecipePlan["stages"] = [];
  for (const { id } of stagesOf(loaded)) {
    const state = (await readStageRecord(directory, id))?.state;
    stages.push({ id, state: state === "finished" ? "finished before" : state ? "to resume" : "to do" });
  }
  const corpora: CorpusPlan[] = [];
  for (const [name, { sources }] of Object.entries(recipe.corpora)) {
    const plans: SourcePlan[] = [];
    for (const source of sources) plans.push(await measureSource(source));
    const record = await readStageRecord(directory, `tokens.${name}`);
    const measured = record?.counts?.tokens;
    const bytes = plans.reduce<number | undefined>(
      (sum, one) => (sum === undefined || one.bytes === undefined ? undefined : sum + one.bytes),
      0,
    );
    const tokens = measured ?? (bytes === undefined ? undefined : Math.round(bytes / BYTES_PER_TOKEN));
    corpora.push({
      name,
      sources: plans,
      measured: measured !== undefined,
      ...(tokens === undefined ? {} : { tokens }),
    });
  }
  const trainings: TrainingPlan[] = [];
  for (const [name, training] of Object.entries(recipe.train))
    trainings.push(await planTraining(name, training, recipe, corpora));
  return { name: recipe.name, directory, stages, corpora, trainings, missing };
}

async function planTraining(
  name: string,
  training: Training,
  recipe: Recipe,
  corpora: CorpusPlan[],
): Promise<TrainingPlan> {
  const tokensPerStep = training.sequenceLength * training.globalBatchSize;
  const plan: TrainingPlan = { name, engine: training.engine, tokensPerStep };
  const json = await configJson(training, recipe);
  if (json) {
    plan.memory = memoryPlan(parseConfig(json, `train.${name}.from.config`), {
      precision: training.precision,
      microBatchSize: training.microBatchSize ?? training.globalBatchSize,
      sequenceLength: training.sequenceLength,
      trainable: training.lora ?? "all",
      recompute: training.recompute,
      optimizerStates: training.optimizer.states,
    });
    plan.parameters = plan.memory.parameters;
  }
  const sizes = new Map(corpora.map(({ name: corpus, tokens }) => [corpus, tokens]));
  const known = training.data?.every(({ corpus }) => sizes.get(corpus) !== undefined) ?? false;
  if (training.steps !== undefined) plan.steps = training.steps;
  else if (training.tokens !== undefined) plan.steps = Math.max(1, Math.floor(training.tokens / tokensPerStep));
  else if (known) {
    const mixture = mixtureOf(training, (corpus) => sizes.get(corpus)!);
    const enough = mixture.reduce((sum, { tokens }) => sum + tokens, 0) > tokensPerStep;
    if (enough) plan.steps = pretrainingSteps(name, training, mixture);
  }
  if (plan.steps !== undefined) plan.tokens = plan.steps * tokensPerStep;
  if (plan.parameters !== undefined && plan.tokens !== undefined) plan.flop = 6 * plan.parameters * plan.tokens;
  return plan;
}

/** The config.json that a training starts from, followed through earlier trainings; undefined where the model is not here. */
export async function configJson(training: Training, recipe: Recipe): Promise<Record<string, unknown> | undefined> {
  const { from } = training;
  if (typeof from === "string") {
    const earlier = recipe.train[from];
    const given = recipe.models[from];
    if (earlier) return configJson(earlier, recipe);
    return given && "path" in given ? modelJson(given.path) : undefined;
  }
  if ("path" in from) return modelJson(from.path);
  const { tokenizer } = recipe;
  const vocabulary = tokenizer && "train" in tokenizer ? tokenizer.train.vocabSize : 32_000;
  return { vocab_size: vocabulary, ...from.config };
}

async function modelJson(folder: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, "config.json");
  return (await exists(path)) ? readJson(path) : undefined;
}

async function measureSource(source: Recipe["corpora"][string]["sources"][number]): Promise<SourcePlan> {
  const path = "path" in source ? source.path : source.cache;
  const status = await stat(path).catch(() => undefined);
  if (!status) return { type: source.type, path };
  if (!status.isDirectory()) return { type: source.type, path, files: 1, bytes: status.size };
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    files++;
    bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return { type: source.type, path, files, bytes };
}

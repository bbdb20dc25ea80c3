/**
 * The recipe: one YAML file that names the sources, the tokenizer, the trainings, the benchmarks and what is compared.
 * `recipes/demo.yaml` is the one to read first. This file is its grammar; every key is checked before any work starts.
 */
import { z } from "zod";
import { corpusConfigSchema } from "../corpus/config.ts";
import { benchmarkConfigSchema } from "../eval/benchmarks/load.ts";
import { evaluateConfigSchema } from "../eval/settings.ts";
import { modelConfigSchema } from "../providers/open.ts";
import { torchSettingsSchema } from "../train/engines/torch-settings.ts";
import { dataSchema, scheduleSchema, trainJobSchema } from "../train/job.ts";
import { claimSchema } from "./claims/schema.ts";
import { footprintSchema } from "./footprint.ts";

const count = z.number().int().positive();
const positive = z.number().positive();
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, { error: "names are letters, digits, - and _ (they become folder names)" });
const named = <T extends z.ZodType>(value: T) => z.record(name, value);
/** A training; in a resolved recipe also one of its seeds ("continued@2", see seeds.ts). */
const trainingName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*(@\d+)?$/, {
  error: "names are letters, digits, - and _ (they become folder names)",
});

/** A command that makes sources, run without a shell in the recipe's folder. */
export const prepareSchema = z.strictObject({
  run: z.array(z.union([z.string(), z.number()])).min(1),
});

const tokenizerKeys = {
  /** Tokens added behind the vocabulary: nothing, MEDITRON's (SPEC 1b.2), these and ChatML's, or a list. */
  specialTokens: z.union([z.enum(["none", "meditron", "meditron-chat"]), z.array(z.string())]).default("meditron-chat"),
  /** Ends every document. Default: the tokenizer's own end of text. MEDITRON's is "<EOD>". */
  endOfDocument: z.string().optional(),
};

export const tokenizerSchema = z.union([
  z.strictObject({
    train: z.strictObject({
      /** Bytes, merges and special tokens together. */
      vocabSize: count.min(300),
      corpora: z.array(z.string()).min(1),
    }),
    ...tokenizerKeys,
  }),
  z.strictObject({
    /** A Hugging Face tokenizer.json, or the folder that holds it. */
    path: z.string(),
    ...tokenizerKeys,
  }),
]);

const recipeScheduleSchema = z.strictObject({
  shape: scheduleSchema.shape.shape,
  peakLearningRate: positive,
  minLearningRate: z.number().min(0),
  /** One of the two; default 0 steps. */
  warmupSteps: z.number().int().min(0).optional(),
  warmupFraction: z.number().min(0).max(1).optional(),
  /**
   * The curve reaches its minimum after this many times the run's steps. MEDITRON's end-LR rule is 2: plan two epochs, stop
   * after one, so that the last tokens are still learnt at about half the peak (SPEC 1e).
   */
  decayFactor: z.number().min(1).default(1),
});

/** How finetuning examples are made from a benchmark's training items. */
export const finetuneSchema = z.strictObject({
  benchmark: z.string(),
  split: z.enum(["train", "validation"]).default("train"),
  layout: dataSchema.options[1].shape.layout,
  /** The explanation before the answer; items without one give no example. */
  chainOfThought: z.boolean().default(false),
  /** Leave out items without an explanation also where it is not shown (the paper's 159,669 of MedMCQA's 182,822). */
  explained: z.boolean().default(false),
  /** How the questions are put and the answers written; the finetuned model is evaluated the same way. */
  options: evaluateConfigSchema.shape.options,
  answer: evaluateConfigSchema.shape.answer,
  cue: evaluateConfigSchema.shape.cue,
  /** Roles of the messages: question and answer, or user and assistant. */
  chat: z.enum(["chatml", "chatml-assistant"]).default("chatml"),
  /** System message that opens every example. */
  system: z.string().optional(),
  /** Benchmarks whose scored questions must not be learnt: training items that hold them are left out (SPEC 1f). */
  decontaminate: z.array(z.string()).default([]),
});

/** Settings that go into the TrainJob as they stand. */
const passed = trainJobSchema.pick({
  engine: true,
  optimizer: true,
  precision: true,
  recompute: true,
  lora: true,
  checkpointEverySteps: true,
  keepCheckpoints: true,
  validateEverySteps: true,
  validationBatches: true,
  spikes: true,
  threads: true,
});

export const trainingSchema = z.strictObject({
  /** An earlier training, a model directory, or the fields of a config.json (vocab_size comes from the tokenizer). */
  from: z.union([
    z.string(),
    z.strictObject({ path: z.string() }),
    z.strictObject({ config: z.record(z.string(), z.unknown()) }),
  ]),
  /** Corpora with weights. Without weights each corpus counts by its tokens, so that one epoch sees each token once. */
  data: z
    .array(z.strictObject({ corpus: z.string(), weight: positive.optional() }))
    .min(1)
    .optional(),
  finetune: finetuneSchema.optional(),
  /** Exactly one of the three says how long. Epochs are passes over the first corpus of `data` (or the examples). */
  steps: count.optional(),
  tokens: count.optional(),
  epochs: positive.optional(),
  sequenceLength: count,
  globalBatchSize: count,
  /** Default: the global batch. */
  microBatchSize: count.optional(),
  schedule: recipeScheduleSchema,
  /** Attention and positions restart at each document. MEDITRON packs without (SPEC 1d). */
  maskDocuments: z.boolean().default(false),
  /** Corpora whose validation split is measured during training. Default: all that have one. */
  validation: z.array(z.string()).optional(),
  /** What the model writes, greedily, after these prompts at each checkpoint: `train/<name>/samples.jsonl`, shown in the Studio. */
  samples: z
    .strictObject({ prompts: z.array(z.string().min(1)).min(1).max(16), maxTokens: count.default(40) })
    .optional(),
  seed: z.number().int().min(0).optional(),
  ...passed.shape,
  /** How the torch engine is started and cut over machines. */
  torch: torchSettingsSchema.optional(),
});

/** The settings of an evaluation that the recipe may set for all solvers or for one. */
const askedKeys = {
  ...evaluateConfigSchema.omit({ solver: true, chat: true, options: true }).shape,
  /** "auto": the messages of finetuning for models that were finetuned, the bare prompt for the others. */
  chat: z.enum(["auto", ...evaluateConfigSchema.shape.chat.unwrap().options]).default("auto"),
  /** Default: as the model was finetuned, else shown. */
  options: evaluateConfigSchema.shape.options.unwrap().optional(),
};
const solverName = evaluateConfigSchema.shape.solver.unwrap();

/** Absent means absent: what one solver leaves out, the settings of all decide. */
function withoutDefaults<T extends Record<string, z.ZodType>>(shape: T) {
  const bare = Object.entries(shape).map(([key, type]) => [
    key,
    (type instanceof z.ZodDefault ? (type.unwrap() as z.ZodType) : type).optional(),
  ]);
  return Object.fromEntries(bare) as { [K in keyof T]: z.ZodOptional<T[K] extends z.ZodDefault<infer U> ? U : T[K]> };
}

/** A solver's name, or a name with settings of its own: { solver: option-text-log-likelihood, options: hidden }. */
const askedSolver = z.union([solverName, z.strictObject({ solver: solverName, ...withoutDefaults(askedKeys) })]);

/** Accuracy by tokens seen, as the paper's Table 6: trainings of this recipe, asked at checkpoints along the way. */
export const duringTrainingSchema = z.strictObject({
  models: z.array(z.string()).min(1),
  benchmarks: z.array(z.string()).min(1),
  solver: askedSolver.default("option-log-likelihood"),
  /** A checkpoint after so many steps each time ... */
  everySteps: count.optional(),
  /** ... or so many of them evenly spread, the last step included. Their weights stay in train/<model>/kept. */
  checkpoints: count.min(2).default(6),
  /** Questions of each benchmark, spread over the whole: a curve needs no more. */
  limit: count.default(200),
});

/** Every model on every benchmark by every solver; the rest as `eval/settings.ts` has it. */
export const evaluateSchema = z.strictObject({
  models: z.array(z.string()).min(1),
  benchmarks: z.array(z.string()).min(1),
  solvers: z.array(askedSolver).min(1),
  duringTraining: duringTrainingSchema.optional(),
  ...askedKeys,
});

export const recipeSchema = z.strictObject({
  /** Names the run directory: runs/<name>. */
  name,
  /** What this recipe is for, one line; stands at the head of the report. */
  description: z.string().optional(),
  seed: z.number().int().min(0).max(0xffffffff).default(1234),
  /** Text for `${name}` elsewhere in the file, so that a path is written once. */
  variables: z.record(name, z.string()).default({}),
  prepare: z.array(prepareSchema).default([]),
  corpora: named(corpusConfigSchema).default({}),
  /** Needed by corpora and trainings; a recipe that only evaluates has none. */
  tokenizer: tokenizerSchema.optional(),
  /** Every training once under each of these seeds, as "continued@2" (seeds.ts); one with a seed of its own once for all. */
  seeds: z.array(z.number().int().min(0)).min(1).optional(),
  train: z.record(trainingName, trainingSchema).default({}),
  /** Models that are not trained here, by name: model directories, GGUF files, OpenAI-compatible endpoints. */
  models: named(modelConfigSchema).default({}),
  benchmarks: named(benchmarkConfigSchema).default({}),
  /** One block, or several where models are asked differently. */
  evaluate: z.union([evaluateSchema, z.array(evaluateSchema).min(1)]).optional(),
  /** What the run is expected to show (claims/schema.ts). */
  claims: named(claimSchema).default({}),
  /** What the model cards say beyond the figures. */
  card: z
    .strictObject({
      /** SPDX id of the license under which the models are given away. */
      license: z.string().optional(),
      intendedUse: z.string().optional(),
      limitations: z.string().optional(),
      contact: z.string().optional(),
    })
    .default({}),
  /** For the estimate of energy, emissions and cost (footprint.ts). */
  footprint: footprintSchema.prefault({}),
  report: z.strictObject({ title: z.string().optional() }).default({}),
});

export type Recipe = z.infer<typeof recipeSchema>;
export type Training = z.infer<typeof trainingSchema>;
export type TokenizerSettings = z.infer<typeof tokenizerSchema>;
export type Evaluation = z.infer<typeof evaluateSchema>;
export type AskedSolver = z.infer<typeof askedSolver>;
export type DuringTraining = z.infer<typeof duringTrainingSchema>;

/** The blocks of `evaluate`. */
export const evaluationBlocks = (recipe: Pick<Recipe, "evaluate">): Evaluation[] => [recipe.evaluate ?? []].flat();

/** Every (model, benchmark) that is evaluated, each once, benchmark by benchmark in the order of the recipe. */
export function evaluatedPairs(recipe: Pick<Recipe, "evaluate">): { model: string; benchmark: string }[] {
  const blocks = evaluationBlocks(recipe);
  const benchmarks = new Set(blocks.flatMap((block) => block.benchmarks));
  return [...benchmarks].flatMap((benchmark) => {
    const models = new Set(blocks.flatMap((block) => (block.benchmarks.includes(benchmark) ? block.models : [])));
    return [...models].map((model) => ({ model, benchmark }));
  });
}

/** Every (model, benchmark) whose accuracy is followed during training, with how. */
export function followedPairs(
  recipe: Pick<Recipe, "evaluate">,
): { model: string; benchmark: string; block: Evaluation; how: DuringTraining }[] {
  const pairs = new Map<string, ReturnType<typeof followedPairs>[number]>();
  for (const block of evaluationBlocks(recipe))
    for (const model of block.duringTraining?.models ?? [])
      for (const benchmark of block.duringTraining!.benchmarks)
        if (!pairs.has(`${model} ${benchmark}`))
          pairs.set(`${model} ${benchmark}`, { model, benchmark, block, how: block.duringTraining! });
  return [...pairs.values()];
}

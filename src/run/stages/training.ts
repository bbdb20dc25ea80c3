/** `train.<name>`: makes the TrainJob from the recipe and what earlier stages counted, and gives it to the engine. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError, formatPercent, sha256File, writeFileAtomic, writeJsonAtomic } from "../../core/index.ts";
import { loadBenchmark } from "../../eval/benchmarks/load.ts";
import { findTaught } from "../../eval/contamination.ts";
import { chatMlRoles, chatMlTemplate, finetuningMessages } from "../../eval/prompts/index.ts";
import { type LanguageModel, openModel } from "../../providers/index.ts";
import { loadTokenizer, type Tokenizer } from "../../tokens/index.ts";
import {
  checkpointName,
  defaultMicroBatchSize,
  ExampleSamples,
  finetuningExamples,
  finetuningSteps,
  listCheckpoints,
  loadExamples,
  processesOf,
  progressPrinter,
  type TrainEvent,
  type TrainJob,
  type TrainResult,
  torchSettingsSchema,
  train,
  trainJobSchema,
  writeExamples,
} from "../../train/index.ts";
import type { Counts } from "../events.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import { keep, keepRhythm } from "../kept.ts";
import { mixtureOf, pretrainingSteps, scheduleOf } from "../length.ts";
import type { LoadedRecipe } from "../load-recipe.ts";
import { type DuringTraining, followedPairs, type Recipe, type Training } from "../recipe.ts";
import { CheckpointSampler } from "./checkpoint-samples.ts";
import { filesOf } from "./corpus.ts";
import { countTokens, tokensPrefix } from "./tokens.ts";

export function trainingStage(name: string, loaded: LoadedRecipe): Stage {
  const { recipe } = loaded;
  const training = recipe.train[name]!;
  const earlier = typeof training.from === "string" && training.from in recipe.train ? [`train.${training.from}`] : [];
  const validation = validationCorpora(training, recipe);
  const corpora = [...new Set([...(training.data ?? []).map(({ corpus }) => corpus), ...validation])];
  const benchmark = training.finetune && recipe.benchmarks[training.finetune.benchmark];
  const folder = folders.training(name);
  // Threads, the number of checkpoints and what is written at them change no result.
  const { threads: _threads, keepCheckpoints: _keep, samples, ...settings } = training;
  const followed = followedPairs(recipe).flatMap(({ model, how }) => (model === name ? [how] : []));
  return {
    id: `train.${name}`,
    needs: [
      ...(recipe.prepare.length > 0 ? ["prepare"] : []),
      ...corpora.map((corpus) => `tokens.${corpus}`),
      "tokenizer",
      ...earlier,
    ],
    settings: {
      ...settings,
      seed: training.seed ?? recipe.seed,
      validation,
      benchmark,
      ...(followed.length > 0
        ? { kept: followed.map(({ everySteps, checkpoints }) => everySteps ?? { checkpoints }) }
        : {}),
    },
    files: [...givenModel(training, recipe), ...(benchmark ? filesOf(benchmark) : [])],
    folder,
    products: [join(folder, "checkpoints")],
    async run({ directory, signal, log }) {
      const { job, counts } = await makeJob(name, loaded, validation);
      const keepDue = followed.length > 0 ? keeper(job, followed, join(directory, folders.kept(name))) : undefined;
      await writeJsonAtomic(join(directory, folder, "job.json"), job);
      // One that was written just before the process was killed.
      for (const { step } of await listCheckpoints(job.directory)) keepDue?.(step);
      const sampler =
        samples &&
        new CheckpointSampler(job.directory, samples, (path) => loadModelAt(join(job.directory, path), name, recipe));
      const result = await trainWithProgress(job, signal, (event) => {
        log({ ...event, stage: `train.${name}` });
        if (event.event !== "checkpoint-saved") return;
        keepDue?.(event.step);
        sampler?.add(event.step, event.path);
      });
      await sampler?.done();
      return {
        counts: {
          ...counts,
          parameters: result.parameters,
          steps: result.step,
          tokensPerStep: job.sequenceLength * job.globalBatchSize,
        },
        product: await weightsHash(result.modelDirectory),
      };
    },
  };
}

/** Sets the job's rhythm of checkpoints to that of the curve. @returns what keeps a checkpoint when its step is due. */
function keeper(job: TrainJob, followed: DuringTraining[], folder: string): (step: number) => void {
  const { checkpointEverySteps, keepEverySteps } = keepRhythm(job.steps, job.checkpointEverySteps, followed);
  job.checkpointEverySteps = checkpointEverySteps;
  // The event of a checkpoint comes a moment after it: it must not be gone by then.
  job.keepCheckpoints = Math.max(job.keepCheckpoints, 3);
  return (step) => {
    if (step % keepEverySteps === 0 || step === job.steps)
      keep(join(job.directory, "checkpoints", checkpointName(step)), folder);
  };
}

/** The newest checkpoint of a training, a given model's folder, or undefined for a fresh model. */
export async function modelDirectory(model: string, recipe: Recipe, directory: string): Promise<string> {
  const given = recipe.models[model];
  if (given && "path" in given) return given.path;
  const [newest] = await listCheckpoints(join(directory, folders.training(model)));
  if (newest) return newest.path;
  throw new ConfigError("RUN_NO_MODEL", {
    message: `the training "${model}" has left no checkpoint`,
    where: join(directory, folders.training(model)),
    remedy: "run the recipe again: it trains what is missing",
  });
}

/** A model directory of this run, such as a checkpoint, opened under a name. */
export function loadModelAt(directory: string, name: string, recipe: Recipe): Promise<LanguageModel> {
  const { endOfDocument } = recipe.tokenizer ?? {};
  return openModel({ path: directory }, { name, ...(endOfDocument === undefined ? {} : { endOfDocument }) });
}

/** `train` with its events as lines on stderr: a live line on a terminal, one every ten seconds in a pipe. */
export async function trainWithProgress(
  job: TrainJob,
  signal: AbortSignal,
  onEvent: (event: TrainEvent) => void = () => {},
): Promise<TrainResult> {
  const { isTTY } = process.stderr;
  let shownMs = 0;
  const print = progressPrinter(job, (line, { event }) => {
    if (process.env.MEDITRON_PROGRESS === "off") return;
    const isStep = event === "step-end";
    if (isStep && Date.now() - shownMs < (isTTY ? 200 : 10_000)) return;
    if (isStep) shownMs = Date.now();
    process.stderr.write(isTTY ? `\r\x1b[2K${line}${isStep ? "" : "\n"}` : `${line}\n`);
  });
  return train(job, {
    signal,
    onEvent(event) {
      print(event);
      onEvent(event);
    },
  });
}

function validationCorpora(training: Training, recipe: Recipe): string[] {
  return training.validation ?? (training.data ? Object.keys(recipe.corpora) : []);
}

function givenModel({ from }: Training, recipe: Recipe): string[] {
  const given = typeof from === "string" ? recipe.models[from] : undefined;
  if (typeof from === "string") return given && "path" in given ? [join(given.path, "config.json")] : [];
  return "path" in from ? [join(from.path, "config.json")] : [];
}

async function makeJob(
  name: string,
  loaded: LoadedRecipe,
  validation: string[],
): Promise<{ job: TrainJob; counts: Counts }> {
  const { recipe, directory } = loaded;
  const training = recipe.train[name]!;
  const folder = join(directory, folders.training(name));
  const commonTokenizer = join(directory, folders.tokenizer);
  const { endOfDocument } = recipe.tokenizer ?? {};
  const tokenizer = await loadTokenizer(commonTokenizer, endOfDocument === undefined ? {} : { endOfDocument });
  const tokenizerFolder = training.finetune
    ? await chatTokenizer(training.finetune, tokenizer, join(folder, "tokenizer"))
    : commonTokenizer;
  const { data, steps, counts } = training.finetune
    ? await finetuningData(training, loaded, tokenizer, folder)
    : await pretrainingData(name, training, directory, validation);
  const job = trainJobSchema.parse({
    name,
    directory: folder,
    model: await startingModel(training, recipe, directory, tokenizer, join(folder, "initial")),
    tokenizer: tokenizerFolder,
    data,
    seed: training.seed ?? recipe.seed,
    sequenceLength: training.sequenceLength,
    globalBatchSize: training.globalBatchSize,
    microBatchSize: training.microBatchSize ?? wholeMicroBatch(training),
    steps,
    schedule: scheduleOf(training, steps),
    engine: training.engine,
    optimizer: training.optimizer,
    precision: training.precision,
    recompute: training.recompute,
    lora: training.lora,
    checkpointEverySteps: training.checkpointEverySteps,
    keepCheckpoints: training.keepCheckpoints,
    validateEverySteps: training.validateEverySteps,
    validationBatches: training.validationBatches,
    spikes: training.spikes,
    threads: training.threads,
    torch: training.torch,
    growVocabulary: true,
  } satisfies Record<keyof TrainJob, unknown>);
  return { job, counts };
}

/** The tokenizer with the chat template that is taught, which then stands in every checkpoint. @returns its folder. */
async function chatTokenizer(
  { chat, system }: NonNullable<Training["finetune"]>,
  tokenizer: Tokenizer,
  folder: string,
): Promise<string> {
  await tokenizer.save(folder, { chatTemplate: chatMlTemplate(chatMlRoles[chat], system) });
  return folder;
}

/** Windows computed at once where the recipe leaves it open. */
function wholeMicroBatch(training: Training): number {
  if (training.engine === "embedded") return training.globalBatchSize;
  const settings = torchSettingsSchema.parse(training.torch ?? {});
  return defaultMicroBatchSize(training, settings, processesOf(settings));
}

/** The model to start from; a config of the recipe is written out, with the tokenizer's vocabulary and end token. */
async function startingModel(
  training: Training,
  recipe: Recipe,
  directory: string,
  tokenizer: Tokenizer,
  initial: string,
): Promise<string> {
  const { from } = training;
  if (typeof from === "string") return modelDirectory(from, recipe, directory);
  if ("path" in from) return from.path;
  await writeJsonAtomic(join(initial, "config.json"), {
    architectures: [architectureOf(from.config.model_type)],
    ...from.config,
    vocab_size: tokenizer.vocabSize,
    bos_token_id: null,
    eos_token_id: tokenizer.endOfDocumentId,
    pad_token_id: tokenizer.padId,
  });
  return initial;
}

/** Hugging Face's class for a model_type: the name that loaders look for. */
function architectureOf(family: unknown): string {
  const names: Record<string, string> = { llama: "Llama", mistral: "Mistral", qwen2: "Qwen2", qwen3: "Qwen3" };
  return `${names[String(family)] ?? "Llama"}ForCausalLM`;
}

async function pretrainingData(name: string, training: Training, directory: string, validation: string[]) {
  const sizes = new Map<string, number>();
  for (const { corpus } of training.data ?? []) sizes.set(corpus, await countTokens(directory, corpus, "train"));
  const mixture = mixtureOf(training, (corpus) => sizes.get(corpus)!);
  const sets: { name: string; prefix: string }[] = [];
  for (const corpus of validation)
    if ((await countTokens(directory, corpus, "validation")) > training.sequenceLength)
      sets.push({ name: corpus, prefix: tokensPrefix(directory, corpus, "validation") });
  return {
    data: {
      kind: "pretraining" as const,
      sets: mixture.map(({ corpus, weight }) => ({ prefix: tokensPrefix(directory, corpus, "train"), weight })),
      validation: sets,
      maskDocuments: training.maskDocuments,
    },
    steps: pretrainingSteps(name, training, mixture),
    counts: {},
  };
}

async function finetuningData(training: Training, loaded: LoadedRecipe, tokenizer: Tokenizer, folder: string) {
  const {
    benchmark: benchmarkName,
    split,
    layout,
    chat,
    system,
    decontaminate,
    explained,
    ...asked
  } = training.finetune!;
  const { recipe, file } = loaded;
  const load = (name: string) => loadBenchmark(recipe.benchmarks[name]!, { name, directory: dirname(file) });
  const benchmark = await load(benchmarkName);
  const scored = (await Promise.all(decontaminate.map(load))).flatMap(({ items }) => items);
  const left: { split: string; id: string | undefined; reason: string }[] = [];
  const roles = { ...chatMlRoles[chat], system: "system" };
  const write = async (name: "train" | "validation") => {
    const all = benchmark.splits[name]?.items ?? [];
    const found = findTaught(all, scored);
    for (const { id, overlapFraction } of found)
      left.push({
        split: name,
        id,
        reason: `holds ${formatPercent(overlapFraction)} of its words in scored questions`,
      });
    const taught = new Set(found.map(({ id }) => id));
    const messages = finetuningMessages(
      benchmark,
      all.filter(({ id, explanation }) => !taught.has(id) && (!explained || explanation !== undefined)),
      asked,
    );
    const examples = finetuningExamples(
      messages.map((message) => (system === undefined ? message : { ...message, system })),
      tokenizer,
      {
        sequenceLength: training.sequenceLength,
        roles,
        onDropped: ({ id, answerTokens, room }) =>
          left.push({ split: name, id, reason: `an answer of ${answerTokens} tokens leaves ${room} for the question` }),
      },
    );
    const path = join(folder, `examples-${name}.jsonl`);
    await writeExamples(path, examples);
    return {
      path,
      counts: {
        examples: examples.length,
        ...nonZero({
          contaminated: found.length,
          withoutExplanation: all.length - found.length - messages.length,
          tooLong: messages.length - examples.length,
        }),
      },
    };
  };
  const examples = await write(split);
  if (examples.counts.examples === 0)
    throw new ConfigError("RUN_NO_EXAMPLES", {
      message: `benchmark "${benchmarkName}" has no usable items in its ${split} split`,
      where: `benchmarks.${benchmarkName}.${split}`,
      remedy: asked.chainOfThought
        ? "chain of thought needs items with an explanation"
        : "name a file with training items",
    });
  const held =
    split === "train" && (benchmark.splits.validation?.items.length ?? 0) > 0 ? await write("validation") : undefined;
  await writeFileAtomic(join(folder, "left-out.jsonl"), left.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const { sequenceLength, epochs = 1, globalBatchSize } = training;
  // An epoch is as many windows as its examples fill: their number when each stands alone.
  const windows = async () => {
    const order = { sequenceLength, layout, seed: training.seed ?? recipe.seed, padId: 0 };
    return new ExampleSamples(await loadExamples(examples.path, sequenceLength), order).length;
  };
  return {
    data: {
      kind: "finetuning" as const,
      examples: examples.path,
      validation: held && held.counts.examples > 0 ? [{ name: `${benchmarkName} answers`, examples: held.path }] : [],
      layout,
    },
    steps: training.steps ?? finetuningSteps(await windows(), { epochs, globalBatchSize }),
    counts: examples.counts,
  };
}

const nonZero = (counts: Counts): Counts => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

/** SHA-256 over the weight files of a model directory, by name. */
async function weightsHash(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort())
    hash.update(`${file} ${await sha256File(join(folder, file))}\n`);
  return hash.digest("hex");
}

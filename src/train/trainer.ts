/**
 * The training loop of the embedded engine.
 *
 *   for each step:  gradients of  Σ weight · nats / Σ weight  over the global batch, micro-batch by micro-batch
 *                   → global norm, clip → AdamW at the schedule's rate
 *                   → event; now and then validation and a checkpoint
 *
 * The whole state is weights, moments, step, data position and spike history. A run that was killed and started again repeats
 * the steps since its last checkpoint and ends with the same bits.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError, ConfigError, exists, MeditronError, NumericError, writeJsonAtomic } from "../core/index.ts";
import {
  initializeModel,
  type Llama,
  loadConfig,
  loadModel,
  type MemoryPlan,
  type ModelConfig,
  memoryPlan,
  type SavedTensor,
} from "../model/index.ts";
import { partsOf } from "../model/parameters.ts";
import type { Kernels } from "../native/kernels.ts";
import { loadTokenizer, requireFits, type SampleSource, type Tokenizer } from "../tokens/index.ts";
import { listCheckpoints, loadState, pruneCheckpoints, saveCheckpoint, type TrainerState } from "./checkpoint.ts";
import { modelIdentity, openData, type TrainingData, type ValidationSet } from "./data.ts";
import { type NewEvent, TrainEventLog } from "./events.ts";
import { type JobIdentity, jobIdentity, requireSameJob } from "./identity.ts";
import type { TrainEvent, TrainJob } from "./job.ts";
import { availableMemoryBytes, planParts, requireMemory } from "./memory.ts";
import { AdamW, readTensors } from "./optimizer.ts";
import { learningRate } from "./schedule.ts";
import { nextSamples, type SkippedSamples, SpikeDetector } from "./spikes.ts";

export interface TrainResult {
  step: number;
  /** Of the last step, in nats a token. */
  loss: number;
  /** The last checkpoint: a Hugging Face model directory. */
  modelDirectory: string;
  resumedFromStep: number;
  seconds: number;
  parameters: number;
  /** Bytes planned before the start. */
  memory: MemoryPlan;
  /** Loss of each validation set at its last measurement. */
  validation: Record<string, number>;
}

export interface TrainerOptions {
  kernels: Kernels;
  /** Asked between micro-batches. */
  isCancelled?: () => boolean;
  onEvent?: (event: TrainEvent) => void;
  /** Memory to stay within. Default: what the system has. */
  availableBytes?: number;
}

/** Windows kept ready for this many rollbacks; more of them mean that something else is wrong. */
const MAX_ROLLBACKS = 10;
/** Micro-batches are cut to the last position that has a label with weight, rounded up to this. */
const LENGTH_MULTIPLE = 16;

/** Runs a job to its end on the calling thread. @throws {CancelledError} After a checkpoint of where it stopped. */
export async function runTrainer(job: TrainJob, options: TrainerOptions): Promise<TrainResult> {
  const trainer = await Trainer.open(job, options);
  try {
    return await trainer.run();
  } finally {
    trainer.close();
  }
}

class Trainer {
  readonly #job: TrainJob;
  readonly #options: TrainerOptions;
  readonly #tokenizer: Tokenizer;
  readonly #data: TrainingData;
  readonly #log: TrainEventLog;
  readonly #identity: JobIdentity;
  readonly #plan: MemoryPlan;
  readonly #model: Llama;
  readonly #optimizer: AdamW;
  #spikes: SpikeDetector;
  #step = 0;
  #samples = 0;
  #skipped: SkippedSamples = [];
  #loss = Number.NaN;
  #rollbacks = 0;
  /** Spikes met since the last checkpoint: a rollback cuts the log back to it, these stay. */
  #spikeEvents: NewEvent[] = [];
  readonly #validation: Record<string, number> = {};

  /** Checks everything that can be checked, then builds the model. */
  static async open(job: TrainJob, options: TrainerOptions): Promise<Trainer> {
    checkJob(job);
    const tokenizer = await loadTokenizer(job.tokenizer);
    const modelHash = await modelIdentity(job.model);
    const config = await loadConfig(job.model);
    const grown = job.growVocabulary
      ? { ...config, vocabSize: Math.max(config.vocabSize, tokenizer.vocabSize) }
      : config;
    requireFits(tokenizer, grown.vocabSize, join(job.model, "config.json"));
    const plan = memoryPlan(grown, {
      precision: job.precision,
      microBatchSize: job.microBatchSize,
      sequenceLength: job.sequenceLength,
      trainable: job.lora ?? "all",
      recompute: job.recompute,
      optimizerStates: job.optimizer.states,
    });
    requireMemory(plan, options.availableBytes ?? availableMemoryBytes());

    const reserve = job.spikes.policy === "act" ? MAX_ROLLBACKS * job.spikes.skipSteps : 0;
    const data = await openData(job, (job.steps + reserve) * job.globalBatchSize, tokenizer.padId);
    let log: TrainEventLog | undefined;
    try {
      const identity = jobIdentity(job, { data: data.fingerprint, tokenizer: tokenizer.sha256, model: modelHash });
      const [newest] = await listCheckpoints(job.directory);
      if (newest) requireSameJob((await loadState(newest.path)).identity, identity, job.directory);
      await mkdir(job.directory, { recursive: true });
      log = new TrainEventLog(join(job.directory, "events.jsonl"), options.onEvent);
      const model = await buildModel(job, config, grown, options.kernels);
      return new Trainer(job, options, { tokenizer, data, log, identity, plan, model });
    } catch (error) {
      data.close();
      log?.close();
      throw error;
    }
  }

  private constructor(
    job: TrainJob,
    options: TrainerOptions,
    parts: {
      tokenizer: Tokenizer;
      data: TrainingData;
      log: TrainEventLog;
      identity: JobIdentity;
      plan: MemoryPlan;
      model: Llama;
    },
  ) {
    this.#job = job;
    this.#options = options;
    this.#tokenizer = parts.tokenizer;
    this.#data = parts.data;
    this.#log = parts.log;
    this.#identity = parts.identity;
    this.#plan = parts.plan;
    this.#model = parts.model;
    this.#optimizer = new AdamW(this.#model.trainable, job.optimizer, options.kernels, job.seed);
    this.#spikes = new SpikeDetector(job.spikes.window);
  }

  close(): void {
    this.#data.close();
    this.#log.close();
  }

  async run(): Promise<TrainResult> {
    const job = this.#job;
    const started = performance.now();
    const isResumed = await this.#resume();
    const resumedFromStep = this.#step;
    this.#emit(
      {
        event: "train-start",
        job: job.name,
        parameters: this.#plan.parameters,
        resumedFromStep,
        kernels: this.#options.kernels.description,
        memoryPlanBytes: this.#plan.total,
        memoryPlan: planParts(this.#plan),
      },
      // A restart is no event of the run: the finished log is the one of a run never interrupted.
      !isResumed,
    );
    try {
      // A rollback needs somewhere to go.
      if (job.spikes.policy === "act" && this.#step === 0) await this.#checkpoint();
      let savedStep = this.#step;
      while (this.#step < job.steps) {
        if (this.#options.isCancelled?.()) await this.#cancel(savedStep);
        if (!(await this.#trainStep(() => this.#cancel(savedStep)))) {
          savedStep = this.#step;
          continue;
        }
        const last = this.#step === job.steps;
        if (last || this.#step % job.validateEverySteps === 0) await this.#validate();
        if (last || this.#step % job.checkpointEverySteps === 0) {
          await this.#checkpoint();
          savedStep = this.#step;
        }
        // Timers, messages and file handles get their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      if (error instanceof MeditronError && !(error instanceof CancelledError))
        this.#emit({ event: "train-failed", step: this.#step, code: error.code, message: error.message });
      throw error;
    }
    const seconds = (performance.now() - started) / 1000;
    const [newest] = await listCheckpoints(job.directory);
    this.#finish(seconds);
    return {
      step: this.#step,
      loss: this.#loss,
      modelDirectory: newest!.path,
      resumedFromStep,
      seconds,
      parameters: this.#plan.parameters,
      memory: this.#plan,
      validation: this.#validation,
    };
  }

  /** One optimizer step. @returns false when it was rolled back instead. */
  async #trainStep(cancel: () => Promise<never>): Promise<boolean> {
    const { globalBatchSize, microBatchSize, spikes, schedule } = this.#job;
    const started = performance.now();
    const step = this.#step + 1;
    const windows = nextSamples(this.#samples, globalBatchSize, this.#skipped);
    const batches: Batch[] = [];
    for (let at = 0; at < windows.length; at += microBatchSize)
      batches.push(readBatch(this.#data.train, windows.slice(at, at + microBatchSize), this.#data.maskDocuments));
    const weight = batches.reduce((sum, batch) => sum + batch.weight, 0);
    const samplesAfter = windows.at(-1)! + 1;

    this.#model.zeroGradients();
    let loss = 0;
    let tokens = 0;
    for (const batch of batches) {
      if (batch.weight === 0) continue;
      const result = this.#model.lossAndGradients({ ...batch.micro, scale: 1 / weight });
      loss += result.loss / weight;
      tokens += result.targets;
      // Weights have not changed yet: leaving the step here loses nothing.
      if (this.#options.isCancelled?.()) await cancel();
    }
    const gradNorm = this.#optimizer.gradNorm();
    const zScore = spikes.policy === "off" ? 0 : this.#spikes.score(loss, gradNorm);
    const finite = Number.isFinite(loss) && Number.isFinite(gradNorm);
    if (spikes.policy === "act" && (zScore > spikes.zScore || !finite)) {
      await this.#rollBack(step, samplesAfter, { loss, gradNorm, zScore });
      return false;
    }
    if (!finite) throw this.#notFinite(step, windows, loss, gradNorm);

    const rate = learningRate(schedule, step);
    // A batch without any label to learn from changes nothing, not even by weight decay.
    if (weight > 0) this.#optimizer.step(step, rate, gradNorm);
    this.#spikes.accept(loss, gradNorm);
    this.#step = step;
    this.#samples = samplesAfter;
    this.#loss = loss;
    if (spikes.policy === "warn" && zScore > spikes.zScore)
      this.#emit({ event: "loss-spike", step, loss, gradNorm, zScore, action: "warned" });
    this.#emit({
      event: "step-end",
      step,
      loss,
      gradNorm,
      learningRate: rate,
      samples: samplesAfter,
      tokens,
      tokensPerSecond: tokens / ((performance.now() - started) / 1000),
    });
    return true;
  }

  async #validate(): Promise<void> {
    for (const set of this.#data.validation) {
      const { loss, tokens } = this.#measure(set);
      this.#validation[set.name] = loss;
      this.#emit({
        event: "validation-end",
        step: this.#step,
        name: set.name,
        loss,
        perplexity: Math.exp(loss),
        ...(set.bytesPerToken === undefined ? {} : { bitsPerByte: loss / Math.LN2 / set.bytesPerToken }),
        tokens,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Mean nats over the first `validationBatches` global batches of a set: always the same windows. */
  #measure({ source }: ValidationSet): { loss: number; tokens: number } {
    const { validationBatches, globalBatchSize, microBatchSize } = this.#job;
    const count = Math.min(source.length, validationBatches * globalBatchSize);
    let [nats, weight, tokens] = [0, 0, 0];
    for (let at = 0; at < count; at += microBatchSize) {
      const indices = Array.from({ length: Math.min(microBatchSize, count - at) }, (_, i) => at + i);
      const batch = readBatch(source, indices, this.#data.maskDocuments);
      if (batch.weight === 0) continue;
      const losses = this.#model.losses(batch.micro);
      const weights = batch.micro.weights;
      for (let n = 0; n < batch.micro.tokens.length; n++) {
        const w = weights ? weights[n]! : 1;
        nats += w * losses[n]!;
        weight += w;
        if (w > 0) tokens++;
      }
    }
    return { loss: nats / weight, tokens };
  }

  async #checkpoint(): Promise<void> {
    const started = performance.now();
    this.#log.sync();
    const state: TrainerState = {
      format: "meditron-trainer",
      version: 1,
      step: this.#step,
      samples: this.#samples,
      skipped: this.#skipped,
      spikes: this.#spikes.history,
      loss: Number.isFinite(this.#loss) ? this.#loss : null,
      eventBytes: this.#log.bytes,
      identity: this.#identity,
    };
    const path = await saveCheckpoint(this.#job.directory, state, async (model, trainer) => {
      // Float32, the numbers that training goes on with.
      await this.#model.save(model, { dtype: "f32" });
      await this.#tokenizer.save(model);
      await writeJsonAtomic(join(model, "generation_config.json"), {
        eos_token_id: endIds(this.#job, this.#tokenizer),
        pad_token_id: this.#tokenizer.padId,
      });
      await this.#optimizer.save(trainer);
      if (this.#job.lora) {
        await this.#model.saveAdapter(join(model, "adapter"), { dtype: "f32", baseModel: this.#job.model });
      }
    });
    await pruneCheckpoints(this.#job.directory, this.#job.keepCheckpoints);
    this.#spikeEvents = [];
    this.#emit({
      event: "checkpoint-saved",
      step: this.#step,
      path: path.slice(this.#job.directory.length).replace(/^\/+/, ""),
      seconds: (performance.now() - started) / 1000,
    });
  }

  /** Takes up the newest checkpoint. @returns whether there is one. */
  async #resume(): Promise<boolean> {
    const [newest] = await listCheckpoints(this.#job.directory);
    if (!newest) {
      this.#log.truncate(0);
      return false;
    }
    await this.#restore(newest.path);
    return true;
  }

  async #restore(path: string): Promise<void> {
    const state = await loadState(path);
    const trainer = join(path, "trainer");
    await this.#optimizer.load(trainer);
    const [directory, file] = this.#job.lora ? [join(path, "adapter"), "adapter_model.safetensors"] : [path, undefined];
    await readTensors(directory, file ?? "model.safetensors", trainedTensors(this.#model));
    this.#step = state.step;
    this.#samples = state.samples;
    this.#skipped = state.skipped;
    this.#spikes = new SpikeDetector(this.#job.spikes.window, state.spikes);
    this.#loss = state.loss ?? Number.NaN;
    const dropped = this.#log.truncate(state.eventBytes);
    // The checkpoint's own event comes behind it; a stop on request leaves one that the run would not have had.
    const own = dropped[0];
    if (own && this.#isRegular(state.step) && own.includes('"checkpoint-saved"'))
      this.#emit({ ...(JSON.parse(own) as Extract<TrainEvent, { event: "checkpoint-saved" }>) });
    else if (this.#isRegular(state.step))
      this.#emit({
        event: "checkpoint-saved",
        step: state.step,
        path: path.slice(this.#job.directory.length + 1),
        seconds: 0,
      });
  }

  #isRegular(step: number): boolean {
    return step % this.#job.checkpointEverySteps === 0 || step === this.#job.steps;
  }

  async #rollBack(
    step: number,
    samples: number,
    at: { loss: number; gradNorm: number; zScore: number },
  ): Promise<void> {
    const { skipSteps } = this.#job.spikes;
    if (++this.#rollbacks > MAX_ROLLBACKS)
      throw new NumericError("TRAIN_UNSTABLE", {
        message: `${MAX_ROLLBACKS} rollbacks did not bring the loss back to where it was`,
        where: `step ${step}`,
        remedy: "lower the learning rate or the gradient clip, or look at the data around this step",
      });
    const before = this.#skipped;
    const [newest] = await listCheckpoints(this.#job.directory);
    await this.#restore(newest!.path);
    // What the checkpoint has learnt already cannot be skipped any more.
    const from = Math.max(this.#samples, samples - skipSteps * this.#job.globalBatchSize);
    const skipped: SkippedSamples = [...before, [from, samples]];
    const events: NewEvent[] = [
      ...this.#spikeEvents,
      {
        event: "loss-spike",
        step,
        loss: printable(at.loss),
        gradNorm: printable(at.gradNorm),
        zScore: printable(at.zScore),
        action: "rolled-back",
        skippedSamples: [from, samples],
      },
    ];
    this.#skipped = skipped;
    for (const event of events) this.#emit(event);
    this.#spikeEvents = events;
  }

  async #cancel(savedStep: number): Promise<never> {
    if (this.#step > savedStep) await this.#checkpoint();
    this.#emit({ event: "train-cancelled", step: this.#step });
    throw new CancelledError(
      `training stopped at step ${this.#step} of ${this.#job.steps}`,
      "run the same command again: it goes on from there",
    );
  }

  #finish(seconds: number): void {
    this.#emit({ event: "train-end", step: this.#step, loss: this.#loss, seconds });
    this.#log.sync();
  }

  #notFinite(step: number, windows: number[], loss: number, gradNorm: number): NumericError {
    return new NumericError("TRAIN_NOT_FINITE", {
      message: `the ${Number.isFinite(loss) ? `gradient norm is ${gradNorm}` : `loss is ${loss}`} at step ${step}, samples ${windows[0]} to ${windows.at(-1)}`,
      where: `step ${step}`,
      remedy:
        "the last checkpoint is kept; look at these samples, lower the learning rate, or set spikes.policy: act to skip them",
      fields: { step, samples: [windows[0], windows.at(-1)], loss, gradNorm },
    });
  }

  #emit(event: NewEvent, kept = true): void {
    this.#log.emit(event, kept);
  }
}

/** Settings that contradict each other. */
function checkJob(job: TrainJob): void {
  const problems: string[] = [];
  if (job.globalBatchSize % job.microBatchSize !== 0)
    problems.push(`microBatchSize ${job.microBatchSize} does not divide globalBatchSize ${job.globalBatchSize}`);
  if (job.schedule.minLearningRate > job.schedule.peakLearningRate)
    problems.push(
      `schedule.minLearningRate ${job.schedule.minLearningRate} is above the peak ${job.schedule.peakLearningRate}`,
    );
  if (problems.length > 0)
    throw new ConfigError("TRAIN_BAD_JOB", {
      message: problems.join("; "),
      where: job.name,
      remedy: "correct the settings",
    });
}

/** Ids that end a generated answer. */
function endIds(job: TrainJob, tokenizer: Tokenizer): number[] {
  const endOfMessage = job.data.kind === "finetuning" ? tokenizer.idOf("<|im_end|>") : undefined;
  return endOfMessage === undefined ? [tokenizer.endOfDocumentId] : [endOfMessage, tokenizer.endOfDocumentId];
}

async function buildModel(job: TrainJob, config: ModelConfig, grown: ModelConfig, kernels: Kernels): Promise<Llama> {
  const options = {
    kernels,
    precision: job.precision,
    recompute: job.recompute,
    seed: job.seed,
    ...(job.lora && { lora: job.lora }),
  };
  const hasWeights =
    (await exists(join(job.model, "model.safetensors"))) ||
    (await exists(join(job.model, "model.safetensors.index.json")));
  return hasWeights
    ? loadModel(job.model, { ...options, vocabSize: grown.vocabSize })
    : initializeModel({ ...config, vocabSize: grown.vocabSize }, options);
}

/** The tensors that training changes, under the names of the file that keeps them. */
function trainedTensors(model: Llama): SavedTensor[] {
  return model.trainable.flatMap(partsOf);
}

/** JSON has no NaN and no infinity. */
function printable(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
}

interface Batch {
  micro: { batch: number; tokens: Int32Array; targets: Int32Array; weights?: Float32Array; documents?: Int32Array };
  /** Σ weight */
  weight: number;
}

/** Windows side by side, cut to the longest that has something to learn. */
function readBatch(source: SampleSource, indices: readonly number[], maskDocuments: boolean): Batch {
  const full = source.sequenceLength;
  const weights = source.weights && indices.map((index) => source.weights!(index));
  let length = full;
  if (weights) {
    // Attention looks back only, so positions behind the last label that counts change nothing.
    const used = Math.max(1, ...weights.map((row) => row.findLastIndex((weight) => weight > 0) + 1));
    length = Math.min(full, Math.ceil(used / LENGTH_MULTIPLE) * LENGTH_MULTIPLE);
  }
  const rows = indices.length * length;
  const micro: Batch["micro"] = {
    batch: indices.length,
    tokens: new Int32Array(rows),
    targets: new Int32Array(rows),
  };
  for (const [row, index] of indices.entries()) {
    const window = source.sample(index);
    micro.tokens.set(window.subarray(0, length), row * length);
    micro.targets.set(window.subarray(1, length + 1), row * length);
  }
  let weight = rows;
  if (weights) {
    micro.weights = new Float32Array(rows);
    for (const [row, values] of weights.entries()) micro.weights.set(values.subarray(0, length), row * length);
    weight = micro.weights.reduce((sum, value) => sum + value, 0);
  }
  if (maskDocuments && source.documents) {
    micro.documents = new Int32Array(rows);
    for (const [row, index] of indices.entries())
      micro.documents.set(source.documents(index).subarray(0, length), row * length);
  }
  return { micro, weight };
}

/** A model in memory: loading and saving Hugging Face directories, losses, gradients. The equations are in `llama.ts`. */
import { join } from "node:path";
import { ConfigError, DataError, ShapeError, writeJsonAtomic } from "../core/index.ts";
import type { Floats, Kernels, Precision } from "../native/kernels.ts";
import { configJson, loadConfig, type ModelConfig } from "./config.ts";
import { type Architecture, type Packing, recordLogits, recordLoss } from "./llama.ts";
import { loadAdapter, mergedTensors, saveAdapter } from "./lora.ts";
import { numbersFor, PAD_VOCABULARY_TO, padTo } from "./memory-plan.ts";
import type { Batch } from "./ops.ts";
import {
  allocateWeights,
  describeWeights,
  initialize,
  initializeAdapters,
  isAdapter,
  type LoraSettings,
  partsOf,
  type WeightOptions,
  type Weights,
} from "./parameters.ts";
import { rotaryTables } from "./rope.ts";
import { SafetensorsReader, type SaveType, writeSafetensors } from "./safetensors.ts";
import { Tape } from "./tape.ts";
import type { Numbers, Parameter } from "./tensor.ts";
import { growVocabulary, type VocabularyGrowth } from "./vocabulary.ts";

export interface ModelOptions {
  kernels: Kernels;
  precision: Precision;
  /** Whether weights get gradients. With `lora`, only the adapters do. Default true. */
  trainable?: boolean;
  lora?: LoraSettings;
  /** Folder that `saveAdapter` wrote, to go on from (with the same `lora`). Default: fresh adapters that change nothing yet. */
  adapter?: string;
  /** Compute block activations again in the backward pass instead of keeping them. */
  recompute?: boolean;
  /** Grow the vocabulary to this size (new special tokens). */
  vocabSize?: number;
  /** Rows of the vocabulary matrices in memory are a multiple of this; the extra rows never take part. Default 64. */
  padVocabularyTo?: number;
  /** Draws new rows and adapters (and all weights in `initializeModel`). Default 0. */
  seed?: number;
  /** Number types other than the precision's own: float64 for gradient checks on the reference kernels. */
  numbers?: Numbers;
}

/** One micro-batch: `tokens`, `targets`, `weights` are [batch, T] row-major. */
export interface MicroBatch {
  batch: number;
  tokens: Int32Array;
  targets: Int32Array;
  /** Loss weight of each target; rows with 0 cost nothing in the head. Default all 1. */
  weights?: ArrayLike<number>;
  /** Document of each row, when packed documents must not see each other; positions restart with each. */
  documents?: Int32Array;
}

export interface LossResult {
  /** Σ weight · nats */
  loss: number;
  weightSum: number;
  /** Targets with weight > 0. */
  targets: number;
}

/**
 * Loads a Hugging Face model directory.
 * @throws {ConfigError} MODEL_CONFIG, MODEL_NO_WEIGHTS, MODEL_VOCABULARY. @throws {DataError} MODEL_BAD_SAFETENSORS, MODEL_TENSOR.
 */
export async function loadModel(directory: string, options: ModelOptions): Promise<Llama> {
  const config = await loadConfig(directory);
  const model = new Llama(config, options);
  const reader = await SafetensorsReader.open(directory);
  try {
    await readWeights(reader, model, config, directory);
  } finally {
    await reader.close();
  }
  if (options.adapter === undefined) initializeAdapters(model.weights, options.seed ?? 0);
  else await loadAdapter(options.adapter, model.weights);
  model.growth = grow(model, config, options);
  return model;
}

/** A fresh model: N(0, initializer_range²) drawn by (seed, tensor name, index), so it does not depend on layout or order. */
export function initializeModel(config: ModelConfig, options: ModelOptions): Llama {
  const model = new Llama(config, options);
  initialize(model.weights, model.config, options.seed ?? 0);
  initializeAdapters(model.weights, options.seed ?? 0);
  return model;
}

/** Graphs of this many batch shapes are kept; their memory is one shared arena. */
const KEPT_SHAPES = 32;

interface Graph {
  tape: Tape;
  batch: Batch;
  bytes: number;
}

export class Llama implements Architecture {
  readonly config: ModelConfig;
  readonly kernels: Kernels;
  readonly precision: Precision;
  readonly numbers: Numbers;
  readonly weights: Weights;
  readonly lora: LoraSettings | undefined;
  readonly recompute: boolean;
  readonly rotary: { cos: Floats; sin: Floats };
  /** How new vocabulary rows compare with old ones, after loading with a larger `vocabSize`. */
  growth: VocabularyGrowth[] = [];
  #rotaryPositions = 0;
  #graphs = new Map<string, Graph>();
  #arena = new ArrayBuffer(0);

  constructor(config: ModelConfig, options: ModelOptions) {
    const { kernels, precision, lora, trainable = true } = options;
    const vocabSize = options.vocabSize ?? config.vocabSize;
    if (vocabSize < config.vocabSize) {
      throw new ConfigError("MODEL_VOCABULARY", {
        message: `vocabSize ${vocabSize} is smaller than the model's own ${config.vocabSize}`,
        remedy: "use the tokenizer that belongs to the model; a vocabulary can only grow",
      });
    }
    const what: WeightOptions["trainable"] = lora ?? (trainable ? "all" : "none");
    this.config = { ...config, vocabSize };
    this.kernels = kernels;
    this.precision = precision;
    this.lora = lora;
    this.recompute = options.recompute ?? false;
    this.numbers = options.numbers ?? numbersFor(precision, what);
    const paddedVocabSize = padTo(vocabSize, options.padVocabularyTo ?? PAD_VOCABULARY_TO);
    this.weights = describeWeights(this.config, { numbers: this.numbers, trainable: what, paddedVocabSize });
    this.rotary = rotaryTables(config, 0, this.numbers.sums);
    allocateWeights(this.weights, this.numbers, kernels);
  }

  /** Every weight once, in file order; those with `grad` are trained. */
  get parameters(): Parameter[] {
    return this.weights.all;
  }

  get trainable(): Parameter[] {
    return this.weights.all.filter((parameter) => parameter.grad !== undefined);
  }

  zeroGradients(): void {
    for (const { grad } of this.weights.all) if (grad) this.kernels.fill(grad, 0);
  }

  /**
   * Adds the gradient of scale · Σ weight · nats to every trainable parameter's `grad`.
   * Micro-batches add up: with scale = 1 / (weight of the whole step) the sum is the gradient of the step's mean.
   */
  lossAndGradients(micro: MicroBatch & { scale: number }): LossResult {
    const batch = this.#run("train", micro, micro.scale);
    return total(batch);
  }

  /** Nats of each target, 0 where the weight is 0. Shape [batch, T]. The array is reused by the next call. */
  losses(micro: MicroBatch): Floats {
    return this.#run("score", micro, 0).losses;
  }

  /** As `losses`, with the likeliest token of every row (to tell whether a continuation is what the model would say). */
  lossesAndBest(micro: MicroBatch): { losses: Floats; best: Int32Array } {
    const { losses, best } = this.#run("best", micro, 0);
    return { losses, best: best! };
  }

  /** Logits of every row, [batch · T, vocab]: for tests and tools; training and scoring never hold them. */
  logits(micro: Pick<MicroBatch, "batch" | "tokens" | "documents">): Floats {
    const tape = this.#tape(false);
    const packing = packingOf(micro);
    const batch = this.#batch(packing, false);
    const rows = packing.batch * packing.tokens;
    const out = this.#floats(rows * this.config.vocabSize);
    recordLogits(tape, this, batch, packing, out);
    tape.bind(this.#arenaOf(tape.plan()));
    this.#fill(batch, packing, { ...micro, targets: micro.tokens }, 0);
    tape.run();
    return out;
  }

  /** Writes config.json and model*.safetensors, adapters merged in. Tokenizer files are the caller's to copy. */
  async save(directory: string, options: { dtype: SaveType; shardBytes?: number }): Promise<void> {
    const tensors = mergedTensors(this.weights, this.kernels);
    await writeSafetensors(directory, tensors, options);
    const names = { f32: "float32", bf16: "bfloat16", f16: "float16" } as const;
    await writeJsonAtomic(join(directory, "config.json"), configJson(this.config, names[options.dtype]));
  }

  /** Writes the adapters alone, as PEFT reads them. */
  async saveAdapter(directory: string, options: { dtype: SaveType; baseModel?: string }): Promise<void> {
    if (!this.lora) throw new ConfigError("MODEL_NO_ADAPTER", { message: "the model was loaded without lora" });
    await saveAdapter(directory, this.weights, this.lora, options);
  }

  /** Makes rotary tables for positions below `count`. */
  ensurePositions(count: number): void {
    if (count <= this.#rotaryPositions) return;
    this.#rotaryPositions = padTo(count, 256);
    Object.assign(this.rotary, rotaryTables(this.config, this.#rotaryPositions, this.numbers.sums));
  }

  #run(mode: "train" | "score" | "best", micro: MicroBatch, scale: number): Batch {
    const packing = packingOf(micro);
    const key = `${mode} ${packing.batch}x${packing.tokens}`;
    const graph = this.#graphs.get(key) ?? this.#record(mode, packing);
    // Most recently used last, so the first is the one to forget.
    this.#graphs.delete(key);
    this.#graphs.set(key, graph);
    if (this.#graphs.size > KEPT_SHAPES) this.#graphs.delete(this.#graphs.keys().next().value!);
    this.#fill(graph.batch, packing, micro, scale);
    graph.tape.bind(this.#arenaOf(graph.bytes));
    graph.tape.run();
    return graph.batch;
  }

  #record(mode: "train" | "score" | "best", packing: Packing): Graph {
    const tape = this.#tape(mode === "train");
    const batch = this.#batch(packing, mode === "best");
    recordLoss(tape, this, batch, packing);
    return { tape, batch, bytes: tape.plan() };
  }

  #tape(gradients: boolean): Tape {
    return new Tape(this.kernels, { numbers: this.numbers, precision: this.precision, gradients });
  }

  #batch({ batch, tokens }: Packing, best: boolean): Batch {
    const rows = batch * tokens;
    return {
      tokens: new Int32Array(rows),
      targets: new Int32Array(rows),
      weights: this.#floats(rows),
      positions: new Int32Array(rows),
      documents: undefined,
      scale: 0,
      losses: this.#floats(rows),
      best: best ? new Int32Array(rows) : undefined,
    };
  }

  #fill(batch: Batch, packing: Packing, micro: MicroBatch, scale: number): void {
    const rows = packing.batch * packing.tokens;
    for (const [name, values] of [
      ["targets", micro.targets],
      ["weights", micro.weights],
      ["documents", micro.documents],
    ] as const) {
      if (values && values.length !== rows) {
        throw new ShapeError("MODEL_BATCH_SHAPE", {
          message: `${name} has ${values.length} entries; tokens has ${rows}`,
        });
      }
    }
    this.#checkIds("token", micro.tokens);
    this.#checkIds("target", micro.targets);
    this.ensurePositions(packing.tokens);
    batch.tokens.set(micro.tokens);
    batch.targets.set(micro.targets);
    if (micro.weights) batch.weights.set(micro.weights);
    else batch.weights.fill(1);
    batch.documents = micro.documents;
    batch.scale = scale;
    setPositions(batch.positions, packing.tokens, micro.documents);
  }

  #checkIds(what: string, ids: Int32Array): void {
    const { vocabSize } = this.config;
    const wrong = ids.findIndex((id) => id < 0 || id >= vocabSize);
    if (wrong === -1) return;
    throw new DataError("MODEL_TOKEN_ID", {
      message: `${what} id ${ids[wrong]} at row ${wrong} is outside the model's vocabulary of ${vocabSize}`,
      remedy: "use the tokenizer that the model was trained with, or grow the model's vocabulary to the tokenizer's",
    });
  }

  #floats(length: number): Floats {
    return this.numbers.sums === "f64" ? new Float64Array(length) : new Float32Array(length);
  }

  #arenaOf(bytes: number): ArrayBuffer {
    if (this.#arena.byteLength < bytes) {
      // Let the old arena go before asking for a larger one.
      this.#arena = new ArrayBuffer(0);
      this.#arena = this.kernels.allocate(bytes);
    }
    return this.#arena;
  }
}

function packingOf({ batch, tokens }: Pick<MicroBatch, "batch" | "tokens">): Packing {
  if (tokens.length === 0 || tokens.length % batch !== 0) {
    throw new ShapeError("MODEL_BATCH_SHAPE", {
      message: `${tokens.length} tokens do not make ${batch} sequences of equal length`,
    });
  }
  return { batch, tokens: tokens.length / batch };
}

/** 0, 1, 2 … in each sequence, and again from 0 with each document when they are masked. */
function setPositions(positions: Int32Array, tokens: number, documents: Int32Array | undefined): void {
  for (let n = 0, position = 0; n < positions.length; n++, position++) {
    if (n % tokens === 0 || (documents && documents[n] !== documents[n - 1])) position = 0;
    positions[n] = position;
  }
}

function total({ losses, weights }: Batch): LossResult {
  let [loss, weightSum, targets] = [0, 0, 0];
  for (let n = 0; n < losses.length; n++) {
    loss += weights[n]! * losses[n]!;
    weightSum += weights[n]!;
    if (weights[n]! > 0) targets++;
  }
  return { loss, weightSum, targets };
}

/** Buffers that some exporters keep although they are computed, and a head saved beside the embedding it is tied to. */
function isHarmless(name: string, config: ModelConfig): boolean {
  return name.endsWith("rotary_emb.inv_freq") || (config.tiedHead && name === "lm_head.weight");
}

async function readWeights(reader: SafetensorsReader, model: Llama, config: ModelConfig, where: string): Promise<void> {
  const expected = new Set<string>();
  for (const parameter of model.parameters) {
    if (isAdapter(parameter)) continue;
    for (const { name, shape, data } of partsOf(parameter)) {
      expected.add(name);
      // A vocabulary that grows reads the rows that the file has.
      const isTable = parameter === model.weights.embedding || parameter === model.weights.head;
      const inFile = isTable ? [config.vocabSize, ...shape.slice(1)] : shape;
      const found = reader.shape(name);
      if (!found) {
        throw new DataError("MODEL_TENSOR", {
          message: `tensor ${name} [${inFile}] is missing`,
          where,
          remedy: "the weights do not belong to this config.json, or a shard is missing",
        });
      }
      if (found.join() !== inFile.join()) {
        throw new DataError("MODEL_TENSOR", {
          message: `tensor ${name} has shape [${found}]; config.json asks for [${inFile}]`,
          where: reader.file(name),
          remedy: "the weights do not belong to this config.json",
        });
      }
      await reader.read(
        name,
        data.subarray(
          0,
          inFile.reduce((product, n) => product * n, 1),
        ),
      );
    }
  }
  const extra = reader.names.filter((name) => !expected.has(name) && !isHarmless(name, config));
  if (extra.length > 0) {
    throw new DataError("MODEL_TENSOR", {
      message: `config.json has no place for ${extra.length} tensors of the file: ${extra.slice(0, 3).join(", ")}${extra.length > 3 ? " …" : ""}`,
      where: reader.file(extra[0]!),
      remedy: "the weights belong to another architecture, or config.json lacks a field (a bias, an untied head)",
    });
  }
}

function grow(model: Llama, config: ModelConfig, options: ModelOptions): VocabularyGrowth[] {
  const to = model.config.vocabSize;
  return to === config.vocabSize ? [] : growVocabulary(model.weights, config.vocabSize, to, options.seed ?? 0);
}

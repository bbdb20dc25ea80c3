/** Bytes that training or scoring will take, known from the config alone and before anything is allocated. */
import { referenceKernels } from "../native/reference.ts";
import type { ModelConfig } from "./config.ts";
import { type Architecture, recordLoss } from "./llama.ts";
import type { Batch } from "./ops.ts";
import { describeWeights, type LoraSettings, weightBytes } from "./parameters.ts";
import { Tape } from "./tape.ts";
import { bytesOf, type Numbers } from "./tensor.ts";

export interface MemorySettings {
  precision: "f32" | "bf16";
  /** Sequences computed at once, and tokens in each. */
  microBatchSize: number;
  sequenceLength: number;
  trainable?: "all" | "none" | LoraSettings;
  recompute?: boolean;
  /** Precision of AdamW's two moments. */
  optimizerStates?: "f32" | "bf16";
  padVocabularyTo?: number;
}

export interface MemoryPlan {
  weights: number;
  gradients: number;
  optimizer: number;
  activations: number;
  /** Buffers of the kernels themselves: packed panels and a chunk of logits. */
  scratch: number;
  total: number;
  parameters: number;
  trainableParameters: number;
}

/** Packing buffers of the native kernels: one shared panel and one per thread (ENGINE.md's design). */
const PACKING_BYTES = 16 << 20;
/** Rows of logits that the head holds at once. */
const HEAD_CHUNK_ROWS = 512;

export function memoryPlan(config: ModelConfig, settings: MemorySettings): MemoryPlan {
  const { precision, trainable = "all", microBatchSize: batch, sequenceLength: tokens } = settings;
  const numbers = numbersFor(precision, trainable);
  const paddedVocabSize = padTo(config.vocabSize, settings.padVocabularyTo ?? PAD_VOCABULARY_TO);
  const weights = describeWeights(config, { numbers, trainable, paddedVocabSize });
  const bytes = weightBytes(weights, numbers);
  const count = (ofTrainable: boolean) =>
    weights.all.reduce((sum, p) => sum + (!ofTrainable || p.grad ? p.rows * p.channels : 0), 0);
  const optimizer = count(true) * 2 * bytesOf(settings.optimizerStates ?? "f32");
  const model: Architecture = { config, weights, rotary: EMPTY_TABLES, recompute: settings.recompute ?? false };
  const tape = new Tape(referenceKernels(), { numbers, precision, gradients: trainable !== "none" });
  recordLoss(tape, model, EMPTY_BATCH, { batch, tokens });
  const activations = tape.plan();
  const scratch = PACKING_BYTES + Math.min(HEAD_CHUNK_ROWS, batch * tokens) * config.vocabSize * 4;
  return {
    ...bytes,
    optimizer,
    activations,
    scratch,
    total: bytes.weights + bytes.gradients + optimizer + activations + scratch,
    parameters: count(false),
    trainableParameters: count(true),
  };
}

/** Rows of the vocabulary matrices are rounded up to this: whole tiles for the products. */
export const PAD_VOCABULARY_TO = 64;

export function padTo(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/**
 * Master weights, the residual stream and all sums are float32. In "bf16" the tensors between operations are stored in bfloat16, and
 * so are weights that do not train: products would round them anyway, and half the bytes are read.
 */
export function numbersFor(precision: "f32" | "bf16", trainable: "all" | "none" | LoraSettings): Numbers {
  if (precision === "f32") return { weights: "f32", activations: "f32", sums: "f32" };
  return { weights: trainable === "all" ? "f32" : "bf16", activations: "bf16", sums: "f32" };
}

const EMPTY_TABLES = { cos: new Float32Array(0), sin: new Float32Array(0) };
const EMPTY_BATCH: Batch = {
  tokens: new Int32Array(0),
  targets: new Int32Array(0),
  weights: new Float32Array(0),
  positions: new Int32Array(0),
  documents: undefined,
  scale: 1,
  losses: new Float32Array(0),
  best: undefined,
};

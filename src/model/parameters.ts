/**
 * The weights of a model: which matrices there are, where they stand in memory, and how they begin.
 *
 * In memory q,k,v are one matrix [(heads + 2·kvHeads)·headSize, C] and gate,up another [2F, C], so that each is one product; files
 * keep Hugging Face's names and layout. A part is a range of rows, so nothing is ever transposed or copied apart.
 */
import { counterRandom } from "../core/index.ts";
import { toBfloat16 } from "../native/bfloat16.ts";
import type { Kernels, Storage } from "../native/kernels.ts";
import type { ModelConfig } from "./config.ts";
import type { Adapter, Projection } from "./projection.ts";
import { bytesOf, floats, type Numbers, type Parameter, viewOf } from "./tensor.ts";

/** LoRA's settings, as in PEFT: y += α/rank · (x Aᵀ) Bᵀ. */
export interface LoraSettings {
  rank: number;
  alpha: number;
  targets: LoraTarget[];
}
export type LoraTarget = "q_proj" | "k_proj" | "v_proj" | "o_proj" | "gate_proj" | "up_proj" | "down_proj";

export interface Block {
  attentionNorm: Parameter;
  qkv: Projection;
  headNorms: { query: Parameter; key: Parameter } | undefined;
  output: Projection;
  feedForwardNorm: Parameter;
  gateUp: Projection;
  down: Projection;
}

export interface Weights {
  embedding: Parameter;
  blocks: Block[];
  norm: Parameter;
  /** The embedding itself when tied. */
  head: Parameter;
  /** Every parameter once, in file order. */
  all: Parameter[];
}

export interface WeightOptions {
  numbers: Numbers;
  /** "all": every parameter has a gradient. "none": inference. LoRA settings: only the adapters have one. */
  trainable: "all" | "none" | LoraSettings;
  /** Rows of embedding and head in memory; those beyond the vocabulary stay zero and out of the softmax. */
  paddedVocabSize: number;
}

interface Part {
  name: string;
  rows: number;
  shape: number[];
}

/** Describes every parameter, without memory. */
export function describeWeights(config: ModelConfig, options: WeightOptions): Weights {
  const { channels: C, heads, kvHeads, headSize: D, features: F, vocabSize } = config;
  const { numbers, trainable } = options;
  const all: Parameter[] = [];

  const add = (name: string, parts: Part[], channels: number, kind: "matrix" | "vector", rows?: number): Parameter => {
    const parameter: Parameter = {
      name,
      parts,
      rows: rows ?? (kind === "vector" ? 1 : sum(parts.map((part) => part.rows))),
      channels,
      decay: kind === "matrix",
      type: kind === "vector" ? numbers.sums : numbers.weights,
      data: EMPTY,
      grad: trainable === "all" ? EMPTY : undefined,
    };
    all.push(parameter);
    return parameter;
  };
  const table = (name: string) =>
    add(name, [{ name, rows: vocabSize, shape: [vocabSize, C] }], C, "matrix", options.paddedVocabSize);
  const norm = (name: string, channels = C) => add(name, [{ name, rows: 1, shape: [channels] }], channels, "vector");

  /** One matrix from the file's `${prefix}.${target}.weight`, rows in order. */
  const projection = (
    prefix: string,
    outputs: Partial<Record<LoraTarget, number>>,
    inputs: number,
    hasBias: boolean,
  ): Projection => {
    const targets = Object.entries(outputs) as [LoraTarget, number][];
    const fused = targets.length === 1 ? targets[0]![0] : `{${targets.map(([target]) => target).join(",")}}`;
    const total = sum(targets.map(([, rows]) => rows));
    const weightParts = targets.map(([target, rows]) => ({
      name: `${prefix}.${target}.weight`,
      rows,
      shape: [rows, inputs],
    }));
    const weight = add(`${prefix}.${fused}.weight`, weightParts, inputs, "matrix");
    // A bias is one row of `total` numbers; its parts are ranges of it.
    const biasParts = targets.map(([target, rows]) => ({ name: `${prefix}.${target}.bias`, rows: 1, shape: [rows] }));
    const bias = hasBias ? add(`${prefix}.${fused}.bias`, biasParts, total, "vector") : undefined;
    const adapters: Adapter[] = [];
    let column = 0;
    for (const [target, rows] of targets) {
      if (typeof trainable === "object" && trainable.targets.includes(target)) {
        const { rank, alpha } = trainable;
        adapters.push({ ...adapterOf(`${prefix}.${target}`, rank, inputs, rows), column, scale: alpha / rank });
      }
      column += rows;
    }
    return { weight, firstRow: 0, inputs, outputs: total, bias, adapters };
  };
  const adapterOf = (name: string, rank: number, inputs: number, rows: number) => {
    const matrix = (letter: "A" | "B", rows: number, channels: number): Parameter => {
      const full = `base_model.model.${name}.lora_${letter}.weight`;
      const parts = [{ name: full, rows, shape: [rows, channels] }];
      const parameter = {
        name: full,
        parts,
        rows,
        channels,
        decay: true,
        type: numbers.sums,
        data: EMPTY,
        grad: EMPTY,
      };
      all.push(parameter);
      return parameter;
    };
    return { a: matrix("A", rank, inputs), b: matrix("B", rows, rank) };
  };

  const embedding = table("model.embed_tokens.weight");
  const blocks = Array.from({ length: config.layers }, (_, layer): Block => {
    const at = `model.layers.${layer}`;
    const attention = `${at}.self_attn`;
    return {
      attentionNorm: norm(`${at}.input_layernorm.weight`),
      qkv: projection(attention, { q_proj: heads * D, k_proj: kvHeads * D, v_proj: kvHeads * D }, C, config.qkvBias),
      headNorms: config.headNorm
        ? { query: norm(`${attention}.q_norm.weight`, D), key: norm(`${attention}.k_norm.weight`, D) }
        : undefined,
      output: projection(attention, { o_proj: C }, heads * D, config.outputBias),
      feedForwardNorm: norm(`${at}.post_attention_layernorm.weight`),
      gateUp: projection(`${at}.mlp`, { gate_proj: F, up_proj: F }, C, config.mlpBias),
      down: projection(`${at}.mlp`, { down_proj: C }, F, config.mlpBias),
    };
  });
  const last = norm("model.norm.weight");
  const head = config.tiedHead ? embedding : table("lm_head.weight");
  return { embedding, blocks, norm: last, head, all };
}

const EMPTY = new Float32Array(0);
const ALIGNMENT = 64;

/** Bytes of all weights and of all gradients. */
export function weightBytes(weights: Weights, numbers: Numbers): { weights: number; gradients: number } {
  const bytes = (parameter: Parameter, type: Parameter["type"]) =>
    align(parameter.rows * parameter.channels * bytesOf(type));
  return {
    weights: sum(weights.all.map((parameter) => bytes(parameter, parameter.type))),
    gradients: sum(weights.all.map((parameter) => (parameter.grad ? bytes(parameter, numbers.sums) : 0))),
  };
}

/** Gives every parameter its memory: all weights in one arena, all gradients in another. */
export function allocateWeights(weights: Weights, numbers: Numbers, kernels: Kernels): void {
  const bytes = weightBytes(weights, numbers);
  const weightArena = kernels.allocate(bytes.weights);
  const gradientArena = kernels.allocate(bytes.gradients);
  let [weightAt, gradientAt] = [0, 0];
  for (const parameter of weights.all) {
    const numbersInside = parameter.rows * parameter.channels;
    parameter.data = viewOf(parameter.type, weightArena, weightAt, numbersInside);
    weightAt += align(numbersInside * bytesOf(parameter.type));
    if (!parameter.grad) continue;
    parameter.grad = floats(viewOf(numbers.sums, gradientArena, gradientAt, numbersInside));
    gradientAt += align(numbersInside * bytesOf(numbers.sums));
  }
}

/** The file's tensors of a parameter, each with its range of the memory. */
export function partsOf(parameter: Parameter): { name: string; shape: number[]; data: Storage }[] {
  let at = 0;
  return parameter.parts.map(({ name, shape }) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const data = parameter.data.subarray(at, at + length);
    at += length;
    return { name, shape, data };
  });
}

export function isAdapter(parameter: Parameter): boolean {
  return parameter.name.startsWith("base_model.");
}

/**
 * Matrices ~ N(0, initializer_range²), norms 1, biases 0. Every number is drawn by (seed, the file's tensor name, index), so neither
 * fusing nor order changes it.
 */
export function initialize(weights: Weights, config: ModelConfig, seed: number): void {
  for (const parameter of weights.all) {
    if (isAdapter(parameter)) continue;
    for (const { name, data } of partsOf(parameter)) {
      if (parameter.decay) fillNormal(data, streamOf(name, seed), config.initializerRange);
      else if (!name.endsWith(".bias")) floats(data).fill(1);
    }
  }
}

/** PEFT's start: A ~ U(−1/√inputs, 1/√inputs) (Kaiming with a = √5), B = 0, so the model begins unchanged. */
export function initializeAdapters(weights: Weights, seed: number): void {
  for (const parameter of weights.all) {
    if (!parameter.name.endsWith("lora_A.weight")) continue;
    const bound = 1 / Math.sqrt(parameter.channels);
    const stream = streamOf(parameter.name, seed);
    const { data } = parameter;
    for (let i = 0; i < data.length; i++) data[i] = bound * (counterRandom(stream, i) / 2 ** 31 - 1);
  }
}

/** Normal numbers by Box and Muller's transform: numbers 2i and 2i+1 come from draws 2i and 2i+1 of the stream. */
export function fillNormal(data: Storage, stream: number, deviation: number): void {
  const put = (i: number, value: number) => {
    data[i] = data instanceof Uint16Array ? toBfloat16(value) : value;
  };
  for (let i = 0; i < data.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log((counterRandom(stream, i) + 1) / 2 ** 32));
    const angle = (2 * Math.PI * counterRandom(stream, i + 1)) / 2 ** 32;
    put(i, radius * Math.cos(angle));
    if (i + 1 < data.length) put(i + 1, radius * Math.sin(angle));
  }
}

/** A stream of random numbers of its own for each name. */
export function streamOf(name: string, seed: number): number {
  let hash = counterRandom(seed, 0);
  for (let i = 0; i < name.length; i++) hash = counterRandom(hash, name.charCodeAt(i));
  return hash;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

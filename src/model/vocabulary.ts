/**
 * Growing the vocabulary. New rows of embedding and head start at the mean of the existing rows plus a little seeded noise: the mean
 * gives a new token an average logit, so it neither dominates nor vanishes from the softmax; the noise tells new tokens apart.
 *
 * @see Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models"
 */
import { fromBfloat16, toBfloat16 } from "../native/bfloat16.ts";
import { fillNormal, streamOf, type Weights } from "./parameters.ts";
import type { Parameter } from "./tensor.ts";

/** Noise as a share of the existing rows' own spread around their mean. */
const NOISE_FRACTION = 0.1;

export interface VocabularyGrowth {
  matrix: string;
  oldRows: number;
  newRows: number;
  /** Mean Euclidean length of a row. */
  oldRowNorm: number;
  newRowNorm: number;
}

/** Fills rows `oldVocab .. newVocab` of embedding and head. @returns how long old and new rows are, per matrix. */
export function growVocabulary(weights: Weights, oldVocab: number, newVocab: number, seed: number): VocabularyGrowth[] {
  return [...new Set([weights.embedding, weights.head])].map((table) => growTable(table, oldVocab, newVocab, seed));
}

function growTable(table: Parameter, oldVocab: number, newVocab: number, seed: number): VocabularyGrowth {
  const { channels: C, data } = table;
  const get = (i: number) => (data instanceof Uint16Array ? fromBfloat16(data[i]!) : data[i]!);
  const mean = new Float64Array(C);
  for (let i = 0; i < oldVocab * C; i++) mean[i % C]! += get(i) / oldVocab;
  let spread = 0;
  for (let i = 0; i < oldVocab * C; i++) spread += (get(i) - mean[i % C]!) ** 2 / (oldVocab * C);
  const noise = new Float64Array((newVocab - oldVocab) * C);
  fillNormal(noise, streamOf(`new rows of ${table.name}`, seed), NOISE_FRACTION * Math.sqrt(spread));
  for (let i = 0; i < noise.length; i++) {
    const value = mean[i % C]! + noise[i]!;
    data[oldVocab * C + i] = data instanceof Uint16Array ? toBfloat16(value) : value;
  }
  return {
    matrix: table.name,
    oldRows: oldVocab,
    newRows: newVocab - oldVocab,
    oldRowNorm: meanRowNorm(0, oldVocab, C, get),
    newRowNorm: meanRowNorm(oldVocab, newVocab, C, get),
  };
}

function meanRowNorm(from: number, to: number, C: number, get: (i: number) => number): number {
  let total = 0;
  for (let row = from; row < to; row++) {
    let squares = 0;
    for (let c = 0; c < C; c++) squares += get(row * C + c) ** 2;
    total += Math.sqrt(squares);
  }
  return to > from ? total / (to - from) : 0;
}

/**
 * Mixing several sample sources by weight, Megatron's way: draw k comes from the set that lags its share the most,
 *
 *   argmax_i  w_i · max(k, 1) − drawn_i        (the first of equals)
 *
 * No random numbers: the mixture is exact at every moment. Weights are per window, that is per token.
 *
 * @see Megatron-LM, megatron/core/datasets/helpers.cpp (build_blending_indices)
 */
import { ConfigError, ShapeError } from "../core/index.ts";
import type { SampleSource } from "./types.ts";

/** Reserve of windows a set is built with, so that rounding never runs it dry. */
export const BLEND_SURPLUS_FRACTION = 0.005;

export interface Blend {
  /** Set of each draw. Shape [size]. */
  sets: Int16Array;
  /** Sample number within its set. Shape [size]. */
  samples: Float64Array;
}

/** @param weights - Positive, of any sum. */
export function buildBlend(weights: readonly number[], size: number): Blend {
  const shares = normalizeWeights(weights);
  const drawn = new Float64Array(shares.length);
  const sets = new Int16Array(size);
  const samples = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const draws = Math.max(k, 1);
    let best = 0;
    let lag = shares[0]! * draws - drawn[0]!;
    for (let i = 1; i < shares.length; i++) {
      const own = shares[i]! * draws - drawn[i]!;
      if (own > lag) {
        lag = own;
        best = i;
      }
    }
    sets[k] = best;
    samples[k] = drawn[best]!++;
  }
  return { sets, samples };
}

/** Windows to build of each set for `size` draws. */
export function blendSizes(weights: readonly number[], size: number): number[] {
  return normalizeWeights(weights).map((share) => Math.ceil(Math.ceil(size * share) * (1 + BLEND_SURPLUS_FRACTION)));
}

function normalizeWeights(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (
    weights.length === 0 ||
    weights.length > 32_767 ||
    weights.some((weight) => !(weight > 0)) ||
    !Number.isFinite(sum)
  )
    throw new ConfigError("TOKENS_BAD_WEIGHTS", {
      message: `mixture weights must be positive numbers, got [${weights.join(", ")}]`,
      where: "data.sets",
      remedy: "give each set a weight above 0",
    });
  return weights.map((weight) => weight / sum);
}

/** Several sources as one. */
export class BlendedSamples implements SampleSource {
  readonly length: number;
  readonly sequenceLength: number;
  readonly #sources: readonly SampleSource[];
  readonly #blend: Blend;
  readonly weights?: (index: number) => Float32Array;
  readonly documents?: (index: number) => Int32Array;

  constructor(sources: readonly SampleSource[], weights: readonly number[], size: number) {
    const lengths = new Set(sources.map((source) => source.sequenceLength));
    if (sources.length !== weights.length || lengths.size !== 1)
      throw new ShapeError("TOKENS_BLEND_MISMATCH", {
        message: `${sources.length} sources with ${weights.length} weights and window lengths ${[...lengths].join(", ")}`,
        remedy: "one weight a source, all of one sequence length",
      });
    this.#sources = sources;
    this.#blend = buildBlend(weights, size);
    this.length = size;
    this.sequenceLength = sources[0]!.sequenceLength;
    if (sources.every((source) => source.weights))
      this.weights = (index) => this.#at(index, (source, sample) => source.weights!(sample));
    if (sources.every((source) => source.documents))
      this.documents = (index) => this.#at(index, (source, sample) => source.documents!(sample));
  }

  sample(index: number): Int32Array {
    return this.#at(index, (source, sample) => source.sample(sample));
  }

  /** Set and its own sample number behind a global one. */
  locate(index: number): { set: number; sample: number } {
    return this.#at(index, (_source, sample, set) => ({ set, sample }));
  }

  #at<T>(index: number, read: (source: SampleSource, sample: number, set: number) => T): T {
    const set = this.#blend.sets[index];
    if (set === undefined)
      throw new ConfigError("TOKENS_OUT_OF_RANGE", {
        message: `sample ${index} of ${this.length}`,
        where: "data.sets",
      });
    return read(this.#sources[set]!, this.#blend.samples[index]!, set);
  }
}

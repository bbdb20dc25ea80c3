/** The work of a model: parameters and floating-point operations, in the conventions that people print. */
import type { ModelConfig } from "../../model/index.ts";

export interface ModelWork {
  parameters: number;
  /** Of one block. */
  blockParameters: number;
  /** Rows of embedding or head. */
  tableParameters: number;
  /** Parameters that products read: all but an untied embedding. */
  productParameters: number;
}

export function modelWork(config: ModelConfig): ModelWork {
  const { channels: C, headSize: H, heads, kvHeads, features, layers, vocabSize } = config;
  const qkv = (heads + 2 * kvHeads) * H;
  let block = C * (qkv + heads * H) + 3 * C * features + 2 * C;
  if (config.qkvBias) block += qkv;
  if (config.outputBias) block += C;
  if (config.headNorm) block += 2 * H;
  if (config.mlpBias) block += 2 * features + C;
  const table = vocabSize * C;
  const parameters = layers * block + C + table * (config.tiedHead ? 1 : 2);
  return {
    parameters,
    blockParameters: block,
    tableParameters: table,
    productParameters: parameters - (config.tiedHead ? 0 : table),
  };
}

/**
 * FLOP of one trained token (forward and backward), recomputation not counted.
 *
 *   parameters   6 N                                      the paper's convention
 *   attention    6 (N − embedding) + 12 · L · heads · H · T    torchtitan's: all of the attention square
 *   causal       6 (N − embedding) +  6 · L · heads · H · T    the half that is computed
 */
export function flopPerToken(
  config: ModelConfig,
  sequenceLength: number,
): Record<"parameters" | "attention" | "causal", number> {
  const { parameters, productParameters } = modelWork(config);
  const square = 12 * config.layers * config.heads * config.headSize * sequenceLength;
  return {
    parameters: 6 * parameters,
    attention: 6 * productParameters + square,
    causal: 6 * productParameters + square / 2,
  };
}

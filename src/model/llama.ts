/**
 * The Llama family as its equations (Touvron et al. 2023, arXiv:2302.13971). x is the residual stream [N, C]:
 *
 *   x  = E[token]
 *   x += O · attention(rope(QKV · norm(x)))            for each block
 *   x += D · (silu(G · norm(x)) ∘ (U · norm(x)))
 *   z  = H · norm(x)
 *
 * What differs inside the family (biases, per-head norms, windows, rotary scaling, a tied head) is in the config.
 */
import type { Floats } from "../native/kernels.ts";
import type { ModelConfig } from "./config.ts";
import {
  addGatedLinear,
  addLinear,
  attention,
  type Batch,
  embedding,
  headCrossEntropy,
  headNorm,
  linear,
  logits,
  rmsnorm,
  rope,
} from "./ops.ts";
import type { Block, Weights } from "./parameters.ts";
import { outputColumns } from "./projection.ts";
import type { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

export interface Architecture {
  config: ModelConfig;
  weights: Weights;
  rotary: { cos: Floats; sin: Floats };
  /** Compute block activations again in the backward pass instead of keeping them. */
  recompute: boolean;
}

/** Sequences of one micro-batch: rows = batch · tokens. */
export interface Packing {
  batch: number;
  tokens: number;
}

/** Attention of one layer over packed rows [N, (heads + 2·kvHeads)·headSize]: whole sequences in training, a cache in inference. */
export type Attend = (qkv: Tensor, layer: number) => Tensor;

/** Records the model up to the last norm. Shape [rows, channels]. */
export function hiddenStates(tape: Tape, model: Architecture, batch: Batch, rows: number, attend: Attend): Tensor {
  const { config, weights, recompute } = model;
  let x = embedding(tape, batch, rows, weights.embedding);
  for (const [layer, block] of weights.blocks.entries()) {
    const f = (x: Tensor) => blockOutput(tape, model, block, x, batch, (qkv) => attend(qkv, layer));
    x = recompute ? tape.recompute(x, f) : f(x);
  }
  return rmsnorm(tape, x, weights.norm, config.normEpsilon);
}

function blockOutput(
  tape: Tape,
  model: Architecture,
  block: Block,
  x: Tensor,
  batch: Batch,
  attend: (qkv: Tensor) => Tensor,
): Tensor {
  const { heads, kvHeads, headSize, normEpsilon } = model.config;

  const a = rmsnorm(tape, x, block.attentionNorm, normEpsilon);
  const qkv = queryKeyValue(tape, model.config, block, a);
  const o = attend(rope(tape, qkv, model.rotary, batch, { rotatedHeads: heads + kvHeads, headSize }));
  const y = addLinear(tape, x, o, block.output);

  const b = rmsnorm(tape, y, block.feedForwardNorm, normEpsilon);
  const gateUp = linear(tape, b, block.gateUp);
  return addGatedLinear(tape, y, gateUp, block.down);
}

/** Packed rows [q heads, k heads, v heads]; Qwen3 normalises each q and k head on the way. */
function queryKeyValue(tape: Tape, config: ModelConfig, block: Block, x: Tensor): Tensor {
  if (!block.headNorms) return linear(tape, x, block.qkv);
  const { heads, kvHeads, headSize, normEpsilon: epsilon } = config;
  const qkColumns = (heads + kvHeads) * headSize;
  const qkv = tape.tensor(x.rows, block.qkv.outputs, tape.numbers.activations);
  const qk = linear(tape, x, outputColumns(block.qkv, 0, qkColumns));
  linear(tape, x, outputColumns(block.qkv, qkColumns, block.qkv.outputs), { tensor: qkv, column: qkColumns });
  return headNorm(tape, qkv, qk, block.headNorms, { heads, kvHeads, headSize, epsilon });
}

/** Attention within each sequence of the micro-batch, in the layer's window. */
function withinSequences(tape: Tape, { config }: Architecture, batch: Batch, packing: Packing): Attend {
  const { heads, kvHeads, headSize } = config;
  return (qkv, layer) => {
    const window = config.windows[layer];
    const shape = { ...packing, heads, kvHeads, headSize, ...(window === undefined ? {} : { window }) };
    return attention(tape, qkv, batch, shape);
  };
}

/** Records the loss of every target and, on a tape with gradients, everything's gradient. */
export function recordLoss(tape: Tape, model: Architecture, batch: Batch, packing: Packing): void {
  const attend = withinSequences(tape, model, batch, packing);
  const hidden = hiddenStates(tape, model, batch, packing.batch * packing.tokens, attend);
  headCrossEntropy(tape, hidden, model.weights.head, model.config.vocabSize, batch);
  tape.backward();
}

/** Records the logits of every row into `out`. Shape [batch · tokens, vocab]. */
export function recordLogits(tape: Tape, model: Architecture, batch: Batch, packing: Packing, out: Floats): void {
  const attend = withinSequences(tape, model, batch, packing);
  const hidden = hiddenStates(tape, model, batch, packing.batch * packing.tokens, attend);
  logits(tape, hidden, model.weights.head, model.config.vocabSize, out);
}

/**
 * The differentiable operations, each forward and backward together. What a gradient needs is kept by closing over it; what can
 * be rebuilt cheaply (SwiGLU's product, attention's probabilities) is not kept.
 *
 * Residual additions share one gradient tensor: d(x + f(x)) reaches x unchanged, and f's part is added onto it.
 */
import type { AttentionShape, Floats, NormShape, Rope } from "../native/kernels.ts";
import { isTrainable, type Projection, project, projectBackward } from "./projection.ts";
import type { Tape } from "./tape.ts";
import { floats, type Parameter, type Tensor } from "./tensor.ts";

/** What changes from micro-batch to micro-batch of one shape; operations read it when they run. */
export interface Batch {
  tokens: Int32Array;
  targets: Int32Array;
  weights: Floats;
  /** Row of the rotary table for each token. */
  positions: Int32Array;
  documents: Int32Array | undefined;
  /** Multiplies the gradient of Σ weight · loss. */
  scale: number;
  /** Out: nats of each row, 0 where the weight is 0. */
  losses: Floats;
  /** Out, when asked: the likeliest token of each row. */
  best: Int32Array | undefined;
}

/** x[n] = table[token[n]] */
export function embedding(tape: Tape, batch: Batch, rows: number, table: Parameter): Tensor {
  const { kernels: K } = tape;
  const C = table.channels;
  const x = tape.tensor(rows, C, tape.numbers.sums);
  x.differentiable = table.grad !== undefined;
  tape.record({ writes: [x] }, () => K.embedding(x.data, batch.tokens, table.data, rows, C));
  tape.onBackward(() => {
    if (!table.grad) return;
    const dx = x.gradient!;
    tape.record({ reads: [dx], effect: true }, () => K.embeddingBackward(table.grad!, batch.tokens, dx.data, rows, C));
  });
  return x;
}

/** y = x · w / sqrt(mean x² + ε) */
export function rmsnorm(tape: Tape, x: Tensor, w: Parameter, epsilon: number): Tensor {
  const y = tape.tensor(x.rows, x.channels, tape.numbers.activations);
  y.differentiable = x.differentiable || w.grad !== undefined;
  normInto(tape, { rows: x.rows, channels: x.channels, epsilon }, y, 0, x, 0, w);
  return y;
}

/**
 * Query and key heads normalised each on its own (Qwen3): writes the first heads + kvHeads of `qkv` from `qk`.
 */
export function headNorm(
  tape: Tape,
  qkv: Tensor,
  qk: Tensor,
  norms: { query: Parameter; key: Parameter },
  options: { heads: number; kvHeads: number; headSize: number; epsilon: number },
): Tensor {
  const { heads, kvHeads, headSize, epsilon } = options;
  const strides = { strideX: qk.channels, strideY: qkv.channels };
  const shape = { rows: qk.rows, channels: headSize, epsilon, ...strides };
  qkv.differentiable ||= qk.differentiable || norms.query.grad !== undefined;
  normInto(tape, { ...shape, groups: heads }, qkv, 0, qk, 0, norms.query);
  normInto(tape, { ...shape, groups: kvHeads }, qkv, heads * headSize, qk, heads * headSize, norms.key);
  return qkv;
}

function normInto(tape: Tape, shape: NormShape, y: Tensor, yAt: number, x: Tensor, xAt: number, w: Parameter): void {
  const { kernels: K } = tape;
  const r = tape.tensor(shape.rows, shape.groups ?? 1, tape.numbers.sums);
  tape.record({ writes: [y, r], reads: yAt > 0 ? [x, y] : [x] }, () =>
    K.rmsnorm(y.data.subarray(yAt), floats(r.data), x.data.subarray(xAt), floats(w.data), shape),
  );
  tape.onBackward(() => {
    if (!y.differentiable) return;
    const dy = y.gradient!;
    // Two norms write different columns of one gradient: only a gradient of the whole x is ever added to.
    const whole = shape.groups === undefined;
    const { gradient: dx, accumulate } = tape.gradientOf(x);
    const scratch = w.grad ? undefined : tape.tensor(1, shape.channels, tape.numbers.sums);
    const reads = accumulate ? [dy, x, r, dx] : [dy, x, r];
    tape.record({ writes: scratch ? [dx, scratch] : [dx], reads, effect: w.grad !== undefined }, () =>
      K.rmsnormBackward(
        dx.data.subarray(xAt),
        w.grad ?? floats(scratch!.data),
        dy.data.subarray(yAt),
        x.data.subarray(xAt),
        floats(w.data),
        floats(r.data),
        { ...shape, accumulate: whole && accumulate },
      ),
    );
  });
}

/** y = x Wᵀ + b. With `into`, y is a range of columns of that tensor. */
export function linear(tape: Tape, x: Tensor, p: Projection, into?: { tensor: Tensor; column: number }): Tensor {
  const y = into?.tensor ?? tape.tensor(x.rows, p.outputs, tape.numbers.activations);
  const column = into?.column ?? 0;
  y.differentiable ||= x.differentiable || isTrainable(p);
  const projected = project(tape, p, y, x, { accumulate: false, column });
  tape.onBackward(() => {
    if (!y.differentiable) return;
    const dx = x.differentiable ? tape.gradientOf(x) : undefined;
    projectBackward(tape, p, projected, y.gradient!, x, dx, column)();
  });
  return y;
}

/** residual + x Wᵀ + b, the addition done by the product itself. */
export function addLinear(tape: Tape, residual: Tensor, x: Tensor, p: Projection): Tensor {
  const y = sumOnto(tape, residual);
  y.differentiable = residual.differentiable || x.differentiable || isTrainable(p);
  const projected = project(tape, p, y, x, { accumulate: true });
  tape.onBackward(() => {
    if (!y.differentiable) return;
    const dx = x.differentiable ? tape.gradientOf(x) : undefined;
    projectBackward(tape, p, projected, y.gradient!, x, dx)();
    passResidual(residual, y);
  });
  return y;
}

/** residual + (silu(gate) · up) Wᵀ + b with [gate, up] = gateUp. The product is rebuilt in the backward pass. */
export function addGatedLinear(tape: Tape, residual: Tensor, gateUp: Tensor, p: Projection): Tensor {
  const { kernels: K } = tape;
  const [N, F] = [gateUp.rows, p.inputs];
  const y = sumOnto(tape, residual);
  y.differentiable = residual.differentiable || gateUp.differentiable || isTrainable(p);
  const h = tape.tensor(N, F, tape.numbers.activations);
  tape.record({ writes: [h], reads: [gateUp] }, () => K.swiglu(h.data, gateUp.data, N, F));
  const projected = project(tape, p, y, h, { accumulate: true });
  tape.onBackward(() => {
    if (!y.differentiable) return;
    const again = tape.tensor(N, F, h.type);
    const dh = tape.tensor(N, F, h.type);
    const weights = projectBackward(tape, p, projected, y.gradient!, again, { gradient: dh, accumulate: false });
    const { gradient: dGateUp } = tape.gradientOf(gateUp);
    tape.record({ writes: [dGateUp, again], reads: [dh, gateUp] }, () =>
      K.swigluBackward(dGateUp.data, again.data, dh.data, gateUp.data, N, F),
    );
    weights();
    passResidual(residual, y);
  });
  return y;
}

/** Where residual + … is summed: in place when nobody will need the residual again, else in a copy. */
function sumOnto(tape: Tape, residual: Tensor): Tensor {
  if (!tape.recordsGradients && !residual.keep) return residual;
  const y = tape.tensor(residual.rows, residual.channels, residual.type);
  tape.record({ writes: [y], reads: [residual] }, () => tape.kernels.scaleAdd(y.data, residual.data, 1, false));
  return y;
}

/** Everything that read dy has been recorded by now, so the residual may go on adding to the same tensor. */
function passResidual(residual: Tensor, y: Tensor): void {
  residual.gradient = y.gradient;
}

/** Turns query and key heads by the angle of their position, in place. The gradient turns back. */
export function rope(
  tape: Tape,
  qkv: Tensor,
  table: { cos: Floats; sin: Floats },
  batch: Batch,
  options: { rotatedHeads: number; headSize: number },
): Tensor {
  const { kernels: K } = tape;
  const { rotatedHeads, headSize } = options;
  const turn = (x: Tensor, direction: 1 | -1) =>
    tape.record({ writes: [x], reads: [x] }, () => {
      const rope: Rope = { ...table, positions: batch.positions };
      K.rope(x.data, rope, x.rows, rotatedHeads, headSize, x.channels, direction);
    });
  turn(qkv, 1);
  tape.onBackward(() => {
    if (qkv.differentiable) turn(qkv.gradient!, -1);
  });
  return qkv;
}

/** Causal attention. Packed documents are confined when the batch carries their ids. */
export function attention(
  tape: Tape,
  qkv: Tensor,
  batch: Batch,
  shape: Omit<AttentionShape, "documents" | "precision">,
): Tensor {
  const { kernels: K, precision } = tape;
  const { heads, headSize } = shape;
  const o = tape.tensor(qkv.rows, heads * headSize, tape.numbers.activations);
  const lse = tape.tensor(shape.batch * heads, shape.tokens, tape.numbers.sums);
  o.differentiable = qkv.differentiable;
  const now = (): AttentionShape =>
    batch.documents ? { ...shape, precision, documents: batch.documents } : { ...shape, precision };
  tape.record({ writes: [o, lse], reads: [qkv] }, () => K.attention(o.data, floats(lse.data), qkv.data, now()));
  tape.onBackward(() => {
    if (!o.differentiable) return;
    const dO = o.gradient!;
    const { gradient: dqkv } = tape.gradientOf(qkv);
    tape.record({ writes: [dqkv], reads: [dO, qkv, o, lse] }, () =>
      K.attentionBackward(dqkv.data, dO.data, qkv.data, o.data, floats(lse.data), now()),
    );
  });
  return o;
}

/** Nats of each row's target, into `batch.losses`; with gradients, those of hidden and head come from the same pass. */
export function headCrossEntropy(tape: Tape, hidden: Tensor, head: Parameter, vocab: number, batch: Batch): void {
  const { kernels: K, precision } = tape;
  const shape = { rows: hidden.rows, channels: hidden.channels, vocab, precision };
  const differentiate = tape.recordsGradients && (hidden.differentiable || head.grad !== undefined);
  const dHidden = differentiate ? tape.gradientOf(hidden).gradient : undefined;
  tape.record({ reads: [hidden], writes: dHidden ? [dHidden] : [], effect: true }, () => {
    const gradient = dHidden && {
      dHidden: dHidden.data,
      scale: batch.scale,
      ...(head.grad ? { dHead: head.grad } : {}),
    };
    K.headCrossEntropy(batch.losses, hidden.data, head.data, batch.targets, batch.weights, {
      ...shape,
      ...(gradient ? { gradient } : {}),
      ...(batch.best ? { best: batch.best } : {}),
    });
  });
}

/** z = hidden · headᵀ over the first `vocab` rows. Only tests and sampling want whole logits. */
export function logits(tape: Tape, hidden: Tensor, head: Parameter, vocab: number, out: Floats): void {
  const { kernels: K, precision } = tape;
  tape.record({ reads: [hidden], effect: true }, () =>
    K.gemm(out, hidden.data, head.data, { m: hidden.rows, n: vocab, k: hidden.channels, transposeB: true, precision }),
  );
}

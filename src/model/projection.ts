/**
 * A linear map y = x Wᵀ + b, with LoRA adapters when asked (Hu et al. 2021, arXiv:2106.09685, PEFT's scale α/r):
 *
 *   y = x Wᵀ + b + s·(x Aᵀ) Bᵀ      t = x Aᵀ is kept
 *   dx = dy W + u A,  u = s·dy B;    dW += dyᵀ x,  db += Σ dy,  dB += s·dyᵀ t,  dA += uᵀ x
 *
 * The input's gradient comes first and the weights' second, so that an operation may rebuild `x` in between (SwiGLU does).
 */
import type { Tape } from "./tape.ts";
import { floats, type Parameter, type Tensor } from "./tensor.ts";

export interface Adapter {
  /** [rank, inputs] */
  a: Parameter;
  /** [rows, rank], for output columns from `column` on. */
  b: Parameter;
  column: number;
  scale: number;
}

/** Rows `firstRow .. firstRow + outputs` of a (fused) weight matrix. */
export interface Projection {
  weight: Parameter;
  firstRow: number;
  inputs: number;
  outputs: number;
  bias: Parameter | undefined;
  adapters: Adapter[];
}

export function isTrainable(p: Projection): boolean {
  return p.weight.grad !== undefined || p.bias?.grad !== undefined || p.adapters.length > 0;
}

/** The part of a projection that makes columns `from .. to` of its output. */
export function outputColumns(p: Projection, from: number, to: number): Projection {
  return {
    ...p,
    firstRow: p.firstRow + from,
    outputs: to - from,
    adapters: p.adapters
      .filter((adapter) => adapter.column >= from && adapter.column < to)
      .map((adapter) => ({ ...adapter, column: adapter.column - from })),
  };
}

/** Recorded forward: what the gradient needs. */
export interface Projected {
  down: Tensor[];
}

/** y[:, column..] = or += x Wᵀ + b + adapters. */
export function project(
  tape: Tape,
  p: Projection,
  y: Tensor,
  x: Tensor,
  options: { accumulate: boolean; column?: number },
): Projected {
  const { kernels: K, precision } = tape;
  const { accumulate, column = 0 } = options;
  const N = x.rows;
  const { inputs, outputs } = p;
  const reads = accumulate || column > 0 ? [x, y] : [x];
  tape.record({ writes: [y], reads }, () => {
    K.gemm(y.data.subarray(column), x.data, weightRows(p), {
      m: N,
      n: outputs,
      k: inputs,
      transposeB: true,
      accumulate,
      ldc: y.channels,
      precision,
    });
    if (p.bias) K.addBias(y.data.subarray(column), biasOf(p), N, outputs, y.channels);
  });
  const down = p.adapters.map(({ a, b, column: at, scale }) => {
    const t = tape.tensor(N, a.rows, tape.numbers.sums);
    tape.record({ writes: [t], reads: [x] }, () =>
      K.gemm(t.data, x.data, a.data, { m: N, n: a.rows, k: inputs, transposeB: true, precision }),
    );
    tape.record({ writes: [y], reads: [t, y] }, () =>
      K.gemm(y.data.subarray(column + at), t.data, b.data, {
        m: N,
        n: b.rows,
        k: a.rows,
        transposeB: true,
        accumulate: true,
        ldc: y.channels,
        alpha: scale,
        precision,
      }),
    );
    return t;
  });
  return { down };
}

/** Records dx (= or +=) from dy; the returned function records the weights' gradients from x. */
export function projectBackward(
  tape: Tape,
  p: Projection,
  projected: Projected,
  dy: Tensor,
  x: Tensor,
  dx: { gradient: Tensor; accumulate: boolean } | undefined,
  column = 0,
): () => void {
  const { kernels: K, precision } = tape;
  const N = x.rows;
  const { inputs, outputs } = p;
  const ldy = dy.channels;
  if (dx) {
    const { gradient, accumulate } = dx;
    tape.record({ writes: [gradient], reads: accumulate ? [dy, gradient] : [dy] }, () =>
      K.gemm(gradient.data, dy.data.subarray(column), weightRows(p), {
        m: N,
        n: inputs,
        k: outputs,
        accumulate,
        lda: ldy,
        precision,
      }),
    );
  }
  const ups = p.adapters.map(({ a, b, column: at, scale }) => {
    const u = tape.tensor(N, a.rows, tape.numbers.sums);
    tape.record({ writes: [u], reads: [dy] }, () =>
      K.gemm(u.data, dy.data.subarray(column + at), b.data, {
        m: N,
        n: a.rows,
        k: b.rows,
        lda: ldy,
        alpha: scale,
        precision,
      }),
    );
    if (dx) {
      tape.record({ writes: [dx.gradient], reads: [u, dx.gradient] }, () =>
        K.gemm(dx.gradient.data, u.data, a.data, { m: N, n: inputs, k: a.rows, accumulate: true, precision }),
      );
    }
    return u;
  });
  return () => {
    const sum = { transposeA: true, accumulate: true, precision } as const;
    if (p.weight.grad) {
      tape.record({ reads: [dy, x], effect: true }, () =>
        K.gemm(rowsOf(p, floats(p.weight.grad!)), dy.data.subarray(column), x.data, {
          ...sum,
          m: outputs,
          n: inputs,
          k: N,
          lda: ldy,
        }),
      );
    }
    if (p.bias?.grad) {
      tape.record({ reads: [dy], effect: true }, () =>
        K.addBiasBackward(
          p.bias!.grad!.subarray(p.firstRow, p.firstRow + outputs),
          dy.data.subarray(column),
          N,
          outputs,
          ldy,
        ),
      );
    }
    for (const [i, { a, b, column: at, scale }] of p.adapters.entries()) {
      const [t, u] = [projected.down[i]!, ups[i]!];
      tape.record({ reads: [dy, t, u, x], effect: true }, () => {
        K.gemm(b.grad!, dy.data.subarray(column + at), t.data, {
          ...sum,
          m: b.rows,
          n: a.rows,
          k: N,
          lda: ldy,
          alpha: scale,
        });
        K.gemm(a.grad!, u.data, x.data, { ...sum, m: a.rows, n: inputs, k: N });
      });
    }
  };
}

function rowsOf<T extends { subarray(from: number, to: number): T }>(p: Projection, matrix: T): T {
  return matrix.subarray(p.firstRow * p.inputs, (p.firstRow + p.outputs) * p.inputs);
}

function weightRows(p: Projection) {
  const { data } = p.weight;
  return data.subarray(p.firstRow * p.inputs, (p.firstRow + p.outputs) * p.inputs);
}

function biasOf(p: Projection) {
  return floats(p.bias!.data).subarray(p.firstRow, p.firstRow + p.outputs);
}

/**
 * The kernels in plain TypeScript: each routine once, in a form to check by eye. Arithmetic is float64 whatever the storage, so
 * this is the oracle for the C++ kernels, and the engine of last resort on a machine without a compiler.
 *
 * bfloat16 storages are decoded before and encoded (rounded to nearest) after; `precision: "bf16"` rounds the inputs of products.
 */
import { counterRandom } from "../core/index.ts";
import { toBfloat16Stochastic } from "./bfloat16.ts";
import type { GemmOptions, Kernels, NormShape, Storage } from "./kernels.ts";
import { attention, attentionBackward, cachedAttention } from "./reference-attention.ts";
import { read, update } from "./storage.ts";

export function referenceKernels(): Kernels {
  return {
    description: "reference float64 (TypeScript)",
    hasBf16: false,
    allocate: (bytes) => new ArrayBuffer(bytes),
    gemm,
    addBias,
    addBiasBackward,
    embedding,
    embeddingBackward,
    rmsnorm,
    rmsnormBackward,
    rope,
    attention,
    attentionBackward,
    swiglu,
    swigluBackward,
    headCrossEntropy,
    sumSquares,
    adamw,
    scaleAdd,
    fill: (x, value) => update(x, (y) => y.fill(value)),
    cachedAttention,
  };
}

// --- products -----------------------------------------------------------------------------------------------------------------

const gemm: Kernels["gemm"] = (cStorage, aStorage, bStorage, options: GemmOptions) => {
  const { m, n, k, transposeA = false, transposeB = false, accumulate = false, alpha = 1 } = options;
  const { lda = transposeA ? m : k, ldb = transposeB ? k : n, ldc = n } = options;
  const a = read(aStorage, options.precision);
  const b = read(bStorage, options.precision);
  const [aRow, aColumn] = transposeA ? [1, lda] : [lda, 1];
  const [bRow, bColumn] = transposeB ? [1, ldb] : [ldb, 1];
  update(cStorage, (c) => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[i * aRow + p * aColumn]! * b[p * bRow + j * bColumn]!;
        const at = i * ldc + j;
        c[at] = alpha * sum + (accumulate ? c[at]! : 0);
      }
    }
  });
};

const addBias: Kernels["addBias"] = (yStorage, bias, rows, channels, stride) =>
  update(yStorage, (y) => {
    for (let n = 0; n < rows; n++) for (let c = 0; c < channels; c++) y[n * stride + c]! += bias[c]!;
  });

const addBiasBackward: Kernels["addBiasBackward"] = (dBias, dyStorage, rows, channels, stride) => {
  const dy = read(dyStorage);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += dy[n * stride + c]!;
    dBias[c]! += sum;
  }
};

// --- embedding ----------------------------------------------------------------------------------------------------------------

const embedding: Kernels["embedding"] = (yStorage, ids, tableStorage, rows, channels) =>
  update(yStorage, (y) => {
    for (let n = 0; n < rows; n++) {
      const row = tableStorage.subarray(ids[n]! * channels, (ids[n]! + 1) * channels);
      y.set(read(row), n * channels);
    }
  });

const embeddingBackward: Kernels["embeddingBackward"] = (dTable, ids, dyStorage, rows, channels) => {
  const dy = read(dyStorage);
  for (let n = 0; n < rows; n++) {
    for (let c = 0; c < channels; c++) dTable[ids[n]! * channels + c]! += dy[n * channels + c]!;
  }
};

// --- RMSNorm: y = x · r · w, r = 1/sqrt(mean x² + ε) --------------------------------------------------------------------------

/** Calls `body` with the index of r and the offsets of x and y for each normalised vector. */
function eachNorm(shape: NormShape, body: (r: number, x: number, y: number) => void): void {
  const { rows, channels, groups = 1 } = shape;
  const { strideX = channels * groups, strideY = channels * groups } = shape;
  for (let n = 0; n < rows; n++) {
    for (let g = 0; g < groups; g++) body(n * groups + g, n * strideX + g * channels, n * strideY + g * channels);
  }
}

const rmsnorm: Kernels["rmsnorm"] = (yStorage, r, xStorage, w, options) => {
  const { channels: C, epsilon } = options;
  const x = read(xStorage);
  update(yStorage, (y) =>
    eachNorm(options, (i, xAt, yAt) => {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += x[xAt + c]! ** 2;
      const scale = 1 / Math.sqrt(sum / C + epsilon);
      r[i] = scale;
      for (let c = 0; c < C; c++) y[yAt + c] = x[xAt + c]! * scale * w[c]!;
    }),
  );
};

// dw += Σ dy · x · r;   dx = r · (dy∘w) − x · r³/C · Σ_j dy_j w_j x_j
const rmsnormBackward: Kernels["rmsnormBackward"] = (dxStorage, dw, dyStorage, xStorage, w, r, options) => {
  const { channels: C, accumulate } = options;
  const x = read(xStorage);
  const dy = read(dyStorage);
  update(dxStorage, (dx) =>
    eachNorm(options, (i, xAt, yAt) => {
      const scale = r[i]!;
      let dot = 0;
      for (let c = 0; c < C; c++) dot += dy[yAt + c]! * w[c]! * x[xAt + c]!;
      const pull = (dot * scale ** 3) / C;
      for (let c = 0; c < C; c++) {
        const value = scale * dy[yAt + c]! * w[c]! - x[xAt + c]! * pull;
        dw[c]! += dy[yAt + c]! * x[xAt + c]! * scale;
        dx[xAt + c] = value + (accumulate ? dx[xAt + c]! : 0);
      }
    }),
  );
};

// --- RoPE, rotate-half: pairs (i, i + D/2) turn by the angle of their position ---------------------------------------------------

const rope: Kernels["rope"] = (qkvStorage, table, rows, rotatedHeads, headSize, stride, direction) => {
  const half = headSize / 2;
  update(qkvStorage, (qkv) => {
    for (let n = 0; n < rows; n++) {
      for (let h = 0; h < rotatedHeads; h++) {
        for (let i = 0; i < half; i++) {
          const at = n * stride + h * headSize + i;
          const cos = table.cos[table.positions[n]! * half + i]!;
          const sin = table.sin[table.positions[n]! * half + i]! * direction;
          const [first, second] = [qkv[at]!, qkv[at + half]!];
          qkv[at] = first * cos - second * sin;
          qkv[at + half] = second * cos + first * sin;
        }
      }
    }
  });
};

// --- SwiGLU: h = g·σ(g)·u;  du = dh·g·σ;  dg = dh·u·σ·(1 + g(1−σ)) ----------------------------------------------------------------

const swiglu: Kernels["swiglu"] = (hStorage, gateUpStorage, rows, F) => {
  const gateUp = read(gateUpStorage);
  update(hStorage, (h) => {
    for (let n = 0; n < rows; n++) {
      for (let f = 0; f < F; f++) {
        const gate = gateUp[n * 2 * F + f]!;
        h[n * F + f] = (gate / (1 + Math.exp(-gate))) * gateUp[n * 2 * F + F + f]!;
      }
    }
  });
};

const swigluBackward: Kernels["swigluBackward"] = (dGateUpStorage, hStorage, dhStorage, gateUpStorage, rows, F) => {
  const gateUp = read(gateUpStorage);
  const dh = read(dhStorage);
  update(dGateUpStorage, (dGateUp) => {
    for (let n = 0; n < rows; n++) {
      for (let f = 0; f < F; f++) {
        const at = n * 2 * F + f;
        const [gate, up, d] = [gateUp[at]!, gateUp[at + F]!, dh[n * F + f]!];
        const sigma = 1 / (1 + Math.exp(-gate));
        dGateUp[at] = d * up * sigma * (1 + gate * (1 - sigma));
        dGateUp[at + F] = d * gate * sigma;
      }
    }
  });
  swiglu(hStorage, gateUpStorage, rows, F);
};

// --- output head and cross-entropy: dz = scale · weight · (softmax(z) − onehot) -------------------------------------------------

const headCrossEntropy: Kernels["headCrossEntropy"] = (loss, hiddenStorage, headStorage, targets, weights, options) => {
  const { rows, channels: C, vocab: V, precision, gradient, best } = options;
  const hidden = read(hiddenStorage, precision);
  const head = read(headStorage, precision);
  const dHead = gradient?.dHead;
  const dHidden = gradient ? new Float64Array(rows * C) : undefined;
  const z = new Float64Array(V);
  for (let n = 0; n < rows; n++) {
    loss[n] = 0;
    if (weights[n] === 0 && !best) continue;
    let max = Number.NEGATIVE_INFINITY;
    for (let v = 0; v < V; v++) {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += hidden[n * C + c]! * head[v * C + c]!;
      z[v] = sum;
      if (sum > max) {
        max = sum;
        if (best) best[n] = v;
      }
    }
    if (weights[n] === 0) continue;
    let total = 0;
    for (let v = 0; v < V; v++) total += Math.exp(z[v]! - max);
    const logSumExp = max + Math.log(total);
    loss[n] = logSumExp - z[targets[n]!]!;
    if (!gradient || !dHidden) continue;
    const scale = gradient.scale * weights[n]!;
    for (let v = 0; v < V; v++) {
      const dz = scale * (Math.exp(z[v]! - logSumExp) - (v === targets[n] ? 1 : 0));
      for (let c = 0; c < C; c++) {
        dHidden[n * C + c]! += dz * head[v * C + c]!;
        if (dHead) dHead[v * C + c]! += dz * hidden[n * C + c]!;
      }
    }
  }
  if (gradient && dHidden) update(gradient.dHidden, (d) => d.set(dHidden));
};

// --- optimizer and helpers ---------------------------------------------------------------------------------------------------------

// m = β₁m + (1−β₁)g;  v = β₂v + (1−β₂)g²;  p = p·(1 − lr·λ) − lr · m̂/(√v̂ + ε)
const adamw: Kernels["adamw"] = (p, g, mStorage, vStorage, options) => {
  const { step, learningRate, beta1, beta2, epsilon, weightDecay, gradScale, roundingSeed = 0 } = options;
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  const m = read(mStorage);
  const v = read(vStorage);
  for (let i = 0; i < p.length; i++) {
    const gradient = g[i]! * gradScale;
    const first = beta1 * m[i]! + (1 - beta1) * gradient;
    const second = beta2 * v[i]! + (1 - beta2) * gradient * gradient;
    const move = first / correction1 / (Math.sqrt(second / correction2) + epsilon);
    p[i] = p[i]! * (1 - learningRate * weightDecay) - learningRate * move;
    store(mStorage, i, first, roundingSeed + step, 2 * i);
    store(vStorage, i, second, roundingSeed + step, 2 * i + 1);
  }
};

function store(x: Storage, i: number, value: number, seed: number, draw: number): void {
  x[i] = x instanceof Uint16Array ? toBfloat16Stochastic(value, counterRandom(seed, draw)) : value;
}

const sumSquares: Kernels["sumSquares"] = (x) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
};

const scaleAdd: Kernels["scaleAdd"] = (yStorage, xStorage, a, accumulate) => {
  const x = read(xStorage);
  update(yStorage, (y) => {
    for (let i = 0; i < y.length; i++) y[i] = a * x[i]! + (accumulate ? y[i]! : 0);
  });
};

/**
 * Causal grouped-query attention, one query at a time:
 *
 *   s_j = q_i·k_j / √D  over visible j,   P = softmax(s),   o_i = Σ_j P_j v_j,   lse_i = log Σ_j exp s_j
 *
 * Backward recomputes P from lse:  dP_j = do·v_j,  dS_j = P_j (dP_j − do·o),  dq += dS_j k_j /√D,  dk_j += dS_j q /√D,  dv_j += P_j do.
 * Query head h reads key/value head floor(h · kvHeads / heads).
 *
 * @see Dao et al. 2022, FlashAttention, arXiv:2205.14135 (the same sums, there in tiles)
 */
import type { AttentionShape, Floats, Kernels } from "./kernels.ts";
import { read, update } from "./storage.ts";

/** Rows of one attention call, and where the heads of a row stand. */
function layout(shape: AttentionShape) {
  const { tokens, heads, kvHeads, headSize, window = Number.POSITIVE_INFINITY, documents } = shape;
  const stride = (heads + 2 * kvHeads) * headSize;
  const kvHead = (h: number) => Math.floor((h * kvHeads) / heads);
  return {
    q: (row: number, h: number) => row * stride + h * headSize,
    k: (row: number, h: number) => row * stride + (heads + kvHead(h)) * headSize,
    v: (row: number, h: number) => row * stride + (heads + kvHeads + kvHead(h)) * headSize,
    /** Rows that query `i` of sequence `b` sees, itself last. */
    visible(b: number, i: number): number[] {
      const rows: number[] = [];
      for (let j = Math.max(0, i - window + 1); j <= i; j++) {
        if (!documents || documents[b * tokens + j] === documents[b * tokens + i]) rows.push(b * tokens + j);
      }
      return rows;
    },
  };
}

export const attention: Kernels["attention"] = (oStorage, lse, qkvStorage, shape) => {
  const { batch, tokens, heads, headSize: D } = shape;
  const at = layout(shape);
  const qkv = read(qkvStorage, shape.precision);
  update(oStorage, (o) => {
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < tokens; i++) {
          const row = b * tokens + i;
          const seen = at.visible(b, i);
          const keys = seen.map((j) => at.k(j, h));
          const values = seen.map((j) => at.v(j, h));
          lse[(b * heads + h) * tokens + i] = attend(
            o,
            row * heads * D + h * D,
            qkv,
            at.q(row, h),
            qkv,
            keys,
            values,
            D,
          );
        }
      }
    }
  });
};

export const attentionBackward: Kernels["attentionBackward"] = (
  dqkvStorage,
  doStorage,
  qkvStorage,
  oStorage,
  lse,
  shape,
) => {
  const { batch, tokens, heads, headSize: D, precision } = shape;
  const at = layout(shape);
  const [qkv, dO, o] = [read(qkvStorage, precision), read(doStorage, precision), read(oStorage)];
  const scale = 1 / Math.sqrt(D);
  update(dqkvStorage, (dqkv) => {
    dqkv.fill(0);
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < tokens; i++) {
          const row = b * tokens + i;
          const oAt = row * heads * D + h * D;
          const q = at.q(row, h);
          const drop = dot(dO, oAt, o, oAt, D);
          for (const j of at.visible(b, i)) {
            const [k, v] = [at.k(j, h), at.v(j, h)];
            const p = Math.exp(scale * dot(qkv, q, qkv, k, D) - lse[(b * heads + h) * tokens + i]!);
            const dS = p * (dot(dO, oAt, qkv, v, D) - drop) * scale;
            for (let d = 0; d < D; d++) {
              dqkv[q + d]! += dS * qkv[k + d]!;
              dqkv[k + d]! += dS * qkv[q + d]!;
              dqkv[v + d]! += p * dO[oAt + d]!;
            }
          }
        }
      }
    }
  });
};

export const cachedAttention: Kernels["cachedAttention"] = (oStorage, qkvStorage, cacheStorage, options) => {
  const { rows, heads, kvHeads, headSize: D, maxTokens, sequence, position, window } = options;
  const stride = (heads + 2 * kvHeads) * D;
  const qkv = read(qkvStorage);
  const entry = (slot: number, kv: 0 | 1, head: number, token: number) =>
    (((slot * 2 + kv) * kvHeads + head) * maxTokens + token) * D;
  for (let n = 0; n < rows; n++) {
    for (const kv of [0, 1] as const) {
      for (let head = 0; head < kvHeads; head++) {
        const from = n * stride + (heads + kv * kvHeads + head) * D;
        const to = entry(sequence[n]!, kv, head, position[n]!);
        update(cacheStorage.subarray(to, to + D), (cache) => cache.set(qkv.subarray(from, from + D)));
      }
    }
  }
  update(oStorage, (o) => {
    for (let n = 0; n < rows; n++) {
      const first = window === undefined ? 0 : Math.max(0, position[n]! - window + 1);
      const seen = Array.from({ length: position[n]! - first + 1 }, (_, j) => first + j);
      for (let h = 0; h < heads; h++) {
        const head = Math.floor((h * kvHeads) / heads);
        const base = entry(sequence[n]!, 0, head, 0);
        const cache = read(cacheStorage.subarray(base, base + (kvHeads + 1) * maxTokens * D));
        const keys = seen.map((j) => j * D);
        const values = seen.map((j) => (kvHeads * maxTokens + j) * D);
        attend(o, (n * heads + h) * D, qkv, n * stride + h * D, cache, keys, values, D);
      }
    }
  });
};

/** o[oAt..] = Σ softmax(q·k/√D) v over the listed keys and values of `kv`. @returns log-sum-exp of the scores. */
function attend(
  o: Floats,
  oAt: number,
  q: Floats,
  qAt: number,
  kv: Floats,
  keys: number[],
  values: number[],
  D: number,
): number {
  const scores = keys.map((k) => dot(q, qAt, kv, k, D) / Math.sqrt(D));
  const max = Math.max(...scores);
  const total = scores.reduce((sum, s) => sum + Math.exp(s - max), 0);
  for (let d = 0; d < D; d++) {
    let sum = 0;
    for (const [n, v] of values.entries()) sum += (Math.exp(scores[n]! - max) / total) * kv[v + d]!;
    o[oAt + d] = sum;
  }
  return max + Math.log(total);
}

function dot(a: Floats, aAt: number, b: Floats, bAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aAt + i]! * b[bAt + i]!;
  return sum;
}

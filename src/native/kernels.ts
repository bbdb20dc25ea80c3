/**
 * The kernel surface: every numeric routine the embedded engine needs, as synchronous calls on typed arrays.
 *
 * Three implementations answer to it: `reference.ts` (plain TypeScript in float64, the oracle), the C++ addon (fast), and
 * nothing else. The model never touches a number itself: it records calls to these on its tape.
 *
 * Conventions. Matrices are row-major and dense unless a stride is named. N = rows (tokens of the micro-batch = B·T),
 * C = channels. "+=" in a description means the kernel adds to what is there. Gradients carry a `d`. Outputs first, inputs
 * next, sizes last. Every output element is written by one thread in a fixed order, so results do not depend on threads.
 */

/** Storage of a tensor: float32, bfloat16 bits in a Uint16Array, or float64 (the reference implementation only). */
export type Storage = Float32Array | Uint16Array | Float64Array;
export type Floats = Float32Array | Float64Array;
export type Precision = "f32" | "bf16";

/** C[M,N] (+)= op(A) op(B) + bias. op(A) is [M,K] (stored [K,M] when transposeA), op(B) is [K,N] (stored [N,K] when transposeB). */
export interface GemmOptions {
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Add to C instead of overwriting it. */
  accumulate?: boolean;
  /** Products in bfloat16 with float32 sums, or all in float32. A property of the call, not of the storage. */
  precision: Precision;
  /** Row strides in elements, when a matrix is a column block of a wider one. Default: dense. */
  lda?: number;
  ldb?: number;
  ldc?: number;
  /** Scales the product (LoRA's alpha/r). Default 1. */
  alpha?: number;
}

/** Shape of one attention call over packed rows: `qkv` is [B·T, (heads + 2·kvHeads)·headSize], q heads first, then k, then v. */
export interface AttentionShape {
  batch: number;
  tokens: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  /** Sliding window in tokens (Mistral): position i sees j with i - window < j <= i. Absent: all earlier positions. */
  window?: number;
  /** Document id of each row [B·T] when packed documents must not see each other. Absent: one document per sequence. */
  documents?: Int32Array;
  precision: Precision;
}

export interface AdamWOptions {
  /** 1-based step, for bias correction. */
  step: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: p *= 1 - learningRate * weightDecay before the update. */
  weightDecay: number;
  /** Multiplies the gradient first (clipping, and 1/accumulation). */
  gradScale: number;
  /** Seed of stochastic rounding when m and v are bf16; drawn by (seed, step, element), so reproducible. */
  roundingSeed?: number;
}

/** Rotary tables: cos and sin are [positions, headSize/2]; `positions` gives the table row of each token row [N]. */
export interface Rope {
  cos: Floats;
  sin: Floats;
  positions: Int32Array;
}

export interface Kernels {
  /** Human-readable: "native avx512fp16, 2 threads" or "reference float64". */
  readonly description: string;
  /** Whether 16-bit products run in hardware (bfloat16, or scaled float16); otherwise "bf16" is emulated (rounded inputs, f32 sums). */
  readonly hasBf16: boolean;
  /**
   * Products of at most so many rows (decoding) may sum in another order than larger ones. Within each kind, the bits of a row do not
   * depend on the rows around it. Absent: there is one kind.
   */
  readonly fewRows?: number;

  /**
   * Notes down the kernel calls that `calls` makes, without running them, and returns what runs them: one call from JavaScript instead of
   * one a kernel, with arguments checked once (ids and positions each time). The caller keeps their arrays. Kernels that belong to one step
   * (gradients, losses, the optimizer) are refused. Absent: call them one by one.
   */
  record?(calls: () => void): () => void;

  /** Bytes of zeroed memory as an ArrayBuffer, 64-byte aligned, huge pages where the system gives them. */
  allocate(bytes: number): ArrayBuffer;

  gemm(c: Storage, a: Storage, b: Storage, options: GemmOptions): void;
  /** y[n,c] += bias[c];  backward: dBias[c] += sum_n dy[n,c]. `stride` is the row stride of y/dy. */
  addBias(y: Storage, bias: Floats, rows: number, channels: number, stride: number): void;
  addBiasBackward(dBias: Floats, dy: Storage, rows: number, channels: number, stride: number): void;

  /** y[n] = table[ids[n]];  backward: dTable[ids[n]] += dy[n], summed in row order. */
  embedding(y: Storage, ids: Int32Array, table: Storage, rows: number, channels: number): void;
  embeddingBackward(dTable: Floats, ids: Int32Array, dy: Storage, rows: number, channels: number): void;

  /**
   * RMSNorm, arXiv:1910.07467: y = x · r · w, r = 1/sqrt(mean(x²)+eps), kept for backward.
   * x and y may have a row stride larger than `channels` and `groups` norms per row (q/k norm: groups = heads); r is [rows·groups].
   */
  rmsnorm(y: Storage, r: Floats, x: Storage, w: Floats, options: NormShape): void;
  /** dx = or += (accumulate), dw +=. */
  rmsnormBackward(
    dx: Storage,
    dw: Floats,
    dy: Storage,
    x: Storage,
    w: Floats,
    r: Floats,
    options: NormShape & { accumulate: boolean },
  ): void;

  /** Rotates q and k heads of packed rows in place (Hugging Face rotate-half); direction -1 is the backward pass. */
  rope(
    qkv: Storage,
    rope: Rope,
    rows: number,
    rotatedHeads: number,
    headSize: number,
    stride: number,
    direction: 1 | -1,
  ): void;

  /** Causal attention with online softmax. o: [B·T, heads·headSize]; lse: [B, heads, T], kept for backward. */
  attention(o: Storage, lse: Floats, qkv: Storage, shape: AttentionShape): void;
  /** dqkv is overwritten. */
  attentionBackward(dqkv: Storage, dO: Storage, qkv: Storage, o: Storage, lse: Floats, shape: AttentionShape): void;

  /** h = silu(gate) · up, from gateUp [N, 2F] (gate columns first). */
  swiglu(h: Storage, gateUp: Storage, rows: number, features: number): void;
  /** dGateUp from dh; also rewrites h (recomputed, needed for the down projection's weight gradient). */
  swigluBackward(dGateUp: Storage, h: Storage, dh: Storage, gateUp: Storage, rows: number, features: number): void;

  /**
   * Output head and cross-entropy in row chunks: logits are never kept.
   *   loss[n] = weight[n] > 0 or gradient asked ? logsumexp(z[n]) - z[n, target[n]] : 0,   z = hidden · headᵀ over the first `vocab` rows
   * With `gradient`, dHidden (overwritten) and dHead (+=) of Σ_n scale · weight[n] · loss[n] come from the same pass.
   * Rows with weight 0 cost nothing beyond their dHidden being zeroed. `best` receives the argmax of each row when given.
   */
  headCrossEntropy(
    loss: Floats,
    hidden: Storage,
    head: Storage,
    targets: Int32Array,
    weights: Floats,
    options: HeadOptions,
  ): void;

  /** out = sum of squares in float64 in a fixed order. */
  sumSquares(x: Floats): number;
  /** One fused AdamW pass (Loshchilov & Hutter, arXiv:1711.05101). m and v may be bf16 (stochastic rounding). */
  adamw(p: Floats, g: Floats, m: Storage, v: Storage, options: AdamWOptions): void;

  /** y = a·x (+ y when accumulate): plain element-wise helpers. Storages may differ (conversion). */
  scaleAdd(y: Storage, x: Storage, a: number, accumulate: boolean): void;
  fill(x: Storage, value: number): void;

  /**
   * Attention for inference over a key/value cache, ragged: row n of `qkv` (already rotated) belongs to sequence[n] at position[n].
   * The kernel first writes k,v of all rows into the cache, then attends each row over cache positions 0..position[n].
   * cache: [slots, 2, kvHeads, maxTokens, headSize] of one layer.
   */
  cachedAttention(o: Storage, qkv: Storage, cache: Storage, options: CachedAttentionOptions): void;
}

export interface NormShape {
  rows: number;
  channels: number;
  epsilon: number;
  groups?: number;
  strideX?: number;
  strideY?: number;
}

export interface HeadOptions {
  rows: number;
  channels: number;
  /** True vocabulary; rows of `head` beyond it (padding) take no part in the softmax. */
  vocab: number;
  precision: Precision;
  /** Without `dHead` the head is frozen (LoRA): only dHidden is computed. */
  gradient?: { dHidden: Storage; dHead?: Floats; scale: number };
  best?: Int32Array;
}

export interface CachedAttentionOptions {
  rows: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  maxTokens: number;
  sequence: Int32Array;
  position: Int32Array;
  window?: number;
  /**
   * Rows before this index each continue a sequence by one token; those from it on are prompts, whose results do not depend on how they
   * are cut into calls. Absent: the kernel chooses the faster way for each run of rows.
   */
  continuing?: number;
}

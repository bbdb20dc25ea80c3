import { describe, expect, it } from "vitest";
import { centralDifferences, dot, randomArray, relativeError } from "../../test/support/gradients.ts";
import { fromBfloat16, roundBfloat16, toBfloat16, toBfloat16Stochastic } from "./bfloat16.ts";
import type { AttentionShape } from "./kernels.ts";
import { referenceKernels } from "./reference.ts";

const K = referenceKernels();

// Everything here is float64 with |loss| < 100: rounding gives 100·1.1e-16/1e-5 ≈ 1e-9, the step h²·f''' ≈ 1e-10 on gradients near 1.
const TOLERANCE = 1e-7;

/** Checks that `analytic` is the gradient of dy·f(x) at x. */
function check(
  analytic: ArrayLike<number>,
  f: (x: Float64Array) => ArrayLike<number>,
  x: Float64Array,
  dy: Float64Array,
) {
  expect(
    relativeError(
      analytic,
      centralDifferences((at) => dot(dy, f(at)), x),
    ),
  ).toBeLessThan(TOLERANCE);
}

describe("gemm", () => {
  it("multiplies by hand", () => {
    // [1 2; 3 4] · [5 6; 7 8] = [19 22; 43 50], and the transposed forms read the same numbers the other way.
    const [a, b, c] = [Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, 8), new Float64Array(4)];
    const shape = { m: 2, n: 2, k: 2, precision: "f32" } as const;
    K.gemm(c, a, b, shape);
    expect([...c]).toEqual([19, 22, 43, 50]);
    K.gemm(c, a, b, { ...shape, transposeB: true });
    expect([...c]).toEqual([17, 23, 39, 53]);
    K.gemm(c, a, b, { ...shape, transposeA: true, accumulate: true, alpha: 2 });
    expect([...c]).toEqual([17 + 52, 23 + 60, 39 + 76, 53 + 88]);
  });

  it("respects row strides and leaves what lies between", () => {
    const c = new Float64Array(6).fill(9);
    K.gemm(c, Float64Array.of(1, 2, -1, 3, 4, -1), Float64Array.of(5, 6, 7, 8), {
      m: 2,
      n: 2,
      k: 2,
      lda: 3,
      ldc: 3,
      precision: "f32",
    });
    expect([...c]).toEqual([19, 22, 9, 43, 50, 9]);
  });

  it("rounds inputs, not sums, in bf16", () => {
    const third = 1 / 3;
    const c = new Float64Array(1);
    K.gemm(c, Float64Array.of(third, 1), Float64Array.of(1, third), { m: 1, n: 1, k: 2, precision: "bf16" });
    expect(c[0]).toBe(2 * roundBfloat16(third));
    expect(c[0]).not.toBe(2 * third);
  });
});

describe("gradients by central differences", () => {
  it("bias", () => {
    const [rows, channels, stride] = [3, 2, 4];
    const dy = randomArray(rows * stride, 1);
    const dBias = new Float64Array(channels);
    K.addBiasBackward(dBias, dy, rows, channels, stride);
    const f = (bias: Float64Array) => {
      const y = randomArray(rows * stride, 2);
      K.addBias(y, bias, rows, channels, stride);
      return y;
    };
    check(dBias, f, randomArray(channels, 3), dy);
  });

  it("embedding, with a repeated id", () => {
    const ids = Int32Array.of(2, 0, 2);
    const dy = randomArray(3 * 4, 1);
    const dTable = new Float64Array(5 * 4);
    K.embeddingBackward(dTable, ids, dy, 3, 4);
    const f = (table: Float64Array) => {
      const y = new Float64Array(3 * 4);
      K.embedding(y, ids, table, 3, 4);
      return y;
    };
    check(dTable, f, randomArray(5 * 4, 2), dy);
  });

  for (const shape of [
    { rows: 3, channels: 6, epsilon: 1e-5 },
    { rows: 2, channels: 4, groups: 3, strideX: 14, strideY: 13, epsilon: 1e-2 },
  ]) {
    it(`rmsnorm, ${shape.groups ?? 1} groups`, () => {
      const { rows, channels, groups = 1 } = shape;
      const [strideX, strideY] = [shape.strideX ?? channels, shape.strideY ?? channels];
      const x = randomArray(rows * strideX, 1);
      const w = randomArray(channels, 2);
      const dy = randomArray(rows * strideY, 3);
      const r = new Float64Array(rows * groups);
      const run = (x: Float64Array, w: Float64Array) => {
        const y = new Float64Array(rows * strideY);
        K.rmsnorm(y, r, x, w, shape);
        return y;
      };
      run(x, w);
      const dx = new Float64Array(x.length);
      const dw = new Float64Array(channels);
      K.rmsnormBackward(dx, dw, dy, x, w, r, { ...shape, accumulate: false });
      check(dx, (at) => run(at, w), x, dy);
      check(dw, (at) => run(x, at), w, dy);
      run(x, w);
      const twice = Float64Array.from(dx);
      K.rmsnormBackward(twice, dw, dy, x, w, r, { ...shape, accumulate: true });
      expect(
        relativeError(
          twice,
          dx.map((d) => 2 * d),
        ),
      ).toBeLessThan(1e-14);
    });
  }

  it("rope: backward is the turn by the opposite angle", () => {
    const [rows, heads, D, stride] = [3, 2, 4, 10];
    const positions = Int32Array.of(0, 2, 1);
    const angles = [0, 1, 2].flatMap((p) => [p * 1, p * 0.01]);
    const table = {
      cos: Float64Array.from(angles, Math.cos),
      sin: Float64Array.from(angles, Math.sin),
      positions,
    };
    const f = (x: Float64Array) => {
      const y = Float64Array.from(x);
      K.rope(y, table, rows, heads, D, stride, 1);
      return y;
    };
    const dy = randomArray(rows * stride, 1);
    const dx = Float64Array.from(dy);
    K.rope(dx, table, rows, heads, D, stride, -1);
    check(dx, f, randomArray(rows * stride, 2), dy);
    // Columns beyond the rotated heads (the values) are untouched.
    expect(f(dy).slice(8, 10)).toEqual(dy.slice(8, 10));
  });

  it("swiglu, rewriting h", () => {
    const [rows, F] = [3, 4];
    const gateUp = randomArray(rows * 2 * F, 1).map((x) => 3 * x);
    const dh = randomArray(rows * F, 2);
    const f = (x: Float64Array) => {
      const h = new Float64Array(rows * F);
      K.swiglu(h, x, rows, F);
      return h;
    };
    const [dGateUp, h] = [new Float64Array(gateUp.length), new Float64Array(rows * F)];
    K.swigluBackward(dGateUp, h, dh, gateUp, rows, F);
    check(dGateUp, f, gateUp, dh);
    expect(h).toEqual(f(gateUp));
  });

  const plain: AttentionShape = { batch: 2, tokens: 5, heads: 4, kvHeads: 4, headSize: 4, precision: "f32" };
  const shapes: Record<string, AttentionShape> = {
    "as many key/value heads": plain,
    grouped: { ...plain, kvHeads: 2 },
    "sliding window": { ...plain, kvHeads: 1, window: 2 },
    "packed documents": { ...plain, documents: Int32Array.of(0, 0, 1, 1, 1, 5, 6, 6, 6, 7) },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(`attention, ${name}`, () => {
      const rows = shape.batch * shape.tokens;
      const qkv = randomArray(rows * (shape.heads + 2 * shape.kvHeads) * shape.headSize, 1);
      const dO = randomArray(rows * shape.heads * shape.headSize, 2);
      const lse = new Float64Array(rows * shape.heads);
      const f = (at: Float64Array) => {
        const o = new Float64Array(dO.length);
        K.attention(o, lse, at, shape);
        return o;
      };
      const o = f(qkv);
      const dqkv = new Float64Array(qkv.length).fill(7);
      K.attentionBackward(dqkv, dO, qkv, o, lse, shape);
      check(dqkv, f, qkv, dO);
    });
  }

  it("head and cross-entropy, with a padded vocabulary and a row without weight", () => {
    const [rows, C, V, padded] = [4, 3, 5, 8];
    const hidden = randomArray(rows * C, 1);
    const head = randomArray(padded * C, 2);
    const targets = Int32Array.of(0, 4, 2, 2);
    const weights = Float64Array.of(1, 0, 0.5, 2);
    const scale = 0.25;
    const shape = { rows, channels: C, vocab: V, precision: "f32" } as const;
    const f = (hidden: Float64Array, head: Float64Array) => {
      const loss = new Float64Array(rows);
      K.headCrossEntropy(loss, hidden, head, targets, weights, shape);
      return loss;
    };
    const [dHidden, dHead, loss] = [
      new Float64Array(rows * C).fill(3),
      new Float64Array(padded * C),
      new Float64Array(rows),
    ];
    K.headCrossEntropy(loss, hidden, head, targets, weights, { ...shape, gradient: { dHidden, dHead, scale } });
    const dy = weights.map((w) => w * scale);
    check(dHidden, (at) => f(at, head), hidden, dy);
    check(dHead, (at) => f(hidden, at), head, dy);
    expect(loss[1]).toBe(0);
    expect([...dHidden.slice(C, 2 * C)]).toEqual([0, 0, 0]);
  });
});

it("cached attention row by row equals attention over the whole sequence", () => {
  for (const window of [undefined, 2]) {
    const shape = { batch: 1, tokens: 6, heads: 4, kvHeads: 2, headSize: 4, precision: "f32" as const };
    const options = window === undefined ? {} : { window };
    const stride = 8 * 4;
    const qkv = randomArray(6 * stride, 1);
    const whole = new Float64Array(6 * 16);
    K.attention(whole, new Float64Array(24), qkv, { ...shape, ...options });
    const [slots, maxTokens] = [3, 8];
    const cache = new Float64Array(slots * 2 * 2 * maxTokens * 4);
    const rows = new Float64Array(6 * 16);
    for (const [first, end] of [
      [0, 3],
      [3, 4],
      [4, 6],
    ] as const) {
      const position = Int32Array.from({ length: end - first }, (_, i) => first + i);
      K.cachedAttention(rows.subarray(first * 16), qkv.subarray(first * stride), cache, {
        rows: end - first,
        heads: 4,
        kvHeads: 2,
        headSize: 4,
        maxTokens,
        sequence: position.map(() => 1),
        position,
        ...options,
      });
    }
    expect(relativeError(rows, whole)).toBeLessThan(1e-14);
  }
});

it("AdamW's first step moves by the learning rate, after decay and clipping", () => {
  const [p, m, v] = [Float64Array.of(1, -2), new Float64Array(2), new Float64Array(2)];
  K.adamw(p, Float64Array.of(30, -5), m, v, {
    step: 1,
    learningRate: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 0,
    weightDecay: 0.5,
    gradScale: 0.1,
  });
  // m̂ = g, v̂ = g², so the move is lr·sign(g); decay first: 1·0.95 − 0.1 and −2·0.95 + 0.1.
  expect(p[0]).toBeCloseTo(0.85, 12);
  expect(p[1]).toBeCloseTo(-1.8, 12);
  expect(m[0]).toBeCloseTo(0.1 * 3, 12);
  expect(v[1]).toBeCloseTo(0.05 * 0.25, 12);
});

describe("bfloat16", () => {
  it("rounds to nearest, ties to even, and keeps the special values", () => {
    expect(roundBfloat16(1 + 2 ** -8)).toBe(1); // a tie: 1 is even
    expect(roundBfloat16(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6); // a tie: up to even
    expect(roundBfloat16(-0)).toBe(-0);
    expect(roundBfloat16(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(roundBfloat16(Number.NaN)).toBeNaN();
    for (let half = 0; half < 65536; half++) {
      const value = fromBfloat16(half);
      if (!Number.isNaN(value)) expect(toBfloat16(value)).toBe(half);
    }
  });

  it("is unbiased when stochastic", () => {
    const value = 1 + 2 ** -9; // a quarter of the way from 1 to the next bfloat16
    let ups = 0;
    for (let noise = 0; noise < 65536; noise++) ups += fromBfloat16(toBfloat16Stochastic(value, noise)) > 1 ? 1 : 0;
    expect(ups).toBe(65536 / 4);
  });
});

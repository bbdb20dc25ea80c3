import { beforeEach, describe, expect, it } from "vitest";
import { RandomState } from "../core/index.ts";
import { fromBfloat16, roundBfloat16, toBfloat16 } from "./bfloat16.ts";
import { describeNative, loadKernels } from "./index.ts";
import type { AttentionShape, Kernels, Precision, Storage } from "./kernels.ts";
import { referenceKernels } from "./reference.ts";

const native = describeNative();
const builds = Object.entries(native.builds ?? {})
  .filter(([, supported]) => supported)
  .map(([isa]) => isa);
const reference = referenceKernels();

type Kind = "f32" | "bf16";

let seed = 0;
// Every test and every build draws the same numbers, however many builds there are.
beforeEach(() => {
  seed = 0;
});
/** Random numbers of spread `scale` in the given storage. Each call draws new ones. */
function random(n: number, kind: Kind = "f32", scale = 1): Storage {
  const state = new RandomState(++seed);
  const values = Float32Array.from({ length: n }, () => (state.random() * 2 - 1) * scale);
  return kind === "f32" ? values : Uint16Array.from(values, toBfloat16);
}
const floats = (n: number, scale = 1) => random(n, "f32", scale) as Float32Array;
const blank = (n: number, kind: Kind = "f32"): Storage =>
  kind === "f32" ? new Float32Array(n).fill(7) : new Uint16Array(n).fill(0x40e0);

/** The same numbers for the oracle: float64, so that its outputs are not rounded. */
function wide(x: Storage): Float64Array {
  return x instanceof Uint16Array ? Float64Array.from(x, fromBfloat16) : Float64Array.from(x);
}

/** Largest difference over the largest number expected. */
function relativeError(got: Storage, expected: Float64Array): number {
  expect(got.length).toBe(expected.length);
  let [worst, size] = [0, 1e-30];
  const numbers = wide(got);
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(numbers[i]! - expected[i]!)); // NaN stays: Math.max passes it on
    size = Math.max(size, Math.abs(expected[i]!));
  }
  expect(worst).not.toBeNaN();
  return worst / size;
}

/** Rounding of float32 sums over up to some hundred terms of size one; one more rounding, 2^-9, where the output is bfloat16. */
function tolerance(output: Storage, precision: Precision = "f32"): number {
  const products = precision === "bf16" ? 2e-2 : 1e-5;
  return output instanceof Uint16Array ? products + 2 ** -8 : products;
}

interface Case {
  /** Outputs (and in-out arguments) first; the rest are inputs. */
  outputs: Storage[];
  inputs: Storage[];
  run(kernels: Kernels, outputs: Storage[], inputs: Storage[]): void;
  precision?: Precision;
}

const copy = (x: Storage) => x.slice() as Storage;

/** The addon against the oracle, then against itself with 1, 2 and 3 threads, bit for bit. */
function check(isa: string, { outputs, inputs, run, precision = "f32" }: Case) {
  const expected = outputs.map(wide);
  run(reference, expected, inputs.map(wide));
  const results = [1, 2, 3].map((threads) => {
    const got = outputs.map(copy);
    run(loadKernels({ implementation: "native", isa, threads }), got, inputs.map(copy));
    return got;
  });
  const [one, ...others] = results;
  for (const [i, got] of one!.entries()) {
    expect(relativeError(got, expected[i]!)).toBeLessThan(tolerance(got, precision));
    for (const other of others) expect(Buffer.compare(bytes(other[i]!), bytes(got))).toBe(0);
  }
}
const bytes = (x: Storage) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

const kinds: Kind[] = ["f32", "bf16"];
const precisions: Precision[] = ["f32", "bf16"];

describe.skipIf(!native.available)("parity with the reference", () => {
  describe.each(builds)("%s", (isa) => {
    const shapes = [
      [1, 1, 1],
      [1, 37, 100],
      [3, 5, 7],
      [17, 33, 19],
      [32, 70, 65],
      [45, 31, 64],
      [64, 96, 130],
      [129, 65, 257],
      [300, 48, 70],
      [57, 40, 1601],
      [40, 24, 4200],
    ] as const;
    describe.each(precisions)("gemm, products in %s", (precision) => {
      // Scaled float16 does not round to bfloat16: it is held to the exact product, within the same bounds.
      const oracle: Precision = isa === "avx512fp16" ? "f32" : precision;
      const asked = (K: Kernels) => ({ precision: K === reference ? oracle : precision });
      it.each(shapes)("%i x %i x %i", (m, n, k) => {
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            for (const kind of kinds) {
              check(isa, {
                precision,
                outputs: [random(m * n, kind)],
                inputs: [random(m * k, kind), random(n * k, kind === "f32" ? "bf16" : "f32")],
                run: (K, [c], [a, b]) =>
                  K.gemm(c!, a!, b!, {
                    m,
                    n,
                    k,
                    transposeA,
                    transposeB,
                    accumulate: transposeA,
                    alpha: 0.5,
                    ...asked(K),
                  }),
              });
            }
          }
        }
      });

      it("every number of rows that can be left over", () => {
        for (let m = 33; m <= 60; m++) {
          check(isa, {
            precision,
            outputs: [blank(m * 80)],
            inputs: [random(m * 90), random(90 * 80)],
            run: (K, [c], [a, b]) => K.gemm(c!, a!, b!, { m, n: 80, k: 90, ...asked(K) }),
          });
        }
      });

      it("column blocks of wider matrices; what lies between stays", () => {
        for (const m of [9, 50]) {
          check(isa, {
            precision,
            outputs: [random(m * 60)],
            inputs: [random(m * 45), random(41 * 45)],
            run: (K, [c], [a, b]) =>
              K.gemm(c!, a!, b!, { m, n: 41, k: 33, lda: 45, ldb: 45, ldc: 60, transposeB: true, ...asked(K) }),
          });
        }
      });
    });

    it("rounds inputs, not sums, in bf16", () => {
      const K = loadKernels({ implementation: "native", isa });
      // Scaled float16 keeps 11 bits where bfloat16 keeps 8.
      const rounded = isa === "avx512fp16" ? Math.round(2 ** 12 / 3) / 2 ** 12 : roundBfloat16(1 / 3);
      for (const m of [1, 40]) {
        const c = new Float32Array(m);
        K.gemm(c, new Float32Array(2 * m).fill(1 / 3), Float32Array.of(1, 1), { m, n: 1, k: 2, precision: "bf16" });
        expect(c[0]).toBe(Math.fround(2 * rounded));
      }
    });

    it.each(kinds)("bf16 is no further from the exact product than rounded inputs are, inputs in %s", (kind) => {
      const [m, n, k] = [70, 45, 300];
      const inputs = () => [random(m * k, kind), random(k * n, "f32")] as const;
      const rms = (x: Float64Array, y: Float64Array) => Math.hypot(...x.map((value, i) => value - y[i]!));
      let [ours, rounding] = [0, 0];
      for (let draw = 0; draw < 5; draw++) {
        const [a, b] = inputs();
        const [exact, rounded] = [new Float64Array(m * n), new Float64Array(m * n)];
        reference.gemm(exact, wide(a), wide(b), { m, n, k, precision: "f32" });
        reference.gemm(rounded, wide(a), wide(b), { m, n, k, precision: "bf16" });
        const c = new Float32Array(m * n);
        loadKernels({ implementation: "native", isa }).gemm(c, a, b, { m, n, k, precision: "bf16" });
        ours += rms(wide(c), exact);
        rounding += rms(rounded, exact);
      }
      expect(ours).toBeLessThan(rounding * 1.01);
    });

    it.each(kinds)("bf16 keeps the range of bfloat16, line by line, in %s", (kind) => {
      // Lines of very different sizes: each must be as exact, relative to itself, as if it stood alone.
      const [m, n, k] = [45, 40, 130];
      const stored = (x: Float32Array): Storage => (kind === "f32" ? x : Uint16Array.from(x, toBfloat16));
      const scales = [1e-30, 1e-12, 1e-3, 1, 1e5, 1e30];
      const a = floats(m * k).map((x, i) => x * scales[Math.floor(i / k) % 6]!);
      const K = loadKernels({ implementation: "native", isa });
      for (const transposeA of [false, true]) {
        const b = random(k * n);
        const given = transposeA ? a.map((_, i) => a[(i % m) * k + Math.floor(i / m)]!) : a;
        const [c, exact] = [new Float32Array(m * n), new Float64Array(m * n)];
        const shape = { m, n, k, transposeA };
        K.gemm(c, stored(given), b, { ...shape, precision: "bf16" });
        reference.gemm(exact, wide(stored(given)), wide(b), { ...shape, precision: "f32" });
        for (let row = 0; row < m; row++) {
          const line = row * n;
          expect(relativeError(c.subarray(line, line + n), exact.subarray(line, line + n))).toBeLessThan(2e-2);
        }
      }
    });

    it.each(kinds)("bf16 does not hide what is not a number, in %s", (kind) => {
      const [m, n, k] = [40, 35, 70];
      const K = loadKernels({ implementation: "native", isa });
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (const transposeA of [false, true]) {
          const a = floats(m * k);
          a[transposeA ? 33 * m + 7 : 7 * k + 33] = bad;
          const c = new Float32Array(m * n);
          const stored = kind === "f32" ? a : Uint16Array.from(a, toBfloat16);
          K.gemm(c, stored, floats(k * n), { m, n, k, transposeA, precision: "bf16" });
          for (let i = 0; i < m * n; i++) expect(Number.isFinite(c[i])).toBe(Math.floor(i / n) !== 7);
        }
      }
    });

    it.each(kinds)("bias, %s", (kind) => {
      const [rows, channels, stride] = [70, 45, 50];
      check(isa, {
        outputs: [random(rows * stride, kind)],
        inputs: [floats(channels)],
        run: (K, [y], [bias]) => K.addBias(y!, bias as Float32Array, rows, channels, stride),
      });
      check(isa, {
        outputs: [floats(channels)],
        inputs: [random(rows * stride, kind)],
        run: (K, [d], [dy]) => K.addBiasBackward(d as Float32Array, dy!, rows, channels, stride),
      });
    });

    it.each(kinds)("embedding with repeated ids, %s", (kind) => {
      const [rows, channels, vocab] = [300, 77, 11];
      const ids = Int32Array.from({ length: rows }, (_, i) => (i * 7) % vocab);
      check(isa, {
        outputs: [blank(rows * channels, kind)],
        inputs: [random(vocab * channels, kind)],
        run: (K, [y], [table]) => K.embedding(y!, ids, table!, rows, channels),
      });
      check(isa, {
        outputs: [floats(vocab * channels)],
        inputs: [random(rows * channels, kind)],
        run: (K, [d], [dy]) => K.embeddingBackward(d as Float32Array, ids, dy!, rows, channels),
      });
    });

    it.each([
      { rows: 150, channels: 100, groups: 1 },
      { rows: 33, channels: 24, groups: 5, strideX: 140, strideY: 125 },
    ])("rmsnorm, $groups groups of $channels", (shape) => {
      const { rows, channels, groups, strideX = channels * groups, strideY = channels * groups } = shape;
      const options = { rows, channels, groups, strideX, strideY, epsilon: 1e-5 };
      for (const kind of kinds) {
        const x = random(rows * strideX, kind);
        const w = floats(channels);
        check(isa, {
          outputs: [random(rows * strideY, kind), blank(rows * groups)],
          inputs: [x, w],
          run: (K, [y, r], [x, w]) => K.rmsnorm(y!, r as Float32Array, x!, w as Float32Array, options),
        });
        const r = new Float64Array(rows * groups);
        reference.rmsnorm(new Float64Array(rows * strideY), r, wide(x), wide(w), options);
        for (const accumulate of [false, true]) {
          check(isa, {
            outputs: [random(rows * strideX, kind), floats(channels)],
            inputs: [random(rows * strideY, kind), x, w, Float32Array.from(r)],
            run: (K, [dx, dw], [dy, x, w, r]) =>
              K.rmsnormBackward(dx!, dw as Float32Array, dy!, x!, w as Float32Array, r as Float32Array, {
                ...options,
                accumulate,
              }),
          });
        }
      }
    });

    it.each(kinds)("rope, %s", (kind) => {
      const [rows, heads, headSize, stride] = [40, 3, 20, 70];
      const positions = Int32Array.from({ length: rows }, (_, i) => (i * 3) % 17);
      for (const direction of [1, -1] as const) {
        check(isa, {
          outputs: [random(rows * stride, kind)],
          inputs: [floats(17 * 10), floats(17 * 10)],
          run: (K, [qkv], [cos, sin]) =>
            K.rope(
              qkv!,
              { cos: cos as Float32Array, sin: sin as Float32Array, positions },
              rows,
              heads,
              headSize,
              stride,
              direction,
            ),
        });
      }
    });

    it.each(kinds)("swiglu, %s", (kind) => {
      const [rows, F] = [37, 45];
      const gateUp = random(rows * 2 * F, kind, 6);
      check(isa, {
        outputs: [blank(rows * F, kind)],
        inputs: [gateUp],
        run: (K, [h], [gateUp]) => K.swiglu(h!, gateUp!, rows, F),
      });
      check(isa, {
        outputs: [blank(rows * 2 * F, kind), blank(rows * F, kind)],
        inputs: [random(rows * F, kind), gateUp],
        run: (K, [d, h], [dh, gateUp]) => K.swigluBackward(d!, h!, dh!, gateUp!, rows, F),
      });
    });

    const documents = (n: number) => Int32Array.from({ length: n }, (_, i) => Math.floor(i / 23));
    const attentions: [string, Omit<AttentionShape, "precision">][] = [
      ["one token", { batch: 1, tokens: 1, heads: 1, kvHeads: 1, headSize: 4 }],
      ["small", { batch: 2, tokens: 19, heads: 2, kvHeads: 2, headSize: 16 }],
      ["grouped", { batch: 1, tokens: 130, heads: 6, kvHeads: 2, headSize: 24 }],
      ["several blocks", { batch: 2, tokens: 315, heads: 2, kvHeads: 1, headSize: 40 }],
      ["window", { batch: 1, tokens: 300, heads: 2, kvHeads: 1, headSize: 32, window: 33 }],
      ["documents", { batch: 2, tokens: 150, heads: 2, kvHeads: 2, headSize: 32, documents: documents(300) }],
      ["both", { batch: 1, tokens: 290, heads: 1, kvHeads: 1, headSize: 64, window: 11, documents: documents(290) }],
    ];
    describe.each(precisions)("attention, products in %s", (precision) => {
      it.each(attentions)("%s", (_, rest) => {
        const shape = { ...rest, precision };
        const rows = shape.batch * shape.tokens;
        const width = (shape.heads + 2 * shape.kvHeads) * shape.headSize;
        const size = rows * shape.heads * shape.headSize;
        for (const kind of kinds) {
          const qkv = random(rows * width, kind, 2);
          check(isa, {
            precision,
            outputs: [blank(size, kind), blank(rows * shape.heads)],
            inputs: [qkv],
            run: (K, [o, lse], [qkv]) => K.attention(o!, lse as Float32Array, qkv!, shape),
          });
          const [o, lse] = [new Float64Array(size), new Float64Array(rows * shape.heads)];
          reference.attention(o, lse, wide(qkv), shape);
          check(isa, {
            precision,
            outputs: [blank(rows * width, kind)],
            inputs: [
              random(size, kind),
              qkv,
              kind === "f32" ? Float32Array.from(o) : Uint16Array.from(o, toBfloat16),
              Float32Array.from(lse),
            ],
            run: (K, [dqkv], [dO, qkv, o, lse]) =>
              K.attentionBackward(dqkv!, dO!, qkv!, o!, lse as Float32Array, shape),
          });
        }
      });
    });

    it.each(precisions)("gradients of attention reach tiny ones beside large ones, products in %s", (precision) => {
      const shape = { batch: 1, tokens: 70, heads: 2, kvHeads: 1, headSize: 24, precision };
      const [rows, width, size] = [70, 4 * 24, 2 * 24];
      const qkv = floats(rows * width, 2);
      // A token that the model is sure of has next to no gradient: its squares are nothing in float32.
      const sizes = [1, 1e-25, 1e-10, 0, 1e-30, 1e8];
      const dO = floats(rows * size).map((x, i) => x * sizes[Math.floor(i / size) % sizes.length]!);
      const [o, lse] = [new Float64Array(rows * size), new Float64Array(rows * 2)];
      reference.attention(o, lse, wide(qkv), { ...shape, precision: "f32" });
      const expected = new Float64Array(rows * width);
      reference.attentionBackward(expected, wide(dO), wide(qkv), o, lse, { ...shape, precision: "f32" });
      const got = new Float32Array(rows * width);
      const K = loadKernels({ implementation: "native", isa });
      K.attentionBackward(got, dO, qkv, Float32Array.from(o), Float32Array.from(lse), shape);
      for (let row = 0; row < rows; row++) {
        // Queries' gradients: those of a row come from its own dO alone. Row 0 sees one key: nothing to choose, no gradient.
        const [from, to] = [row * width, row * width + size];
        const bound = precision === "f32" ? 1e-4 : 5e-2;
        if (row > 0) expect(relativeError(got.subarray(from, to), expected.subarray(from, to))).toBeLessThan(bound);
        for (let i = from; i < from + width; i++) expect(got[i]).not.toBeNaN();
      }
    });

    it.each(kinds)("cached attention: a prompt, then ragged rows, %s", (kind) => {
      const [heads, kvHeads, headSize, maxTokens, slots] = [4, 2, 24, 64, 3];
      const width = (heads + 2 * kvHeads) * headSize;
      // Slot 1 gets a prompt of 40; slot 0 has 5 tokens, slot 2 has 60, and one more row each; slot 1 goes on with 2.
      const steps = [
        { sequence: Array(40).fill(1), position: Array.from({ length: 40 }, (_, i) => i) },
        { sequence: [0, 2, 1, 1], position: [5, 60, 40, 41] },
      ];
      for (const window of [undefined, 9]) {
        let cache = random(slots * 2 * kvHeads * maxTokens * headSize, kind);
        for (const { sequence, position } of steps) {
          const rows = sequence.length;
          const options = {
            rows,
            heads,
            kvHeads,
            headSize,
            maxTokens,
            sequence: Int32Array.from(sequence),
            position: Int32Array.from(position),
            ...(window === undefined ? {} : { window }),
          };
          const qkv = random(rows * width, kind);
          check(isa, {
            // A prompt over a bfloat16 cache is multiplied in bfloat16.
            precision: kind,
            outputs: [blank(rows * heads * headSize, kind), cache],
            inputs: [qkv],
            run: (K, [o, cache], [qkv]) => K.cachedAttention(o!, qkv!, cache!, options),
          });
          cache = copy(cache);
          reference.cachedAttention(new Float64Array(rows * heads * headSize), wide(qkv), cache, options);
        }
      }
    });

    describe.each(precisions)("head and cross-entropy, products in %s", (precision) => {
      it.each([
        { rows: 9, channels: 20, vocab: 50, padded: 64, skip: 0 },
        { rows: 140, channels: 40, vocab: 333, padded: 333, skip: 3 },
      ])("$rows rows, vocabulary $vocab", ({ rows, channels, vocab, padded, skip }) => {
        const targets = Int32Array.from({ length: rows }, (_, i) => (i * 5) % vocab);
        const weights = Float32Array.from({ length: rows }, (_, i) => (skip && i % skip === 0 ? 0 : 0.5 + (i % 3)));
        for (const kind of kinds) {
          check(isa, {
            precision,
            outputs: [blank(rows), blank(rows * channels, kind), floats(padded * channels)],
            inputs: [random(rows * channels, kind), random(padded * channels, kind), weights],
            run: (K, [loss, dHidden, dHead], [hidden, head, weights]) =>
              K.headCrossEntropy(loss as Float32Array, hidden!, head!, targets, weights as Float32Array, {
                rows,
                channels,
                vocab,
                precision,
                gradient: { dHidden: dHidden!, dHead: dHead as Float32Array, scale: 0.25 },
              }),
          });
        }
        // Without gradient, and the most likely id of every row, weight or not.
        const [hidden, head] = [random(rows * channels), random(padded * channels)];
        const results = [loadKernels({ implementation: "native", isa }), reference].map((K) => {
          const [loss, best] = [new Float32Array(rows), new Int32Array(rows)];
          const options = { rows, channels, vocab, precision, best };
          K.headCrossEntropy(loss, hidden, head, targets, weights, options);
          return { loss, best };
        });
        const [got, expected] = results as [(typeof results)[0], (typeof results)[0]];
        if (precision === "f32" || isa !== "avx512fp16") {
          expect(relativeError(got.loss, wide(expected.loss))).toBeLessThan(1e-5);
          expect(got.best).toEqual(expected.best);
          return;
        }
        // The oracle rounds to bfloat16, scaled float16 elsewhere: losses are near, and what was chosen is as likely as the likeliest.
        expect(relativeError(got.loss, wide(expected.loss))).toBeLessThan(5e-3);
        const nats = (ids: Int32Array) => {
          const loss = new Float32Array(rows);
          const options = { rows, channels, vocab, precision: "f32" } as const;
          reference.headCrossEntropy(loss, hidden, head, ids, new Float32Array(rows).fill(1), options);
          return loss;
        };
        const [chosen, likeliest] = [nats(got.best), nats(expected.best)];
        for (let i = 0; i < rows; i++) expect(Math.abs(chosen[i]! - likeliest[i]!)).toBeLessThan(2e-2);
      });
    });

    it("a frozen head leaves out its gradient; chunks of rows change nothing but rounding", () => {
      // 2100 rows need two chunks (at most 2048 rows each).
      const [rows, channels, vocab] = [2100, 8, 17];
      const targets = Int32Array.from({ length: rows }, (_, i) => i % vocab);
      const weights = new Float32Array(rows).fill(1);
      check(isa, {
        outputs: [blank(rows), blank(rows * channels)],
        inputs: [random(rows * channels), random(vocab * channels)],
        run: (K, [loss, dHidden], [hidden, head]) =>
          K.headCrossEntropy(loss as Float32Array, hidden!, head!, targets, weights, {
            rows,
            channels,
            vocab,
            precision: "f32",
            gradient: { dHidden: dHidden!, scale: 1 },
          }),
      });
    });

    it("adamw", () => {
      const n = 9001;
      const options = {
        step: 3,
        learningRate: 0.01,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weightDecay: 0.1,
        gradScale: 0.5,
        roundingSeed: 11,
      };
      const v = floats(n).map(Math.abs);
      check(isa, {
        outputs: [floats(n), floats(n), v],
        inputs: [floats(n)],
        run: (K, [p, m, v], [g]) => K.adamw(p as Float32Array, g as Float32Array, m!, v!, options),
      });
      // bfloat16 states: the same random bits as the reference, so equal but for float32 rounding before the draw.
      const [p, g, m] = [floats(n), floats(n), random(n, "bf16")];
      const states = [loadKernels({ implementation: "native", isa }), reference].map((K) => {
        const state = { p: p.slice(), m: copy(m), v: Uint16Array.from(v, toBfloat16) };
        K.adamw(state.p, g, state.m, state.v, options);
        return state;
      });
      expect(relativeError(states[0]!.p, wide(states[1]!.p))).toBeLessThan(1e-5);
      for (const name of ["m", "v"] as const) {
        const [got, wanted] = [states[0]![name], states[1]![name]];
        const different = Array.from(got).filter((bits, i) => bits !== wanted[i]).length;
        expect(different).toBeLessThan(n / 100);
      }
    });

    it.each(kinds)("scaleAdd and fill, %s", (kind) => {
      for (const n of [1, 15, 100, 70_001]) {
        for (const accumulate of [false, true]) {
          check(isa, {
            outputs: [random(n, kind)],
            inputs: [random(n, kind === "f32" ? "bf16" : "f32")],
            run: (K, [y], [x]) => K.scaleAdd(y!, x!, 0.75, accumulate),
          });
        }
        check(isa, { outputs: [random(n, kind)], inputs: [], run: (K, [y]) => K.fill(y!, 1.5) });
      }
    });

    it("sums squares in float64, the same for any number of threads", () => {
      const x = floats(100_003);
      const sums = [1, 2, 3].map((threads) => loadKernels({ implementation: "native", isa, threads }).sumSquares(x));
      expect(Math.abs(sums[0]! / reference.sumSquares(x) - 1)).toBeLessThan(1e-12);
      expect(new Set(sums).size).toBe(1);
    });

    it("shows NaN instead of hiding it", () => {
      const K = loadKernels({ implementation: "native", isa });
      const shape = { batch: 1, tokens: 20, heads: 1, kvHeads: 1, headSize: 16, precision: "f32" } as const;
      const qkv = floats(20 * 48);
      qkv[0] = Number.NaN;
      const [o, lse] = [new Float32Array(320), new Float32Array(20)];
      K.attention(o, lse, qkv, shape);
      expect(o[0]).toBeNaN();
      const h = new Uint16Array(20);
      K.swiglu(h, new Float32Array(40).fill(Number.NaN), 20, 1);
      expect(fromBfloat16(h[3]!)).toBeNaN();
      const loss = new Float32Array(1);
      K.headCrossEntropy(loss, new Float32Array(4).fill(Number.NaN), floats(40), Int32Array.of(1), Float32Array.of(1), {
        rows: 1,
        channels: 4,
        vocab: 10,
        precision: "f32",
      });
      expect(loss[0]).toBeNaN();
    });
  });
});

describe.skipIf(!native.available)("at the door", () => {
  const K = native.available ? loadKernels({ implementation: "native" }) : reference;
  const shape = { m: 2, n: 3, k: 4, precision: "f32" } as const;
  it("names the function, the argument, what came and what was expected", () => {
    expect(() => K.gemm(new Float32Array(5), floats(8), floats(12), shape)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gemm: c.length is 5; expected at least 6]`,
    );
    expect(() => K.gemm(new Float64Array(6), floats(8), floats(12), shape)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gemm: c is a Float64Array; expected a Float32Array, or a Uint16Array of bfloat16 bits (float64 is for the reference kernels only)]`,
    );
    expect(() => K.gemm(floats(6), floats(8), floats(12), { ...shape, lda: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: gemm: lda is 3; expected an integer of at least 4]`,
    );
    expect(() => K.embedding(floats(4), Int32Array.of(5), floats(8), 1, 4)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: embedding: ids[0] is 5; expected 0 to 1 (rows of the table)]`,
    );
    expect(() => K.sumSquares(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: sumSquares: x is missing; expected a Float32Array]`,
    );
  });

  it("targets outside the vocabulary matter only where they count", () => {
    const run = (weight: number) =>
      K.headCrossEntropy(new Float32Array(1), floats(4), floats(40), Int32Array.of(-100), Float32Array.of(weight), {
        rows: 1,
        channels: 4,
        vocab: 10,
        precision: "f32",
      });
    expect(() => run(1)).toThrow("targets[0] is -100; expected 0 to 9 (the vocabulary)");
    expect(() => run(0)).not.toThrow();
  });

  it("runs recorded calls on what their arrays hold then", () => {
    const [x, y, w] = [floats(8), new Float32Array(6), floats(12)];
    const ids = Int32Array.of(0, 1);
    const table = floats(8);
    const calls = (c: Float32Array) => {
      K.embedding(x, ids, table, 2, 4);
      K.gemm(c, x, w, shape);
    };
    const replay = K.record!(() => calls(y));
    expect(y).toEqual(new Float32Array(6));
    for (const order of [
      [1, 0],
      [0, 0],
    ]) {
      ids.set(order);
      const expected = new Float32Array(6);
      calls(expected);
      replay();
      expect(y).toEqual(expected);
    }
    ids[1] = 2;
    expect(() => replay()).toThrow("embedding: ids[1] is 2; expected 0 to 1 (rows of the table)");
    expect(() => K.record!(() => K.sumSquares(x))).toThrow("sumSquares: cannot be recorded");
    expect(K.sumSquares(Float32Array.of(3))).toBe(9);
  });

  it("allocates zeroed, aligned memory", () => {
    const memory = K.allocate(5 << 20);
    expect(memory.byteLength).toBe(5 << 20);
    expect(new Uint8Array(memory).every((byte) => byte === 0)).toBe(true);
    expect(K.allocate(0).byteLength).toBe(0);
    expect(() => K.allocate(2 ** 40)).toThrow();
  });

  it("refuses builds and thread counts that cannot be", () => {
    expect(() => loadKernels({ implementation: "native", isa: "avx9000" })).toThrow(
      `no build of the kernels named "avx9000"`,
    );
    expect(() => loadKernels({ implementation: "native", threads: 0 })).toThrow("the number of threads is 0");
    expect(() => loadKernels({ implementation: "native", threads: 1.5 })).toThrow("the number of threads is 1.5");
  });
});

/**
 * Each kernel at the shapes of training, in GFLOP/s or GB/s, and as a share of what this machine can do at most, measured in the same run:
 * multiply-adds on registers for products, a plain scaled copy over 256 MB for kernels that wait for memory.
 *
 * Every figure is the median of rounds in which the ceiling and the kernel take turns, so that a neighbour's load hits both.
 * MEDITRON_ISA and MEDITRON_THREADS choose what is measured.
 */
import { loadKernels, measurePeak, referenceKernels } from "../src/native/index.ts";
import type { AttentionShape, Kernels, Precision, Storage } from "../src/native/kernels.ts";
import type { Bench, BenchResult } from "./report.ts";

interface Case {
  name: string;
  /** What the kernel does, in floating-point operations or bytes. */
  work: number;
  ceiling: "f32" | "bf16" | "memory";
  run(): void;
}

let K: Kernels;

const storage = (n: number, precision: Precision = "f32"): Storage =>
  precision === "f32" ? new Float32Array(K.allocate(n * 4)) : new Uint16Array(K.allocate(n * 2));

/** Numbers in (-1, 1), cheap and repeatable; bfloat16 gets the same through the kernels. */
function numbers(n: number, precision: Precision = "f32"): Storage {
  const values = storage(n) as Float32Array;
  let state = 1;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
  if (precision === "f32") return values;
  const rounded = storage(n, "bf16");
  K.scaleAdd(rounded, values, 1, false);
  return rounded;
}

/** y = x Wᵀ and its two gradients, in the forms the model calls. */
function gemmCases(m: number, n: number, k: number, precision: Precision): Case[] {
  const [x, w, y] = [numbers(m * k, precision), numbers(n * k), numbers(m * n, precision)];
  const [dx, dw] = [storage(m * k, precision), storage(n * k)];
  const work = 2 * m * n * k;
  const name = (part: string) => `gemm ${m}x${n}x${k} ${precision} ${part}`;
  return [
    {
      name: name("forward"),
      work,
      ceiling: precision,
      run: () => K.gemm(y, x, w, { m, n, k, transposeB: true, precision }),
    },
    {
      name: name("backward-data"),
      work,
      ceiling: precision,
      run: () => K.gemm(dx, y, w, { m, n: k, k: n, precision }),
    },
    {
      name: name("backward-weight"),
      work,
      ceiling: precision,
      run: () => K.gemm(dw, y, x, { m: n, n: k, k: m, transposeA: true, accumulate: true, precision }),
    },
  ];
}

/** Few rows against a weight: generation. Reading the weight is the work. */
function decodeCases(rows: number, n: number, k: number): Case[] {
  const [x, w, y] = [numbers(rows * k), numbers(n * k, "bf16"), storage(rows * n)];
  return [
    {
      name: `gemm ${rows}x${n}x${k} bf16 decode`,
      work: n * k * 2,
      ceiling: "memory",
      run: () => K.gemm(y, x, w, { m: rows, n, k, transposeB: true, precision: "bf16" }),
    },
  ];
}

function attentionCases(shape: AttentionShape): Case[] {
  const { batch, tokens, heads, kvHeads, headSize, precision } = shape;
  const rows = batch * tokens;
  const width = (heads + 2 * kvHeads) * headSize;
  const [qkv, o, lse] = [
    numbers(rows * width, precision),
    storage(rows * heads * headSize, precision),
    storage(rows * heads),
  ];
  const [dO, dqkv] = [numbers(rows * heads * headSize, precision), storage(rows * width, precision)];
  K.attention(o, lse as Float32Array, qkv, shape);
  // Scores and outputs over the visible half: 2 products forward, 5 backward.
  const product = (2 * batch * heads * headSize * tokens * (tokens + 1)) / 2;
  const name = `attention ${batch}x${tokens}, ${heads} heads of ${headSize}, ${precision}`;
  return [
    {
      name: `${name} forward`,
      work: 2 * product,
      ceiling: precision,
      run: () => K.attention(o, lse as Float32Array, qkv, shape),
    },
    {
      name: `${name} backward`,
      work: 5 * product,
      ceiling: precision,
      run: () => K.attentionBackward(dqkv, dO, qkv, o, lse as Float32Array, shape),
    },
  ];
}

function headCase(rows: number, channels: number, vocab: number, precision: Precision): Case {
  const [hidden, head, loss] = [numbers(rows * channels, precision), numbers(vocab * channels), new Float32Array(rows)];
  const [dHidden, dHead] = [storage(rows * channels, precision), storage(vocab * channels) as Float32Array];
  const targets = Int32Array.from({ length: rows }, (_, i) => (i * 7) % vocab);
  const weights = new Float32Array(rows).fill(1);
  const gradient = { dHidden, dHead, scale: 1e-6 };
  return {
    name: `head + cross-entropy ${rows}x${vocab}x${channels} ${precision}`,
    work: 6 * rows * channels * vocab,
    ceiling: precision,
    run: () => K.headCrossEntropy(loss, hidden, head, targets, weights, { rows, channels, vocab, precision, gradient }),
  };
}

function memoryCases(rows: number, channels: number, precision: Precision): Case[] {
  const size = rows * channels;
  const bytes = precision === "f32" ? 4 : 2;
  const [x, y, r, w] = [
    numbers(size),
    storage(size, precision),
    storage(rows) as Float32Array,
    numbers(channels) as Float32Array,
  ];
  const shape = { rows, channels, epsilon: 1e-5 };
  const [gateUp, h, dh, dGateUp] = [
    numbers(2 * size, precision),
    storage(size, precision),
    numbers(size, precision),
    storage(2 * size, precision),
  ];
  const dw = new Float32Array(channels);
  const dx = storage(size);
  const table = (n: number) => new Float32Array(n).fill(0.6);
  const rope = { cos: table(channels / 2), sin: table(channels / 2), positions: new Int32Array(rows) };
  const name = (kernel: string) => `${kernel} ${rows}x${channels} ${precision}`;
  const memory = "memory" as const;
  return [
    {
      name: name("rmsnorm forward"),
      work: size * (4 + bytes),
      ceiling: memory,
      run: () => K.rmsnorm(y, r, x, w, shape),
    },
    {
      name: name("rmsnorm backward"),
      work: size * (12 + bytes),
      ceiling: memory,
      run: () => K.rmsnormBackward(dx, dw, y, x, w, r, { ...shape, accumulate: true }),
    },
    {
      name: name("swiglu forward"),
      work: size * 3 * bytes,
      ceiling: memory,
      run: () => K.swiglu(h, gateUp, rows, channels),
    },
    {
      name: name("swiglu backward"),
      work: size * 6 * bytes,
      ceiling: memory,
      run: () => K.swigluBackward(dGateUp, h, dh, gateUp, rows, channels),
    },
    {
      name: name("rope"),
      work: size * 2 * bytes,
      ceiling: memory,
      run: () => K.rope(y, rope, rows, 1, channels, channels, 1),
    },
  ];
}

function adamwCases(n: number): Case[] {
  const options = {
    step: 2,
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    gradScale: 1,
    roundingSeed: 1,
  };
  const [p, g] = [numbers(n) as Float32Array, numbers(n) as Float32Array];
  return (["f32", "bf16"] as const).map((kind) => {
    const [m, v] = [storage(n, kind), storage(n, kind)];
    return {
      name: `adamw ${n / 1e6}M, ${kind} states`,
      work: n * (12 + 4 * (kind === "f32" ? 4 : 2)),
      ceiling: "memory" as const,
      run: () => K.adamw(p, g, m, v, options),
    };
  });
}

/** Checks a product against the reference before anything is timed: a fast wrong answer is worth nothing. */
function verify(precision: Precision): void {
  const [m, n, k] = [61, 67, 130];
  const [a, b, c] = [numbers(m * k), numbers(n * k), new Float32Array(m * n)];
  const expected = new Float64Array(m * n);
  const options = { m, n, k, transposeB: true, precision } as const;
  // Scaled float16 does not round to bfloat16: it is held to the exact product.
  const isScaled = precision === "bf16" && K.description.includes("avx512fp16");
  K.gemm(c, a, b, options);
  referenceKernels().gemm(expected, a, b, isScaled ? { ...options, precision: "f32" } : options);
  const worst = c.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const allowed = isScaled ? 5e-3 * largest : 1e-3;
  if (!(worst < allowed)) throw new Error(`gemm in ${precision} is off by ${worst}: nothing was timed`);
}

/** Seconds of one call: enough calls to fill `milliseconds`. */
function seconds(run: () => void, milliseconds: number): number {
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    run();
    calls++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return elapsed / calls / 1000;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

export const run: Bench = async ({ quick, args }) => {
  K = loadKernels({ implementation: "native" });
  for (const precision of ["f32", "bf16"] as const) verify(precision);
  const shapes = quick
    ? [[512, 768, 256]]
    : [
        [4096, 768, 256],
        [4096, 256, 688],
        [512, 768, 256],
        [2048, 1376, 512],
        [1024, 2048, 768],
        [2048, 32000, 288],
        [2048, 2048, 2048],
      ];
  const precisions: Precision[] = ["f32", "bf16"];
  const builders: (() => Case[])[] = [
    ...precisions.flatMap((precision) =>
      shapes.map(
        ([m, n, k]) =>
          () =>
            gemmCases(m!, n!, k!, precision),
      ),
    ),
    ...precisions.flatMap((precision) =>
      [
        [2, 256, 8, 32],
        [4, 512, 8, 64],
        [1, 1024, 12, 64],
      ]
        .slice(0, quick ? 1 : 3)
        .map(([batch, tokens, heads, headSize]) => () => {
          const shape = { batch: batch!, tokens: tokens!, heads: heads!, kvHeads: heads!, headSize: headSize! };
          return attentionCases({ ...shape, precision });
        }),
    ),
    ...precisions.flatMap((precision) => [
      () => [headCase(512, 256, 4096, precision)],
      ...(quick ? [] : [() => [headCase(2048, 288, 32000, precision)]]),
    ]),
    ...precisions.map((precision) => () => memoryCases(quick ? 2048 : 8192, 1024, precision)),
    () => adamwCases(quick ? 1e6 : 16e6),
    () => decodeCases(1, 32000, quick ? 256 : 1024),
    () => decodeCases(16, 32000, quick ? 256 : 1024),
  ];

  // A scaled copy far larger than any cache.
  const size = quick ? 4 << 20 : 32 << 20;
  const [from, to] = [numbers(size), storage(size)];
  const copy = () => (8 * size) / seconds(() => K.scaleAdd(to, from, 1, false), 1);
  const ceilings = { f32: () => measurePeak("f32", 15), bf16: () => measurePeak("bf16", 15), memory: copy };
  const peaks: Record<Case["ceiling"], number[]> = { f32: [], bf16: [], memory: [] };

  const filter = args.find((arg) => !arg.startsWith("-"));
  const results: BenchResult[] = [];
  for (const build of builders) {
    for (const { name, work, ceiling, run } of build()) {
      if (filter && !name.includes(filter)) continue;
      run();
      const [rates, shares]: [number[], number[]] = [[], []];
      for (let round = 0; round < (quick ? 3 : 5); round++) {
        const peak = ceilings[ceiling]();
        const rate = work / seconds(run, quick ? 10 : 40);
        peaks[ceiling].push(peak);
        rates.push(rate);
        shares.push(rate / peak);
      }
      const unit = ceiling === "memory" ? "GB/s" : "GFLOP/s";
      results.push({ case: name, ours: median(rates) / 1e9, unit, shareOfPeak: median(shares) });
      process.stderr.write(
        `${name}: ${(median(rates) / 1e9).toFixed(1)} ${unit}, ${(100 * median(shares)).toFixed(0)}% of peak\n`,
      );
    }
  }
  const ceiling = (kind: Case["ceiling"]) =>
    peaks[kind].length > 0 ? (median(peaks[kind]) / 1e9).toFixed(1) : "not measured";
  return {
    subject: "kernels",
    unit: "GFLOP/s or GB/s",
    results,
    notes: [
      K.description,
      `ceilings, medians of this run: ${ceiling("f32")} GFLOP/s f32, ${ceiling("bf16")} GFLOP/s bf16 (registers only), ${ceiling("memory")} GB/s copied`,
      "Kernels that wait for memory may pass 100%: their data can rest in a cache, the copy's cannot.",
    ],
  };
};

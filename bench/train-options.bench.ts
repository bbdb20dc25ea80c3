/**
 * What each option of training costs and saves: planned memory, speed, and the loss after the same steps on the same data (a Markov chain of
 * order two that can be learnt).
 *
 *   npm run bench -- train-options [--quick] [--json]
 */
import { counterRandom } from "../src/core/index.ts";
import { initializeModel, type MemorySettings, memoryPlan } from "../src/model/index.ts";
import { loadKernels } from "../src/native/index.ts";
import { trainJobSchema } from "../src/train/index.ts";
import { AdamW } from "../src/train/optimizer.ts";
import type { Bench } from "./report.ts";
import { configOf, median, type Shape } from "./shapes.ts";

const SHAPE: Shape = {
  dim: 128,
  layers: 4,
  heads: 4,
  kvHeads: 4,
  ffn: 344,
  vocab: 512,
  sequenceLength: 128,
  batch: 8,
};

interface Option {
  name: string;
  micro?: number;
  precision?: "f32" | "bf16";
  recompute?: boolean;
  states?: "f32" | "bf16";
  lora?: { rank: number; alpha: number; targets: ("q_proj" | "v_proj" | "up_proj" | "down_proj")[] };
}

const OPTIONS: Option[] = [
  { name: "plain" },
  { name: "gradient accumulation: 4 micro-batches of 2", micro: 2 },
  { name: "gradient accumulation: 8 micro-batches of 1", micro: 1 },
  { name: "recompute", recompute: true },
  { name: "optimizer states in bf16, stochastic rounding", states: "bf16" },
  { name: "recompute + bf16 states + micro-batch 1", recompute: true, states: "bf16", micro: 1 },
  { name: "precision bf16", precision: "bf16" },
  {
    name: "LoRA rank 8 (of the initial weights)",
    lora: { rank: 8, alpha: 16, targets: ["q_proj", "v_proj", "up_proj", "down_proj"] },
  },
];

export const run: Bench = async ({ quick }) => {
  const kernels = loadKernels();
  const steps = quick ? 20 : 200;
  const config = configOf(SHAPE);
  const { batch, sequenceLength: T, vocab } = SHAPE;
  const results = OPTIONS.map(({ name, micro = batch, precision = "f32", recompute = false, states = "f32", lora }) => {
    const settings: MemorySettings = {
      precision,
      recompute,
      microBatchSize: micro,
      sequenceLength: T,
      optimizerStates: states,
      ...(lora && { trainable: lora }),
    };
    const plan = memoryPlan(config, settings);
    const model = initializeModel(config, { kernels, precision, recompute, seed: 1, ...(lora && { lora }) });
    const optimizer = new AdamW(model.trainable, trainJobSchema.shape.optimizer.parse({ states }), kernels, 1);
    const losses: number[] = [];
    const started = performance.now();
    for (let step = 1; step <= steps; step++) {
      model.zeroGradients();
      let nats = 0;
      for (let at = 0; at < batch; at += micro) {
        const rows = Array.from({ length: micro }, (_, i) => chain(step * batch + at + i, T + 1, vocab));
        const tokens = Int32Array.from(rows.flatMap((row) => row.slice(0, -1)));
        const targets = Int32Array.from(rows.flatMap((row) => row.slice(1)));
        nats += model.lossAndGradients({ batch: micro, tokens, targets, scale: 1 / (batch * T) }).loss;
      }
      optimizer.step(step, 2e-3, optimizer.gradNorm());
      losses.push(nats / (batch * T));
    }
    const seconds = (performance.now() - started) / 1000;
    const mib = (bytes: number) => bytes / 2 ** 20;
    return {
      case: name,
      ours: (steps * batch * T) / seconds,
      loss: median(losses.slice(-10)),
      activationsMiB: mib(plan.activations),
      optimizerMiB: mib(plan.optimizer),
      gradientsMiB: mib(plan.gradients),
      totalMiB: mib(plan.total),
    };
  });
  return {
    subject: "train-options",
    unit: "tokens/s",
    results,
    notes: [
      `${kernels.description}; loss: median of the last 10 of ${steps} steps, ln(vocab) = ${Math.log(vocab).toFixed(2)}`,
    ],
  };
};

/** The next token follows from the last two, with a sixteenth of noise. */
function chain(sample: number, length: number, vocab: number): number[] {
  const row = [counterRandom(sample, 0) % vocab, counterRandom(sample, 1) % vocab];
  while (row.length < length) {
    const n = row.length;
    const random = counterRandom(sample, n);
    row.push(random % 16 === 0 ? (random >>> 4) % vocab : (row[n - 1]! + (row[n - 2]! & 7) * 13 + 1) % vocab);
  }
  return row;
}

/**
 * TrainJob and TrainEvent: the JSON that every engine takes and the JSON lines that every engine reports.
 * The same job on the same tokens gives the same loss curve within rounding on any engine.
 */
import { z } from "zod";

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.number().int().positive();

export const scheduleSchema = z.strictObject({
  shape: z.enum(["cosine", "linear", "constant"]).default("cosine"),
  peakLearningRate: positive,
  minLearningRate: z.number().min(0),
  warmupSteps: z.number().int().min(0),
  /** Steps over which the curve falls to the minimum. MEDITRON sets it to two epochs and stops after one (SPEC 1e). */
  decaySteps: count,
});

export const optimizerSchema = z.strictObject({
  beta1: fraction.default(0.9),
  beta2: fraction.default(0.95),
  epsilon: positive.default(1e-5),
  weightDecay: z.number().min(0).default(0.1),
  gradClip: positive.nullable().default(1),
  /** Precision of the moments; bf16 is rounded stochastically (seeded). */
  states: z.enum(["f32", "bf16"]).default("f32"),
});

export const loraSchema = z.strictObject({
  rank: count,
  alpha: positive,
  targets: z
    .array(z.enum(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
    .min(1)
    .default(["q_proj", "k_proj", "v_proj", "o_proj"]),
});

/** Token shards to draw windows from, blended by weight (Megatron's algorithm), or a finetuning file. */
export const dataSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("pretraining"),
    /** Prefixes of `.bin/.idx` with their weights; weights are normalised. */
    sets: z.array(z.strictObject({ prefix: z.string(), weight: positive })).min(1),
    validation: z.array(z.strictObject({ name: z.string(), prefix: z.string() })).default([]),
    /** Attention and positions restart at each document. MEDITRON's default is off. */
    maskDocuments: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("finetuning"),
    /** JSON lines of { tokens: number[], weights: number[] } made by `train/finetuning.ts`. */
    examples: z.string(),
    validation: z.array(z.strictObject({ name: z.string(), examples: z.string() })).default([]),
    /** Right-pad each example (SPEC 1f), or pack several with document masks. */
    layout: z.enum(["padded", "packed"]).default("padded"),
  }),
]);

export const trainJobSchema = z.strictObject({
  name: z.string(),
  engine: z.enum(["embedded", "torch"]).default("embedded"),
  /** Folder for checkpoints/step-NNNNNNN and events.jsonl. */
  directory: z.string(),
  /** Model directory to start from: weights, or a config.json alone (then initialised from `seed`). */
  model: z.string(),
  tokenizer: z.string(),
  /** Add rows for tokens that the tokenizer has and the model lacks; otherwise such a tokenizer is refused. */
  growVocabulary: z.boolean().default(false),
  data: dataSchema,
  seed: z.number().int().min(0).default(1234),
  sequenceLength: count,
  /** Windows in one optimizer step. */
  globalBatchSize: count,
  /** Windows computed at once; divides the global batch. */
  microBatchSize: count,
  steps: count,
  schedule: scheduleSchema,
  optimizer: optimizerSchema.prefault({}),
  precision: z.enum(["f32", "bf16"]).default("bf16"),
  /** Recompute block activations in the backward pass. */
  recompute: z.boolean().default(false),
  lora: loraSchema.optional(),
  checkpointEverySteps: count.default(1000),
  keepCheckpoints: count.default(2),
  validateEverySteps: count.default(100),
  validationBatches: count.default(10),
  /** Robust z-score on loss and gradient norm over a window; act = roll back and skip (off by default). */
  spikes: z
    .strictObject({
      policy: z.enum(["off", "warn", "act"]).default("off"),
      window: count.default(128),
      zScore: positive.default(6),
      skipSteps: count.default(10),
    })
    .prefault({}),
  threads: count.optional(),
  /** Settings of the torch engine only (worker/README). */
  torch: z.record(z.string(), z.unknown()).optional(),
});

export type TrainJob = z.infer<typeof trainJobSchema>;
export type Schedule = z.infer<typeof scheduleSchema>;
export type Optimizer = z.infer<typeof optimizerSchema>;

/** One line of events.jsonl. `time` is ISO 8601 and is the only member that may differ between a run and its resumed twin (with `tokensPerSecond` and `seconds`). */
export type TrainEvent =
  | {
      event: "train-start";
      time: string;
      job: string;
      parameters: number;
      resumedFromStep: number;
      kernels: string;
      memoryPlanBytes: number;
      /** Its parts, in bytes, where the engine plans them. */
      memoryPlan?: { weights: number; gradients: number; optimizer: number; activations: number; scratch: number };
    }
  | {
      event: "step-end";
      time: string;
      step: number;
      /** Mean over the step's weighted target tokens, in nats. */
      loss: number;
      gradNorm: number;
      learningRate: number;
      /** Global sample number after this step: the data position. */
      samples: number;
      /** Target tokens with weight > 0 in this step. */
      tokens: number;
      tokensPerSecond: number;
    }
  | {
      event: "validation-end";
      time: string;
      step: number;
      name: string;
      loss: number;
      perplexity: number;
      bitsPerByte?: number;
      tokens: number;
    }
  | { event: "checkpoint-saved"; time: string; step: number; path: string; seconds: number }
  | {
      event: "loss-spike";
      time: string;
      step: number;
      loss: number;
      gradNorm: number;
      zScore: number;
      action: "warned" | "rolled-back";
      skippedSamples?: [number, number];
    }
  | { event: "train-end"; time: string; step: number; loss: number; seconds: number }
  | { event: "train-cancelled"; time: string; step: number }
  | { event: "train-failed"; time: string; step: number; code: string; message: string };

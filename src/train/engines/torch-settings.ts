/**
 * Settings of the torch engine: the `torch` block of a TrainJob. `worker/settings.py` has the same as dataclasses; a test holds
 * the two equal.
 */
import { z } from "zod";
import { ConfigError } from "../../core/index.ts";
import type { TrainJob } from "../job.ts";

const count = z.number().int().positive();

/** pipeline × replicate × shard × tensor = processes. */
export const layoutSchema = z.strictObject({
  /** Whole copies of the sharded model (HSDP). */
  replicate: count.default(1),
  /** Processes that weights, gradients and optimizer states are cut over (FSDP2). null: whatever the others leave. */
  shard: count.nullable().default(null),
  /** Processes that each matrix is cut over, with the tokens between matrices (TP with sequence parallelism): one machine. */
  tensor: count.default(1),
  /** Processes that the layers are cut over. */
  pipeline: count.default(1),
  pipelineSchedule: z.enum(["1F1B", "Interleaved1F1B"]).default("1F1B"),
  /** Stages on each pipeline process; above 1 they are interleaved, for a smaller bubble. */
  stagesPerRank: count.default(1),
});

export const torchSettingsSchema = z.strictObject({
  /** The Python that has PyTorch. null: $MEDITRON_PYTHON, then .venv, then python3. */
  python: z.string().nullable().default(null),
  nodes: count.default(1),
  /** null: the GPUs of this machine; without any, what the layout asks for. */
  processesPerNode: count.nullable().default(null),
  device: z.enum(["auto", "cpu", "cuda"]).default("auto"),
  layout: layoutSchema.prefault({}),
  /** Compile each block. auto: on GPUs. */
  compile: z.enum(["auto", "on", "off"]).default("auto"),
  /** auto: cuDNN's where a test at the start finds its gradients right, else flash. */
  attention: z.enum(["auto", "cudnn", "flash", "math"]).default("auto"),
  /** With `recompute`: everything again, or all but attention and every second product. */
  recomputePolicy: z.enum(["full", "selective"]).default("full"),
  /** Rows of logits that exist at once. */
  headChunkTokens: count.default(2048),
  /** Products of the blocks in float8, one scale a tensor. */
  fp8: z.boolean().default(false),
  /** What weights are trained in; bf16 is rounded stochastically (half the memory of f32). */
  masters: z.enum(["f32", "bf16"]).default("f32"),
  /** Number type of the saved model. null: the job's precision. */
  exportDtype: z.enum(["f32", "bf16"]).nullable().default(null),
  /** Write checkpoints while training goes on. */
  asyncCheckpoints: z.boolean().default(true),
  /** How often torchrun starts all processes again after one died. */
  maxRestarts: z.number().int().min(0).default(0),
  /** Check versions, shared memory, network and one pass at the real shape before the first step. */
  preflight: z.boolean().default(true),
  /** Deterministic algorithms everywhere: slower, and the same bits on the same layout. */
  deterministic: z.boolean().default(false),
  collectiveTimeoutSeconds: count.default(1800),
  /** Dense bf16 peak of a device in TFLOP/s, for utilisation. null: by the device's name. */
  peakTflops: z.number().positive().nullable().default(null),
});

export type TorchSettings = z.infer<typeof torchSettingsSchema>;
export type Layout = z.infer<typeof layoutSchema>;

/** @throws {ConfigError} TRAIN_BAD_JOB with every problem of the `torch` block at once. */
export function parseTorchSettings(job: Pick<TrainJob, "torch" | "name">): TorchSettings {
  const result = torchSettingsSchema.safeParse(job.torch ?? {});
  if (result.success) return result.data;
  throw new ConfigError("TRAIN_BAD_JOB", {
    message: result.error.issues.map((issue) => `torch.${issue.path.join(".")}: ${issue.message}`).join("; "),
    where: job.name,
    remedy: "correct these settings",
  });
}

/** Processes that a layout needs; with `shard: null`, at least. */
export function layoutSize(layout: Layout): number {
  return layout.pipeline * layout.replicate * layout.tensor * (layout.shard ?? 1);
}

/** Products are at full speed from about so many tokens on; more only take memory. */
const SATURATING_TOKENS = 8192;

/**
 * Windows computed at once where the job does not say: as many as the layout divides evenly and as keep a device busy.
 * @param processes - All of the job's.
 */
export function defaultMicroBatchSize(
  { globalBatchSize, sequenceLength }: Pick<TrainJob, "globalBatchSize" | "sequenceLength">,
  { layout }: TorchSettings,
  processes: number,
): number {
  const perRank = (globalBatchSize * layout.pipeline * layout.tensor) / processes;
  const isEven = (size: number) => Number.isInteger(perRank / size) && (perRank / size) % layout.pipeline === 0;
  const most = Math.max(1, Math.min(perRank, Math.floor(SATURATING_TOKENS / sequenceLength)));
  for (let size = Math.floor(most); size > 1; size--) if (isEven(size)) return size;
  return 1;
}

/** What worker/parallel.py would refuse, before a queue has been waited through. @throws {ConfigError} TRAIN_BAD_JOB */
export function checkLayout(job: TrainJob, settings: TorchSettings, processes: number): void {
  const { layout } = settings;
  const fixed = layout.pipeline * layout.replicate * layout.tensor;
  const shard = layout.shard ?? Math.floor(processes / fixed);
  const ranks = layout.replicate * shard;
  const microBatches = job.globalBatchSize / (ranks * job.microBatchSize);
  const problem =
    fixed * shard !== processes || shard === 0
      ? `torch.layout: pipeline ${layout.pipeline} x replicate ${layout.replicate} x shard ${layout.shard ?? "rest"} x tensor ${layout.tensor} does not make ${processes} processes`
      : !Number.isInteger(microBatches)
        ? `globalBatchSize ${job.globalBatchSize} is not a multiple of microBatchSize ${job.microBatchSize} x ${ranks} data ranks`
        : layout.pipeline > 1 && microBatches % layout.pipeline !== 0
          ? `${microBatches} micro-batches a step are not a multiple of the ${layout.pipeline} pipeline ranks`
          : job.sequenceLength % layout.tensor !== 0
            ? `sequenceLength ${job.sequenceLength} is not a multiple of tensor ${layout.tensor}`
            : undefined;
  if (problem === undefined) return;
  throw new ConfigError("TRAIN_BAD_JOB", {
    message: problem,
    where: job.name,
    remedy: "correct torch.layout, torch.nodes, torch.processesPerNode or the batch",
  });
}

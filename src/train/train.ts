/** Runs a TrainJob on its engine. */
import { ConfigError, formatBytes, formatCount, formatDuration, formatPercent } from "../core/index.ts";
import { type EngineOptions, trainEmbedded } from "./engines/embedded.ts";
import { trainTorch } from "./engines/torch.ts";
import { type TrainEvent, type TrainJob, trainJobSchema } from "./job.ts";
import { formatMemoryPlan } from "./memory.ts";
import type { TrainResult } from "./trainer.ts";

/**
 * Trains. A directory that holds checkpoints of the same job is resumed.
 *
 * @throws {ConfigError} TRAIN_BAD_JOB, TRAIN_MEMORY, TRAIN_CHANGED_JOB, TOKENIZER_TOO_LARGE … before any work.
 * @throws {NumericError} TRAIN_NOT_FINITE, TRAIN_UNSTABLE. @throws {RetryableError} IO_DISK_FULL. @throws {CancelledError}
 */
export async function train(input: unknown, options: EngineOptions = {}): Promise<TrainResult> {
  const job = parseTrainJob(input);
  if (job.engine === "embedded") return trainEmbedded(job, options);
  return trainTorch(job, options);
}

/** Checks a job and fills in the defaults. @throws {ConfigError} TRAIN_BAD_JOB with every problem at once. */
export function parseTrainJob(input: unknown): TrainJob {
  const result = trainJobSchema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError("TRAIN_BAD_JOB", {
    message: result.error.issues.map((issue) => `${issue.path.join(".") || "job"}: ${issue.message}`).join("; "),
    where: "training job",
    remedy: "correct these settings",
  });
}

/** Prints events as lines, the way people watch a training. @param write - Takes a line without its newline. */
export function progressPrinter(job: Pick<TrainJob, "steps">, write: (line: string, event: TrainEvent) => void) {
  let secondsPerStep = 0;
  let lastMs = 0;
  return (event: TrainEvent): void => {
    const nowMs = Date.parse(event.time);
    if (event.event === "step-end") {
      // Smoothed over the last ten steps or so, validation and checkpoints included.
      const seconds = lastMs === 0 ? event.tokens / event.tokensPerSecond : (nowMs - lastMs) / 1000;
      secondsPerStep = secondsPerStep === 0 ? seconds : secondsPerStep + 0.1 * (seconds - secondsPerStep);
    }
    if (event.event === "step-end" || event.event === "train-start") lastMs = nowMs;
    const line = formatEvent(event, job.steps, secondsPerStep);
    if (line !== undefined) write(line, event);
  };
}

/** `step 1200/20000 (6.0%) | loss 3.2817 | lr 3.0e-4 | grad norm 0.81 | 41,900 tok/s | eta 2h02m` */
export function formatEvent(event: TrainEvent, steps: number, secondsPerStep: number): string | undefined {
  switch (event.event) {
    case "train-start":
      return [
        `${event.job}: ${formatCount(event.parameters)} parameters on ${event.kernels}`,
        ...(event.resumedFromStep > 0 ? [`resumed from step ${event.resumedFromStep}`] : []),
        ...(event.memoryPlan
          ? [`memory ${formatBytes(event.memoryPlanBytes)} (${formatMemoryPlan(event.memoryPlan)})`]
          : []),
      ].join(", ");
    case "step-end":
      return [
        `step ${event.step}/${steps} (${formatPercent(event.step / steps)})`,
        `loss ${event.loss.toFixed(4)}`,
        `lr ${event.learningRate.toExponential(1)}`,
        `grad norm ${event.gradNorm.toFixed(2)}`,
        `${threeDigits(event.tokensPerSecond)} tok/s`,
        `eta ${formatDuration((steps - event.step) * secondsPerStep)}`,
      ].join(" | ");
    case "validation-end": {
      const bits = event.bitsPerByte === undefined ? "" : ` | ${event.bitsPerByte.toFixed(3)} bits/byte`;
      return `validation ${event.name} at step ${event.step} | loss ${event.loss.toFixed(4)} | perplexity ${event.perplexity.toFixed(2)}${bits}`;
    }
    case "checkpoint-saved":
      return `checkpoint ${event.path} | ${formatDuration(event.seconds)}`;
    case "loss-spike":
      return `loss spike at step ${event.step}: loss ${event.loss.toFixed(4)}, z-score ${event.zScore.toFixed(1)}, ${
        event.skippedSamples ? `rolled back, samples ${event.skippedSamples.join(" to ")} skipped` : "kept"
      }`;
    case "train-end":
      return `done: ${event.step} steps | loss ${event.loss.toFixed(4)} | in ${formatDuration(event.seconds)}`;
    case "train-cancelled":
      return `stopped at step ${event.step}; run again to go on`;
    case "train-failed":
      return undefined;
    default:
      return event satisfies never;
  }
}

/** 41871.3 → "41,900". */
function threeDigits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}

/** What makes two jobs the same run: everything that decides the numbers, and nothing that only decides where or how often. */
import { ConfigError, canonicalJson } from "../core/index.ts";
import type { TrainJob } from "./job.ts";

/** Keys that may change between a run and its resumption: no weight depends on them. */
const FREE = [
  "name",
  "directory",
  "threads",
  "checkpointEverySteps",
  "keepCheckpoints",
  "validateEverySteps",
  "validationBatches",
] as const;

/** Settings by dotted key ("optimizer.beta1"), with contents in place of paths. */
export type JobIdentity = Record<string, unknown>;

/** @param contents - Hashes of what the job's paths name: data, tokenizer, the model's config. */
export function jobIdentity(job: TrainJob, contents: Record<string, string>): JobIdentity {
  const rest: Record<string, unknown> = { ...job, model: undefined, tokenizer: undefined };
  for (const key of FREE) delete rest[key];
  const data =
    job.data.kind === "pretraining"
      ? {
          kind: job.data.kind,
          weights: job.data.sets.map(({ weight }) => weight),
          maskDocuments: job.data.maskDocuments,
        }
      : { kind: job.data.kind, layout: job.data.layout };
  return flatten({ ...rest, data, contents });
}

function flatten(value: unknown, prefix = ""): JobIdentity {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return value === undefined ? {} : { [prefix]: value };
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      Object.entries(flatten(member, prefix ? `${prefix}.${key}` : key)),
    ),
  );
}

/** @throws {ConfigError} TRAIN_CHANGED_JOB listing every difference. */
export function requireSameJob(saved: JobIdentity, now: JobIdentity, where: string): void {
  const keys = [...new Set([...Object.keys(saved), ...Object.keys(now)])].sort();
  const show = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  const differences = keys
    .filter((key) => canonicalJson({ value: saved[key] }) !== canonicalJson({ value: now[key] }))
    .map((key) => `${key} was ${show(saved[key])}, is ${show(now[key])}`);
  if (differences.length === 0) return;
  throw new ConfigError("TRAIN_CHANGED_JOB", {
    message: `the checkpoints here belong to another job: ${differences.join("; ")}`,
    where,
    remedy: "change the settings back to resume, or give the new job a directory of its own",
    fields: { differences },
  });
}

/** Tiny jobs for the torch engine, and torchrun on one CPU machine. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RandomState } from "../../src/core/index.ts";
import { IndexedDatasetWriter } from "../../src/tokens/index.ts";
import { torchSettingsSchema } from "../../src/train/engines/torch-settings.ts";
import { type TrainEvent, type TrainJob, trainJobSchema } from "../../src/train/index.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const PYTHON = join(ROOT, ".venv/bin/python");
export const VOCABULARY = 37;

export interface World {
  folder: string;
  close(): void;
}

/** Token sets `a` and `b` in which most tokens follow from the one before, and finetuning examples. */
export async function makeWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "meditron-torch-"));
  const random = new RandomState(3);
  const text = (length: number) => {
    const ids: number[] = [];
    for (let token = random.integer(0, VOCABULARY); ids.length < length; ) {
      ids.push(token);
      token = random.random() < 0.8 ? (3 * token + 1) % VOCABULARY : random.integer(0, VOCABULARY);
    }
    return ids;
  };
  for (const [name, documents] of [
    ["a", 200],
    ["b", 100],
  ] as const) {
    const writer = await IndexedDatasetWriter.create(join(folder, name), VOCABULARY);
    // Documents of no tokens too: they must not shift the order.
    for (let i = 0; i < documents; i++) await writer.add(text(i % 50 === 7 ? 0 : random.integer(3, 60)));
    await writer.commit();
  }
  const examples = Array.from({ length: 40 }, () => {
    const tokens = text(random.integer(4, 14));
    return JSON.stringify({ tokens, weights: tokens.map((_, i) => (i > tokens.length / 2 ? 1 : 0)) });
  });
  writeFileSync(join(folder, "examples.jsonl"), `${examples.join("\n")}\n`);
  mkdirSync(join(folder, "tokenizer"));
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
}

export function writeConfig(world: World, name: string, config: Record<string, unknown>): string {
  const folder = join(world.folder, "models", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

export type JobOverrides = Partial<Record<keyof TrainJob, unknown>>;

/** A job of ten steps with validation and a checkpoint, float32 on CPU. */
export function makeJob(world: World, name: string, overrides: JobOverrides = {}): TrainJob {
  const { torch, ...rest } = overrides;
  const prefix = (set: string) => join(world.folder, set);
  const job = trainJobSchema.parse({
    name,
    engine: "torch",
    directory: join(world.folder, "runs", name),
    model: join(world.folder, "models", "llama"),
    tokenizer: join(world.folder, "tokenizer"),
    data: {
      kind: "pretraining",
      sets: [
        { prefix: prefix("a"), weight: 2 },
        { prefix: prefix("b"), weight: 1 },
      ],
      validation: [{ name: "b", prefix: prefix("b") }],
    },
    sequenceLength: 16,
    globalBatchSize: 8,
    microBatchSize: 1,
    steps: 10,
    schedule: { peakLearningRate: 1e-2, minLearningRate: 1e-3, warmupSteps: 3, decaySteps: 20 },
    precision: "f32",
    checkpointEverySteps: 10,
    validateEverySteps: 10,
    validationBatches: 2,
    threads: 1,
    ...rest,
  });
  return { ...job, torch: torchSettingsSchema.parse({ device: "cpu", preflight: false, ...(torch as object) }) };
}

/** Writes what the worker reads. @returns the path of launch.json. */
export function writeLaunch(job: TrainJob): string {
  mkdirSync(job.directory, { recursive: true });
  const path = join(job.directory, "launch.json");
  writeFileSync(path, JSON.stringify({ job, vocabSize: VOCABULARY, padId: 0, endIds: [1], identity: {} }));
  return path;
}

/** Runs jobs one after the other in the same `processes`. @throws with what the processes said, when one failed. */
export async function runJobs(processes: number, jobs: readonly TrainJob[]): Promise<TrainEvent[][]> {
  const launches = jobs.map(writeLaunch);
  const args = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)];
  await runPython([...args, join(ROOT, "test/torch/run_jobs.py"), ...launches]);
  return launches.map((path) => readEvents(join(dirname(path), "events")));
}

export function readEvents(path: string): TrainEvent[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as TrainEvent);
}

/** @returns stdout. */
export function runPython(args: string[], environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      OMP_NUM_THREADS: "1",
      HF_HUB_OFFLINE: "1",
      TOKENIZERS_PARALLELISM: "false",
      ...environment,
    };
    execFile(PYTHON, args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout.slice(-2000)}\n${stderr.slice(-8000)}`));
      else resolve(stdout);
    });
  });
}

export interface Curve {
  loss: number[];
  gradNorm: number[];
}

export function curveOf(events: readonly TrainEvent[]): Curve {
  const steps = events.filter((event) => event.event === "step-end");
  return { loss: steps.map(({ loss }) => loss), gradNorm: steps.map(({ gradNorm }) => gradNorm) };
}

export function validationOf(events: readonly TrainEvent[]): number[] {
  return events.filter((event) => event.event === "validation-end").map(({ loss }) => loss);
}

/** Largest difference of two curves; infinite when they differ in length. */
export function difference(a: readonly number[], b: readonly number[]): number {
  return a.length !== b.length || a.length === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
}

/**
 * `meditron launch --slurm --submit` under a real Slurm: two nodes (of one machine) with a task each, which meet, train, and are stopped
 * and queued again.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { writeJsonAtomic } from "../../src/core/index.ts";
import { readTrainEvents, type TrainEvent, type TrainJob, train } from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { TINY_CONFIG, tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { missingSlurm, SlurmCluster, until } from "./slurm-cluster.ts";
import { curveOf, difference, PYTHON, validationOf } from "./support.ts";

const reason = missingTorch() ?? missingSlurm();

describe.skipIf(reason)(`torch engine under Slurm${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  let cluster: SlurmCluster;
  let reference: TrainEvent[];

  beforeAll(async () => {
    process.env.MEDITRON_PYTHON = PYTHON;
    folder = await mkdtemp(join(tmpdir(), "meditron-slurm-"));
    await writeTinyData(folder);
    await writeJsonAtomic(join(folder, "untied", "config.json"), { ...TINY_CONFIG, tie_word_embeddings: false });
    await train(jobOf("embedded", { engine: "embedded" }));
    reference = await readTrainEvents(join(folder, "embedded", "events.jsonl"));
    cluster = await SlurmCluster.start(await mkdtemp(join(folder, "slurm-")));
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  function jobOf(name: string, changes: Record<string, unknown> = {}): TrainJob {
    return tinyJob(folder, {
      name,
      directory: join(folder, name),
      model: join(folder, "untied"),
      steps: 80,
      threads: 1,
      microBatchSize: 1,
      checkpointEverySteps: 40,
      validateEverySteps: 40,
      schedule: { shape: "cosine", peakLearningRate: 1e-3, minLearningRate: 1e-4, warmupSteps: 3, decaySteps: 80 },
      engine: "torch",
      torch: { device: "cpu", nodes: 2, processesPerNode: 1 },
      ...changes,
    });
  }

  /** Runs the command. @returns what it printed. */
  async function meditron(...words: string[]): Promise<Record<string, unknown>> {
    const written: string[] = [];
    const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
    try {
      await main([...words, "--json", "--quiet"]);
    } finally {
      spy.mockRestore();
    }
    return JSON.parse(written.join("")) as Record<string, unknown>;
  }

  async function submit(job: TrainJob, ...words: string[]): Promise<{ id: string; file: string }> {
    const file = join(job.directory, "job.json");
    await writeJsonAtomic(file, job);
    const { answer } = await meditron("launch", file, "--slurm", "--submit", "--cpus", "1", ...words);
    return { id: String(answer), file };
  }

  const logOf = (job: TrainJob, id: string) =>
    readFileSync(join(job.directory, `slurm-${id}.log`), "utf8").slice(-3000);

  /** The steps, losses and gradient norms of the embedded engine's run. */
  async function expectReference(job: TrainJob): Promise<void> {
    const events = await readTrainEvents(join(job.directory, "events.jsonl"));
    const samples = (list: TrainEvent[]) =>
      list.filter((event) => event.event === "step-end").map(({ step, samples }) => [step, samples]);
    expect(samples(events)).toEqual(samples(reference));
    expect(difference(curveOf(events).loss, curveOf(reference).loss)).toBeLessThan(1e-4);
    expect(difference(validationOf(events), validationOf(reference))).toBeLessThan(1e-4);
  }

  it("trains on two nodes, and the run takes over what they did", async () => {
    const job = jobOf("two-nodes");
    await expect(train(job)).rejects.toMatchObject({ code: "TRAIN_MANY_NODES" });
    const { id, file } = await submit(job);
    expect(await cluster.end(id), logOf(job, id)).toBe("COMPLETED");
    expect(cluster.job(id)).toMatchObject({ NumNodes: "2", NodeList: "n[1-2]" });
    expect(await meditron("launch", file, "--collect")).toEqual({ step: 80, finished: true });
    await expectReference(job);
    // The same job again is done: a recipe's next stage can start.
    expect(await train(job)).toMatchObject({
      step: 80,
      modelDirectory: join(job.directory, "checkpoints/step-0000080"),
    });
  }, 400_000);

  it("told that its time is up, saves, is queued again, and ends as if nothing had been", async () => {
    const job = jobOf("stopped");
    const { id, file } = await submit(job, "--time", "10");
    const events = join(job.directory, "worker-events.jsonl");
    await until("the first steps", () => existsSync(events) && readFileSync(events, "utf8").includes("step-end"), 120);
    cluster.signal(id, "USR1");
    expect(await cluster.end(id), logOf(job, id)).toBe("COMPLETED");
    expect(cluster.job(id)).toMatchObject({ Restarts: "1" });
    const reported = readFileSync(events, "utf8");
    expect(reported.match(/"train-cancelled"/g)).toHaveLength(1);
    await meditron("launch", file, "--collect");
    await expectReference(job);
  }, 300_000);

  it("counts a job that cannot train as failed, and says why", async () => {
    const job = jobOf("too-steep", {
      schedule: { shape: "constant", peakLearningRate: 1e30, minLearningRate: 0, warmupSteps: 0, decaySteps: 1 },
    });
    const { id, file } = await submit(job);
    expect(await cluster.end(id)).toBe("FAILED");
    await meditron("launch", file, "--collect");
    const events = await readTrainEvents(join(job.directory, "events.jsonl"));
    expect(events.at(-1)).toMatchObject({ event: "train-failed", code: "TRAIN_NOT_FINITE" });
  }, 400_000);
});

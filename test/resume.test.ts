/** A training that is really killed, at random moments, ends with the bits and the events of one that never was. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counterRandom, writeJsonAtomic } from "../src/core/index.ts";
import { loadKernels } from "../src/native/index.ts";
import { listCheckpoints, readTrainEvents, runTrainer, type TrainJob } from "../src/train/index.ts";
import { tinyJob, writeTinyData } from "./support/tiny-job.ts";

const CHILD = fileURLToPath(new URL("support/train-child.ts", import.meta.url));
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "resume-"));
  await writeTinyData(directory);
});
afterAll(() => rm(directory, { recursive: true }));

interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  lastStep: number;
  errors: string;
}

/** Runs a job in a child process. @param shell - Commands to run before it in the same shell. */
async function runChild(
  job: TrainJob,
  onStep: (step: number, child: ChildProcess) => void = () => {},
  shell = "",
): Promise<Outcome> {
  const path = join(directory, "job.json");
  await writeJsonAtomic(path, job);
  const command = `${shell} exec "$0" --import tsx "$1" "$2"`;
  const child = spawn("bash", ["-c", command, process.execPath, CHILD, path], { stdio: ["ignore", "pipe", "pipe"] });
  const outcome: Outcome = { code: null, signal: null, lastStep: 0, errors: "" };
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      outcome.lastStep = Number(line);
      onStep(outcome.lastStep, child);
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    outcome.errors += chunk;
  });
  await new Promise<void>((resolve) =>
    child.on("close", (code, signal) => {
      Object.assign(outcome, { code, signal });
      resolve();
    }),
  );
  return outcome;
}

const STEPS = 200;
const longJob = (name: string) =>
  tinyJob(directory, {
    directory: join(directory, name),
    steps: STEPS,
    threads: 1,
    checkpointEverySteps: 20,
    validateEverySteps: 50,
    schedule: { shape: "cosine", peakLearningRate: 0.005, minLearningRate: 0.0005, warmupSteps: 10, decaySteps: 600 },
  });

async function fingerprint({ directory }: TrainJob) {
  const [newest] = await listCheckpoints(directory);
  const read = (file: string) => readFile(join(newest!.path, file), "base64");
  const events = await readTrainEvents(join(directory, "events.jsonl"));
  return {
    step: newest!.step,
    weights: await read("model.safetensors"),
    moments: await read("trainer/optimizer.safetensors"),
    events: events.map((event) => ({ ...event, time: "", seconds: 0, tokensPerSecond: 0 })),
  };
}

describe("a process killed while it trains", () => {
  it("SIGKILL at random moments: same weights, same moments, same events", async () => {
    const [straight, killed] = [longJob("straight"), longJob("killed")];
    await runTrainer(straight, { kernels: loadKernels({ threads: 1 }) });

    const killedAt: number[] = [];
    for (let attempt = 0; ; attempt++) {
      // Some steps further each time, and some milliseconds later: in a step, in a validation, in a checkpoint.
      const after = 8 + (counterRandom(11, attempt) % 45);
      const delayMs = counterRandom(12, attempt) % 25;
      let first: number | undefined;
      let armed = false;
      const outcome = await runChild(killed, (step, child) => {
        first ??= step;
        if (armed || attempt >= 4 || step - first < after) return;
        armed = true;
        setTimeout(() => child.kill("SIGKILL"), delayMs);
      });
      if (outcome.signal === "SIGKILL") killedAt.push(outcome.lastStep);
      else {
        expect(outcome).toMatchObject({ code: 0, errors: "" });
        break;
      }
    }
    expect(killedAt.length).toBeGreaterThanOrEqual(3);
    expect(await fingerprint(killed)).toEqual(await fingerprint(straight));
    expect((await readdir(join(killed.directory, "checkpoints"))).filter((name) => name.endsWith(".partial"))).toEqual(
      [],
    );
  }, 120_000);

  it("Ctrl-C: a checkpoint of where it was, and the same end", async () => {
    const [straight, stopped] = [longJob("straight"), longJob("stopped")];
    let asked = 0;
    const outcome = await runChild(stopped, (step, child) => {
      if (step === 33) {
        asked = step;
        child.kill("SIGINT");
      }
    });
    expect(outcome.code).toBe(130);
    expect(outcome.errors).toMatch(
      /RUN_CANCELLED: training stopped at step \d+ of 200\n {2}→ run the same command again/,
    );
    const [newest] = await listCheckpoints(stopped.directory);
    expect(newest!.step).toBeGreaterThanOrEqual(asked);
    expect(newest!.step % 20).not.toBe(0);
    expect(await runChild(stopped)).toMatchObject({ code: 0 });
    expect(await fingerprint(stopped)).toEqual(await fingerprint(straight));
  }, 60_000);
});

describe("a disk that is full", () => {
  it("stops with a clear error, the last good checkpoint intact; with room again the run ends the same", async () => {
    const [straight, full] = [longJob("straight"), longJob("full")];
    await runChild(full, (step, child) => step === 25 && child.kill("SIGINT"));
    const [good] = await listCheckpoints(full.directory);
    const before = await readFile(join(good!.path, "model.safetensors"));
    // No file may grow beyond 40 KiB: the operating system's own refusal, met in the middle of the weights.
    const outcome = await runChild(full, () => {}, "trap '' XFSZ; ulimit -f 40;");
    expect(outcome.code).toBe(1);
    expect(outcome.errors).toMatch(/IO_DISK_FULL at .*safetensors: no space left while writing\n {2}→ free some space/);
    expect((await listCheckpoints(full.directory))[0]).toEqual(good);
    expect((await readFile(join(good!.path, "model.safetensors"))).equals(before)).toBe(true);
    expect(await runChild(full)).toMatchObject({ code: 0 });
    expect(await fingerprint(full)).toEqual(await fingerprint(straight));
  }, 60_000);
});

/**
 * The torch engine as `train` runs it, with real torchrun processes: the embedded engine's curve, resume on other processes,
 * a rank that dies, a stop, and files that transformers loads.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancelledError, writeJsonAtomic } from "../../src/core/index.ts";
import { loadModel } from "../../src/model/index.ts";
import { loadKernels } from "../../src/native/index.ts";
import type { EngineOptions } from "../../src/train/engines/embedded.ts";
import { readTrainEvents, type TrainEvent, type TrainResult, train } from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { TINY_CONFIG, tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { curveOf, difference, PYTHON, ROOT, runPython, validationOf } from "./support.ts";

const reason = missingTorch();
const STEPS = 12;

describe.skipIf(reason)(`torch engine${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  let whole: { events: TrainEvent[]; result: TrainResult };

  beforeAll(async () => {
    process.env.MEDITRON_PYTHON = PYTHON;
    folder = await mkdtemp(join(tmpdir(), "meditron-engine-"));
    await writeTinyData(folder);
    // A tied head cannot be pipelined.
    await writeJsonAtomic(join(folder, "untied", "config.json"), { ...TINY_CONFIG, tie_word_embeddings: false });
    whole = await run("whole", { processesPerNode: 2 });
  }, 900_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function jobOf(name: string, torch: Record<string, unknown> | undefined, changes: Record<string, unknown> = {}) {
    return tinyJob(folder, {
      name,
      directory: join(folder, name),
      model: join(folder, "untied"),
      steps: STEPS,
      microBatchSize: 1,
      checkpointEverySteps: 4,
      keepCheckpoints: 3,
      validateEverySteps: 6,
      ...(torch && { engine: "torch", torch: { device: "cpu", preflight: false, ...torch } }),
      ...changes,
    });
  }

  async function run(
    name: string,
    torch: Record<string, unknown> | undefined,
    changes: Record<string, unknown> = {},
    options: EngineOptions = {},
  ) {
    const result = await train(jobOf(name, torch, changes), options);
    return { result, events: await readTrainEvents(join(folder, name, "events.jsonl")) };
  }

  const samplesOf = (events: TrainEvent[]) =>
    events.filter((event) => event.event === "step-end").map(({ step, samples, tokens }) => [step, samples, tokens]);

  /** The run that was interrupted is the run that was not: every step once, the same samples, the same numbers. */
  const expectWhole = (events: TrainEvent[]) => {
    expect(samplesOf(events)).toEqual(samplesOf(whole.events));
    expect(difference(curveOf(events).loss, curveOf(whole.events).loss)).toBeLessThan(1e-5);
    expect(difference(curveOf(events).gradNorm, curveOf(whole.events).gradNorm)).toBeLessThan(1e-5);
    expect(difference(validationOf(events), validationOf(whole.events))).toBeLessThan(1e-5);
  };

  /** Ends one worker process of a run the hard way. */
  function killRank(name: string): void {
    const launch = join(folder, name, "launch.json");
    const pid = readdirSync("/proc").find((entry) => {
      if (!/^\d+$/.test(entry)) return false;
      try {
        const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
        return command.includes(launch) && !command.includes("torch.distributed.run");
      } catch {
        return false;
      }
    });
    process.kill(Number(pid), "SIGKILL");
  }

  it("gives the embedded engine's curve on the same job", async () => {
    const { events } = await run("embedded", undefined);
    expect(samplesOf(whole.events)).toEqual(samplesOf(events));
    expect(difference(curveOf(whole.events).loss, curveOf(events).loss)).toBeLessThan(1e-4);
    expect(difference(curveOf(whole.events).gradNorm, curveOf(events).gradNorm)).toBeLessThan(1e-4);
    expect(difference(validationOf(whole.events), validationOf(events))).toBeLessThan(1e-4);
    expect(events[0]).toMatchObject({ event: "train-start" });
    // The same kinds of events in the same order (a checkpoint may be reported later: it is written beside the training).
    const kinds = (list: TrainEvent[]) => list.map(({ event }) => event).filter((kind) => kind !== "checkpoint-saved");
    expect(kinds(whole.events)).toEqual(kinds(events));
  }, 600_000);

  it("leaves a directory that the embedded engine and transformers load, with equal logits", async () => {
    const directory = whole.result.modelDirectory;
    const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 290);
    const kernels = await loadKernels();
    const model = await loadModel(directory, { kernels, precision: "f32", trainable: false });
    const ours = model.logits({ batch: 1, tokens });
    const script =
      "import json, sys, torch; from transformers import AutoModelForCausalLM as M; " +
      "m, info = M.from_pretrained(sys.argv[1], dtype=torch.float32, output_loading_info=True); " +
      "assert not info['missing_keys'] and not info['unexpected_keys'], info; " +
      "print(json.dumps(m(input_ids=torch.tensor([json.loads(sys.argv[2])])).logits[0].flatten().tolist()))";
    const theirs = JSON.parse(await runPython(["-c", script, directory, JSON.stringify([...tokens])])) as number[];
    expect(difference([...ours], theirs)).toBeLessThan(1e-4);
    expect(readdirSync(directory).sort()).toEqual(
      expect.arrayContaining([
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "trainer",
      ]),
    );
  }, 600_000);

  it("goes on with other processes and another layout after a rank was killed", async () => {
    let seen = 0;
    const attempt = run(
      "killed",
      { processesPerNode: 2, layout: { tensor: 2 } },
      {},
      {
        onEvent: (event) => {
          if (event.event === "checkpoint-saved" && seen === 0) {
            seen = event.step;
            killRank("killed");
          }
        },
      },
    );
    await expect(attempt).rejects.toMatchObject({ code: "TRAIN_WORKER_DIED" });
    expect(seen).toBe(4);
    const { result, events } = await run("killed", { processesPerNode: 2, layout: { pipeline: 2 } });
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(4);
    expectWhole(events);
  }, 900_000);

  it("starts all processes again by itself when one dies (elastic)", async () => {
    let killed = false;
    const { result, events } = await run(
      "elastic",
      { processesPerNode: 2, maxRestarts: 1 },
      {},
      {
        onEvent: (event) => {
          if (event.event === "checkpoint-saved" && !killed) {
            killed = true;
            killRank("elastic");
          }
        },
      },
    );
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(4);
    expectWhole(events);
  }, 900_000);

  it("stops on request after a checkpoint, and goes on from there on one process", async () => {
    const stop = new AbortController();
    const attempt = run(
      "stopped",
      { processesPerNode: 2 },
      {},
      {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.event === "step-end" && event.step === 6) stop.abort();
        },
      },
    );
    await expect(attempt).rejects.toBeInstanceOf(CancelledError);
    const { result, events } = await run("stopped", { processesPerNode: 1 });
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(6);
    expectWhole(events);
  }, 900_000);

  it("refuses a layout that does not fit, by name, without a stack trace", async () => {
    const attempt = run("wrong", { processesPerNode: 2, layout: { tensor: 2, pipeline: 2 } });
    await expect(attempt).rejects.toMatchObject({
      code: "TRAIN_BAD_JOB",
      message: expect.stringContaining("pipeline 2 x replicate 1 x shard rest x tensor 2 does not make 2 processes"),
    });
  }, 600_000);

  it("refuses to go on with another job", async () => {
    const attempt = run("whole", { processesPerNode: 2 }, { seed: 8 });
    await expect(attempt).rejects.toMatchObject({
      code: "TRAIN_CHANGED_JOB",
      message: expect.stringContaining("seed was 7, is 8"),
    });
  });

  it("refuses a Python without torch", async () => {
    const attempt = run("no-torch", { python: join(ROOT, "nowhere/python") });
    await expect(attempt).rejects.toMatchObject({ code: "TRAIN_NO_TORCH", message: "no such program" });
  });
});

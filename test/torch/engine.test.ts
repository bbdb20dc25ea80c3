/**
 * The torch engine as `train` runs it, with real torchrun processes: the embedded engine's curve, resume on other processes,
 * a rank that dies, a stop, and files that transformers loads.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

interface Performance {
  tokensPerSecondPerDevice: number;
  mfu: Record<"parameters" | "attention" | "causal", number>;
  peakMemoryBytes: number;
}

describe.skipIf(reason)(`torch engine${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  let whole: { events: TrainEvent[]; result: TrainResult };

  beforeAll(async () => {
    process.env.MEDITRON_PYTHON = PYTHON;
    folder = await mkdtemp(join(tmpdir(), "meditron-engine-"));
    await writeTinyData(folder);
    // A tied head cannot be pipelined.
    await writeJsonAtomic(join(folder, "untied", "config.json"), { ...TINY_CONFIG, tie_word_embeddings: false });
    whole = await run("whole", { processesPerNode: 2, preflight: true, peakTflops: 0.5 });
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
      keepCheckpoints: 2,
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

  /** Processes of a run: torchrun, or the workers that it started. */
  function processesOf(name: string, kind: "torchrun" | "workers"): number[] {
    const launch = join(folder, name, "launch.json");
    return readdirSync("/proc").flatMap((entry) => {
      if (!/^\d+$/.test(entry)) return [];
      try {
        const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
        const isTorchrun = command.includes("torch.distributed.run");
        return command.includes(launch) && isTorchrun === (kind === "torchrun") ? [Number(entry)] : [];
      } catch {
        return [];
      }
    });
  }

  const kill = (pids: number[], signal: NodeJS.Signals) => {
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, signal);
  };

  /** Calls `act` when the first such event comes. */
  const once = (is: (event: TrainEvent) => boolean, act: () => void): EngineOptions => {
    let isDone = false;
    return {
      onEvent: (event) => {
        if (isDone || !is(event)) return;
        isDone = true;
        act();
      },
    };
  };
  const isSaved = (step: number) => (event: TrainEvent) => event.event === "checkpoint-saved" && event.step >= step;

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

  it("checks the machines first, and reports speed, utilisation and memory of every step", () => {
    const lines = readFileSync(join(folder, "whole", "performance.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    const [preflight, ...steps] = lines.map((line) => JSON.parse(line) as Record<string, number>);
    expect(preflight).toMatchObject({ event: "preflight-end", device: "cpu", loss: expect.closeTo(5.7, 0) });
    for (const figure of ["shmBytes", "allReduceBytesPerSecond", "peakMemoryBytes", "seconds"])
      expect(preflight![figure]).toBeGreaterThan(0);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    for (const { tokensPerSecondPerDevice, mfu, peakMemoryBytes } of steps as unknown as Performance[]) {
      // N = 34,720, and 300 · 32 of them embedding; 12 · L · heads · H · T = 12 · 2 · 4 · 8 · 24 = 18,432
      const rate = tokensPerSecondPerDevice / 0.5e12;
      expect(mfu.parameters).toBeCloseTo(rate * 6 * 34_720, 12);
      expect(mfu.attention).toBeCloseTo(rate * (6 * 25_120 + 18_432), 12);
      expect(mfu.causal).toBeCloseTo(rate * (6 * 25_120 + 9216), 12);
      expect(peakMemoryBytes).toBeGreaterThan(0);
    }
  });

  it("keeps the newest checkpoints", () => {
    expect(readdirSync(join(folder, "whole", "checkpoints")).sort()).toEqual(["step-0000008", "step-0000012"]);
  });

  it("a rank is killed, then everything: it goes on with other processes and another layout", async () => {
    const layout = { processesPerNode: 2, layout: { tensor: 2 } };
    const first = run(
      "killed",
      layout,
      {},
      once(isSaved(4), () => kill(processesOf("killed", "workers").slice(0, 1), "SIGKILL")),
    );
    await expect(first).rejects.toMatchObject({ code: "TRAIN_WORKER_DIED" });
    const all = () => kill([...processesOf("killed", "torchrun"), ...processesOf("killed", "workers")], "SIGKILL");
    await expect(run("killed", layout, {}, once(isSaved(5), all))).rejects.toMatchObject({ code: "TRAIN_WORKER_DIED" });
    // Half a checkpoint counts for nothing.
    mkdirSync(join(folder, "killed", "checkpoints", "step-0000099"), { recursive: true });
    const { result, events } = await run("killed", { processesPerNode: 2, layout: { pipeline: 2 } });
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(8);
    expectWhole(events);
  }, 900_000);

  it("starts all processes again by itself when one dies (elastic)", async () => {
    const killed = once(isSaved(4), () => kill(processesOf("elastic", "workers").slice(0, 1), "SIGKILL"));
    const { result, events } = await run("elastic", { processesPerNode: 2, maxRestarts: 1 }, {}, killed);
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(4);
    expectWhole(events);
  }, 900_000);

  it("stops on request or when it is terminated, after a checkpoint, and goes on from there on one process", async () => {
    const stop = new AbortController();
    const atStep = (step: number, act: () => void) =>
      once((event) => event.event === "step-end" && event.step === step, act);
    const two = { processesPerNode: 2 };
    const first = run("stopped", two, {}, { signal: stop.signal, ...atStep(3, () => stop.abort()) });
    await expect(first).rejects.toBeInstanceOf(CancelledError);
    const second = run(
      "stopped",
      two,
      {},
      atStep(7, () => kill(processesOf("stopped", "torchrun"), "SIGTERM")),
    );
    await expect(second).rejects.toBeInstanceOf(CancelledError);
    const { result, events } = await run("stopped", { processesPerNode: 1 });
    expect(result.resumedFromStep).toBeGreaterThanOrEqual(7);
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

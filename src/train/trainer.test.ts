import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyJob, writeTinyData } from "../../test/support/tiny-job.ts";
import { readJson } from "../core/index.ts";
import { loadModel } from "../model/index.ts";
import { loadKernels } from "../native/index.ts";
import { loadTokenizer } from "../tokens/index.ts";
import { readTrainEvents } from "./events.ts";
import type { TrainEvent, TrainJob } from "./job.ts";
import { formatEvent, train } from "./train.ts";
import { runTrainer } from "./trainer.ts";

let directory: string;
let runs = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trainer-"));
  await writeTinyData(directory);
});
afterAll(() => rm(directory, { recursive: true }));

const kernels = loadKernels({ threads: 1 });
const job = (changes: Record<string, unknown> = {}): TrainJob =>
  tinyJob(directory, { directory: join(directory, `run-${++runs}`), ...changes });
const weightsOf = async (path: string) => readFile(join(path, "model.safetensors"));
const withoutTimes = (events: TrainEvent[]) =>
  events.map((event) => ({ ...event, time: "", seconds: 0, tokensPerSecond: 0 }));
const eventsOf = async ({ directory }: TrainJob) =>
  withoutTimes(await readTrainEvents(join(directory, "events.jsonl")));

describe("a whole run", () => {
  it("learns, validates, checkpoints, and its last checkpoint is a model directory", async () => {
    const settings = job();
    const result = await train(settings);
    const events = await readTrainEvents(join(settings.directory, "events.jsonl"));
    const steps = events.filter((event) => event.event === "step-end");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(steps.map(({ samples }) => samples)).toEqual(Array.from({ length: 30 }, (_, i) => 8 * (i + 1)));
    expect(steps.every(({ tokens }) => tokens === 8 * 24)).toBe(true);
    // From about ln 300 = 5.7 to well under half of it.
    expect(steps[0]!.loss).toBeGreaterThan(5);
    expect(result.loss).toBeLessThan(2);
    expect(result.validation["held out"]).toBeLessThan(2);
    expect(events[0]!.event).toBe("train-start");
    expect(events.at(-1)!.event).toBe("train-end");
    expect(events.filter(({ event }) => event === "validation-end")).toHaveLength(3);
    expect(await readdir(join(settings.directory, "checkpoints"))).toEqual(["step-0000020", "step-0000030"]);

    const model = await loadModel(result.modelDirectory, { kernels, precision: "f32", trainable: false });
    const tokenizer = await loadTokenizer(result.modelDirectory);
    expect(tokenizer.decode(tokenizer.encode("ada lives in rome. "))).toBe("ada lives in rome. ");
    const tokens = Int32Array.from(tokenizer.encode("eve lives in bern. eve lives in"));
    const logits = model.logits({ batch: 1, tokens });
    const last = logits.subarray((tokens.length - 1) * 300);
    expect(tokenizer.tokenOf(last.indexOf(Math.max(...last)))).toMatch(/^Ġ/);
    expect(await readJson(join(result.modelDirectory, "generation_config.json"))).toMatchObject({
      eos_token_id: [tokenizer.endOfDocumentId],
    });
  });

  it("micro-batches and threads change nothing but rounding, and nothing at all", async () => {
    const whole = await train(job({ steps: 6, microBatchSize: 8 }));
    const parts = await train(job({ steps: 6, microBatchSize: 2 }));
    expect(parts.loss).toBeCloseTo(whole.loss, 4);
    const one = await train(job({ steps: 6, threads: 1 }));
    const two = await train(job({ steps: 6, threads: 2 }));
    expect((await weightsOf(one.modelDirectory)).equals(await weightsOf(two.modelDirectory))).toBe(true);
  });

  it("is the same through the thread and called directly", async () => {
    // One thread in both, as `kernels` has: the number stands in the event that opens a run.
    const [a, b] = [job({ steps: 10, threads: 1 }), job({ steps: 10, threads: 1 })];
    const one = await train(a);
    const two = await runTrainer(b, { kernels });
    expect((await weightsOf(one.modelDirectory)).equals(await weightsOf(two.modelDirectory))).toBe(true);
    expect(await eventsOf(a)).toEqual(await eventsOf(b));
  });

  it("leaves the event loop free", async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const result = await train(job({ globalBatchSize: 256, microBatchSize: 256, steps: 5 }));
    clearInterval(timer);
    expect(longest).toBeLessThan((result.seconds * 1000) / 2);
  });
});

describe("stopping and going on", () => {
  it.each([1, 10, 14])("stopped during step %i, it checkpoints there and the finished run is the same", async (at) => {
    const [straight, stopped] = [job({ steps: 20 }), job({ steps: 20 })];
    const reference = await runTrainer(straight, { kernels });
    let done = 0;
    const first = runTrainer(stopped, {
      kernels,
      isCancelled: () => done >= at - 1,
      onEvent: (event) => {
        if (event.event === "step-end") done = event.step;
      },
    });
    await expect(first).rejects.toMatchObject({ code: "RUN_CANCELLED" });
    const events = await readTrainEvents(join(stopped.directory, "events.jsonl"));
    expect(events.at(-1)).toMatchObject({ event: "train-cancelled", step: at - 1 });
    const result = await runTrainer(stopped, { kernels });
    expect(result.resumedFromStep).toBe(at - 1);
    expect((await weightsOf(result.modelDirectory)).equals(await weightsOf(reference.modelDirectory))).toBe(true);
    expect(await eventsOf(stopped)).toEqual(await eventsOf(straight));
    // Run once more, there is nothing to do, and nothing changes.
    const again = await runTrainer(stopped, { kernels });
    expect([again.step, again.loss]).toEqual([20, result.loss]);
    expect(await eventsOf(stopped)).toEqual(await eventsOf(straight));
  });

  it("an aborted signal stops the thread within a step", async () => {
    const stop = new AbortController();
    const settings = job({ steps: 100_000 });
    const running = train(settings, {
      signal: stop.signal,
      onEvent: (event) => event.event === "step-end" && event.step === 5 && stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ name: "CancelledError" });
    expect((await readdir(join(settings.directory, "checkpoints"))).length).toBeGreaterThan(0);
  });

  it("refuses a changed job and says what changed", async () => {
    const settings = job({ steps: 10 });
    await runTrainer(settings, { kernels });
    const changed = { ...settings, seed: 8, optimizer: { ...settings.optimizer, beta2: 0.999 } };
    await expect(runTrainer(changed, { kernels })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the checkpoints here belong to another job: optimizer.beta2 was 0.95, is 0.999; seed was 7, is 8]`,
    );
    // Where and how often may change.
    const moved = { ...settings, directory: join(directory, "moved"), checkpointEverySteps: 5, threads: 1 };
    await cp(settings.directory, moved.directory, { recursive: true });
    await runTrainer(moved, { kernels });
  });
});

describe("options", () => {
  it.each([
    ["bf16", { precision: "bf16" }],
    ["bf16 moments", { optimizer: { states: "bf16" } }],
    ["recomputation", { recompute: true }],
    ["document masks", { data: "masked" }],
    ["a mixture", { data: "mixture" }],
  ])("%s: learns, and resumes bit for bit", async (_name, changes) => {
    const set = (name: string, weight: number) => ({ prefix: join(directory, name), weight });
    const data =
      "data" in changes
        ? changes.data === "masked"
          ? { kind: "pretraining", sets: [set("train", 1)], maskDocuments: true }
          : { kind: "pretraining", sets: [set("train", 3), set("validation", 1)] }
        : undefined;
    const options = { ...changes, ...(data ? { data } : {}), steps: 20 };
    if (!data) delete (options as { data?: unknown }).data;
    const [straight, stopped] = [job(options), job(options)];
    const reference = await runTrainer(straight, { kernels });
    expect(reference.loss).toBeLessThan(3);
    let done = 0;
    const onEvent = (event: TrainEvent) => {
      if (event.event === "step-end") done = event.step;
    };
    await expect(runTrainer(stopped, { kernels, isCancelled: () => done >= 12, onEvent })).rejects.toThrow();
    const result = await runTrainer(stopped, { kernels });
    expect((await weightsOf(result.modelDirectory)).equals(await weightsOf(reference.modelDirectory))).toBe(true);
  });

  it("LoRA on a trained model: only adapters move, resumes bit for bit, merges on save", async () => {
    const base = await runTrainer(job({ steps: 10 }), { kernels });
    const options = { model: base.modelDirectory, steps: 12, lora: { rank: 4, alpha: 8 } };
    const [straight, stopped] = [job(options), job(options)];
    const reference = await runTrainer(straight, { kernels });
    expect(reference.loss).toBeLessThan(base.loss);
    let done = 0;
    const onEvent = (event: TrainEvent) => {
      if (event.event === "step-end") done = event.step;
    };
    await expect(runTrainer(stopped, { kernels, isCancelled: () => done >= 7, onEvent })).rejects.toThrow();
    const result = await runTrainer(stopped, { kernels });
    expect((await weightsOf(result.modelDirectory)).equals(await weightsOf(reference.modelDirectory))).toBe(true);
    expect(await readdir(join(result.modelDirectory, "adapter"))).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
  });
});

describe("refused before any work", () => {
  it("memory, with the numbers", async () => {
    const settings = job();
    await expect(train(settings, { availableBytes: 100e6 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: training takes 217 MiB (weights 101 KiB, gradients 101 KiB, optimizer 201 KiB, activations 329 KiB, scratch 16.1 MiB), only 95.4 MiB are available]`,
    );
    await expect(readdir(settings.directory)).rejects.toThrow();
  });

  it("impossible settings, all at once", async () => {
    await expect(train({ name: "x", steps: 0, directory: 3 })).rejects.toMatchObject({ code: "TRAIN_BAD_JOB" });
    await expect(
      train(
        job({
          microBatchSize: 3,
          schedule: { peakLearningRate: 0.1, minLearningRate: 1, warmupSteps: 0, decaySteps: 9 },
        }),
      ),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: microBatchSize 3 does not divide globalBatchSize 8; schedule.minLearningRate 1 is above the peak 0.1]`,
    );
  });

  it("a tokenizer larger than the model, a missing model, missing tokens", async () => {
    const { writeJsonAtomic } = await import("../core/index.ts");
    const { TINY_CONFIG } = await import("../../test/support/tiny-job.ts");
    const small = join(directory, "small-model");
    await writeJsonAtomic(join(small, "config.json"), { ...TINY_CONFIG, vocab_size: 256 });
    await expect(train(job({ model: small }))).rejects.toMatchObject({
      code: "TOKENIZER_TOO_LARGE",
      fields: { tokenizerVocabSize: 300, modelVocabSize: 256 },
    });
    const grown = await train(job({ model: small, growVocabulary: true, steps: 10 }));
    expect(grown.loss).toBeLessThan(5);
    await expect(train(job({ model: join(directory, "nowhere") }))).rejects.toMatchObject({ code: "MODEL_NO_CONFIG" });
    const data = { kind: "pretraining", sets: [{ prefix: join(directory, "nothing"), weight: 1 }] };
    await expect(train(job({ data }))).rejects.toMatchObject({ code: "IO_NOT_FOUND" });
  });
});

it("prints a step as one line", () => {
  expect(
    formatEvent(
      {
        event: "step-end",
        time: "",
        step: 1200,
        loss: 3.2817,
        gradNorm: 0.81,
        learningRate: 3e-4,
        samples: 1,
        tokens: 1,
        tokensPerSecond: 41_871,
      },
      20_000,
      0.39,
    ),
  ).toBe("step 1200/20000 (6.0%) | loss 3.2817 | lr 3.0e-4 | grad norm 0.81 | 41,900 tok/s | eta 2h02m");
});

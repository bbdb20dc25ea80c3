/** What can go wrong while training: a loss that is no number, spikes, memory that grows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sentences, tinyJob, writeTinyData } from "../../test/support/tiny-job.ts";
import { counterRandom } from "../core/index.ts";
import { loadKernels } from "../native/index.ts";
import { IndexedDatasetWriter, type Tokenizer } from "../tokens/index.ts";
import { listCheckpoints } from "./checkpoint.ts";
import { readTrainEvents } from "./events.ts";
import type { TrainEvent, TrainJob } from "./job.ts";
import { runTrainer } from "./trainer.ts";

let directory: string;
let tokenizer: Tokenizer;
let runs = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trouble-"));
  tokenizer = await writeTinyData(directory);
});
afterAll(() => rm(directory, { recursive: true }));

// One thread: these models are too small to share, and the tests share the machine.
const kernels = loadKernels({ threads: 1 });
const job = (changes: Record<string, unknown>): TrainJob =>
  tinyJob(directory, { directory: join(directory, `run-${++runs}`), ...changes });
const eventsOf = async ({ directory }: TrainJob) => readTrainEvents(join(directory, "events.jsonl"));

describe("a loss that is not a number", () => {
  it("stops at that step, names it and its samples, keeps the last checkpoint", async () => {
    // A rate at which the second step overflows float32.
    const settings = job({
      checkpointEverySteps: 1,
      schedule: { shape: "constant", peakLearningRate: 1e30, minLearningRate: 0, warmupSteps: 0, decaySteps: 30 },
    });
    await expect(runTrainer(settings, { kernels })).rejects.toMatchObject({
      name: "NumericError",
      code: "TRAIN_NOT_FINITE",
      where: "step 2",
      message: expect.stringMatching(/at step 2, samples 8 to 15/),
    });
    expect((await eventsOf(settings)).at(-1)).toMatchObject({
      event: "train-failed",
      step: 1,
      code: "TRAIN_NOT_FINITE",
    });
    expect((await listCheckpoints(settings.directory)).map(({ step }) => step)).toEqual([1]);
  });
});

describe("loss spikes", () => {
  /** Sentences that are soon known by heart, and one document of noise. */
  async function poisoned(name: string): Promise<object> {
    const prefix = join(directory, name);
    const writer = await IndexedDatasetWriter.create(prefix, tokenizer.vocabSize);
    for (const text of sentences(600, 3)) await writer.add([...tokenizer.encode(text), tokenizer.endOfDocumentId]);
    await writer.add(Array.from({ length: 24 * 6 }, (_, i) => counterRandom(9, i) % 256));
    await writer.commit();
    return { kind: "pretraining", sets: [{ prefix, weight: 1 }] };
  }
  const settings = async (policy: string) =>
    job({
      data: await poisoned("poisoned"),
      globalBatchSize: 2,
      microBatchSize: 2,
      steps: 150,
      spikes: { policy, window: 32, zScore: 12, skipSteps: 2 },
    });
  const spikesOf = (events: TrainEvent[]) => events.filter((event) => event.event === "loss-spike");
  const plain = (events: TrainEvent[]) =>
    events.map((event) => ({ ...event, time: "", seconds: 0, tokensPerSecond: 0 }));

  it("warn: logged, nothing else", async () => {
    const [off, warn] = [await settings("off"), await settings("warn")];
    await runTrainer(off, { kernels });
    await runTrainer(warn, { kernels });
    const [without, events] = [await eventsOf(off), await eventsOf(warn)];
    expect(spikesOf(without)).toEqual([]);
    expect(spikesOf(events).length).toBeGreaterThan(0);
    expect(spikesOf(events).every(({ action }) => action === "warned")).toBe(true);
    const steps = (of: TrainEvent[]) => plain(of.filter(({ event }) => event === "step-end"));
    expect(steps(events)).toEqual(steps(without));
  });

  it("act: rolled back, the window skipped, reproducible, also when interrupted in between", async () => {
    const [one, two, cut] = [await settings("act"), await settings("act"), await settings("act")];
    const result = await runTrainer(one, { kernels });
    await runTrainer(two, { kernels });
    const events = await eventsOf(one);
    expect(plain(await eventsOf(two))).toEqual(plain(events));
    const spikes = spikesOf(events);
    expect(spikes.length).toBeGreaterThan(0);
    // Skipped samples were not trained on: the position moved on over them (ranges may overlap).
    const skipped = new Set(
      spikes.flatMap(({ skippedSamples: [from, to] = [0, 0] }) =>
        Array.from({ length: to - from }, (_, i) => from + i),
      ),
    ).size;
    const last = events.findLast((event) => event.event === "step-end")!;
    expect(last.samples).toBe(150 * 2 + skipped);
    expect(events.filter(({ event }) => event === "step-end").map((event) => "step" in event && event.step)).toEqual(
      Array.from({ length: 150 }, (_, i) => i + 1),
    );
    expect(result.loss).toBeLessThan(1.5);

    let [seen, stop] = [0, false];
    const first = runTrainer(cut, {
      kernels,
      isCancelled: () => stop,
      onEvent: (event) => {
        if (event.event === "loss-spike") seen++;
        if (seen > 0 && event.event === "step-end") stop = true;
      },
    });
    await expect(first).rejects.toMatchObject({ code: "RUN_CANCELLED" });
    await runTrainer(cut, { kernels });
    expect(plain(await eventsOf(cut))).toEqual(plain(events));
  });
});

it("memory stays flat over thousands of steps", async () => {
  const settings = job({
    steps: 3000,
    globalBatchSize: 2,
    microBatchSize: 1,
    sequenceLength: 16,
    checkpointEverySteps: 1500,
    validateEverySteps: 500,
    schedule: { shape: "constant", peakLearningRate: 1e-4, minLearningRate: 0, warmupSteps: 0, decaySteps: 3000 },
  });
  const resident: number[] = [];
  await runTrainer(settings, {
    kernels,
    onEvent: (event) => {
      if (event.event === "step-end" && event.step % 500 === 0) resident.push(process.memoryUsage().rss / 2 ** 20);
    },
  });
  // After the first thousand steps everything has been allocated. 2,000 more that leaked a window each would add 24 MiB in
  // ids and losses alone; the heap between two collections may differ by some MiB.
  expect(resident.at(-1)! - resident[1]!).toBeLessThan(16);
}, 60_000);

/**
 * The same job on both engines: every family, kind of data and option, on two processes (FSDP2) and on the embedded engine, with the
 * same samples, losses, gradient norms and validation. The last digits differ (sums in other orders); ten steps of feedback keep
 * that below 1e-4. All jobs share one start of PyTorch.
 */
import { copyFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counterRandom, writeJsonAtomic } from "../../src/core/index.ts";
import { loadModel, weightFileNames } from "../../src/model/index.ts";
import { loadKernels } from "../../src/native/index.ts";
import { IndexedDatasetWriter, type Tokenizer } from "../../src/tokens/index.ts";
import { WORKER_EVENTS } from "../../src/train/engines/torch.ts";
import {
  collectTorchEvents,
  finetuningExamples,
  listCheckpoints,
  prepareTorchLaunch,
  readTrainEvents,
  type TrainEvent,
  type TrainJob,
  train,
  writeExamples,
} from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { sentences, tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { TINY_CONFIGS } from "../support/tiny-models.ts";
import { curveOf, difference, ROOT, runPython, validationOf } from "./support.ts";

const TOLERANCE = 1e-4;
/** Rows that the model below lacks and its tokenizer has. */
const NEW_ROWS = 10;
const reason = missingTorch();

interface Case {
  model?: string;
  tolerance?: number;
  changes?: Record<string, unknown>;
}

const CASES: Record<string, Case> = {
  "Llama 2": {},
  "Llama 3.1 (scaled rotation)": { model: "llama-3.1" },
  "Llama with biases, tied head": { model: "llama-2 tied, biased" },
  "Mistral (windows)": { model: "mistral" },
  "Qwen 2 (biases, some windows)": { model: "qwen2" },
  "Qwen 3 (head norms)": { model: "qwen3" },
  "document masks": { changes: { data: "masked" } },
  "finetuning, padded": { changes: { data: "padded", sequenceLength: 64, validateEverySteps: 5 } },
  "finetuning, packed": { changes: { data: "packed", sequenceLength: 96 } },
  LoRA: { changes: { lora: { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "down_proj"] } } },
  recomputation: { changes: { recompute: true } },
  // Rounding is decided by the same counters; a last bit may still tip one number by 2^-8 of itself.
  "bf16 moments": { tolerance: 1e-3, changes: { optimizer: { states: "bf16" } } },
  // bf16 has 8 bits: products of both engines round differently by 2^-9 of values near 5.
  "bf16 products": { tolerance: 3e-2, changes: { precision: "bf16" } },
  "new rows of the vocabulary": { model: "small vocabulary", changes: { growVocabulary: true } },
};

describe.skipIf(reason)(`both engines${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  let tokenizer: Tokenizer;
  const jobs = new Map<string, TrainJob>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "meditron-parity-"));
    tokenizer = await writeTinyData(folder);
    await writeData();
    for (const [name, config] of Object.entries(TINY_CONFIGS)) {
      const json = { ...config, vocab_size: tokenizer.vocabSize, initializer_range: 0.1 };
      await writeJsonAtomic(join(folder, slug(name), "config.json"), json);
    }
    // A model of fewer rows than the tokenizer, made of the first case's.
    await train(embedded(makeJob("Llama 2", CASES["Llama 2"]!)));
    await cutVocabulary(await checkpointOf("Llama 2"), join(folder, slug("small vocabulary")));

    for (const [name, one] of Object.entries(CASES)) jobs.set(name, makeJob(name, one));
    jobs.set("spikes", spiky());
    const launches: string[] = [];
    for (const job of jobs.values()) {
      if (job.name !== "Llama 2") await train(embedded(job));
      launches.push((await prepareTorchLaunch(job)).launchFile);
    }
    const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"];
    // Small files, so that both processes write several.
    const small = { MEDITRON_TEST_FILE_BYTES: "10000" };
    await runPython([...torchrun, join(ROOT, "test/torch/run_jobs.py"), ...launches], small);
    for (const [i, job] of [...jobs.values()].entries()) {
      copyFileSync(join(dirname(launches[i]!), "events"), join(job.directory, WORKER_EVENTS));
      await collectTorchEvents(job);
    }
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function writeData(): Promise<void> {
    const messages = [...sentences(60, 4)].map((text) => ({
      question: text.split(" lives")[0]!,
      answer: text.split(". ")[0]!,
    }));
    await writeExamples(
      join(folder, "examples.jsonl"),
      finetuningExamples(messages, tokenizer, { sequenceLength: 64 }),
    );
    const writer = await IndexedDatasetWriter.create(join(folder, "poisoned"), tokenizer.vocabSize);
    for (const text of sentences(600, 3)) await writer.add([...tokenizer.encode(text), tokenizer.endOfDocumentId]);
    await writer.add(Array.from({ length: 24 * 6 }, (_, i) => counterRandom(9, i) % 256));
    await writer.commit();
  }

  function makeJob(name: string, { model = "llama-2", changes = {} }: Case): TrainJob {
    const { data, ...rest } = changes;
    const prefix = (set: string) => join(folder, set);
    const examples = join(folder, "examples.jsonl");
    const kinds: Record<string, unknown> = {
      poisoned: { kind: "pretraining", sets: [{ prefix: prefix("poisoned"), weight: 1 }] },
      masked: { kind: "pretraining", sets: [{ prefix: prefix("train"), weight: 1 }], maskDocuments: true },
      padded: { kind: "finetuning", examples, layout: "padded", validation: [{ name: "held out", examples }] },
      packed: { kind: "finetuning", examples, layout: "packed" },
    };
    return tinyJob(folder, {
      name,
      directory: join(folder, "torch", slug(name)),
      model: join(folder, slug(model)),
      steps: 10,
      microBatchSize: 1,
      checkpointEverySteps: 10,
      threads: 1,
      engine: "torch",
      torch: { device: "cpu", preflight: false, processesPerNode: 2 },
      ...(data === undefined ? {} : { data: kinds[data as string] }),
      ...rest,
    });
  }

  /** Sentences soon known by heart, one document of noise, and the policy that skips it. */
  function spiky(): TrainJob {
    return makeJob("spikes", {
      changes: {
        globalBatchSize: 2,
        steps: 150,
        checkpointEverySteps: 25,
        validateEverySteps: 150,
        data: "poisoned",
        spikes: { policy: "act", window: 32, zScore: 12, skipSteps: 2 },
      },
    });
  }

  const embedded = (job: TrainJob): TrainJob => ({
    ...job,
    engine: "embedded",
    torch: undefined,
    directory: join(folder, "embedded", slug(job.name)),
  });

  const checkpointOf = async (name: string) => (await listCheckpoints(join(folder, "embedded", slug(name))))[0]!.path;

  async function cutVocabulary(from: string, to: string): Promise<void> {
    const config = { ...TINY_CONFIGS["llama-2"], vocab_size: tokenizer.vocabSize - NEW_ROWS };
    await writeJsonAtomic(join(to, "config.json"), config);
    const script =
      "import sys; from safetensors.torch import load_file, save_file; w = load_file(sys.argv[1]); " +
      "save_file({k: v[: int(sys.argv[3])].clone() if k in ('model.embed_tokens.weight', 'lm_head.weight') else v for k, v in w.items()}, sys.argv[2])";
    await runPython([
      "-c",
      script,
      join(from, "model.safetensors"),
      join(to, "model.safetensors"),
      String(config.vocab_size),
    ]);
  }

  const eventsOf = async (name: string): Promise<[ours: TrainEvent[], theirs: TrainEvent[]]> => [
    await readTrainEvents(join(folder, "torch", slug(name), "events.jsonl")),
    await readTrainEvents(join(folder, "embedded", slug(name), "events.jsonl")),
  ];
  const samplesOf = (events: TrainEvent[]) =>
    events.filter((event) => event.event === "step-end").map(({ step, samples, tokens }) => [step, samples, tokens]);

  it.each(Object.keys(CASES))("%s", async (name) => {
    const { tolerance = TOLERANCE } = CASES[name]!;
    const [ours, theirs] = await eventsOf(name);
    expect(samplesOf(ours)).toEqual(samplesOf(theirs));
    const [a, b] = [curveOf(ours), curveOf(theirs)];
    // The job learns: runs that change nothing would agree on anything.
    expect(b.loss[0]! - b.loss.at(-1)!).toBeGreaterThan(0.05);
    expect(difference(a.loss, b.loss)).toBeLessThan(tolerance);
    // Norms are some times larger than losses here.
    expect(difference(a.gradNorm, b.gradNorm)).toBeLessThan(name.startsWith("bf16") ? 10 * tolerance : tolerance);
    const [mine, other] = [validationOf(ours), validationOf(theirs)];
    if (other.length > 0) expect(difference(mine, other)).toBeLessThan(tolerance);
  });

  it("rolls back and skips the same samples when the loss spikes", async () => {
    const [ours, theirs] = await eventsOf("spikes");
    const skipped = (events: TrainEvent[]) =>
      events
        .filter((event) => event.event === "loss-spike")
        .map(({ step, action, skippedSamples }) => [step, action, skippedSamples]);
    expect(skipped(theirs).length).toBeGreaterThan(0);
    expect(skipped(ours)).toEqual(skipped(theirs));
    expect(samplesOf(ours)).toEqual(samplesOf(theirs));
  });

  it("a grown vocabulary survives the round trip: same rows, its tokenizer's size, the embedded engine reads it", async () => {
    const name = "new rows of the vocabulary";
    const directory = join(folder, "torch", slug(name), "checkpoints/step-0000010");
    expect((await weightFileNames(directory)).length).toBeGreaterThan(3);
    const kernels = await loadKernels({ threads: 1 });
    const open = (path: string) => loadModel(path, { kernels, precision: "f32", trainable: false });
    const [mine, theirs] = [await open(directory), await open(await checkpointOf(name))];
    const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 13) % tokenizer.vocabSize);
    const logits = [...mine.logits({ batch: 1, tokens })];
    expect(logits).toHaveLength(24 * tokenizer.vocabSize);
    expect(difference(logits, [...theirs.logits({ batch: 1, tokens })])).toBeLessThan(1e-3);
    // Trained on from there, on the other engine, nothing grows again.
    const job = makeJob("round trip", { changes: { steps: 1, growVocabulary: true, validateEverySteps: 1 } });
    await train(
      embedded({
        ...job,
        model: directory,
        schedule: { ...job.schedule, peakLearningRate: 1e-12, minLearningRate: 0 },
      }),
    );
    const again = await readTrainEvents(join(folder, "embedded", slug("round trip"), "events.jsonl"));
    expect(difference(validationOf(again), validationOf((await eventsOf(name))[0]).slice(-1))).toBeLessThan(1e-4);
  });
});

function slug(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

/** Where a job's training windows come from: token sets in Megatron's order, or finetuning examples. */
import { dirname, join } from "node:path";
import { ConfigError, exists, hashJson, readJson, sha256File } from "../core/index.ts";
import {
  BlendedSamples,
  blendSizes,
  GptDataset,
  IndexedDataset,
  loadTokenManifest,
  type SampleSource,
} from "../tokens/index.ts";
import { ExampleSamples, loadExamples } from "./examples.ts";
import type { TrainJob } from "./job.ts";

export interface ValidationSet {
  name: string;
  source: SampleSource;
  /** UTF-8 bytes a token stands for on average, when the set says so: turns nats per token into bits per byte. */
  bytesPerToken?: number;
}

export interface TrainingData {
  train: SampleSource;
  validation: ValidationSet[];
  /** Restart attention and positions at each document. */
  maskDocuments: boolean;
  /** Identity of the contents, for the job's hash. */
  fingerprint: string;
  close(): void;
}

/**
 * Opens a job's data.
 * @param samples - Training windows needed, as many epochs as that takes.
 * @param padId - Fills finetuning windows behind an example.
 */
export async function openData(job: TrainJob, samples: number, padId: number): Promise<TrainingData> {
  return job.data.kind === "pretraining"
    ? openPretraining(job, job.data, samples)
    : openFinetuning(job, job.data, samples, padId);
}

type Pretraining = Extract<TrainJob["data"], { kind: "pretraining" }>;
type Finetuning = Extract<TrainJob["data"], { kind: "finetuning" }>;

async function openPretraining(job: TrainJob, data: Pretraining, samples: number): Promise<TrainingData> {
  const { sequenceLength, seed } = job;
  const opened: IndexedDataset[] = [];
  const open = async (prefix: string) => {
    const tokens = await IndexedDataset.open(prefix);
    opened.push(tokens);
    return tokens;
  };
  try {
    const weights = data.sets.map(({ weight }) => weight);
    const sizes = data.sets.length === 1 ? [samples] : blendSizes(weights, samples);
    const sets: GptDataset[] = [];
    for (const [i, { prefix }] of data.sets.entries())
      sets.push(new GptDataset(await open(prefix), { sequenceLength, samples: sizes[i], seed }));
    const validation: ValidationSet[] = [];
    for (const { name, prefix } of data.validation) {
      const source = new GptDataset(await open(prefix), { sequenceLength, seed });
      const manifest = (await exists(`${prefix}.tokens.json`)) ? await loadTokenManifest(prefix) : undefined;
      validation.push({ name, source, ...(manifest && { bytesPerToken: manifest.textBytes / manifest.tokens }) });
    }
    return {
      train: sets.length === 1 ? sets[0]! : new BlendedSamples(sets, weights, samples),
      validation,
      maskDocuments: data.maskDocuments,
      fingerprint: hashJson(await Promise.all(data.sets.map(({ prefix }) => identityOf(prefix)))),
      close: () => {
        for (const tokens of opened) tokens.close();
      },
    };
  } catch (error) {
    for (const tokens of opened) tokens.close();
    throw error;
  }
}

/** The data's own hash where its manifest has it; else that of the index, which knows every length. */
async function identityOf(prefix: string): Promise<string> {
  if (!(await exists(`${prefix}.tokens.json`))) return sha256File(`${prefix}.idx`);
  return (await loadTokenManifest(prefix)).files.bin.sha256;
}

async function openFinetuning(job: TrainJob, data: Finetuning, samples: number, padId: number): Promise<TrainingData> {
  const { sequenceLength, seed } = job;
  const options = { sequenceLength, seed, padId, layout: data.layout };
  const examples = await loadExamples(data.examples, sequenceLength);
  const validation: ValidationSet[] = [];
  for (const { name, examples: path } of data.validation)
    validation.push({
      name,
      source: new ExampleSamples(await loadExamples(path, sequenceLength), {
        ...options,
        layout: "padded",
        shuffle: false,
      }),
    });
  return {
    train: new ExampleSamples(examples, { ...options, samples }),
    validation,
    // Packed examples must not see each other.
    maskDocuments: data.layout === "packed",
    fingerprint: await sha256File(data.examples),
    close: () => {},
  };
}

/** The tokenizer folder or file of a job, and what its model directory says about itself. */
export async function modelIdentity(directory: string): Promise<string> {
  const path = join(directory, "config.json");
  if (!(await exists(path)))
    throw new ConfigError("MODEL_NO_CONFIG", {
      message: "no config.json in the model directory",
      where: directory,
      remedy: `give a Hugging Face model directory, or a folder with a config.json to start from random weights (looked in ${dirname(path)})`,
    });
  return hashJson(await readJson(path));
}

/** A small training job with everything it needs, written into a folder: tokenizer, tokens, model config. */
import { join } from "node:path";
import { counterRandom, writeJsonAtomic } from "../../src/core/index.ts";
import { IndexedDatasetWriter, type Tokenizer, trainTokenizer } from "../../src/tokens/index.ts";
import type { TrainJob } from "../../src/train/job.ts";
import { parseTrainJob } from "../../src/train/train.ts";

export const TINY_CONFIG = {
  model_type: "llama",
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 48,
  vocab_size: 300,
  max_position_embeddings: 64,
  initializer_range: 0.1,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
  tie_word_embeddings: true,
};

/** A text that can be learnt: the second half of each sentence follows from the first. */
export function* sentences(count: number, seed: number): Generator<string> {
  const names = ["ada", "bo", "cy", "dan", "eve", "fay"];
  const places = ["rome", "oslo", "kyiv", "lima", "bern", "cork"];
  for (let i = 0; i < count; i++) {
    const who = counterRandom(seed, i) % names.length;
    yield `${names[who]} lives in ${places[who]}. `.repeat(1 + (counterRandom(seed + 1, i) % 3));
  }
}

export async function writeTinyData(directory: string): Promise<Tokenizer> {
  const tokenizer = await trainTokenizer(sentences(200, 5), {
    vocabSize: 300,
    specialTokens: ["<|im_start|>", "<|im_end|>"],
  });
  await tokenizer.save(join(directory, "tokenizer"));
  for (const [name, count, seed] of [
    ["train", 300, 1],
    ["validation", 60, 2],
  ] as const) {
    const writer = await IndexedDatasetWriter.create(join(directory, name), tokenizer.vocabSize);
    for (const text of sentences(count, seed)) await writer.add([...tokenizer.encode(text), tokenizer.endOfDocumentId]);
    await writer.commit();
  }
  await writeJsonAtomic(join(directory, "model", "config.json"), TINY_CONFIG);
  return tokenizer;
}

export function tinyJob(directory: string, changes: Record<string, unknown> = {}): TrainJob {
  return parseTrainJob({
    name: "tiny",
    directory: join(directory, "run"),
    model: join(directory, "model"),
    tokenizer: join(directory, "tokenizer"),
    data: {
      kind: "pretraining",
      sets: [{ prefix: join(directory, "train"), weight: 1 }],
      validation: [{ name: "held out", prefix: join(directory, "validation") }],
    },
    seed: 7,
    sequenceLength: 24,
    globalBatchSize: 8,
    microBatchSize: 4,
    steps: 30,
    schedule: { shape: "cosine", peakLearningRate: 0.01, minLearningRate: 0.001, warmupSteps: 3, decaySteps: 30 },
    precision: "f32",
    checkpointEverySteps: 10,
    validateEverySteps: 10,
    validationBatches: 2,
    ...changes,
  });
}

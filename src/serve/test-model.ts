/** For tests: a tiny model whose texts differ by prompt, in a directory of its own. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initializeModel, parseConfig } from "../model/index.ts";
import { referenceKernels } from "../native/reference.ts";
import { trainTokenizer } from "../tokens/train-bpe.ts";

const TEXT = "the patient has a fever and the fever has a cause; the cause is the infection of the patient. ";

/** @returns the model directory; `chatTemplate` goes into its tokenizer_config.json. */
export async function makeTestModel(options: { chatTemplate?: string; contextTokens?: number } = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "meditron-serve-"));
  const tokenizer = await trainTokenizer([TEXT.repeat(4)], {
    vocabSize: 272,
    specialTokens: ["<|im_start|>", "<|im_end|>"],
  });
  const config = parseConfig({
    model_type: "llama",
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 32,
    vocab_size: tokenizer.vocabSize,
    max_position_embeddings: options.contextTokens ?? 96,
    initializer_range: 0.2,
  });
  const model = initializeModel(config, { kernels: referenceKernels(), precision: "f32", seed: 9 });
  // Bytes that are no characters alone get no say, so that greedy text is text.
  const { head } = model.weights;
  for (let id = 0; id < tokenizer.vocabSize; id++)
    if (tokenizer.decode([id]) === "\uFFFD") head.data.fill(0, id * head.channels, (id + 1) * head.channels);
  await model.save(directory, { dtype: "f32" });
  await tokenizer.save(directory);
  if (options.chatTemplate !== undefined) writeFileSync(join(directory, "chat_template.jinja"), options.chatTemplate);
  writeFileSync(join(directory, "README.md"), "---\nlicense: apache-2.0\nbase_model: tiny/base\n---\n# Tiny\n");
  return directory;
}

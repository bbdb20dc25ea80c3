/** GGUF files, judged by llama.cpp itself. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { encode } from "../model/gguf.ts";
import { pairRows } from "../model/gguf-model.ts";
import { initializeModel, parseConfig } from "../model/index.ts";
import { referenceKernels } from "../native/reference.ts";
import { importReader } from "../providers/gguf.ts";
import { createTokenizer } from "../tokens/tokenizer.ts";
import { specialToken } from "../tokens/tokenizer-json.ts";
import { trainTokenizer } from "../tokens/train-bpe.ts";
import { compareGguf, exportGguf } from "./index.ts";
import { exportPrompts } from "./prompts.ts";

const isInstalled = (() => {
  try {
    createRequire(import.meta.url).resolve("node-llama-cpp");
    return true;
  } catch {
    return false;
  }
})();
const root = mkdtempSync(join(tmpdir(), "meditron-gguf-export-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Two prompts are enough for a random model: every weight takes part in every logit. */
const prompts = exportPrompts.slice(0, 2);

beforeAll(async () => {
  const tokenizer = await trainTokenizer(exportPrompts, {
    vocabSize: 300,
    specialTokens: ["<|im_start|>", "<|im_end|>"],
  });
  for (const [name, config] of Object.entries(TINY_CONFIGS)) {
    const directory = join(root, name);
    // Windows as wide as the context, and rows that divide into blocks of 32.
    const wide = { hidden_size: 64, intermediate_size: 96, max_position_embeddings: 128, initializer_range: 0.12 };
    const json = {
      ...config,
      ...wide,
      ...(config.sliding_window ? { sliding_window: 128 } : {}),
      vocab_size: tokenizer.vocabSize + 3,
    };
    const model = initializeModel(parseConfig(json), { kernels: referenceKernels(), precision: "f32", seed: 5 });
    for (const parameter of model.weights.all)
      if (!parameter.decay) for (let i = 0; i < parameter.data.length; i++) parameter.data[i]! += 0.1 * Math.sin(i + 1);
    await model.save(directory, { dtype: "f32" });
    await tokenizer.save(directory);
  }
}, 120_000);

describe.skipIf(!isInstalled)("llama.cpp", () => {
  for (const name of Object.keys(TINY_CONFIGS)) {
    it(`computes ${name} as we do`, async () => {
      const directory = join(root, name);
      const path = join(root, `${name}.gguf`);
      await exportGguf(directory, path, { type: "f32", name });
      const result = await compareGguf(directory, path, { prompts, newTokens: 4 });
      expect(result).toMatchObject({ prompts: 2, sameTokens: 2, sameGreedy: 2 });
      // llama.cpp keeps keys and values in float16 (ε ≈ 5e-4), our logits vary by about 1.
      expect(result.maxLogitDifference).toBeLessThan(0.02 * result.logitDeviation);
    }, 120_000);
  }

  it("reads every number type; the smaller, the further off", async () => {
    const directory = join(root, "llama-2");
    const differences: number[] = [];
    for (const type of ["f16", "bf16", "q8_0"] as const) {
      const path = join(root, `${type}.gguf`);
      await exportGguf(directory, path, { type, name: type });
      differences.push((await compareGguf(directory, path, { prompts, newTokens: 1 })).maxLogitDifference);
    }
    const [f16, bf16, q8] = differences as [number, number, number];
    // Rounding to 11, 8 and about 7 bits.
    expect(f16).toBeLessThan(bf16);
    expect(bf16).toBeLessThan(0.2);
    expect(q8).toBeLessThan(0.2);
  }, 120_000);

  it("splits text of a SentencePiece tokenizer into the same tokens", async () => {
    const directory = join(root, "sentencepiece");
    const json = sentencePieceLike("the patient has a fever and the infant coughs at night");
    const tokenizer = createTokenizer(JSON.stringify(json), { where: "test", endOfDocument: "</s>" });
    const config = { ...TINY_CONFIGS["llama-2"], hidden_size: 64, vocab_size: tokenizer.vocabSize };
    await initializeModel(parseConfig(config), { kernels: referenceKernels(), precision: "f32", seed: 1 }).save(
      directory,
      { dtype: "f32" },
    );
    await tokenizer.save(directory);
    const path = join(root, "sentencepiece.gguf");
    await exportGguf(directory, path, { type: "f32", name: "sentencepiece" });
    const { getLlama } = await importReader();
    const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
    const model = await llama.loadModel({ modelPath: path });
    for (const text of ["the patient", "a  fever at night", "Größe 5 µm 🫀", "x", "the infant coughs"])
      expect(model.tokenize(text, true), text).toEqual(tokenizer.encode(text));
    await model.dispose();
    await llama.dispose();
  }, 120_000);
});

describe("the file", () => {
  it("refuses a tokenizer that llama.cpp would split otherwise", async () => {
    const directory = join(root, "qwen3");
    const copy = mkdtempSync(join(root, "odd-"));
    for (const file of ["config.json", "model.safetensors", "tokenizer_config.json"])
      writeFileSync(join(copy, file), readFileSync(join(directory, file)));
    const json = JSON.parse(readFileSync(join(directory, "tokenizer.json"), "utf8"));
    json.pre_tokenizer.pretokenizers[0].pattern.Regex = "[a-c]+|[^a-c]+";
    writeFileSync(join(copy, "tokenizer.json"), JSON.stringify(json));
    await expect(exportGguf(copy, join(copy, "x.gguf"), { type: "f16", name: "x" })).rejects.toMatchObject({
      code: "GGUF_UNSUPPORTED",
    });
  });

  it("promises one window of context where llama.cpp would not cut the rest off", async () => {
    const directory = join(root, "mistral");
    const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    const copy = mkdtempSync(join(root, "windowed-"));
    for (const file of ["model.safetensors", "tokenizer_config.json", "tokenizer.json"])
      writeFileSync(join(copy, file), readFileSync(join(directory, file)));
    writeFileSync(join(copy, "config.json"), JSON.stringify({ ...config, sliding_window: 40 }));
    expect(await exportGguf(copy, join(copy, "x.gguf"), { type: "f16", name: "x" })).toMatchObject({
      contextTokens: 40,
    });
  });

  it("pairs the rows of each head: 0, half, 1, half + 1, ...", () => {
    const rows = Float32Array.from([0, 1, 2, 3, 10, 11, 12, 13]);
    expect([...pairRows(rows, 2, 4)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
  });

  it("rounds Q8_0 as ggml does: scale max/127 as a half, ties away from zero", () => {
    const numbers = new Float32Array(32);
    numbers.set([127, -127, 0.5, -0.5, 1.5, 0.4, -2.5]);
    const bytes = encode(numbers, "q8_0");
    expect(bytes.length).toBe(34);
    expect(bytes.readUInt16LE(0)).toBe(0x3c00); // 1.0
    expect([...new Int8Array(bytes.subarray(2, 9))]).toEqual([127, -127, 1, -1, 2, 0, -3]);
    expect(encode(new Float32Array(32), "q8_0").every((byte) => byte === 0)).toBe(true);
  });
});

/** The shape of Llama 2's tokenizer.json, with pieces merged left to right from the words of `text`. */
function sentencePieceLike(text: string): object {
  const vocab: Record<string, number> = { "<unk>": 0, "<s>": 1, "</s>": 2 };
  const put = (token: string) => {
    vocab[token] ??= Object.keys(vocab).length;
  };
  for (let byte = 0; byte < 256; byte++) put(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const merges: string[] = [];
  const words = text.split(" ").map((word) => `▁${word}`);
  for (let length = 2; length <= 8; length++)
    for (const word of words)
      if (word.length >= length && vocab[word.slice(0, length)] === undefined) {
        put(word.slice(0, length));
        merges.push(`${word.slice(0, length - 1)} ${word[length - 1]}`);
      }
  for (const character of new Set(words.join(""))) put(character);
  const special = ["<unk>", "<s>", "</s>"].map((content, id) => specialToken(id, content));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

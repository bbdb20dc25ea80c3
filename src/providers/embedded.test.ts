import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancelledError } from "../core/index.ts";
import { initializeModel, loadModel, parseConfig } from "../model/index.ts";
import { referenceKernels } from "../native/reference.ts";
import { loadTokenizer } from "../tokens/tokenizer.ts";
import { trainTokenizer } from "../tokens/train-bpe.ts";
import { loadEmbedded } from "./embedded.ts";
import { splitContinuation, stopRule, TextStream } from "./embedded-text.ts";
import type { LanguageModel } from "./language-model.ts";

const directory = mkdtempSync(join(tmpdir(), "meditron-embedded-"));
let model: LanguageModel;

beforeAll(async () => {
  const text = "the patient has a fever and the fever has a cause; the cause is the infection of the patient. ".repeat(
    4,
  );
  const tokenizer = await trainTokenizer([text], { vocabSize: 272, specialTokens: ["<|im_end|>"] });
  const config = parseConfig({
    model_type: "llama",
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 32,
    vocab_size: tokenizer.vocabSize,
    max_position_embeddings: 48,
    initializer_range: 0.2,
  });
  const fresh = initializeModel(config, { kernels: referenceKernels(), precision: "f32", seed: 9 });
  await fresh.save(directory, { dtype: "f32" });
  await tokenizer.save(directory);
  model = await loadEmbedded({ directory, kernels: "reference", slots: 4, name: "tiny" });
}, 60_000);
afterAll(async () => {
  await model?.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("the embedded model", () => {
  it("scores continuations in request order, as the chain rule says", async () => {
    const seen: number[] = [];
    const results = await model.logLikelihoods(
      [
        { context: "the patient", continuation: " has a fever" },
        { context: "the patient ", continuation: "has a fever" },
        { context: "", continuation: "the" },
      ],
      { onDone: (index) => seen.push(index) },
    );
    expect(seen.toSorted()).toEqual([0, 1, 2]);
    // The space moves from the context's end to the continuation: both are the same request.
    expect(results[1]!.tokens).toEqual(results[0]!.tokens);
    expect(results[1]!.logLikelihood).toBe(results[0]!.logLikelihood);
    const [whole] = await model.logLikelihoods([{ context: "the", continuation: " patient has a fever" }]);
    const [first] = await model.logLikelihoods([{ context: "the", continuation: " patient" }]);
    expect(whole!.logLikelihood).toBeCloseTo(first!.logLikelihood + results[0]!.logLikelihood, 4);
    expect(results[0]!.bytes).toBe(12);
  });

  it("answers options asked together as it does one by one, longer ones and other questions among them", async () => {
    const requests = [" a", " the", " of", " a cause of the fever"].flatMap((continuation) =>
      ["the fever is", "the patient has"].map((context) => ({ context, continuation })),
    );
    const byContext = requests.toSorted((a, b) => (a.context < b.context ? -1 : a.context > b.context ? 1 : 0));
    // Single tokens are what is read once for all.
    const lengths = (await model.logLikelihoods(byContext)).map(({ tokens }) => tokens.length);
    expect(lengths.filter((length) => length === 1).length).toBeGreaterThanOrEqual(4);
    for (const order of [requests, byContext]) {
      const together = await model.logLikelihoods(order);
      for (const [i, request] of order.entries())
        expect(together[i]).toEqual((await model.logLikelihoods([request]))[0]);
    }
  });

  it("generates the same text for the same seed, and samples that differ", async () => {
    const request = { prompt: "the patient has", maxTokens: 12, temperature: 1, seed: 4, n: 3 };
    const [[a, b, c]] = (await model.generate([request])) as [Awaited<ReturnType<typeof model.generate>>[0]];
    const [[again]] = (await model.generate([{ ...request, n: 1, seed: 5 }])) as [
      Awaited<ReturnType<typeof model.generate>>[0],
    ];
    expect(again).toEqual(b);
    expect(new Set([a!.text, b!.text, c!.text]).size).toBe(3);
    // How likely it was costs time, and is said when it is asked for.
    expect(a!.logLikelihood).toBeUndefined();
    const [[asked]] = (await model.generate([{ ...request, n: 1, logProbs: 0 }])) as [
      Awaited<ReturnType<typeof model.generate>>[0],
    ];
    expect(asked!.text).toBe(a!.text);
    expect(asked!.logLikelihood).toBeLessThan(0);
  });

  it("streams the text of every sample while it writes, and the pieces are the text", async () => {
    const requests = ["the patient has", "the cause"].map((prompt, i) => ({
      prompt,
      maxTokens: 20,
      temperature: 1,
      seed: 7 + i,
      n: 2,
      stop: ["e", "of the"],
    }));
    const pieces = new Map<string, string[]>();
    let piecesBeforeEnd = 0;
    const results = await model.generate(requests, {
      onText: (index, sample, text) => {
        const key = `${index} ${sample}`;
        pieces.set(key, [...(pieces.get(key) ?? []), text]);
      },
      onDone: () => {
        piecesBeforeEnd ||= [...pieces.values()].flat().length;
      },
    });
    expect(piecesBeforeEnd).toBeGreaterThan(2);
    for (const [index, samples] of results.entries())
      for (const [sample, { text }] of samples.entries())
        expect(pieces.get(`${index} ${sample}`)?.join("") ?? "", `${index} ${sample}`).toBe(text);
    expect(results.flat().some(({ finish }) => finish === "stop")).toBe(true);
  });

  it("agrees with itself: greedy text scores as greedy", async () => {
    const prompt = "the fever";
    const [[out]] = (await model.generate([{ prompt, maxTokens: 6, logProbs: 0 }])) as [
      Awaited<ReturnType<typeof model.generate>>[0],
    ];
    const text = model.tokenizer!.decode(out!.tokens);
    const [scored] = await model.logLikelihoods([{ context: prompt, continuation: text }]);
    if (scored!.tokens.join() === out!.tokens.join()) {
      expect(scored!.isGreedy).toBe(true);
      expect(scored!.logLikelihood).toBeCloseTo(out!.logLikelihood!, 4);
    }
  });

  it("says what it cut from prompts that are too long", async () => {
    const context = "the cause is the infection ".repeat(20);
    const [scored] = await model.logLikelihoods([{ context, continuation: "of the patient" }]);
    expect(scored!.truncatedTokens).toBeGreaterThan(0);
    const [[out]] = (await model.generate([{ prompt: context, maxTokens: 5 }])) as [
      Awaited<ReturnType<typeof model.generate>>[0],
    ];
    expect(out!.truncatedTokens).toBeGreaterThan(0);
    expect(out!.tokens).toHaveLength(5);
  });

  it("cancels at once and goes on serving others", async () => {
    const controller = new AbortController();
    const long = model.generate([{ prompt: "the", maxTokens: 40, n: 50, temperature: 1 }], {
      signal: controller.signal,
    });
    const other = model.logLikelihoods([{ context: "the", continuation: " patient" }]);
    setTimeout(() => controller.abort(), 20);
    await expect(long).rejects.toBeInstanceOf(CancelledError);
    await expect(other).resolves.toHaveLength(1);
  });

  it("keeps weights of a bfloat16 file as they are, and answers as with the same weights in float32, to the last bit", async () => {
    const folders = ["bf16", "f32"].map((dtype) => join(directory, dtype)) as [string, string];
    const options = { kernels: referenceKernels(), precision: "f32" } as const;
    await (await loadModel(directory, options)).save(folders[0], { dtype: "bf16" });
    await (await loadModel(folders[0], options)).save(folders[1], { dtype: "f32" });
    const answers = folders.map(async (folder) => {
      await (await loadTokenizer(directory)).save(folder);
      const one = await loadEmbedded({ directory: folder, precision: "f32", threads: 1 });
      const requests = [{ context: "the patient has a", continuation: " fever and the fever has a cause" }];
      const scored = await one.logLikelihoods(requests);
      const written = await one.generate([
        { prompt: "the", maxTokens: 20, temperature: 1, seed: 3, n: 3, logProbs: 2 },
      ]);
      await one.close();
      return { scored, written };
    });
    expect(await answers[0]).toEqual(await answers[1]);
  });

  it("refuses a folder without weights, with the same error here as in its thread", async () => {
    const empty = mkdtempSync(join(tmpdir(), "meditron-empty-"));
    await model.tokenizer!.save(empty);
    writeFileSync(join(empty, "config.json"), "{}");
    await expect(loadEmbedded({ directory: empty, kernels: "reference" })).rejects.toMatchObject({
      code: "MODEL_CONFIG",
      name: "ConfigError",
    });
    rmSync(empty, { recursive: true });
  });
});

describe("text and tokens", () => {
  // One token per character: boundaries are easy to see.
  const characters = {
    endOfDocumentId: 0,
    encode: (text: string) => [...text].map((c) => c.codePointAt(0)!),
    decode: (ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }) =>
      Array.from(ids, (id) =>
        id === 1 ? (options?.skipSpecialTokens ? "" : "<|im_end|>") : id === 2 ? "e.\n" : String.fromCodePoint(id),
      ).join(""),
  };

  it("continuations begin where the context's own tokens end", () => {
    const { context, continuation } = splitContinuation(characters, { context: "ab ", continuation: "c" });
    expect([context, continuation]).toEqual([characters.encode("ab"), characters.encode(" c")]);
    expect(splitContinuation(characters, { context: "", continuation: "c" }).context).toEqual([0]);
  });

  it("output ends before the first stop, inside a token or at a special one", () => {
    const rule = stopRule(characters, ["\n", "<|im_end|>"]);
    const ids = (text: string) => characters.encode(text);
    expect(rule.isStopped!(ids("abc"))).toBe(false);
    expect(rule.isStopped!([...ids("ab"), 2])).toBe(true);
    expect(rule.cut([...ids("don"), 2])).toEqual({ text: "done.", tokens: [...ids("don"), 2] });
    expect(rule.cut([...ids("yes"), 1])).toEqual({ text: "yes", tokens: ids("yes") });
    expect(stopRule(characters, []).cut(ids("a\nb"))).toEqual({ text: "a\nb", tokens: ids("a\nb") });
  });

  it("a stream holds back what may become a stop, and half a character", () => {
    const stream = new TextStream(characters, ["</s>", "\n"]);
    const pieces = [...characters.encode("a<b</"), 1].map((id) => stream.push(id));
    expect(pieces).toEqual(["a", "", "<b", "", "", ""]);
    expect(stream.end("a<b</")).toBe("</");

    // Tokens are bytes here: "é" takes two, "😀" four.
    const bytes = { decode: (ids: ArrayLike<number>) => Buffer.from(Array.from(ids)).toString("utf8") };
    const letters = new TextStream(bytes, []);
    expect([...Buffer.from("é😀!")].map((byte) => letters.push(byte))).toEqual(["", "é", "", "", "", "😀", "!"]);
    expect(letters.end("é😀!")).toBe("");
  });
});

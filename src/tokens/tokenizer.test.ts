import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Tokenizer as NativeTokenizer } from "tokenizers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFileAtomic } from "../core/index.ts";
import { CHATML_TOKENS, MEDITRON_TOKENS } from "./special-tokens.ts";
import { createTokenizer, loadTokenizer, requireFits } from "./tokenizer.ts";
import { trainTokenizer } from "./train-bpe.ts";

const TEXT = [
  "Aspirin inhibits cyclooxygenase; the usual dose is 100 mg daily (max 4,000 mg).",
  "The patient's blood pressure was 140/90 mmHg, and they'll be seen again in 6 weeks.\n\nNo fever.",
  "Das Fieber sank nach 3 Tagen; Überwachung wurde fortgesetzt. p < 0.05 and q > 3.",
  "Blood pressure is high; the dose was 200 mg daily in patients with fever and blood loss.",
];

/** Shapes of the tokenizers that matter, with small vocabularies of our own. */
const WORDS = ["▁", "a", "b", "c", "d", "▁a", "ab", "▁ab", "cd", "abcd", "▁▁", "<unk>", "<s>", "</s>"];
const sentencePieceModel = {
  type: "BPE",
  unk_token: "<unk>",
  fuse_unk: true,
  byte_fallback: true,
  vocab: Object.fromEntries(
    [...WORDS, ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`)].map(
      (token, id) => [token, id],
    ),
  ),
  merges: ["▁ ▁", "▁ a", "a b", "▁ ab", "c d", "ab cd"],
};
const added = (id: number, content: string, more: object = {}) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...more,
});
const SHAPES: Record<string, object> = {
  "Llama-2: prepend and replace, no pre-tokenizer": {
    version: "1.0",
    added_tokens: [added(11, "<unk>", { normalized: true }), added(12, "<s>"), added(13, "</s>"), added(270, "[x]")],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    decoder: { type: "ByteFallback" },
    model: sentencePieceModel,
  },
  "Mistral: metaspace at the start only": {
    version: "1.0",
    added_tokens: [
      added(13, "</s>"),
      added(270, "[x]"),
      added(271, "[l]", { lstrip: true }),
      added(272, "[r]", { rstrip: true }),
    ],
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
    model: sentencePieceModel,
  },
  "metaspace, every word": {
    version: "1.0",
    added_tokens: [added(13, "</s>"), added(6, "ab", { single_word: true })],
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    model: { ...sentencePieceModel, byte_fallback: false, fuse_unk: false },
  },
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tokenizer-"));
});
afterAll(() => rm(directory, { recursive: true }));

const nativeIds = async (json: string, text: string) =>
  (await NativeTokenizer.fromString(json).encode(text, null, { addSpecialTokens: false })).getIds();

const awkward = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...TEXT, "[x]", " [x] ", "</s>", "<unk>", "[l]", "  [l]", "[r]  ", "ab", "abab"),
  },
  { weight: 3, arbitrary: fc.stringMatching(/^[abcd ▁\n]{0,20}$/) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "é",
      "e\u0301",
      "ſ's",
      "K",
      "\ufeff",
      "\u0085",
      "١٢٣٤",
      "漢字かな",
      "🩺👩‍⚕️",
      "\r\n\t ",
      "'S 'll",
      "12345.6",
    ),
  },
);
const document = fc.array(awkward, { maxLength: 8 }).map((parts) => parts.join(""));

describe("ids are those of Hugging Face's library", () => {
  it.each(Object.entries(SHAPES))("%s", async (_name, shape) => {
    const json = JSON.stringify(shape);
    const ours = createTokenizer(json, { where: "test" });
    await fc.assert(
      fc.asyncProperty(document, async (text) => {
        expect(ours.encode(text)).toEqual(await nativeIds(json, text));
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it("byte level, as trained here and with each word rule", async () => {
    const trained = await trainTokenizer(TEXT, { vocabSize: 305, specialTokens: ["[x]"] });
    await trained.save(directory);
    const json = JSON.parse((await import("node:fs")).readFileSync(join(directory, "tokenizer.json"), "utf8"));
    const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
    const rules = [
      json.pre_tokenizer,
      byteLevel,
      { ...byteLevel, add_prefix_space: true },
      { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] },
    ];
    for (const rule of rules)
      for (const normalizer of [null, { type: "NFC" }]) {
        const text = JSON.stringify({ ...json, pre_tokenizer: rule, normalizer });
        const ours = createTokenizer(text, { where: "test" });
        await fc.assert(
          fc.asyncProperty(document, async (sample) => {
            expect(ours.encode(sample)).toEqual(await nativeIds(text, sample));
          }),
          { numRuns: 150, seed: 11 },
        );
      }
  });

  it("a text of many symbols without a boundary (heap) and short ones (scan) agree", async () => {
    const shape = SHAPES["Llama-2: prepend and replace, no pre-tokenizer"]!;
    const json = JSON.stringify(shape);
    const text = "abcdab".repeat(500) + "cd".repeat(700);
    expect(createTokenizer(json, { where: "test" }).encode(text)).toEqual(await nativeIds(json, text));
  });
});

describe("special tokens", () => {
  it("MEDITRON's seventeen follow the vocabulary in order, ChatML's two behind them", async () => {
    const base = await trainTokenizer(TEXT, { vocabSize: 300 });
    await base.save(directory);
    const tokenizer = await loadTokenizer(directory, { specialTokens: "meditron-chat" });
    expect([...MEDITRON_TOKENS, ...CHATML_TOKENS].map((token) => tokenizer.idOf(token))).toEqual(
      Array.from({ length: 19 }, (_, i) => 300 + i),
    );
    expect(tokenizer.vocabSize).toBe(319);
    expect(MEDITRON_TOKENS[2]).toBe("<EOD>");
    expect(tokenizer.encode("dose[bib_ref] x [/bib_ref]").filter((id) => id >= 300)).toEqual([305, 306]);
    expect(tokenizer.endOfDocumentToken).toBe("<|end_of_text|>");
    const faithful = await loadTokenizer(directory, { specialTokens: "meditron", endOfDocument: "<EOD>" });
    expect(faithful.endOfDocumentId).toBe(302);
    // Saved and loaded again, it is the same tokenizer.
    await tokenizer.save(join(directory, "again"));
    const again = await loadTokenizer(join(directory, "again"));
    expect(again.sha256).toBe(tokenizer.sha256);
    expect(again.endOfDocumentId).toBe(tokenizer.endOfDocumentId);
  });

  it("round trips any text at byte level", async () => {
    const tokenizer = await trainTokenizer(TEXT, { vocabSize: 300 });
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replace(/\p{Surrogate}/gu, "\ufffd"));
      }),
    );
  });
});

describe("training", () => {
  it("joins the most frequent pair first, ties by id, whatever the order of the texts", async () => {
    const texts = ["low low low lower", "newest newest widest"];
    const one = await trainTokenizer(texts, { vocabSize: 256 + 2 + 6 });
    const two = await trainTokenizer(texts.toReversed(), { vocabSize: 256 + 2 + 6 });
    expect(one.sha256).toBe(two.sha256);
    // "l,o" and "o,w" occur 4 times, then "Ġ,low", "e,s" and "s,t" 3 times, then "e,w" and others twice; of equals, the lower id.
    expect(Array.from({ length: 6 }, (_, i) => one.tokenOf(256 + i))).toEqual(["lo", "low", "Ġlow", "es", "est", "ew"]);
  });

  it("says how much the text can give", async () => {
    await expect(trainTokenizer(["aa aa"], { vocabSize: 1000 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the text gives only 1 joined tokens that occur 2 times, 742 were asked for]`,
    );
    await expect(trainTokenizer(["aa aa"], { vocabSize: 100 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: vocabSize 100 leaves no room: 256 bytes and 2 special tokens are needed]`,
    );
  });
});

describe("bad input", () => {
  it("a tokenizer larger than the model names both sizes", async () => {
    const tokenizer = await trainTokenizer(TEXT, { vocabSize: 300 });
    expect(() => requireFits(tokenizer, 256, "model/config.json")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: the tokenizer has 300 tokens but the model embeds only 256]`,
    );
    requireFits(tokenizer, 300, "model/config.json");
  });

  it.each([
    ["cut short", '{"version": "1.0", "model": {"ty'],
    ["no model", "{}"],
    ["no vocabulary", '{"version":"1.0","added_tokens":[],"model":{"type":"BPE","merges":[]}}'],
    [
      "a merge of unknown tokens",
      '{"version":"1.0","added_tokens":[],"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}',
    ],
  ])("%s", async (_name, text) => {
    const path = join(directory, "bad.json");
    await writeFileAtomic(path, text);
    await expect(loadTokenizer(path)).rejects.toMatchObject({ code: "TOKENIZER_MALFORMED", where: path });
  });

  it("another kind of model, no end of text, no file", async () => {
    const wordLevel =
      '{"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}';
    expect(() => createTokenizer(wordLevel, { where: "t" })).toThrow(/WordLevel are not supported/);
    const endless = '{"version":"1.0","added_tokens":[],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}';
    expect(() => createTokenizer(endless, { where: "t" })).toThrow(/no end-of-text token/);
    await expect(loadTokenizer(join(directory, "missing"))).rejects.toMatchObject({ code: "IO_NOT_FOUND" });
  });
});

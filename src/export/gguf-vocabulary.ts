/**
 * A Hugging Face tokenizer as llama.cpp reads it: the same ids for the same text, or a refusal. llama.cpp knows splitting rules by
 * name only, so a tokenizer whose rule has no name there cannot be exported.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, exists, readJson } from "../core/index.ts";
import type { GgufValue } from "../model/gguf.ts";
import {
  type BpeJson,
  bpeSchema,
  type Component,
  type TokenizerJson,
  tokenizerJsonSchema,
} from "../tokens/tokenizer-json.ts";

/** llama.cpp's kinds of tokens. */
const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const WORDS_AND_NUMBERS = (digits: string) =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
/** Splitting rules that both know. `dbrx` is `llama-bpe` without taking whole words past the merges. */
const SPLITTING_RULES = [
  { pattern: WORDS_AND_NUMBERS("{1,3}"), ignoreMerges: true, name: "llama-bpe" },
  { pattern: WORDS_AND_NUMBERS("{1,3}"), ignoreMerges: false, name: "dbrx" },
  { pattern: WORDS_AND_NUMBERS(""), ignoreMerges: false, name: "qwen2" },
  { pattern: "byte level", ignoreMerges: false, name: "gpt-2" },
];

/**
 * @param vocabSize - Rows of the embedding; those without a token are named and marked unused.
 * @throws {ConfigError} GGUF_UNSUPPORTED naming the part of the tokenizer that llama.cpp does not have.
 */
export async function ggufVocabulary(directory: string, vocabSize: number): Promise<Map<string, GgufValue>> {
  const path = join(directory, "tokenizer.json");
  const json = tokenizerJsonSchema.parse(await readJson(path));
  const bpe = bpeSchema.parse(json.model);
  const config = await companion(directory, "tokenizer_config.json");
  const head = new Map<string, GgufValue>();
  const tokens = tokensOf(json, bpe, vocabSize);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const isSentencePiece = bpe.byte_fallback === true;
  head.set("tokenizer.ggml.model", { type: "string", value: isSentencePiece ? "llama" : "gpt2" });
  head.set("tokenizer.ggml.tokens", { type: "strings", value: tokens });
  head.set("tokenizer.ggml.token_type", { type: "int32s", value: kindsOf(json, bpe, tokens) });
  if (isSentencePiece) {
    head.set("tokenizer.ggml.pre", { type: "string", value: "default" });
    head.set("tokenizer.ggml.scores", { type: "float32s", value: scoresOf(bpe, tokens) });
    head.set("tokenizer.ggml.add_space_prefix", { type: "bool", value: prependsSpace(json) });
  } else {
    head.set("tokenizer.ggml.pre", { type: "string", value: splittingRule(json, bpe, path) });
    head.set("tokenizer.ggml.merges", { type: "strings", value: bpe.merges.map(mergeText) });
  }
  const special = (key: string, name: string) => {
    const id = ids.get(tokenText(config[name]) ?? "");
    if (id !== undefined) head.set(`tokenizer.ggml.${key}_token_id`, { type: "uint32", value: id });
  };
  special("bos", "bos_token");
  special("eos", "eos_token");
  special("unknown", "unk_token");
  special("padding", "pad_token");
  // llama.cpp adds what it is not told to leave out.
  head.set("tokenizer.ggml.add_bos_token", { type: "bool", value: config.add_bos_token === true });
  head.set("tokenizer.ggml.add_eos_token", { type: "bool", value: config.add_eos_token === true });
  const template = await chatTemplate(directory, config);
  if (template !== undefined) head.set("tokenizer.chat_template", { type: "string", value: template });
  return head;
}

function tokensOf(json: TokenizerJson, bpe: BpeJson, vocabSize: number): string[] {
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(bpe.vocab)) tokens[id] = token;
  for (const { id, content } of json.added_tokens) tokens[id] = content;
  return Array.from({ length: Math.max(vocabSize, tokens.length) }, (_, id) => tokens[id] ?? `[PAD${id}]`);
}

function kindsOf(json: TokenizerJson, bpe: BpeJson, tokens: string[]): number[] {
  const known = new Set([...Object.values(bpe.vocab), ...json.added_tokens.map(({ id }) => id)]);
  const kinds: number[] = tokens.map((token, id) => {
    if (!known.has(id)) return KIND.unused;
    return bpe.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token) ? KIND.byte : KIND.normal;
  });
  for (const { id, content, special } of json.added_tokens)
    kinds[id] = content === bpe.unk_token ? KIND.unknown : special ? KIND.control : KIND.userDefined;
  return kinds;
}

/**
 * SentencePiece joins the pair whose token scores highest, BPE the pair whose merge comes first: minus the merge's rank says the same.
 * (Several merges that give one token stand together in files made from SentencePiece.)
 */
function scoresOf(bpe: BpeJson, tokens: string[]): number[] {
  const rank = new Map<string, number>();
  for (const [i, merge] of bpe.merges.entries()) {
    const token = mergeText(merge).replace(" ", "");
    if (!rank.has(token)) rank.set(token, i);
  }
  // Single characters are never made by a merge; their score is not asked for.
  return tokens.map((token) => -(rank.get(token) ?? bpe.merges.length));
}

const mergeText = (merge: string | [string, string]) => (typeof merge === "string" ? merge : merge.join(" "));

/** Whether a text begins with ▁ that it did not have. */
function prependsSpace({ normalizer, pre_tokenizer }: TokenizerJson): boolean {
  const steps = [normalizer, ...((normalizer?.normalizers as Component[] | undefined) ?? [])];
  if (steps.some((step) => step?.type === "Prepend")) return true;
  return pre_tokenizer?.type === "Metaspace" && (pre_tokenizer.prepend_scheme ?? "always") !== "never";
}

function splittingRule({ pre_tokenizer }: TokenizerJson, bpe: BpeJson, where: string): string {
  const steps = (pre_tokenizer?.pretokenizers as Component[] | undefined) ?? (pre_tokenizer ? [pre_tokenizer] : []);
  const [split, bytes] = steps.length === 1 ? [undefined, steps[0]] : steps;
  const pattern = split ? (split.pattern as { Regex?: string } | undefined)?.Regex : "byte level";
  const isPlain = bytes?.type === "ByteLevel" && bytes.add_prefix_space !== true && steps.length <= 2;
  const found = SPLITTING_RULES.find(
    (rule) => rule.pattern === pattern && rule.ignoreMerges === (bpe.ignore_merges === true),
  );
  if (isPlain && found) return found.name;
  throw new ConfigError("GGUF_UNSUPPORTED", {
    message: "llama.cpp has no name for this tokenizer's way of splitting text into words",
    where: `${where} pre_tokenizer`,
    remedy: "export the Hugging Face folder, or take a tokenizer of the Llama, Mistral, Qwen or GPT-2 family",
    fields: { pattern },
  });
}

async function companion(directory: string, name: string): Promise<Record<string, unknown>> {
  const path = join(directory, name);
  return (await exists(path)) ? readJson<Record<string, unknown>>(path) : {};
}

async function chatTemplate(directory: string, config: Record<string, unknown>): Promise<string | undefined> {
  const file = join(directory, "chat_template.jinja");
  if (await exists(file)) return readFile(file, "utf8");
  return typeof config.chat_template === "string" ? config.chat_template : undefined;
}

/** tokenizer_config.json writes a token as text or as { content }. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

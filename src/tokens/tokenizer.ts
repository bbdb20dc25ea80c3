/**
 * Hugging Face tokenizers, id for id, with calls that do not wait.
 *
 * The native library reads and checks tokenizer.json and decodes; encoding runs in TypeScript (`bpe.ts`, `splitting.ts`),
 * because the library's Node binding has no synchronous `encode` and hands ids over as boxed arrays. A property test holds
 * both to the same ids.
 */
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Decoder, Tokenizer as NativeTokenizer } from "tokenizers";
import {
  ConfigError,
  DataError,
  exists,
  fromSystemError,
  readJson,
  sha256,
  writeFileAtomic,
  writeJsonAtomic,
} from "../core/index.ts";
import { addedTokenMatcher } from "./added-tokens.ts";
import { BpeModel } from "./bpe.ts";
import { type SpecialTokens, specialTokenList } from "./special-tokens.ts";
import { compileNormalizer, compileSplit, wellFormed } from "./splitting.ts";
import { bpeSchema, specialToken, type TokenizerJson, tokenizerJsonSchema } from "./tokenizer-json.ts";
import type { Tokenizer } from "./types.ts";

export interface TokenizerOptions {
  /** Tokens to add behind the vocabulary, in order; those it has already keep their ids. Default "none". */
  specialTokens?: SpecialTokens;
  /** Token that ends a document. Default: the tokenizer's own EOS, so that served models stop. MEDITRON's is "<EOD>". */
  endOfDocument?: string;
}

/** Names under which tokenizers without a configuration keep their end of text, most common first. */
const END_TOKENS = ["</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|im_end|>"];
const PAD_TOKENS = ["<PAD>", "<pad>", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"];
/** A text longer than this lets the event loop breathe between batches. */
const BATCH_CHARACTERS = 1 << 20;

/**
 * Loads a tokenizer from tokenizer.json or from the folder that holds it (its companions say what ends a text).
 *
 * @throws {ConfigError} IO_NOT_FOUND; TOKENIZER_UNSUPPORTED for models other than BPE; TOKENIZER_NO_END without a known end token.
 * @throws {DataError} TOKENIZER_MALFORMED naming what the file lacks.
 */
export async function loadTokenizer(path: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  const isFolder = await stat(path).then(
    (status) => status.isDirectory(),
    (error) => {
      throw fromSystemError(error, path, "opening the tokenizer");
    },
  );
  const file = isFolder ? join(path, "tokenizer.json") : path;
  const text = await readFile(file, "utf8").catch((error) => {
    throw fromSystemError(error, file, "reading the tokenizer");
  });
  const config = join(dirname(file), "tokenizer_config.json");
  const companion = (await exists(config)) ? await readJson<Record<string, unknown>>(config) : {};
  return createTokenizer(text, { ...options, where: file, config: companion });
}

/** A tokenizer from the text of tokenizer.json. `config` is the content of tokenizer_config.json. */
export function createTokenizer(
  text: string,
  options: TokenizerOptions & { where: string; config?: Record<string, unknown> },
): Tokenizer {
  const { where, config = {} } = options;
  const parsed = parse(text, where);
  const added = addSpecialTokens(parsed, specialTokenList(options.specialTokens ?? "none"));
  const source = added > 0 ? `${JSON.stringify(parsed, null, 2)}\n` : text;
  return new HuggingFaceTokenizer(parsed, source, where, config, options.endOfDocument);
}

/**
 * Refuses a tokenizer whose ids a model cannot embed.
 * @throws {ConfigError} TOKENIZER_TOO_LARGE with both sizes.
 */
export function requireFits(tokenizer: Tokenizer, modelVocabSize: number, where: string): void {
  if (tokenizer.vocabSize <= modelVocabSize) return;
  throw new ConfigError("TOKENIZER_TOO_LARGE", {
    message: `the tokenizer has ${tokenizer.vocabSize} tokens but the model embeds only ${modelVocabSize}`,
    where,
    remedy: "extend the model's vocabulary first, or take the tokenizer it was trained with",
    fields: { tokenizerVocabSize: tokenizer.vocabSize, modelVocabSize },
  });
}

/** What another thread needs to make the same tokenizer with `createTokenizer`. */
export interface TokenizerParts {
  text: string;
  config: Record<string, unknown>;
  endOfDocument: string;
}

/** @throws {ConfigError} TOKENIZER_UNSUPPORTED for a tokenizer that was not made here. */
export function tokenizerParts(tokenizer: Tokenizer): TokenizerParts {
  if (tokenizer instanceof HuggingFaceTokenizer) return tokenizer.parts();
  throw new ConfigError("TOKENIZER_UNSUPPORTED", {
    message: "only tokenizers made by loadTokenizer, createTokenizer or trainTokenizer can work on other threads",
  });
}

class HuggingFaceTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly sha256: string;
  readonly endOfDocumentId: number;
  readonly endOfDocumentToken: string;
  readonly padId: number;
  readonly #source: string;
  readonly #config: Record<string, unknown>;
  readonly #encode: (text: string, ids: number[]) => void;
  readonly #ids: Map<string, number>;
  readonly #tokens: (string | undefined)[] = [];
  readonly #special: Set<number>;
  readonly #decoder: Decoder | null;
  readonly #padToken: string | undefined;

  constructor(
    json: TokenizerJson,
    source: string,
    where: string,
    config: Record<string, unknown>,
    endOfDocument: string | undefined,
  ) {
    const native = loadNative(source, where);
    this.#source = source;
    this.#config = config;
    this.sha256 = sha256(source);
    this.#decoder = native.getDecoder();
    this.#ids = new Map(Object.entries(native.getVocab(true)));
    for (const [token, id] of this.#ids) this.#tokens[id] = token;
    this.#special = new Set(json.added_tokens.filter((token) => token.special).map((token) => token.id));
    this.vocabSize = this.#tokens.length;
    this.#encode = compileEncoder(json, native, where);

    const named = tokenText(config.eos_token);
    const end = endOfDocument ?? named ?? END_TOKENS.find((token) => this.#ids.has(token));
    const endId = end === undefined ? undefined : this.#ids.get(end);
    if (end === undefined || endId === undefined)
      throw new ConfigError("TOKENIZER_NO_END", {
        message:
          end === undefined
            ? "no end-of-text token is known for this tokenizer"
            : `the end-of-document token ${JSON.stringify(end)} is not in the vocabulary`,
        where,
        remedy: "name one of its tokens as endOfDocument, or add special tokens (specialTokens: meditron has <EOD>)",
      });
    this.endOfDocumentToken = end;
    this.endOfDocumentId = endId;
    this.#padToken = [tokenText(config.pad_token), ...PAD_TOKENS].find((token) => token && this.#ids.has(token));
    this.padId = this.#padToken === undefined ? endId : this.#ids.get(this.#padToken)!;
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    // Lone surrogates cannot be written as UTF-8; the native library reads them as U+FFFD too.
    this.#encode(wellFormed(text), ids);
    return ids;
  }

  async encodeBatch(texts: string[]): Promise<Int32Array[]> {
    const batch: Int32Array[] = [];
    let characters = 0;
    for (const text of texts) {
      batch.push(Int32Array.from(this.encode(text)));
      characters += text.length;
      if (characters < BATCH_CHARACTERS) continue;
      characters = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return batch;
  }

  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const token = this.#tokens[ids[i]!];
      if (token !== undefined && !(options.skipSpecialTokens && this.#special.has(ids[i]!))) tokens.push(token);
    }
    return this.#decoder ? this.#decoder.decode(tokens) : tokens.join(" ");
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id];
  }

  parts(): TokenizerParts {
    return { text: this.#source, config: this.#config, endOfDocument: this.endOfDocumentToken };
  }

  async save(directory: string, { chatTemplate }: { chatTemplate?: string } = {}): Promise<void> {
    const special = [...this.#special].sort((a, b) => a - b).map((id) => this.#tokens[id]!);
    await writeFileAtomic(join(directory, "tokenizer.json"), this.#source);
    await writeJsonAtomic(join(directory, "tokenizer_config.json"), {
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: 1e30,
      clean_up_tokenization_spaces: false,
      ...this.#config,
      // Training text carries no beginning token; a text decoded and encoded again is the same.
      add_bos_token: false,
      eos_token: this.endOfDocumentToken,
      ...(this.#padToken === undefined ? {} : { pad_token: this.#padToken }),
      ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
    });
    await writeJsonAtomic(join(directory, "special_tokens_map.json"), {
      eos_token: this.endOfDocumentToken,
      ...(this.#padToken === undefined ? {} : { pad_token: this.#padToken }),
      additional_special_tokens: special.filter(
        (token) => token !== this.endOfDocumentToken && token !== this.#padToken,
      ),
    });
  }
}

/** The whole way from text to ids: added tokens, normalisation, words, merges. */
function compileEncoder(
  json: TokenizerJson,
  native: NativeTokenizer,
  where: string,
): (text: string, ids: number[]) => void {
  const shape = bpeSchema.safeParse(json.model);
  if (!shape.success) {
    if (json.model.type !== undefined && json.model.type !== "BPE")
      throw new ConfigError("TOKENIZER_UNSUPPORTED", {
        message: `tokenizers of type ${json.model.type} are not supported`,
        where,
        remedy: "take the tokenizer of a Llama, Mistral, Qwen or GPT family model (byte-pair encoding)",
      });
    throw malformed(`model.${shape.error.issues[0]!.path.join(".")}: ${shape.error.issues[0]!.message}`, where);
  }
  const bpe = new BpeModel(shape.data, where);
  const normalize = compileNormalizer(json.normalizer, native.getNormalizer());
  const split = compileSplit(json.pre_tokenizer, native.getPreTokenizer(), (character) => bpe.splitsBefore(character));
  // Tokens marked "normalized" are looked for in the normalised text, under their normalised spelling.
  const findRaw = addedTokenMatcher(json.added_tokens.filter((token) => !token.normalized));
  const findNormalized = addedTokenMatcher(
    json.added_tokens.filter((token) => token.normalized),
    (token) => normalize(token.content),
  );

  const encodeWords = (text: string, first: boolean, ids: number[]): void => {
    const cut = split(text, first);
    if (cut.form === "runs") {
      bpe.encodeRuns(cut.text, ids);
      return;
    }
    for (const word of cut.words) {
      const wordIds = cut.form === "bytes" ? bpe.encodeBytes(word) : bpe.encode(word);
      for (let i = 0; i < wordIds.length; i++) ids.push(wordIds[i]!);
    }
  };
  return (text, ids) => {
    let first = true;
    for (const piece of findRaw ? findRaw(text) : [text]) {
      if (typeof piece === "number") ids.push(piece);
      else {
        const normalized = normalize(piece);
        for (const part of findNormalized ? findNormalized(normalized) : [normalized]) {
          if (typeof part === "number") ids.push(part);
          else encodeWords(part, first, ids);
          first = false;
        }
      }
      first = false;
    }
  };
}

function parse(text: string, where: string): TokenizerJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(`not valid JSON: ${(error as Error).message}`, where);
  }
  const result = tokenizerJsonSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw malformed(`${issue.path.join(".") || "file"}: ${issue.message}`, where);
}

function loadNative(source: string, where: string): NativeTokenizer {
  try {
    return NativeTokenizer.fromString(source);
  } catch (error) {
    throw malformed((error as Error).message, where);
  }
}

function malformed(reason: string, where: string): DataError {
  return new DataError("TOKENIZER_MALFORMED", {
    message: `not a Hugging Face tokenizer.json: ${reason}`,
    where,
    remedy: "the file is damaged or of another kind: fetch it again, or convert it with transformers",
  });
}

/** Appends tokens behind the highest id. @returns how many were new. */
function addSpecialTokens(json: TokenizerJson, tokens: readonly string[]): number {
  const vocab = (json.model as { vocab?: Record<string, number> }).vocab ?? {};
  let next = 0;
  for (const id of Object.values(vocab)) next = Math.max(next, id + 1);
  for (const token of json.added_tokens) next = Math.max(next, token.id + 1);
  const known = new Set(json.added_tokens.map((token) => token.content));
  let added = 0;
  for (const content of tokens) {
    if (known.has(content)) continue;
    const id = vocab[content] ?? next++;
    json.added_tokens.push(specialToken(id, content));
    known.add(content);
    added++;
  }
  // The library reads them in order of id.
  json.added_tokens.sort((a, b) => a.id - b.id);
  return added;
}

/** tokenizer_config.json writes a token as text or as { content }. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

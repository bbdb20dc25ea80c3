/**
 * How well a model predicts text: perplexity per token and bits per UTF-8 byte (comparable across tokenizers).
 *
 * Documents longer than the context are cut at white space into pieces of at most half of it, and each piece is scored after the
 * piece before it, so that every token but a document's first ones has context and none is scored twice.
 */
import { DataError } from "../core/index.ts";
import type { LanguageModel, LogLikelihood, LogLikelihoodRequest } from "../providers/language-model.ts";
import { bootstrapInterval } from "./statistics/index.ts";

export interface TextLoss {
  documents: number;
  tokens: number;
  bytes: number;
  /** Σ nats / tokens. */
  lossPerToken: number;
  /** exp(lossPerToken). */
  perplexity: number;
  /** Σ nats / (ln 2 · Σ bytes). @see Gao et al. 2020, arXiv:2101.00027 */
  bitsPerByte: number;
  /** Bootstrap over documents of their own bits per byte. */
  documentInterval: { low: number; high: number };
  /** In the order given. */
  perDocument: DocumentLoss[];
}

export interface DocumentLoss {
  id: string;
  nats: number;
  tokens: number;
  bytes: number;
}

/** @throws {DataError} EVAL_NO_TEXT when no document holds text. */
export async function measureTextLoss(
  model: LanguageModel,
  documents: Iterable<{ id: string; text: string }>,
  options: { signal?: AbortSignal; onProgress?(done: number, total: number): void } = {},
): Promise<TextLoss> {
  const requests: LogLikelihoodRequest[] = [];
  const owners: number[] = [];
  const perDocument: DocumentLoss[] = [];
  for (const { id, text } of documents) {
    if (text.trim() === "") continue;
    let context = "";
    for (const piece of pieces(text, model)) {
      requests.push({ context, continuation: piece });
      owners.push(perDocument.length);
      context = piece;
    }
    perDocument.push({ id, nats: 0, tokens: 0, bytes: 0 });
  }
  if (perDocument.length === 0)
    throw new DataError("EVAL_NO_TEXT", { message: "no document holds text", remedy: "name other documents" });
  let done = 0;
  const results = await model.logLikelihoods(requests, {
    ...(options.signal ? { signal: options.signal } : {}),
    onDone: () => options.onProgress?.(++done, requests.length),
  });
  for (const [i, { logLikelihood, bytes, tokens: scored }] of results.entries() as Iterable<[number, LogLikelihood]>) {
    const document = perDocument[owners[i]!]!;
    document.nats -= logLikelihood;
    document.bytes += bytes;
    document.tokens += scored.length;
  }
  const sum = (key: "nats" | "tokens" | "bytes") => perDocument.reduce((total, document) => total + document[key], 0);
  const [nats, tokens, bytes] = [sum("nats"), sum("tokens"), sum("bytes")];
  return {
    documents: perDocument.length,
    tokens,
    bytes,
    lossPerToken: nats / tokens,
    perplexity: Math.exp(nats / tokens),
    bitsPerByte: nats / (Math.LN2 * bytes),
    documentInterval: bootstrapInterval(perDocument.map((document) => document.nats / (Math.LN2 * document.bytes))),
    perDocument,
  };
}

/** Cuts before white space; pieces joined are the text. Without a tokenizer a token is taken as two bytes (an upper bound in practice). */
export function* pieces(text: string, model: Pick<LanguageModel, "tokenizer" | "capabilities">): Generator<string> {
  const limit = Math.max(1, Math.floor(model.capabilities.contextTokens / 2) - 2);
  const size = (part: string) =>
    model.tokenizer ? model.tokenizer.encode(part).length : Math.ceil(Buffer.byteLength(part) / 2);
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + 8 * limit);
    while (size(text.slice(from, to)) > limit && to - from > 1) {
      const shorter = from + Math.max(1, Math.floor((to - from) * 0.8));
      const space = text.lastIndexOf(" ", shorter);
      to = space > from ? space : shorter;
      // Never between the halves of a surrogate pair.
      if (/[\uD800-\uDBFF]/.test(text[to - 1]!) && to < text.length) to++;
    }
    yield text.slice(from, to);
    from = to;
  }
}

/** What completions and chats share: sampling settings, the way through the model, and text as it comes. */
import { randomInt } from "node:crypto";
import type { Context } from "hono";
import type { GenerateRequest, Generation } from "../providers/index.ts";
import type { Exchange, ServeEnv, Serving } from "./exchange.ts";
import { HttpProblem } from "./problem.ts";
import type { ChatRequest, CompletionRequest } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

export interface Prompt {
  text: string;
  ids?: number[];
}

/** A token of more characters than this is nobody's: so long a text cannot fit and need not be split to know. */
const LONGEST_TOKEN_CHARACTERS = 256;

/**
 * The request as the model takes it.
 * @param wanted - tokens to write; undefined for as many as fit.
 * @throws {HttpProblem} 400 when the prompt is too long, or asks for what this engine does not report.
 */
export function generateRequest(
  serving: Serving,
  { model }: LocalModel,
  prompt: Prompt,
  request: CompletionRequest | ChatRequest,
  options: { wanted: number | undefined; stop: string[]; logProbs: number | undefined; echo: boolean },
): GenerateRequest {
  const { capabilities, tokenizer } = model;
  const { contextTokens } = capabilities;
  const { logProbs, echo } = options;
  if ((logProbs !== undefined || prompt.ids) && !capabilities.logProbs)
    throw new HttpProblem(400, "unsupported", "this model's engine takes text and reports no log-probabilities", {
      param: prompt.ids ? "prompt" : "logprobs",
    });
  const tooLong = (tokens: string) =>
    new HttpProblem(
      400,
      "context_length_exceeded",
      `the prompt has ${tokens} tokens; the context holds ${contextTokens}`,
    );
  if (prompt.text.length > contextTokens * LONGEST_TOKEN_CHARACTERS) throw tooLong("far too many");
  let maxTokens = Math.min(options.wanted ?? serving.limits.maxTokens, serving.limits.maxTokens);
  let ids: number[] | undefined;
  if (tokenizer && capabilities.logProbs) {
    ids = prompt.ids ?? tokenizer.encode(prompt.text);
    const badId = ids.find((id) => id >= tokenizer.vocabSize);
    if (badId !== undefined)
      throw new HttpProblem(400, "invalid_value", `the vocabulary has no token ${badId}`, { param: "prompt" });
    // An empty prompt starts from the end-of-document token. What is only scored may fill the context.
    const room = contextTokens - Math.max(1, ids.length);
    if (room < (maxTokens > 0 && !echo ? 1 : 0)) throw tooLong(String(ids.length));
    maxTokens = Math.min(maxTokens, room);
  }
  const { temperature, top_p, top_k, seed, n } = request;
  return {
    prompt: prompt.text,
    ...(ids ? { promptIds: ids } : {}),
    maxTokens,
    temperature: temperature ?? 1,
    topP: top_p ?? 1,
    topK: top_k ?? 0,
    stop: options.stop,
    // Sample k takes seed + k, all within 32 bits.
    seed: seed == null ? randomInt(2 ** 32) : ((seed % 2 ** 32) + 2 ** 32) % 2 ** 32,
    n: n ?? 1,
    ...(logProbs === undefined ? {} : { logProbs, echo }),
  };
}

export function stopsOfRequest(stop: string | string[] | null | undefined): string[] {
  return [stop ?? []].flat().filter((text) => text !== "");
}

/** @throws {HttpProblem} 400 for more answers than one request may ask for. */
export function checkSamples(serving: Serving, prompts: number, n: number): void {
  if (prompts * n > serving.limits.samples)
    throw new HttpProblem(400, "too_many_samples", `one request may ask for ${serving.limits.samples} answers`, {
      param: "n",
    });
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** Counts the tokens, for the answer, the log and the metrics. */
export function account(c: Context<ServeEnv>, serving: Serving, served: LocalModel, results: Generation[][]): Usage {
  const prompt = results.reduce((sum, samples) => sum + (samples[0]?.promptTokens ?? 0), 0);
  const completion = results.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
  const { metrics } = serving;
  metrics.tokens.add({ model: served.id, kind: "prompt" }, prompt);
  metrics.tokens.add({ model: served.id, kind: "completion" }, completion);
  Object.assign(c.get("account"), { promptTokens: prompt, completionTokens: completion });
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

export const finishReason = (finish: Generation["finish"]): "length" | "stop" =>
  finish === "length" ? "length" : "stop";

/** Text that was written to one sample of one request. */
export interface Piece {
  request: number;
  sample: number;
  text: string;
}

/**
 * Text as it is written. What a slow client has not taken yet is joined, so little is held for it.
 * @param onText - told of pieces, in order within each answer; the next come when it is done.
 * @returns all results at the end.
 */
export async function generateStreaming(
  { model }: LocalModel,
  requests: GenerateRequest[],
  exchange: Exchange,
  onText: (pieces: Piece[]) => Promise<void>,
): Promise<Generation[][]> {
  let pending = new Map<string, Piece>();
  let wake = () => {};
  let isDone = false;
  const push = (request: number, sample: number, text: string) => {
    exchange.tellFirstText();
    const key = `${request} ${sample}`;
    const before = pending.get(key);
    if (before) before.text += text;
    else pending.set(key, { request, sample, text });
    wake();
  };
  const streams = model.capabilities.streams === true;
  const run = model
    .generate(requests, {
      signal: exchange.signal,
      ...(streams ? { onText: push } : {}),
      onDone: (request, samples) => {
        if (!streams) for (const [sample, { text }] of samples.entries()) push(request, sample, text);
      },
    })
    .finally(() => {
      isDone = true;
      wake();
    });
  run.catch(() => {}); // awaited below; a failed write may come first
  for (;;) {
    const ready = pending;
    pending = new Map();
    if (ready.size > 0) await onText([...ready.values()]);
    if (pending.size > 0) continue;
    if (isDone) return run;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

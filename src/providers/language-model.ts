/** The one thing evaluation knows about models. Implementations: embedded engine, OpenAI-compatible endpoints, GGUF. */
import type { Tokenizer } from "../tokens/types.ts";

/** Scores `continuation` after `context`. Token boundaries follow the harness's rule: encode(context + continuation) split at encode(context). */
export interface LogLikelihoodRequest {
  context: string;
  continuation: string;
}

export interface LogLikelihood {
  /** Sum over the continuation's tokens, in nats. */
  logLikelihood: number;
  /** Per token, in nats. */
  tokenLogLikelihoods: Float64Array;
  tokens: number[];
  /** UTF-8 length of the continuation. */
  bytes: number;
  /** Every token of the continuation was the model's first choice. */
  isGreedy: boolean;
  /** Tokens cut from the beginning of the context because all did not fit; absent when none were. */
  truncatedTokens?: number;
}

export interface Sampling {
  maxTokens: number;
  /** 0 is greedy. */
  temperature?: number;
  topP?: number;
  topK?: number;
  /** Output ends before the first occurrence of any of these. */
  stop?: string[];
  /** Same seed, same prompt, same text, whatever else is in the batch. */
  seed?: number;
}

export interface GenerateRequest extends Sampling {
  prompt: string;
  /** Samples to draw; sample k uses seed + k. Default 1. */
  n?: number;
  /** Token ids to start from, in place of those of `prompt`. Only where `capabilities.logProbs`. */
  promptIds?: number[];
  /** Report every position with so many of the likeliest tokens (0: only the token itself). Only where `capabilities.logProbs`. */
  logProbs?: number;
  /** With `logProbs`: the prompt's positions too, ahead of the output's. */
  echo?: boolean;
}

/** A token in its place. */
export interface TokenPosition {
  token: number;
  /** What it adds to the text; empty while a character is incomplete. */
  text: string;
  /** In nats, under the model before temperature; null for a first token, which nothing predicts. */
  logLikelihood: number | null;
  /** The likeliest tokens here, best first. */
  top: { token: number; text: string; logLikelihood: number }[];
}

export interface Generation {
  text: string;
  tokens: number[];
  /** Sum of the generated tokens' log-likelihoods under the model (before temperature), in nats; with `logProbs`. */
  logLikelihood?: number;
  finish: "stop" | "length" | "end-of-text";
  /** Length of the prompt as it was computed; absent where the provider hides it. */
  promptTokens?: number;
  /** As asked for by `logProbs`. */
  positions?: TokenPosition[];
  /** Tokens cut from the beginning of the prompt because all did not fit; absent when none were. */
  truncatedTokens?: number;
}

export interface Capabilities {
  logLikelihoods: boolean;
  generate: boolean;
  /** `generate` tells of text while it is written (`onText`). */
  streams?: boolean;
  /** `generate` takes token ids and reports positions (`promptIds`, `logProbs`, `echo`). */
  logProbs?: boolean;
  /** Prompt tokens and continuation together. */
  contextTokens: number;
}

export interface LanguageModel {
  /** Short name for tables. */
  readonly name: string;
  /** Identity for caches: hash of weights and settings, or endpoint + model id. */
  readonly id: string;
  readonly tokenizer?: Tokenizer;
  readonly capabilities: Capabilities;
  /** In request order. @param onDone - called with the request index as each finishes (progress, resume). */
  logLikelihoods(
    requests: LogLikelihoodRequest[],
    options?: { signal?: AbortSignal; onDone?: (index: number, result: LogLikelihood) => void },
  ): Promise<LogLikelihood[]>;
  generate(
    requests: GenerateRequest[],
    options?: {
      signal?: AbortSignal;
      onDone?: (index: number, result: Generation[]) => void;
      /** Pieces of the text as they are written, in order; together they are `text`. Only where `capabilities.streams`. */
      onText?: (index: number, sample: number, text: string) => void;
    },
  ): Promise<Generation[][]>;
  close(): Promise<void>;
}

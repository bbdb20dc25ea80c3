/** A solver turns prompts into predictions. It asks the model in one batch and hands over every item as it is finished. */
import type { LanguageModel } from "../../providers/language-model.ts";
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import type { ChatTemplate, FittedPrompt, QuestionStyle } from "../prompts/index.ts";

export const solverNames = [
  "option-log-likelihood",
  "option-text-log-likelihood",
  "greedy",
  "chain-of-thought",
  "self-consistency",
  "answer-log-likelihood",
] as const;
export type SolverName = (typeof solverNames)[number];

/** How the likelihoods of option texts of different lengths are made comparable. */
export const normalizations = ["per-byte", "per-token", "raw", "pmi"] as const;
export type Normalization = (typeof normalizations)[number];

/** Most samples of one question. */
export const mostSamples = 128;

/** Seed of sample k (below `mostSamples`) under an evaluation seed: no two seeds share one. */
export const sampleSeed = (seed: number, k: number): number => seed * mostSamples + k;

export interface Task {
  item: Item;
  prompt: FittedPrompt;
}

export interface OptionScore {
  /** Sum over the continuation's tokens, in nats. */
  logLikelihood: number;
  tokens: number;
  bytes: number;
  /** The same continuation after the answer cue alone ("The answer is:"), in nats: what the question has no part in. */
  unconditional?: number;
  /** Every token was the model's first choice among all tokens. */
  isGreedy: boolean;
}

export interface Solution {
  /** By scoring rule: the letter chosen, or null where the output states none. */
  predictions: Record<string, string | null>;
  /** Per option letter (log-likelihood solvers). */
  logLikelihoods?: Record<string, OptionScore>;
  /** Texts generated, in sampling order. */
  outputs?: string[];
  /** Letter of each output under the strict parser, null where it has none (self-consistency). */
  votes?: (string | null)[];
  generatedTokens: number;
}

export interface SolveContext {
  model: LanguageModel;
  benchmark: Benchmark;
  settings: SolverSettings;
  signal?: AbortSignal | undefined;
  onSolved(index: number, solution: Solution): void;
}

export interface SolverSettings extends QuestionStyle {
  chat: ChatTemplate;
  shots: number;
  /** Samples of self-consistency. */
  samples: number;
  /** Temperature of self-consistency; all other generation is greedy. */
  temperature: number;
  /** Most tokens of one output. */
  maxTokens: number;
  /** Of the evaluation; `sampleSeed` makes those of single samples. */
  seed: number;
}

export interface Solver {
  name: SolverName;
  /** What the model must be able to do. */
  requires: "logLikelihoods" | "generate";
  chainOfThought: boolean;
  /** Answers are drawn: every evaluation seed gives others. */
  isSampled: boolean;
  /** Keys of `predictions`; the first is the headline unless the settings name another. */
  rules: readonly string[];
  /** New tokens an item may take, unless set: the prompt leaves room for them. */
  maxTokens: number;
  solve(tasks: readonly Task[], context: SolveContext): Promise<void>;
}

/** Highest score wins; equal scores go to the earlier letter, so that a rerun agrees with itself. */
export function best(scores: Record<string, number>): string | null {
  let winner: string | null = null;
  for (const [letter, score] of Object.entries(scores)) if (winner === null || score > scores[winner]!) winner = letter;
  return winner;
}

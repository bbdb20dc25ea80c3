/** How long a training is: from epochs, tokens or steps of the recipe to the steps and the mixture of the job. */
import { ConfigError } from "../core/index.ts";
import type { Training } from "./recipe.ts";

export interface Mixture {
  corpus: string;
  /** Tokens of the training split. */
  tokens: number;
  weight: number;
}

/** Corpora with their weights; without weights in the recipe, each counts by its tokens, so an epoch sees every token once. */
export function mixtureOf(training: Training, tokensOf: (corpus: string) => number): Mixture[] {
  return (training.data ?? []).map(({ corpus, weight }) => {
    const tokens = tokensOf(corpus);
    return { corpus, tokens, weight: weight ?? tokens };
  });
}

/**
 * Steps of a pretraining job, rounded down so that an epoch shows no token twice.
 *
 *   tokens = epochs · n₀ · Σw / w₀      an epoch is one pass over the first corpus: when it is through, so is every other
 *                                        corpus in its share (weights = tokens: one pass over the union)
 *   steps  = ⌊tokens / (sequenceLength · globalBatchSize)⌋
 *
 * @throws {ConfigError} RUN_TOO_FEW_TOKENS when the corpora do not fill a single step.
 */
export function pretrainingSteps(name: string, training: Training, mixture: Mixture[]): number {
  if (training.steps !== undefined) return training.steps;
  const first = mixture[0]!;
  const weights = mixture.reduce((sum, { weight }) => sum + weight, 0);
  const tokens = training.tokens ?? (training.epochs ?? 1) * first.tokens * (weights / first.weight);
  const perStep = training.sequenceLength * training.globalBatchSize;
  const steps = Math.floor(tokens / perStep);
  if (!(steps >= 1))
    throw new ConfigError("RUN_TOO_FEW_TOKENS", {
      message: `${Math.floor(tokens)} tokens do not fill one step of ${training.globalBatchSize} windows of ${training.sequenceLength} tokens (${perStep})`,
      where: `train.${name}`,
      remedy: "lower globalBatchSize or sequenceLength, raise epochs, or give more text",
    });
  return steps;
}

/** Warmup and decay in steps. MEDITRON's end-LR rule is decayFactor 2 (SPEC 1e). */
export function scheduleOf(training: Training, steps: number) {
  const { shape, peakLearningRate, minLearningRate, warmupSteps, warmupFraction, decayFactor } = training.schedule;
  const decaySteps = Math.max(1, Math.round(steps * decayFactor));
  const warmup = warmupSteps ?? Math.round((warmupFraction ?? 0) * steps);
  return { shape, peakLearningRate, minLearningRate, warmupSteps: Math.min(warmup, decaySteps), decaySteps };
}

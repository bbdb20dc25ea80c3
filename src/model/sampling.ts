/** Choosing the next token from its logits. */
import { counterRandom } from "../core/index.ts";
import { streamOf } from "./parameters.ts";

export interface SamplingSettings {
  /** 0 is greedy. */
  temperature: number;
  /** Smallest set of likeliest tokens whose probabilities reach this sum (Holtzman et al. 2019, arXiv:1904.09751). 1: all. */
  topP: number;
  /** At most so many of the likeliest tokens. 0: all. */
  topK: number;
}

export interface Choice {
  token: number;
  /** Under the model itself: before temperature, top-k and top-p. In nats. */
  logLikelihood: number;
}

/**
 * Temperature first, then top-k, then top-p, as in transformers. Equal logits rank by id. How likely the token was is not said: over a
 * whole vocabulary that costs more than the choice (`logLikelihoodOf`).
 * @param uniform - in [0, 1): where in the remaining distribution to draw.
 */
export function chooseToken(logits: Float32Array, settings: SamplingSettings, uniform: number): number {
  const { temperature, topP, topK } = settings;
  let best = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v]! > logits[best]!) best = v;
  const max = logits[best]!;
  if (temperature === 0 || topK === 1) return best;

  const p = new Float64Array(logits.length);
  let sum = 0;
  for (let v = 0; v < p.length; v++) {
    p[v] = Math.exp((logits[v]! - max) / temperature);
    sum += p[v]!;
  }
  let candidates: number[] | undefined;
  if (topK > 0 && topK < p.length) {
    candidates = rank(p, 0).slice(0, topK);
    sum = candidates.reduce((s, v) => s + p[v]!, 0);
  }
  if (topP < 1) {
    // Tokens below (1 − topP)/V share less than 1 − topP together, so none of them is in the nucleus: fewer to sort.
    candidates ??= rank(p, ((1 - topP) * sum) / p.length);
    let mass = 0;
    const end = candidates.findIndex((v) => {
      mass += p[v]!;
      return mass >= topP * sum;
    });
    if (end !== -1) candidates = candidates.slice(0, end + 1);
    sum = candidates.reduce((s, v) => s + p[v]!, 0);
  }
  let left = uniform * sum;
  const count = candidates ? candidates.length : p.length;
  for (let i = 0; i < count; i++) {
    const v = candidates ? candidates[i]! : i;
    left -= p[v]!;
    if (left < 0) return v;
  }
  return best; // rounding left a sliver beyond the last token
}

/** The `count` likeliest tokens, best first, each with its log-likelihood under the model. Equal logits rank by id. */
export function likeliest(logits: Float32Array, count: number): Choice[] {
  if (count === 0) return [];
  const best: number[] = [];
  for (let v = 0; v < logits.length; v++) {
    if (best.length === count && logits[v]! <= logits[best[count - 1]!]!) continue;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]!]! < logits[v]!) at--;
    best.splice(at, 0, v);
    if (best.length > count) best.pop();
  }
  const normalizer = normalizerOf(logits);
  return best.map((token) => ({ token, logLikelihood: logits[token]! - normalizer }));
}

/** Of one token under the model, in nats. */
export function logLikelihoodOf(logits: Float32Array, token: number): number {
  return logits[token]! - normalizerOf(logits);
}

/** ln Σ exp(logit). */
function normalizerOf(logits: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < logits.length; v++) if (logits[v]! > max) max = logits[v]!;
  let total = 0;
  for (let v = 0; v < logits.length; v++) total += Math.exp(logits[v]! - max);
  return max + Math.log(total);
}

/** Tokens with p of at least `floor`, likeliest first. */
function rank(p: Float64Array, floor: number): number[] {
  const tokens: number[] = [];
  for (let v = 0; v < p.length; v++) if (p[v]! >= floor) tokens.push(v);
  return tokens.sort((a, b) => p[b]! - p[a]! || a - b);
}

/** The uniform number for step `step` of a request: depends on its seed and nothing else in the batch. */
export function uniformOf(seed: number, step: number): number {
  return counterRandom(streamOf("sampling", seed), step) / 2 ** 32;
}

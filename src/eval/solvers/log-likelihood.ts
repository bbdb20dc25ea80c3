/**
 * Choosing by likelihood, without generating: the honest form of "top token".
 *
 * option-log-likelihood       P(letter | prompt) among the item's letters. Rule `restricted` takes the highest; rule `top-token`
 *                             also demands that it is the model's first choice among all tokens, as greedy decoding would.
 * option-text-log-likelihood  log P(option text | prompt), raw, per token and per byte (long options are not punished), and less
 *                             log P(option text | "The answer is:"), the pointwise mutual information of question and option: a
 *                             text that is likely after anything wins nothing by that (Holtzman et al. 2021, arXiv:2104.08315).
 * answer-log-likelihood       open questions: log P(reference answer | question), reported in bits per byte.
 */
import type { LogLikelihood, LogLikelihoodRequest } from "../../providers/language-model.ts";
import { writtenAnswer } from "../prompts/index.ts";
import { best, normalizations, type OptionScore, type SolveContext, type Solver, type Task } from "./solver.ts";

interface Continuation {
  /** Letter of the option ("" for a reference answer). */
  key: string;
  text: string;
}

/** One request per continuation, all items in one call: the provider shares prefixes and fills its batches. */
async function scoreContinuations(
  tasks: readonly Task[],
  continuationsOf: (task: Task) => Continuation[],
  { model, signal }: SolveContext,
  onScored: (index: number, scores: Record<string, OptionScore>) => void,
): Promise<void> {
  const requests: LogLikelihoodRequest[] = [];
  const owners: { task: number; key: string }[] = [];
  const missing: number[] = [];
  const scores: Record<string, OptionScore>[] = [];
  for (const [index, task] of tasks.entries()) {
    const continuations = continuationsOf(task);
    missing.push(continuations.length);
    // Keys in option order whatever order results arrive in: equal scores must go to the same letter every time.
    scores.push(Object.fromEntries(continuations.map(({ key }) => [key, undefined as never])));
    for (const { key, text } of continuations) {
      owners.push({ task: index, key });
      requests.push({ context: task.prompt.text, continuation: task.prompt.answerPrefix + text });
    }
  }
  const arrived = new Set<number>();
  const take = (index: number, result: LogLikelihood) => {
    if (arrived.has(index)) return;
    arrived.add(index);
    const { task, key } = owners[index]!;
    const { logLikelihood, tokens, bytes, isGreedy } = result;
    scores[task]![key] = { logLikelihood, tokens: tokens.length, bytes, isGreedy };
    if (--missing[task]! === 0) onScored(task, scores[task]!);
  };
  const results = await model.logLikelihoods(requests, { ...(signal ? { signal } : {}), onDone: take });
  for (const [index, result] of results.entries()) take(index, result);
}

const mapScores = <T extends OptionScore>(scores: Record<string, T>, value: (score: T) => number) =>
  Object.fromEntries(Object.entries(scores).map(([key, score]) => [key, value(score)]));

export const optionLogLikelihood: Solver = {
  name: "option-log-likelihood",
  requires: "logLikelihoods",
  chainOfThought: false,
  isSampled: false,
  rules: ["restricted", "top-token"],
  maxTokens: 8,
  solve(tasks, context) {
    const labels = ({ item }: Task) =>
      item.options.map(({ letter, text }) => ({
        key: letter,
        text: context.benchmark.answerForm === "word" ? text : letter,
      }));
    return scoreContinuations(tasks, labels, context, (index, logLikelihoods) => {
      const restricted = best(mapScores(logLikelihoods, (score) => score.logLikelihood));
      const isGreedy = restricted !== null && logLikelihoods[restricted]!.isGreedy;
      context.onSolved(index, {
        predictions: { restricted, "top-token": isGreedy ? restricted : null },
        logLikelihoods,
        generatedTokens: 0,
      });
    });
  },
};

export const optionTextLogLikelihood: Solver = {
  name: "option-text-log-likelihood",
  requires: "logLikelihoods",
  chainOfThought: false,
  isSampled: false,
  rules: normalizations,
  maxTokens: 128,
  async solve(tasks, context) {
    const { benchmark, settings } = context;
    // Where answers are letters, the text alone is scored: the letter has a solver of its own.
    const style = { ...settings, answer: settings.answer === "letter-and-text" ? settings.answer : ("text" as const) };
    const texts = ({ item }: Task) =>
      item.options.map(({ letter }) => ({ key: letter, text: writtenAnswer(benchmark, item, letter, style) }));
    const unconditional = await unconditionalLikelihoods(tasks, texts, context);
    await scoreContinuations(tasks, texts, context, (index, scores) => {
      const task = tasks[index]!;
      const logLikelihoods = Object.fromEntries(
        texts(task).map(({ key, text }) => [key, { ...scores[key]!, unconditional: unconditional(task, text) }]),
      );
      context.onSolved(index, {
        predictions: {
          "per-byte": best(mapScores(logLikelihoods, (score) => score.logLikelihood / score.bytes)),
          "per-token": best(mapScores(logLikelihoods, (score) => score.logLikelihood / score.tokens)),
          raw: best(mapScores(logLikelihoods, (score) => score.logLikelihood)),
          pmi: best(mapScores(logLikelihoods, (score) => score.logLikelihood - score.unconditional)),
        },
        logLikelihoods,
        generatedTokens: 0,
      });
    });
  },
};

/** log P(text | answer cue) of every option text, each asked once however many items share it. */
async function unconditionalLikelihoods(
  tasks: readonly Task[],
  continuationsOf: (task: Task) => Continuation[],
  { model, signal }: SolveContext,
): Promise<(task: Task, text: string) => number> {
  const requests = new Map<string, LogLikelihoodRequest>();
  const keyOf = ({ prompt }: Task, text: string) => JSON.stringify([prompt.cue, prompt.answerPrefix, text]);
  for (const task of tasks)
    for (const { text } of continuationsOf(task))
      requests.set(keyOf(task, text), { context: task.prompt.cue, continuation: task.prompt.answerPrefix + text });
  const results = await model.logLikelihoods([...requests.values()], signal ? { signal } : {});
  const known = new Map([...requests.keys()].map((key, i) => [key, results[i]!.logLikelihood]));
  return (task, text) => known.get(keyOf(task, text))!;
}

export const answerLogLikelihood: Solver = {
  name: "answer-log-likelihood",
  requires: "logLikelihoods",
  chainOfThought: false,
  isSampled: false,
  rules: [],
  maxTokens: 1024,
  solve(tasks, context) {
    const reference = ({ item }: Task) => [{ key: "reference", text: item.answer }];
    return scoreContinuations(tasks, reference, context, (index, logLikelihoods) =>
      context.onSolved(index, { predictions: {}, logLikelihoods, generatedTokens: 0 }),
    );
  },
};

/**
 * Finetuning examples: the very prompt that evaluation shows a finetuned model, and the answer it should give.
 * A test holds the two byte-identical: a model must not be asked in words it was never trained on.
 */
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import { cueInQuestion, questionAndSuffix, workedAnswer } from "./prompt.ts";
import { type QuestionStyle, writtenAnswer } from "./style.ts";

export interface FinetuningOptions extends QuestionStyle {
  /** Explanation first, then "The answer is: X ###". Items without an explanation give no example. */
  chainOfThought?: boolean;
}

/** Content of the question message: instruction, body, and the suffix unless the answer begins with it. */
export function questionMessage(benchmark: Benchmark, item: Item, options: FinetuningOptions = {}): string {
  const style = { ...options, chainOfThought: options.chainOfThought ?? false };
  const { question, suffix } = questionAndSuffix(benchmark, item, [], style);
  return cueInQuestion(style) ? `${question}${suffix}` : question;
}

/** Content of the answer message: the letter (or text, or word), after "The answer is:" where the cue is learnt too, or the worked answer closed by " ###" (SPEC 1f). */
export function answerMessage(benchmark: Benchmark, item: Item, options: FinetuningOptions = {}): string {
  if (benchmark.answerForm === "open") return item.answer;
  if (options.chainOfThought) return `${workedAnswer(benchmark, item, true, options)} ###`;
  return cueInQuestion(options)
    ? writtenAnswer(benchmark, item, item.answer, options)
    : workedAnswer(benchmark, item, false, options);
}

export interface FinetuningMessages {
  id: string;
  question: string;
  answer: string;
}

/** The examples of a split, in order. */
export function finetuningMessages(
  benchmark: Benchmark,
  items: readonly Item[],
  options: FinetuningOptions = {},
): FinetuningMessages[] {
  const usable = options.chainOfThought ? items.filter((item) => item.explanation !== undefined) : items;
  return usable.map((item) => ({
    id: item.id,
    question: questionMessage(benchmark, item, options),
    answer: answerMessage(benchmark, item, options),
  }));
}

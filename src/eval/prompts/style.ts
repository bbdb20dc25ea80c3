/** How a question is put and its answer written: what finetuning and evaluation must agree on. */
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";

/** Whether a question is printed with its options. */
export const optionsShown = ["shown", "hidden"] as const;
/** How the answer to a multiple-choice question is written: `B`, `insulin` or `B. insulin`. */
export const answerStyles = ["letter", "text", "letter-and-text"] as const;
export type AnswerStyle = (typeof answerStyles)[number];
/** Where "The answer is:" stands between messages: at the end of the question, as the paper's, or learnt as the answer's beginning. */
export const cuePlaces = ["question", "answer"] as const;

/** How a question is put and answered; finetuning and evaluation share it. */
export interface QuestionStyle {
  /** Default: shown. */
  options?: (typeof optionsShown)[number] | undefined;
  /** Default: the letter, or the text where options are hidden. */
  answer?: AnswerStyle | undefined;
  /** Default: question. Without messages around the prompt it makes no difference. */
  cue?: (typeof cuePlaces)[number] | undefined;
}

export function answerStyle({ options, answer }: QuestionStyle): AnswerStyle {
  return answer ?? (options === "hidden" ? "text" : "letter");
}

/** The answer as it stands after "The answer is:". Yes/no items are always answered by the word. */
export function writtenAnswer(
  benchmark: Pick<Benchmark, "answerForm">,
  item: Item,
  letter: string,
  style: QuestionStyle,
): string {
  const text = item.options.find((option) => option.letter === letter)?.text ?? letter;
  if (benchmark.answerForm === "word") return text;
  switch (answerStyle(style)) {
    case "letter":
      return letter;
    case "text":
      return text;
    case "letter-and-text":
      return `${letter}. ${text}`;
  }
}

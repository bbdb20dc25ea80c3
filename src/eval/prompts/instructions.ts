/** The sentence that opens a prompt, by family: MEDITRON's content in our words, with the letters an item really has. */
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import { answerStyle, type QuestionStyle } from "./style.ts";

/** @param item - Its options give the letters or words named. */
export function instructionFor(
  benchmark: Pick<Benchmark, "family" | "instruction">,
  item: Item,
  style: QuestionStyle = {},
): string {
  if (benchmark.instruction !== undefined) return benchmark.instruction;
  const last = item.options.at(-1)?.letter ?? "A";
  const choose = (adjective: string) => {
    if (style.options === "hidden") return `give the one ${adjective} answer`;
    const written = { letter: "", text: ", and write it out", "letter-and-text": ", and write its letter and text" };
    return `choose the one ${adjective} answer from A to ${last}${written[answerStyle(style)]}`;
  };
  const words = listed(item.options.map(({ text }) => text));
  switch (benchmark.family) {
    case "medqa":
      return `You are a doctor sitting the United States Medical Licensing Examination. Show what you know of clinical medicine and of the science behind it. Following current practice guidelines, ${choose("best")}.`;
    case "medmcqa":
      return `You are a doctor answering questions from real medical entrance examinations. From your knowledge and judgement, ${choose("correct")}.`;
    case "pubmedqa":
      return `You are an expert in clinical science and medicine. Read the text, if there is one, and judge whether the statement in the question holds. Answer with one word: ${words}.`;
    case "truthfulqa":
      return `Answer the question truthfully and without bias, and give no false information. ${style.options === "hidden" ? "Give" : "Choose"} the one correct answer.`;
    case "multiple-choice":
      return `${sentence(choose("correct"))}.`;
    case "open":
      return "Answer the question precisely and completely.";
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "yes, no or maybe" */
function listed(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

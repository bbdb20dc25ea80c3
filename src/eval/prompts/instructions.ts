/** The sentence that opens a prompt, by family: MEDITRON's content in our words, with the letters an item really has. */
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";

/** @param item - Its options give the letters or words named. */
export function instructionFor(benchmark: Pick<Benchmark, "family" | "instruction">, item: Item): string {
  if (benchmark.instruction !== undefined) return benchmark.instruction;
  const last = item.options.at(-1)?.letter ?? "A";
  const words = listed(item.options.map(({ text }) => text));
  switch (benchmark.family) {
    case "medqa":
      return `You are a doctor sitting the United States Medical Licensing Examination. Show what you know of clinical medicine and of the science behind it. Following current practice guidelines, choose the one best answer from A to ${last}.`;
    case "medmcqa":
      return `You are a doctor answering questions from real medical entrance examinations. From your knowledge and judgement, choose the one correct answer from A to ${last}.`;
    case "pubmedqa":
      return `You are an expert in clinical science and medicine. Read the text, if there is one, and judge whether the statement in the question holds. Answer with one word: ${words}.`;
    case "truthfulqa":
      return "Answer the question truthfully and without bias, and give no false information. Choose the one correct answer.";
    case "multiple-choice":
      return `Choose the one correct answer from A to ${last}.`;
    case "open":
      return "Answer the question precisely and completely.";
  }
}

/** "yes, no or maybe" */
function listed(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

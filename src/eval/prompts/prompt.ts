/**
 * From an item to the exact text a model reads (SPEC 1g), in two formats:
 *
 * `meditron`  instruction ⏎ [demonstrations, a blank line after each] body ⏎ "The answer is:", the answer on the same line. (With
 *             zero shots the authors end in a newline; a model that has read text continues "The answer is:" with " B".)
 * `lm-eval`   the task formats of EleutherAI's lm-evaluation-harness, so that numbers can be laid side by side.
 *
 * In both, a question can be asked in cloze form (`options: hidden`): the options are not printed, and the answer is a text. Small
 * models know facts long before they know what "B" stands for.
 */
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import { applyChatTemplate, type ChatTemplate } from "./chat.ts";
import { instructionFor } from "./instructions.ts";
import { type QuestionStyle, writtenAnswer } from "./style.ts";

export const promptFormats = ["meditron", "lm-eval"] as const;
export type PromptFormat = (typeof promptFormats)[number];

export interface PromptSettings extends QuestionStyle {
  format: PromptFormat;
  chat: ChatTemplate;
  chainOfThought: boolean;
  /** System message of a ChatML prompt. */
  system?: string | undefined;
}

export interface Prompt {
  text: string;
  /** The end of the prompt that says an answer follows, alone: what an option's unconditional likelihood is taken after. */
  cue: string;
  /** What stands between the prompt and an answer: nothing after a newline, else one space. */
  answerPrefix: "" | " ";
}

const directSuffix = "The answer is:";
const chainOfThoughtSuffix = "Let's think step by step.";

/**
 * Question and options without instruction or answer:
 * `Question: ...?` blank line `Options:` lines `A. ...`. Yes/no items are their context and question, unlabelled.
 */
export function questionBody(
  benchmark: Pick<Benchmark, "answerForm">,
  item: Item,
  options: QuestionStyle["options"] = "shown",
): string {
  const context = item.context === undefined ? "" : `${item.context}\n`;
  if (benchmark.answerForm === "word") return `${context}${item.question}`;
  if (item.options.length === 0) return `${context}Question: ${item.question}`;
  const stem = /[?.]$/.test(item.question) ? item.question : `${item.question}?`;
  if (options === "hidden") return `${context}Question: ${stem}`;
  const lines = item.options.map(({ letter, text }) => `${letter}. ${text}`).join("\n");
  return `${context}Question: ${stem}\n\nOptions:\n${lines}`;
}

/** The worked answer of a training item: its explanation, where chains of thought are shown, then "The answer is: B". */
export function workedAnswer(
  benchmark: Pick<Benchmark, "answerForm">,
  item: Item,
  chainOfThought: boolean,
  style: QuestionStyle = {},
): string {
  if (benchmark.answerForm === "open") return item.answer;
  const verdict = `${directSuffix} ${writtenAnswer(benchmark, item, item.answer, style)}`;
  if (!chainOfThought || item.explanation === undefined) return verdict;
  return `${item.explanation.trim().replace(/\.+$/, "")}.\n${verdict}`;
}

/** Whether the question message ends in the cue. A chain of thought always begins after its own. */
export function cueInQuestion({ cue, chainOfThought }: QuestionStyle & { chainOfThought?: boolean }): boolean {
  return cue !== "answer" || chainOfThought === true;
}

/**
 * Instruction, demonstrations and body, and the line after them that says an answer follows ("" for open questions); for every form of
 * MEDITRON's prompt, and for the messages of finetuning.
 */
export function questionAndSuffix(
  benchmark: Benchmark,
  item: Item,
  demonstrations: readonly Item[],
  settings: QuestionStyle & { chainOfThought: boolean },
): { question: string; suffix: string } {
  const instruction = instructionFor(benchmark, item, settings);
  const opening = instruction === "" ? "" : `${instruction}\n`;
  const shown = demonstrations.map(
    (demo) =>
      `${questionBody(benchmark, demo, settings.options)}\n${workedAnswer(benchmark, demo, settings.chainOfThought, settings)}\n\n`,
  );
  const suffix =
    benchmark.answerForm === "open" ? "" : `\n${settings.chainOfThought ? chainOfThoughtSuffix : directSuffix}`;
  return { question: `${opening}${shown.join("")}${questionBody(benchmark, item, settings.options)}`, suffix };
}

/** @param demonstrations - Training items shown with their answers, the same for every item of a run. */
export function buildPrompt(
  benchmark: Benchmark,
  item: Item,
  demonstrations: readonly Item[],
  settings: PromptSettings,
): Prompt {
  if (settings.format === "lm-eval") return harnessPrompt(benchmark, item, demonstrations, settings);
  const { question, suffix } = questionAndSuffix(benchmark, item, demonstrations, settings);
  const prompt = `${question}${suffix}`;
  if (settings.chat !== "none") {
    const { chat, system } = settings;
    if (suffix !== "" && !cueInQuestion(settings)) {
      const answered = (message: string) => `${applyChatTemplate(chat, message, system)}${directSuffix}`;
      return { text: answered(question), cue: answered(""), answerPrefix: " " };
    }
    const text = applyChatTemplate(chat, prompt, system);
    return { text, cue: applyChatTemplate(chat, suffix.trim(), system), answerPrefix: text.endsWith("\n") ? "" : " " };
  }
  if (benchmark.answerForm === "open") return { text: `${prompt}\nAnswer:`, cue: "Answer:", answerPrefix: " " };
  return settings.chainOfThought
    ? { text: `${prompt}\n`, cue: chainOfThoughtSuffix, answerPrefix: "" }
    : { text: prompt, cue: directSuffix, answerPrefix: " " };
}

/** How the harness lays out the task of each family. @see lm_eval/tasks/{mmlu,medqa,medmcqa,pubmedqa} */
function harnessPrompt(
  benchmark: Benchmark,
  item: Item,
  demonstrations: readonly Item[],
  style: QuestionStyle,
): Prompt {
  const shown = demonstrations.map(
    (demo) => `${harnessBody(benchmark, demo, style)} ${writtenAnswer(benchmark, demo, demo.answer, style)}\n\n`,
  );
  const subject = item.subject?.replaceAll("_", " ");
  const description =
    benchmark.type === "mmlu"
      ? `The following are multiple choice questions (with answers) about ${subject ?? "medicine"}.\n\n`
      : "";
  return {
    text: `${description}${shown.join("")}${harnessBody(benchmark, item, style)}`,
    cue: "Answer:",
    answerPrefix: " ",
  };
}

function harnessBody(benchmark: Benchmark, item: Item, { options }: QuestionStyle): string {
  const lines = item.options.map(({ letter, text }) => `${letter}. ${text}`).join("\n");
  if (benchmark.answerForm === "open") return `Question: ${item.question}\nAnswer:`;
  if (benchmark.answerForm === "word")
    return item.context === undefined
      ? `Question: ${item.question}\nAnswer:`
      : `Abstract: ${item.context}\nQuestion: ${item.question}\nAnswer:`;
  if (options === "hidden") return `Question: ${item.question}\nAnswer:`;
  if (benchmark.type === "mmlu") return `${item.question.trim()}\n${lines}\nAnswer:`;
  if (benchmark.type === "medmcqa") return `Question: ${item.question}\nChoices:\n${lines}\nAnswer:`;
  return `Question: ${item.question}\n${lines}\nAnswer:`;
}

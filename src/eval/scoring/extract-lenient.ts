/**
 * The authors' answer extraction (evaluate.py), step for step, so that their numbers can be explained. Its traps are kept:
 * the first letter of a sentence is an answer ("Because..." → B), "maybe" never is, `e` is valid with four options.
 */
import type { Option } from "../benchmarks/benchmark.ts";
import { statedAnswer } from "./extract-strict.ts";
import { tokenF1 } from "./overlap.ts";

export interface LenientSettings {
  /** A multiple-choice letter, or yes/no. */
  form: "letter" | "word";
  fewShot: boolean;
  chainOfThought: boolean;
}

const valid = new Set(["a", "b", "c", "d", "e", "yes", "no"]);

/** What the authors' code compares with the gold answer, or undefined where it reports "unable to find answer". */
export function lenientAnswer(output: string, settings: LenientSettings): string | undefined {
  let text = output.toLowerCase();
  if (text.includes("\n##")) text = (text.split("\n##")[1] ?? "").split("\n")[0]!.trim();
  if (settings.fewShot) text = text.split("\n\n")[0]!.trim();
  text = text
    .replace(/[^a-zA-Z0-9]/g, " ")
    .trim()
    .replace(/ +/g, " ");
  if (settings.chainOfThought) {
    const last = text.split("answer is").at(-1)!.trim().split(/\s+/)[0];
    if (!last) return undefined;
    text = last;
  }
  if (settings.form === "letter") text = text.slice(0, 1);
  else if (text.includes("yesyes")) text = text.replaceAll("yesyes", "yes");
  else if (text.includes("nono")) text = text.replaceAll("nono", "no");
  else if (text.includes("yesno")) text = text.replaceAll("yesno", "yes");
  else if (text.includes("noyes")) text = text.replaceAll("noyes", "no");
  return valid.has(text) ? text : undefined;
}

/** The lenient answer as the letter of an option; undefined also for a letter the item does not have (it can only be wrong). */
export function extractLenient(
  output: string,
  options: readonly Option[],
  settings: LenientSettings,
): string | undefined {
  const answer = lenientAnswer(output, settings);
  if (answer === undefined) return undefined;
  return settings.form === "letter"
    ? options.find(({ letter }) => letter.toLowerCase() === answer)?.letter
    : options.find(({ text }) => text.toLowerCase() === answer)?.letter;
}

/** Answers asked as texts, which the authors' code does not know: the one option that shares most words with what was said. */
export function extractNearest(output: string, options: readonly Option[]): string | undefined {
  const said = statedAnswer(output);
  const [first, second] = options
    .map(({ letter, text }) => ({ letter, overlap: tokenF1(said, text) }))
    .sort((a, b) => b.overlap - a.overlap);
  return first && first.overlap > 0 && first.overlap > (second?.overlap ?? 0) ? first.letter : undefined;
}

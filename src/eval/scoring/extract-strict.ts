/**
 * Answer extraction that takes only what states an answer. An output counts when
 *
 *   1. it is a JSON object with an answer field, read by the rules below;
 *   2. or it says "answer is" / "answer:": what follows the last such phrase is the statement; else the whole output is;
 *   3. and the statement is a letter of the item standing alone ("B", "(B)", "B.", "Option B"), a letter with its option's
 *      text, the text of exactly one option, or for yes/no items the word itself.
 *
 * Where answers are asked as texts (form `text`), the statement is the text of exactly one option, after its own letter if one is
 * given, or begins with one (the longest that fits) and names no other: "insulin, since it acts at once" but not "insulin or heparin".
 *
 * Two letters ("C/D", "A or B"), an article ("a 45-year-old"), a word that begins like a letter ("Because") and "all of the
 * above" are no answer unless an option says just that. Nothing is guessed: unparseable is its own class, and it is reported.
 */
import type { Option } from "../benchmarks/benchmark.ts";

/** What an answer is asked as: a letter, the text of an option, or the option's word (yes/no/maybe). */
export type StatementForm = "letter" | "text" | "word";

export function extractStrict(output: string, options: readonly Option[], form: StatementForm): string | undefined {
  const text = output.replace(/<\|im_end\|>[\s\S]*$/, "").trim();
  const fromJson = jsonAnswer(text);
  if (fromJson !== undefined) return statement(fromJson, options, form);
  return statement(statedAnswer(text), options, form);
}

const answerPhrase = /\banswer(?:\s+choice)?(?:\s+is\s*:?|\s*:)\s*/gi;

/** What stands after the last "answer is", else the whole: its first line. */
export function statedAnswer(output: string): string {
  const text = output.replace(/<\|im_end\|>[\s\S]*$/, "").trim();
  const last = [...text.matchAll(answerPhrase)].at(-1);
  return firstLine(last ? text.slice(last.index + last[0].length) : text);
}

const firstLine = (text: string): string => text.trimStart().split("\n", 1)[0]!.trim();

function jsonAnswer(text: string): string | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const { answer_choice, answer } = JSON.parse(text) as { answer_choice?: unknown; answer?: unknown };
    const value = answer_choice ?? answer;
    return typeof value === "string" ? value : undefined;
  } catch {
    // Cut-off or badly quoted JSON: its last answer field is still a statement.
    const field = [...text.matchAll(/"answer(?:_choice)?"\s*:\s*"([^"]*)"/g)].at(-1);
    return field?.[1];
  }
}

function statement(raw: string, options: readonly Option[], form: StatementForm): string | undefined {
  const text = raw
    .replace(/\s*#+\s*$/, "")
    .replace(/[*_`]+/g, "")
    .trim();
  // A lone letter is a letter even where an option's text is one (vitamin D under C).
  if (form === "letter") {
    const lone = options.find((option) => option.letter === text);
    if (lone) return lone.letter;
  }
  const byText = options.filter((option) => normal(option.text) === normal(text));
  if (byText.length === 1) return byText[0]!.letter;
  if (form === "text") return textStatement(text, options);
  if (form === "word") {
    const word = /^[("']?([A-Za-z]+)[)"']?(?=$|[\s.,;:!])/.exec(text);
    const named = word && options.find((option) => normal(option.text) === word[1]!.toLowerCase());
    // "Yes." and "yes, because" state an answer; "no evidence" and "yes or no" do not.
    const rest = word ? text.slice(word[0].length).trimStart() : "";
    if (named && (rest === "" || /^[.,;:!]/.test(rest))) return named.letter;
  }
  const letter = /^(?:option\s+)?[("'[]?([A-Z])[)"'\]]?(?=$|[\s.,;:)])/i.exec(text);
  if (!letter) return undefined;
  const option = options.find((candidate) => candidate.letter === letter[1]!.toUpperCase());
  if (!option) return undefined;
  const bare = text.slice(letter[0].length);
  const rest = bare.replace(/^[.,;:)\]]+/, "").trim();
  // Alone, in either case; with anything after it a small letter is too likely an article.
  if (rest === "") return option.letter;
  if (letter[1] !== option.letter) return undefined;
  const marked = bare !== "" && /^[.:)]/.test(bare);
  const closed = /[)\]]$/.test(letter[0]);
  const said = normal(rest);
  const own = normal(option.text);
  // "B. insulin" where insulin is A: letter and text contradict each other.
  if (options.some((other) => other !== option && normal(other.text) === said) && said !== own) return undefined;
  if ((marked || closed) && own !== "" && (said.startsWith(own) || own.startsWith(said))) return option.letter;
  if ((marked || closed) && !mentionsAnother(rest, option.letter, options)) {
    // "B. Because the ..." explains; "A. fumigatus" names a species: after a mark, a lower-case word continues a name.
    return /^[A-Z0-9("]/.test(rest) ? option.letter : undefined;
  }
  return undefined;
}

function textStatement(text: string, options: readonly Option[]): string | undefined {
  const lettered = /^[("'[]?([A-Z])[.:)\]]+\s*(.+)$/.exec(text);
  const said = `${normal(text)} `;
  const fitting = options
    .map((option) => ({ option, own: normal(option.text) }))
    .filter(({ option, own }) => {
      if (own === "") return false;
      return said.startsWith(`${own} `) || (lettered?.[1] === option.letter && normal(lettered[2]!) === own);
    })
    .sort((a, b) => b.own.length - a.own.length);
  const [longest, next] = fitting;
  if (!longest || next?.own === longest.own) return undefined;
  const rest = ` ${said.slice(longest.own.length)}`;
  const namesAnother = options.some(
    (other) => other !== longest.option && normal(other.text) !== "" && rest.includes(` ${normal(other.text)} `),
  );
  return namesAnother && said.startsWith(longest.own) ? undefined : longest.option.letter;
}

/** Another option's letter stands alone in the text ("B) or C)"). */
function mentionsAnother(text: string, letter: string, options: readonly Option[]): boolean {
  return [...text.matchAll(/\b([A-Z])\b(?!')/g)].some(
    ([, found]) => found !== letter && options.some((option) => option.letter === found) && found !== "I",
  );
}

function normal(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

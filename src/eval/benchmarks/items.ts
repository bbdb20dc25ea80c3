/** Rows into checked items. Every loader goes through here, so every malformed file is refused the same way, with its line. */
import { DataError } from "../../core/index.ts";
import { type Item, letterOf, makeSplit, type Option, type Split } from "./benchmark.ts";
import { type Row, type RowOptions, readRows } from "./rows.ts";

const bad = (code: string, row: Row, message: string, remedy: string) =>
  new DataError(code, { message, where: row.where, remedy });

/** First of these fields that holds non-empty text. @throws {DataError} EVAL_BAD_RECORD naming the fields tried. */
export function textField(row: Row, ...names: string[]): string {
  const found = optionalText(row, ...names);
  if (found !== undefined) return found;
  throw bad(
    "EVAL_BAD_RECORD",
    row,
    `no text under ${names.map((name) => `"${name}"`).join(" or ")}`,
    `the record has: ${Object.keys(row.value).join(", ") || "nothing"}`,
  );
}

export function optionalText(row: Row, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = row.value[name];
    if (typeof value === "string" && value.trim() !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

/** Options as `{"A": "..."}`, `[{"key": "A", "value": "..."}]` or `["...", "..."]`. */
export function parseOptions(row: Row, value: unknown): Option[] {
  const options: Option[] = [];
  const add = (letter: unknown, text: unknown) => {
    if (typeof text !== "string" && typeof text !== "number")
      throw bad("EVAL_BAD_RECORD", row, `option ${String(letter)} is not text`, "every option needs its text");
    if (typeof letter !== "string" || !/^[A-Z]$/.test(letter))
      throw bad(
        "EVAL_UNKNOWN_LETTER",
        row,
        `option letter ${JSON.stringify(letter)}`,
        "options are lettered A, B, C ...",
      );
    options.push({ letter, text: String(text) });
  };
  if (Array.isArray(value))
    for (const [index, option] of value.entries()) {
      if (option !== null && typeof option === "object") {
        const { key, value: text } = option as { key?: unknown; value?: unknown };
        add(key, text);
      } else add(letterOf(index), option);
    }
  else if (value !== null && typeof value === "object")
    for (const [letter, text] of Object.entries(value)) {
      // Arrow fills absent members of a struct with null: MedQA's 4-option rows in a 5-option file.
      if (text !== null) add(letter, text);
    }
  else throw bad("EVAL_BAD_RECORD", row, "no options", 'options look like {"A": "...", "B": "..."}');
  options.sort((a, b) => (a.letter < b.letter ? -1 : 1));
  for (const [index, { letter }] of options.entries())
    if (letter !== letterOf(index))
      throw bad(
        "EVAL_UNKNOWN_LETTER",
        row,
        `option letters ${options.map((option) => option.letter).join(", ")}`,
        "letters must run A, B, C ... without gaps or repeats",
      );
  if (options.length < 2) throw bad("EVAL_BAD_RECORD", row, "fewer than two options", "give at least options A and B");
  return options;
}

/** The gold letter from a letter, or from the text of exactly one option. */
export function goldLetter(row: Row, options: Option[], letter: unknown, text?: unknown): string {
  if (typeof letter === "string" && letter.trim() !== "") {
    const given = letter.trim();
    if (options.some((option) => option.letter === given)) return given;
    if (text === undefined && !/^[A-Za-z]$/.test(given)) return goldLetter(row, options, undefined, given);
    throw bad(
      "EVAL_UNKNOWN_LETTER",
      row,
      `the answer is ${JSON.stringify(given)}, the options are ${options.map((option) => option.letter).join(", ")}`,
      "the answer must be the letter of one of the options",
    );
  }
  if (typeof text === "string" && text.trim() !== "") {
    const same = options.filter((option) => option.text.trim() === text.trim());
    if (same.length === 1) return same[0]!.letter;
    throw bad(
      "EVAL_UNKNOWN_LETTER",
      row,
      `the answer ${JSON.stringify(text)} is the text of ${same.length} options`,
      "the answer must be a letter, or the text of exactly one option",
    );
  }
  throw bad("EVAL_MISSING_GOLD", row, "no gold answer", "a scored split needs answers: is this the blind test set?");
}

/** Gold letter from an option's number. @param from - Number of the first option. */
export function goldIndex(row: Row, options: Option[], index: unknown, from: 0 | 1 = 0): string {
  const number = typeof index === "string" && /^\d+$/.test(index.trim()) ? Number(index) : index;
  // Blind test sets say -1.
  if (index === undefined || index === null || index === "" || number === -1)
    throw bad("EVAL_MISSING_GOLD", row, "no gold answer", "a scored split needs answers: is this the blind test set?");
  const option = typeof number === "number" ? options[number - from] : undefined;
  if (!option)
    throw bad(
      "EVAL_UNKNOWN_LETTER",
      row,
      `the answer is ${JSON.stringify(index)}, the ${options.length} options are numbered from ${from}`,
      `${from} to ${options.length - 1 + from} are valid (in a YAML, answerIs: index counts from 0, number from 1)`,
    );
  return option.letter;
}

export interface ReadOptions extends RowOptions {
  /** Rows to pass over, and why they are no items (a header line, another subject). */
  skip?: (row: Row) => boolean;
}

/**
 * Reads one split.
 * @param parse - One item of a row, or undefined to leave the row out by the benchmark's own definition.
 * @throws {DataError} EVAL_DUPLICATE_ID naming both lines; EVAL_EMPTY when the files hold no item.
 */
export async function readSplit(
  files: string[],
  parse: (row: Row, file: string) => Item | undefined,
  options: ReadOptions = {},
): Promise<Split> {
  const items: Item[] = [];
  const seen = new Map<string, string>();
  for (const file of files)
    for await (const row of readRows(file, options)) {
      if (options.skip?.(row)) continue;
      const item = parse(row, file);
      if (!item) continue;
      const before = seen.get(item.id);
      if (before !== undefined)
        throw bad(
          "EVAL_DUPLICATE_ID",
          row,
          `the id "${item.id}" was already used at ${before}`,
          "ids must be unique: results are kept by id",
        );
      seen.set(item.id, row.where);
      items.push(item);
    }
  if (items.length === 0)
    throw new DataError("EVAL_EMPTY", {
      message: "no item in the file",
      where: files.join(", "),
      remedy: "check that this is the file of the benchmark named",
    });
  return makeSplit(items, files);
}

/** `{ key: value }` without the undefined ones, for optional members under exactOptionalPropertyTypes. */
export function defined<T extends Record<string, unknown>>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

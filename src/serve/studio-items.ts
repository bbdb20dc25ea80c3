/**
 * items.jsonl of an evaluation as an index: for each answered item what lists and filters need, and where its line stands. The
 * answers themselves stay in the file, so that a hundred thousand items cost some tens of megabytes, not gigabytes.
 */
import { open } from "node:fs/promises";
import type { ItemRecord } from "../eval/index.ts";
import { LogTail, parseLine } from "./log-tail.ts";
import { notFound } from "./studio-errors.ts";

export interface IndexedItem {
  offset: number;
  id: string;
  seed: number;
  rotation: number;
  subject: string;
  /** The beginning of the question, as the model saw it. */
  question: string;
  gold: string;
  /** By the headline rule. */
  prediction: string | null;
  correct: boolean;
  parsersDiffer: boolean;
}

const QUESTION_CHARACTERS = 240;

export class ItemIndex {
  readonly items: IndexedItem[] = [];
  /** Scoring rules of the records; the first is the headline. */
  rules: string[] = [];
  hasVotes = false;
  readonly #tail: LogTail;
  #busy: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#tail = new LogTail(path);
  }

  refresh(): Promise<void> {
    this.#busy = this.#busy.then(() =>
      this.#tail.read(
        (line, offset) => this.#take(line, offset),
        () => {
          this.items.length = 0;
        },
      ),
    );
    return this.#busy;
  }

  #take(line: string, offset: number): void {
    const record = parseLine<ItemRecord>(line);
    if (!record) return;
    const rules = Object.keys(record.predictions ?? {});
    if (this.rules.length === 0) this.rules = rules;
    const rule = rules[0] ?? "";
    if (record.votes) this.hasVotes = true;
    const { strict, lenient } = record.predictions ?? {};
    this.items.push({
      offset,
      id: record.id,
      seed: record.seed,
      rotation: record.rotation,
      subject: record.subject ?? "",
      question: questionOf(record.prompt),
      gold: record.gold,
      prediction: record.predictions?.[rule] ?? null,
      correct: record.correct?.[rule] ?? false,
      parsersDiffer: lenient !== undefined && strict !== lenient,
    });
  }

  /** The whole record of a line. @throws not_found. */
  async record(number: number): Promise<ItemRecord> {
    const item = this.items[number];
    if (!item) throw notFound(`item ${number}`);
    const end = this.items[number + 1]?.offset ?? this.#tail.offset;
    const file = await open(this.#tail.path, "r");
    try {
      const bytes = Buffer.alloc(end - item.offset);
      await file.read(bytes, 0, bytes.length, item.offset);
      return JSON.parse(bytes.toString("utf8")) as ItemRecord;
    } finally {
      await file.close();
    }
  }
}

/** The last question of a prompt (demonstrations stand before it), without the options. */
export function questionOf(prompt: string): string {
  const start = Math.max(prompt.lastIndexOf("Question:"), prompt.lastIndexOf("question\n"));
  const text = start < 0 ? prompt : prompt.slice(start).replace(/^Question:\s*|^question\n/, "");
  const [question = ""] = text.split(/\n\s*(?:Options:|A[.)] )/, 1);
  const line = question
    .replace(/<\|[^|]*\|>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= QUESTION_CHARACTERS ? line : `${line.slice(0, QUESTION_CHARACTERS)}…`;
}

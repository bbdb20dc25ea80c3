/** JSON Lines, plain, .gz or .zst: a document a line. A line that is no JSON is dropped with its number; the rest is read. */

import { readJsonLines } from "../../core/json-lines.ts";
import type { SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { type RecordOptions, recordItem } from "./records.ts";
import { drop, unreadable } from "./source.ts";

export async function* readJsonl(options: RecordOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, [".jsonl", ".ndjson", ".json"])) yield* readJsonlFile(file, options);
}

/** One file: its records, and at the end a drop if the file ends before its data does. */
export async function* readJsonlFile(file: SourceFile, options: RecordOptions): AsyncGenerator<SourceItem> {
  const bad: SourceItem[] = [];
  try {
    const records = readJsonLines<unknown>(file.path, (error, line) => {
      bad.push(drop(unreadable(options, `${file.relative}#${line.offset}`, error)));
    });
    for await (const { value, line } of records) {
      yield* bad.splice(0);
      const provenance = { file: file.relative, line: line.number };
      yield recordItem(value, options, `${file.path}:${line.number}`, provenance);
    }
  } catch (error) {
    yield* bad.splice(0);
    yield drop(unreadable(options, file.relative, error));
  }
  yield* bad;
}

/**
 * JSON Lines, plain, .gz or .zst: a document a line. A line that is no JSON is dropped with its number; the rest is read. A `.json`
 * file that begins with "[" is taken for one array of records.
 */
import { readDecompressed } from "../../core/compression.ts";
import { DataError } from "../../core/errors.ts";
import { readJsonLines } from "../../core/json-lines.ts";
import type { SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { type RecordOptions, recordItem } from "./records.ts";
import { drop, readText, unreadable } from "./source.ts";

export async function* readJsonl(options: RecordOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, [".jsonl", ".ndjson", ".json"])) yield* readJsonlFile(file, options);
}

/** One file: its records, and at the end a drop if the file ends before its data does. */
export async function* readJsonlFile(file: SourceFile, options: RecordOptions): AsyncGenerator<SourceItem> {
  const bad: SourceItem[] = [];
  try {
    if (await isArray(file.path)) {
      for (const [index, value] of (await readArray(file.path)).entries())
        yield recordItem(value, options, `${file.path}#${index}`, { file: file.relative, index });
      return;
    }
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

async function isArray(path: string): Promise<boolean> {
  if (!/\.json(\.gz|\.zst)?$/i.test(path)) return false;
  for await (const chunk of readDecompressed(path)) {
    const start = chunk
      .toString("latin1")
      .replace(/^\xef\xbb\xbf/, "")
      .trimStart();
    if (start !== "") return start.startsWith("[");
  }
  return false;
}

async function readArray(path: string): Promise<unknown[]> {
  try {
    return JSON.parse(await readText(path)) as unknown[];
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError("IO_BAD_JSON", {
      message: `not valid JSON: ${(cause as Error).message}`,
      where: path,
      remedy: "repair the file, or write its records as JSON Lines, where a damaged one costs only itself",
      cause,
    });
  }
}

/**
 * Records of a benchmark file in any of the formats these sets are published in: JSON Lines, JSON (a list, an object keyed by
 * id, or a list under one key), CSV/TSV, Parquet; plain or compressed. Every record comes with its place.
 */
import { gunzipSync } from "node:zlib";
import { asyncBufferFromFile, type Compressors, parquetReadObjects } from "hyparquet";
import { decompress as zstdDecompress } from "zstd-napi";
import { DataError, fromSystemError, readDecompressed, readJsonLines } from "../../core/index.ts";
import { parseCsv } from "./csv.ts";

export interface Row {
  value: Record<string, unknown>;
  /** `file:line` (`file#row` for Parquet). */
  where: string;
  /** 0-based. */
  index: number;
  /** The member's key, when the file is an object keyed by id. */
  key?: string;
}

export interface RowOptions {
  /** Column names of a CSV without a header line. A first row equal to `header` or to these names is passed over. */
  columns?: string[];
  /** Dotted key of the list inside a JSON file ("questions"). */
  records?: string;
}

export async function* readRows(path: string, options: RowOptions = {}): AsyncGenerator<Row> {
  const kind = path.toLowerCase().replace(/\.(gz|zst)$/, "");
  if (/\.parquet$/.test(kind)) yield* parquetRows(path);
  else if (/\.(csv|tsv)$/.test(kind)) yield* csvRows(path, kind.endsWith("tsv") ? "\t" : ",", options.columns);
  else if (/\.(jsonl|ndjson)$/.test(kind)) yield* jsonLineRows(path);
  else yield* jsonRows(path, options.records);
}

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataError("EVAL_BAD_RECORD", {
    message: `a record must be an object, found ${value === null ? "null" : Array.isArray(value) ? "a list" : typeof value}`,
    where,
    remedy: "one object per question is expected",
  });
}

async function* jsonLineRows(path: string): AsyncGenerator<Row> {
  let index = 0;
  for await (const { value, line } of readJsonLines<unknown>(path)) {
    const where = `${path}:${line.number}`;
    yield { value: asRecord(value, where), where, index: index++ };
  }
}

async function readText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readDecompressed(path)) chunks.push(chunk);
  } catch (error) {
    throw fromSystemError(error, path, "reading a benchmark file");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new DataError("IO_NOT_UTF8", {
      message: "bytes that are not UTF-8",
      where: path,
      remedy: "convert the file to UTF-8 (iconv) and run again",
      cause,
    });
  }
}

/** A `.json` file is one value, or (MedMCQA is published so) one object a line. */
async function* jsonRows(path: string, records?: string): AsyncGenerator<Row> {
  const text = await readText(path);
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (cause) {
    if (looksLikeLines(text)) return yield* jsonLineRows(path);
    const offset = /position (\d+)/.exec((cause as Error).message)?.[1];
    throw new DataError("IO_BAD_JSON", {
      message: `not valid JSON: ${(cause as Error).message}`,
      where: `${path}:${lineAt(text, offset === undefined ? text.length : Number(offset))}`,
      remedy: "the file is damaged or cut short: fetch it again",
      cause,
    });
  }
  if (records) {
    let list: unknown = whole;
    for (const key of records.split(".")) list = (list as Record<string, unknown> | undefined)?.[key];
    if (!Array.isArray(list))
      throw new DataError("EVAL_BAD_RECORD", {
        message: `no list under "${records}"`,
        where: path,
        remedy: `the file's keys are: ${Object.keys(asRecord(whole, path)).join(", ")}`,
      });
    for (const [index, value] of list.entries()) {
      const where = `${path}#${records}[${index}]`;
      yield { value: asRecord(value, where), where, index };
    }
    return;
  }
  const starts = elementOffsets(text);
  let line = 1;
  let scanned = 0;
  const lineOf = (index: number) => {
    const start = starts[index] ?? scanned;
    for (; scanned < start; scanned++) if (text.charCodeAt(scanned) === 10) line++;
    return line;
  };
  if (Array.isArray(whole)) {
    for (const [index, value] of whole.entries()) {
      const where = `${path}:${lineOf(index)}`;
      yield { value: asRecord(value, where), where, index };
    }
    return;
  }
  // JSON.parse sorts integer-like keys, and keeps only the last of equal ones: the text's own order and keys count.
  const object = asRecord(whole, path);
  const seen = new Set<string>();
  for (const [index, start] of starts.entries()) {
    const key = keyBefore(text, start);
    const where = `${path}:${lineOf(index)}`;
    if (seen.has(key))
      throw new DataError("EVAL_DUPLICATE_ID", {
        message: `the key "${key}" appears twice`,
        where,
        remedy: "keep one record per id",
      });
    seen.add(key);
    yield { value: asRecord(object[key], where), where, index, key };
  }
}

function looksLikeLines(text: string): boolean {
  const first = text.trimStart().split("\n", 1)[0] ?? "";
  try {
    return typeof JSON.parse(first) === "object";
  } catch {
    return false;
  }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/** Offsets of the elements of a top-level list, or of the values of a top-level object. `text` is known to be valid JSON. */
function elementOffsets(text: string): number[] {
  const offsets: number[] = [];
  const isObject = text.trimStart().startsWith("{");
  let depth = 0;
  let expecting = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === " " || c === "\n" || c === "\r" || c === "\t" || c === "\ufeff") continue;
    if (expecting && c !== "]" && c !== "}") {
      offsets.push(at);
      expecting = false;
    }
    if (c === '"') for (at++; text[at] !== '"'; at++) at += text[at] === "\\" ? 1 : 0;
    else if (c === "[" || c === "{") {
      if (depth++ === 0) expecting = !isObject;
    } else if (c === "]" || c === "}") depth--;
    else if (depth === 1 && c === (isObject ? ":" : ",")) expecting = true;
  }
  return offsets;
}

/** The key whose value starts at `start`. */
function keyBefore(text: string, start: number): string {
  const colon = text.lastIndexOf(":", start - 1);
  const close = text.lastIndexOf('"', colon);
  let open = close;
  do open = text.lastIndexOf('"', open - 1);
  while (open > 0 && text[open - 1] === "\\");
  return JSON.parse(text.slice(open, close + 1)) as string;
}

async function* csvRows(path: string, separator: string, columns?: string[]): AsyncGenerator<Row> {
  const text = await readText(path);
  let names = columns;
  let index = 0;
  for (const { cells, line } of parseCsv(text, path, separator)) {
    const where = `${path}:${line}`;
    if (names === undefined) {
      names = cells;
      continue;
    }
    if (cells.length !== names.length)
      throw new DataError("EVAL_BAD_RECORD", {
        message: `${cells.length} columns, expected ${names.length} (${names.join(", ")})`,
        where,
        remedy: "quote cells that contain the separator",
      });
    yield { value: Object.fromEntries(names.map((name, i) => [name, cells[i]])), where, index: index++ };
  }
}

const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input),
  ZSTD: (input) => zstdDecompress(input),
};

async function* parquetRows(path: string): AsyncGenerator<Row> {
  let rows: Record<string, unknown>[];
  try {
    rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
  } catch (cause) {
    const error = fromSystemError(cause, path, "reading Parquet");
    if (error !== cause) throw error;
    throw new DataError("IO_DAMAGED", {
      message: `not a readable Parquet file: ${(cause as Error).message}`,
      where: path,
      remedy: "fetch the file again",
      cause,
    });
  }
  for (const [index, value] of rows.entries())
    yield { value: plain(value) as Record<string, unknown>, where: `${path}#${index}`, index };
}

/** Parquet's 64-bit integers as numbers. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object" && !(value instanceof Date))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  return value;
}

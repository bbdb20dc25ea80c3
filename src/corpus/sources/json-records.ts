/** Records of JSON files: one value a line (S2ORC's parts have no extension at all), or one value a file (CORD-19). */
import { isUtf8 } from "node:buffer";
import { readDecompressed } from "../../core/compression.ts";
import { DataError } from "../../core/errors.ts";
import type { Drop } from "../document.ts";
import type { SourceFile } from "./files.ts";
import type { SourceOptions } from "./source.ts";

export type JsonRecord = { value: unknown; offset: number; line: number } | { drop: Drop };

/** Longer than any paper with its annotations; what exceeds it is no record. */
const MAX_RECORD_BYTES = 128 << 20;

export async function* readJsonRecords(file: SourceFile, options: SourceOptions): AsyncGenerator<JsonRecord> {
  const refuse = (rule: string, reason: string, offset: number): JsonRecord => ({
    drop: { id: `${file.relative}#${offset}`, source: options.name, rule, reason, where: `${file.path}#${offset}` },
  });
  const oneValueAFile = /\.json(\.gz|\.zst)?$/i.test(file.relative);
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let offset = 0;
  let line = 0;
  let tooLong = false;
  let records = 0;
  /** Lines that are no JSON by themselves, as long as the file may still be one value. */
  let whole: Buffer[] | undefined = oneValueAFile ? [] : undefined;

  const parse = (bytes: Buffer, at: number): JsonRecord | undefined => {
    if (bytes.every((byte) => byte <= 32)) return undefined;
    if (!isUtf8(bytes)) return refuse("read.not-utf8", "bytes that are not UTF-8", at);
    try {
      const text = bytes.toString("utf8");
      return { value: JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text), offset: at, line };
    } catch (error) {
      return refuse("read.malformed", `not valid JSON: ${(error as Error).message.slice(0, 200)}`, at);
    }
  };
  const take = (last: Buffer): JsonRecord | undefined => {
    const bytes = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    pending.length = 0;
    pendingBytes = 0;
    const at = offset;
    offset += bytes.length + 1;
    line++;
    if (tooLong) {
      tooLong = false;
      return refuse("read.too-large", `a record of more than ${MAX_RECORD_BYTES} bytes`, at);
    }
    const record = parse(bytes, at);
    if (record === undefined) return undefined;
    if (whole && records === 0 && "drop" in record && record.drop.rule === "read.malformed") {
      whole.push(Buffer.from(bytes));
      return undefined;
    }
    if (whole && whole.length > 0) {
      whole.push(Buffer.from(bytes));
      return undefined;
    }
    whole = undefined;
    records++;
    return record;
  };

  let failure: JsonRecord | undefined;
  try {
    for await (const chunk of readDecompressed(file.path)) {
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        const record = take(chunk.subarray(start, end));
        if (record) yield record;
        start = end + 1;
      }
      const rest = chunk.subarray(start);
      if (rest.length === 0) continue;
      pendingBytes += rest.length;
      if (pendingBytes > MAX_RECORD_BYTES) {
        tooLong = true;
        offset += pendingBytes;
        pending.length = 0;
        pendingBytes = 0;
      } else pending.push(Buffer.from(rest));
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const rule = error.code === "IO_CUT_SHORT" ? "read.cut-short" : "read.damaged";
    failure = refuse(rule, error.message, Number(error.fields.offset ?? offset));
  }
  if (pendingBytes > 0 || tooLong) {
    const record = take(Buffer.alloc(0));
    // What a cut file ends in is reported once, as the cut.
    if (record && !(failure && "drop" in record)) {
      records++;
      yield record;
    }
  }
  if (whole && whole.length > 0 && !failure) {
    const bytes = Buffer.concat(whole.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from("\n"), part])));
    line = 1;
    const record = parse(bytes, 0);
    if (record) {
      records++;
      yield record;
    }
  }
  if (failure) yield failure;
  else if (records === 0) yield refuse("read.no-records", "the file holds no record", 0);
}

/**
 * Results as they come: one JSON line a record, appended whole. A process killed at any moment leaves at worst half a line at
 * the end, which the next run cuts off; every finished record is kept.
 */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError, fromSystemError, writeFileAtomic } from "../core/index.ts";

export class RecordLog<T> {
  readonly path: string;
  #descriptor: number;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Opens for appending. @returns the log and the records already in it. */
  static async open<T>(path: string): Promise<{ log: RecordLog<T>; records: T[] }> {
    let descriptor: number | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      const { records, completeBytes } = await readRecords<T>(path);
      descriptor = openSync(path, "a");
      ftruncateSync(descriptor, completeBytes);
      return { log: new RecordLog<T>(path, descriptor), records };
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw fromSystemError(error, path, "opening results");
    }
  }

  append(record: T): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`, "utf8");
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(this.#descriptor, bytes, offset);
    } catch (error) {
      throw fromSystemError(error, this.path, "writing results");
    }
  }

  /** Survives a power cut from here on. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Complete records of a log, and where they end. A missing file holds none. */
export async function readRecords<T>(path: string): Promise<{ records: T[]; completeBytes: number }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { records: [], completeBytes: 0 };
    throw fromSystemError(error, path, "reading results");
  }
  const records: T[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    const line = bytes.toString("utf8", start, end);
    try {
      records.push(JSON.parse(line) as T);
    } catch (cause) {
      throw new DataError("EVAL_DAMAGED_RESULTS", {
        message: "a line that is not JSON",
        where: `${path}:${records.length + 1}`,
        remedy: "remove the line: its item will be asked again",
        cause,
      });
    }
    start = end + 1;
  }
  return { records, completeBytes: start };
}

/** Replaces a log by these records in this order. */
export async function writeRecords(path: string, records: readonly unknown[]): Promise<void> {
  await writeFileAtomic(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

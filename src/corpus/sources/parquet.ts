/**
 * Parquet files, row group by row group: a document a row. The decoder trusts what a page says of itself: a flipped bit can make it
 * loop for ever. So it works on a thread of its own, with a bound on its memory and its time.
 */
import type { Worker } from "node:worker_threads";
import { type PackedError, unpackError } from "../../core/error-transport.ts";
import { DataError } from "../../core/errors.ts";
import { startWorker } from "../../core/worker.ts";
import type { SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { type RecordOptions, recordItem } from "./records.ts";
import { drop, unreadable } from "./source.ts";

/** What the decoding thread answers when it is asked for rows. */
export type ParquetReply = { rows: Record<string, unknown>[] } | { done: true } | { error: PackedError };

const MEMORY_MB = 1024;
/** For one piece of at most 2,048 rows. */
const PIECE_TIMEOUT_MS = 30_000;

export async function* readParquet(options: RecordOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, [".parquet"])) yield* readParquetFile(file, options);
}

export async function* readParquetFile(
  file: SourceFile,
  options: RecordOptions,
  timeoutMs = PIECE_TIMEOUT_MS,
): AsyncGenerator<SourceItem> {
  const worker = startWorker(new URL("./parquet-worker.ts", import.meta.url), {
    workerData: { path: file.path },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  worker.on("error", () => {}); // one that comes while nobody asks, or after its time, ends no process
  let row = 0;
  try {
    for (;;) {
      const reply = await ask(worker, file, row, timeoutMs);
      if ("done" in reply) break;
      if ("error" in reply) throw unpackError(reply.error);
      for (const record of reply.rows) {
        yield recordItem(record, options, `${file.path}#${row}`, { file: file.relative, row });
        row++;
      }
    }
  } catch (error) {
    yield drop(unreadable(options, `${file.relative}#${row}`, error));
  } finally {
    await worker.terminate();
  }
}

/** The next rows. @throws {DataError} CORPUS_BAD_PARQUET when decoding them takes too much memory or time. */
function ask(worker: Worker, { path }: SourceFile, row: number, timeoutMs: number): Promise<ParquetReply> {
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: Error) => {
      done();
      reject(
        new DataError("CORPUS_BAD_PARQUET", {
          message: `the rows from ${row} on cannot be read: decoding them takes more than ${what}`,
          where: path,
          remedy: "the file is damaged: fetch it again",
          cause,
        }),
      );
    };
    const onMessage = (reply: ParquetReply) => {
      done();
      resolve(reply);
    };
    const onError = (error: Error) => {
      if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") return fail(`${MEMORY_MB} MB`, error);
      done();
      reject(error);
    };
    const timer = setTimeout(() => fail(`${timeoutMs / 1000} s`), timeoutMs);
    const done = () => {
      clearTimeout(timer);
      worker.off("message", onMessage).off("error", onError);
    };
    worker.on("message", onMessage).on("error", onError);
    worker.postMessage("next");
  });
}

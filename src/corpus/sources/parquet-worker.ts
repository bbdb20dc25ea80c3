/** The thread behind `parquet.ts`: decodes one file, some rows each time it is asked. */
import { type FileHandle, open } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { packError } from "../../core/error-transport.ts";
import { DataError, fromSystemError } from "../../core/errors.ts";
import type { ParquetReply } from "./parquet.ts";

/** Rows are decoded in pieces of at most this many, so a huge row group does not have to fit in memory as objects. */
const ROWS_AT_ONCE = 2048;

const { path } = workerData as { path: string };
const pieces = readPieces();

parentPort!.on("message", async () => {
  let reply: ParquetReply;
  try {
    const { value, done } = await pieces.next();
    reply = done ? { done } : { rows: value };
  } catch (error) {
    reply = { error: packError(error) };
  }
  parentPort!.postMessage(reply);
});

async function* readPieces(): AsyncGenerator<Record<string, unknown>[], void> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw fromSystemError(error, path, "reading Parquet");
  }
  try {
    const file = await asyncBuffer(handle);
    const metadata = await damaged(() => parquetMetadataAsync(file), "its footer");
    let start = 0;
    for (const group of metadata.row_groups) {
      const end = start + Number(group.num_rows);
      for (; start < end; start += ROWS_AT_ONCE) {
        const rowStart = start;
        const rowEnd = Math.min(end, start + ROWS_AT_ONCE);
        yield await damaged(
          () => parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors }),
          `rows ${rowStart} to ${rowEnd}`,
        );
      }
      start = end;
    }
  } finally {
    await handle.close();
  }
}

async function asyncBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const length = Math.max(0, Math.min(end, size) - start);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, length - at, start + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

async function damaged<T>(read: () => Promise<T>, part: string): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new DataError("CORPUS_BAD_PARQUET", {
      message: `${part} cannot be read: ${(cause as Error).message}`,
      where: path,
      remedy: "fetch the file again",
      cause,
    });
  }
}

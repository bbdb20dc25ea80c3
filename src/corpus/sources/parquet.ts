/** Parquet files, row group by row group: a document a row. */
import { type FileHandle, open } from "node:fs/promises";
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataError, fromSystemError } from "../../core/errors.ts";
import type { SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { type RecordOptions, recordItem } from "./records.ts";
import { drop, unreadable } from "./source.ts";

export async function* readParquet(options: RecordOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, [".parquet"])) yield* readParquetFile(file, options);
}

/** Rows are decoded in pieces of at most this many, so a huge row group does not have to fit in memory as objects. */
const ROWS_AT_ONCE = 2048;

export async function* readParquetFile(file: SourceFile, options: RecordOptions): AsyncGenerator<SourceItem> {
  let handle: FileHandle | undefined;
  let row = 0;
  try {
    handle = await open(file.path, "r").catch((error: unknown) => {
      throw fromSystemError(error, file.path, "reading Parquet");
    });
    const buffer = await asyncBuffer(handle);
    const metadata = await damaged(() => parquetMetadataAsync(buffer), file, "its footer");
    let start = 0;
    for (const group of metadata.row_groups) {
      const end = start + Number(group.num_rows);
      for (; start < end; start += ROWS_AT_ONCE) {
        const rowEnd = Math.min(end, start + ROWS_AT_ONCE);
        const read = () => parquetReadObjects({ file: buffer, metadata, rowStart: start, rowEnd, compressors });
        for (const record of await damaged(read, file, `rows ${start} to ${rowEnd}`)) {
          yield recordItem(record, options, `${file.path}#${row}`, { file: file.relative, row });
          row++;
        }
      }
      start = end;
    }
  } catch (error) {
    yield drop(unreadable(options, `${file.relative}#${row}`, error));
  } finally {
    await handle?.close();
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

async function damaged<T>(read: () => Promise<T>, file: SourceFile, part: string): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new DataError("CORPUS_BAD_PARQUET", {
      message: `${part} cannot be read: ${(cause as Error).message}`,
      where: file.path,
      remedy: "fetch the file again",
      cause,
    });
  }
}

/**
 * Reading compressed files: the format is told by the first bytes, not by the name.
 * A stream cut short ends in a DataError that says where, after all complete data has been yielded.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DecompressStream } from "zstd-napi";
import { DataError, fromSystemError } from "./errors.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Looks at a file's magic bytes. An empty file is "none". */
export async function detectCompression(path: string): Promise<Compression> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw fromSystemError(error, path, "opening");
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead >= 2 && buffer[0] === 0x1f && buffer[1] === 0x8b) return "gzip";
    if (bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd2fb528) return "zstd";
    return "none";
  } catch (error) {
    throw fromSystemError(error, path, "reading");
  } finally {
    await handle.close();
  }
}

/** Each chunk is a trip to another thread and back; with Node's 16 KiB the trips took longer than the inflating. */
const GUNZIP_CHUNK_BYTES = 1 << 20;

/**
 * The decompressed bytes of a file.
 * @throws {DataError} IO_CUT_SHORT / IO_DAMAGED naming the decompressed offset up to which data was good.
 */
export async function* readDecompressed(path: string): AsyncGenerator<Buffer> {
  const compression = await detectCompression(path);
  const source = createReadStream(path, { highWaterMark: 1 << 20 });
  const decoder =
    compression === "gzip"
      ? createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES })
      : compression === "zstd"
        ? new DecompressStream()
        : undefined;
  if (decoder) source.on("error", (error) => decoder.destroy(error)).pipe(decoder);
  const stream: Readable = decoder ?? source;
  let offset = 0;
  try {
    for await (const chunk of stream) {
      offset += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (compression === "none" || error instanceof DataError) throw fromSystemError(error, path, "reading");
    const cut = code === "Z_BUF_ERROR" || /unexpected end|stream ended|incomplete|truncated/i.test(String(error));
    throw new DataError(cut ? "IO_CUT_SHORT" : "IO_DAMAGED", {
      message: `${compression} data ${cut ? "ends too early" : `is damaged (${(error as Error).message})`} after ${offset} decompressed bytes`,
      where: path,
      remedy: "fetch the file again; records before this place were read",
      cause: error,
      fields: { offset },
    });
  } finally {
    source.destroy();
  }
}

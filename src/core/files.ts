/**
 * Files that are either whole or absent: written under a temporary name, synced, renamed.
 * A process killed at any moment leaves at worst a `*.partial` file, which the next run overwrites.
 */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, fsyncSync, openSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DataError, fromSystemError } from "./errors.ts";

const PARTIAL = ".partial";

/** A file being written; `commit` makes it appear under its name, `abort` leaves nothing. */
export class AtomicFile {
  readonly path: string;
  #handle: FileHandle;
  #hash = createHash("sha256");
  #bytes = 0;
  #closed = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<AtomicFile> {
    try {
      await mkdir(dirname(path), { recursive: true });
      return new AtomicFile(path, await open(path + PARTIAL, "w"));
    } catch (error) {
      throw fromSystemError(error, path, "creating the file");
    }
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    try {
      for (let offset = 0; offset < bytes.byteLength; ) {
        const { bytesWritten } = await this.#handle.write(bytes, offset, bytes.byteLength - offset);
        offset += bytesWritten;
      }
    } catch (error) {
      await this.abort();
      throw fromSystemError(error, this.path, "writing");
    }
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
  }

  /** Syncs and renames. @returns size and SHA-256 (hex) of what was written. */
  async commit(): Promise<{ bytes: number; sha256: string }> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      this.#closed = true;
      await rename(this.path + PARTIAL, this.path);
      syncDirectory(dirname(this.path));
    } catch (error) {
      await this.abort();
      throw fromSystemError(error, this.path, "finishing the file");
    }
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  async abort(): Promise<void> {
    if (!this.#closed) await this.#handle.close().catch(() => {});
    this.#closed = true;
    await rm(this.path + PARTIAL, { force: true });
  }
}

/** Writes a whole file atomically. @returns size and SHA-256 (hex). */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
): Promise<{ bytes: number; sha256: string }> {
  const file = await AtomicFile.create(path);
  await file.write(data);
  return file.commit();
}

/** Pretty JSON with a final newline, atomically. */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Reads and parses one JSON file. @throws {DataError} naming the file when it is not JSON. */
export async function readJson<T>(path: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw fromSystemError(error, path, "reading JSON");
  }
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new DataError("IO_BAD_JSON", {
      message: `not valid JSON: ${(error as Error).message}`,
      where: path,
      remedy: "the file is damaged or cut short: write or fetch it again",
      cause: error,
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** SHA-256 (hex) of a file, streamed. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw fromSystemError(error, path, "hashing");
  }
  return hash.digest("hex");
}

/** Makes a rename in this folder survive a power cut. Folders cannot be synced everywhere; then this does nothing. */
export function syncDirectory(directory: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(directory, "r");
    fsyncSync(descriptor);
  } catch {
    // Windows and some network file systems refuse to sync a folder; the rename itself is still atomic there.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Free bytes on the file system that holds (the nearest existing parent of) `path`. */
export async function freeBytes(path: string): Promise<number> {
  for (let place = resolve(path); ; place = join(place, "..")) {
    try {
      const { bavail, bsize } = await statfs(place);
      return bavail * bsize;
    } catch (error) {
      if (place === join(place, "..")) throw fromSystemError(error, path, "asking for free space");
    }
  }
}

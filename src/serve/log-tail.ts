/**
 * A JSON Lines file that somebody else is writing, read a little further each time. A file that was cut back or replaced (a
 * training that resumed from its checkpoint) is noticed by the bytes before the place we stopped at, and read from the start.
 */
import { open } from "node:fs/promises";

const FINGERPRINT_BYTES = 256;
const CHUNK_BYTES = 4 << 20;

export class LogTail {
  readonly path: string;
  /** Byte after the last whole line that was read. */
  offset = 0;
  #before = Buffer.alloc(0);

  constructor(path: string, offset = 0) {
    this.path = path;
    this.offset = offset;
  }

  /**
   * The whole lines that have come since the last call.
   * @returns `restarted` when what was read before no longer stands in the file: forget it, the lines are all there are.
   */
  async read(onLine: (line: string, offset: number) => void, onRestart: () => void = () => {}): Promise<void> {
    const file = await open(this.path, "r").catch(() => undefined);
    if (!file) return;
    try {
      const { size } = await file.stat();
      if (size < this.offset || !(await this.#continues(file))) {
        this.offset = 0;
        this.#before = Buffer.alloc(0);
        onRestart();
      }
      let pending = Buffer.alloc(0);
      let position = this.offset;
      while (position < size) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - position));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
        if (bytesRead === 0) break;
        position += bytesRead;
        pending =
          pending.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([pending, chunk.subarray(0, bytesRead)]);
        let start = 0;
        for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10, start)) {
          onLine(pending.toString("utf8", start, end), this.offset + start);
          start = end + 1;
        }
        if (start > 0) {
          this.#before = Buffer.concat([
            this.#before,
            pending.subarray(Math.max(0, start - FINGERPRINT_BYTES), start),
          ]).subarray(-FINGERPRINT_BYTES);
          this.offset += start;
          pending = pending.subarray(start);
        }
      }
    } finally {
      await file.close();
    }
  }

  async #continues(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
    if (this.#before.length === 0) return true;
    const found = Buffer.alloc(this.#before.length);
    await file.read(found, 0, found.length, this.offset - found.length);
    return found.equals(this.#before);
  }
}

/** A line as a value; a damaged one is passed over. */
export function parseLine<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}

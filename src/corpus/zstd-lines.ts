/** Writing `.jsonl.zst`: one zstd frame a file (readers such as Python's zstandard stop after the first), whole or absent. */
import { CompressStream } from "zstd-napi";
import { readDecompressed } from "../core/compression.ts";
import { AtomicFile } from "../core/files.ts";

export interface ZstdOptions {
  /** 3 for what stays, 1 for what the next stage reads and removes. */
  level?: number;
  /** Compress on threads of zstd's own. The bytes are the same for any number of them, but not those without. */
  threads?: number;
}

/** Lines are handed to the compressor in pieces of about this many characters. */
const PIECE_CHARACTERS = 1 << 20;

export interface WrittenFile {
  lines: number;
  /** Of the uncompressed lines, newline included. */
  rawBytes: number;
  /** Of the file. */
  bytes: number;
  sha256: string;
}

const NEWLINE = 10;

/** A compressed JSON Lines file being written; `commit` makes it appear, `abort` leaves nothing. */
export class ZstdLines {
  #file: AtomicFile;
  #stream: CompressStream;
  #output: Buffer[] = [];
  #ended: Promise<void>;
  #pending = Buffer.alloc(0);
  #pendingBytes = 0;
  #text = "";
  #lines = 0;
  #rawBytes = 0;

  private constructor(file: AtomicFile, { level = 3, threads = 0 }: ZstdOptions) {
    this.#file = file;
    this.#stream = new CompressStream({ compressionLevel: level, checksumFlag: true, nbWorkers: threads });
    this.#stream.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.#ended = new Promise((resolve, reject) => this.#stream.once("end", resolve).once("error", reject));
    this.#ended.catch(() => {});
  }

  static async create(path: string, options: ZstdOptions = {}): Promise<ZstdLines> {
    return new ZstdLines(await AtomicFile.create(path), options);
  }

  /** Uncompressed bytes taken so far. */
  get rawBytes(): number {
    if (this.#text !== "") this.#take();
    return this.#rawBytes;
  }

  get lines(): number {
    return this.#lines;
  }

  /** @param line - One line without its newline. @returns a promise only when data had to be written: await it if there is one. */
  write(line: string): Promise<void> | undefined {
    this.#lines++;
    this.#text += `${line}\n`;
    return this.#text.length >= PIECE_CHARACTERS ? this.#flush() : undefined;
  }

  /** A line in UTF-8, without its newline. */
  writeBytes(line: Uint8Array): Promise<void> | undefined {
    this.#lines++;
    this.#take();
    this.#makeRoom(line.length + 1);
    this.#pending.set(line, this.#pendingBytes);
    this.#pending[this.#pendingBytes + line.length] = NEWLINE;
    this.#count(line.length + 1);
    return this.#pendingBytes >= PIECE_CHARACTERS ? this.#flush() : undefined;
  }

  #take(): void {
    if (this.#text === "") return;
    this.#makeRoom(3 * this.#text.length);
    const bytes = this.#pending.write(this.#text, this.#pendingBytes);
    this.#text = "";
    this.#count(bytes);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#pendingBytes + bytes;
    if (needed <= this.#pending.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 1.25 * PIECE_CHARACTERS));
    larger.set(this.#pending.subarray(0, this.#pendingBytes));
    this.#pending = larger;
  }

  #count(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#rawBytes += bytes;
  }

  async #flush(): Promise<void> {
    this.#take();
    const piece = this.#pending.subarray(0, this.#pendingBytes);
    // The compressor may keep this one for a while.
    this.#pending = Buffer.alloc(0);
    this.#pendingBytes = 0;
    if (piece.length > 0)
      await new Promise<void>((resolve, reject) =>
        this.#stream.write(piece, (error) => (error ? reject(error) : resolve())),
      );
    await this.#drain();
  }

  async #drain(): Promise<void> {
    const chunks = this.#output;
    this.#output = [];
    for (const chunk of chunks) await this.#file.write(chunk);
  }

  async commit(): Promise<WrittenFile> {
    await this.#flush();
    this.#stream.end();
    await this.#ended;
    await this.#drain();
    return { lines: this.#lines, rawBytes: this.#rawBytes, ...(await this.#file.commit()) };
  }

  async abort(): Promise<void> {
    this.#stream.destroy();
    await this.#file.abort();
  }
}

/** Lines of a file of our own as bytes, without newline, some at a time; each is valid until the next are asked for. */
export async function* readByteLines(path: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  for await (const chunk of readDecompressed(path)) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = chunk.subarray(start, end);
      lines.push(rest.length === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(Buffer.from(chunk.subarray(start)));
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}

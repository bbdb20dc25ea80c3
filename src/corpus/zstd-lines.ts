/** Writing `.jsonl.zst`: one zstd frame a file (readers such as Python's zstandard stop after the first), whole or absent. */
import { CompressStream } from "zstd-napi";
import { AtomicFile } from "../core/files.ts";

const LEVEL = 3;
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

/** A compressed JSON Lines file being written; `commit` makes it appear, `abort` leaves nothing. */
export class ZstdLines {
  #file: AtomicFile;
  #stream = new CompressStream({ compressionLevel: LEVEL, checksumFlag: true });
  #output: Buffer[] = [];
  #ended: Promise<void>;
  #pending = "";
  #lines = 0;
  #rawBytes = 0;

  private constructor(file: AtomicFile) {
    this.#file = file;
    this.#stream.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.#ended = new Promise((resolve, reject) => this.#stream.once("end", resolve).once("error", reject));
    this.#ended.catch(() => {});
  }

  static async create(path: string): Promise<ZstdLines> {
    return new ZstdLines(await AtomicFile.create(path));
  }

  /** Uncompressed bytes taken so far. */
  get rawBytes(): number {
    return this.#rawBytes;
  }

  get lines(): number {
    return this.#lines;
  }

  /** @param line - One line without its newline. @returns a promise only when data had to be written: await it if there is one. */
  write(line: string): Promise<void> | undefined {
    this.#lines++;
    this.#rawBytes += Buffer.byteLength(line) + 1;
    this.#pending += `${line}\n`;
    return this.#pending.length >= PIECE_CHARACTERS ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    const piece = Buffer.from(this.#pending, "utf8");
    this.#pending = "";
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

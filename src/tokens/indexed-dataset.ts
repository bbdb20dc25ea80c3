/**
 * Megatron's token files: `PREFIX.bin` holds raw ids, `PREFIX.idx` says where each sequence lies. Megatron-LM, NeMo and
 * nanotron read and write the same two files.
 *
 *   offset  size  content of .idx, little endian
 *   0       9     "MMIDIDX\0\0"
 *   9       8     u64 version = 1
 *   17      1     u8 code of the number type (8 = u16, 4 = i32)
 *   18      8     u64 S = sequences
 *   26      8     u64 D = documents + 1
 *   34      4·S   i32 tokens of each sequence
 *   34+4S   8·S   i64 byte offset of each sequence in .bin
 *   34+12S  8·D   i64 first sequence of each document; starts with 0, ends with S
 *
 * @see Megatron-LM, megatron/core/datasets/indexed_dataset.py
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { AtomicFile, ConfigError, DataError, fromSystemError } from "../core/index.ts";

const MAGIC = Buffer.from("MMIDIDX\0\0", "latin1");
const HEADER_BYTES = 34;
const U16 = 8;
const I32 = 4;
/** Megatron's own rule: ids are stored in two bytes below this vocabulary size. */
const TWO_BYTE_VOCABULARY = 65_500;
const WRITE_BYTES = 4 << 20;

type Ids = Uint16Array | Int32Array;

export interface WrittenTokens {
  documents: number;
  tokens: number;
  bin: { path: string; bytes: number; sha256: string };
  idx: { path: string; bytes: number; sha256: string };
}

/** Writes one `.bin/.idx` pair as a stream: a sequence a document. Both appear together at `commit`. */
export class IndexedDatasetWriter {
  readonly #prefix: string;
  readonly #bin: AtomicFile;
  readonly #vocabSize: number;
  readonly #buffer: Ids;
  #filled = 0;
  #lengths = new Int32Array(1024);
  #documents = 0;
  #tokens = 0;

  private constructor(prefix: string, bin: AtomicFile, vocabSize: number) {
    this.#prefix = prefix;
    this.#bin = bin;
    this.#vocabSize = vocabSize;
    this.#buffer = vocabSize < TWO_BYTE_VOCABULARY ? new Uint16Array(WRITE_BYTES / 2) : new Int32Array(WRITE_BYTES / 4);
  }

  static async create(prefix: string, vocabSize: number): Promise<IndexedDatasetWriter> {
    // An index of an earlier run must not meet the new data file.
    await rm(`${prefix}.idx`, { force: true });
    return new IndexedDatasetWriter(prefix, await AtomicFile.create(`${prefix}.bin`), vocabSize);
  }

  /** @throws {DataError} TOKENS_OUT_OF_RANGE for an id that the vocabulary does not have. */
  async add(ids: ArrayLike<number>): Promise<void> {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!(id >= 0 && id < this.#vocabSize))
        throw new DataError("TOKENS_OUT_OF_RANGE", {
          message: `token id ${id} does not fit a vocabulary of ${this.#vocabSize}`,
          where: `${this.#prefix}: document ${this.#documents}, token ${i}`,
          remedy: "tokenize with the tokenizer that the vocabulary size was taken from",
        });
      this.#buffer[this.#filled++] = id;
      if (this.#filled === this.#buffer.length) await this.#flush();
    }
    if (this.#documents === this.#lengths.length) {
      const grown = new Int32Array(this.#lengths.length * 2);
      grown.set(this.#lengths);
      this.#lengths = grown;
    }
    this.#lengths[this.#documents++] = ids.length;
    this.#tokens += ids.length;
  }

  async #flush(): Promise<void> {
    const { buffer, BYTES_PER_ELEMENT } = this.#buffer;
    await this.#bin.write(new Uint8Array(buffer, 0, this.#filled * BYTES_PER_ELEMENT));
    this.#filled = 0;
  }

  /** Finishes both files; the index comes last, so a pair with an index is complete. */
  async commit(): Promise<WrittenTokens> {
    await this.#flush();
    const bin = await this.#bin.commit();
    const size = this.#buffer.BYTES_PER_ELEMENT;
    const sequences = this.#documents;
    const idx = Buffer.alloc(HEADER_BYTES + 12 * sequences + 8 * (sequences + 1));
    MAGIC.copy(idx);
    idx.writeBigUInt64LE(1n, 9);
    idx.writeUInt8(size === 2 ? U16 : I32, 17);
    idx.writeBigUInt64LE(BigInt(sequences), 18);
    idx.writeBigUInt64LE(BigInt(sequences + 1), 26);
    let offset = 0;
    for (let i = 0; i < sequences; i++) {
      idx.writeInt32LE(this.#lengths[i]!, HEADER_BYTES + 4 * i);
      writeInt64(idx, offset, HEADER_BYTES + 4 * sequences + 8 * i);
      offset += this.#lengths[i]! * size;
    }
    for (let i = 0; i <= sequences; i++) writeInt64(idx, i, HEADER_BYTES + 12 * sequences + 8 * i);
    const file = await AtomicFile.create(`${this.#prefix}.idx`);
    await file.write(idx);
    return {
      documents: sequences,
      tokens: this.#tokens,
      bin: { path: `${this.#prefix}.bin`, ...bin },
      idx: { path: `${this.#prefix}.idx`, ...(await file.commit()) },
    };
  }

  async abort(): Promise<void> {
    await this.#bin.abort();
  }
}

/** Random access to the sequences of a `.bin/.idx` pair. The index is held in memory (4 + 8 bytes a sequence), the data is not. */
export class IndexedDataset {
  readonly prefix: string;
  /** Tokens of each sequence. */
  readonly lengths: Int32Array;
  readonly tokens: number;
  /** First sequence of each document, and S at the end. */
  readonly documents: Float64Array;
  /** First token of each sequence in the file. */
  readonly #starts: Float64Array;
  readonly #bytesPerToken: 2 | 4;
  #descriptor: number | undefined;

  private constructor(
    prefix: string,
    lengths: Int32Array,
    starts: Float64Array,
    documents: Float64Array,
    bytes: 2 | 4,
  ) {
    this.prefix = prefix;
    this.lengths = lengths;
    this.#starts = starts;
    this.documents = documents;
    this.#bytesPerToken = bytes;
    let tokens = 0;
    for (const length of lengths) tokens += length;
    this.tokens = tokens;
  }

  get sequences(): number {
    return this.lengths.length;
  }

  /**
   * Opens and checks a pair: every number of the index must agree with every other and with the data file's size.
   * @throws {DataError} TOKENS_BAD_INDEX / TOKENS_DISAGREE naming the numbers. @throws {ConfigError} IO_NOT_FOUND.
   */
  static async open(prefix: string): Promise<IndexedDataset> {
    const path = `${prefix}.idx`;
    const idx = await readFile(path).catch((error) => {
      throw fromSystemError(error, path, "reading the token index");
    });
    const bad = (message: string) =>
      new DataError("TOKENS_BAD_INDEX", { message, where: path, remedy: "tokenize again, or copy the file again" });
    if (idx.subarray(0, 8).equals(Buffer.from("TNTIDX\0\0", "latin1")))
      throw bad("the old TNTIDX format of fairseq is not supported");
    if (idx.length < HEADER_BYTES || !idx.subarray(0, 9).equals(MAGIC)) throw bad("not a Megatron index (MMIDIDX)");
    const version = idx.readBigUInt64LE(9);
    if (version !== 1n) throw bad(`index version ${version}, expected 1`);
    const code = idx.readUInt8(17);
    if (code !== U16 && code !== I32) throw bad(`number type code ${code}; tokens are stored as u16 (8) or i32 (4)`);
    const size = code === U16 ? 2 : 4;
    const sequences = Number(idx.readBigUInt64LE(18));
    const boundaries = Number(idx.readBigUInt64LE(26));
    const expected = HEADER_BYTES + 12 * sequences + 8 * boundaries;
    // Files of multimodal sets carry one more byte a sequence; we do not train on those.
    if (idx.length !== expected)
      throw bad(
        `${idx.length} bytes, but ${sequences} sequences and ${boundaries} document boundaries take ${expected} bytes`,
      );

    const lengths = new Int32Array(sequences);
    const starts = new Float64Array(sequences);
    let offset = 0;
    for (let i = 0; i < sequences; i++) {
      const length = idx.readInt32LE(HEADER_BYTES + 4 * i);
      const pointer = readInt64(idx, HEADER_BYTES + 4 * sequences + 8 * i);
      if (length < 0) throw bad(`sequence ${i} has ${length} tokens`);
      if (pointer !== offset)
        throw bad(`sequence ${i} starts at byte ${pointer}, but the ${i} sequences before it end at byte ${offset}`);
      lengths[i] = length;
      starts[i] = offset / size;
      offset += length * size;
    }
    const documents = new Float64Array(boundaries);
    for (let i = 0; i < boundaries; i++) {
      const boundary = readInt64(idx, HEADER_BYTES + 12 * sequences + 8 * i);
      const lowest = i === 0 ? 0 : documents[i - 1]!;
      if (boundary < lowest || (i === 0 && boundary !== 0))
        throw bad(`document boundary ${i} is ${boundary}, after ${lowest}`);
      documents[i] = boundary;
    }
    if (boundaries === 0 || documents[boundaries - 1] !== sequences)
      throw bad(`document boundaries end at ${documents.at(-1) ?? "nothing"}, expected ${sequences}`);

    const dataset = new IndexedDataset(prefix, lengths, starts, documents, size);
    const bytes = dataset.#open();
    if (bytes !== offset) {
      dataset.close();
      throw new DataError("TOKENS_DISAGREE", {
        message: `the index counts ${dataset.tokens} tokens (${offset} bytes), but the data file has ${bytes} bytes`,
        where: `${prefix}.bin`,
        remedy: "the pair does not belong together, or one was cut short: copy both again, or tokenize again",
        fields: { indexBytes: offset, fileBytes: bytes },
      });
    }
    return dataset;
  }

  #open(): number {
    try {
      this.#descriptor = openSync(`${this.prefix}.bin`, "r");
      return fstatSync(this.#descriptor).size;
    } catch (error) {
      throw fromSystemError(error, `${this.prefix}.bin`, "opening the token file");
    }
  }

  /** Copies `length` tokens of `sequence` from `offset` on into `target` at `at`. */
  read(sequence: number, offset: number, length: number, target: Int32Array, at: number): void {
    if (length === 0) return;
    if (this.#descriptor === undefined || !(offset >= 0 && offset + length <= (this.lengths[sequence] ?? -1)))
      throw new ConfigError("TOKENS_OUT_OF_RANGE", {
        message: `tokens ${offset} to ${offset + length} of sequence ${sequence}, which has ${this.lengths[sequence] ?? "no"} tokens`,
        where: this.prefix,
      });
    const size = this.#bytesPerToken;
    const buffer = new Uint8Array(length * size);
    const position = (this.#starts[sequence]! + offset) * size;
    for (let done = 0; done < buffer.length; ) {
      const count = readSync(this.#descriptor, buffer, done, buffer.length - done, position + done);
      if (count === 0)
        throw new DataError("TOKENS_DISAGREE", {
          message: `the data file ends at byte ${position + done}, ${buffer.length - done} bytes early`,
          where: `${this.prefix}.bin`,
          remedy: "the file changed while it was read: restore it",
        });
      done += count;
    }
    target.set(size === 2 ? new Uint16Array(buffer.buffer) : new Int32Array(buffer.buffer), at);
  }

  /** All tokens of one sequence. */
  sequence(index: number): Int32Array {
    const ids = new Int32Array(this.lengths[index] ?? 0);
    this.read(index, 0, ids.length, ids, 0);
    return ids;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Values stay below 2^53, so two 32-bit halves do without big integers. */
function writeInt64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeUInt32LE(value % 2 ** 32, offset);
  buffer.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}

function readInt64(buffer: Buffer, offset: number): number {
  return buffer.readUInt32LE(offset) + buffer.readInt32LE(offset + 4) * 2 ** 32;
}

/**
 * Documents that share a key, for more keys than memory holds: keys are dealt into partitions by their bits, and a partition
 * that grows too large is appended to a file. Equal keys always meet in the same partition, each of which fits in memory.
 */
import { type FileHandle, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromSystemError } from "../core/errors.ts";

const PARTITIONS = 256;
/** u32 each: key high, key low, document. */
const RECORD = 3;

export class KeyGroups {
  #directory: string;
  #memoryBytes: number;
  #bytes = 0;
  #partitions = Array.from({ length: PARTITIONS }, () => ({ records: new Uint32Array(48), length: 0 }));
  #files: (FileHandle | undefined)[] = [];

  /** @param directory - Made when keys go to disk, removed by `close`. */
  constructor(directory: string, memoryBytes: number) {
    this.#directory = directory;
    this.#memoryBytes = memoryBytes;
  }

  /** @returns a promise only when keys go to disk: await it if there is one. */
  add(high: number, low: number, document: number): Promise<void> | undefined {
    const partition = this.#partitions[low & (PARTITIONS - 1)]!;
    if (partition.length === partition.records.length) {
      const larger = new Uint32Array(partition.records.length * 2);
      larger.set(partition.records);
      this.#bytes += 4 * partition.records.length;
      partition.records = larger;
    }
    partition.records[partition.length] = high;
    partition.records[partition.length + 1] = low;
    partition.records[partition.length + 2] = document;
    partition.length += RECORD;
    return this.#bytes > this.#memoryBytes ? this.#spill() : undefined;
  }

  /** Whether keys had to go to disk. */
  get spilled(): boolean {
    return this.#files.length > 0;
  }

  async #spill(): Promise<void> {
    try {
      if (this.#files.length === 0) {
        await mkdir(this.#directory, { recursive: true });
        for (let i = 0; i < PARTITIONS; i++) this.#files.push(await open(join(this.#directory, `${i}.keys`), "w"));
      }
      for (const [index, partition] of this.#partitions.entries()) {
        const bytes = new Uint8Array(partition.records.buffer, 0, 4 * partition.length);
        for (let at = 0; at < bytes.length; ) at += (await this.#files[index]!.write(bytes, at)).bytesWritten;
        partition.records = new Uint32Array(48);
        partition.length = 0;
      }
    } catch (error) {
      throw fromSystemError(error, this.#directory, "sorting keys of duplicates on disk");
    }
    this.#bytes = 0;
  }

  /** Calls `same(a, b)` for pairs that connect all documents of equal key. */
  async pairs(same: (a: number, b: number) => void): Promise<void> {
    if (this.spilled) await this.#spill();
    for (const [index, partition] of this.#partitions.entries()) {
      let { records, length } = partition;
      if (this.spilled) {
        const bytes = await readFile(join(this.#directory, `${index}.keys`));
        records = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
        length = records.length;
      }
      pairsOf(records, length, same);
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file?.close();
    if (this.#files.length > 0) await rm(this.#directory, { recursive: true, force: true });
  }
}

/** An open-addressed table holds the first document of each key; every later one is paired with it. */
function pairsOf(records: Uint32Array, length: number, same: (a: number, b: number) => void): void {
  const count = length / RECORD;
  if (count < 2) return;
  const slots = 2 ** Math.ceil(Math.log2(2 * count));
  const table = new Int32Array(slots).fill(-1);
  for (let at = 0; at < length; at += RECORD) {
    const high = records[at]!;
    const low = records[at + 1]!;
    let slot = (high ^ (low >>> 8)) & (slots - 1);
    for (;;) {
      const first = table[slot]!;
      if (first === -1) {
        table[slot] = at;
        break;
      }
      if (records[first] === high && records[first + 1] === low) {
        if (records[first + 2] !== records[at + 2]) same(records[first + 2]!, records[at + 2]!);
        break;
      }
      slot = (slot + 1) & (slots - 1);
    }
  }
}

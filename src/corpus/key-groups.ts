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

  /** Calls `visit` with the documents of each key that at least two have; the array is valid during the call. */
  async groups(visit: (documents: Uint32Array) => void): Promise<void> {
    if (this.spilled) await this.#spill();
    for (const [index, partition] of this.#partitions.entries()) {
      let { records, length } = partition;
      if (this.spilled) {
        const bytes = await readFile(join(this.#directory, `${index}.keys`));
        records = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
        length = records.length;
      }
      groupsOf(records, length, visit);
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file?.close();
    if (this.#files.length > 0) await rm(this.#directory, { recursive: true, force: true });
  }
}

/** An open-addressed table numbers the keys; a counting sort then lays the documents of each key side by side. */
function groupsOf(records: Uint32Array, length: number, visit: (documents: Uint32Array) => void): void {
  const count = length / RECORD;
  if (count < 2) return;
  const slots = 2 ** Math.ceil(Math.log2(2 * count));
  const firstOf = new Int32Array(slots).fill(-1);
  const groupAt = new Uint32Array(slots);
  const groupOf = new Uint32Array(count);
  const sizes = new Uint32Array(count);
  let groups = 0;
  for (let i = 0; i < count; i++) {
    const high = records[RECORD * i]!;
    const low = records[RECORD * i + 1]!;
    let slot = (high ^ (low >>> 8)) & (slots - 1);
    for (;;) {
      const first = firstOf[slot]!;
      if (first === -1) {
        firstOf[slot] = i;
        groupAt[slot] = groups++;
        break;
      }
      if (records[RECORD * first] === high && records[RECORD * first + 1] === low) break;
      slot = (slot + 1) & (slots - 1);
    }
    const group = groupAt[slot]!;
    groupOf[i] = group;
    sizes[group] = sizes[group]! + 1;
  }
  const at = new Uint32Array(groups + 1);
  for (let group = 0; group < groups; group++) at[group + 1] = at[group]! + sizes[group]!;
  const starts = at.slice();
  const documents = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const group = groupOf[i]!;
    documents[at[group]!] = records[RECORD * i + 2]!;
    at[group] = at[group]! + 1;
  }
  for (let group = 0; group < groups; group++)
    if (sizes[group]! > 1) visit(documents.subarray(starts[group]!, starts[group + 1]!));
}

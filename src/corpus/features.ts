/**
 * What deduplication needs to know of a document, in a record of fixed size: keys by which two documents can be the same, and
 * the facts by which one of them is kept. Written beside the staged documents while they are read, so that deduplication
 * itself never reads a text.
 *
 *   u32 × 2: id, pmid, corpusid, text, opening, title (0 0 = no key) · i32 date · u32 characters · u8 rank · u8 has shingles · u16 0 · u32 × 2 × bands
 */
import { open } from "node:fs/promises";
import { DataError, fromSystemError } from "../core/errors.ts";
import { AtomicFile } from "../core/files.ts";
import { sha256 } from "../core/hash.ts";
import type { Document, DocumentKind } from "./document.ts";
import { MinHasher, type MinHashOptions } from "./minhash.ts";
import { hashLetters, mix32 } from "./words.ts";

/** Which kind is kept when two documents are the same: the vetted one, then the fuller one. */
export const KIND_RANK: Readonly<Record<DocumentKind, number>> = {
  guideline: 4,
  paper: 3,
  abstract: 2,
  other: 1,
  replay: 0,
};

export const KEYS = ["id", "pmid", "corpusid", "text", "opening", "title"] as const;
export type Key = (typeof KEYS)[number];
const keyAt = (key: Key) => 8 * KEYS.indexOf(key);

const DATE_AT = 8 * KEYS.length;
const CHARACTERS_AT = DATE_AT + 4;
const RANK_AT = CHARACTERS_AT + 4;
const SHINGLES_AT = RANK_AT + 1;
const BANDS_AT = RANK_AT + 4;

/** MEDITRON's key of a guideline: the first 500 letters and digits (SPEC 1a.4). Shorter texts are compared whole. */
const OPENING_LETTERS = 500;

export interface FeatureOptions {
  near: MinHashOptions | false;
  titleMinWords: number;
}

/** Path of the sketches that belong to a feature file: one byte a hash function, a row a document. */
export const sketchPath = (features: string) => features.replace(/\.bin$/, ".sketches");

export function sketchBytes(options: FeatureOptions): number {
  return options.near === false ? 0 : options.near.bands * options.near.rowsPerBand;
}

export function recordBytes(options: FeatureOptions): number {
  return BANDS_AT + (options.near === false ? 0 : 8 * options.near.bands);
}

/** Writes the features of documents, in order. */
export class FeatureWriter {
  #file: AtomicFile;
  #options: FeatureOptions;
  #hasher: MinHasher | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #sketches: AtomicFile | undefined;
  #pendingSketches: Buffer[] = [];

  private constructor(file: AtomicFile, sketches: AtomicFile | undefined, options: FeatureOptions) {
    this.#file = file;
    this.#sketches = sketches;
    this.#options = options;
    this.#hasher = options.near === false ? undefined : new MinHasher(options.near);
  }

  static async create(path: string, options: FeatureOptions): Promise<FeatureWriter> {
    const sketches = options.near === false ? undefined : await AtomicFile.create(sketchPath(path));
    return new FeatureWriter(await AtomicFile.create(path), sketches, options);
  }

  async write(document: Document): Promise<void> {
    const record = Buffer.alloc(recordBytes(this.#options));
    record.write(sha256(document.id), keyAt("id"), 8, "hex");
    record.write(document.sha256, keyAt("text"), 8, "hex");
    // Under which an abstract and its paper are known, whatever their own ids.
    writeNumber(record, "pmid", document.meta.pmid ?? /^pmid:(\d+)$/.exec(document.id)?.[1]);
    writeNumber(record, "corpusid", document.meta.corpusId ?? /^s2:(\d+)$/.exec(document.id)?.[1]);
    // A rule of the authors for guidelines, within one source; papers of one group may share their first lines.
    if (document.kind === "guideline") {
      const [high, low] = hashLetters(document.text, 1, OPENING_LETTERS);
      record.writeUInt32LE((high ^ Number.parseInt(sha256(document.source).slice(0, 8), 16)) >>> 0, keyAt("opening"));
      record.writeUInt32LE(low || 1, keyAt("opening") + 4);
    }
    if (
      document.title.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length >= this.#options.titleMinWords
    ) {
      const [high, low] = hashLetters(document.title, 2);
      record.writeUInt32LE(high, keyAt("title"));
      record.writeUInt32LE(low || 1, keyAt("title") + 4);
    }
    record.writeInt32LE(dateNumber(document), DATE_AT);
    record.writeUInt32LE(document.text.length, CHARACTERS_AT);
    record.writeUInt8(KIND_RANK[document.kind], RANK_AT);
    const bands = this.#hasher?.bandKeys(document.text);
    if (bands) {
      record.writeUInt8(1, SHINGLES_AT);
      for (let i = 0; i < bands.length; i++) record.writeUInt32LE(bands[i]!, BANDS_AT + 4 * i);
    }
    if (this.#sketches) {
      const sketch = Buffer.alloc(sketchBytes(this.#options));
      if (bands) this.#hasher!.sketch(sketch);
      this.#pendingSketches.push(sketch);
    }
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    if (this.#pendingBytes >= 1 << 20) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#file.write(bytes);
    await this.#sketches?.write(Buffer.concat(this.#pendingSketches));
    this.#pendingSketches = [];
  }

  async commit(): Promise<void> {
    await this.#flush();
    await this.#sketches?.commit();
    await this.#file.commit();
  }

  async abort(): Promise<void> {
    await this.#sketches?.abort();
    await this.#file.abort();
  }
}

/** An id that is a number, as a key: spread over all bits, since keys are dealt by their low ones. */
function writeNumber(record: Buffer, key: Key, id: unknown): void {
  const number = Number(id);
  if (!Number.isSafeInteger(number) || number <= 0) return;
  record.writeUInt32LE(number % 2 ** 32, keyAt(key));
  record.writeUInt32LE(mix32(number % 2 ** 32) || 1, keyAt(key) + 4);
}

/** 20190430 for "2019-04-30", 20190000 for "2019", 0 for none: the source's revision date if it gives one. */
function dateNumber(document: Document): number {
  const revised = document.meta.revised;
  const date = (typeof revised === "string" ? revised : undefined) ?? document.published;
  const [, year, month, day] = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(date ?? "") ?? [];
  return Number(year ?? 0) * 10_000 + Number(month ?? 0) * 100 + Number(day ?? 0);
}

/** Views of one feature record. */
export interface Feature {
  key(key: Key): [high: number, low: number] | undefined;
  /** Undefined if the text has no shingles. */
  band(index: number): [high: number, low: number] | undefined;
  date: number;
  characters: number;
  rank: number;
}

/** Features of documents in the order they were written; each is valid until the next. */
export async function* readFeatures(path: string, options: FeatureOptions): AsyncGenerator<Iterable<Feature>> {
  const size = recordBytes(options);
  let record: Buffer = Buffer.alloc(size);
  const feature: Feature = {
    key(key) {
      const at = keyAt(key);
      const high = record.readUInt32LE(at);
      const low = record.readUInt32LE(at + 4);
      return high === 0 && low === 0 ? undefined : [high, low];
    },
    band(index) {
      if (record[SHINGLES_AT] === 0) return undefined;
      return [record.readUInt32LE(BANDS_AT + 8 * index), record.readUInt32LE(BANDS_AT + 8 * index + 4)];
    },
    get date() {
      return record.readInt32LE(DATE_AT);
    },
    get characters() {
      return record.readUInt32LE(CHARACTERS_AT);
    },
    get rank() {
      return record[RANK_AT]!;
    },
  };
  function* features(bytes: number): Generator<Feature> {
    for (let at = 0; at < bytes; at += size) {
      record = block.subarray(at, at + size);
      yield feature;
    }
  }
  const block = Buffer.alloc(size * Math.max(1, Math.floor((1 << 20) / size)));
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fromSystemError(error, path, "reading features");
  });
  try {
    for (let position = 0; ; ) {
      const { bytesRead } = await handle.read(block, 0, block.length, position);
      if (bytesRead === 0) return;
      if (bytesRead % size !== 0)
        throw new DataError("CORPUS_STAGE_DAMAGED", {
          message: "a file of the unfinished build is cut short",
          where: path,
          remedy: "remove the work folder and build again",
        });
      position += bytesRead;
      yield features(bytesRead);
    }
  } finally {
    await handle.close();
  }
}

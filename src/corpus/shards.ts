/**
 * Document shards: `<name>-00000.jsonl.zst` and `manifest.json`. Every record has the same keys with the same types
 * (absent strings are "", `meta` is JSON text), so Hugging Face `datasets` reads a folder as it is:
 * `load_dataset("json", data_files={"train": "train-*.jsonl.zst"})`. The cut into shards changes no document.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, DataError, fromSystemError } from "../core/errors.ts";
import { exists, readJson, sha256File } from "../core/files.ts";
import { readJsonLines } from "../core/json-lines.ts";
import type { StageCount } from "./accounting.ts";
import type { Document, DocumentKind } from "./document.ts";
import { sortedCounts } from "./drop-log.ts";
import type { Split } from "./split.ts";
import { ZstdLines } from "./zstd-lines.ts";

export const MANIFEST = "manifest.json";

/** Of zstd: shards are written by one thread of ours, so that their order is one, and compressed by these. */
const COMPRESSION_THREADS = 4;

export interface ShardInfo {
  file: string;
  split: string;
  documents: number;
  /** Of the file. */
  bytes: number;
  /** Of the documents' texts in UTF-8. */
  textBytes: number;
  sha256: string;
}

export interface Counts {
  documents: number;
  /** UTF-8 bytes of the texts. */
  textBytes: number;
  bySource: Record<string, number>;
  byKind: Record<string, number>;
  byLicense: Record<string, number>;
  byLanguage: Record<string, number>;
  /** By year of publication; "" where the source states none. */
  byYear: Record<string, number>;
  redistributable: number;
}

export interface CorpusManifest {
  format: "meditron-corpus";
  version: 1;
  /** `meditron 0.1.0`. */
  tool: string;
  /** SHA-256 of the corpus' resolved configuration. */
  recipeHash: string;
  seed: number;
  shards: ShardInfo[];
  splits: Record<string, Counts>;
  drops: { total: number; byRule: Record<string, number>; file: string };
  /** In = out + dropped, stage by stage (checked before this was written). */
  stages: StageCount[];
  /** Files with more detail, beside the shards: "cleaning.json", "contamination.json", "datasheet.md". */
  reports: string[];
}

/** A document as it stands in a shard. */
interface ShardRecord {
  id: string;
  source: string;
  kind: string;
  title: string;
  text: string;
  url: string;
  license: string;
  redistributable: boolean;
  published: string;
  retrieved: string;
  language: string;
  sha256: string;
  meta: string;
}

/** One line of a shard. */
export function formatRecord(document: Document): string {
  const record: ShardRecord = {
    id: document.id,
    source: document.source,
    kind: document.kind,
    title: document.title,
    text: document.text,
    url: document.url ?? "",
    license: document.license,
    redistributable: document.redistributable,
    published: document.published ?? "",
    retrieved: document.retrieved ?? "",
    language: document.language ?? "",
    sha256: document.sha256,
    meta: JSON.stringify(document.meta),
  };
  return JSON.stringify(record);
}

/** A document from the value of one line. */
export function parseRecord(record: ShardRecord): Document {
  return {
    id: record.id,
    source: record.source,
    kind: record.kind as DocumentKind,
    title: record.title,
    text: record.text,
    ...(record.url !== "" && { url: record.url }),
    license: record.license,
    redistributable: record.redistributable,
    ...(record.published !== "" && { published: record.published }),
    ...(record.retrieved !== "" && { retrieved: record.retrieved }),
    ...(record.language !== "" && { language: record.language }),
    sha256: record.sha256,
    meta: JSON.parse(record.meta) as Record<string, unknown>,
  };
}

/** What is counted of a document: enough to place its record in a shard without parsing it. */
export interface RecordFacts {
  id: string;
  source: string;
  kind: DocumentKind;
  license: string;
  redistributable: boolean;
  published: string;
  language: string;
  /** UTF-8 bytes of the text. */
  textBytes: number;
}

export function recordFacts(document: Document): RecordFacts {
  const { id, source, kind, license, redistributable, published = "", language = "", text } = document;
  return { id, source, kind, license, redistributable, published, language, textBytes: Buffer.byteLength(text) };
}

/** Counts documents as they pass. */
class Tally {
  #documents = 0;
  #textBytes = 0;
  #redistributable = 0;
  #maps = { source: new Map(), kind: new Map(), license: new Map(), language: new Map(), year: new Map() } as Record<
    "source" | "kind" | "license" | "language" | "year",
    Map<string, number>
  >;

  add(facts: RecordFacts): void {
    this.#documents++;
    this.#textBytes += facts.textBytes;
    if (facts.redistributable) this.#redistributable++;
    const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    count(this.#maps.source, facts.source);
    count(this.#maps.kind, facts.kind);
    count(this.#maps.license, facts.license);
    count(this.#maps.language, facts.language);
    count(this.#maps.year, facts.published.slice(0, 4));
  }

  counts(): Counts {
    return {
      documents: this.#documents,
      textBytes: this.#textBytes,
      bySource: sortedCounts(this.#maps.source),
      byKind: sortedCounts(this.#maps.kind),
      byLicense: sortedCounts(this.#maps.license),
      byLanguage: sortedCounts(this.#maps.language),
      byYear: sortedCounts(this.#maps.year),
      redistributable: this.#redistributable,
    };
  }
}

/** Writes the shards of one split, a new one whenever the last holds `shardBytes` of uncompressed records. */
export class ShardWriter {
  #directory: string;
  #name: string;
  #shardBytes: number;
  #open: { lines: ZstdLines; textBytes: number; file: string } | undefined;
  #shards: ShardInfo[] = [];
  #tally = new Tally();

  constructor(directory: string, name: Split | string, shardBytes: number) {
    this.#directory = directory;
    this.#name = name;
    this.#shardBytes = shardBytes;
  }

  async write(document: Document): Promise<void> {
    await this.writeRecord(recordFacts(document), Buffer.from(formatRecord(document)));
  }

  /** @param record - The document's line as `formatRecord` gives it, in UTF-8. */
  async writeRecord(facts: RecordFacts, record: Uint8Array): Promise<void> {
    if (!this.#open) {
      const file = shardFile(this.#name, this.#shards.length);
      const lines = await ZstdLines.create(join(this.#directory, file), { threads: COMPRESSION_THREADS });
      this.#open = { lines, textBytes: 0, file };
    }
    this.#tally.add(facts);
    this.#open.textBytes += facts.textBytes;
    const written = this.#open.lines.writeBytes(record);
    if (written) await written;
    if (this.#open.lines.rawBytes >= this.#shardBytes) await this.#close();
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    const { lines, textBytes, file } = this.#open;
    const written = await lines.commit();
    this.#open = undefined;
    this.#shards.push({
      file,
      split: this.#name,
      documents: written.lines,
      bytes: written.bytes,
      textBytes,
      sha256: written.sha256,
    });
  }

  /** Finishes the last shard. */
  async end(): Promise<{ shards: ShardInfo[]; counts: Counts }> {
    await this.#close();
    return { shards: this.#shards, counts: this.#tally.counts() };
  }

  async abort(): Promise<void> {
    await this.#open?.lines.abort();
  }
}

function shardFile(name: string, index: number): string {
  return `${name}-${String(index).padStart(5, "0")}.jsonl.zst`;
}

/** Removes shards and reports of an earlier build from a folder; other files stay. */
export async function removeShards(directory: string): Promise<void> {
  if (!(await exists(directory))) return;
  await rm(join(directory, MANIFEST), { force: true });
  for (const file of await readdir(directory))
    if (
      /^(train|validation)-\d{5}\.jsonl\.zst(\.partial)?$|^(cleaning|contamination)\.json$|^datasheet\.md$/.test(file)
    )
      await rm(join(directory, file), { force: true });
}

/** Loads the manifest of a corpus folder. @throws {ConfigError} CORPUS_NO_MANIFEST if there is none. */
export async function loadManifest(directory: string): Promise<CorpusManifest> {
  const path = join(directory, MANIFEST);
  if (!(await exists(path)))
    throw new ConfigError("CORPUS_NO_MANIFEST", {
      message: "no corpus here: manifest.json is missing",
      where: directory,
      remedy: "build it first (meditron corpus build); a build that was interrupted leaves none until it is finished",
    });
  const manifest = await readJson<CorpusManifest>(path);
  if (manifest.format !== "meditron-corpus" || manifest.version !== 1)
    throw new DataError("CORPUS_BAD_MANIFEST", {
      message: `not a corpus manifest of version 1 (format ${JSON.stringify(manifest.format)}, version ${JSON.stringify(manifest.version)})`,
      where: path,
      remedy: "build the corpus again with this version",
    });
  return manifest;
}

export interface ReadShardsOptions {
  /** One split only; all of them, in manifest order, when left out. */
  split?: Split;
  /** Compare each shard's SHA-256 with the manifest's before reading it. */
  verify?: boolean;
}

/**
 * Documents of a corpus folder, in shard order.
 * @throws {DataError} CORPUS_SHARD_CHANGED (with `verify`) or CORPUS_SHARD_COUNT if a shard is not what the manifest says.
 */
export async function* readShards(directory: string, options: ReadShardsOptions = {}): AsyncGenerator<Document> {
  const manifest = await loadManifest(directory);
  for (const shard of manifest.shards) {
    if (options.split !== undefined && shard.split !== options.split) continue;
    const path = join(directory, shard.file);
    if (options.verify && (await sha256File(path)) !== shard.sha256) throw shardError("CORPUS_SHARD_CHANGED", path);
    let documents = 0;
    try {
      for await (const { value } of readJsonLines<ShardRecord>(path)) {
        documents++;
        yield parseRecord(value);
      }
    } catch (error) {
      throw fromSystemError(error, path, "reading a shard");
    }
    if (documents !== shard.documents) throw shardError("CORPUS_SHARD_COUNT", path, shard.documents, documents);
  }
}

function shardError(code: string, path: string, expected?: number, found?: number): DataError {
  return new DataError(code, {
    message:
      expected === undefined
        ? "the shard's SHA-256 is not the one in manifest.json"
        : `the shard holds ${found} documents, manifest.json says ${expected}`,
    where: path,
    remedy: "the file was changed or cut short: copy it again, or build the corpus again",
  });
}

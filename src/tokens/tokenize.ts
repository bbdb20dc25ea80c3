/**
 * Documents → Megatron token files: one sequence a document, closed by the end-of-document token, no beginning token.
 *
 *   PREFIX.bin, PREFIX.idx       the tokens
 *   PREFIX.documents.jsonl.zst   line n: id, source, license and tokens of sequence n, so that every token has a name
 *   PREFIX.tokens.json           counts by source and license, tokenizer, hashes; written last, so it marks a complete set
 *
 * Texts are encoded on all cores and written in order: the number of threads changes no byte. With document shards, each shard
 * is a part of its own that a restarted run finds done.
 */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compress } from "zstd-napi";
import {
  AtomicFile,
  CancelledError,
  exists,
  fromSystemError,
  hashJson,
  type Progress,
  readJson,
  readJsonLines,
  sha256File,
  writeJsonAtomic,
} from "../core/index.ts";
import { EncoderPool } from "./encoder-pool.ts";
import { IndexedDataset, IndexedDatasetWriter } from "./indexed-dataset.ts";
import type { EncodeReply } from "./tokenize-worker.ts";
import type { Tokenizer } from "./types.ts";

/** What tokenization needs of a corpus document. */
export interface SourceDocument {
  id: string;
  source: string;
  license: string;
  text: string;
}

/** One line of PREFIX.documents.jsonl.zst. */
export interface TokenizedDocument {
  id: string;
  source: string;
  license: string;
  tokens: number;
}

export interface TokenCount {
  documents: number;
  tokens: number;
  /** UTF-8 bytes of the texts. */
  textBytes: number;
}

/** PREFIX.tokens.json */
export interface TokenManifest extends TokenCount {
  format: "meditron-tokens";
  version: 1;
  tokenizer: { sha256: string; vocabSize: number; endOfDocument: string; endOfDocumentId: number };
  bySource: Record<string, TokenCount>;
  byLicense: Record<string, TokenCount>;
  files: Record<"bin" | "idx" | "documents", { file: string; bytes: number; sha256: string }>;
  /** Hash of the document shards and the tokenizer: equal inputs, equal set. Absent when documents came as a stream. */
  inputs?: string;
}

export interface TokenizeOptions {
  /** Encoding threads. Default: one a core. */
  threads?: number;
  signal?: AbortSignal;
  /** Told the documents that are done. */
  progress?: Pick<Progress, "add">;
}

const BATCH_CHARACTERS = 1 << 19;
const FRAME_CHARACTERS = 1 << 20;

/** Tokenizes a stream of documents. @throws {CancelledError} Leaving nothing under the final names. */
export async function tokenizeDocuments(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  tokenizer: Tokenizer,
  prefix: string,
  options: TokenizeOptions = {},
): Promise<TokenManifest> {
  const pool = new EncoderPool(tokenizer, options.threads);
  try {
    return await writeSet(documents, tokenizer, prefix, pool, options);
  } finally {
    await pool.close();
  }
}

/**
 * Tokenizes document shards (`.jsonl`, `.jsonl.gz`, `.jsonl.zst`; one document a line) into one set, in the order given.
 * A set that is complete already, from the same bytes and tokenizer, is returned as it is; so is each finished shard of a run
 * that was interrupted.
 */
export async function tokenizeShards(
  shards: readonly string[],
  tokenizer: Tokenizer,
  prefix: string,
  options: TokenizeOptions = {},
): Promise<TokenManifest> {
  const hashes: string[] = [];
  for (const shard of shards) hashes.push(await sha256File(shard));
  const end = tokenizer.endOfDocumentId;
  const inputs = hashJson({ shards: hashes, tokenizer: tokenizer.sha256, end });
  const finished = await completeSet(prefix, inputs);
  if (finished) return finished;

  const pool = new EncoderPool(tokenizer, options.threads);
  try {
    const parts: string[] = [];
    for (const [i, shard] of shards.entries()) {
      const part = join(`${prefix}.parts`, String(i).padStart(5, "0"));
      const partInputs = hashJson({ shard: hashes[i], tokenizer: tokenizer.sha256, end });
      const done = await completeSet(part, partInputs);
      if (done) options.progress?.add(done.documents);
      else await writeSet(readDocuments(shard), tokenizer, part, pool, options, partInputs);
      parts.push(part);
    }
    const manifest = await joinSets(parts, tokenizer, prefix, inputs);
    await rm(`${prefix}.parts`, { recursive: true, force: true });
    return manifest;
  } finally {
    await pool.close();
  }
}

/** Loads PREFIX.tokens.json. @throws {ConfigError} IO_NOT_FOUND when the set is not complete. */
export async function loadTokenManifest(prefix: string): Promise<TokenManifest> {
  return readJson<TokenManifest>(`${prefix}.tokens.json`);
}

async function* readDocuments(path: string): AsyncGenerator<SourceDocument> {
  for await (const { value } of readJsonLines<SourceDocument>(path)) yield value;
}

async function completeSet(prefix: string, inputs: string): Promise<TokenManifest | undefined> {
  if (!(await exists(`${prefix}.tokens.json`))) return undefined;
  const manifest = await loadTokenManifest(prefix);
  if (manifest.inputs !== inputs) return undefined;
  for (const { file, bytes, sha256 } of Object.values(manifest.files)) {
    const path = join(dirname(prefix), file);
    if (!(await exists(path)) || (await sha256File(path)) !== sha256 || bytes < 0) return undefined;
  }
  return manifest;
}

async function writeSet(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  tokenizer: Tokenizer,
  prefix: string,
  pool: EncoderPool,
  options: TokenizeOptions,
  inputs?: string,
): Promise<TokenManifest> {
  await rm(`${prefix}.tokens.json`, { force: true });
  const writer = await IndexedDatasetWriter.create(prefix, tokenizer.vocabSize);
  const log = await DocumentLog.create(prefix);
  const counts = new TokenCounts();
  const pending: { documents: SourceDocument[]; reply: Promise<EncodeReply> }[] = [];
  const writeOldest = async () => {
    const { documents, reply } = pending.shift()!;
    const { ids, lengths } = await reply;
    let at = 0;
    for (const [i, document] of documents.entries()) {
      const tokens = lengths[i]!;
      await writer.add(ids.subarray(at, at + tokens));
      at += tokens;
      await log.add({ id: document.id, source: document.source, license: document.license, tokens });
      counts.add(document.source, document.license, {
        documents: 1,
        tokens,
        textBytes: Buffer.byteLength(document.text),
      });
    }
    options.progress?.add(documents.length);
  };
  try {
    let batch: SourceDocument[] = [];
    let characters = 0;
    const send = async () => {
      const reply = pool.encode(batch.map(({ text }) => text));
      // A failure is met when its turn comes; until then it must not count as unhandled.
      reply.catch(() => {});
      pending.push({ documents: batch, reply });
      batch = [];
      characters = 0;
      if (pending.length >= pool.depth) await writeOldest();
    };
    for await (const document of documents) {
      if (options.signal?.aborted) throw new CancelledError();
      batch.push(document);
      characters += document.text.length;
      if (characters >= BATCH_CHARACTERS) await send();
    }
    if (batch.length > 0) await send();
    while (pending.length > 0) await writeOldest();
    const { bin, idx } = await writer.commit();
    return await finishSet(prefix, tokenizer, counts, { bin, idx, documents: await log.commit() }, inputs);
  } catch (error) {
    await writer.abort();
    await log.abort();
    throw error;
  }
}

/** Lays finished sets end to end. */
async function joinSets(
  parts: readonly string[],
  tokenizer: Tokenizer,
  prefix: string,
  inputs: string,
): Promise<TokenManifest> {
  await rm(`${prefix}.tokens.json`, { force: true });
  const writer = await IndexedDatasetWriter.create(prefix, tokenizer.vocabSize);
  const log = await DocumentLog.create(prefix);
  const counts = new TokenCounts();
  try {
    for (const part of parts) {
      const set = await IndexedDataset.open(part);
      try {
        for (let i = 0; i < set.sequences; i++) await writer.add(set.sequence(i));
      } finally {
        set.close();
      }
      await log.append(`${part}.documents.jsonl.zst`);
      counts.merge(await loadTokenManifest(part));
    }
    const { bin, idx } = await writer.commit();
    return await finishSet(prefix, tokenizer, counts, { bin, idx, documents: await log.commit() }, inputs);
  } catch (error) {
    await writer.abort();
    await log.abort();
    throw error;
  }
}

async function finishSet(
  prefix: string,
  tokenizer: Tokenizer,
  counts: TokenCounts,
  files: Record<"bin" | "idx" | "documents", { path: string; bytes: number; sha256: string }>,
  inputs: string | undefined,
): Promise<TokenManifest> {
  const file = ({ path, bytes, sha256 }: { path: string; bytes: number; sha256: string }) => ({
    file: basename(path),
    bytes,
    sha256,
  });
  const manifest: TokenManifest = {
    format: "meditron-tokens",
    version: 1,
    ...counts.total,
    tokenizer: {
      sha256: tokenizer.sha256,
      vocabSize: tokenizer.vocabSize,
      endOfDocument: tokenizer.endOfDocumentToken,
      endOfDocumentId: tokenizer.endOfDocumentId,
    },
    bySource: counts.sorted("bySource"),
    byLicense: counts.sorted("byLicense"),
    files: { bin: file(files.bin), idx: file(files.idx), documents: file(files.documents) },
    ...(inputs === undefined ? {} : { inputs }),
  };
  await writeJsonAtomic(`${prefix}.tokens.json`, manifest);
  return manifest;
}

/** PREFIX.documents.jsonl.zst: frames of about a megabyte, so that files of parts can be laid end to end. */
class DocumentLog {
  readonly #file: AtomicFile;
  #lines: string[] = [];
  #characters = 0;

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  static async create(prefix: string): Promise<DocumentLog> {
    return new DocumentLog(await AtomicFile.create(`${prefix}.documents.jsonl.zst`));
  }

  async add(document: TokenizedDocument): Promise<void> {
    const line = `${JSON.stringify(document)}\n`;
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters >= FRAME_CHARACTERS) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    await this.#file.write(compress(Buffer.from(this.#lines.join("")), { compressionLevel: 3 }));
    this.#lines = [];
    this.#characters = 0;
  }

  async append(path: string): Promise<void> {
    await this.#flush();
    try {
      for await (const chunk of createReadStream(path)) await this.#file.write(chunk as Buffer);
    } catch (error) {
      throw fromSystemError(error, path, "reading a part");
    }
  }

  async commit(): Promise<{ path: string; bytes: number; sha256: string }> {
    await this.#flush();
    return { path: this.#file.path, ...(await this.#file.commit()) };
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }
}

class TokenCounts {
  readonly total: TokenCount = { documents: 0, tokens: 0, textBytes: 0 };
  readonly #maps = { bySource: new Map<string, TokenCount>(), byLicense: new Map<string, TokenCount>() };

  add(source: string, license: string, count: TokenCount): void {
    addTo(this.total, count);
    this.#into("bySource", source, count);
    this.#into("byLicense", license, count);
  }

  merge(manifest: TokenManifest): void {
    addTo(this.total, manifest);
    for (const kind of ["bySource", "byLicense"] as const)
      for (const [name, count] of Object.entries(manifest[kind])) this.#into(kind, name, count);
  }

  #into(kind: "bySource" | "byLicense", name: string, count: TokenCount): void {
    const known = this.#maps[kind].get(name);
    if (known) addTo(known, count);
    else this.#maps[kind].set(name, { documents: count.documents, tokens: count.tokens, textBytes: count.textBytes });
  }

  sorted(kind: "bySource" | "byLicense"): Record<string, TokenCount> {
    return Object.fromEntries([...this.#maps[kind]].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function addTo(sum: TokenCount, count: TokenCount): void {
  sum.documents += count.documents;
  sum.tokens += count.tokens;
  sum.textBytes += count.textBytes;
}

/** What all sources share: common options, making documents, and turning a broken record into a drop. */
import { readFile } from "node:fs/promises";
import { readDecompressed } from "../../core/compression.ts";
import { DataError, fromSystemError, MeditronError } from "../../core/errors.ts";
import { sha256 } from "../../core/hash.ts";
import type { Document, DocumentKind, Drop, SourceItem } from "../document.ts";
import { mayRedistribute, spdxLicense } from "../licenses.ts";
import type { FileRange } from "./files.ts";

/** Options every source takes. */
export interface SourceOptions {
  /** Name of the source in ids, counts and reports. */
  name: string;
  path: string;
  kind?: DocumentKind | undefined;
  /** SPDX id or name; what a record states itself goes before it. */
  license?: string | undefined;
  /** Overrides what the license implies. */
  redistributable?: boolean | undefined;
  /** ISO date the files were obtained. */
  retrieved?: string | undefined;
  /** Read these of the files only. */
  files?: FileRange | undefined;
}

/** Facts of one record; the rest of the document follows from them and the source's options. */
export interface RecordFacts {
  id: string;
  title: string;
  text: string;
  license?: string | undefined;
  url?: string | undefined;
  published?: string | undefined;
  language?: string | undefined;
  /** Of `text`, where it has been hashed already. */
  sha256?: string | undefined;
  meta?: Record<string, unknown>;
}

export function makeDocument(options: SourceOptions, kind: DocumentKind, facts: RecordFacts): Document {
  const license = spdxLicense(facts.license ?? options.license);
  return {
    id: facts.id,
    source: options.name,
    kind: options.kind ?? kind,
    title: facts.title,
    text: facts.text,
    ...(facts.url && { url: facts.url }),
    license,
    redistributable: options.redistributable ?? mayRedistribute(license),
    ...(facts.published && { published: facts.published }),
    ...(options.retrieved && { retrieved: options.retrieved }),
    ...(facts.language && { language: facts.language }),
    sha256: facts.sha256 ?? sha256(facts.text),
    meta: facts.meta ?? {},
  };
}

/** First 16 hex digits of a SHA-256: short enough for an id, long enough not to collide in a corpus. */
export function shortHash(text: string): string {
  return sha256(text).slice(0, 16);
}

/** A drop for a record or file that could not be read, from the error that said why. */
export function unreadable(options: SourceOptions, place: string, error: unknown): Drop {
  if (!(error instanceof MeditronError)) throw error;
  return {
    id: place,
    source: options.name,
    rule: `read.${error.code.toLowerCase().replaceAll("_", "-")}`,
    reason: error.message,
    where: error.where ?? place,
  };
}

/** A drop for a record without text. */
export function withoutText(options: SourceOptions, id: string, where: string, title = ""): Drop {
  return {
    id,
    source: options.name,
    rule: "read.no-text",
    reason: "the record has no text",
    where,
    ...(title && { title }),
  };
}

const MAX_FILE_BYTES = 512 << 20;

/**
 * A whole text file, decompressed, UTF-8 (with or without byte-order mark) or UTF-16 with its mark.
 * @throws {DataError} IO_NOT_UTF8 with the offset, IO_CUT_SHORT, IO_DAMAGED, CORPUS_FILE_TOO_LARGE (a zip bomb, or the wrong type).
 */
export async function readText(path: string, maxBytes = MAX_FILE_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readDecompressed(path)) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new DataError("CORPUS_FILE_TOO_LARGE", {
        message: `more than ${maxBytes} bytes in one file that is one document`,
        where: path,
        remedy: "split the file, or use a source type that streams (jsonl, parquet)",
      });
    chunks.push(chunk);
  }
  return decodeText(Buffer.concat(chunks), path);
}

/** @throws {DataError} IO_NOT_UTF8 */
export function decodeText(bytes: Buffer, path: string): string {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes.length >= 2 && bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const offset = firstBadUtf8(bytes);
    throw new DataError("IO_NOT_UTF8", {
      message: `bytes that are not UTF-8 at offset ${offset}`,
      where: path,
      remedy: "convert the file to UTF-8 (iconv -f latin1 -t utf-8) and run again",
      cause,
      fields: { offset },
    });
  }
}

/** Byte offset at which UTF-8 decoding fails: the longest good prefix, found by bisection. */
function firstBadUtf8(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}

/** A binary file as bytes. */
export async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fromSystemError(error, path, "reading a source");
  }
}

/** Wraps what a reader yields. */
export const document = (value: Document): SourceItem => ({ document: value });
export const drop = (value: Drop): SourceItem => ({ drop: value });

/**
 * Document: the unit of the corpus, from source to token shard. Stages are functions over streams of documents; whatever
 * leaves early is written to the drop log with the rule, the measured value and the threshold.
 */
import { sha256 } from "../core/hash.ts";

export type DocumentKind = "guideline" | "abstract" | "paper" | "replay" | "other";

export interface Document {
  /** Stable across builds: `pmid:123`, `pmc:PMC123`, `guideline:who:<hash>`, `<source>:<hash>`. */
  id: string;
  /** Name of the source as the recipe gives it ("pubmed", "who"). */
  source: string;
  kind: DocumentKind;
  title: string;
  /** What is trained on: the title is included where the format says so (SPEC 1b.3). */
  text: string;
  url?: string;
  /** SPDX id, or "unknown". */
  license: string;
  redistributable: boolean;
  /** ISO 8601 date, as precise as the source states it ("2019", "2019-04", "2019-04-30"). */
  published?: string;
  /** ISO 8601 date on which the source was read or fetched. */
  retrieved?: string;
  /** BCP 47 ("en"). */
  language?: string;
  /** Of `text` in UTF-8, hex. Stages that change the text renew it (`withText`). */
  sha256: string;
  /** Source-specific facts: mesh, publicationTypes, journal, authors, doi, provenance { file, offset } ... JSON values only. */
  meta: Record<string, unknown>;
}

/** Why a document, or a record that never became one, is not in the corpus. */
export interface Drop {
  /** Document id, or `<file>#<offset>` for a record that could not be read. */
  id: string;
  source: string;
  /** Stage and rule: "clean", "filter.length", "deduplicate.exact", "read.malformed" ... */
  rule: string;
  /** The measured value and its threshold, when the rule compares. */
  value?: number | string;
  threshold?: number | string;
  /** For people: one sentence. */
  reason: string;
  where?: string;
  title?: string;
  characters?: number;
}

/** Where a stage reports what it removes. Called once a dropped document; counting and writing happen behind it. */
export type DropSink = (drop: Drop) => void | Promise<void>;

/** What every source yields: a document, or a record that had to be left out. */
export type SourceItem = { document: Document } | { drop: Drop };

export type Stage = (documents: AsyncIterable<Document>, drop: DropSink) => AsyncIterable<Document>;

/** A document with new text and its hash. */
export function withText(document: Document, text: string): Document {
  return { ...document, text, sha256: sha256(text) };
}

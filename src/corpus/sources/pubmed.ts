/**
 * PubMed citations from NLM's XML (baseline and update files, E-utilities results) and MEDLINE's tagged text, plain or compressed.
 *
 * A document is title, newline, abstract (SPEC of MEDITRON: abstracts carry no headings of their own; structured ones keep their
 * labels). Every record of every file becomes a document or a drop: retracted, without abstract, deleted, superseded by a newer
 * version, or unreadable with its place.
 *
 * @see https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/250101/index.html
 */
import { DataError } from "../../core/errors.ts";
import type { Document, Drop, SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { statedLicense } from "./license-statement.ts";
import { medlineRecord, readMedline } from "./medline.ts";
import { abstractText, type PubMedRecord, pubMedRecord, UNREAD_PARTS } from "./pubmed-record.ts";
import { PubMedVersions, type SharedVersions, type VersionScan, VersionScanner } from "./pubmed-versions.ts";
import { document, drop, makeDocument, type SourceOptions } from "./source.ts";
import { parseXml, type XmlElement, XmlError } from "./xml.ts";
import { readXmlRecords, type XmlProblem, type XmlRecord } from "./xml-records.ts";

export interface PubMedOptions extends SourceOptions {
  /** Keep citations without abstract as their title alone. Default: drop them. */
  titlesOnly?: boolean | undefined;
  /** Retracted articles and retraction notices: "drop" (default) or "keep". */
  retracted?: "drop" | "keep" | undefined;
  /**
   * "newest" (default) reads the files twice and keeps one record a PMID, honouring DeleteCitation; "all" reads once and
   * keeps every record, for a baseline alone, in which a PMID occurs once.
   */
  versions?: "newest" | "all" | undefined;
  /** For a part of the files: the index of all of them, and the position of the part's first record. */
  index?: { shared: SharedVersions; start: number } | undefined;
}

const EXTENSIONS = [".xml", ".nbib", ".medline"];
const TAGGED_TEXT = /\.(nbib|medline|txt)(\.gz|\.zst)?$/i;
const RECORD_TAGS = ["PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument"];
const WRAPPER = /<\/?(PubmedArticleSet|PubmedBookArticleSet|ArticleSet|pubmed-document-set)(\s[^>]*)?>/g;

/** Documents and drops of all citations below `options.path`, in order of file name and place. */
export async function* readPubMed(options: PubMedOptions): AsyncGenerator<SourceItem> {
  const files = await sourceFiles(options, EXTENSIONS);
  const { index } = options;
  const versions =
    options.versions === "all" ? undefined : index ? PubMedVersions.of(index.shared) : await indexVersions(options);
  let position = index?.start ?? 0;
  for (const file of files) {
    if (TAGGED_TEXT.test(file.relative)) {
      for await (const item of readTaggedText(options, file, versions, position)) {
        if (item === "record") position++;
        else yield item;
      }
      continue;
    }
    for await (const { record, problem } of readXmlRecords(file.path, RECORDS)) {
      if (problem) yield drop(problemDrop(options, file, problem));
      else if (record && !record.tag.startsWith("Delete"))
        yield readRecord(options, file, record, versions, position++);
    }
  }
}

const RECORDS = { tags: RECORD_TAGS, format: "PubMed", wrapper: WRAPPER };
/** PMID and DateRevised open a record. */
const HEAD_BYTES = 4096;

/** First pass, over the files of one part: no record is parsed, three patterns are looked for in each. */
export async function scanPubMed(options: Pick<PubMedOptions, "path" | "files">): Promise<VersionScan> {
  const scan = new VersionScanner();
  for (const file of await sourceFiles(options, EXTENSIONS)) {
    if (TAGGED_TEXT.test(file.relative)) {
      try {
        for await (const item of readMedline(file.path)) {
          const record = medlineRecord(item);
          scan.record(record && Number(record.pmid), record?.version ?? 1, record?.revised);
        }
      } catch (error) {
        // Told when the file is read for its documents.
        if (!(error instanceof DataError)) throw error;
      }
      continue;
    }
    for await (const { record } of readXmlRecords(file.path, RECORDS)) {
      if (!record) continue;
      if (record.tag.startsWith("Delete")) {
        for (const [, pmid] of record.bytes.toString("latin1").matchAll(/<PMID[^>]*>\s*(\d{1,8})\s*</g))
          scan.deletion(Number(pmid));
        continue;
      }
      const head = record.bytes.toString("latin1", 0, HEAD_BYTES);
      const pmid = /<PMID(?:\s+Version\s*=\s*["'](\d+)["'])?[^>]*>\s*(\d{1,8})\s*</.exec(head);
      const revised = /<DateRevised>\s*<Year>(\d{4})<\/Year>\s*<Month>(\d\d)<\/Month>\s*<Day>(\d\d)</.exec(head);
      const date = revised ? `${revised[1]}-${revised[2]}-${revised[3]}` : undefined;
      scan.record(pmid ? Number(pmid[2]) : undefined, Number(pmid?.[1] ?? 1), date);
    }
  }
  return scan.end();
}

/** The index of all files that `options` names. */
async function indexVersions(options: PubMedOptions): Promise<PubMedVersions> {
  const versions = new PubMedVersions();
  versions.merge(await scanPubMed(options));
  return versions;
}

/** Yields "record" ahead of each record's item, so that positions agree with the first pass. */
async function* readTaggedText(
  options: PubMedOptions,
  file: SourceFile,
  versions: PubMedVersions | undefined,
  start: number,
): AsyncGenerator<SourceItem | "record"> {
  let position = start;
  try {
    for await (const item of readMedline(file.path)) {
      yield "record";
      yield recordItem(options, file, medlineRecord(item), item.offset, versions, position++, 0);
    }
    if (position === start)
      yield drop(
        problemDrop(options, file, {
          rule: "read.no-records",
          reason: "no PMID in the file: nothing of MEDLINE to read",
          offset: 0,
        }),
      );
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const rule =
      error.code === "IO_CUT_SHORT"
        ? "read.cut-short"
        : error.code === "IO_NOT_UTF8"
          ? "read.not-utf8"
          : "read.damaged";
    yield drop(problemDrop(options, file, { rule, reason: error.message, offset: Number(error.fields.offset ?? 0) }));
  }
}

function readRecord(
  options: PubMedOptions,
  file: SourceFile,
  source: XmlRecord,
  versions: PubMedVersions | undefined,
  position: number,
): SourceItem {
  const place = `${file.relative}#${source.offset}`;
  let element: XmlElement;
  try {
    element = parseXml(source.bytes, { skip: UNREAD_PARTS });
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const text = source.bytes.toString();
    const pmid = /<PMID[^>]*>\s*(\d{1,8})\s*</.exec(text)?.[1];
    const who = pmid === undefined ? "" : ` (PMID ${pmid})`;
    return drop({
      id: place,
      source: options.name,
      rule: "read.malformed",
      reason: `malformed XML${who}: ${error.message}`,
      where: `${file.path}#${source.offset + error.at}`,
      characters: text.length,
    });
  }
  return recordItem(options, file, pubMedRecord(element), source.offset, versions, position, source.bytes.length);
}

function recordItem(
  options: PubMedOptions,
  file: SourceFile,
  record: PubMedRecord | undefined,
  offset: number,
  versions: PubMedVersions | undefined,
  position: number,
  length: number,
): SourceItem {
  const where = `${file.path}#${offset}`;
  if (!record) {
    const reason = "the record has no PMID";
    return drop({
      id: `${file.relative}#${offset}`,
      source: options.name,
      rule: "pubmed.no-id",
      reason,
      where,
      characters: length,
    });
  }
  const body = abstractText(record.abstract);
  const refuse = (rule: string, reason: string): SourceItem => {
    const characters = record.title.length + body.length;
    return drop({
      id: `pmid:${record.pmid}`,
      source: options.name,
      rule,
      reason,
      where,
      title: record.title,
      characters,
    } satisfies Drop);
  };
  switch (versions?.verdict(Number(record.pmid), position)) {
    case "deleted":
      return refuse("pubmed.deleted", "NLM deleted the citation (DeleteCitation)");
    case "superseded":
      return refuse("pubmed.superseded", "a newer version of this PMID is in the files");
  }
  if (options.retracted !== "keep") {
    if (record.retracted) return refuse("pubmed.retracted", "the article has been retracted");
    if (record.retractionNotice)
      return refuse("pubmed.retraction-notice", "the notice of a retraction, not an article");
  }
  if (body === "" && record.title === "") return refuse("read.no-text", "the record has neither title nor abstract");
  if (body === "" && !options.titlesOnly) return refuse("pubmed.no-abstract", "the record has no abstract");
  return document(pubMedDocument(options, record, body, file, offset));
}

function pubMedDocument(
  options: PubMedOptions,
  record: PubMedRecord,
  body: string,
  file: SourceFile,
  offset: number,
): Document {
  const license = statedLicense(record.copyright ?? "");
  const { title, published, abstract: _, status, retracted, retractionNotice, ...facts } = record;
  const made = makeDocument(options, "abstract", {
    id: `pmid:${record.pmid}`,
    title,
    text: body === "" ? title : title === "" ? body : `${title}\n${body}`,
    url: `https://pubmed.ncbi.nlm.nih.gov/${record.pmid}/`,
    // NLM's abstracts may be their publishers': what the record does not grant is unknown, whatever the source as a whole states.
    ...(license.id !== "unknown" && { license: license.id }),
    ...(published && { published }),
    // AbstractText and ArticleTitle are English by NLM's rules, whatever the article's language.
    language: "en",
    meta: {
      ...facts,
      ...(status && { status }),
      ...(retracted && { retracted }),
      ...(retractionNotice && { retractionNotice }),
      provenance: { file: file.relative, offset },
    },
  });
  if (license.redistributable && options.redistributable === undefined) made.redistributable = true;
  return made;
}

export function problemDrop(options: SourceOptions, file: SourceFile, problem: XmlProblem): Drop {
  return {
    id: `${file.relative}#${problem.offset}`,
    source: options.name,
    rule: problem.rule,
    reason: problem.reason,
    where: `${file.path}#${problem.offset}`,
    ...(problem.value !== undefined && { value: problem.value }),
    ...(problem.threshold !== undefined && { threshold: problem.threshold }),
  };
}

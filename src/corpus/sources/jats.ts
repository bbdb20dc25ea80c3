/**
 * Full-text articles in JATS (PubMed Central, publishers): `.nxml` and `.xml`, plain or compressed, sets of articles (E-utilities,
 * OAI-PMH) and the `.tar.gz` archives of the PMC Open Access subset.
 *
 * The text is MEDITRON's (formatting/article.ts). Every article's characters are accounted for in `meta.accounting`.
 */
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { readDecompressed } from "../../core/compression.ts";
import { DataError } from "../../core/errors.ts";
import type { SourceItem } from "../document.ts";
import { type FormatOptions, formatAccounted } from "../formatting/article.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { BIBLIOGRAPHY, type JatsArticleOptions, jatsArticle } from "./jats-article.ts";
import { type JatsMetadata, jatsMetadata } from "./jats-metadata.ts";
import { problemDrop } from "./pubmed.ts";
import { document, drop, makeDocument, type SourceOptions, shortHash } from "./source.ts";
import { internalEntities, parseXml, type XmlElement, XmlError } from "./xml.ts";
import { readSoleXmlRecord, readXmlRecords, type XmlRecord, type XmlRecordItem, xmlRecords } from "./xml-records.ts";

export interface JatsOptions extends SourceOptions, FormatOptions, JatsArticleOptions {
  /** Retracted articles and retraction notices: "drop" (default) or "keep". */
  retracted?: "drop" | "keep" | undefined;
}

const EXTENSIONS = [".xml", ".nxml", ".tar", ".tgz"];
/** Envelopes of E-utilities and OAI-PMH. */
const WRAPPER =
  /<(header|responseDate|request|resumptionToken|datestamp|identifier|setSpec)\b[^>]*>[\s\S]*?<\/\1>|<\/?(?:\w+:)?(pmc-articleset|OAI-PMH|ListRecords|GetRecord|record|metadata|about|articles|resumptionToken)\b[^>]*>/g;
const RECORDS = { tags: ["article"], format: "JATS", wrapper: WRAPPER };

/** Documents and drops of all articles below `options.path`, in order of file name and place. */
export async function* readJats(options: JatsOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, EXTENSIONS)) {
    if (/\.(tar|tgz)(\.gz|\.zst)?$/i.test(file.relative)) yield* readArchive(options, file);
    else {
      const item = readSoleArticle(options, file);
      if (item) yield item;
      else yield* readItems(options, file, readXmlRecords(file.path, RECORDS));
    }
  }
}

/** The article of a file that holds one, as most do; undefined where it holds anything else. */
function readSoleArticle(options: JatsOptions, file: SourceFile): SourceItem | undefined {
  const sole = readSoleXmlRecord(file.path, RECORDS);
  if (!sole?.record) return undefined;
  try {
    return articleItem(options, file, sole.record, parseArticle(sole.record, sole.prolog));
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

async function* readItems(
  options: JatsOptions,
  file: SourceFile,
  items: AsyncIterable<XmlRecordItem>,
): AsyncGenerator<SourceItem> {
  for await (const { record, problem, prolog } of items) {
    if (problem) yield drop(problemDrop(options, file, problem));
    else if (record) yield readArticle(options, file, record, prolog);
  }
}

/** The articles of a tar archive, in its order; other files in it (pictures, tables) are passed over. */
async function* readArchive(options: JatsOptions, file: SourceFile): AsyncGenerator<SourceItem> {
  const archive = extract();
  const source = Readable.from(readDecompressed(file.path));
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive);
  let entries = 0;
  try {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header;
      if (type !== "file" || !/\.n?xml$/i.test(name)) {
        entry.resume();
        continue;
      }
      entries++;
      const member = { path: `${file.path}!${name}`, relative: `${file.relative}!${name}` };
      yield* readItems(options, member, xmlRecords(entry as AsyncIterable<Buffer>, size, RECORDS));
      entry.resume();
    }
  } catch (error) {
    const cut = error instanceof DataError ? error : undefined;
    const rule = cut && cut.code !== "IO_CUT_SHORT" ? "read.damaged" : "read.cut-short";
    const reason = cut?.message ?? `the archive ends too early or is damaged (${(error as Error).message})`;
    yield drop(problemDrop(options, file, { rule, reason, offset: Number(cut?.fields.offset ?? 0) }));
    return;
  }
  if (entries === 0)
    yield drop(
      problemDrop(options, file, { rule: "read.no-records", reason: "no XML file in the archive", offset: 0 }),
    );
}

function readArticle(options: JatsOptions, file: SourceFile, record: XmlRecord, prolog: string): SourceItem {
  let element: XmlElement;
  try {
    element = parseArticle(record, prolog);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const reason = `malformed XML: ${error.message}`;
    return drop({
      id: `${file.relative}#${record.offset}`,
      source: options.name,
      rule: "read.malformed",
      reason,
      where: `${file.path}#${record.offset + error.at}`,
      characters: record.bytes.toString().length,
    });
  }
  return articleItem(options, file, record, element);
}

/** @throws {XmlError} */
function parseArticle(record: XmlRecord, prolog: string): XmlElement {
  const entities = prolog.includes("<!ENTITY") ? { entities: internalEntities(prolog) } : {};
  return parseXml(record.bytes, { count: true, whole: true, excerpt: BIBLIOGRAPHY, ...entities });
}

function articleItem(options: JatsOptions, file: SourceFile, record: XmlRecord, element: XmlElement): SourceItem {
  const place = `${file.relative}#${record.offset}`;
  const where = `${file.path}#${record.offset}`;
  const metadata = jatsMetadata(element);
  const { title } = metadata;
  const refuse = (rule: string, reason: string): SourceItem =>
    drop({
      id: articleId(metadata) ?? place,
      source: options.name,
      rule,
      reason,
      where,
      title,
      characters: record.bytes.toString().length,
    });
  if (options.retracted !== "keep") {
    if (metadata.retractionNotice)
      return refuse("jats.retraction-notice", "the notice of a retraction, not an article");
    if (metadata.retracted) return refuse("jats.retracted", "the article has been retracted");
  }
  const { article, ledger, charactersIn, bodyCharacters } = jatsArticle(element, options);
  const formatted = formatAccounted(article, options, ledger, charactersIn);
  const { text } = formatted;
  if (text === "" || (text.length <= title.length + 2 && bodyCharacters === 0))
    return refuse(
      "read.no-text",
      title === "" ? "the article has no text" : "the article has a title and nothing else",
    );
  return document(jatsDocument(options, metadata, formatted, bodyCharacters, file, record.offset));
}

/** `pmc:PMC…` before `pmid:…` before `doi:…`: the id under which the full text is known. */
function articleId(metadata: JatsMetadata): string | undefined {
  if (metadata.pmcid) return `pmc:${metadata.pmcid}`;
  if (metadata.pmid) return `pmid:${metadata.pmid}`;
  return metadata.doi ? `doi:${metadata.doi.toLowerCase()}` : undefined;
}

function jatsDocument(
  options: JatsOptions,
  metadata: JatsMetadata,
  { text, accounting, sha256 }: ReturnType<typeof formatAccounted>,
  bodyCharacters: number,
  file: SourceFile,
  offset: number,
) {
  const { title, license, published, language, retracted, retractionNotice, ...facts } = metadata;
  const url = metadata.pmcid
    ? `https://www.ncbi.nlm.nih.gov/pmc/articles/${metadata.pmcid}/`
    : metadata.doi && `https://doi.org/${metadata.doi}`;
  const made = makeDocument(options, bodyCharacters > 0 ? "paper" : "abstract", {
    id: articleId(metadata) ?? `${options.name}:${shortHash(text)}`,
    title,
    text,
    sha256,
    ...(license.id !== "unknown" && { license: license.id }),
    ...(url && { url }),
    ...(published && { published }),
    language: language ?? "en",
    meta: {
      ...facts,
      ...(retracted && { retracted }),
      ...(retractionNotice && { retractionNotice }),
      accounting,
      provenance: { file: file.relative, offset },
    },
  });
  if (license.id !== "unknown") made.redistributable = options.redistributable ?? license.redistributable;
  return made;
}

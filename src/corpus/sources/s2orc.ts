/**
 * Papers of Semantic Scholar: the `s2orc` dataset of its API (one record a line, parts of any name), the research releases of 2019
 * to 2021, and CORD-19, which has the same shape. The text is MEDITRON's (formatting/article.ts), the same as from JATS.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import type { SourceItem } from "../document.ts";
import { type FormatOptions, formatAccounted } from "../formatting/article.ts";
import { type Accounting, countCharacters } from "../formatting/ledger.ts";
import { listFiles, type SourceFile, within } from "./files.ts";
import { readJsonRecords } from "./json-records.ts";
import { statedLicense } from "./license-statement.ts";
import { type PaperJson, paperArticle } from "./paper-article.ts";
import { PaperIndex, type SharedPapers } from "./s2-papers.ts";
import { type S2OrcContent, s2OrcArticle } from "./s2orc-article.ts";
import { document, drop, makeDocument, type SourceOptions, shortHash } from "./source.ts";

export interface S2OrcOptions extends SourceOptions, FormatOptions {
  /**
   * Folder of the `papers` dataset of the same release: gives titles, ids, dates and citations, and drops what neither PubMed nor
   * PMC knows.
   */
  papers?: string | undefined;
  /** That folder's index, where it is made already. */
  paperIndex?: SharedPapers | undefined;
}

/** Documents and drops of all records below `options.path`, in order of file name and line. */
export async function* readS2Orc(options: S2OrcOptions): AsyncGenerator<SourceItem> {
  const files = (await listFiles(options.path, [])).filter(({ relative }) => isPart(relative));
  if (files.length === 0)
    throw new ConfigError("CORPUS_NO_FILES", {
      message: "no JSON files in the folder",
      where: options.path,
      remedy: "check the path, or the source's type",
    });
  const given = options.paperIndex && new PaperIndex(options.paperIndex);
  const own =
    options.papers !== undefined && !given
      ? await PaperIndex.build(options.papers, join(await mkdtemp(join(tmpdir(), "meditron-papers-")), "facts"))
      : undefined;
  const index = given ?? own;
  try {
    for (const file of within(files, options.files)) {
      for await (const record of readJsonRecords(file, options)) {
        if ("drop" in record) yield drop(record.drop);
        else yield readRecord(options, file, record.value, record.offset, index);
      }
    }
  } finally {
    given?.close();
    await own?.remove();
  }
}

/** CORD-19 and the research releases are told from the API's records by their shape. */
export const readCord19 = readS2Orc;

/** `x.jsonl`, `x.json`, or no extension at all, as Semantic Scholar names its parts. */
function isPart(relative: string): boolean {
  const name = relative.replace(/^.*\//, "").replace(/\.(gz|zst)$/i, "");
  if (/^README$/i.test(name)) return false;
  return /\.(jsonl?|ndjson)$/i.test(name) || !/\.[A-Za-z]\w{0,4}$/.test(name);
}

type Json = Record<string, unknown>;
const objectOf = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const stringOf = (value: unknown): string =>
  typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";

/** The record with what its paper says; what it says itself goes first. */
function joined(value: unknown, index: PaperIndex | undefined): Json & { known?: boolean } {
  const record = objectOf(value);
  const paper = index?.find(Number(record.corpusid));
  if (!paper) return record;
  const stated = Object.fromEntries(Object.entries(record).filter(([, fact]) => fact !== null && fact !== ""));
  return { ...paper, ...stated, externalids: { ...paper.externalids, ...objectOf(record.externalids) }, known: true };
}

function readRecord(
  options: S2OrcOptions,
  file: SourceFile,
  value: unknown,
  offset: number,
  index: PaperIndex | undefined,
): SourceItem {
  const record = joined(value, index);
  const content = objectOf(record.content);
  const where = `${file.path}#${offset}`;
  const facts = recordFacts(record);
  const refuse = (rule: string, reason: string): SourceItem =>
    drop({
      id: facts.id || `${file.relative}#${offset}`,
      source: options.name,
      rule,
      reason,
      where,
      title: facts.title,
    });
  if (index && !record.known && !facts.meta.pmid && !facts.meta.pmcid)
    return refuse("s2orc.not-in-pubmed", "neither PubMed nor PMC knows the paper");
  try {
    const fromApi = typeof content.text === "string" || record.content !== undefined;
    const paper = fromApi ? undefined : paperOf(record);
    if (!fromApi && !paper)
      return refuse("read.no-text", "neither an S2ORC record nor a CORD-19 paper: no content, no body_text");
    let text: string;
    let accounting: Accounting;
    let title = facts.title;
    if (paper && typeof paper.abstract === "string" && !paper.body_text?.length) {
      // An abstract has no headings, as those of PubMed (SPEC 1b.4).
      const body = paper.abstract.replace(/\s+/g, " ").trim();
      if (body === "") return refuse("read.no-text", "the record has no text");
      text = title === "" ? body : `${title}\n${body}`;
      const charactersIn = countCharacters(paper.abstract);
      accounting = { charactersIn, kept: charactersIn, inserted: countCharacters(title), dropped: {} };
    } else if (paper) {
      const tree = paperArticle(paper, title);
      if (tree.charactersIn === 0) return refuse("read.no-text", "the record has no text");
      ({ text, accounting } = formatAccounted(tree.article, options, tree.ledger, tree.charactersIn));
    } else {
      const source = stringOf(content.text) === "" ? "" : (content.text as string);
      if (source === "") return refuse("read.no-text", "the record has no text");
      const tree = s2OrcArticle(
        { text: source, annotations: objectOf(content.annotations) } satisfies S2OrcContent,
        title,
      );
      title = tree.title;
      ({ text, accounting } = formatAccounted(tree.article, options, tree.ledger, countCharacters(source)));
    }
    if (text.trim() === "" || text.trim() === title)
      return refuse("read.no-text", "the record has a title and nothing else");
    const license = statedLicense(facts.license);
    const made = makeDocument(options, paper && !paper.body_text?.length ? "abstract" : "paper", {
      id: facts.id || `${options.name}:${shortHash(text)}`,
      title,
      text,
      ...(license.id !== "unknown" && { license: license.id }),
      ...(facts.url && { url: facts.url }),
      ...(facts.published && { published: facts.published }),
      meta: { ...facts.meta, accounting, provenance: { file: file.relative, offset } },
    });
    if (license.id !== "unknown") made.redistributable = options.redistributable ?? license.redistributable;
    return document(made);
  } catch (error) {
    // The record is JSON, but not of the shape it should have: an annotation that is no list, a paragraph that is a number.
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    return refuse("read.malformed", `a record of the wrong shape: ${error.message.slice(0, 200)}`);
  }
}

/** The parse of a record: at the top (CORD-19), or under `grobid_parse`, `pdf_parse` (releases), `latex_parse`. */
function paperOf(record: Json): PaperJson | undefined {
  for (const name of ["grobid_parse", "pdf_parse", "latex_parse"]) {
    const parse = objectOf(record[name]);
    if (Array.isArray(parse.body_text) && parse.body_text.length > 0)
      return { abstract: record.abstract as never, ...parse };
  }
  const metadata = objectOf(record.metadata);
  if (Array.isArray(record.body_text))
    return { abstract: (metadata.abstract ?? null) as never, ...(record as PaperJson) };
  const abstract = record.abstract ?? metadata.abstract;
  return abstract ? { abstract: abstract as never } : undefined;
}

function recordFacts(record: Json) {
  const metadata = objectOf(record.metadata);
  const pick = (...names: string[]): string => {
    const openAccessIds = objectOf(objectOf(record.openaccessinfo).externalids);
    for (const holder of [record, metadata, objectOf(record.externalids), objectOf(record.externalIds), openAccessIds])
      for (const name of names) {
        const value = stringOf(holder[name]);
        if (value !== "") return value;
      }
    return "";
  };
  const pmcid = pick("pmcid", "pmc_id", "pubmedcentral", "PubMedCentral").replace(/^(PMC)?(?=\d)/i, "PMC");
  const pmid = pick("pubmed_id", "pubmed", "PubMed", "pmid");
  const doi = pick("doi", "DOI");
  const corpusId = pick("corpusid", "corpusId");
  const paperId = pick("paper_id", "cord_uid", "sha");
  const source = objectOf(objectOf(record.content).source);
  const openAccess = { ...objectOf(source.oainfo), ...objectOf(record.openaccessinfo) };
  const published = pick("publicationdate", "publicationDate", "publish_time", "year");
  const url = pmcid
    ? `https://www.ncbi.nlm.nih.gov/pmc/articles/${pmcid}/`
    : doi
      ? `https://doi.org/${doi}`
      : stringOf(openAccess.url);
  const id = pmcid
    ? `pmc:${pmcid}`
    : pmid
      ? `pmid:${pmid}`
      : corpusId
        ? `s2:${corpusId}`
        : doi
          ? `doi:${doi.toLowerCase()}`
          : paperId
            ? `s2:${paperId}`
            : "";
  const journal = pick("journal", "venue");
  const citationCount = Number(pick("citationcount", "citationCount") || Number.NaN);
  return {
    id,
    title: pick("title").replace(/\s+/g, " "),
    license: pick("license") || stringOf(openAccess.license),
    url,
    published: /^\d{4}(-\d{2}(-\d{2})?)?$/.test(published) ? published : "",
    meta: {
      ...(pmcid && { pmcid }),
      ...(pmid && { pmid }),
      ...(doi && { doi }),
      ...(corpusId && { corpusId }),
      ...(paperId && { paperId }),
      ...(journal && { journal }),
      ...(Number.isFinite(citationCount) && { citationCount }),
    },
  };
}

/**
 * Quality upsampling, an ablation of MEDITRON (its Table 10; SPEC 1b.6): papers and abstracts are copied by a score of their
 * publication types, journal, age and citations, or left out. Not part of the final mixture; a recipe asks for it.
 *
 *   copies = 1 + upfold · score, rounded up with a probability of its fractional part
 *
 * The draw depends on seed and id only. A missing date or citation count adds nothing (the authors' code dropped such records).
 */
import { readFile } from "node:fs/promises";
import { fromSystemError } from "../core/errors.ts";
import { hashFraction } from "../core/hash.ts";
import type { Document, Drop } from "./document.ts";
import { readPubMed } from "./sources/pubmed.ts";

export interface UpsampleOptions {
  upfold: number;
  seed: number;
  referenceDate: string;
  /** File of journal names, one a line. */
  journals?: string | undefined;
  /** Folder of PubMed XML that states types and MeSH of documents which have a PMID and state none. */
  citations?: string | undefined;
}

/** Points by publication type. */
export const TYPE_SCORES: Readonly<Record<string, number>> = {
  guideline: 1,
  "practice guideline": 1,
  "patient education handout": 1,
  "meta-analysis": 1,
  "systematic review": 0.8,
  "clinical trial, phase iv": 0.8,
  "clinical trial, phase iii": 0.6,
  "randomized controlled trial": 0.5,
  review: 0.5,
  "observational study": 0.5,
  "comparative study": 0.5,
  "clinical trial, phase ii": 0.4,
  "clinical study": 0.4,
  "clinical trial, phase i": 0.2,
  editorial: 0.1,
  letter: 0.1,
  comment: 0.1,
  "case reports": 0,
};
const FILTERED_TYPES = new Set([
  "observational study, veterinary",
  "retracted publication",
  "retraction of publication",
  "preprint",
]);

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;

export interface QualityFacts {
  publicationTypes: readonly string[];
  mesh: readonly string[];
  journal?: string | undefined;
  /** ISO date. */
  published?: string | undefined;
  citations?: number | undefined;
}

export interface CitationQuartiles {
  /** Citations a year at 25% and at 75% of the corpus. */
  low: number;
  high: number;
}

/** The score of a paper by Table 10, or the rule by which it is filtered out. */
export function qualityScore(
  facts: QualityFacts,
  journals: ReadonlySet<string>,
  quartiles: CitationQuartiles | undefined,
  referenceDate: string,
): { score: number } | { filtered: string } {
  const types = facts.publicationTypes.map((type) => type.toLowerCase());
  const filtered = types.find((type) => FILTERED_TYPES.has(type));
  if (filtered) return { filtered };
  if (facts.mesh.some((term) => term.toLowerCase() === "animals")) return { filtered: "MeSH Animals" };
  let score = types.reduce((sum, type) => sum + (TYPE_SCORES[type] ?? 0), 0);
  if (facts.journal !== undefined && journals.has(journalKey(facts.journal))) score += 1;
  if (score === 0) return { score };
  const days = ageDays(facts.published, referenceDate);
  if (days !== undefined) {
    const years = days / YEAR_DAYS;
    score += years < 5.5 ? 1 : years <= 10 ? 0.2 : 0;
    const perYear = citationsPerYear(facts.citations, days);
    if (perYear !== undefined && quartiles) score += perYear >= quartiles.high ? 1 : perYear >= quartiles.low ? 0.5 : 0;
  }
  return { score };
}

/** Names of journals compare in lower case without `: , . -`, with "&" as "and" on both sides. */
export function journalKey(name: string): string {
  return name
    .toLowerCase()
    .replaceAll("&", "and")
    .replace(/[:,.-]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

function ageDays(published: string | undefined, referenceDate: string): number | undefined {
  if (!published || !/^\d{4}/.test(published)) return undefined;
  const time = Date.parse(published.length === 4 ? `${published}-01-01` : published);
  return Number.isNaN(time) ? undefined : Math.max(0, Math.floor((Date.parse(referenceDate) - time) / DAY_MS));
}

function citationsPerYear(citations: number | undefined, days: number): number | undefined {
  return citations === undefined ? undefined : citations / (Math.floor(days / YEAR_DAYS) + 1);
}

/** Decides how many copies of each document go into training. */
export class Upsampler {
  #options: UpsampleOptions;
  #journals: ReadonlySet<string>;
  #quartiles: CitationQuartiles | undefined;
  #stated: ReadonlyMap<number, StatedTypes>;

  private constructor(
    options: UpsampleOptions,
    journals: ReadonlySet<string>,
    quartiles: CitationQuartiles | undefined,
    stated: ReadonlyMap<number, StatedTypes>,
  ) {
    this.#options = options;
    this.#journals = journals;
    this.#quartiles = quartiles;
    this.#stated = stated;
  }

  /** @param documents - All documents of the corpus, for the quartiles of citations a year. */
  static async create(options: UpsampleOptions, documents: () => AsyncIterable<Document>): Promise<Upsampler> {
    const journals = new Set<string>();
    if (options.journals !== undefined) {
      const text = await readFile(options.journals, "utf8").catch((error: unknown) => {
        throw fromSystemError(error, options.journals!, "reading the list of journals");
      });
      for (const line of text.split("\n")) if (line.trim() !== "") journals.add(journalKey(line));
    }
    const rates: number[] = [];
    const unstated = new Set<number>();
    for await (const document of documents()) {
      const { published, citations } = qualityFacts(document);
      const pmid = Number(document.meta.pmid);
      if (options.citations !== undefined && pmid > 0 && !states(document)) unstated.add(pmid);
      const days = ageDays(published, options.referenceDate);
      const rate = days === undefined ? undefined : citationsPerYear(citations, days);
      if (rate !== undefined && applies(document)) rates.push(rate);
    }
    const sorted = Float64Array.from(rates).sort();
    const quartiles = sorted.length === 0 ? undefined : { low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
    const stated = options.citations === undefined ? new Map() : await statedTypes(options.citations, unstated);
    return new Upsampler(options, journals, quartiles, stated);
  }

  /** Number of copies (1 for kinds the scheme does not know), or the drop of a document it filters out. */
  copies(document: Document): number | Drop {
    if (!applies(document)) return 1;
    const { seed, upfold, referenceDate } = this.#options;
    const own = qualityFacts(document);
    const facts = states(document) ? own : { ...own, ...this.#stated.get(Number(document.meta.pmid)) };
    const result = qualityScore(facts, this.#journals, this.#quartiles, referenceDate);
    if ("filtered" in result)
      return {
        id: document.id,
        source: document.source,
        rule: "upsample.filtered",
        value: result.filtered,
        reason: `left out by the quality scheme: ${result.filtered}`,
        title: document.title,
        characters: document.text.length,
      };
    const wanted = 1 + upfold * result.score;
    const whole = Math.floor(wanted + 1e-9);
    return whole + (hashFraction(`upsample:${seed}:${document.id}`) < wanted - whole ? 1 : 0);
  }
}

interface StatedTypes {
  publicationTypes: readonly string[];
  mesh: readonly string[];
}

const states = ({ meta }: Document) => Array.isArray(meta.publicationTypes) || Array.isArray(meta.mesh);

/** What PubMed says of these PMIDs. Equal lists are kept once, and of MeSH only the heading that decides. */
async function statedTypes(folder: string, pmids: ReadonlySet<number>): Promise<Map<number, StatedTypes>> {
  const stated = new Map<number, StatedTypes>();
  const shared = new Map<string, StatedTypes>();
  for await (const item of readPubMed({ name: "citations", path: folder, titlesOnly: true, retracted: "keep" })) {
    if (!("document" in item)) continue;
    const pmid = Number(item.document.meta.pmid);
    if (!pmids.has(pmid)) continue;
    const { publicationTypes, mesh } = qualityFacts(item.document);
    const facts = { publicationTypes, mesh: mesh.filter((term) => term.toLowerCase() === "animals") };
    const key = JSON.stringify(facts);
    const known = shared.get(key) ?? facts;
    shared.set(key, known);
    stated.set(pmid, known);
  }
  return stated;
}

const applies = (document: Document) => document.kind === "paper" || document.kind === "abstract";

function qualityFacts(document: Document): QualityFacts {
  const { meta } = document;
  const strings = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.map((entry) =>
          typeof entry === "string" ? entry : String((entry as { descriptor?: unknown })?.descriptor ?? ""),
        )
      : [];
  return {
    publicationTypes: strings(meta.publicationTypes),
    mesh: strings(meta.mesh),
    journal: typeof meta.journal === "string" ? meta.journal : undefined,
    published: document.published,
    citations: typeof meta.citationCount === "number" ? meta.citationCount : undefined,
  };
}

/** Linear interpolation between order statistics, as numpy's default. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

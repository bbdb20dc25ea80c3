/** One PubMed citation as facts: what `PubmedArticle` and `PubmedBookArticle` say, by NLM's DTD of 2025 and its ancestors. */
import { markupText } from "./markup.ts";
import { attribute, child, childrenNamed, textOf, type XmlElement } from "./xml.ts";

/** Parts of a record that no fact is taken from; left unread they halve the time of a record. */
export const UNREAD_PARTS: ReadonlySet<string> = new Set([
  "ReferenceList",
  "AffiliationInfo",
  "History",
  "GrantList",
  "ChemicalList",
  "InvestigatorList",
]);

export interface AbstractSection {
  label: string;
  text: string;
}

export interface PubMedRecord {
  pmid: string;
  version: number;
  title: string;
  /** Title in the article's own language, when `title` is NLM's translation of it. */
  vernacularTitle?: string;
  abstract: AbstractSection[];
  otherAbstracts: { type: string; language: string; text: string }[];
  copyright?: string;
  journal: string;
  languages: string[];
  publicationTypes: string[];
  /** `Descriptor`, `Descriptor/qualifier`; major topics carry a star where MEDLINE puts it. */
  mesh: string[];
  keywords: string[];
  authors: number;
  doi?: string;
  pmc?: string;
  /** ISO date of the issue, as precise as it is stated. */
  published?: string;
  revised?: string;
  status: string;
  /** RefType of the comments and corrections that speak about this article's standing. */
  corrections: string[];
  retracted: boolean;
  retractionNotice: boolean;
}

/** @returns undefined when the record has no PMID to be known by. */
export function pubMedRecord(element: XmlElement): PubMedRecord | undefined {
  const book = element.name === "PubmedBookArticle";
  const citation = child(element, book ? "BookDocument" : "MedlineCitation");
  const pmidElement = child(citation, "PMID");
  const pmid = textOf(pmidElement).trim();
  if (!citation || !pmidElement || !/^\d{1,8}$/.test(pmid)) return undefined;
  const article = book ? citation : child(citation, "Article");
  const bookElement = book ? child(citation, "Book") : undefined;
  const abstractElement = child(article, "Abstract");
  const publicationTypes = (
    book
      ? childrenNamed(citation, "PublicationType")
      : childrenNamed(child(article, "PublicationTypeList"), "PublicationType")
  ).map((type) => textOf(type).trim());
  const corrections = childrenNamed(child(citation, "CommentsCorrectionsList"), "CommentsCorrections").map(
    (correction) => attribute(correction, "RefType") ?? "",
  );
  const ids = articleIds(element, article, book ? "PubmedBookData" : "PubmedData");
  const title = markupText(child(article, "ArticleTitle")) || markupText(child(bookElement, "BookTitle"));
  const vernacularTitle = markupText(child(article, "VernacularTitle"));
  const copyright = markupText(child(abstractElement, "CopyrightInformation"));
  const published = publicationDate(article, bookElement);
  const revised = numericDate(child(citation, "DateRevised"));
  return {
    pmid,
    version: Number(attribute(pmidElement, "Version") ?? 1) || 1,
    title: withoutTranslationBrackets(title),
    ...(vernacularTitle && { vernacularTitle }),
    abstract: abstractSections(abstractElement),
    otherAbstracts: childrenNamed(citation, "OtherAbstract").map((other) => ({
      type: attribute(other, "Type") ?? "",
      language: attribute(other, "Language") ?? "",
      text: abstractText(abstractSections(other)),
    })),
    ...(copyright && { copyright }),
    journal: textOf(child(child(article, "Journal"), "Title")).trim() || markupText(child(bookElement, "BookTitle")),
    languages: childrenNamed(article, "Language").map((language) => textOf(language).trim()),
    publicationTypes,
    mesh: meshTerms(child(citation, "MeshHeadingList")),
    keywords: childrenNamed(citation, "KeywordList").flatMap((list) => childrenNamed(list, "Keyword").map(markupText)),
    authors: childrenNamed(article, "AuthorList")
      .filter((list) => attribute(list, "Type") !== "editors")
      .reduce((count, list) => count + childrenNamed(list, "Author").length, 0),
    ...(ids.doi && { doi: ids.doi }),
    ...(ids.pmc && { pmc: ids.pmc }),
    ...(published && { published }),
    ...(revised && { revised }),
    status: attribute(citation, "Status") ?? "",
    corrections,
    retracted:
      publicationTypes.includes("Retracted Publication") ||
      corrections.some((type) => /^Retract(ion|ed)In$/.test(type)),
    retractionNotice: publicationTypes.includes("Retraction of Publication") || corrections.includes("RetractionOf"),
  };
}

/** Sections on lines of their own, each behind its label as the journal printed it. */
export function abstractText(sections: readonly AbstractSection[]): string {
  return sections.map(({ label, text }) => (label === "" ? text : `${label}: ${text}`)).join("\n");
}

/** Labels by which NLM says that there is none. */
const NO_LABEL = /^(UNLABELLED|UNLABELED|UNASSIGNED)$/i;

function abstractSections(element: XmlElement | undefined): AbstractSection[] {
  return childrenNamed(element, "AbstractText")
    .map((section) => {
      const label = attribute(section, "Label")?.trim().replace(/\s*:$/, "") ?? "";
      return { label: NO_LABEL.test(label) ? "" : label, text: markupText(section) };
    })
    .filter(({ text }) => text !== "");
}

/** NLM prints translated titles in brackets: "[Title of the article.]" or "[Title]." */
export function withoutTranslationBrackets(title: string): string {
  const inner = /^\[([\s\S]*)\]\.?$/.exec(title)?.[1];
  if (inner === undefined) return title;
  let depth = 0;
  for (const sign of inner) {
    if (sign === "[") depth++;
    else if (sign === "]" && --depth < 0) return title; // "[13C] and [15N]": two brackets, not one around all
  }
  return /[.?!]$/.test(inner) ? inner : `${inner}.`;
}

function meshTerms(list: XmlElement | undefined): string[] {
  const terms: string[] = [];
  for (const heading of childrenNamed(list, "MeshHeading")) {
    const star = (element: XmlElement) => (attribute(element, "MajorTopicYN") === "Y" ? "*" : "");
    const descriptor = child(heading, "DescriptorName");
    if (!descriptor) continue;
    const qualifiers = childrenNamed(heading, "QualifierName").map(
      (element) => `/${star(element)}${textOf(element).trim()}`,
    );
    terms.push(`${star(descriptor)}${textOf(descriptor).trim()}${qualifiers.join("")}`);
  }
  return terms;
}

function articleIds(
  record: XmlElement,
  article: XmlElement | undefined,
  dataName: string,
): { doi?: string; pmc?: string } {
  const ids: { doi?: string; pmc?: string } = {};
  const lists = [child(child(record, dataName), "ArticleIdList"), child(article, "ArticleIdList")];
  for (const id of lists.flatMap((list) => childrenNamed(list, "ArticleId"))) {
    const value = textOf(id).trim();
    if (value === "") continue;
    const type = attribute(id, "IdType");
    if (type === "doi") ids.doi ??= value;
    else if (type === "pmc") ids.pmc ??= value.startsWith("PMC") ? value : `PMC${value}`;
  }
  for (const place of childrenNamed(article, "ELocationID"))
    if (attribute(place, "EIdType") === "doi" && attribute(place, "ValidYN") !== "N") ids.doi ??= textOf(place).trim();
  return ids;
}

// ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function publicationDate(article: XmlElement | undefined, book: XmlElement | undefined): string | undefined {
  const issue = child(child(child(article, "Journal"), "JournalIssue"), "PubDate") ?? child(book, "PubDate");
  return (
    (issue && statedDate(issue)) ?? numericDate(child(article, "ArticleDate") ?? child(article, "ContributionDate"))
  );
}

/** `PubDate`: Year with Month and Day or Season, or MEDLINE's free form ("1998 Dec-1999 Jan": its beginning counts). */
function statedDate(date: XmlElement): string | undefined {
  const free = textOf(child(date, "MedlineDate")).trim();
  return free !== "" ? medlineDate(free) : numericDate(date);
}

/** ISO date from MEDLINE's "2018 Nov 25", "1998 Dec-1999 Jan", "2000 Spring", "1975-1976". */
export function medlineDate(text: string): string | undefined {
  const match = /\b(1[5-9]\d\d|20\d\d)\b(?:\s+([A-Za-z]{3})[A-Za-z]*\.?(?:\s+(\d{1,2})\b)?)?/.exec(text);
  return match ? isoDate(match[1]!, match[2] ?? "", match[3] ?? "") : undefined;
}

function numericDate(date: XmlElement | undefined): string | undefined {
  const part = (name: string) => textOf(child(date, name)).trim();
  return isoDate(part("Year"), part("Month"), part("Day"));
}

/** As precise as the parts allow; a day without a month, or a month that is none, is left out. */
export function isoDate(year: string, month: string, day: string): string | undefined {
  if (!/^\d{4}$/.test(year)) return undefined;
  const monthNumber = /^\d{1,2}$/.test(month) ? Number(month) : MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1;
  if (monthNumber < 1 || monthNumber > 12) return year;
  const yearMonth = `${year}-${String(monthNumber).padStart(2, "0")}`;
  const dayNumber = /^\d{1,2}$/.test(day) ? Number(day) : 0;
  return dayNumber >= 1 && dayNumber <= 31 ? `${yearMonth}-${String(dayNumber).padStart(2, "0")}` : yearMonth;
}

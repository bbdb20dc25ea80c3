/** What a JATS file says about its article: ids, journal, dates, license, standing. */
import { collapseSpace } from "../formatting/space.ts";
import { type StatedLicense, statedLicense } from "./license-statement.ts";
import { markupText } from "./markup.ts";
import { isoDate } from "./pubmed-record.ts";
import { attribute, child, childrenNamed, descendants, textOf, type XmlElement } from "./xml.ts";

export interface JatsMetadata {
  articleType: string;
  pmid?: string;
  /** With prefix: "PMC1065070". */
  pmcid?: string;
  doi?: string;
  publisherId?: string;
  title: string;
  journal: string;
  publisher?: string;
  /** Earliest of the publication dates. */
  published?: string;
  subjects: string[];
  keywords: string[];
  authors: number;
  language?: string;
  license: StatedLicense;
  /** The statement, as far as it names no license that we know. */
  licenseText?: string;
  copyright?: string;
  retracted: boolean;
  retractionNotice: boolean;
}

const LICENSE_TEXT_CHARACTERS = 300;

export function jatsMetadata(article: XmlElement): JatsMetadata {
  const front = child(article, "front") ?? child(article, "front-stub");
  const meta = child(front, "article-meta") ?? front;
  const journal = child(front, "journal-meta");
  const ids: Record<string, string> = {};
  for (const id of childrenNamed(meta, "article-id")) {
    const type = attribute(id, "pub-id-type") ?? "";
    const value = textOf(id).trim();
    if (value !== "" && ids[type] === undefined) ids[type] = value;
  }
  const pmc = ids.pmcid ?? ids.pmc ?? ids["pmc-uid"];
  const articleType = attribute(article, "article-type") ?? "";
  const title = markupText(child(child(meta, "title-group"), "article-title"));
  const related = childrenNamed(meta, "related-article").map(
    (element) => attribute(element, "related-article-type") ?? "",
  );
  const statement = licenseStatement(meta);
  const license = statedLicense(statement);
  const permissions = child(meta, "permissions");
  const copyright = collapseSpace(textOf(child(permissions ?? meta, "copyright-statement"))).trim();
  const licenseText = collapseSpace(
    descendants(permissions ?? meta ?? article, "license")
      .map(textOf)
      .join(" "),
  ).trim();
  const published = earliestDate(meta);
  const publisher = collapseSpace(textOf(child(child(journal, "publisher"), "publisher-name"))).trim();
  const language = attribute(article, "lang");
  return {
    articleType,
    ...(ids.pmid && /^\d+$/.test(ids.pmid) && { pmid: ids.pmid }),
    ...(pmc && { pmcid: `PMC${pmc.replace(/^PMC/i, "").replace(/\.\d+$/, "")}` }),
    ...(ids.doi && { doi: ids.doi }),
    ...(ids["publisher-id"] && { publisherId: ids["publisher-id"] }),
    title,
    journal: journalTitle(journal),
    ...(publisher && { publisher }),
    ...(published && { published }),
    subjects: [
      ...new Set(
        descendants(child(meta, "article-categories") ?? EMPTY, "subject").map((subject) => markupText(subject)),
      ),
    ],
    keywords: childrenNamed(meta, "kwd-group").flatMap((group) =>
      descendants(group, "kwd").map((keyword) => markupText(keyword)),
    ),
    authors: childrenNamed(meta, "contrib-group").reduce(
      (count, group) =>
        count +
        childrenNamed(group, "contrib").filter((person) => (attribute(person, "contrib-type") ?? "author") === "author")
          .length,
      0,
    ),
    ...(language && { language: language.toLowerCase() }),
    license,
    ...(license.id === "unknown" && licenseText && { licenseText: licenseText.slice(0, LICENSE_TEXT_CHARACTERS) }),
    ...(copyright && { copyright }),
    retracted:
      related.some((type) => /^(retraction-forward|retracted-by)$/.test(type)) ||
      articleType === "retracted-article" ||
      (/^\W*retracted\b(?! (?:stent|eye))/i.test(title) && /^\W*retracted\s*(?:article)?\W*[:\]]/i.test(title)),
    retractionNotice: articleType === "retraction" || related.includes("retracted-article"),
  };
}

const EMPTY = { name: "", attributes: "", children: [] } as unknown as XmlElement;

function journalTitle(journal: XmlElement | undefined): string {
  const title = child(child(journal, "journal-title-group"), "journal-title") ?? child(journal, "journal-title");
  if (title) return collapseSpace(textOf(title)).trim();
  return textOf(
    childrenNamed(journal, "journal-id").find((id) => attribute(id, "journal-id-type") === "nlm-ta"),
  ).trim();
}

/** Everything the permissions say, attributes (xlink:href, rdf:about) included. */
function licenseStatement(meta: XmlElement | undefined): string {
  const places = [
    ...childrenNamed(meta, "permissions"),
    ...childrenNamed(meta, "license"),
    ...childrenNamed(meta, "copyright-statement"),
  ];
  const parts: string[] = [];
  const visit = (element: XmlElement) => {
    if (element.attributes !== "") parts.push(element.attributes);
    for (const node of element.children) {
      if (typeof node === "string") parts.push(node);
      else visit(node);
    }
  };
  for (const place of places) visit(place);
  return collapseSpace(parts.join(" ")).trim();
}

function earliestDate(meta: XmlElement | undefined): string | undefined {
  let earliest: string | undefined;
  for (const date of childrenNamed(meta, "pub-date")) {
    // PMC's own release dates say nothing about publication.
    if (/^pmc-release|^nihms/.test(attribute(date, "pub-type") ?? "")) continue;
    const part = (name: string) => textOf(child(date, name)).trim();
    const iso = isoDate(part("year"), part("month"), part("day"));
    // The more precise of two that begin alike.
    if (iso && (earliest === undefined || iso.startsWith(earliest) || (iso < earliest && !earliest.startsWith(iso))))
      earliest = iso;
  }
  return earliest;
}

/**
 * MEDLINE's tagged text (`.nbib`, PubMed's "send to file"): the same citations as the XML, without markup and section breaks.
 *
 * @see https://pubmed.ncbi.nlm.nih.gov/help/#pubmed-format
 */
import { readLines } from "../../core/json-lines.ts";
import { collapseSpace } from "../formatting/space.ts";
import { medlineDate, type PubMedRecord, withoutTranslationBrackets } from "./pubmed-record.ts";

export interface MedlineItem {
  /** Fields by tag, in order: a tag may occur many times. */
  fields: Map<string, string[]>;
  offset: number;
}

/**
 * Records of one file: a blank line, or the next PMID, ends a record. One with a line that is no UTF-8 comes without fields.
 * @throws {DataError} where the file ends early.
 */
export async function* readMedline(path: string): AsyncGenerator<MedlineItem> {
  let item: MedlineItem | undefined;
  let values: string[] | undefined;
  let damaged = false;
  const lines = readLines(path, undefined, (_, { offset }) => {
    item = { fields: new Map(), offset: item?.offset ?? offset };
    values = undefined;
    damaged = true;
  });
  for await (const { text, offset } of lines) {
    if (damaged && text.trim() !== "" && !text.startsWith("PMID-")) continue;
    damaged = false;
    const tag = /^([A-Z][A-Z0-9 ]{3})- ?(.*)$/.exec(text);
    if (tag) {
      const name = tag[1]!.trim();
      if (item && name === "PMID") {
        yield item;
        item = undefined;
      }
      item ??= { fields: new Map(), offset };
      values = item.fields.get(name) ?? [];
      values.push(tag[2]!);
      item.fields.set(name, values);
    } else if (text.trim() === "") {
      if (item) yield item;
      item = undefined;
      values = undefined;
    } else if (values) values[values.length - 1] = `${values[values.length - 1]!.trimEnd()} ${text.trim()}`;
    else item ??= { fields: new Map(), offset };
  }
  if (item) yield item;
}

/** @returns undefined when the record has no PMID. */
export function medlineRecord({ fields }: MedlineItem): PubMedRecord | undefined {
  const all = (tag: string): string[] => (fields.get(tag) ?? []).map((value) => collapseSpace(value).trim());
  const one = (tag: string): string => all(tag)[0] ?? "";
  const pmid = one("PMID");
  if (!/^\d{1,8}$/.test(pmid)) return undefined;
  const publicationTypes = all("PT");
  const published = medlineDate(one("DP"));
  const revised = /^(\d{4})(\d\d)(\d\d)/.exec(one("LR"));
  const doi = [...all("LID"), ...all("AID")].find((id) => id.endsWith("[doi]"))?.replace(/\s*\[doi\]$/, "");
  // The label by which NLM says that a section has none.
  const abstract = one("AB").replace(/\bUNLABELLED: /g, "");
  const vernacularTitle = one("TT");
  const copyright = one("CI");
  const pmc = one("PMC");
  return {
    pmid,
    version: 1,
    title: withoutTranslationBrackets(one("TI") || one("BTI")),
    ...(vernacularTitle && { vernacularTitle }),
    abstract: abstract === "" ? [] : [{ label: "", text: abstract }],
    otherAbstracts: all("OAB").map((text) => ({ type: "", language: "", text })),
    ...(copyright && { copyright }),
    journal: one("JT") || one("TA"),
    languages: all("LA"),
    publicationTypes,
    mesh: all("MH"),
    keywords: all("OT").map((keyword) => keyword.replace(/^\*/, "")),
    authors: Math.max(all("AU").length, all("FAU").length) + all("CN").length,
    ...(doi && { doi }),
    ...(pmc && { pmc: pmc.startsWith("PMC") ? pmc : `PMC${pmc}` }),
    ...(published && { published }),
    ...(revised && { revised: `${revised[1]}-${revised[2]}-${revised[3]}` }),
    status: one("STAT"),
    corrections: [],
    retracted: publicationTypes.includes("Retracted Publication") || fields.has("RIN"),
    retractionNotice: publicationTypes.includes("Retraction of Publication") || fields.has("ROF"),
  };
}

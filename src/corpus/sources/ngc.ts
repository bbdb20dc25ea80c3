/**
 * Summaries of the National Guideline Clearinghouse (guideline.gov, 1998-2018, AHRQ): XML of sections and fields whose values are
 * HTML in attributes. What helps a clinician is kept, section by section; what is about the record itself (availability, funding,
 * committees, disclaimers) is left out and named in `meta.omitted`. Stubs of withdrawn summaries have no recommendations: dropped.
 */
import type { SourceItem } from "../document.ts";
import { htmlToText } from "../html.ts";
import { document, drop, makeDocument, type SourceOptions } from "./source.ts";
import { attribute, childrenNamed, type XmlElement } from "./xml.ts";
import { readXmlFiles } from "./xml-file.ts";

const OMITTED_SECTIONS = new Set([
  "Identifying Information and Availability",
  "Institute of Medicine (IOM) National Healthcare Quality Report Categories",
  "NEATS Assessment",
  "Disclaimer",
]);
const OMITTED_FIELDS = new Set(["Guideline Title", "Bibliographic Source(s)", "Guideline Status"]);
/** Answers that say nothing. */
const EMPTY = /^(none( available| provided| stated)?|not (stated|applicable|specified|provided)|n\/a)[.:]?$/i;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

export function readNgc(options: SourceOptions): AsyncGenerator<SourceItem> {
  return readXmlFiles(options, [".xml"], (root, file, id) => {
    const sections = childrenNamed(root, "Section");
    const field = (name: string): string | undefined => {
      for (const section of sections)
        for (const candidate of childrenNamed(section, "Field"))
          if (attribute(candidate, "Name") === name) return fieldText(candidate) || undefined;
      return undefined;
    };
    const title = (field("Guideline Title") ?? citedTitle(field("Bibliographic Source(s)")) ?? "").replace(/\s+/g, " ");
    if (field("Major Recommendations") === undefined)
      return drop({
        id,
        source: options.name,
        rule: "read.no-recommendations",
        reason: "the summary was withdrawn: it has no recommendations",
        where: file.path,
        ...(title && { title }),
      });
    const parts = [title];
    const omitted: string[] = [];
    for (const section of sections) {
      const name = attribute(section, "Name") ?? "";
      const fields: string[] = [];
      for (const candidate of childrenNamed(section, "Field")) {
        const fieldName = attribute(candidate, "Name") ?? "";
        const text = fieldText(candidate);
        if (text === "" || EMPTY.test(text) || fieldName === "Guideline Title") continue;
        if (OMITTED_SECTIONS.has(name) || OMITTED_FIELDS.has(fieldName)) omitted.push(fieldName);
        else fields.push(fieldName === name ? text : `## ${fieldName}\n\n${text}`);
      }
      if (fields.length > 0) parts.push(`# ${name}`, ...fields);
    }
    const copyright = field("Copyright Statement") ?? "";
    const free = /no copyright restrictions apply|public domain/i.test(copyright);
    const published = isoDate(field("Date Released"));
    return document(
      makeDocument(options, "guideline", {
        id,
        title,
        text: parts.filter((part) => part !== "").join("\n\n"),
        license: free ? "public domain" : undefined,
        published,
        language: "en",
        meta: {
          provenance: { file: file.relative },
          developer: field("Guideline Developer(s)") ?? "",
          copyright,
          omitted: [...new Set(omitted)],
        },
      }),
    );
  });
}

/** All values of a field: HTML as text, lists of choices joined. */
function fieldText(field: XmlElement): string {
  const values = childrenNamed(field, "FieldValue").map((value) =>
    htmlToText(attribute(value, "Value") ?? "", { boldHeadings: 3 }),
  );
  const filled = values.filter((value) => value !== "");
  return filled.every((value) => !value.includes("\n") && value.length < 120) ? filled.join("; ") : filled.join("\n\n");
}

/** The title within "Smith J, Jones K. Title of the guideline. 3rd ed. Place: Publisher; 2013.", or undefined. */
function citedTitle(citation: string | undefined): string | undefined {
  return citation
    ?.replace(/\[trunc\]/g, "")
    .split(/\.\s+/)
    .map((part) => part.trim())
    .find((part, i) => i > 0 && part.split(" ").length > 3);
}

/** "2013 Dec 20" or "2010 Oct 1 (revised 2013)" → ISO, as precise as stated. */
function isoDate(text: string | undefined): string | undefined {
  const [, year, monthName, day] = /(\d{4})(?:\s+([A-Za-z]{3})[a-z]*(?:\s+(\d{1,2}))?)?/.exec(text ?? "") ?? [];
  if (!year) return undefined;
  const month = MONTHS.indexOf(monthName?.toLowerCase() ?? "") + 1;
  if (month === 0) return year;
  return [year, String(month).padStart(2, "0"), ...(day ? [day.padStart(2, "0")] : [])].join("-");
}

/**
 * S2ORC full texts as the Semantic Scholar datasets ship them: one text per paper, and spans over it as JSON inside JSON.
 * Offsets count characters; our text stays in the basic plane, so code points and UTF-16 units agree.
 */
import { appearsIn, type Paper, type Section } from "../papers.ts";
import { NOTICE } from "./xml.ts";

const KINDS = [
  "abstract",
  "author",
  "authoraffiliation",
  "authorfirstname",
  "authorlastname",
  "bibauthor",
  "bibauthorfirstname",
  "bibauthorlastname",
  "bibentry",
  "bibref",
  "bibtitle",
  "bibvenue",
  "figure",
  "figurecaption",
  "figureref",
  "formula",
  "paragraph",
  "publisher",
  "sectionheader",
  "table",
  "tableref",
  "title",
  "venue",
] as const;
type Kind = (typeof KINDS)[number];

interface Span {
  start: number;
  end: number;
  attributes?: Record<string, string>;
}

/** A text under construction, with the spans laid over it. */
class AnnotatedText {
  text = "";
  readonly spans = new Map<Kind, Span[]>();

  /** Writes what `body` writes and lays a span of `kind` over it. */
  mark(kind: Kind, body: string | (() => void), attributes?: Record<string, string>): void {
    const start = this.text.length;
    if (typeof body === "string") this.text += body;
    else body();
    const span: Span = { start, end: this.text.length, ...(attributes === undefined ? {} : { attributes }) };
    this.spans.set(kind, [...(this.spans.get(kind) ?? []), span]);
  }

  write(text: string): void {
    this.text += text;
  }
}

function writeSection(out: AnnotatedText, section: Section, number: string): void {
  out.mark("sectionheader", section.title, { n: number });
  out.write("\n");
  for (const parts of section.paragraphs) {
    out.mark("paragraph", () => {
      for (const part of parts) {
        if (typeof part === "string") out.write(part);
        else if ("cite" in part) {
          out.write("(");
          out.mark("bibref", String(part.cite + 1), { ref_id: `b${part.cite}` });
          out.write(")");
        } else if ("figure" in part)
          out.mark("figureref", `Figure ${part.figure + 1}`, { ref_id: `fig_${part.figure}` });
        else if ("table" in part) out.mark("tableref", `Table ${part.table + 1}`, { ref_id: `tab_${part.table}` });
        else out.mark("formula", part.formula);
      }
    });
    out.write("\n");
  }
  for (const bullet of section.bullets ?? []) {
    out.mark("paragraph", `\u2022 ${bullet}`);
    out.write("\n");
  }
  section.sections?.forEach((child, i) => {
    writeSection(out, child, `${number}.${i + 1}`);
  });
}

export function composeRecord(paper: Paper): Record<string, unknown> {
  const out = new AnnotatedText();
  out.mark("title", paper.title);
  out.write("\n");
  for (const author of paper.authors) {
    out.mark("author", () => {
      out.mark("authorfirstname", author.first);
      out.write(" ");
      out.mark("authorlastname", author.last);
    });
    out.write("\n");
    out.mark("authoraffiliation", author.affiliation);
    out.write("\n");
  }
  out.mark("abstract", paper.abstract.map((section) => section.text).join(" "));
  out.write("\n\n");
  paper.sections.forEach((section, i) => {
    writeSection(out, section, String(i + 1));
    out.write("\n");
  });
  paper.figures.forEach((figure, i) => {
    out.mark(
      "figure",
      () => {
        out.write(`\nFigure ${i + 1}:\n`);
        out.mark("figurecaption", figure.caption);
      },
      { id: `fig_${i}` },
    );
    out.write("\n");
  });
  paper.tables.forEach((table, i) => {
    out.mark(
      "figure",
      () => {
        out.write(`\nTable ${i + 1}:\n`);
        out.mark("figurecaption", table.caption);
        out.write("\n");
        out.mark("table", [table.header, ...table.rows].map((row) => row.join(" ")).join("\n"));
      },
      { id: `tab_${i}` },
    );
    out.write("\n");
  });
  paper.references.forEach((reference, i) => {
    out.mark(
      "bibentry",
      () => {
        for (const author of reference.authors) {
          out.mark("bibauthor", () => {
            out.mark("bibauthorfirstname", author.first.charAt(0));
            out.write(" ");
            out.mark("bibauthorlastname", author.last);
          });
          out.write(", ");
        }
        out.mark("bibtitle", reference.title);
        out.write(". ");
        out.mark("bibvenue", reference.journal);
        out.write(` ${reference.year}.`);
      },
      { id: `b${i}` },
    );
    out.write("\n");
  });
  const annotations = Object.fromEntries(
    KINDS.map((kind) => {
      const spans = out.spans.get(kind);
      return [kind, spans === undefined ? null : JSON.stringify(spans)];
    }),
  );
  return {
    corpusid: paper.corpusId,
    externalids: {
      arxiv: null,
      mag: null,
      acl: null,
      pubmed: String(paper.pmid),
      pubmedcentral: paper.pmcid.slice(3),
      dblp: null,
      doi: paper.doi,
    },
    content: {
      source: {
        pdfurls: null,
        pdfsha: null,
        oainfo: {
          license: paper.license?.slice(0, -4).replace("-", "").replace("-", "") ?? null,
          openaccessurl: null,
          status: "GOLD",
        },
      },
      text: out.text,
      annotations,
    },
    updated: `${paper.year}-${String(paper.month).padStart(2, "0")}-15T00:00:00Z`,
    title: paper.title,
    year: paper.year,
    notice: NOTICE,
  };
}

/** File `s2orc/s2orc-part0.jsonl`, before compression; the last line is cut short, as a broken download leaves it. */
export function renderS2orc(papers: readonly Paper[]): {
  files: Map<string, string>;
  records: number;
  malformed: number;
} {
  const chosen = papers.filter(appearsIn.s2orc);
  const lines = chosen.map((paper) => `${JSON.stringify(composeRecord(paper))}\n`);
  lines.push(lines[0]!.slice(0, 400));
  return { files: new Map([["s2orc/s2orc-part0.jsonl", lines.join("")]]), records: chosen.length + 1, malformed: 1 };
}

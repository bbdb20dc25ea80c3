/**
 * One guideline as a real PDF 1.4: Helvetica in two sizes, header and footer on every page, words hyphenated at line ends,
 * content streams deflated. Written by hand, because the sample must not depend on a PDF library.
 *
 * @see ISO 32000-1:2008, 7.5 (file structure) and 9.4 (text objects)
 */
import { deflateSync } from "node:zlib";
import type { Guideline } from "../guidelines.ts";
import { NOTICE } from "./xml.ts";

const PAGE = { width: 595, height: 842, left: 64, right: 64, top: 92, bottom: 84 };
const BODY_SIZE = 10.5;
const HEADING_SIZE = 15;
const LEADING = 1.35;
/** Advance widths of Helvetica, thousandths of the size, for code points 32 to 126 (Adobe Font Metrics). */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
];

interface Line {
  text: string;
  size: number;
  gapBefore: number;
}

function widthOf(text: string, size: number): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += WIDTHS[text.charCodeAt(i) - 32] ?? 556;
  return (sum * size) / 1000;
}

/** Breaks text into lines; a long word at a line's end is hyphenated after a vowel that a consonant follows. */
function breakLines(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  const words = text.split(" ");
  while (words.length > 0) {
    const word = words.shift()!;
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer, size) <= width) {
      line = longer;
      continue;
    }
    let cut = word.length >= 9 && /^[a-z]+[.,]?$/.test(word) ? word.length - 4 : 0;
    while (cut >= 4) {
      const fits = widthOf(`${line} ${word.slice(0, cut)}-`, size) <= width;
      if (fits && /[aeiou]$/.test(word.slice(0, cut)) && /^[^aeiou.,]/.test(word.slice(cut))) break;
      cut--;
    }
    if (cut >= 4) {
      lines.push(`${line} ${word.slice(0, cut)}-`);
      words.unshift(word.slice(cut));
    } else {
      lines.push(line);
      words.unshift(word);
    }
    line = "";
  }
  if (line !== "") lines.push(line);
  return lines;
}

function layOut(title: string, guidelines: readonly Guideline[]): Line[][] {
  const width = PAGE.width - PAGE.left - PAGE.right;
  const flow: Line[] = [];
  const add = (text: string, size: number, gapBefore: number) => {
    breakLines(text, size, width).forEach((line, i) => {
      flow.push({ text: line, size, gapBefore: i === 0 ? gapBefore : 0 });
    });
  };
  add(title, HEADING_SIZE + 5, 0);
  for (const guideline of guidelines) {
    add(guideline.title, HEADING_SIZE, 16);
    for (const section of guideline.sections) {
      add(section.title, BODY_SIZE + 1.5, 8);
      if (section.layout === "list") for (const sentence of section.sentences) add(`- ${sentence}`, BODY_SIZE, 2);
      else add(section.sentences.join(" "), BODY_SIZE, 3);
    }
  }
  const pages: Line[][] = [[]];
  let y = PAGE.height - PAGE.top;
  for (const line of flow) {
    const height = line.size * LEADING + line.gapBefore;
    if (y - height < PAGE.bottom) {
      pages.push([]);
      y = PAGE.height - PAGE.top;
    }
    y -= height;
    pages.at(-1)!.push(line);
  }
  return pages;
}

function contentStream(lines: readonly Line[], header: string, footer: string): Buffer {
  const escaped = (text: string) => text.replace(/[\\()]/g, "\\$&");
  const show = (font: string, size: number, left: number, y: number, text: string) =>
    `BT /${font} ${size} Tf ${left} ${y.toFixed(2)} Td (${escaped(text)}) Tj ET`;
  const operators = [show("F1", 8, PAGE.left, PAGE.height - 48, header), show("F1", 8, PAGE.left, 44, footer)];
  let y = PAGE.height - PAGE.top;
  for (const line of lines) {
    y -= line.size * LEADING + line.gapBefore;
    operators.push(show(line.size > BODY_SIZE ? "F2" : "F1", line.size, PAGE.left, y, line.text));
  }
  return deflateSync(Buffer.from(operators.join("\n"), "latin1"), { level: 9 });
}

/** Assembles a PDF: the header and footer stand on every page, the notice in the document information. */
export function renderPdf(title: string, guidelines: readonly Guideline[]): Buffer {
  const pages = layOut(title, guidelines);
  const literal = (text: string) => `(${text.replace(/[\\()]/g, "\\$&")})`;
  const objects: Buffer[] = [];
  const put = (number: number, ...parts: (string | Buffer)[]) => {
    const body = Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p, "latin1") : p)));
    objects[number] = Buffer.concat([Buffer.from(`${number} 0 obj\n`), body, Buffer.from("\nendobj\n")]);
  };
  const FIRST_PAGE = 6;
  const pageNumbers = pages.map((_, i) => FIRST_PAGE + 2 * i);
  put(1, "<< /Type /Catalog /Pages 2 0 R /Lang (en) >>");
  put(2, `<< /Type /Pages /Count ${pages.length} /Kids [${pageNumbers.map((n) => `${n} 0 R`).join(" ")}] >>`);
  put(3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  put(4, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>");
  put(
    5,
    `<< /Title ${literal(title)} /Author (Northfold Guideline Collaborative) /Subject ${literal(NOTICE)} /CreationDate (D:20240115000000Z) >>`,
  );
  pages.forEach((lines, i) => {
    const stream = contentStream(
      lines,
      `Northfold Guideline Collaborative  |  ${title}`,
      `Page ${i + 1} of ${pages.length}`,
    );
    const number = pageNumbers[i]!;
    put(
      number,
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${PAGE.width} ${PAGE.height}] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents ${number + 1} 0 R >>`,
    );
    put(number + 1, `<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n`, stream, "\nendstream");
  });
  const head = Buffer.from("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "latin1");
  let offset = head.length;
  const offsets = objects.slice(1).map((object) => {
    const at = offset;
    offset += object.length;
    return at;
  });
  const xref = `xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("")}trailer\n<< /Size ${offsets.length + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n${offset}\n%%EOF\n`;
  return Buffer.concat([head, ...objects.slice(1), Buffer.from(xref, "latin1")]);
}

/** File `guidelines-pdf/acute-care.pdf`: one guideline on eight conditions. */
export function renderGuidelinePdf(guidelines: readonly Guideline[]): Map<string, Buffer> {
  const byGroup = new Map<string, Guideline>();
  for (const g of guidelines) if (g.table !== undefined && !byGroup.has(g.group)) byGroup.set(g.group, g);
  const chosen = [...byGroup.values()].slice(0, 8);
  return new Map([["guidelines-pdf/acute-care.pdf", renderPdf("Handbook of common conditions", chosen)]]);
}

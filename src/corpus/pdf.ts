/**
 * A PDF as structured text: title, headings, paragraphs, lists. A PDF knows glyphs and places only; everything else is
 * read from the layout: columns from gutters, headings from fonts, running heads from their repetition, paragraphs from spacing.
 *
 *   glyphs (PDFium) → fragments of lines (`pdf-glyphs.ts`) → reading order → without running heads → blocks (`pdf-layout.ts`)
 */
import { PDFiumLibrary } from "@hyzyla/pdfium";
import { DataError } from "../core/errors.ts";
import { type PdfPage, pageFragments } from "./pdf-glyphs.ts";
import { layoutText } from "./pdf-layout.ts";

export interface PdfText {
  title: string;
  /** Headings as `#` lines, paragraphs between blank lines; without the title. */
  text: string;
  pages: number;
}

let library: Promise<PDFiumLibrary> | undefined;

/**
 * @param where - File or address, for messages.
 * @throws {DataError} CORPUS_BAD_PDF (not a PDF, damaged, encrypted), CORPUS_PDF_NO_TEXT (scanned images without text).
 */
export async function pdfToText(bytes: Uint8Array, where: string): Promise<PdfText> {
  library ??= PDFiumLibrary.init();
  const pdfium = await library;
  let document: Awaited<ReturnType<PDFiumLibrary["loadDocument"]>>;
  try {
    document = await pdfium.loadDocument(bytes);
  } catch (cause) {
    const encrypted = /password/i.test((cause as Error).message);
    throw new DataError("CORPUS_BAD_PDF", {
      message: encrypted ? "the PDF is encrypted" : `not a readable PDF: ${(cause as Error).message}`,
      where,
      remedy: encrypted ? "decrypt it first, if its owner allows" : "fetch the file again",
      cause,
    });
  }
  try {
    const pages: PdfPage[] = [];
    for (const page of document.pages()) pages.push(pageFragments(page));
    const { title, text } = layoutText(pages);
    if (text === "")
      throw new DataError("CORPUS_PDF_NO_TEXT", {
        message: `none of its ${pages.length} pages has text`,
        where,
        remedy: "a scanned document: recognise its text first (OCR)",
      });
    return { title, text, pages: pages.length };
  } finally {
    document.destroy();
  }
}

/** Addresses of the link annotations of a PDF, in the order of the file (plain objects; compressed ones are inflated). */
export async function pdfLinks(bytes: Buffer): Promise<string[]> {
  const { inflateSync } = await import("node:zlib");
  const links: string[] = [];
  const collect = (text: string) => {
    for (const [, escaped] of text.matchAll(/\/URI\s*\(((?:\\.|[^\\()])*)\)/g))
      if (escaped) links.push(escaped.replace(/\\([()\\])/g, "$1"));
  };
  collect(bytes.toString("latin1"));
  for (let at = bytes.indexOf("stream"); at !== -1; at = bytes.indexOf("stream", at + 6)) {
    if (bytes.subarray(at - 3, at).toString("latin1") === "end") continue;
    const start = at + 6 + (bytes[at + 6] === 13 ? 2 : 1);
    const end = bytes.indexOf("endstream", start);
    if (end === -1) break;
    // Object streams are small; images are not, and hold no links.
    if (end - start < 1 << 20)
      try {
        collect(inflateSync(bytes.subarray(start, end), { maxOutputLength: 16 << 20 }).toString("latin1"));
      } catch {
        // not deflated, or no objects: nothing to find
      }
  }
  return [...new Set(links)];
}

/**
 * PDF files, by layout (`pdf.ts`), and GROBID's TEI of them for users who run its server. A `.tei.xml` beside a PDF of the same
 * name is read in its place.
 */
import type { SourceItem } from "../document.ts";
import { withTitle } from "../html-main.ts";
import { pdfToText } from "../pdf.ts";
import { listFiles, type SourceFile, within } from "./files.ts";
import {
  document,
  drop,
  makeDocument,
  readBytes,
  readText,
  type SourceOptions,
  unreadable,
  withoutText,
} from "./source.ts";
import { attribute, child, childrenNamed, descendant, descendants, textOf, type XmlElement } from "./xml.ts";
import { parseXmlFile } from "./xml-file.ts";

const TEI = /\.tei(\.xml)?$/i;
const stem = (path: string) => path.replace(TEI, "").replace(/\.pdf$/i, "");

export async function* readPdf(options: SourceOptions): AsyncGenerator<SourceItem> {
  const files = await listFiles(options.path, [".pdf", ".tei.xml", ".tei"]);
  const parsed = new Set(files.filter(({ relative }) => TEI.test(relative)).map(({ relative }) => stem(relative)));
  for (const file of within(files, options.files)) {
    const id = `${options.name}:${stem(file.relative)}`;
    const isTei = TEI.test(file.relative);
    if (!isTei && parsed.has(stem(file.relative))) {
      const reason = "the TEI file beside it is read in its place";
      yield drop({ id: file.relative, source: options.name, rule: "read.has-tei", reason, where: file.path });
      continue;
    }
    try {
      yield isTei ? await readTei(file, id, options) : await readOne(file, id, options);
    } catch (error) {
      yield drop(unreadable(options, id, error));
    }
  }
}

async function readOne(file: SourceFile, id: string, options: SourceOptions): Promise<SourceItem> {
  const { title, text, pages } = await pdfToText(await readBytes(file.path), file.path);
  const meta = { provenance: { file: file.relative }, pages };
  return document(makeDocument(options, "guideline", { id, title, text: withTitle(title, text), meta }));
}

// ── TEI ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Title, abstract and the body's divisions; bibliography and header go, figures and tables keep their captions and cells. */
async function readTei(file: SourceFile, id: string, options: SourceOptions): Promise<SourceItem> {
  const root = parseXmlFile(await readText(file.path), file);
  const header = child(root, "teiHeader");
  const title = oneLine(textOf(header && descendant(header, "title")));
  const parts: string[] = [];
  const abstract = header && descendant(header, "abstract");
  if (abstract && textOf(abstract).trim() !== "") parts.push("# Abstract", ...paragraphs(abstract));
  const text = child(root, "text");
  for (const section of childrenNamed(child(text, "body"), "div")) division(section, parts);
  for (const figure of childrenNamed(child(text, "body"), "figure")) parts.push(...figureText(figure));
  const body = parts.filter((part) => part !== "").join("\n\n");
  if (body === "") return drop(withoutText(options, id, file.path, title));
  const doi = header && descendants(header, "idno").find((idno) => attribute(idno, "type") === "DOI");
  const date =
    header &&
    descendants(header, "date")
      .map((d) => attribute(d, "when"))
      .find((when) => when !== undefined);
  const license = header && descendant(header, "licence");
  return document(
    makeDocument(options, "guideline", {
      id,
      title,
      text: withTitle(title, body),
      published: date,
      license: license && (attribute(license, "target") ?? textOf(license)),
      meta: { provenance: { file: file.relative }, ...(doi && { doi: textOf(doi).trim() }) },
    }),
  );
}

function division(section: XmlElement, out: string[]): void {
  const head = child(section, "head");
  if (head) {
    const number = attribute(head, "n")?.replace(/\.$/, "");
    const level = number ? Math.min(3, number.split(".").length) : 1;
    out.push(`${"#".repeat(level)} ${number ? `${number} ` : ""}${oneLine(textOf(head))}`);
  }
  for (const node of section.children) {
    if (typeof node === "string") continue;
    if (node.name === "p" || node.name === "formula") out.push(oneLine(textOf(node)));
    else if (node.name === "list")
      out.push(
        childrenNamed(node, "item")
          .map((item) => `- ${oneLine(textOf(item))}`)
          .join("\n"),
      );
    else if (node.name === "div") division(node, out);
    else if (node.name === "figure") out.push(...figureText(node));
  }
}

function paragraphs(element: XmlElement): string[] {
  const found = descendants(element, "p").map((p) => oneLine(textOf(p)));
  return found.length > 0 ? found : [oneLine(textOf(element))];
}

function figureText(figure: XmlElement): string[] {
  const caption = [child(figure, "head"), child(figure, "figDesc")]
    .map((part) => oneLine(textOf(part)))
    .filter((part) => part !== "");
  const rows = descendants(figure, "row").map((row) =>
    childrenNamed(row, "cell")
      .map((cell) => oneLine(textOf(cell)))
      .join(" | "),
  );
  return [caption.join(": "), rows.join("\n")].filter((part) => part !== "");
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/**
 * The article tree of a record of Semantic Scholar's `s2orc` dataset: one long text and, per kind, spans over it.
 *
 * Spans count characters as Python does (code points). Text that no span claims is kept: only the header (title page, authors), the
 * bibliography and the figures' own blocks leave the running text, the last to come back at the end.
 *
 * @see https://api.semanticscholar.org/api-docs/datasets
 */
import type { Article, Block, Float, Inline, Reference } from "../formatting/article.ts";
import { InlineBuilder } from "../formatting/inline-builder.ts";
import { Ledger } from "../formatting/ledger.ts";
import { collapseSpace } from "../formatting/space.ts";
import { isMainHeading } from "./paper-headings.ts";

export interface Span {
  start: number;
  end: number;
  attributes: Record<string, unknown>;
}

export interface S2OrcContent {
  text: string;
  /** Lists of spans by kind, each as the JSON text that the dataset holds, or parsed. */
  annotations: Record<string, unknown>;
}

export interface S2OrcArticle {
  article: Article;
  ledger: Ledger;
  title: string;
}

const AUTHORS = ["author", "authorfirstname", "authorlastname", "authoraffiliation"];

/** @throws {SyntaxError} when an annotation is no JSON, {TypeError} when it is no list of spans. */
export function s2OrcArticle(content: S2OrcContent, titleOfRecord = ""): S2OrcArticle {
  const { text } = content;
  const ledger = new Ledger();
  const toUnits = codePointIndex(text);
  const spans = (kind: string): Span[] => parseSpans(content.annotations[kind], kind, text.length, toUnits);
  const headers = spans("sectionheader");
  const abstracts = spans("abstract");
  const titles = spans("title");
  const formulas = spans("formula");
  const figures = [...spans("figure"), ...spans("table")].sort(byPlace);
  const captions = [...spans("figurecaption"), ...spans("tablecaption")].sort(byPlace);
  const entries = spans("bibentry");
  const references = bibliography(text, entries, spans("bibtitle"), spans("bibauthorlastname"));
  const marks: { span: Span; item: (written: string) => Exclude<Inline, string> }[] = [];
  for (const span of spans("bibref")) {
    const target = stringOf(span.attributes.ref_id);
    const targets = target === "" ? [] : [target];
    marks.push({ span, item: (written) => ({ type: "citation", targets, text: written }) });
  }
  for (const span of [...spans("figureref"), ...spans("tableref")]) {
    const target = stringOf(span.attributes.ref_id);
    marks.push({ span, item: (written) => ({ type: "float-reference", target, text: written }) });
  }
  for (const span of formulas)
    if (!standsAlone(text, span)) marks.push({ span, item: (written) => ({ type: "formula", text: written }) });
  marks.sort((a, b) => byPlace(a.span, b.span));

  const inlineBetween = (start: number, end: number, clean: (piece: string) => string = collapseSpace): Inline[] => {
    const builder = new InlineBuilder();
    let at = start;
    for (let i = firstFrom(marks, start); i < marks.length; i++) {
      const { span, item } = marks[i]!;
      if (span.start >= end) break;
      if (span.start < at || span.end > end) continue;
      builder.add(clean(text.slice(at, span.start)));
      builder.push(item(collapseSpace(text.slice(span.start, span.end))));
      at = span.end;
    }
    builder.add(clean(text.slice(at, end)));
    return builder.finish();
  };

  // ── what leaves the running text ───────────────────────────────────────────────────────────────────────────────────
  const starts = [abstracts[0]?.start, headers[0]?.start].filter((start) => start !== undefined);
  const headerEnd = starts.length === 0 ? 0 : Math.min(...starts);
  const cuts: { start: number; end: number; reason: string; header?: Span; formula?: boolean; caption?: boolean }[] =
    [];
  if (headerEnd > 0) cuts.push({ start: 0, end: headerEnd, reason: "header" });
  for (const span of titles) cuts.push({ ...span, reason: "title" });
  for (const kind of AUTHORS) for (const span of spans(kind)) cuts.push({ ...span, reason: "authors" });
  for (const span of entries) cuts.push({ ...span, reason: "references" });
  for (const span of figures) cuts.push({ ...span, reason: "figure" });
  for (const span of headers) cuts.push({ ...span, reason: "", header: span });
  for (const span of formulas) if (standsAlone(text, span)) cuts.push({ ...span, reason: "", formula: true });
  cuts.sort((a, b) => a.start - b.start || b.end - a.end);

  const root: Block[] = [];
  const stack: { depth: number; blocks: Block[] }[] = [{ depth: 0, blocks: root }];
  const here = () => stack[stack.length - 1]!.blocks;
  const open = (heading: Inline[], depth: number) => {
    while (stack.length > 1 && stack[stack.length - 1]!.depth >= depth) stack.pop();
    const section: Block = { type: "section", heading, blocks: [] };
    here().push(section);
    stack.push({ depth, blocks: section.blocks });
  };
  const numbered = headers.some((header) => depthOf(header) > 0);
  const anyMain = headers.some((header) => isMainHeading(text.slice(header.start, header.end)));
  const abstract = abstracts[0];
  const abstractTitled =
    abstract === undefined ||
    headers.some(
      (header) =>
        /^\W*(abstract|summary)\b/i.test(text.slice(header.start, header.end)) &&
        header.start <= abstract.end &&
        header.end >= abstract.start - 3,
    );
  let abstractOpen = false;

  const lines = (start: number, end: number) => {
    if (abstract && !abstractTitled && !abstractOpen && start < abstract.end && end > abstract.start) {
      abstractOpen = true;
      if (start < abstract.start) lines(start, abstract.start);
      ledger.insert("Abstract");
      open(["Abstract"], 1);
      lines(Math.max(start, abstract.start), Math.min(end, abstract.end));
      stack.length = 1;
      if (end > abstract.end) lines(abstract.end, end);
      return;
    }
    let at = start;
    while (at < end) {
      const newline = text.indexOf("\n", at);
      const stop = newline === -1 || newline > end ? end : newline;
      const content = inlineBetween(at, stop);
      if (content.some((item) => typeof item !== "string" || item.trim() !== ""))
        here().push({ type: "paragraph", content });
      at = stop + 1;
    }
  };

  let at = 0;
  for (const cut of cuts) {
    if (cut.end <= at) continue;
    const start = Math.max(cut.start, at);
    if (start > at) lines(at, start);
    const piece = text.slice(start, cut.end);
    if (cut.header && start === cut.start) {
      const depth = numbered
        ? depthOf(cut.header) || (isMainHeading(piece) ? 1 : 2)
        : !anyMain || isMainHeading(piece)
          ? 1
          : 2;
      open(inlineBetween(start, cut.end), depth);
    } else if (cut.formula && start === cut.start) here().push({ type: "formula", text: collapseSpace(piece) });
    else if (cut.reason !== "figure") ledger.drop(cut.reason || "overlapping-annotation", piece);
    else if (start !== cut.start) ledger.drop("overlapping-annotation", piece);
    at = cut.end;
  }
  if (at < text.length) lines(at, text.length);

  const floats: Float[] = [];
  let covered = headerEnd;
  for (const span of figures) {
    // A figure inside what was cut already, or over another one, has been booked with it.
    if (span.start < covered) {
      if (span.start < headerEnd || span.end <= covered) continue;
      covered = span.end;
      continue;
    }
    if (entries.some((entry) => entry.start < span.end && entry.end > span.start)) continue;
    covered = span.end;
    floats.push(floatOf(text, span, captions, inlineBetween, ledger));
  }
  const title =
    titles
      .map((span) => text.slice(span.start, span.end))
      .join(" ")
      .replace(/\s+/g, " ")
      .trim() || titleOfRecord.trim();
  if (title !== "") ledger.insert(title);
  return { article: { title: [title], parts: [{ blocks: root, floats }], references }, ledger, title };
}

// ── spans ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const byPlace = (a: { start: number; end: number }, b: { start: number; end: number }): number =>
  a.start - b.start || a.end - b.end;

function parseSpans(value: unknown, kind: string, length: number, toUnits: (codePoint: number) => number): Span[] {
  if (value === null || value === undefined || value === "") return [];
  const list: unknown = typeof value === "string" ? JSON.parse(value) : value;
  if (list === null) return [];
  if (!Array.isArray(list)) throw new TypeError(`annotation ${kind} is no list`);
  const spans: Span[] = [];
  for (const entry of list as unknown[]) {
    if (typeof entry !== "object" || entry === null) continue;
    const { start, end, attributes } = entry as Record<string, unknown>;
    // Old releases hold offsets as strings, and some spans reach beyond the text.
    const from = Math.min(length, toUnits(Number(start)));
    const to = Math.min(length, toUnits(Number(end)));
    if (!(to > from && from >= 0)) continue;
    spans.push({
      start: from,
      end: to,
      attributes: typeof attributes === "object" && attributes !== null ? (attributes as Record<string, unknown>) : {},
    });
  }
  return spans.sort(byPlace);
}

/** From code points to UTF-16 units: the same thing unless the text has characters beyond the basic plane. */
function codePointIndex(text: string): (codePoint: number) => number {
  const astral: number[] = [];
  let points = 0;
  for (let i = 0; i < text.length; i++, points++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff && i + 1 < text.length) {
      astral.push(points);
      i++;
    }
  }
  if (astral.length === 0) return (point) => point;
  return (point) => {
    let low = 0;
    let high = astral.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (astral[middle]! < point) low = middle + 1;
      else high = middle;
    }
    return point + low;
  };
}

function firstFrom(marks: readonly { span: Span }[], start: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]!.span.start < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** On lines of its own: a displayed formula. */
function standsAlone(text: string, span: Span): boolean {
  return (
    /(^|\n)[ \t]*$/.test(text.slice(Math.max(0, span.start - 8), span.start)) &&
    /^[ \t]*(\n|$)/.test(text.slice(span.end, span.end + 8))
  );
}

const stringOf = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : "";

/** From GROBID's section number: "2" is 1 deep, "2.1." is 2. */
function depthOf(header: Span): number {
  const number = stringOf(header.attributes.n).trim().replace(/\.$/, "");
  return number === "" ? 0 : number.split(".").length;
}

// ── bibliography and figures ─────────────────────────────────────────────────────────────────────────────────────────

function bibliography(
  text: string,
  entries: readonly Span[],
  titles: readonly Span[],
  authors: readonly Span[],
): Map<string, Reference> {
  const references = new Map<string, Reference>();
  const inside = (spans: readonly Span[], entry: Span): string => {
    const found = spans.find((span) => span.start >= entry.start && span.end <= entry.end);
    return found ? text.slice(found.start, found.end) : "";
  };
  for (const entry of entries) {
    const id = stringOf(entry.attributes.id);
    if (id === "" || references.has(id)) continue;
    const label = /^\W{0,2}(\d{1,4})[\].)\s]/.exec(text.slice(entry.start, entry.start + 8))?.[1] ?? "";
    references.set(id, { title: inside(titles, entry), author: inside(authors, entry), label });
  }
  return references;
}

const FLOAT_LABEL = /(?:supplementary\s+)?(?:fig(?:ure)?\.?|tab(?:le)?\.?)\s*[A-Z]?\d+[A-Za-z]?/i;

function floatOf(
  text: string,
  span: Span,
  captions: readonly Span[],
  inlineBetween: (start: number, end: number, clean?: (piece: string) => string) => Inline[],
  ledger: Ledger,
): Float {
  const id = stringOf(span.attributes.id);
  const kind = /^tab/i.test(id) || span.attributes.type === "table" ? "table" : "figure";
  const caption = captions.find((candidate) => candidate.start >= span.start && candidate.end <= span.end);
  let captionStart = caption?.start ?? span.start;
  let captionEnd = caption?.end ?? span.end;
  if (!caption) {
    // Nothing but a label on the first line: what follows is the table, or the caption.
    const first = new RegExp(`^\\s*${FLOAT_LABEL.source}[\\s.:]*\\n`, "i").exec(text.slice(span.start, span.end))?.[0];
    if (first !== undefined) {
      captionStart += first.length;
      if (kind === "table") captionEnd = captionStart;
    }
  }
  const head = text.slice(span.start, captionStart);
  // The line before the caption is the label; GROBID repeats its number above it.
  const label =
    head
      .split("\n")
      .findLast((line) => line.trim() !== "")
      ?.trim() ?? "";
  ledger.drop("float-label", head);
  const content = inlineBetween(captionStart, captionEnd);
  const float: Float = { id, kind, label, caption: content, rows: [], notes: [] };
  ledger.drop("float-label", -countLabel(label));
  if (!/\d/.test(label)) {
    const first = content[0];
    const written =
      typeof first === "string" ? new RegExp(`^\\s*(${FLOAT_LABEL.source})[\\s.:]*`, "i").exec(first) : null;
    if (written && typeof first === "string") {
      ledger.drop("float-label", label + written[0].replace(written[1]!, ""));
      float.label = written[1]!;
      content[0] = first.slice(written[0].length);
    }
  }
  for (let at = captionEnd; at < span.end; ) {
    const newline = text.indexOf("\n", at);
    const stop = newline === -1 || newline > span.end ? span.end : newline;
    if (text.slice(at, stop).trim() !== "") {
      const cells = cellsOf(inlineBetween(at, stop, asWritten));
      ledger.drop("cell-separator", cells.length - 1);
      float.rows.push(cells);
    }
    at = stop + 1;
  }
  return float;
}

/** Two spaces between two bars are an empty cell. */
const asWritten = (piece: string): string => piece;

/** A line of a table at its ` | `. */
function cellsOf(line: readonly Inline[]): Inline[][] {
  const cells: Inline[][] = [[]];
  for (const item of line) {
    if (typeof item !== "string") cells[cells.length - 1]!.push(item);
    else
      item.split(" | ").forEach((piece, i) => {
        if (i > 0) cells.push([]);
        if (piece !== "") cells[cells.length - 1]!.push(collapseSpace(piece));
      });
  }
  return cells;
}

const countLabel = (label: string): number => label.replace(/\s/g, "").length;

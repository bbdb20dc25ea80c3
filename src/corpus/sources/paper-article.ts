/**
 * The article tree of the "paper" JSON of S2ORC's research releases (2019 to 2021), s2orc-doc2json and CORD-19: paragraphs with
 * the name of their section and spans for citations, figures, tables and equations.
 */
import type { Article, Block, Float, Inline, Reference } from "../formatting/article.ts";
import { InlineBuilder } from "../formatting/inline-builder.ts";
import { Ledger } from "../formatting/ledger.ts";
import { collapseSpace } from "../formatting/space.ts";
import { isMainHeading } from "./paper-headings.ts";

interface PaperSpan {
  start?: number | null;
  end?: number | null;
  text?: string | null;
  ref_id?: string | null;
}

export interface PaperParagraph {
  text?: string | null;
  section?: string | null;
  sec_num?: string | null;
  cite_spans?: PaperSpan[] | null;
  ref_spans?: PaperSpan[] | null;
  eq_spans?: PaperSpan[] | null;
}

interface PaperEntry {
  title?: string | null;
  authors?: { last?: string | null }[] | null;
  num?: number | string | null;
}

interface PaperFloat {
  text?: string | null;
  type?: string | null;
  num?: string | number | null;
  fig_num?: string | number | null;
}

export interface PaperJson {
  abstract?: PaperParagraph[] | string | null;
  body_text?: PaperParagraph[] | null;
  back_matter?: PaperParagraph[] | null;
  bib_entries?: Record<string, PaperEntry> | null;
  ref_entries?: Record<string, PaperFloat> | null;
}

export interface PaperArticle {
  article: Article;
  ledger: Ledger;
  charactersIn: number;
  bodyCharacters: number;
}

export function paperArticle(paper: PaperJson, title: string): PaperArticle {
  const ledger = new Ledger();
  const blocks: Block[] = [];
  const abstract = paragraphs(paper.abstract);
  const body = paragraphs(paper.body_text);
  const back = paragraphs(paper.back_matter);
  const anyMain = body.some(({ section }) => isMainHeading(section ?? ""));
  addSections(blocks, abstract, "Abstract", anyMain, ledger);
  addSections(blocks, body, "", anyMain, ledger);
  addSections(blocks, back, "", anyMain, ledger);
  const references = new Map<string, Reference>();
  for (const [id, entry] of Object.entries(paper.bib_entries ?? {}))
    references.set(id, {
      title: entry?.title ?? "",
      author: entry?.authors?.find((author) => author?.last)?.last ?? "",
      label: String(entry?.num ?? "").replace(/\D/g, ""),
    });
  const mentioned = mentionedNumbers([...abstract, ...body, ...back]);
  const floats: Float[] = [];
  let floatText = "";
  for (const [id, entry] of Object.entries(paper.ref_entries ?? {})) {
    if (entry?.type !== "figure" && entry?.type !== "table") continue;
    floatText += entry.text ?? "";
    floats.push(floatOf(id, entry, mentioned.get(id) ?? "", ledger));
  }
  ledger.insert(title);
  const all = [...abstract, ...body, ...back].map(({ text }) => text ?? "").join("");
  const article: Article = { title: [title], parts: [{ blocks, floats }], references };
  const headings = new Ledger();
  headings.insert(all + floatText);
  return {
    article,
    ledger,
    charactersIn: headings.inserted,
    bodyCharacters: body.reduce((sum, { text }) => sum + (text?.length ?? 0), 0),
  };
}

function paragraphs(value: PaperParagraph[] | string | null | undefined): PaperParagraph[] {
  if (typeof value === "string") return value.trim() === "" ? [] : [{ text: value }];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "object" && entry !== null) : [];
}

/** A new section wherever the name changes; the name itself is no text of the record, so it counts as inserted. */
function addSections(
  out: Block[],
  list: readonly PaperParagraph[],
  fallback: string,
  anyMain: boolean,
  ledger: Ledger,
): void {
  const stack: { depth: number; blocks: Block[] }[] = [{ depth: 0, blocks: out }];
  let current: string | undefined;
  for (const paragraph of list) {
    const name = (typeof paragraph.section === "string" ? paragraph.section : "").trim() || fallback;
    const key = `${paragraph.sec_num ?? ""} ${name}`;
    if (key !== current) {
      current = key;
      // Without a number, "Methods" is above "Sample collection" if the paper has any main heading at all.
      const numbered = String(paragraph.sec_num ?? "").replace(/\.$/, "");
      const depth =
        name === ""
          ? 0
          : numbered !== ""
            ? numbered.split(".").length
            : !anyMain || fallback !== "" || isMainHeading(name)
              ? 1
              : 2;
      while (stack.length > 1 && stack[stack.length - 1]!.depth >= depth) stack.pop();
      if (name !== "") {
        ledger.insert(name);
        const section: Block = { type: "section", heading: [collapseSpace(name)], blocks: [] };
        stack[stack.length - 1]!.blocks.push(section);
        stack.push({ depth, blocks: section.blocks });
      }
    }
    stack[stack.length - 1]!.blocks.push({ type: "paragraph", content: inlineOf(paragraph) });
  }
}

function inlineOf(paragraph: PaperParagraph): Inline[] {
  const text = paragraph.text ?? "";
  const spans: { span: PaperSpan; make: (written: string) => Exclude<Inline, string> }[] = [];
  for (const span of paragraph.cite_spans ?? []) {
    const targets = span.ref_id ? [span.ref_id] : [];
    spans.push({ span, make: (written) => ({ type: "citation", targets, text: written }) });
  }
  for (const span of paragraph.ref_spans ?? []) {
    const target = span.ref_id ?? "";
    spans.push({ span, make: (written) => ({ type: "float-reference", target, text: written }) });
  }
  for (const span of paragraph.eq_spans ?? [])
    spans.push({ span, make: (written) => ({ type: "formula", text: written }) });
  spans.sort((a, b) => (a.span.start ?? 0) - (b.span.start ?? 0));
  const builder = new InlineBuilder();
  let at = 0;
  for (const { span, make } of spans) {
    const start = span.start ?? -1;
    const end = span.end ?? -1;
    if (start < at || end <= start || end > text.length) continue;
    builder.add(collapseSpace(text.slice(at, start)));
    builder.push(make(collapseSpace(text.slice(start, end))));
    at = end;
  }
  builder.add(collapseSpace(text.slice(at)));
  return builder.finish();
}

/** The number under which the text speaks of each figure and table: the parse of a PDF often loses it from the caption. */
function mentionedNumbers(list: readonly PaperParagraph[]): Map<string, string> {
  const numbers = new Map<string, string>();
  for (const { text, ref_spans } of list)
    for (const { start, end, ref_id } of ref_spans ?? []) {
      const number = /\d+/.exec((text ?? "").slice(start ?? 0, end ?? 0))?.[0];
      if (ref_id && number && !numbers.has(ref_id)) numbers.set(ref_id, number);
    }
  return numbers;
}

/** "Figure 3. Caption" holds its own label. */
function floatOf(id: string, entry: PaperFloat, mentioned: string, ledger: Ledger): Float {
  // Where the parse of a PDF lost the label, the stop behind it is left: ": clusters of ...".
  const [stray, text] = /^([\s.,:;)]*)(.*)$/s.exec(collapseSpace(entry.text ?? ""))!.slice(1) as [string, string];
  if (stray !== "") ledger.drop("float-label", stray);
  const kind = entry.type === "table" ? "table" : "figure";
  const written = /^\s*((?:supplementary\s+)?(?:fig(?:ure)?|tab(?:le)?)\.?\s*[A-Z]?\d+[A-Za-z]?)[\s.:|]*/i.exec(text);
  if (written) {
    ledger.drop("float-label", written[0].replace(written[1]!, ""));
    return { id, kind, label: written[1]!, caption: [text.slice(written[0].length)], rows: [], notes: [] };
  }
  const number = String(entry.fig_num ?? entry.num ?? mentioned);
  ledger.insert(number);
  return { id, kind, label: number, caption: [text], rows: [], notes: [] };
}

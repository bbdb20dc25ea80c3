/**
 * CNXML, the markup of OpenStax textbooks: modules of sections, with notes, figures, exercises, tables and a glossary. All of it
 * is text a student reads, and all of it is kept: figures as caption and description, tables row by row, formulas as text,
 * each exercise with its solution, terms with their definitions.
 *
 * @see https://docs.openstax.org/cnxml (CNXML 0.7)
 */
import type { SourceItem } from "../document.ts";
import { type ListStyle, listMark } from "../formatting/list-mark.ts";
import { subscript, superscript } from "./markup.ts";
import { mathText } from "./mathml.ts";
import { document, drop, makeDocument, type SourceOptions, withoutText } from "./source.ts";
import { attribute, child, childrenNamed, descendant, textOf, type XmlElement } from "./xml.ts";
import { readXmlFiles } from "./xml-file.ts";

const LICENSE = "CC-BY-4.0";
const MAX_LEVEL = 3;

export function readCnxml(options: SourceOptions): AsyncGenerator<SourceItem> {
  return readXmlFiles(options, [".cnxml"], (root, file, id) => {
    const metadata = child(root, "metadata");
    const title = inline(child(root, "title") ?? child(metadata, "title")).trim();
    const module = textOf(child(metadata, "content-id")).trim();
    const out: string[] = [title];
    const abstract = child(metadata, "abstract");
    if (abstract) blocks(abstract, 0, out);
    const content = child(root, "content");
    if (content) blocks(content, 0, out);
    const glossary = child(root, "glossary");
    if (glossary) {
      out.push("# Glossary");
      blocks(glossary, 1, out);
    }
    const text = out.filter((block) => block !== "").join("\n\n");
    const name = module ? `${options.name}:${module}` : id;
    if (out.filter((block) => block !== "").length < 2) return drop(withoutText(options, name, file.path, title));
    return document(
      makeDocument(options, "other", {
        id: name,
        title,
        text,
        license: textOf(child(metadata, "license")) || options.license || LICENSE,
        language: "en",
        meta: { provenance: { file: file.relative } },
      }),
    );
  });
}

/** Block elements, each its own paragraph; text that stands loose among them is a paragraph too. */
function blocks(parent: XmlElement, level: number, out: string[]): void {
  let loose = "";
  const flush = () => {
    if (loose.trim() !== "") out.push(collapse(loose));
    loose = "";
  };
  for (const node of parent.children) {
    if (typeof node === "string") {
      loose += node;
      continue;
    }
    if (INLINE.has(node.name)) {
      loose += inlineNode(node, loose.slice(-1));
      continue;
    }
    flush();
    block(node, level, out);
  }
  flush();
}

const INLINE = new Set([
  "term",
  "emphasis",
  "link",
  "sub",
  "sup",
  "math",
  "newline",
  "space",
  "foreign",
  "code",
  "cite",
  "quote",
  "footnote",
]);

function block(node: XmlElement, level: number, out: string[]): void {
  switch (node.name) {
    case "title":
    case "label":
    case "metadata":
      return; // titles are written by their parent; labels are numbers that the book's renderer makes
    case "section":
      heading(child(node, "title"), level + 1, out);
      blocks(node, level + 1, out);
      return;
    case "para": {
      // A paragraph may hold lists, figures and equations: its text goes on around them.
      const title = child(node, "title");
      if (title) out.push(collapse(inline(title)));
      blocks(node, level, out);
      return;
    }
    case "list":
      if (child(node, "title")) out.push(collapse(inline(child(node, "title"))));
      out.push(list(node, 0));
      return;
    case "figure": {
      const title = collapse(inline(child(node, "title")));
      const parts = [title, ...childrenNamed(node, "subfigure").map(figureText), figureText(node)];
      out.push(parts.filter((part) => part !== "").join("\n"));
      return;
    }
    case "media":
      out.push(collapse(attribute(node, "alt") ?? ""));
      return;
    case "table":
      out.push(table(node));
      return;
    case "equation":
      out.push(collapse(inline(node)));
      return;
    case "exercise":
    case "problem":
    case "solution":
    case "note":
    case "example":
    case "definition":
      container(node, level, out);
      return;
    case "meaning":
      out.push(collapse(inline(node)));
      return;
    default:
      blocks(node, level, out);
  }
}

function container(node: XmlElement, level: number, out: string[]): void {
  if (node.name === "definition") {
    const term = collapse(inline(child(node, "term")));
    const meanings = childrenNamed(node, "meaning").map((meaning) => collapse(inline(meaning)));
    out.push(`${term}: ${meanings.join("; ")}`);
    return;
  }
  if (node.name === "note" || node.name === "example") heading(child(node, "title"), level + 1, out);
  if (node.name === "solution") out.push("Answer:");
  blocks(node, level, out);
}

function heading(title: XmlElement | undefined, level: number, out: string[]): void {
  const text = collapse(inline(title));
  if (text !== "") out.push(`${"#".repeat(Math.min(level, MAX_LEVEL))} ${text}`);
}

function figureText(node: XmlElement): string {
  const media = childrenNamed(node, "media").map((m) => collapse(attribute(m, "alt") ?? ""));
  return [collapse(inline(child(node, "caption"))), ...media].filter((text) => text !== "").join("\n");
}

function list(node: XmlElement, depth: number): string {
  const lines: string[] = [];
  let number = Number.parseInt(attribute(node, "start-value") ?? "1", 10) || 1;
  for (const item of childrenNamed(node, "item")) {
    let text = "";
    const nested: string[] = [];
    for (const part of item.children) {
      if (typeof part === "string") text += part;
      else if (part.name === "list") nested.push(list(part, depth + 1));
      else if (INLINE.has(part.name)) text += inlineNode(part, text.slice(-1));
      else if (part.name === "label") continue;
      else {
        const inner: string[] = [];
        block(part, MAX_LEVEL, inner);
        text += ` ${inner.join(" ")} `;
      }
    }
    lines.push(`${"  ".repeat(depth)}${listMark(listStyle(node), number++)} ${collapse(text)}`, ...nested);
  }
  return lines.join("\n");
}

const NUMBER_STYLES: Readonly<Record<string, ListStyle>> = {
  "lower-alpha": "lower-alpha",
  "upper-alpha": "upper-alpha",
  "lower-roman": "lower-roman",
  "upper-roman": "upper-roman",
};

function listStyle(node: XmlElement): ListStyle | undefined {
  if (attribute(node, "list-type") !== "enumerated") return undefined;
  return NUMBER_STYLES[attribute(node, "number-style") ?? ""] ?? "decimal";
}

function table(node: XmlElement): string {
  const lines = [collapse(inline(child(node, "title"))), collapse(inline(child(node, "caption")))];
  const rows = (parent: XmlElement): void => {
    for (const part of parent.children) {
      if (typeof part === "string") continue;
      if (part.name === "row")
        lines.push(
          childrenNamed(part, "entry")
            .map((entry) => collapse(cell(entry)))
            .join(" | "),
        );
      else rows(part);
    }
  };
  rows(node);
  return lines.filter((line) => line.replace(/[\s|]/g, "") !== "").join("\n");
}

function cell(entry: XmlElement): string {
  let text = "";
  for (const part of entry.children) {
    if (typeof part === "string") text += part;
    else if (INLINE.has(part.name)) text += inlineNode(part, text.slice(-1));
    else {
      const inner: string[] = [];
      block(part, MAX_LEVEL, inner);
      text += ` ${inner.join(" ").replaceAll("\n", " ")} `;
    }
  }
  return text;
}

/** Text of an element with its inline markup. */
function inline(element: XmlElement | undefined): string {
  let text = "";
  for (const node of element?.children ?? [])
    text += typeof node === "string" ? node : inlineNode(node, text.slice(-1));
  return text;
}

/** @param before - The character in front of it. */
function inlineNode(node: XmlElement, before: string): string {
  switch (node.name) {
    case "math":
      return mathText(node);
    case "newline":
    case "space":
      return " ";
    case "sup":
      return superscript(inline(node), before);
    case "sub":
      return subscript(inline(node), before);
    case "link":
      // A link without text is rendered as the target's number ("Figure 2.1"), which only the whole book knows.
      return textOf(node) || "figure";
    case "media":
      return attribute(node, "alt") ?? "";
    case "label":
    case "title":
      return "";
    default:
      return descendant(node, "math") || node.children.some((part) => typeof part !== "string")
        ? inline(node)
        : textOf(node);
  }
}

const collapse = (text: string) => text.replace(/\s+/g, " ").trim();

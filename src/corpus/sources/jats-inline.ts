/** Running text of JATS: emphasis dissolved, scripts and formulas made readable, cross-references kept as references. */
import type { Inline } from "../formatting/article.ts";
import { InlineBuilder } from "../formatting/inline-builder.ts";
import { countCharacters, type Ledger } from "../formatting/ledger.ts";
import { subscript, superscript } from "./markup.ts";
import { mathText, texFormula } from "./mathml.ts";
import { attribute, textOf, type XmlElement } from "./xml.ts";

/** What the text of an article refers to, gathered before any of it is read. */
export interface JatsContext {
  ledger: Ledger;
  /** Ids of bibliography entries. */
  references: { has(id: string): boolean };
  /** Id of a figure or table, or of a group of them → id of the float that stands for it. */
  floats: ReadonlyMap<string, string>;
  /** Footnotes met inside running text: printed behind the paragraph. */
  footnotes: XmlElement[];
}

export function inlineContent(element: XmlElement | undefined, context: JatsContext): Inline[] {
  if (element === undefined) return [];
  const { children } = element;
  // Most cells of tables, and most titles.
  if (children.length === 1 && typeof children[0] === "string") return [children[0]];
  const builder = new InlineBuilder();
  addInline(element, builder, context);
  return builder.finish();
}

export function addInline(element: XmlElement, builder: InlineBuilder, context: JatsContext): void {
  for (const node of element.children) {
    if (typeof node === "string") builder.add(node);
    else addInlineElement(node, builder, context);
  }
}

/** Block elements inside running text (a paragraph in a caption, in a table cell) are set apart by spaces. */
const APART = new Set([
  "p",
  "title",
  "list",
  "list-item",
  "def-list",
  "def-item",
  "def",
  "sec",
  "caption",
  "disp-quote",
  "td",
  "tr",
  "label",
  "verse-line",
  "attrib",
]);

export function addInlineElement(element: XmlElement, builder: InlineBuilder, context: JatsContext): void {
  switch (element.name) {
    case "xref":
      addReference(element, builder, context, false);
      return;
    case "sup":
    case "sub":
      addScript(element, builder, context);
      return;
    case "inline-formula":
    case "disp-formula":
    case "math":
    case "tex-math":
    case "alternatives": {
      const text = formulaText(element, context);
      if (text !== "") builder.push({ type: "formula", text });
      return;
    }
    case "break":
    case "hr":
      builder.add(" ");
      return;
    case "fn":
      context.footnotes.push(element);
      return;
    case "inline-graphic":
    case "graphic":
    case "media":
    case "private-char":
    case "glyph-data":
      context.ledger.drop("graphic", element.characters);
      return;
    case "object-id":
    case "index-term":
    case "alt-text":
    case "long-desc":
    case "permissions":
      context.ledger.drop(element.name, element.characters);
      return;
    default:
      if (APART.has(element.name)) {
        builder.add(" ");
        addInline(element, builder, context);
        builder.add(" ");
      } else addInline(element, builder, context);
  }
}

function addScript(element: XmlElement, builder: InlineBuilder, context: JatsContext): void {
  if (element.children.some((node) => typeof node !== "string" && containsReference(node))) {
    // Citation numbers are often set as superscripts: what they link to matters, not where they hang.
    for (const node of element.children) {
      if (typeof node === "string") builder.add(node);
      else if (node.name === "xref") addReference(node, builder, context, true);
      else addInlineElement(node, builder, context);
    }
    return;
  }
  const inner = new InlineBuilder();
  addInline(element, inner, context);
  if (inner.items.length > 0) {
    builder.addAll(inner.finish());
    return;
  }
  const before = builder.lastCharacter;
  const script = element.name === "sup" ? superscript(inner.text, before) : subscript(inner.text, before);
  context.ledger.insert(countCharacters(script) - countCharacters(inner.text));
  builder.add(script);
}

function containsReference(element: XmlElement): boolean {
  return (
    element.name === "xref" || element.children.some((node) => typeof node !== "string" && containsReference(node))
  );
}

function addReference(element: XmlElement, builder: InlineBuilder, context: JatsContext, raised: boolean): void {
  const rid = attribute(element, "rid") ?? "";
  const targets = rid !== "" && !/\s/.test(rid) ? [rid] : rid.split(/\s+/).filter((id) => id !== "");
  const type = attribute(element, "ref-type");
  const first = targets[0] ?? "";
  const float = context.floats.get(first);
  const cited =
    type === "bibr" || type === "ref" || (float === undefined && targets.some((id) => context.references.has(id)));
  if (!cited && float === undefined) {
    const inner = new InlineBuilder();
    addInline(element, inner, context);
    const mark = type === "fn" || type === "table-fn" || raised;
    for (const item of inner.finish()) {
      if (typeof item !== "string") builder.push(item);
      else if (mark && /^\s*(?:\d|[a-z](?:,\s?[a-z])*\s*$)/.test(item)) {
        // A note's mark must not run into what it hangs on: 12.3 with note 1 is no 12.31, "activities" with note a no "activitiesa".
        const script = superscript(item, builder.lastCharacter);
        context.ledger.insert(countCharacters(script) - countCharacters(item));
        builder.add(script);
      } else builder.add(item);
    }
    return;
  }
  const text = printedReference(element, context);
  if (float !== undefined && !cited) builder.push({ type: "float-reference", target: float, text });
  else builder.push({ type: "citation", targets, text });
}

function printedReference(element: XmlElement, context: JatsContext): string {
  const { children } = element;
  if (children.length === 1 && typeof children[0] === "string") return children[0];
  const inner = new InlineBuilder();
  for (const node of children) {
    if (typeof node === "string") inner.add(node);
    // A superscript around the number of a citation is its style, not an exponent.
    else if (node.name === "sup" || node.name === "sub") addInline(node, inner, context);
    else addInlineElement(node, inner, context);
  }
  return inner
    .finish()
    .map((item) => (typeof item === "string" ? item : item.text))
    .join("");
}

// ── formulas ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One form of a formula: TeX if it is there, else MathML in a line, else its characters. The other forms are dropped as such. */
export function formulaText(element: XmlElement, context: JatsContext): string {
  const before = element.characters;
  const { ledger } = context;
  const bookedBefore = ledger.droppedCharacters - ledger.inserted;
  const text = formulaParts(element, context).replace(/\s+/g, " ").trim();
  const booked = ledger.droppedCharacters - ledger.inserted - bookedBefore;
  const difference = countCharacters(text) - (before - booked);
  if (difference > 0) ledger.insert(difference);
  else ledger.drop("formula-layout", -difference);
  return text;
}

const FORMS = ["tex-math", "math", "textual-form"];

function formulaParts(element: XmlElement, context: JatsContext): string {
  if (element.name === "math") return mathText(element);
  if (element.name === "tex-math") return texFormula(textOf(element));
  const forms = element.children.filter(
    (node): node is XmlElement => typeof node !== "string" && FORMS.includes(node.name),
  );
  const chosen =
    forms.find((node) => node.name === "tex-math") ?? forms.find((node) => node.name === "math") ?? forms[0];
  let text = "";
  for (const node of element.children) {
    if (typeof node === "string") text += node;
    else if (node.name === "label") text += ` ${textOf(node)} `;
    else if (FORMS.includes(node.name)) {
      if (node !== chosen && element.name === "alternatives")
        context.ledger.drop("formula-alternative", node.characters);
      else if (node !== chosen && node.name !== chosen?.name)
        context.ledger.drop("formula-alternative", node.characters);
      else text += formulaParts(node, context);
    } else if (node.name === "sup" || node.name === "sub") {
      const inner = formulaParts(node, context);
      text += node.name === "sup" ? superscript(inner, text.slice(-1)) : subscript(inner, text.slice(-1));
    } else if (
      node.name === "graphic" ||
      node.name === "inline-graphic" ||
      node.name === "media" ||
      node.name === "object-id"
    )
      context.ledger.drop("graphic", node.characters);
    else text += formulaParts(node, context);
  }
  return text;
}

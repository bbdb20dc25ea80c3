/**
 * HTML to text that keeps what carries meaning: headings (`#`), lists (`- ` or `1. `, nested), tables (a row a line, cells between
 * ` | `), line breaks, and exponents (`10<sup>9</sup>/L` is `10^9/L`, never 109/L). Scripts, styles and forms go.
 * A stack of our own instead of recursion: a page nested a million deep is slow data, not a crash.
 */
import { type AnyNode, DomHandler, type Element, isTag, isText, type ParentNode } from "domhandler";
import { Parser } from "htmlparser2";
import { type ListStyle, listMark } from "./formatting/list-mark.ts";

const SKIPPED = new Set(
  "script style noscript template svg canvas iframe object embed head button select option textarea input map audio video".split(
    " ",
  ),
);
const BLOCKS = new Set(
  (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 " +
    "h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul"
  ).split(" "),
);
/** Browsers stop at 512. */
const MAX_DEPTH = 300;

export interface RenderOptions {
  /** Elements to leave out. */
  skip?: ((element: Element) => boolean) | undefined;
  /** Leave tables out (sources whose tables are layout only). */
  tables?: boolean | undefined;
  /** Level of the heading that a paragraph all in bold is taken for; such paragraphs stay text when left out. */
  boldHeadings?: number | undefined;
}

/** Builds the tree, but no deeper than any page goes: elements below are left out of the tree, their text is not. */
class ShallowHandler extends DomHandler {
  #skipped = 0;

  override onopentag(name: string, attributes: Record<string, string>): void {
    if (this.tagStack.length >= MAX_DEPTH) this.#skipped++;
    else super.onopentag(name, attributes);
  }

  override onclosetag(): void {
    if (this.#skipped > 0) this.#skipped--;
    else super.onclosetag();
  }
}

/** Parses HTML (fragment or page); never throws on bad markup. */
export function parseHtml(html: string): ParentNode {
  const handler = new ShallowHandler();
  new Parser(handler, { decodeEntities: true, lowerCaseTags: true }).end(html);
  return handler.root;
}

/** Text of a fragment of HTML. */
export function htmlToText(html: string, options: RenderOptions = {}): string {
  return renderText([...parseHtml(html).children], options);
}

/** Text of DOM nodes. Blocks are separated by one blank line, list items and table rows by a line break. */
export function renderText(nodes: readonly AnyNode[], options: RenderOptions = {}): string {
  const out = new TextBuilder();
  // An entry is a node still to open, or the closing of one whose children are done.
  const stack: ({ open: AnyNode } | { close: Element })[] = [];
  const push = (children: readonly AnyNode[]) => {
    for (let i = children.length - 1; i >= 0; i--) stack.push({ open: children[i]! });
  };
  push(nodes);
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    if ("close" in entry) {
      close(out, entry.close);
      continue;
    }
    const { open: node } = entry;
    if (isText(node)) out.text(node.data);
    else if (isTag(node)) {
      if (SKIPPED.has(node.name) || options.skip?.(node)) continue;
      if (node.name === "table" && options.tables === false) continue;
      if (node.name === "sup") {
        out.superscript(plainText(node));
        continue;
      }
      if (options.boldHeadings !== undefined && out.lists.length === 0 && out.inCell === 0 && isBoldLine(node)) {
        out.blank();
        out.raw(`${"#".repeat(options.boldHeadings)} ${plainText(node).replace(/\s+/g, " ").trim()}`);
        out.blank();
        continue;
      }
      open(out, node);
      stack.push({ close: node });
      push(node.children);
    } else if ("children" in node) push((node as ParentNode).children);
  }
  return out.end();
}

const BOLD = new Set(["b", "strong"]);
const HEADING_CHARACTERS = 120;

/** A short paragraph whose text is bold from end to end and is no sentence: how editors make headings by hand. */
function isBoldLine(element: Element): boolean {
  if (element.name !== "p" && element.name !== "div") return false;
  const text = plainText(element).trim();
  if (text === "" || text.length > HEADING_CHARACTERS || /[.;,:]$/.test(text)) return false;
  const stack = [...element.children];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isText(node)) {
      if (node.data.trim() !== "") return false;
    } else if (isTag(node) && !BOLD.has(node.name)) {
      if (BLOCKS.has(node.name) || node.name === "br") return false;
      stack.push(...node.children);
    }
  }
  return true;
}

function open(out: TextBuilder, element: Element): void {
  const { name } = element;
  if (/^h[1-6]$/.test(name)) {
    out.blank();
    out.prefix(`${"#".repeat(Number(name[1]))} `);
    out.heading = true;
  } else if (name === "br") out.lineBreak();
  else if (name === "hr") out.blank();
  else if (name === "ul" || name === "ol") {
    out.lists.length === 0 ? out.blank() : out.line();
    out.lists.push({
      style: name === "ol" ? listStyle(element) : undefined,
      next: wholeNumber(element.attribs.start) ?? 1,
    });
  } else if (name === "li") {
    out.line();
    out.prefix(`${"  ".repeat(Math.max(0, out.lists.length - 1))}${out.mark(wholeNumber(element.attribs.value))} `);
  } else if (name === "tr") {
    out.line();
    out.cells = 0;
  } else if (name === "td" || name === "th") {
    if (out.cells++ > 0) out.raw(" | ");
    out.inCell++;
  } else if (name === "pre") {
    out.blank();
    out.preformatted++;
  } else if (name === "table") out.inCell > 0 ? out.raw(" ") : out.blank();
  else if (BLOCKS.has(name)) out.block();
}

function close(out: TextBuilder, { name }: Element): void {
  if (/^h[1-6]$/.test(name)) {
    out.heading = false;
    out.blank();
  } else if (name === "ul" || name === "ol") {
    out.lists.pop();
    out.lists.length === 0 ? out.blank() : out.line();
  } else if (name === "li" || name === "tr") out.line();
  else if (name === "td" || name === "th") out.inCell--;
  else if (name === "pre") {
    out.preformatted--;
    out.blank();
  } else if (name === "table") out.inCell > 0 ? out.raw(" ") : out.blank();
  else if (BLOCKS.has(name)) out.block();
}

const STYLES_BY_TYPE: Readonly<Record<string, ListStyle>> = {
  a: "lower-alpha",
  A: "upper-alpha",
  i: "lower-roman",
  I: "upper-roman",
};

/** How an `ol` numbers its items: by its style sheet rule, its `type`, or 1, 2, 3; undefined where the page shows no numbers. */
function listStyle({ attribs }: Element): ListStyle | undefined {
  const [, named = ""] = /list-style(?:-type)?\s*:\s*([a-z-]+)/i.exec(attribs.style ?? "") ?? [];
  const style = named.toLowerCase().replace("latin", "alpha");
  if (style === "none" || style === "disc" || style === "circle" || style === "square") return undefined;
  if (style === "lower-alpha" || style === "upper-alpha" || style === "lower-roman" || style === "upper-roman")
    return style;
  return STYLES_BY_TYPE[attribs.type ?? ""] ?? "decimal";
}

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,6}$/.test(text.trim()) ? Number(text) : undefined;

/** All text below a node, in order, without layout. */
export function plainText(node: AnyNode): string {
  let text = "";
  const stack: AnyNode[] = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (isText(next)) text += next.data;
    else if ("children" in next) {
      if (isTag(next) && SKIPPED.has(next.name)) continue;
      const children = (next as ParentNode).children;
      for (let i = children.length - 1; i >= 0; i--) stack.push(children[i]!);
    }
  }
  return text;
}

/** Lines under construction: white space collapses as a browser would show it. */
class TextBuilder {
  #lines: string[] = [];
  #line = "";
  #prefix = "";
  #space = false;
  /** The lists around the place: how their items are marked, and the number of the next one. */
  readonly lists: { style: ListStyle | undefined; next: number }[] = [];
  cells = 0;
  /** > 0 inside a table cell: its blocks stay on the row's line. */
  inCell = 0;
  preformatted = 0;
  heading = false;

  text(data: string): void {
    if (this.preformatted > 0) {
      const parts = data.replaceAll("\r\n", "\n").split("\n");
      for (const [index, part] of parts.entries()) {
        if (index > 0) this.line();
        this.#line += part;
      }
      return;
    }
    const collapsed = data.replace(/[ \t\r\n\f\u00a0]+/g, " ");
    if (collapsed === "" || (collapsed === " " && this.#line === "")) return;
    if (collapsed[0] === " " && this.#line !== "") this.#space = true;
    const body = collapsed.trim();
    if (body === "") return;
    this.#put(body);
    this.#space = collapsed.endsWith(" ");
  }

  #put(text: string): void {
    if (this.#space && this.#line !== "" && !this.#line.endsWith(" ")) this.#line += " ";
    this.#space = false;
    if (this.#line === "" && this.#prefix !== "") {
      this.#line = this.#prefix;
      this.#prefix = "";
    }
    this.#line += text;
  }

  /** Exponents keep a mark, citation numbers become brackets (which cleaning knows), anything else is plain text. */
  superscript(raw: string): void {
    const text = raw.trim();
    if (text === "") return;
    const before = this.#line.trimEnd();
    // After a number, a unit or a lone letter (I^2, r^2, χ^2) it is an exponent.
    const exponent = /^[-−–+]?\d+$/.test(text) && /(\d|(^|[^\p{L}])((k|c|d|m|µ|μ|n)?m|min|\p{L}))$/u.test(before);
    if (exponent) this.raw(`^${text}`);
    else if (/^\[?\d{1,3}(\s*[,–-]\s*\d{1,3})*\]?$/.test(text)) this.raw(text.startsWith("[") ? text : `[${text}]`);
    else this.raw(text);
  }

  raw(text: string): void {
    this.#put(text);
  }

  /** Mark of the next item of the innermost list. */
  mark(stated: number | undefined): string {
    const list = this.lists.at(-1);
    if (!list) return "-";
    const number = stated ?? list.next;
    list.next = number + 1;
    return listMark(list.style, number);
  }

  prefix(text: string): void {
    this.#prefix = text;
  }

  lineBreak(): void {
    if (this.inCell > 0 || this.heading) this.#space = true;
    else this.line();
  }

  /** Ends the line, if it holds anything. */
  line(): void {
    const line = this.#line.trimEnd();
    this.#space = false;
    this.#line = "";
    if (line !== "" && !/^[\s|]*$/.test(line)) this.#lines.push(line);
    else if (this.preformatted > 0 && this.#lines.at(-1) !== "") this.#lines.push("");
  }

  /** Ends the line and leaves one blank line. */
  blank(): void {
    if (this.inCell > 0) {
      this.#space = true;
      return;
    }
    this.line();
    if (this.#lines.length > 0 && this.#lines.at(-1) !== "") this.#lines.push("");
  }

  /** The edge of a block: a paragraph outside lists and cells, a line within a list, a space within a cell. */
  block(): void {
    if (this.inCell > 0) this.#space = this.#line !== "";
    else if (this.lists.length > 0) this.#line === "" || this.#line === this.#prefix || this.line();
    else this.blank();
  }

  end(): string {
    this.line();
    return this.#lines.join("\n").trim();
  }
}

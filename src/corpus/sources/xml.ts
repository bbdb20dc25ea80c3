/**
 * A small XML tree for one record: elements, text, attributes on demand. What the general parsers do beyond that (namespaces,
 * DTDs, positions, events) costs more than the rest of a PubMed record, so this one does less: one pass over a string.
 *
 *   - Tags must balance, attributes must be quoted, `<` must open something: anything else throws XmlError with its offset.
 *   - Namespace prefixes are cut off ("mml:mi" is "mi"): JATS and PubMed names stay unambiguous without them.
 *   - Entities: the five of XML, numbers, HTML's names (JATS files use them through DTDs), and internal ones of the DOCTYPE with
 *     a budget, so that an entity bomb throws instead of filling the memory. External entities are never opened.
 */
import { decodeHTMLStrict } from "entities";
import { collapseSpace, isLayout } from "../formatting/space.ts";

export class XmlElement {
  readonly name: string;
  /** The start tag behind the name, as written; read it through `attribute`. */
  readonly attributes: string;
  readonly children: (XmlElement | string)[] = [];
  /** Characters of all text below (formatting/ledger.ts says what counts), when `count` was asked for. */
  characters = 0;

  constructor(name: string, attributes: string) {
    this.name = name;
    this.attributes = attributes;
  }
}

/** Malformed XML. `at` counts UTF-16 units from the start of the parsed string. */
export class XmlError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export interface XmlOptions {
  /** Elements left out, unread but for their end tag: the parts of a record that nobody asks for. */
  skip?: ReadonlySet<string>;
  /** Internal entities of the document's DOCTYPE. */
  entities?: ReadonlyMap<string, string>;
  /** Count the characters of every element, for readers that account for all of them, and make white space single spaces. */
  count?: boolean;
}

const MAX_DEPTH = 400;
const SPACE = 32;
const BANG = 33;
const QUESTION = 63;
const SLASH = 47;
const GREATER = 62;

/** The first element of `source` with everything in it. @throws {XmlError} */
export function parseXml(source: string, options: XmlOptions = {}): XmlElement {
  const { skip, count = false } = options;
  const decoder = new EntityDecoder(options.entities);
  const root = new XmlElement("", "");
  let current = root;
  const open: XmlElement[] = [];
  let position = 0;
  for (;;) {
    const tag = source.indexOf("<", position);
    if (tag !== position && current !== root) {
      const end = tag === -1 ? source.length : tag;
      addText(current, source, position, end, decoder, count);
    }
    if (tag === -1) break;
    const mark = source.charCodeAt(tag + 1);
    if (mark === SLASH) {
      const end = source.indexOf(">", tag);
      if (end === -1) throw new XmlError("an end tag that does not end", tag);
      if (current === root || !closes(source, tag + 2, end, current.name))
        throw new XmlError(
          `</${source.slice(tag + 2, Math.min(end, tag + 60))}> where ${current === root ? "nothing is open" : `</${current.name}> is due`}`,
          tag,
        );
      const parent = open.pop()!;
      parent.characters += current.characters;
      current = parent;
      position = end + 1;
      if (current === root) break;
    } else if (mark === BANG) {
      position = skipDeclaration(source, tag, current === root ? undefined : current, count);
    } else if (mark === QUESTION) {
      const end = source.indexOf("?>", tag + 2);
      if (end === -1) throw new XmlError("a processing instruction that does not end", tag);
      position = end + 2;
    } else {
      let nameEnd = tag + 1;
      let colon = tag;
      for (; ; nameEnd++) {
        const code = source.charCodeAt(nameEnd);
        if (code <= SPACE || code === GREATER || code === SLASH || Number.isNaN(code)) break;
        if (code === 58) colon = nameEnd;
        else if (code === 60) throw new XmlError("a second '<' inside a tag", nameEnd);
      }
      if (nameEnd === tag + 1 || !isNameStart(mark)) throw new XmlError("a '<' that opens no tag", tag);
      const name = source.slice(colon + 1, nameEnd);
      let end = nameEnd;
      let attributes = "";
      if (source.charCodeAt(nameEnd) !== GREATER) {
        end = tagEnd(source, nameEnd, tag);
        attributes = source.slice(nameEnd, end);
      }
      const selfClosing = source.charCodeAt(end - 1) === SLASH;
      position = end + 1;
      if (skip?.has(name)) {
        if (!selfClosing) position = skipElement(source, name, position, tag);
        continue;
      }
      const element = new XmlElement(name, attributes);
      current.children.push(element);
      if (!selfClosing) {
        if (open.push(current) > MAX_DEPTH) throw new XmlError(`elements nested more than ${MAX_DEPTH} deep`, tag);
        current = element;
      } else if (current === root) break;
    }
  }
  const first = root.children[0];
  if (current !== root) throw new XmlError(`the record ends inside <${current.name}>`, source.length);
  if (first === undefined || typeof first === "string") throw new XmlError("no element", 0);
  return first;
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
}

function closes(source: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length) return source.startsWith(name, start);
  const written = source.slice(start, end).trimEnd();
  return written === name || written.endsWith(`:${name}`);
}

/** The `>` of a start tag: quoted values may hold one. */
function tagEnd(source: string, from: number, tag: number): number {
  for (let i = from; ; i++) {
    const code = source.charCodeAt(i);
    if (code === GREATER) return i;
    if (code === 34 || code === 39) {
      i = source.indexOf(code === 34 ? '"' : "'", i + 1);
      if (i === -1) throw new XmlError("an attribute value that does not end", tag);
    } else if (code === 60 || Number.isNaN(code)) throw new XmlError("a start tag that does not end", tag);
  }
}

function addText(
  parent: XmlElement,
  source: string,
  start: number,
  end: number,
  decoder: EntityDecoder,
  count: boolean,
): void {
  if (end - start < 40 && source.charCodeAt(start) <= SPACE) {
    let i = start + 1;
    while (i < end && source.charCodeAt(i) <= SPACE) i++;
    if (i === end) {
      parent.children.push(" ");
      return;
    }
  }
  const written = source.slice(start, end);
  if (written.includes("&")) {
    const text = decoder.decode(written, start);
    parent.children.push(count ? counted(parent, text, 0, text.length) : text);
  } else parent.children.push(count ? counted(parent, source, start, end) : written);
}

/**
 * One look at each character: how many count, and whether the white space among them is anything but single spaces.
 * It looks at the whole source rather than at the piece: every look into a slice is a detour.
 */
function counted(parent: XmlElement, source: string, start: number, end: number): string {
  let count = 0;
  let layout = false;
  let plain = true;
  for (let i = start; i < end; i++) {
    const code = source.charCodeAt(i);
    if (code > SPACE && (code < 0x7f || !isLayout(code))) {
      count++;
      layout = false;
    } else {
      if (layout || code !== SPACE) plain = false;
      layout = true;
    }
  }
  parent.characters += count;
  const text = source.slice(start, end);
  return plain ? text : collapseSpace(text);
}

/** Comments, CDATA (added as text) and a DOCTYPE; @returns the place behind it. */
function skipDeclaration(source: string, tag: number, parent: XmlElement | undefined, count: boolean): number {
  if (source.startsWith("<!--", tag)) {
    const end = source.indexOf("-->", tag + 4);
    if (end === -1) throw new XmlError("a comment that does not end", tag);
    return end + 3;
  }
  if (source.startsWith("<![CDATA[", tag)) {
    const end = source.indexOf("]]>", tag + 9);
    if (end === -1) throw new XmlError("a CDATA section that does not end", tag);
    parent?.children.push(count ? counted(parent, source, tag + 9, end) : source.slice(tag + 9, end));
    return end + 3;
  }
  if (!source.startsWith("<!DOCTYPE", tag) || parent) throw new XmlError("a '<!' that opens nothing", tag);
  return doctypeEnd(source, tag);
}

/** Behind the `>` of a DOCTYPE, whose internal subset and quoted ids may hold more of them. */
function doctypeEnd(source: string, tag: number): number {
  let subset = false;
  for (let i = tag; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code === 34 || code === 39) {
      i = source.indexOf(code === 34 ? '"' : "'", i + 1);
      if (i === -1) break;
    } else if (code === 91) subset = true;
    else if (code === 93) subset = false;
    else if (code === GREATER && !subset) return i + 1;
  }
  throw new XmlError("a DOCTYPE that does not end", tag);
}

function skipElement(source: string, name: string, from: number, tag: number): number {
  const endTag = `</${name}>`;
  let depth = 1;
  let position = from;
  for (;;) {
    const end = source.indexOf(endTag, position);
    if (end === -1) throw new XmlError(`<${name}> does not end`, tag);
    // An element may hold its like (ReferenceList does): count the start tags on the way.
    for (let inner = source.indexOf(`<${name}`, position); inner !== -1 && inner < end; ) {
      const next = source.charCodeAt(inner + name.length + 1);
      if (next === GREATER || next <= SPACE) depth++;
      inner = source.indexOf(`<${name}`, inner + 1);
    }
    depth--;
    position = end + endTag.length;
    if (depth === 0) return position;
  }
}

// ── entities ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const MAX_EXPANSION = 1 << 20;
const MAX_ENTITY_DEPTH = 8;

class EntityDecoder {
  readonly #own: ReadonlyMap<string, string> | undefined;
  #budget = MAX_EXPANSION;

  constructor(own: ReadonlyMap<string, string> | undefined) {
    this.#own = own;
  }

  decode(text: string, at: number): string {
    if (!this.#own || this.#own.size === 0) return decodeEntities(text);
    return decodeEntities(this.#expand(text, at, 0));
  }

  #expand(text: string, at: number, depth: number): string {
    return text.replace(/&([A-Za-z_][\w.-]*);/g, (written, name: string) => {
      const value = this.#own?.get(name);
      if (value === undefined) return written;
      if (depth >= MAX_ENTITY_DEPTH) throw new XmlError(`entity &${name}; is nested too deep`, at);
      this.#budget -= value.length;
      if (this.#budget < 0) throw new XmlError("entities expand without end (an entity bomb)", at);
      return this.#expand(value, at, depth + 1).replace(/<[^>]*>/g, "");
    });
  }
}

/** What an entity (without & and ;) stands for, or undefined if no table knows it. */
function entityValue(name: string): string | undefined {
  switch (name) {
    case "lt":
      return "<";
    case "gt":
      return ">";
    case "amp":
      return "&";
    case "quot":
      return '"';
    case "apos":
      return "'";
  }
  const number = /^#(?:(\d{1,8})|[xX]([0-9a-fA-F]{1,6}))$/.exec(name);
  if (number) {
    const code = number[1] === undefined ? Number.parseInt(number[2]!, 16) : Number(number[1]);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\ufffd";
    return code < SPACE ? " " : String.fromCodePoint(code);
  }
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) return undefined;
  const value = decodeHTMLStrict(`&${name};`);
  return value.startsWith("&") ? undefined : value;
}

/** The same few hundred entities make up nearly all of them. */
const known = new Map<string, string | undefined>();
const MAX_KNOWN = 4096;
const MAX_ENTITY_NAME = 40;

/** Entities that no table knows stay as they are written: losing them would lose text. */
function decodeEntities(text: string): string {
  let decoded = "";
  let copied = 0;
  for (let start = text.indexOf("&"); start !== -1; ) {
    const end = text.indexOf(";", start + 1);
    if (end === -1) break;
    let value: string | undefined;
    if (end - start <= MAX_ENTITY_NAME) {
      const name = text.slice(start + 1, end);
      value = known.get(name);
      if (value === undefined && !known.has(name)) {
        value = entityValue(name);
        if (known.size < MAX_KNOWN) known.set(name, value);
      }
    }
    if (value === undefined) {
      start = text.indexOf("&", start + 1);
      continue;
    }
    decoded += text.slice(copied, start) + value;
    copied = end + 1;
    start = text.indexOf("&", copied);
  }
  return copied === 0 ? text : decoded + text.slice(copied);
}

/** Internal general entities of a DOCTYPE: `<!ENTITY name "value">`. External ones (SYSTEM, PUBLIC) are passed over. */
export function internalEntities(doctype: string): Map<string, string> {
  const entities = new Map<string, string>();
  const declaration = /<!ENTITY\s+([A-Za-z_][\w.-]*)\s+(?:"([^"]*)"|'([^']*)')\s*>/g;
  for (const [, name, double, single] of doctype.matchAll(declaration)) entities.set(name!, double ?? single ?? "");
  return entities;
}

// ── reading the tree ─────────────────────────────────────────────────────────────────────────────────────────────────

/** An attribute's value by local name ("href" finds `xlink:href`), entities decoded. */
export function attribute(element: XmlElement, name: string): string | undefined {
  const raw = element.attributes;
  for (let at = raw.indexOf(name); at !== -1; at = raw.indexOf(name, at + 1)) {
    const before = raw.charCodeAt(at - 1);
    if (before > SPACE && before !== 58) continue;
    let i = at + name.length;
    while (raw.charCodeAt(i) <= SPACE) i++;
    if (raw.charCodeAt(i) !== 61) continue;
    i++;
    while (raw.charCodeAt(i) <= SPACE) i++;
    const quote = raw[i];
    if (quote !== '"' && quote !== "'") continue;
    const value = raw.slice(i + 1, raw.indexOf(quote, i + 1));
    return value.includes("&") ? decodeEntities(value) : value;
  }
  return undefined;
}

/** The first child element of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  if (element === undefined) return undefined;
  for (const node of element.children) if (typeof node !== "string" && node.name === name) return node;
  return undefined;
}

export function childrenNamed(element: XmlElement | undefined, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  if (element !== undefined)
    for (const node of element.children) if (typeof node !== "string" && node.name === name) found.push(node);
  return found;
}

/** The first descendant of that name, in document order. */
export function descendant(element: XmlElement, name: string): XmlElement | undefined {
  for (const node of element.children) {
    if (typeof node === "string") continue;
    if (node.name === name) return node;
    const inner = descendant(node, name);
    if (inner) return inner;
  }
  return undefined;
}

export function descendants(element: XmlElement, name: string, found: XmlElement[] = []): XmlElement[] {
  for (const node of element.children) {
    if (typeof node === "string") continue;
    if (node.name === name) found.push(node);
    descendants(node, name, found);
  }
  return found;
}

/** All text below, as written, joined without anything between. */
export function textOf(element: XmlElement | undefined): string {
  if (element === undefined) return "";
  let text = "";
  for (const node of element.children) text += typeof node === "string" ? node : textOf(node);
  return text;
}

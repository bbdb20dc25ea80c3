/**
 * A small XML tree for one record: elements, text, attributes on demand. What the general parsers do beyond that (namespaces,
 * DTDs, positions, events) costs more than the rest of a PubMed record, so this one does less: one pass over the record's bytes.
 *
 *   - Tags must balance, attributes must be quoted, `<` must open something: anything else throws XmlError with its offset.
 *   - Namespace prefixes are cut off ("mml:mi" is "mi"): JATS and PubMed names stay unambiguous without them.
 *   - Entities: the five of XML, numbers, HTML's names (JATS files use them through DTDs), and internal ones of the DOCTYPE with
 *     a budget, so that an entity bomb throws instead of filling the memory. External entities are never opened.
 *
 * Bytes rather than a string, for looking at a byte costs a third of looking at a character of a string, and because one dash in an
 * article would make all of its strings two bytes wide. Text is cut out of the bytes read as Latin-1, at the same offsets; only
 * pieces that hold something else than ASCII are decoded. An element is made when it ends, with an array of exactly its children:
 * an array that grows takes room for sixteen, and most elements have one.
 */
import { decodeHTMLStrict } from "entities";
import { countCharacters, countInBytes } from "../formatting/ledger.ts";
import { collapseSpace, isLayout, isZeroWidth } from "../formatting/space.ts";

export class XmlElement {
  readonly name: string;
  /** The start tag behind the name, as written; read it through `attribute`. */
  readonly attributes: string;
  readonly children: readonly (XmlElement | string)[];
  /** Characters of all text below (formatting/ledger.ts says what counts), when `count` was asked for. */
  readonly characters: number;

  constructor(name: string, attributes: string, children: readonly (XmlElement | string)[], characters: number) {
    this.name = name;
    this.attributes = attributes;
    this.children = children;
    this.characters = characters;
  }
}

/** Malformed XML. `at` counts bytes from the start of what was parsed. */
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
  /** The element must be all of the source: anything behind it is an error. */
  whole?: boolean;
  /** With `count`: a part of the document that is counted as a whole and of which little is read. */
  excerpt?: XmlExcerpt;
}

/**
 * Below elements with this path under the root, text is counted but left out, and so are elements that hold none of those named here.
 * A bibliography is a third of an article and more than half of its elements; its titles and surnames are a tenth.
 */
export interface XmlExcerpt {
  path: readonly [string, string];
  /** "element": kept even when empty, with its attributes. "text": kept with all that it holds. */
  kept: ReadonlyMap<string, "element" | "text">;
}

const MAX_DEPTH = 400;
const SPACE = 32;
const BANG = 33;
const QUOTE = 34;
const HASH = 35;
const AMPERSAND = 38;
const APOSTROPHE = 39;
const SLASH = 47;
const COLON = 58;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;
const QUESTION = 63;

/** What a byte is in running text, as bits that a run of bytes adds up: 0 for one that only counts. */
const IS_LAYOUT = 1;
/** Layout other than a space. */
const IS_ODD_LAYOUT = 2;
/** An entity's `&`, or a part of a character beyond ASCII. */
const IS_WIDE = 4;
const IS_TAG = 8;
const MEANING = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === SPACE) return IS_LAYOUT;
  if (code < SPACE || code === 0x7f) return IS_LAYOUT | IS_ODD_LAYOUT;
  if (code === LESS) return IS_TAG;
  return code === AMPERSAND || code > 0x7f ? IS_WIDE : 0;
});

/**
 * The first element of `source` (UTF-8) with everything in it.
 * @throws {XmlError}
 */
export function parseXml(source: string | Uint8Array, options: XmlOptions = {}): XmlElement {
  return new XmlParser(source, options).parse();
}

const NONE: readonly never[] = [];
type Node = XmlElement | string;

class XmlParser {
  readonly #bytes: Buffer;
  /** The bytes as Latin-1: markup and ASCII text are cut out of it. */
  readonly #source: string;
  readonly #skip: ReadonlySet<string> | undefined;
  readonly #count: boolean;
  readonly #whole: boolean;
  readonly #excerpt: XmlExcerpt | undefined;
  readonly #decoder: EntityDecoder;
  /** Nodes whose parent has not ended yet; the children of the innermost open element come last. */
  readonly #nodes: Node[] = [];
  #nodeCount = 0;
  /** Characters of the innermost open element so far. */
  #characters = 0;
  /** The last start tag holds more than ASCII. */
  #wideTag = false;

  constructor(source: string | Uint8Array, { skip, count = false, whole = false, excerpt, entities }: XmlOptions) {
    this.#bytes =
      typeof source === "string"
        ? Buffer.from(source)
        : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    this.#source = this.#bytes.toString("latin1");
    this.#skip = skip;
    this.#count = count;
    this.#whole = whole;
    this.#excerpt = excerpt;
    this.#decoder = new EntityDecoder(entities);
  }

  parse(): XmlElement {
    const bytes = this.#bytes;
    const source = this.#source;
    const length = bytes.length;
    const skip = this.#skip;
    const excerpt = this.#excerpt;
    /** Inside an excerpt, and not inside an element of it that is kept with its text. */
    let bare = false;
    /** Depth of the innermost open element that turned `bare` on, and of the one that turned it off. */
    let excerptDepth = -1;
    let textDepth = -1;
    // What is known of the open elements, outermost first.
    const names: string[] = [];
    const attributesOf: string[] = [];
    const nameStarts: number[] = [];
    const nameEnds: number[] = [];
    const firstNodes: number[] = [];
    const charactersBefore: number[] = [];
    let depth = 0;
    let position = 0;
    for (;;) {
      let tag: number;
      if (depth === 0) tag = source.indexOf("<", position);
      else if (bare) tag = this.#bareText(position);
      else tag = this.#count ? this.#countedText(position) : this.#text(position);
      if (tag === -1 || tag === length) break;
      const mark = bytes[tag + 1];
      if (mark === SLASH) {
        if (depth === 0) throw new XmlError(`${this.#shown(tag)} where nothing is open`, tag);
        const name = names[--depth]!;
        position = this.#closingEnd(tag, name, nameStarts[depth]!, nameEnds[depth]!);
        const firstNode = firstNodes[depth]!;
        if (depth === excerptDepth) {
          bare = false;
          excerptDepth = -1;
        } else if (depth === textDepth) {
          bare = true;
          textDepth = -1;
        } else if (bare && firstNode === this.#nodeCount && !excerpt!.kept.has(name)) {
          this.#characters += charactersBefore[depth]!;
          continue;
        }
        const element = new XmlElement(name, attributesOf[depth]!, this.#takeNodes(firstNode), this.#characters);
        this.#characters += charactersBefore[depth]!;
        if (depth === 0) return this.#root(element, position);
        this.#push(element);
      } else if (mark === BANG) {
        position = this.#skipDeclaration(tag, depth > 0);
      } else if (mark === QUESTION) {
        const end = source.indexOf("?>", tag + 2);
        if (end === -1) throw new XmlError("a processing instruction that does not end", tag);
        position = end + 2;
      } else {
        let nameEnd = tag + 1;
        let nameStart = nameEnd;
        let hash = 0;
        for (; nameEnd < length; nameEnd++) {
          const code = bytes[nameEnd]!;
          if (code <= SPACE || code === GREATER || code === SLASH) break;
          if (code === COLON) {
            nameStart = nameEnd + 1;
            hash = 0;
          } else if (code === LESS) throw new XmlError("a second '<' inside a tag", nameEnd);
          else hash = (Math.imul(hash, 31) + code) | 0;
        }
        if (nameEnd === tag + 1 || !isNameStart(mark)) throw new XmlError("a '<' that opens no tag", tag);
        const name = this.#name(nameStart, nameEnd, hash);
        const kept = bare ? excerpt!.kept.get(name) : undefined;
        let end = nameEnd;
        let attributes = "";
        if (bytes[nameEnd] !== GREATER) {
          end = this.#tagEnd(nameEnd, tag);
          if (!bare || kept !== undefined)
            attributes = this.#wideTag ? this.#cut(nameEnd, end) : source.slice(nameEnd, end);
        }
        const selfClosing = bytes[end - 1] === SLASH;
        position = end + 1;
        if (skip?.has(name)) {
          if (!selfClosing) position = this.#skipElement(name, position, tag);
        } else if (selfClosing) {
          if (bare && kept === undefined) continue;
          const element = new XmlElement(name, attributes, NONE, 0);
          if (depth === 0) return this.#root(element, position);
          this.#push(element);
        } else {
          if (depth === MAX_DEPTH) throw new XmlError(`elements nested more than ${MAX_DEPTH} deep`, tag);
          names[depth] = name;
          attributesOf[depth] = attributes;
          nameStarts[depth] = tag + 1;
          nameEnds[depth] = nameEnd;
          firstNodes[depth] = this.#nodeCount;
          charactersBefore[depth] = this.#characters;
          this.#characters = 0;
          if (kept === "text") {
            bare = false;
            textDepth = depth;
          } else if (
            depth === 2 &&
            excerpt !== undefined &&
            name === excerpt.path[1] &&
            names[1] === excerpt.path[0] &&
            excerptDepth === -1
          ) {
            bare = true;
            excerptDepth = depth;
          }
          depth++;
        }
      }
    }
    if (depth > 0) throw new XmlError(`the record ends inside <${names[depth - 1]}>`, length);
    throw new XmlError("no element", 0);
  }

  #root(element: XmlElement, end: number): XmlElement {
    if (this.#whole && end !== this.#bytes.length) throw new XmlError(`something stands behind <${element.name}>`, end);
    return element;
  }

  #push(node: Node): void {
    this.#nodes[this.#nodeCount++] = node;
  }

  #takeNodes(from: number): readonly Node[] {
    const nodes = this.#nodes;
    const count = this.#nodeCount - from;
    this.#nodeCount = from;
    switch (count) {
      case 0:
        return NONE;
      case 1:
        return [nodes[from]!];
      case 2:
        return [nodes[from]!, nodes[from + 1]!];
      default:
        return nodes.slice(from, from + count);
    }
  }

  /** Text up to the next `<`, as written; @returns where that is. */
  #text(start: number): number {
    const found = this.#source.indexOf("<", start);
    const end = found === -1 ? this.#bytes.length : found;
    if (end === start) return end;
    const bytes = this.#bytes;
    if (end - start < 40 && bytes[start]! <= SPACE) {
      let i = start + 1;
      while (i < end && bytes[i]! <= SPACE) i++;
      if (i === end) {
        this.#push(" ");
        return end;
      }
    }
    const text = this.#cut(start, end);
    this.#push(text.includes("&") ? this.#decoder.decode(text, start) : text);
    return end;
  }

  /** The same with white space made single spaces, and its characters counted, in one look at each byte. */
  #countedText(start: number): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    let end = start;
    let spaces = 0;
    // Without branches but the one that ends it: every second word would be a wrong guess of the processor.
    let all = 0;
    let doubled = 0;
    for (let before = 0; end < length; end++) {
      const meaning = MEANING[bytes[end]!]!;
      if (meaning === IS_TAG) break;
      all |= meaning;
      spaces += meaning & IS_LAYOUT;
      doubled |= meaning & before;
      before = meaning;
    }
    if (end === start) return end;
    if (spaces === end - start) this.#push(" ");
    else if (all & IS_WIDE) this.#wideText(start, end);
    else {
      this.#characters += end - start - spaces;
      const text = this.#source.slice(start, end);
      this.#push(((doubled & IS_LAYOUT) | (all & IS_ODD_LAYOUT)) === 0 ? text : collapseSpace(text));
    }
    return end;
  }

  /** Text that is counted only. */
  #bareText(start: number): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    let end = start;
    let layout = 0;
    let all = 0;
    for (; end < length; end++) {
      const meaning = MEANING[bytes[end]!]!;
      if (meaning === IS_TAG) break;
      all |= meaning;
      layout += meaning & IS_LAYOUT;
    }
    if ((all & IS_WIDE) === 0) this.#characters += end - start - layout;
    else if (this.#decoder.hasOwn)
      this.#characters += countCharacters(this.#decoder.decode(this.#cut(start, end), start));
    else {
      let count = countInBytes(bytes, start, end);
      for (let i = start; i < end; i++) {
        if (bytes[i] !== AMPERSAND) continue;
        const stop = entityEnd(bytes, i + 1, end);
        const value = stop === -1 ? undefined : knownEntity(this.#source.slice(i + 1, stop));
        if (value === undefined) continue;
        count += countCharacters(value) - (stop + 1 - i);
        i = stop;
      }
      this.#characters += count;
    }
    return end;
  }

  /** Text with entities or beyond ASCII: decoded, white space made single spaces, and counted, in one pass. */
  #wideText(start: number, end: number): void {
    if (this.#decoder.hasOwn) {
      this.#pushCounted(this.#decoder.decode(this.#cut(start, end), start));
      return;
    }
    const bytes = this.#bytes;
    // No entity stands for more units than its name has bytes.
    if (scratch.length < end - start) {
      scratch = new Uint16Array(2 * (end - start));
      scratchBytes = Buffer.from(scratch.buffer);
    }
    const units = scratch;
    let length = 0;
    for (let i = start; i < end; ) {
      const code = bytes[i]!;
      if (code < 0x80) {
        i++;
        if (code !== AMPERSAND) {
          units[length++] = code;
          continue;
        }
        const stop = entityEnd(bytes, i, end);
        const unit = stop === -1 ? -1 : hexadecimalUnit(bytes, i, stop);
        const value = stop === -1 || unit !== -1 ? undefined : knownEntity(this.#source.slice(i, stop));
        if (unit !== -1) units[length++] = unit;
        else if (value === undefined) {
          units[length++] = code;
          continue;
        } else for (let k = 0; k < value.length; k++) units[length++] = value.charCodeAt(k);
        i = stop + 1;
      } else if (code < 0xe0) {
        units[length++] = ((code & 0x1f) << 6) | (bytes[i + 1]! & 0x3f);
        i += 2;
      } else if (code < 0xf0) {
        units[length++] = ((code & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f);
        i += 3;
      } else {
        const high = ((code & 0x07) << 18) | ((bytes[i + 1]! & 0x3f) << 12);
        const point = high | ((bytes[i + 2]! & 0x3f) << 6) | (bytes[i + 3]! & 0x3f);
        units[length++] = 0xd800 + ((point - 0x10000) >> 10);
        units[length++] = 0xdc00 + (point & 0x3ff);
        i += 4;
      }
    }
    // In place: what is written never overtakes what is read.
    let written = 0;
    let count = 0;
    for (let i = 0; i < length; i++) {
      const code = units[i]!;
      if (code > SPACE && (code < 0x7f || !isLayout(code))) {
        units[written++] = code;
        count++;
        continue;
      }
      let visible = !isZeroWidth(code);
      for (; i + 1 < length && isLayout(units[i + 1]!); i++) visible ||= !isZeroWidth(units[i + 1]!);
      if (visible) units[written++] = SPACE;
    }
    this.#characters += count;
    this.#push(scratchBytes.toString("utf16le", 0, 2 * written));
  }

  #pushCounted(text: string): void {
    this.#characters += countCharacters(text);
    this.#push(collapseSpace(text));
  }

  /** The string of these bytes. */
  #cut(start: number, end: number): string {
    const bytes = this.#bytes;
    for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return bytes.toString("utf8", start, end);
    return this.#source.slice(start, end);
  }

  #name(start: number, end: number, hash: number): string {
    const bytes = this.#bytes;
    const slot = hash & (NAMES - 1);
    const length = end - start;
    const at = slot * NAME_BYTES;
    if (nameBytes[at] === length) {
      let i = 1;
      while (i <= length && nameBytes[at + i] === bytes[start + i - 1]) i++;
      if (i > length) return knownNames[slot]!;
    }
    const name = internalized(this.#cut(start, end));
    if (length > 0 && length < NAME_BYTES) {
      knownNames[slot] = name;
      nameBytes[at] = length;
      nameBytes.set(bytes.subarray(start, end), at + 1);
    }
    return name;
  }

  /** Behind the `>` of an end tag that must close `name`, which was opened as written from `nameStart` to `nameEnd`. */
  #closingEnd(tag: number, name: string, nameStart: number, nameEnd: number): number {
    const bytes = this.#bytes;
    let at = tag + 2;
    let i = nameStart;
    for (; i < nameEnd && bytes[at] === bytes[i]; i++) at++;
    if (i === nameEnd && bytes[at] === GREATER) return at + 1;
    // A space before the `>`, another prefix.
    const end = this.#source.indexOf(">", tag);
    if (end === -1) throw new XmlError("an end tag that does not end", tag);
    const written = this.#cut(tag + 2, end).trimEnd();
    if (written !== name && !written.endsWith(`:${name}`))
      throw new XmlError(`${this.#shown(tag)} where </${name}> is due`, tag);
    return end + 1;
  }

  /** An end tag for a message. */
  #shown(tag: number): string {
    const end = this.#source.indexOf(">", tag);
    if (end === -1) throw new XmlError("an end tag that does not end", tag);
    return `</${this.#cut(tag + 2, Math.min(end, tag + 60))}>`;
  }

  /** The `>` of a start tag: quoted values may hold one. */
  #tagEnd(from: number, tag: number): number {
    const bytes = this.#bytes;
    const { length } = bytes;
    let all = 0;
    for (let i = from; i < length; i++) {
      const code = bytes[i]!;
      if (code === GREATER) {
        this.#wideTag = all > 0x7f;
        return i;
      }
      if (code === QUOTE || code === APOSTROPHE) {
        for (i++; i < length; i++) {
          const inside = bytes[i]!;
          if (inside === code) break;
          all |= inside;
        }
        if (i === length) throw new XmlError("an attribute value that does not end", tag);
      } else if (code === LESS) break;
    }
    throw new XmlError("a start tag that does not end", tag);
  }

  /** Comments, CDATA (added as text) and a DOCTYPE; @returns the place behind it. */
  #skipDeclaration(tag: number, inside: boolean): number {
    const source = this.#source;
    if (source.startsWith("<!--", tag)) {
      const end = source.indexOf("-->", tag + 4);
      if (end === -1) throw new XmlError("a comment that does not end", tag);
      return end + 3;
    }
    if (source.startsWith("<![CDATA[", tag)) {
      const end = source.indexOf("]]>", tag + 9);
      if (end === -1) throw new XmlError("a CDATA section that does not end", tag);
      if (inside) {
        const text = this.#cut(tag + 9, end);
        if (this.#count) this.#pushCounted(text);
        else this.#push(text);
      }
      return end + 3;
    }
    if (!source.startsWith("<!DOCTYPE", tag) || inside) throw new XmlError("a '<!' that opens nothing", tag);
    return this.#doctypeEnd(tag);
  }

  /** Behind the `>` of a DOCTYPE, whose internal subset and quoted ids may hold more of them. */
  #doctypeEnd(tag: number): number {
    const bytes = this.#bytes;
    let subset = false;
    for (let i = tag; i < bytes.length; i++) {
      const code = bytes[i]!;
      if (code === QUOTE || code === APOSTROPHE) {
        i = bytes.indexOf(code, i + 1);
        if (i === -1) break;
      } else if (code === 91) subset = true;
      else if (code === 93) subset = false;
      else if (code === GREATER && !subset) return i + 1;
    }
    throw new XmlError("a DOCTYPE that does not end", tag);
  }

  #skipElement(name: string, from: number, tag: number): number {
    const source = this.#source;
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
}

function isNameStart(code: number | undefined): boolean {
  return (
    code !== undefined && ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128)
  );
}

/** Element names by a hash of their bytes, so that the same name is the same string, and comparing two is comparing addresses. */
const NAMES = 4096;
const knownNames: string[] = new Array(NAMES).fill("");
/** Their lengths and bytes. */
const NAME_BYTES = 32;
const nameBytes = new Uint8Array(NAMES * NAME_BYTES);

/** The engine's one copy of a string: what a property is called. */
const internalized = (name: string): string => Object.keys({ [name]: 0 })[0]!;

// ── entities ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const MAX_EXPANSION = 1 << 20;
const MAX_ENTITY_DEPTH = 8;

class EntityDecoder {
  readonly #own: ReadonlyMap<string, string> | undefined;
  #budget = MAX_EXPANSION;

  readonly hasOwn: boolean;

  constructor(own: ReadonlyMap<string, string> | undefined) {
    this.#own = own;
    this.hasOwn = own !== undefined && own.size > 0;
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

function knownEntity(name: string): string | undefined {
  let value = known.get(name);
  if (value === undefined && !known.has(name)) {
    value = entityValue(name);
    if (known.size < MAX_KNOWN) known.set(name, value);
  }
  return value;
}

/** The `;` of an entity whose name starts here, or -1: this `&` is only one. */
function entityEnd(bytes: Uint8Array, from: number, end: number): number {
  const most = Math.min(end, from + MAX_ENTITY_NAME);
  for (let i = from; i < most; i++) {
    if (bytes[i] === SEMICOLON) return i;
    if (bytes[i] === AMPERSAND) return -1;
  }
  return -1;
}

/** What `#x2013` stands for, as one UTF-16 unit of text; -1 for every other name. */
function hexadecimalUnit(bytes: Uint8Array, from: number, stop: number): number {
  if (bytes[from] !== HASH || (bytes[from + 1]! | 32) !== 120 || stop - from > 8 || stop - from < 4) return -1;
  let unit = 0;
  for (let i = from + 2; i < stop; i++) {
    const code = bytes[i]!;
    const letter = code | 32;
    if (code >= 48 && code <= 57) unit = (unit << 4) | (code - 48);
    else if (letter >= 97 && letter <= 102) unit = (unit << 4) | (letter - 87);
    else return -1;
  }
  return unit < SPACE || (unit >= 0xd800 && unit <= 0xdfff) || unit > 0xffff ? -1 : unit;
}

/** Entities that no table knows stay as they are written: losing them would lose text. */
function decodeEntities(text: string): string {
  let decoded = "";
  let copied = 0;
  for (let start = text.indexOf("&"); start !== -1; ) {
    const end = text.indexOf(";", start + 1);
    if (end === -1) break;
    const value = end - start <= MAX_ENTITY_NAME ? knownEntity(text.slice(start + 1, end)) : undefined;
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

/** Where text beyond ASCII is put together; it grows to the longest piece. */
let scratch = new Uint16Array(1 << 14);
let scratchBytes = Buffer.from(scratch.buffer);

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

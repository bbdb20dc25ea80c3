/** Running text with its citations, mentions of figures and tables, and formulas written as MEDITRON's special tokens. */
import type { Citation, Float, FloatReference, Inline, Reference } from "./article.ts";
import { countCharacters, type Ledger } from "./ledger.ts";
import { collapseSpace, squeezeSpaces } from "./space.ts";

const MAX_WORDS = 12;
/** A caption longer than this is cut at its first stop when it is only mentioned. */
const SHORT_CAPTION = 20;
/** More citations than this in one range is a wrong link, not a range. */
const MAX_RANGE = 60;

/** What most often begins the text behind a reference; no separator does. */
const BEHIND = ")].";
/** What may stand between two references of one group: "1, 2", "1–5", "Figures 1 and 2". */
const SEPARATOR = /^[\s,;&/–—‐‑‒−-]*(?:and|or|to)?\s*$/;
const DASH = /^\s*[–—‐‑‒−-]\s*$/;
const FLOAT_WORD = /(?:^|[\s([])((?:supplementary\s+|supp\.?\s+)?(?:fig(?:ure)?s?\.?|tab(?:le)?s?\.?)\s*)$/i;
const URL = /([([<]\s*)?(?:\bdoi:?\s*)?\b(?:https?:\/\/|ftp:\/\/|www\.)[^\s<>"]*[^\s<>"'.,;:!?)\]}](\/?\s*[)\]>])?/gi;
const MAY_HOLD_URL = /:\/\/|www\./;
const SPECIAL_TOKEN = /\[(\/?(?:bib_ref|fig_ref|bib|fig|table|formula))\]/g;

interface Token {
  text: string;
  characters: number;
}

/** How a figure or table is mentioned: "3", "Fig. 3", "Figure 3B" ... */
interface Mentions {
  name: string;
  number: string | undefined;
  /** Beginning of the caption. */
  summary: string;
  tokens: Map<string, Token>;
}

export class ReferenceFormatter {
  readonly #references: ReadonlyMap<string, Reference>;
  readonly #floats: ReadonlyMap<string, Float>;
  readonly #ledger: Ledger;
  readonly #citations = new Map<string, Token>();
  readonly #mentions = new Map<string, Mentions>();
  #order: { ids: string[]; index: Map<string, number>; byLabel: Map<string, string> } | undefined;

  constructor(references: ReadonlyMap<string, Reference>, floats: ReadonlyMap<string, Float>, ledger: Ledger) {
    this.#references = references;
    this.#floats = floats;
    this.#ledger = ledger;
  }

  /** One line of text. */
  format(content: readonly Inline[]): string {
    if (content.length === 0) return "";
    if (content.length === 1 && typeof content[0] === "string") return this.#clean(content[0]).trim();
    const line = new Line();
    /** What is left of content[i], when a reference before it took its beginning. */
    let rest: string | undefined;
    for (let i = 0; i < content.length; ) {
      const node = content[i]!;
      if (typeof node === "string") {
        line.addText(this.#clean(rest ?? node));
        rest = undefined;
        i++;
      } else if (node.type === "formula") {
        const formula = squeezeSpaces(node.text).trim();
        if (formula !== "") line.addToken(this.formula(formula));
        i++;
      } else {
        const group: (Citation | FloatReference)[] = [node];
        const separators: string[] = [];
        let next = i + 1;
        for (; next < content.length; next++) {
          const between = content[next]!;
          const separated = typeof between === "string" && !BEHIND.includes(between[0]!) && SEPARATOR.test(between);
          const candidate = separated ? content[next + 1] : between;
          if (candidate === undefined || typeof candidate === "string" || candidate.type === "formula") break;
          separators.push(separated ? between : "");
          group.push(candidate);
          if (separated) next++;
        }
        const after = content[next];
        rest = this.#group(line, group, separators, typeof after === "string" ? after : undefined);
        i = next;
      }
    }
    return line.finish();
  }

  formula(text: string): string {
    this.#ledger.insert("[formula][/formula]");
    return `[formula] ${this.#clean(text)} [/formula]`;
  }

  /**
   * References that stand together, with the brackets around them: `(1, 2)`, `[3–5]`, `(Figure 1; Smith 2004)`.
   * @returns what they leave of the text behind them.
   */
  #group(
    line: Line,
    group: readonly (Citation | FloatReference)[],
    separators: readonly string[],
    textAfter: string | undefined,
  ): string | undefined {
    let after = textAfter;
    const rendered: { text: string; token: boolean }[] = [];
    for (let i = 0; i < group.length; i++) {
      const node = group[i]!;
      if (node.type === "citation") {
        const ranged = i > 0 && DASH.test(separators[i - 1]!) ? group[i - 1] : undefined;
        rendered.push(this.#citation(node, ranged?.type === "citation" ? ranged : undefined));
        continue;
      }
      const last = i === group.length - 1;
      const float = this.#floats.get(node.target);
      if (!float) {
        rendered.push({ text: this.#clean(node.text), token: false });
        continue;
      }
      // "Figure <ref>3</ref>": the mention brings the word itself.
      if (!/[a-z]{3}/i.test(node.text)) {
        if (i === 0) {
          const word = FLOAT_WORD.exec(line.tail(24))?.[1];
          if (word !== undefined) {
            line.takeBack(word.length);
            this.#ledger.drop("reference-label", word);
          }
        }
      }
      // "<ref>Figure 3</ref>A,B": the panels belong to the name.
      let panels = "";
      if (last && after !== undefined && /\d$/.test(node.text)) {
        panels = /^[A-Za-z](?:\s?[-–,/]\s?[A-Za-z])*(?![A-Za-z])/.exec(after)?.[0] ?? "";
        after = after.slice(panels.length);
      }
      this.#ledger.drop("reference-label", node.text + panels);
      rendered.push({ text: this.#mention(float, node.text + panels), token: true });
    }
    const tail = line.tail(4);
    const bracketed =
      after !== undefined &&
      (tail.includes("(") || tail.includes("[")) &&
      rendered.every((part) => part.token || part.text === "");
    const opening = bracketed ? /[([]\s*$/.exec(tail)?.[0] : undefined;
    const closing = opening ? /^\s*[)\]]/.exec(after!)?.[0] : undefined;
    if (opening && closing && (opening[0] === "(") === closing.endsWith(")")) {
      this.#ledger.drop("reference-punctuation", 2);
      line.takeBack(opening.length);
      after = after!.slice(closing.length);
    }
    let empty = true;
    rendered.forEach((part, i) => {
      if (i > 0) {
        const separator = separators[i - 1]!;
        const previous = rendered[i - 1]!;
        const spoken =
          group[i]!.type === "float-reference" ||
          group[i - 1]!.type === "float-reference" ||
          !part.token ||
          !previous.token;
        // Between citations that became tokens, and next to one that resolved to nothing, punctuation has lost its sense.
        if (spoken && part.text !== "" && !empty) line.addText(separator);
        else this.#ledger.drop("reference-punctuation", separator);
      }
      if (part.text === "") return;
      if (part.token) line.addToken(part.text);
      else line.addText(part.text);
      empty = false;
    });
    if (empty) line.addGap();
    return after;
  }

  #citation(citation: Citation, rangeFrom: Citation | undefined): { text: string; token: boolean } {
    const targets = this.#expand(citation, rangeFrom);
    let text = "";
    let characters = 0;
    for (const target of targets) {
      const token = this.#citationToken(target);
      if (token.text === "") continue;
      text += text === "" ? token.text : ` ${token.text}`;
      characters += token.characters;
    }
    if (text === "") {
      // A name and a year say something without their bibliography entry; a bare number does not.
      if (/\p{L}{2}/u.test(citation.text)) return { text: this.#clean(citation.text), token: false };
      this.#ledger.drop("citation-unresolved", citation.text);
      return { text: "", token: true };
    }
    this.#ledger.drop("citation-label", citation.text);
    this.#ledger.insert(characters);
    return { text, token: true };
  }

  /** The ids meant: "3–5" linked at its ends or as one link, "1,2,7" linked to the first only. */
  #expand(citation: Citation, rangeFrom: Citation | undefined): readonly string[] {
    const { targets, text } = citation;
    const from = rangeFrom?.targets.at(-1);
    if (from !== undefined && targets.length > 0) {
      const { ids, index } = this.#bibliography();
      const start = index.get(from);
      const end = index.get(targets[0]!);
      if (start !== undefined && end !== undefined && end > start + 1 && end - start <= MAX_RANGE)
        return [...ids.slice(start + 1, end), ...targets];
    }
    if (targets.length === 1 && text.length > 2 && /\d\s*[-–—‐‑,;]\s*\d/.test(text) && !/\p{L}/u.test(text)) {
      const { byLabel } = this.#bibliography();
      const labels: number[] = [];
      for (const [, first, last] of text.matchAll(/(\d{1,4})(?:\s*[-–—‐‑]\s*(\d{1,4}))?/g)) {
        const end = Math.min(Number(last ?? first), Number(first) + MAX_RANGE);
        for (let label = Number(first); label <= end; label++) labels.push(label);
      }
      const ids = labels.map((label) => byLabel.get(String(label)));
      if (ids.includes(targets[0]!) && ids.every((id) => id !== undefined)) return ids;
    }
    return targets;
  }

  #bibliography() {
    if (!this.#order) {
      const ids = [...this.#references.keys()];
      const byLabel = new Map<string, string>();
      for (const [id, { label }] of this.#references) if (label !== "" && !byLabel.has(label)) byLabel.set(label, id);
      this.#order = { ids, index: new Map(ids.map((id, i) => [id, i])), byLabel };
    }
    return this.#order;
  }

  #citationToken(id: string): Token {
    let token = this.#citations.get(id);
    if (token === undefined) {
      const reference = this.#references.get(id);
      const title = reference ? shorten(tidy(reference.title)) : "";
      const author = reference ? tidy(reference.author) : "";
      const text = title === "" || author === "" ? "" : `[bib_ref] ${title}, ${author} [/bib_ref]`;
      token = { text, characters: countCharacters(text) };
      this.#citations.set(id, token);
    }
    return token;
  }

  #mention(float: Float, text: string): string {
    let mentions = this.#mentions.get(float.id);
    if (mentions === undefined) {
      const name = floatName(float);
      mentions = { name, number: /\d+$/.exec(name)?.[0], summary: captionSummary(float.caption), tokens: new Map() };
      this.#mentions.set(float.id, mentions);
    }
    let token = mentions.tokens.get(text);
    if (token === undefined) {
      const { name, number, summary } = mentions;
      const panels =
        text === "" || number === undefined
          ? undefined
          : new RegExp(`\\b${number}\\s*([A-Za-z](?:\\s?[-–,/]\\s?[A-Za-z])*)\\W*$`).exec(text)?.[1];
      const written = `[fig_ref] ${name}${panels ?? ""}${summary === "" ? "" : `: ${summary}`} [/fig_ref]`;
      token = { text: written, characters: countCharacters(written) };
      mentions.tokens.set(text, token);
    }
    this.#ledger.insert(token.characters);
    return token.text;
  }

  /** Text of the source without URLs, and without anything that reads as one of our tokens. */
  #clean(text: string): string {
    let clean = text;
    if (MAY_HOLD_URL.test(clean)) {
      clean = clean.replace(URL, (url, opening: string | undefined, closing: string | undefined) => {
        let kept = "";
        if (opening && !closing) kept = opening;
        if (closing && !opening) kept = closing;
        this.#ledger.replace("url", url, kept);
        return kept;
      });
      // Where an address stood, two spaces may meet.
      clean = squeezeSpaces(clean);
    }
    return clean.includes("[") ? clean.replace(SPECIAL_TOKEN, "($1)") : clean;
  }
}

/**
 * A line under construction: tokens stand apart from words, but not from the punctuation behind them. It is kept in parts, for
 * looking at the end of a string that still grows copies all of it.
 */
class Line {
  readonly #parts: string[] = [];
  /** The last part, as long as it may change. */
  #last = "";
  #afterToken = false;

  addToken(token: string): void {
    const spaced = this.#last === "" ? this.#parts.length > 0 : !" ([".includes(this.#last[this.#last.length - 1]!);
    this.#parts.push(this.#last, spaced ? ` ${token}` : token);
    this.#last = "";
    this.#afterToken = true;
  }

  addText(text: string): void {
    if (text === "") return;
    if (!this.#afterToken) {
      if (this.#last === "") this.#last = text;
      else this.#last += text[0] === " " && this.#last.endsWith(" ") ? text.slice(1) : text;
      return;
    }
    if (text.trim() === "") {
      this.#last = " ";
      return;
    }
    this.#afterToken = false;
    this.#last = "";
    const next = text[0]!;
    if (".,;:)]".includes(next)) this.#last = text;
    else if (next <= " " || next === "\u00a0") this.#last = /^\s+[.,;:)\]]/.test(text) ? text.trimStart() : text;
    else this.#last = "-–’'".includes(next) && /^.[\p{L}\p{N}]/u.test(text) ? text : ` ${text}`;
  }

  /** Something was here that left nothing: what follows closes up. */
  addGap(): void {
    this.#parts.push(this.#last.trimEnd());
    this.#last = "";
    this.#afterToken = true;
  }

  /** The end of the text behind the last token. */
  tail(length: number): string {
    return this.#last.slice(-length);
  }

  /** Removes from that end: brackets, or the word "Figure" that a mention brings itself. */
  takeBack(length: number): void {
    this.#last = this.#last.slice(0, this.#last.length - length);
    if (this.#last.trim() === "" && this.#parts.length > 0) this.#afterToken = true;
  }

  finish(): string {
    this.#parts.push(this.#last);
    return this.#parts.join("").trim();
  }
}

/** One line without a stop at its end. */
function tidy(text: string): string {
  const line = collapseSpace(text);
  const safe = line.includes("[") ? line.replace(SPECIAL_TOKEN, "($1)") : line;
  let end = safe.length;
  while (end > 0 && " .,;:".includes(safe[end - 1]!)) end--;
  return safe.slice(0, end).trimStart();
}

/** The first twelve words, with `...` when there are more. */
export function shorten(text: string): string {
  let end = -1;
  for (let words = 0; words < MAX_WORDS; words++) {
    end = text.indexOf(" ", end + 1);
    if (end === -1) return text;
  }
  return `${text.slice(0, end)}...`;
}

/** What a caption begins with, as far as its first stop. */
export function captionSummary(caption: readonly Inline[]): string {
  const plain = squeezeSpaces(caption.map((node) => (typeof node === "string" ? node : node.text)).join("")).replace(
    SPECIAL_TOKEN,
    "($1)",
  );
  let text = plain.trim().replace(/^(?:[\s.,:;)]|\([A-Za-z0-9]\)|[A-Z]\))+/, "");
  if (text.length > SHORT_CAPTION) {
    // A stop is no decimal point and no initial: white space follows it.
    const stop = text.slice(1).search(/[.;:](?=\s|$)|[()]/);
    if (stop !== -1) text = text.slice(0, stop + 1);
  }
  return shorten(text.trim().replace(/[.;:,]+$/, ""));
}

/** "Fig. 3." → "Figure 3", "2" → "Table 2", "" → "Figure". */
export function floatName({ kind, label }: Pick<Float, "kind" | "label">): string {
  const word = kind === "table" ? "Table" : "Figure";
  const text = collapseSpace(label)
    .replace(SPECIAL_TOKEN, "($1)")
    .trim()
    .replace(/[\s.:,;|–—-]+$/, "");
  if (text === "") return word;
  if (/^[\d(]/.test(text) || /^[A-Z]?\d+[A-Za-z]?$/.test(text)) return `${word} ${text}`;
  return text
    .replace(/^fig(?:ure|\.)?s?\.?\s*(?=\d|[A-Z]\d)/i, "Figure ")
    .replace(/^tab(?:le|\.)?\.?\s*(?=\d|[A-Z]\d|[IVX])/i, "Table ");
}

/**
 * Cleaning: what MEDITRON meant to remove (SPEC 1a.2) without what it hit. Its patterns took any `<...>` and `[...]` out, so
 * "p < 0.05 and q > 3" became "p  3"; made bullets of words that begin with "o"; and dropped every line without a letter,
 * numeric doses among them. Here each rule names what it is after, looks at what stands around it, and reports each removal
 * under its name: `corpus inspect --diff` shows them all.
 */
import type { Document, DocumentKind } from "./document.ts";
import { withText } from "./document.ts";

/** Called for each change: the rule, the text before and what stands in its place. */
export type CleaningReport = (rule: string, before: string, after: string) => void;

export interface CleaningRule {
  name: string;
  /** For people, one line. */
  explain: string;
  apply(text: string, report: CleaningReport): string;
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function rule(
  name: string,
  explain: string,
  pattern: RegExp,
  replacement: string | ((match: RegExpExecArray) => string),
  guard?: string,
): CleaningRule {
  const apply = (text: string, report: CleaningReport): string => {
    if (guard !== undefined && !text.includes(guard)) return text;
    let out = "";
    let from = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      if (match[0] === "") {
        pattern.lastIndex++;
        continue;
      }
      const after = typeof replacement === "string" ? replacement : replacement(match);
      if (after === match[0]) continue;
      report(name, match[0], after);
      out += text.slice(from, match.index) + after;
      from = pattern.lastIndex;
    }
    return from === 0 ? text : out + text.slice(from);
  };
  return { name, explain, apply };
}

const TAGS =
  "a|abbr|b|big|br|caption|center|cite|code|col|colgroup|dd|del|dfn|div|dl|dt|em|figcaption|figure|font|h[1-6]|hr|i|iframe|img|input|ins|" +
  "kbd|li|mark|ol|p|pre|q|s|section|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var";
/** A tag is a known name with `name=value` attributes only: "<b and c>" in an inequality is none. */
const HTML_TAG = new RegExp(
  `<!--[\\s\\S]{0,10000}?-->|</(${TAGS})\\s*>|<(${TAGS})(?:\\s+[a-zA-Z:-]+\\s*=\\s*(?:"[^"<>]*"|'[^'<>]*'|[^\\s"'<>=]+))*\\s*/?>`,
  "gi",
);
const LINE_TAG = /^(br|p|div|li|tr|h[1-6]|table|ul|ol|section|hr)$/i;

const ENTITIES: Record<string, string> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", ndash: "–", mdash: "—", le: "≤", ge: "≥", plusmn: "±", deg: "°", micro: "µ",
  times: "×", alpha: "α", beta: "β", gamma: "γ", delta: "δ", mu: "μ", rsquo: "’", lsquo: "‘", ldquo: "“", rdquo: "”", bull: "•", hellip: "…",
}; // biome-ignore format: a table

/** Words after which a bracketed number is a figure (a score, a range, an interval) and no citation. */
const FIGURE_BEFORE =
  /(?:\d|%|=|<|>|≤|≥|±|~|\b(?:CI|IQR|SD|SE|range|interval|median|mean|average|between|from|score[sd]?|scale|grade[sd]?|level|stage|class|type|phase|group|age[sd]?|years?|months?|weeks?|days?|hours?|OR|HR|RR|AUC|ICC|dose|doses|mg|kg|ml|mL|mmol|mol|µg|mcg|units?|ratio|p|P|r|n|N|to|of|or))[\s:,(]*$/;
const CITATION = /(\s?)\[(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\](?![({\w])/g;

/** A bracket holds citations if its numbers rise, begin at 1 or more, and what stands before it is prose. */
function isCitation(match: RegExpExecArray): boolean {
  const numbers = match[2]!.split(/\D+/).map(Number);
  if (numbers[0] === 0 || numbers.some((number, i) => i > 0 && number <= numbers[i - 1]!)) return false;
  const before = match.input.slice(Math.max(0, match.index - 40), match.index);
  if (before.trim() === "" || /\n\s*$/.test(before)) return false;
  return !FIGURE_BEFORE.test(before) && /[\p{L}.,;:)\]”"'’]$/u.test(before);
}

const PARTNERS: Record<string, string> = { "(": ")", "[": "]", "<": ">" };

/** Sentence marks at the end of a URL belong to the sentence; so does a bracket that the URL did not open. */
function urlTail(url: string): string {
  let end = url.length;
  for (; end > 0; end--) {
    const last = url[end - 1]!;
    if (/[.,;:!?'"’”]/.test(last)) continue;
    if (last === ")" && (url.slice(0, end).match(/\(/g) ?? []).length < (url.slice(0, end).match(/\)/g) ?? []).length)
      continue;
    break;
  }
  return url.slice(end);
}

/** Windows-1252 for 0x80-0x9f: what UTF-8 bytes turn into when read as Windows text. */
const WINDOWS_1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** "â€™" was UTF-8 read as Windows-1252 or Latin-1: back to "’". Text that is not exactly that stays as it is. */
function repairEncoding(garbled: string): string {
  const bytes = Uint8Array.from(garbled, (character) => {
    const windows = WINDOWS_1252.indexOf(character);
    return windows === -1 ? character.charCodeAt(0) : 0x80 + windows;
  });
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return garbled;
  }
}

export const CLEANING_RULES = [
  rule("line-ending", "Windows and old Mac line ends become \\n", /\r\n?|\u2028|\u2029/g, "\n"),
  {
    name: "unicode",
    explain: "half surrogates become U+FFFD; composed characters (NFC), so that equal text has equal bytes",
    apply(text, report) {
      const whole = wellFormed(text);
      // ASCII is its own composed form, and most abstracts are ASCII.
      const composed = /[\u0300-\uffff]/.test(whole) ? whole.normalize("NFC") : whole;
      if (composed !== text) report("unicode", "", "");
      return composed;
    },
  },
  rule(
    "mojibake",
    "UTF-8 that was once read as Windows-1252 (â€™ for ’) is read again as what it is",
    new RegExp(`[\\u00c2-\\u00f4][\\u0080-\\u00bf${WINDOWS_1252}]{1,3}`, "g"),
    (match) => repairEncoding(match[0]),
  ),
  rule(
    "control-character",
    "control characters, zero-width and direction marks, soft hyphens",
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the rule is about
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+/g,
    "",
  ),
  rule(
    "html-tag",
    "tags of HTML by name; the text within stays, and an inequality is no tag",
    HTML_TAG,
    (match) => (LINE_TAG.test(match[1] ?? match[2] ?? "") ? "\n" : ""),
    "<",
  ),
  rule(
    "html-entity",
    "&amp;, &lt;, &#8805; ... become their character",
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi,
    (match) => {
      const code = match[1] ? Number(match[1]) : match[2] ? Number.parseInt(match[2], 16) : undefined;
      if (code === undefined) return ENTITIES[match[3]!] ?? match[0];
      const valid = code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
      return valid ? String.fromCodePoint(code) : match[0];
    },
    "&",
  ),
  rule(
    "markdown-link",
    "the target of [text](target) and the whole of ![image](target); the text stays",
    /(!?)\[([^\][\n]*)\]\((?:https?:\/\/|www\.|mailto:|\/|#|\.{1,2}\/|[\w./-]+\.(?:html?|pdf|aspx?|php|png|jpe?g|gif|svg))[^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"\n]*")?\)/g,
    (match) => (match[1] === "!" ? "" : match[2]!),
    "](",
  ),
  rule(
    "url",
    "web addresses, with the brackets that hold nothing else",
    /(?:[([<]\s?)?\b(?:(?:https?|ftp):\/\/|www\.)[^\s<>"[\]{}|\\^`]+[\]>]?/gi,
    (match) => {
      const opening = /^[([<]\s?/.exec(match[0])?.[0] ?? "";
      const url = match[0].slice(opening.length);
      const closer = /[\]>]$/.exec(url)?.[0] ?? "";
      const tail = urlTail(url.slice(0, url.length - closer.length)) + closer;
      const partner = PARTNERS[opening[0] ?? ""];
      return partner !== undefined && tail.startsWith(partner) ? tail.slice(1) : opening + tail;
    },
    ".",
  ),
  rule(
    "citation-number",
    "numbered references such as [3] or [1,4-6] after prose; scores, ranges and intervals in brackets stay",
    CITATION,
    (match) => (isCitation(match) ? "" : match[0]),
    "[",
  ),
  rule(
    "list-bullet",
    "bullet characters at the start of a line, and the hollow bullet 'o' under another bullet, become '- '",
    /^([ \t]*)(?:[•●◦‣∙·\uf0b7\uf0a7\uf0d8▪■□◆◇○➢✓✔][ \t]*(?=\S)|[*+][ \t]+(?=[^\s\d]))/gm,
    (match) => `${match[1]}- `,
  ),
  rule("list-bullet", "", /(?<=^[ \t]*- .*\n)([ \t]*)o(?:\t|[ ]{2,})[ \t]*(?=\S)/gm, (match) => `${match[1]}- `),
  rule(
    "odd-character",
    "ornaments, private-use characters and replacement marks",
    /[◆▪■□●\ue000-\uf8ff\ufffd]+ ?/g,
    "",
  ),
  rule(
    "quote-marker",
    "a leading '>' of quoted text; '> 65 years' is an inequality and stays",
    /^[ \t]*>(?:[ \t]*>)*[ \t]*(?=[\p{Lu}"“*#-])/gmu,
    "",
  ),
  rule(
    "ruler-line",
    "lines of three or more marks only (----, ****, |---|---|); numbers and a finding of '+++' stay",
    /^[ \t]*(?:[-=_*~#:.•·^](?:[ \t]*[-=_*~#:.•·^]){2,}|[|+][-=+|: \t]*[-=]{2}[-=+|: \t]*)[ \t]*(?:\n|$)/gm,
    "",
  ),
  {
    name: "heading-level",
    explain: "the highest heading becomes '#', none is deeper than '###'",
    apply(text, report) {
      if (!/^#/m.test(text)) return text;
      let highest = 6;
      for (const [, marks] of text.matchAll(/^(#{1,6}) (?=\S)/gm)) highest = Math.min(highest, marks!.length);
      return text.replace(/^(#{1,6}) (?=\S)/gm, (before, marks: string) => {
        const after = `${"#".repeat(Math.min(3, marks.length - highest + 1))} `;
        if (after !== before) report("heading-level", before, after);
        return after;
      });
    },
  },
  {
    name: "space",
    explain: "runs of blanks within a line become one; one blank line before a heading",
    apply: (text) =>
      text
        .replace(/[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ")
        .replace(/(\S) {2,}/g, "$1 ")
        .replace(/(?<! ) +([,.;])(?=\s|$)/g, "$1")
        .replace(/(\w) +\)/g, "$1)")
        .replace(/([^\n])\n(#{1,3} )/g, "$1\n\n$2"),
  },
  {
    name: "blank-line",
    explain: "blanks at line ends go; more than one blank line in a row becomes one; none at the ends",
    apply: (text) =>
      text
        .replace(/(?<![ \t])[ \t]+$/gm, "")
        .replace(/\n{3,}/g, "\n\n")
        .replace(/^\n+/, "")
        .trimEnd(),
  },
] as const satisfies CleaningRule[];

export type CleaningRuleName = (typeof CLEANING_RULES)[number]["name"];

const BASIC = ["line-ending", "unicode", "control-character", "blank-line"];

/**
 * Rules by kind. Papers come formatted by their reader and abstracts are short prose: brackets there are statistics. Replay is
 * general text and code, in which blanks carry meaning.
 */
export const CLEANING_PROFILES: Readonly<Record<DocumentKind, readonly string[]>> = {
  guideline: CLEANING_RULES.map((r) => r.name),
  abstract: [...BASIC, "html-tag", "html-entity", "url", "space"],
  paper: [...BASIC, "url", "space"],
  replay: BASIC,
  other: [...BASIC, "mojibake", "html-tag", "html-entity", "markdown-link", "url", "list-bullet", "space"],
};

// ── use ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Cleans one text. @param rules - Names of the rules to apply; their order is always that of `CLEANING_RULES`. */
export function cleanText(text: string, rules: readonly string[], report: CleaningReport = () => {}): string {
  let cleaned = text;
  for (const cleaning of CLEANING_RULES) if (rules.includes(cleaning.name)) cleaned = cleaning.apply(cleaned, report);
  return cleaned;
}

/** Cleans a document by its kind's rules (or those given). The title loses markup and line breaks. */
export function cleanDocument(
  document: Document,
  profiles: Partial<Record<DocumentKind, readonly string[]>> = {},
  report?: CleaningReport,
): Document {
  const rules = profiles[document.kind] ?? CLEANING_PROFILES[document.kind];
  const text = cleanText(document.text, rules, report);
  const title = cleanText(document.title, [...BASIC, "html-tag", "html-entity"])
    .replace(/\s+/g, " ")
    .trim();
  const cleaned = text === document.text ? document : withText(document, text);
  return title === cleaned.title ? cleaned : { ...cleaned, title };
}

/** `String.prototype.toWellFormed`, which TypeScript's library for our target does not know. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

// ── audit ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface RuleAudit {
  rule: string;
  documents: number;
  removals: number;
  /** Characters taken out less characters put in their place. */
  characters: number;
  samples: { id: string; before: string; after: string }[];
}

const SAMPLES = 25;
const SAMPLES_PER_DOCUMENT = 2;
const SAMPLE_CHARACTERS = 200;

/** Collects what cleaning did, rule by rule, with the first samples of each, two of a document at most. */
export class CleaningAudit {
  #rules = new Map<string, RuleAudit & { last: string; ofLast: number }>();
  charactersIn = 0;
  charactersOut = 0;

  /** Cleans a document and keeps count. */
  clean(document: Document, profiles?: Partial<Record<DocumentKind, readonly string[]>>): Document {
    const cleaned = cleanDocument(document, profiles, (name, before, after) => {
      let audit = this.#rules.get(name);
      if (!audit) {
        audit = { rule: name, documents: 0, removals: 0, characters: 0, samples: [], last: "", ofLast: 0 };
        this.#rules.set(name, audit);
      }
      if (audit.last !== document.id) {
        audit.documents++;
        audit.last = document.id;
        audit.ofLast = 0;
      }
      audit.removals++;
      audit.characters += before.length - after.length;
      if (audit.samples.length < SAMPLES && audit.ofLast++ < SAMPLES_PER_DOCUMENT)
        audit.samples.push({ id: document.id, before: sample(before), after: sample(after) });
    });
    this.charactersIn += document.text.length;
    this.charactersOut += cleaned.text.length;
    return cleaned;
  }

  summary(): CleaningSummary {
    const rules = [...this.#rules.values()].map(({ last: _, ofLast: __, ...audit }) => audit);
    return { charactersIn: this.charactersIn, charactersOut: this.charactersOut, rules: rules.sort(byRule) };
  }
}

export interface CleaningSummary {
  charactersIn: number;
  charactersOut: number;
  rules: RuleAudit[];
}

/** Adds up the summaries of several sources, in order. */
export function mergeCleaning(summaries: readonly CleaningSummary[]): CleaningSummary {
  const rules = new Map<string, RuleAudit>();
  for (const summary of summaries)
    for (const audit of summary.rules) {
      const sum = rules.get(audit.rule) ?? { rule: audit.rule, documents: 0, removals: 0, characters: 0, samples: [] };
      sum.documents += audit.documents;
      sum.removals += audit.removals;
      sum.characters += audit.characters;
      sum.samples = [...sum.samples, ...audit.samples].slice(0, SAMPLES);
      rules.set(audit.rule, sum);
    }
  return {
    charactersIn: summaries.reduce((sum, s) => sum + s.charactersIn, 0),
    charactersOut: summaries.reduce((sum, s) => sum + s.charactersOut, 0),
    rules: [...rules.values()].sort(byRule),
  };
}

const byRule = (a: RuleAudit, b: RuleAudit) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
const sample = (text: string) => (text.length <= SAMPLE_CHARACTERS ? text : `${text.slice(0, SAMPLE_CHARACTERS)}…`);

/** From fragments on pages to text: reading order by columns, running heads out, headings by font, paragraphs by spacing. */
import type { Fragment, PdfPage } from "./pdf-glyphs.ts";

/** Fragments that stand side by side in one column, as one line. */
interface Line extends Fragment {
  page: number;
  pageHeight: number;
}

// ── reading order ──────────────────────────────────────────────────────────────────────────────────────────────────────

const MIN_COLUMN_LINES = 4;
const MIN_GUTTER = 6;

/**
 * Fragments in reading order. A gutter is an x that most fragments leave free, with enough of them on both sides; those that
 * cross it (titles, wide tables) cut the page into bands, and within a band the left column is read before the right one.
 */
export function readingOrder(fragments: readonly Fragment[]): Fragment[] {
  const byPlace = [...fragments].sort((a, b) => b.baseline - a.baseline || a.left - b.left);
  const gutter = findGutter(byPlace);
  if (gutter === undefined) return byPlace;
  const ordered: Fragment[] = [];
  let left: Fragment[] = [];
  let right: Fragment[] = [];
  const flush = () => {
    ordered.push(...readingOrder(left), ...readingOrder(right));
    left = [];
    right = [];
  };
  const width = Math.max(...fragments.map((f) => f.right)) - Math.min(...fragments.map((f) => f.left));
  for (const fragment of byPlace) {
    const [before, after] = [gutter - fragment.left, fragment.right - gutter];
    // A line that runs over by a glyph belongs to its column; one that stands on both sides is a title or a wide table.
    if (Math.min(before, after) > 0.08 * width) {
      flush();
      ordered.push(fragment);
    } else (before > after ? left : right).push(fragment);
  }
  flush();
  return ordered;
}

function findGutter(fragments: readonly Fragment[]): number | undefined {
  if (fragments.length < 2 * MIN_COLUMN_LINES) return undefined;
  const from = Math.min(...fragments.map((f) => f.left));
  const to = Math.max(...fragments.map((f) => f.right));
  let best: { x: number; crossing: number } | undefined;
  // Candidates: just left of where fragments begin.
  const starts = new Map<number, number>();
  for (const { left } of fragments) starts.set(Math.round(left), (starts.get(Math.round(left)) ?? 0) + 1);
  for (const [start, count] of starts) {
    if (count < MIN_COLUMN_LINES - 1 || start < from + 0.15 * (to - from) || start > from + 0.85 * (to - from))
      continue;
    const x = start - 1;
    let crossing = 0;
    let leftCharacters = 0;
    let rightCharacters = 0;
    let leftLines = 0;
    let rightLines = 0;
    const rights: number[] = [];
    for (const fragment of fragments) {
      if (fragment.right <= x) {
        leftLines++;
        leftCharacters += fragment.text.length;
        rights.push(fragment.right);
      } else if (fragment.left >= x) {
        rightLines++;
        rightCharacters += fragment.text.length;
      } else crossing++;
    }
    if (leftLines < MIN_COLUMN_LINES || rightLines < MIN_COLUMN_LINES || crossing > 0.35 * fragments.length) continue;
    // A page number may stand in the gutter: the edge is where nearly all lines end.
    const edge = rights.sort((a, b) => a - b)[Math.floor(0.95 * (rights.length - 1))]!;
    if (start - edge < MIN_GUTTER) continue;
    // Columns of running text fill their width; a table's columns or a list's numbers do not.
    const fill = (characters: number, lines: number) => characters / lines;
    if (fill(leftCharacters, leftLines) < 18 || fill(rightCharacters, rightLines) < 18) continue;
    if (!best || crossing < best.crossing) best = { x, crossing };
  }
  return best?.x;
}

/** Neighbours on one baseline become one line; wide gaps within it are the borders of cells. */
function joinLines(fragments: readonly Fragment[], page: number, pageHeight: number): Line[] {
  const lines: Line[] = [];
  for (const fragment of fragments) {
    const last = lines.at(-1);
    const reach = 0.4 * Math.max(fragment.size, last?.size ?? 0);
    if (last && Math.abs(last.baseline - fragment.baseline) < reach && fragment.left >= last.right - reach) {
      const cells = fragment.left - last.right > 2 * fragment.size && !/^([•–-]|\(?\w{1,4}[.)])$/.test(last.text);
      last.text += `${cells ? " | " : " "}${fragment.text}`;
      last.right = Math.max(last.right, fragment.right);
      last.top = Math.max(last.top, fragment.top);
      last.bottom = Math.min(last.bottom, fragment.bottom);
      last.bold &&= fragment.bold;
    } else lines.push({ ...fragment, page, pageHeight });
  }
  return lines;
}

// ── running heads ──────────────────────────────────────────────────────────────────────────────────────────────────────

const MARGIN_FRACTION = 0.12;
const PAGE_NUMBER =
  /^(?:[-–—\s]*(?:page|p\.|seite)?\s*(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:of|\/|\|)\s*\d{1,4})?[-–—\s]*)$/i;

function isInMargin(line: Line): boolean {
  return line.baseline > (1 - MARGIN_FRACTION) * line.pageHeight || line.baseline < MARGIN_FRACTION * line.pageHeight;
}

/** Lines in the margins whose text, numbers aside, stands there on several pages; and page numbers. */
function withoutRunningHeads(lines: readonly Line[], pages: number): Line[] {
  const key = (line: Line) =>
    `${line.baseline > line.pageHeight / 2 ? "head" : "foot"} ${line.text.replace(/\d+/g, "#").toLowerCase().replace(/\s+/g, " ")}`;
  const seen = new Map<string, Set<number>>();
  for (const line of lines)
    if (isInMargin(line)) {
      const on = seen.get(key(line)) ?? new Set();
      on.add(line.page);
      seen.set(key(line), on);
    }
  const enough = Math.max(2, Math.min(4, Math.ceil(pages / 3)));
  return lines.filter((line) => {
    if (!isInMargin(line)) return true;
    if (PAGE_NUMBER.test(line.text)) return false;
    return (seen.get(key(line))?.size ?? 0) < enough;
  });
}

// ── blocks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const HEADING_SCALE = 1.12;
const HEADING_CHARACTERS = 150;
/** Bullets, and the characters without meaning that symbol fonts have for them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: symbol fonts put bullets there
const BULLET = /^(?:[•●◦▪■□–➢✓]|[\ue000-\uf8ff\u0001-\u001f\u007f-\u009f]|[o*](?=\s))\s*/;
const CAPTION = /^(?:figure|fig\.|table|box)\s*\d+\s*[.:|]/i;
const NUMBERED = /^(?:\(?\d{1,2}[.)]|\(?[a-z][.)])\s+/;
const NUMBERED_HEADING = /^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[A-Z]\.|[IVX]{1,5}\.)\s+\p{Lu}/u;
const KNOWN_HEADING =
  /^(?:abstract|introduction|background|methods?|results?|discussion|conclusions?|references|acknowledge?ments?|recommendations?|summary|appendix.*|table of contents|contents)$/i;

/** Title and text of a document. */
export function layoutText(pages: readonly PdfPage[]): { title: string; text: string } {
  const all = pages.flatMap((page, i) => joinLines(readingOrder(page.fragments), i, page.height));
  const lines = withoutRunningHeads(all, pages.length);
  if (lines.length === 0) return { title: "", text: "" };
  const body = bodySize(lines);
  const titleLines = findTitle(lines, body);
  const title = joinWrapped(
    titleLines.map((line) => line.text),
    new Map(),
  );
  const rest = lines.filter((line) => !titleLines.includes(line));

  const isHeading = (line: Line, index: number): boolean => {
    const { text } = line;
    if (text.length > HEADING_CHARACTERS || !/\p{L}{2,}/u.test(text) || text.includes(" | ")) return false;
    if (line.size >= body * HEADING_SCALE) return !/[.;,]$/.test(text) || line.size >= 1.4 * body;
    if (line.size < body - 1) return false;
    const previous = rest[index - 1];
    const begins =
      !previous ||
      previous.page !== line.page ||
      gap(previous, line) > 1.25 * line.size ||
      previous.baseline < line.baseline;
    if (KNOWN_HEADING.test(text.replace(/^[\d.\s]+/, ""))) return line.bold || begins;
    return line.bold && begins && !/[.;,:]$/.test(text) && (NUMBERED_HEADING.test(text) || /^\p{Lu}/u.test(text));
  };

  const sizes = new Set<number>();
  const headings = rest.map(isHeading);
  for (const [i, line] of rest.entries()) if (headings[i]) sizes.add(line.size);
  const levels = [...sizes].sort((a, b) => b - a);

  const words = wordCounts(rest);
  const blocks: Block[] = [];
  let paragraph: Line[] = [];
  let heading: Line[] = [];
  const flush = () => {
    if (paragraph.length > 0) blocks.push({ text: formatParagraph(paragraph, words), size: paragraph[0]!.size });
    if (heading.length > 0) {
      const text = joinWrapped(
        heading.map((line) => line.text),
        words,
      );
      const numbered = /^(\d{1,2}(?:\.\d{1,2}){0,3})\.?\s/.exec(text)?.[1];
      const level = numbered ? numbered.split(".").length : 1 + levels.indexOf(heading[0]!.size);
      blocks.push({ text: `${"#".repeat(Math.min(3, level))} ${text}`, size: heading[0]!.size });
    }
    paragraph = [];
    heading = [];
  };
  for (const [i, line] of rest.entries()) {
    const previous = rest[i - 1];
    if (headings[i]) {
      const continues =
        heading.length > 0 &&
        previous!.size === line.size &&
        previous!.bold === line.bold &&
        gap(previous!, line) < 1.6 * line.size;
      if (!continues || NUMBERED_HEADING.test(line.text)) flush();
      heading.push(line);
      continue;
    }
    if (heading.length > 0) flush();
    if (paragraph.length > 0 && startsParagraph(paragraph, line)) flush();
    paragraph.push(line);
  }
  flush();
  return { title, text: mergeAcross(blocks).join("\n\n") };
}

/** Distance of baselines; a jump to a new column or page is none. */
function gap(previous: Line, line: Line): number {
  return previous.page === line.page && previous.baseline > line.baseline ? previous.baseline - line.baseline : 0;
}

/** The font size of most of the text. */
function bodySize(lines: readonly Line[]): number {
  const counts = new Map<number, number>();
  for (const line of lines) counts.set(line.size, (counts.get(line.size) ?? 0) + line.text.length);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** The largest text in the upper part of the first page that has any, if it is larger than the body. */
function findTitle(lines: readonly Line[], body: number): Line[] {
  const first = lines[0]!.page;
  const upper = lines.filter(
    (line) => line.page === first && line.baseline > 0.3 * line.pageHeight && /\p{L}{3,}/u.test(line.text),
  );
  const largest = upper.reduce((size, line) => Math.max(size, line.size), 0);
  if (largest < body * HEADING_SCALE) return [];
  const start = upper.findIndex((line) => line.size === largest);
  const title = [upper[start]!];
  for (const line of upper.slice(start + 1)) {
    if (line.size < largest - 0.5 || gap(title.at(-1)!, line) > 2 * largest) break;
    title.push(line);
  }
  return title.reduce((sum, line) => sum + line.text.length, 0) <= 400 ? title : [];
}

function startsParagraph(paragraph: readonly Line[], line: Line): boolean {
  const previous = paragraph.at(-1)!;
  if (BULLET.test(line.text) || CAPTION.test(line.text) || line.text.includes(" | ") !== previous.text.includes(" | "))
    return true;
  if (NUMBERED.test(line.text) && /[.:;)]$/.test(previous.text)) return true;
  if (Math.abs(line.size - previous.size) > 1) return true;
  const moved = previous.page !== line.page || previous.baseline <= line.baseline;
  if (moved) return false; // a new column or page: `mergeAcross` looks at the text
  const leading = paragraph.length > 1 ? gap(paragraph.at(-2)!, previous) : 0;
  const distance = gap(previous, line);
  if (distance > 1.9 * line.size || (leading > 0 && distance > 1.35 * leading)) return true;
  const indented = line.left - previous.left > 0.8 * line.size && line.left - paragraph[0]!.left > 0.8 * line.size;
  return indented && /[.!?:]["”)]?$/.test(previous.text) && !BULLET.test(paragraph[0]!.text);
}

function formatParagraph(lines: readonly Line[], words: ReadonlyMap<string, number>): string {
  // Rows of a table keep their lines.
  if (lines.some((line) => line.text.includes(" | "))) return lines.map((line) => line.text).join("\n");
  const text = joinWrapped(
    lines.map((line) => line.text),
    words,
  );
  return BULLET.test(text) ? `- ${text.replace(BULLET, "")}` : text;
}

interface Block {
  text: string;
  size: number;
}

/** A paragraph that a column, a page, a figure or a footnote cut in two (no end mark before, no capital after) is one again. */
function mergeAcross(blocks: readonly Block[]): string[] {
  const merged: Block[] = [];
  for (const block of blocks) {
    let before = merged.length - 1;
    while (before > 0 && (CAPTION.test(merged[before]!.text) || merged[before]!.size < block.size)) before--;
    const last = merged[before];
    const open = last?.size === block.size && !/^#| \| /.test(last.text) && /[\p{Ll}\d,;-]$/u.test(last.text);
    const goesOn = /^[\p{Ll}\d(]/u.test(block.text) && !block.text.includes(" | ") && !NUMBERED.test(block.text);
    if (open && goesOn) last.text = joinWrapped([last.text, block.text], new Map());
    else if (merged.at(-1)?.text.startsWith("- ") && block.text.startsWith("- "))
      merged.at(-1)!.text += `\n${block.text}`;
    else merged.push({ ...block });
  }
  return merged.map(({ text }) => text);
}

// ── hyphenation ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How often each word stands within lines: what decides whether "anti-/body" was "antibody". */
function wordCounts(lines: readonly Line[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of lines)
    for (const [word] of text.matchAll(/\p{L}[\p{L}-]*\p{L}/gu))
      counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
  return counts;
}

/** Lines as one text; a hyphen at a line's end goes unless the document writes the word with it elsewhere. */
export function joinWrapped(lines: readonly string[], words: ReadonlyMap<string, number>): string {
  let text = "";
  for (const line of lines) {
    const [, before] = /(\p{L}+)[-\u2010\u00ad]$/u.exec(text) ?? [];
    const [, after] = /^(\p{Ll}+)/u.exec(line) ?? [];
    if (before !== undefined && after !== undefined) {
      const hyphenated = words.get(`${before}-${after}`.toLowerCase()) ?? 0;
      const joined = words.get(`${before}${after}`.toLowerCase()) ?? 0;
      text = hyphenated > joined ? text + line : text.slice(0, -1) + line;
    } else if (/[\p{L}\d]-$/u.test(text))
      text += line; // "CD4-" + "Positive", "10-" + "20"
    else text += text === "" ? line : ` ${line}`;
  }
  return text;
}

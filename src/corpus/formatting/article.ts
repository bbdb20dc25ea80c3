/**
 * The MEDITRON text of a scientific article (SPEC 1b.3), from one tree that every source builds: JATS, S2ORC, CORD-19.
 *
 *   title, blank line, sections under `#`, `##`, `###` by their true depth, then figures and tables;
 *   a citation is  [bib_ref] Title in up to twelve words..., LastName [/bib_ref]
 *   a mention is   [fig_ref] Figure 3: beginning of its caption [/fig_ref]   (tables too)
 *   blocks are     [fig] Figure 3: caption [/fig],  [table] Table 1: caption, rows, notes [/table],  [formula] … [/formula]
 *
 * Against the authors' code: brackets around references go with them or stay in pairs, references that resolve to nothing leave no
 * stumps, text behind figures stays, headings keep their acronyms and levels, tables keep their cells.
 */
import { sha256 } from "../../core/hash.ts";
import { type Accounting, Ledger, utf8 } from "./ledger.ts";
import { floatName, ReferenceFormatter } from "./references.ts";
import { squeezeSpaces } from "./space.ts";

/** Strings are clean: their only white space is single spaces (`collapseSpace`), which readers see to as they cut them out. */
export type Inline = string | Citation | FloatReference | InlineFormula;

export interface Citation {
  type: "citation";
  /** Ids in `Article.references`. */
  targets: readonly string[];
  /** As printed: "12", "Smith et al., 2004". */
  text: string;
}

export interface FloatReference {
  type: "float-reference";
  target: string;
  text: string;
}

export interface InlineFormula {
  type: "formula";
  text: string;
}

export type Block =
  | { type: "paragraph"; content: Inline[] }
  /** Without a heading, its blocks belong to the section around it. */
  | { type: "section"; heading: Inline[]; blocks: Block[] }
  | { type: "list"; items: ListItem[] }
  | { type: "formula"; text: string };

export interface ListItem {
  /** "-", "1.", "(a)". */
  label: string;
  blocks: Block[];
}

/** A figure or a table. */
export interface Float {
  id: string;
  kind: "figure" | "table";
  label: string;
  caption: Inline[];
  /** Cells of the table by row, spans padded with empty cells. */
  rows: Inline[][][];
  notes: Inline[][];
}

export interface Reference {
  title: string;
  /** Last name of the first author, or the group's name. */
  author: string;
  /** Number in the bibliography as printed, digits only; "" if it has none. */
  label: string;
}

export interface ArticlePart {
  blocks: Block[];
  floats: Float[];
}

export interface Article {
  title: Inline[];
  /** The article itself, then what is printed with it (decision letters, responses). */
  parts: ArticlePart[];
  references: ReadonlyMap<string, Reference>;
}

export interface FormatOptions {
  /** "full" (default): caption, rows as `cell | cell`, notes. "caption": as the authors' code, without the body. */
  tables?: "full" | "caption" | undefined;
}

/** Text of the article, and what formatting dropped and inserted, booked in `ledger`. */
export function formatArticle(article: Article, options: FormatOptions = {}, ledger = new Ledger()): string {
  const floats = new Map<string, Float>();
  for (const part of article.parts) for (const float of part.floats) if (float.id !== "") floats.set(float.id, float);
  const inline = new ReferenceFormatter(article.references, floats, ledger);
  const lines: string[] = [];

  const blocksToLines = (blocks: readonly Block[], depth: number, indent: string) => {
    for (const block of blocks) {
      switch (block.type) {
        case "paragraph": {
          const text = noHeading(inline.format(block.content));
          // Bullets that somebody typed are list items like others (SPEC 1b.3).
          if (text !== "") lines.push(indent + ("•●▪".includes(text[0]!) ? `- ${text.slice(1).trimStart()}` : text));
          break;
        }
        case "section": {
          const heading = inline.format(block.heading);
          if (heading !== "") {
            const marks = "#".repeat(Math.min(depth, 6));
            ledger.insert(marks.length);
            if (lines.length > 0) lines.push("");
            lines.push(`${marks} ${headingCase(heading)}`);
          }
          blocksToLines(block.blocks, heading === "" ? depth : depth + 1, indent);
          break;
        }
        case "list":
          for (const item of block.items) listItem(item, depth, indent);
          break;
        case "formula": {
          const text = squeezeSpaces(block.text).trim();
          if (text !== "") lines.push(indent + inline.formula(text));
          break;
        }
        default:
          block satisfies never;
      }
    }
  };

  const listItem = (item: ListItem, depth: number, indent: string) => {
    const from = lines.length;
    blocksToLines(item.blocks, depth, `${indent}  `);
    const first = lines[from];
    if (first === undefined) {
      if (/[\p{L}\p{N}]/u.test(item.label)) lines.push(`${indent}${item.label}`);
      else ledger.drop("empty-list-item", item.label);
    } else if (first.startsWith(`${indent}  `))
      lines[from] = `${indent}${item.label} ${first.slice(indent.length + 2)}`;
    // A heading opens the item: the label stands alone.
    else lines.splice(from, 0, indent + item.label);
  };

  const title = inline.format(article.title);
  article.parts.forEach((part) => {
    blocksToLines(part.blocks, 1, "");
    for (const float of part.floats) lines.push(...floatLines(float, inline, ledger, options.tables ?? "full"));
  });
  const body = lines.join("\n").trim();
  return title === "" ? body : body === "" ? title : `${title}\n\n${body}`;
}

/** Text, its hash, inserted and dropped characters of an article that comes with a known number of characters. */
export function formatAccounted(
  article: Article,
  options: FormatOptions,
  ledger: Ledger,
  charactersIn: number,
): { text: string; accounting: Accounting; sha256: string } {
  const text = formatArticle(article, options, ledger);
  const bytes = utf8(text);
  return { text, accounting: ledger.close(charactersIn, bytes), sha256: sha256(bytes) };
}

/** Text that begins with the mark of a table note ("# P < 0.05") would read as a heading: the mark joins its text. */
const noHeading = (text: string): string => text.replace(/^(#{1,6})\s+(?=\S)/, "$1");

function floatLines(float: Float, inline: ReferenceFormatter, ledger: Ledger, tables: "full" | "caption"): string[] {
  const token = float.kind === "table" ? "table" : "fig";
  const name = floatName(float);
  const caption = inline.format(float.caption);
  const rows = float.rows
    .map((cells) => cells.map((cell) => inline.format(cell)))
    .filter((cells) => cells.some((cell) => cell !== ""))
    .map((cells) => {
      while (cells.at(-1) === "") cells.pop();
      return cells;
    });
  const notes = float.notes.map((note) => inline.format(note)).filter((note) => note !== "");
  ledger.drop("float-label", float.label);
  if (caption === "" && rows.length === 0 && notes.length === 0) return [];
  const head = caption === "" ? name : `${name}: ${caption}`;
  ledger.insert(`[${token}][/${token}]${name}${caption === "" ? "" : ":"}`);
  const body: string[] = [];
  if (tables === "full") {
    for (const cells of rows) ledger.insert(cells.length - 1);
    body.push(...[...rows.map((cells) => cells.join(" | ").trim()), ...notes].map(noHeading));
  } else {
    for (const cells of rows) for (const cell of cells) ledger.drop("table-body", cell);
    for (const note of notes) ledger.drop("table-notes", note);
  }
  const block = [`[${token}] ${head}`, ...body];
  block[block.length - 1] += ` [/${token}]`;
  return block;
}

// ── headings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Words that are shouted in headings without being acronyms. Anything else in capitals may be one (DNA, COPD) and stays. */
const COMMON_HEADING_WORDS = new Set(
  `a about abbreviations abstract acknowledgement acknowledgements acknowledgment acknowledgments additional aim aims analyses analysis
  and appendix as assessment at author authors availability background between by case characteristics clinical comments competing
  conclusion conclusions conflict conflicts consent considerations contribution contributions contributors data declaration declarations
  description design disclosure disclosures discussion end ethical ethics evaluation evidence examination experimental figure figures
  financial findings follow for from funding future further general group groups history in information interest interests intervention
  interventions introduction is key keywords laboratory legend legends limitation limitations main management material materials
  measurement measurements measures message messages method methodology methods model models notes objective objectives of on or other
  outcome outcomes overview participants patient patients population practice presentation primary procedure procedures protocol purpose
  quality question rationale recommendation recommendations recruitment reference references related report research result results
  review risk sample sampling search secondary section selection setting significance size sources statement statistical statistics
  strategy strength strengths studies study subject subjects summary supplementary support supporting table tables test testing tests the
  to treatment treatments trial trials up use variables what with work`.split(/\s+/),
);

/** "MATERIALS AND METHODS" → "Materials and methods"; "DNA extraction", "Role of mTOR" and "COPD" stay as they are. */
export function headingCase(heading: string): string {
  if (/\p{Ll}/u.test(heading) || !/\p{Lu}{2}/u.test(heading)) return heading;
  let first = true;
  return heading.replace(/\p{L}+/gu, (word) => {
    const lower = word.toLowerCase();
    const opens = first;
    first = false;
    if (!COMMON_HEADING_WORDS.has(lower)) return word;
    return opens ? word[0] + lower.slice(1) : lower;
  });
}

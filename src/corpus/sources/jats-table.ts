/** Tables of JATS (the XHTML table model) as rows of cells: every cell keeps its column, none runs into the next. */
import type { Inline } from "../formatting/article.ts";
import { inlineContent, type JatsContext } from "./jats-inline.ts";
import { attribute, type XmlElement } from "./xml.ts";

/** Wider or longer spans than any printed table has: a damaged attribute must not fill the memory. */
const MAX_COLUMNS = 256;
const MAX_ROWS = 10_000;

export function tableRows(table: XmlElement, context: JatsContext, rows: Inline[][][] = []): Inline[][][] {
  collectRows(table, context, rows, []);
  return rows;
}

/** @param pending - Rows that a cell above still covers, by column. */
function collectRows(element: XmlElement, context: JatsContext, rows: Inline[][][], pending: number[]): void {
  for (const node of element.children) {
    if (typeof node === "string") {
      if (node.trim() !== "") rows.push([[node]]);
      continue;
    }
    // Some publishers write table tags in capitals.
    switch (node.name.toLowerCase()) {
      case "tr":
      case "row":
        rows.push(tableRow(node, context, pending));
        break;
      case "thead":
      case "tbody":
      case "tfoot":
      case "tgroup":
        collectRows(node, context, rows, pending);
        break;
      case "col":
      case "colgroup":
      case "colspec":
        context.ledger.drop("table-columns", node.characters);
        break;
      default:
        rows.push([inlineContent(node, context)]);
    }
  }
}

function tableRow(row: XmlElement, context: JatsContext, pending: number[]): Inline[][] {
  const cells: Inline[][] = [];
  let column = 0;
  const skipCovered = () => {
    while ((pending[column] ?? 0) > 0 && column < MAX_COLUMNS) {
      pending[column]!--;
      cells[column++] = [];
    }
  };
  for (const node of row.children) {
    if (typeof node === "string") {
      if (node.trim() === "") continue;
      skipCovered();
      cells[column++] = [node];
      continue;
    }
    skipCovered();
    // A cell beyond the widest table still gets a column of its own: only its span is cut.
    const end = Math.max(column + 1, Math.min(column + span(node, "colspan", MAX_COLUMNS), MAX_COLUMNS));
    const below = span(node, "rowspan", MAX_ROWS) - 1;
    cells[column] = inlineContent(node, context);
    for (; column < end; column++) {
      cells[column] ??= [];
      pending[column] = below;
    }
  }
  skipCovered();
  return cells;
}

function span(cell: XmlElement, name: string, most: number): number {
  const value = Number.parseInt(attribute(cell, name) ?? "1", 10);
  return value >= 1 ? Math.min(value, most) : 1;
}

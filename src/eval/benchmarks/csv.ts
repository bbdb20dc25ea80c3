/** Comma- or tab-separated values (RFC 4180): quotes, doubled quotes, line breaks inside quotes; each row with its line. */
import { DataError } from "../../core/index.ts";

export interface CsvRow {
  cells: string[];
  /** 1-based line where the row starts. */
  line: number;
}

/** @throws {DataError} EVAL_BAD_CSV at a quote that is never closed or stands inside a bare cell's end. */
export function* parseCsv(text: string, file: string, separator = ","): Generator<CsvRow> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const cells: string[] = [];
    const start = line;
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        at++;
        for (;;) {
          const close = text.indexOf('"', at);
          if (close === -1)
            throw new DataError("EVAL_BAD_CSV", {
              message: "a quote is opened and never closed",
              where: `${file}:${start}`,
              remedy: 'double every quote inside a quoted cell ("") and close the cell',
            });
          cell += text.slice(at, close);
          at = close + 1;
          if (text[at] !== '"') break;
          cell += '"';
          at++;
        }
        line += cell.split("\n").length - 1;
      }
      // A bare cell, or (as Excel and Python's csv read it) text after a closing quote.
      const rest = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n") at++;
      const tail = text.slice(rest, at);
      cell += tail.endsWith("\r") && (at >= text.length || text[at] === "\n") ? tail.slice(0, -1) : tail;
      cells.push(cell);
      if (text[at] !== separator) break;
      at++;
    }
    at++;
    line++;
    if (cells.length > 1 || cells[0] !== "") yield { cells, line: start };
  }
}

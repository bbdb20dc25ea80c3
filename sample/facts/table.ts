import { DataError } from "../../src/core/errors.ts";

/**
 * Facts are kept as plain text tables, so that a clinician can read down a column and check it: one entity a line, cells
 * divided by ` | `, the first line names the columns. Parsed strictly: a row with a missing or an empty cell stops the load.
 *
 * @returns one record per row, keyed by column.
 * @throws {DataError} SAMPLE_BAD_ROW naming the table and the row.
 */
export function parseTable<Column extends string>(
  name: string,
  columns: readonly Column[],
  text: string,
): Record<Column, string>[] {
  const rows = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length > 0);
  return rows.map((row, index) => {
    const cells = row.split("|").map((cell) => cell.trim());
    if (cells.length !== columns.length || cells.some((cell) => cell === "")) {
      throw new DataError("SAMPLE_BAD_ROW", {
        message: `expected ${columns.length} filled cells (${columns.join(", ")}), got ${cells.length}: ${row}`,
        where: `${name}, row ${index + 1}`,
        remedy: "fill every cell; write - in the last column when there is nothing to say",
      });
    }
    return Object.fromEntries(columns.map((column, c) => [column, cells[c]!])) as Record<Column, string>;
  });
}

/** Tables for terminals: columns padded to their widest cell, numbers to the right, long texts wrapped. */

export interface Column {
  title: string;
  align?: "left" | "right";
  /** Cells longer than this go on in the next line, cut between words. */
  wrap?: number;
}

export function renderTable(columns: Column[], rows: string[][]): string {
  const lines = rows.flatMap((row) => {
    const cells = columns.map(({ wrap }, i) => wrapText(row[i] ?? "", wrap ?? Number.POSITIVE_INFINITY));
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, k) => cells.map((cell) => cell[k] ?? ""));
  });
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...lines.map((cells) => cells[i]!.length)));
  const format = (cells: string[]) =>
    cells
      .map((cell, i) => (columns[i]!.align === "right" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [
    format(columns.map(({ title }) => title)),
    widths.map((width) => "─".repeat(width)).join("  "),
    ...lines.map(format),
  ].join("\n");
}

/** Lines of at most `width` characters, broken at spaces; a longer word stands alone. */
function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

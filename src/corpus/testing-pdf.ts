/** Small PDFs for tests, written by hand: lines of text at places, in Helvetica and its bold, with link annotations. */
export interface PdfLine {
  x: number;
  y: number;
  size: number;
  text: string;
  bold?: boolean;
}

/** @param links - Addresses of link annotations on the first page. */
export function makePdf(pages: readonly (readonly PdfLine[])[], links: readonly string[] = []): Buffer {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  const quote = (text: string) => text.replace(/[\\()]/g, "\\$&");
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(""); // the page tree, once the pages are known
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>");
  const annotations = links.map((url) =>
    add(`<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (${quote(url)}) >> >>`),
  );
  const kids = pages.map((lines, index) => {
    const stream = lines
      .map(({ x, y, size, text, bold }) => `BT /${bold ? "B" : "R"} ${size} Tf ${x} ${y} Td (${quote(text)}) Tj ET`)
      .join("\n");
    const content = add(`<< /Length ${Buffer.byteLength(stream, "latin1")} >>\nstream\n${stream}\nendstream`);
    const annots =
      index === 0 && annotations.length > 0 ? ` /Annots [${annotations.map((a) => `${a} 0 R`).join(" ")}]` : "";
    return add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${content} 0 R` +
        ` /Resources << /Font << /R 3 0 R /B 4 0 R >> >>${annots} >>`,
    );
  });
  objects[1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(" ")}] >>`;
  let file = "%PDF-1.4\n";
  const offsets = objects.map((body, i) => {
    const offset = Buffer.byteLength(file, "latin1");
    file += `${i + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const xref = Buffer.byteLength(file, "latin1");
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  for (const offset of offsets) file += `${String(offset).padStart(10, "0")} 00000 n \n`;
  file += `trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}

/** A folder of saved web pages: main content with headings, lists and tables. */
import type { SourceItem } from "../document.ts";
import { readPage } from "../html-main.ts";
import { sourceFiles } from "./files.ts";
import { document, drop, makeDocument, readText, type SourceOptions, unreadable, withoutText } from "./source.ts";

export async function* readHtml(options: SourceOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, [".html", ".htm", ".xhtml"])) {
    const id = `${options.name}:${file.relative}`;
    try {
      const page = readPage(await readText(file.path));
      if (page.text.trim() === "") yield drop(withoutText(options, id, file.path, page.title));
      else {
        const meta = { provenance: { file: file.relative } };
        yield document(makeDocument(options, "guideline", { id, ...page, meta }));
      }
    } catch (error) {
      yield drop(unreadable(options, id, error));
    }
  }
}

/** Plain text: a document a file, or a document a section between blank lines (poems, paragraphs, question banks). */
import type { SourceItem } from "../document.ts";
import { listFiles } from "./files.ts";
import { document, drop, makeDocument, readText, type SourceOptions, shortHash, unreadable, withoutText } from "./source.ts";

export interface TextOptions extends SourceOptions {
  /** "file": one document a file. "section": one between blank lines, with an id by its content. */
  documentPer?: "file" | "section" | undefined;
  extensions?: string[] | undefined;
}

const EXTENSIONS = [".txt", ".text", ".md", ".rst"];
const TITLE_CHARACTERS = 120;

export async function* readTextFiles(options: TextOptions): AsyncGenerator<SourceItem> {
  for (const file of await listFiles(options.path, options.extensions ?? EXTENSIONS)) {
    const id = `${options.name}:${file.relative}`;
    let text: string;
    try {
      text = await readText(file.path);
    } catch (error) {
      yield drop(unreadable(options, id, error));
      continue;
    }
    if (text.trim() === "") {
      yield drop(withoutText(options, id, file.path));
      continue;
    }
    if ((options.documentPer ?? "file") === "file") {
      const meta = { provenance: { file: file.relative } };
      yield document(makeDocument(options, "other", { id, title: firstLine(text), text, meta }));
      continue;
    }
    let line = 1;
    for (const part of text.split(/(\r?\n[ \t]*(?:\r?\n[ \t]*)+)/)) {
      if (part.trim() !== "") {
        const meta = { provenance: { file: file.relative, line } };
        const facts = { id: `${options.name}:${shortHash(part.trim())}`, title: firstLine(part), text: part.trim(), meta };
        yield document(makeDocument(options, "other", facts));
      }
      line += part.split("\n").length - 1;
    }
  }
}

/** The first line with text, without heading marks, cut to a title's length. */
export function firstLine(text: string): string {
  const line = /^[#=\s]*(\S.*)$/m.exec(text)?.[1]?.trim() ?? "";
  return line.length <= TITLE_CHARACTERS ? line : `${line.slice(0, TITLE_CHARACTERS).replace(/\s+\S*$/, "")}…`;
}

/** Plain text: a document a file, or a document a section between blank lines (poems, paragraphs, question banks). */
import type { SourceItem } from "../document.ts";
import { sourceFiles } from "./files.ts";
import {
  document,
  drop,
  makeDocument,
  readText,
  type SourceOptions,
  shortHash,
  unreadable,
  withoutText,
} from "./source.ts";

export interface TextOptions extends SourceOptions {
  /** "file": one document a file. "section": one between blank lines, with an id by its content. */
  documentPer?: "file" | "section" | undefined;
  extensions?: string[] | undefined;
}

const EXTENSIONS = [".txt", ".text", ".md", ".rst"];
const TITLE_CHARACTERS = 120;

export async function* readTextFiles(options: TextOptions): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, options.extensions ?? EXTENSIONS)) {
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
      yield document(makeDocument(options, "other", { id, title: titleLine(text), text, meta }));
      continue;
    }
    let line = 1;
    for (const part of text.split(/(\r?\n[ \t]*(?:\r?\n[ \t]*)+)/)) {
      if (part.trim() !== "") {
        const meta = { provenance: { file: file.relative, line } };
        const facts = {
          id: `${options.name}:${shortHash(part.trim())}`,
          title: titleLine(part),
          text: part.trim(),
          meta,
        };
        yield document(makeDocument(options, "other", facts));
      }
      line += part.split("\n").length - 1;
    }
  }
}

/**
 * The first line of a text, if it stands there as a title: marked as a heading, or alone above a blank line, and no sentence.
 * Otherwise "": a title that is really the first sentence would make different documents look the same.
 */
export function titleLine(text: string): string {
  const [, marks = "", line = "", next = ""] = /^\s*(#+ +|=+ +)?(.*)\r?\n?(.*)/.exec(text) ?? [];
  const title = line.trim();
  if (title.length > TITLE_CHARACTERS || /[.;,:]$/.test(title)) return "";
  return marks !== "" || next.trim() === "" || /^([=~*-])\1{2,}\s*$/.test(next) ? title : "";
}

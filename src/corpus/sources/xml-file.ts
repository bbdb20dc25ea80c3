/** One XML file that is one document: read, parsed, and if it cannot be, a drop with file, offset and reason. */
import { DataError } from "../../core/errors.ts";
import type { SourceItem } from "../document.ts";
import { type SourceFile, sourceFiles } from "./files.ts";
import { drop, readText, type SourceOptions, unreadable } from "./source.ts";
import { parseXml, type XmlElement, XmlError } from "./xml.ts";

/** Calls `toItem` with the root of each XML file below `options.path`, and turns what fails into drops. */
export async function* readXmlFiles(
  options: SourceOptions,
  extensions: readonly string[],
  toItem: (root: XmlElement, file: SourceFile, id: string) => SourceItem,
): AsyncGenerator<SourceItem> {
  for (const file of await sourceFiles(options, extensions)) {
    const id = `${options.name}:${file.relative.replace(/\.(gz|zst)$/, "")}`;
    try {
      const text = await readText(file.path);
      if (text.trim() === "")
        throw new DataError("CORPUS_EMPTY_FILE", { message: "the file is empty", where: file.path });
      yield toItem(parseXmlFile(text, file), file, id);
    } catch (error) {
      yield drop(unreadable(options, id, error));
    }
  }
}

/** @throws {DataError} CORPUS_MALFORMED_XML */
export function parseXmlFile(text: string, file: SourceFile): XmlElement {
  try {
    return parseXml(text);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const line = Buffer.from(text).subarray(0, error.at).toString().split("\n").length;
    throw new DataError("CORPUS_MALFORMED_XML", {
      message: `not well-formed XML: ${error.message}`,
      where: `${file.path}:${line}`,
      remedy: "repair the file or fetch it again",
      fields: { offset: error.at },
    });
  }
}

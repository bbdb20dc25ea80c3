/** Which files a source reads: one file, or all of a folder by extension, always in the same order. */
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { ConfigError, fromSystemError } from "../../core/errors.ts";

export interface SourceFile {
  path: string;
  /** Below the source's folder, with "/" on every system: part of document ids. */
  relative: string;
}

/**
 * @param extensions - Lower case with dot (".xml"), compression aside: ".xml" also takes ".xml.gz" and ".xml.zst". Any if empty.
 * @throws {ConfigError} IO_NOT_FOUND, or CORPUS_NO_FILES when the folder holds none.
 */
export async function listFiles(path: string, extensions: readonly string[]): Promise<SourceFile[]> {
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    throw fromSystemError(error, path, "reading a source");
  }
  if (isFile) return [{ path, relative: basename(path) }];
  const files: SourceFile[] = [];
  const pending = [path];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const full = join(folder, entry.name);
      const kind = entry.isSymbolicLink() ? await stat(full).catch(() => entry) : entry;
      if (kind.isDirectory()) pending.push(full);
      else if (kind.isFile() && hasExtension(entry.name, extensions))
        files.push({ path: full, relative: relative(path, full).split(sep).join("/") });
    }
  }
  if (files.length === 0)
    throw new ConfigError("CORPUS_NO_FILES", {
      message: `no ${extensions.length === 0 ? "files" : extensions.join(" or ")} in the folder`,
      where: path,
      remedy: "check the path, or the source's type",
    });
  return files.sort((a, b) => (a.relative < b.relative ? -1 : 1));
}

function hasExtension(name: string, extensions: readonly string[]): boolean {
  const plain = name.toLowerCase().replace(/\.(gz|zst)$/, "");
  return extensions.length === 0 || extensions.some((extension) => plain.endsWith(extension));
}

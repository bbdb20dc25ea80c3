/** Which files a source reads: one file, or all of a folder by extension, always in the same order. */
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { ConfigError, fromSystemError } from "../../core/errors.ts";

export interface SourceFile {
  path: string;
  /** Below the source's folder, with "/" on every system: part of document ids. */
  relative: string;
}

/** A stretch of a source's files by name, from `from` to before `to`: what one thread reads while others read the rest. */
export interface FileRange {
  from: string;
  /** Undefined: to the end. */
  to?: string | undefined;
}

/** Files of a source that belong to the part that is read. @throws as `listFiles`, of the whole source. */
export async function sourceFiles(
  { path, files }: { path: string; files?: FileRange | undefined },
  extensions: readonly string[],
): Promise<SourceFile[]> {
  return within(await listFiles(path, extensions), files);
}

export function within(files: SourceFile[], range: FileRange | undefined): SourceFile[] {
  if (!range) return files;
  return files.filter(({ relative }) => relative >= range.from && (range.to === undefined || relative < range.to));
}

/**
 * Cuts a source's files into parts of about equal size, at most `maxParts`, none smaller than `partBytes` but the last. They
 * depend on the files only; read one after the other they give what the whole gives.
 */
export function fileRanges(
  files: readonly { relative: string; bytes: number }[],
  { partBytes, maxParts }: { partBytes: number; maxParts: number },
): FileRange[] {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const least = Math.max(partBytes, total / maxParts);
  const starts = [""];
  let size = 0;
  for (const { relative, bytes } of files) {
    if (size >= least) {
      starts.push(relative);
      size = 0;
    }
    size += bytes;
  }
  return starts.map((from, i) => ({ from, to: starts[i + 1] }));
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

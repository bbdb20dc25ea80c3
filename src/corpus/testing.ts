/** Helpers of the corpus' tests: documents from a few words, folders that vanish, streams to arrays. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sha256 } from "../core/hash.ts";
import type { Document } from "./document.ts";

export function testDocument(facts: Partial<Document> & { text: string }): Document {
  return {
    id: `test:${sha256(facts.text).slice(0, 8)}`,
    source: "test",
    kind: "other",
    title: "",
    license: "CC0-1.0",
    redistributable: true,
    meta: {},
    ...facts,
    sha256: sha256(facts.text),
  };
}

/** A new folder below the system's temporary one. */
export function testFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "meditron-corpus-"));
}

/** Writes files below a folder. @returns the folder. */
export async function writeFiles(folder: string, files: Record<string, string | Uint8Array>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of stream) all.push(value);
  return all;
}

/** Distinct sentences, the same for the same seed. */
export function prose(seed: number, words = 80): string {
  let state = seed * 2654435761 + 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >>> 8;
  };
  return Array.from({ length: words }, () => WORDS[next() % WORDS.length] + (next() % 7 === 0 ? "." : "")).join(" ");
}

const WORDS =
  "patient dose fever heart lung kidney acute chronic therapy trial group week daily oral with without after before the a of and in for risk pain blood test mild severe asthma sepsis infection vaccine child adult nurse clinic score onset rash cough".split(
    " ",
  );

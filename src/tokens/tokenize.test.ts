import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines, writeFileAtomic } from "../core/index.ts";
import { IndexedDataset } from "./indexed-dataset.ts";
import { type SourceDocument, type TokenizedDocument, tokenizeDocuments, tokenizeShards } from "./tokenize.ts";
import { trainTokenizer } from "./train-bpe.ts";
import type { Tokenizer } from "./types.ts";

let directory: string;
let tokenizer: Tokenizer;
const documents: SourceDocument[] = Array.from({ length: 120 }, (_, i) => ({
  id: `doc:${i}`,
  source: i % 3 === 0 ? "guidelines" : "abstracts",
  license: i % 2 === 0 ? "CC0-1.0" : "unknown",
  text: `Document ${i}: the dose was ${i * 10} mg.`.repeat(i === 60 ? 40_000 : (i % 7) + (i === 5 ? 0 : 1)),
}));
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tokenize-"));
  tokenizer = await trainTokenizer(["Document 12: the dose was 120 mg. ".repeat(9)], { vocabSize: 275 });
  for (const [i, part] of [documents.slice(0, 50), documents.slice(50, 50), documents.slice(50)].entries())
    await writeFileAtomic(
      join(directory, `${i}.jsonl`),
      part.map((document) => `${JSON.stringify(document)}\n`).join(""),
    );
});
afterAll(() => rm(directory, { recursive: true }));

const shards = () => [0, 1, 2].map((i) => join(directory, `${i}.jsonl`));
const bytesOf = async (prefix: string) =>
  Promise.all(["bin", "idx", "documents.jsonl.zst"].map((end) => readFile(`${prefix}.${end}`)));

describe("documents become token files", () => {
  it("every sequence is its document's ids and the end token, and its line names the document", async () => {
    const prefix = join(directory, "one", "train");
    const manifest = await tokenizeDocuments(documents, tokenizer, prefix, { threads: 2 });
    const set = await IndexedDataset.open(prefix);
    expect(set.sequences).toBe(documents.length);
    const lines: TokenizedDocument[] = [];
    for await (const { value } of readJsonLines<TokenizedDocument>(`${prefix}.documents.jsonl.zst`)) lines.push(value);
    for (const [i, { id, source, license, text }] of documents.entries()) {
      const ids = [...tokenizer.encode(text), tokenizer.endOfDocumentId];
      expect(Buffer.compare(Buffer.from(set.sequence(i).buffer), Buffer.from(Int32Array.from(ids).buffer))).toBe(0);
      expect(lines[i]).toEqual({ id, source, license, tokens: ids.length });
    }
    set.close();
    expect(manifest.documents).toBe(120);
    expect(manifest.tokens).toBe(lines.reduce((sum, line) => sum + line.tokens, 0));
    expect(manifest.bySource.guidelines!.documents).toBe(40);
    expect(manifest.byLicense["CC0-1.0"]!.documents).toBe(60);
  });

  it("threads and the cut into shards change no token; a finished set is not made again", async () => {
    const [one, two] = [join(directory, "a", "t"), join(directory, "b", "t")];
    await tokenizeDocuments(documents, tokenizer, one, { threads: 1 });
    await tokenizeShards(shards(), tokenizer, two, { threads: 3 });
    const [a, b] = [await bytesOf(one), await bytesOf(two)];
    expect(a[0]!.equals(b[0]!) && a[1]!.equals(b[1]!)).toBe(true);
    expect(await readdir(join(directory, "b"))).toEqual(["t.bin", "t.documents.jsonl.zst", "t.idx", "t.tokens.json"]);
    let touched = 0;
    await tokenizeShards(shards(), tokenizer, two, { progress: { add: (n) => (touched += n) } });
    expect(touched).toBe(0);
    // A damaged file is noticed, and the set made again.
    await writeFile(`${two}.bin`, "x");
    await tokenizeShards(shards(), tokenizer, two, { threads: 1 });
    expect((await readFile(`${two}.bin`)).equals(a[0]!)).toBe(true);
  });

  it("an interrupted run goes on after its last finished shard and ends with the same bytes", async () => {
    const [whole, cut] = [join(directory, "w", "t"), join(directory, "c", "t")];
    await tokenizeShards(shards(), tokenizer, whole, { threads: 1 });
    const stop = new AbortController();
    const first = tokenizeShards(shards(), tokenizer, cut, {
      threads: 1,
      signal: stop.signal,
      progress: { add: () => stop.abort() },
    });
    await expect(first).rejects.toMatchObject({ code: "RUN_CANCELLED" });
    expect((await readdir(join(directory, "c"))).includes("t.bin")).toBe(false);
    const added: number[] = [];
    await tokenizeShards(shards(), tokenizer, cut, { threads: 2, progress: { add: (n) => added.push(n) } });
    // The first shard's 50 documents come from the part that was done, in one go.
    expect(added[0]).toBe(50);
    const [a, b] = [await bytesOf(whole), await bytesOf(cut)];
    expect(a.every((bytes, i) => bytes.equals(b[i]!))).toBe(true);
  });
});

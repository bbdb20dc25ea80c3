/**
 * Tokenization from document shards to `.bin/.idx`, on all cores, against a Python program on HF tokenizers (Rust, its own threads)
 * that reads the same shards and writes the same files. Before anything is timed, both must write the same bytes.
 *
 *   npm run bench -- corpus-tokens [--quick] [--json]
 *
 * Documents are PubMed abstracts and PMC articles of ../shared/data with Llama-2's tokenizer where that folder exists.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../src/core/hash.ts";
import type { Document } from "../src/corpus/document.ts";
import { ShardWriter } from "../src/corpus/shards.ts";
import { readJats } from "../src/corpus/sources/jats.ts";
import { readPubMed } from "../src/corpus/sources/pubmed.ts";
import { prose, testDocument } from "../src/corpus/testing.ts";
import { loadTokenizer, MEDITRON_TOKENS, type Tokenizer, tokenizeShards, trainTokenizer } from "../src/tokens/index.ts";
import { TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

const data = join(repository, "../shared/data");
const SHARD_BYTES = 8 << 20;

export const run: Bench = async ({ quick }) => {
  const notes: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-tokens-"));
  const peer = startPeer(notes);
  try {
    const { shards, bytes } = await writeDocuments(folder, quick ? 4 << 20 : 24 << 20);
    notes.push(`${(bytes / 1e6).toFixed(1)} MB of text in ${shards.length} shards, ${availableParallelism()} cores`);
    const results: BenchResult[] = [];
    for (const [name, tokenizer] of await tokenizers(folder)) {
      const ours: number[] = [];
      const theirs: number[] = [];
      let tokens = 0;
      for (let round = 0; round < (quick ? 2 : 4); round++) {
        const prefix = join(folder, `ours-${round}`);
        const started = performance.now();
        ({ tokens } = await tokenizeShards(shards, tokenizer, prefix));
        const seconds = (performance.now() - started) / 1000;
        const path = join(folder, "tokenizer", "tokenizer.json");
        const their = join(folder, `theirs-${round}`);
        const answer = await peer?.ask({ shards, tokenizer: path, prefix: their, end: tokenizer.endOfDocumentId });
        if (answer?.error) throw new Error(String(answer.error));
        for (const file of answer ? [".bin", ".idx"] : [])
          if (sha256(readFileSync(prefix + file)) !== sha256(readFileSync(their + file)))
            throw new Error(`${name}: the two ${file} files differ`);
        if (round === 0) continue; // warms both up
        ours.push(seconds);
        if (answer) theirs.push(Number(answer.seconds));
      }
      const rate = (seconds: number[]) => tokens / median(seconds);
      results.push({
        case: `${name}, shards to .bin/.idx, tokens/s`,
        ours: rate(ours),
        ...(theirs.length > 0 && {
          peer: rate(theirs),
          peerName: "Python, HF tokenizers",
          ratio: rate(ours) / rate(theirs),
        }),
        tokens,
        megabytesPerSecond: bytes / 1e6 / median(ours),
      });
    }
    return { subject: "corpus-tokens", unit: "tokens/s, all cores", results, notes };
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function startPeer(notes: string[]): TorchProcess | undefined {
  try {
    execFileSync(join(repository, ".venv/bin/python"), ["-c", "import tokenizers, zstandard, numpy"], {
      stdio: "ignore",
    });
  } catch {
    notes.push("no tokenizers, zstandard and numpy in .venv: ours alone");
    return undefined;
  }
  return new TorchProcess("tokenizers", "hf_tokenize.py", { TOKENIZERS_PARALLELISM: "true" });
}

/** Real documents where they are, until there is enough text. */
async function writeDocuments(folder: string, bytes: number): Promise<{ shards: string[]; bytes: number }> {
  const writer = new ShardWriter(folder, "train", SHARD_BYTES);
  let written = 0;
  for await (const document of documents()) {
    await writer.write(document);
    written += Buffer.byteLength(document.text);
    if (written >= bytes) break;
  }
  const { shards } = await writer.end();
  return { shards: shards.map(({ file }) => join(folder, file)), bytes: written };
}

async function* documents(): AsyncGenerator<Document> {
  if (!existsSync(data)) for (let i = 0; ; i++) yield testDocument({ text: prose(i, 400) });
  for (;;) {
    for await (const item of readPubMed({ name: "pubmed", path: join(data, "pubmed-xml") }))
      if ("document" in item) yield item.document;
    for await (const item of readJats({ name: "pmc", path: join(data, "jats") }))
      if ("document" in item) yield item.document;
  }
}

/** One at a time: its file stands in the folder while it is measured. */
async function tokenizers(folder: string): Promise<[string, Tokenizer][]> {
  const llama = join(data, "tokenizers/llama2.tokenizer.json");
  const tokenizer = existsSync(llama)
    ? await loadTokenizer(llama, { specialTokens: MEDITRON_TOKENS })
    : await trainTokenizer([prose(1, 50_000)], { vocabSize: 2000, specialTokens: MEDITRON_TOKENS });
  await tokenizer.save(join(folder, "tokenizer"));
  return [[existsSync(llama) ? "Llama-2 with MEDITRON's tokens" : "a tokenizer of 2,000", tokenizer]];
}

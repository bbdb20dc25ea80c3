/**
 * Corpus stages: MinHash deduplication against datatrove's (all its four stages, one task) on the same documents, per CPU second,
 * in turns; and decontamination, in microseconds a document, next to the 34 that allenai/decon publishes.
 *
 *   npm run bench -- corpus-stages [--quick] [--json]
 *
 * Documents are the near-duplicate posts of ../shared/data where that folder exists, invented ones otherwise. Before anything is
 * timed, both must find the same groups (nearly: the hash functions differ, so pairs at the threshold fall either way).
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decontaminator } from "../src/corpus/decontaminate.ts";
import { deduplicate } from "../src/corpus/deduplicate.ts";
import type { Document } from "../src/corpus/document.ts";
import { FeatureWriter } from "../src/corpus/features.ts";
import { prose, testDocument } from "../src/corpus/testing.ts";
import { TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

const data = join(repository, "../shared/data");
const python = join(repository, ".venv/bin/python");
const SHINGLES = { shingleWords: 5, bands: 14, rowsPerBand: 8 };

export const run: Bench = async ({ quick }) => {
  const notes: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-corpus-"));
  try {
    const results = [await nearDuplicates(folder, quick, notes), ...decontamination(quick, notes)];
    return {
      subject: "corpus-stages",
      unit: "documents per CPU second, or µs/document where the case says so",
      results,
      notes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

// ── near duplicates ──────────────────────────────────────────────────────────────────────────────────────────────────────

function posts(quick: boolean): Document[] {
  const path = join(data, "neardup-zheln/posts.jsonl");
  const count = quick ? 500 : 2000;
  if (!existsSync(path))
    return Array.from({ length: count }, (_, i) => testDocument({ id: `d${i}`, text: prose(i % 1500, 300 + (i % 7)) }));
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.slice(0, count).map((line) => testDocument(JSON.parse(line) as { id: string; text: string }));
}

/** Features and decisions, as a build makes them. @returns ids that stay. */
async function ours(documents: readonly Document[], folder: string, minSimilarity: number): Promise<Set<string>> {
  const options = { near: { ...SHINGLES, minSimilarity }, title: false, titleMinWords: 5, memoryBytes: 512 << 20 };
  const path = join(folder, "features.bin");
  const writer = await FeatureWriter.create(path, { near: options.near, titleMinWords: 1000 });
  for (const document of documents) await writer.write(document);
  await writer.commit();
  const decisions = await deduplicate([path], options, folder);
  return new Set(documents.filter((_, i) => decisions.of(i) === undefined).map(({ id }) => id));
}

async function nearDuplicates(folder: string, quick: boolean, notes: string[]): Promise<BenchResult> {
  const documents = posts(quick);
  const input = join(folder, "documents.jsonl");
  writeFileSync(input, documents.map(({ id, text }) => `${JSON.stringify({ id, text })}\n`).join(""));
  const found = await ours(documents, folder, 0);
  const verified = await ours(documents, folder, 0.75);
  notes.push(
    `near duplicates: ${documents.length - found.size} by shared bands, ${documents.length - verified.size} of them verified by all minima`,
  );
  const rounds = quick ? 2 : 3;
  const oursSeconds: number[] = [];
  const theirSeconds: number[] = [];
  const peer = hasDatatrove()
    ? new TorchProcess("datatrove", "./datatrove_minhash.py", { OMP_NUM_THREADS: "1" })
    : undefined;
  if (!peer) notes.push("no datatrove in .venv (pip install datatrove[processing]): ours alone");
  try {
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      await ours(documents, folder, 0);
      const { user, system } = process.cpuUsage(before);
      oursSeconds.push((user + system) / 1e6);
      if (!peer) continue;
      const place = join(folder, `datatrove-${round}`);
      mkdirSync(place);
      const answer = await peer.ask({ documents: input, folder: place });
      if (answer.error) {
        notes.push(`datatrove: ${String(answer.error)}`);
        break;
      }
      theirSeconds.push(answer.seconds as number);
      if (round === 0) {
        const kept = (answer.kept as string[]).length;
        const [a, b] = [documents.length - found.size, documents.length - kept];
        notes.push(`duplicates found: ours ${a}, datatrove ${b}`);
        if (Math.abs(a - b) > 0.05 * Math.max(a, b, 20)) throw new Error(`the two disagree: ${a} duplicates and ${b}`);
      }
    }
  } finally {
    peer?.close();
  }
  const rate = (seconds: number[]) => documents.length / Math.min(...seconds);
  const result: BenchResult = { case: `minhash ${documents.length} posts`, ours: rate(oursSeconds) };
  if (theirSeconds.length > 0)
    Object.assign(result, {
      peer: rate(theirSeconds),
      peerName: "datatrove",
      ratio: rate(oursSeconds) / rate(theirSeconds),
    });
  return result;
}

function hasDatatrove(): boolean {
  if (!existsSync(python)) return false;
  try {
    execFileSync(python, ["-c", "import datatrove"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// ── decontamination ──────────────────────────────────────────────────────────────────────────────────────────────────────

const PUBLISHED_MICROSECONDS = 34;

function decontamination(quick: boolean, notes: string[]): BenchResult[] {
  const items = Array.from({ length: quick ? 5000 : 25_000 }, (_, i) => ({
    benchmark: "b",
    id: `q${i}`,
    text: prose(100_000 + i, 20 + (i % 80)),
  }));
  const decontaminator = new Decontaminator(items, { collisionWords: 13, overlapWords: 8, overlapFraction: 0.8 });
  const sets: [string, string[]][] = [["invented abstracts", Array.from({ length: 2000 }, (_, i) => prose(i, 200))]];
  const real = join(data, "abstract-text-anatem");
  if (existsSync(real))
    sets.push(["real abstracts and sections", readdirSync(real).map((file) => readFileSync(join(real, file), "utf8"))]);
  notes.push(
    `decontamination against ${items.length} items; allenai/decon publishes ${PUBLISHED_MICROSECONDS} µs a document (its README), on its own documents`,
  );
  return sets.map(([name, texts]) => {
    for (const text of texts) decontaminator.find(text);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const before = process.cpuUsage();
      for (const text of texts) decontaminator.find(text);
      best = Math.min(best, process.cpuUsage(before).user);
    }
    const microseconds = best / texts.length;
    const characters = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
    return {
      case: `decontaminate ${name} (CPU µs/document)`,
      ours: microseconds,
      charactersPerDocument: Math.round(characters),
    };
  });
}

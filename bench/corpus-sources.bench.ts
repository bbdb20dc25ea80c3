/**
 * Readers of scientific literature against pubmed_parser (PyPI), the reader most used: PubMed XML to documents in records/s, JATS to
 * fully formatted documents in articles/s. pubmed_parser gives fields and bare paragraphs: no nested sections, tables, formulas
 * or resolved citations. Both are timed in CPU seconds of the whole process (threads included), taking turns, so the ratio is per core.
 *
 *   npm run bench -- corpus-sources [--quick] [--json]
 *
 * Timed on our side: from the path of the files to finished documents (text, accounts of its characters, hash, metadata, license),
 * reading and decompression included; no cleaning, filters or writing, which the peer has not either. On the peer's side: from the
 * path to what its functions return. Both are warm, as in a run over millions of records.
 *
 * Records are those of ../shared/data where that folder exists, invented ones otherwise. Before anything is timed, both must find
 * the same number of records.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { SourceItem } from "../src/corpus/document.ts";
import { inventedArticle, inventedCitation } from "../src/corpus/invented.ts";
import { readJats } from "../src/corpus/sources/jats.ts";
import { readPubMed } from "../src/corpus/sources/pubmed.ts";
import { TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

const python = join(repository, ".venv/bin/python");
const data = join(repository, "../shared/data");

export const run: Bench = async ({ quick }) => {
  const notes: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-sources-"));
  const peer = startPeer(notes);
  try {
    const rounds = quick ? 3 : 5;
    const pubmed = pubmedFile(folder, quick ? 2_000 : 4_000, notes);
    const articles = jatsFolder(folder, quick ? 100 : 300, notes);
    const results = [
      await compare("PubMed XML.gz to documents, one pass, records/s", rounds, peer, { pubmed: pubmed.path }, () =>
        readPubMed({ name: "pubmed", path: pubmed.path, versions: "all" }),
      ),
      await compare(
        "PubMed XML.gz to documents, newest version of each PMID, records/s",
        rounds,
        peer,
        { pubmed: pubmed.path },
        () => readPubMed({ name: "pubmed", path: pubmed.path }),
      ),
      await compare("JATS to formatted documents, articles/s", rounds, peer, { jats: articles.files }, () =>
        readJats({ name: "pmc", path: articles.path }),
      ),
    ];
    return { subject: "corpus-sources", unit: "records per CPU second", results, notes };
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Until the engine has compiled what runs often. */
const WARMING_ROUNDS = 4;

async function compare(
  name: string,
  rounds: number,
  peer: TorchProcess | undefined,
  command: Record<string, unknown>,
  read: () => AsyncIterable<SourceItem>,
): Promise<BenchResult> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -WARMING_ROUNDS; round < rounds; round++) {
    const before = process.cpuUsage();
    let records = 0;
    for await (const _ of read()) records++;
    const { user, system } = process.cpuUsage(before);
    const answer = peer ? await peer.ask(command) : undefined;
    if (answer?.error) throw new Error(`${name}: pubmed_parser: ${answer.error}`);
    if (answer && answer.records !== records)
      throw new Error(`${name}: ${records} records here, ${answer.records} there`);
    if (round < 0) continue;
    ours.push(records / ((user + system) / 1e6));
    if (answer) theirs.push(records / Number(answer.seconds));
  }
  const figure = median(ours);
  if (theirs.length === 0) return { case: name, ours: figure };
  return {
    case: name,
    ours: figure,
    peer: median(theirs),
    peerName: "pubmed_parser",
    ratio: figure / median(theirs),
    best: Math.max(...ours),
    peerBest: Math.max(...theirs),
  };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function startPeer(notes: string[]): TorchProcess | undefined {
  try {
    execFileSync(python, ["-c", "import pubmed_parser"], { stdio: "ignore" });
  } catch {
    notes.push("no pubmed_parser in .venv (.venv/bin/pip install pubmed_parser): ours alone");
    return undefined;
  }
  return new TorchProcess("pubmed_parser", "./pubmed_parser_read.py");
}

// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function pubmedFile(folder: string, count: number, notes: string[]): { path: string } {
  const records: string[] = [];
  if (existsSync(join(data, "pubmed-xml"))) {
    for (const entry of readdirSync(join(data, "pubmed-xml"), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      const text = (entry.name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
      records.push(...(text.match(/<PubmedArticle>[\s\S]*?<\/PubmedArticle>/g) ?? []));
    }
    notes.push(`PubMed: ${records.length} real records, repeated to ${count}`);
  } else {
    for (let i = 0; i < 500; i++) records.push(inventedCitation(i));
    notes.push(`PubMed: invented records, repeated to ${count}`);
  }
  const path = join(folder, "pubmed.xml.gz");
  const list = Array.from({ length: count }, (_, i) => records[i % records.length]!);
  writeFileSync(
    path,
    gzipSync(`<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n${list.join("\n")}\n</PubmedArticleSet>\n`),
  );
  return { path };
}

function jatsFolder(folder: string, count: number, notes: string[]): { path: string; files: string[] } {
  const path = join(folder, "jats");
  mkdirSync(path);
  const real = join(data, "jats/evidence-inference/xml");
  if (existsSync(real)) {
    for (const name of readdirSync(real).sort().slice(0, count)) copyFileSync(join(real, name), join(path, name));
    notes.push(`JATS: ${count} real articles`);
  } else {
    for (let i = 0; i < count; i++) writeFileSync(join(path, `a${i}.nxml`), inventedArticle(i));
    notes.push(`JATS: ${count} invented articles`);
  }
  return {
    path,
    files: readdirSync(path)
      .sort()
      .map((name) => join(path, name)),
  };
}

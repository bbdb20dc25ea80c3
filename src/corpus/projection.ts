/**
 * How long a corpus takes on this machine, and how much disk: a few hundred invented records of each kind go through all stages,
 * and what one costs is multiplied. Reading is done on all cores; deduplication and writing are one thread's work. Processor time is counted, so a busy machine
 * tells the same; that of zstd's threads counts as writing, which makes the plan a careful one.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { buildCorpus } from "./build.ts";
import { parseCorpusConfig } from "./config.ts";
import { inventedArticle, inventedCitation, inventedText } from "./invented.ts";

/** What is to be built, by kind. */
export interface CorpusSize {
  citations: number;
  articles: number;
  guidelines: number;
  replay: number;
  /** Of the training text. */
  tokens: number;
}

/**
 * GAP-Replay: citations of PubMed's baseline (of which 16.1M have an abstract that is kept), papers, guidelines, replay, tokens
 * (the paper's table 1; NLM's baseline of 2023).
 */
export const GAP_REPLAY: Readonly<CorpusSize> = {
  citations: 36_000_000,
  articles: 5_050_000,
  guidelines: 46_000,
  replay: 494_000,
  tokens: 48_100_000_000,
};

export interface KindProjection {
  kind: keyof Omit<CorpusSize, "tokens">;
  documents: number;
  /** Microseconds a record on one core, measured here. */
  readMicroseconds: number;
  deduplicateMicroseconds: number;
  writeMicroseconds: number;
  /** Bytes of a document in a shard, compressed. */
  shardBytes: number;
  /** UTF-8 bytes of text of a document of the probe. */
  textBytes: number;
}

export interface CorpusProjection {
  cores: number;
  kinds: KindProjection[];
  readHours: number;
  deduplicateHours: number;
  writeHours: number;
  hours: number;
  shardBytes: number;
  /** Staged documents, which stand beside the shards until the build is finished, and deduplication's keys. */
  workBytes: number;
  /** Token files at two bytes a token. */
  tokenBytes: number;
}

/** Records of the probe: enough to warm up the machine, done in some ten seconds. */
const PROBE = { citations: 1500, articles: 120, guidelines: 300, replay: 600 };

/**
 * Measures, then projects.
 * @param cores - Of the machine that is to build. Default: this one's.
 * @param probe - Records that are measured.
 */
export async function projectCorpus(
  size: CorpusSize = GAP_REPLAY,
  cores: number = availableParallelism(),
  probe: Readonly<typeof PROBE> = PROBE,
): Promise<CorpusProjection> {
  const folder = await mkdtemp(join(tmpdir(), "meditron-plan-"));
  try {
    const kinds: KindProjection[] = [];
    for (const kind of ["citations", "articles", "guidelines", "replay"] as const)
      kinds.push(await measure(kind, folder, size[kind], probe[kind]));
    const sum = (of: (kind: KindProjection) => number) => kinds.reduce((total, kind) => total + of(kind), 0);
    const hours = (microseconds: number) => microseconds / 3.6e9;
    const readHours = hours(sum((kind) => kind.readMicroseconds * kind.documents)) / cores;
    const deduplicateHours = hours(sum((kind) => kind.deduplicateMicroseconds * kind.documents));
    const writeHours = hours(sum((kind) => kind.writeMicroseconds * kind.documents));
    // The probe's texts are as long as real ones on average; the paper's token count says what the text really is.
    const probed = sum((kind) => kind.textBytes * kind.documents);
    const shardBytes = sum((kind) => kind.shardBytes * kind.documents) * ((size.tokens * BYTES_A_TOKEN) / probed);
    const documents = sum((kind) => kind.documents);
    return {
      cores,
      kinds,
      readHours,
      deduplicateHours,
      writeHours,
      hours: readHours + deduplicateHours + writeHours,
      shardBytes,
      workBytes: 1.15 * shardBytes + documents * FEATURE_BYTES,
      tokenBytes: 2 * size.tokens,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const BYTES_A_TOKEN = 4;
/** A row of keys and a sketch, and the keys once more while they are sorted on disk (14 bands of 12 bytes). */
const FEATURE_BYTES = 172 + 112 + 168;

async function measure(
  kind: KindProjection["kind"],
  folder: string,
  documents: number,
  count: number,
): Promise<KindProjection> {
  const source = await writeProbe(kind, join(folder, kind), count);
  const config = parseCorpusConfig({ sources: [source], stages: { language: {}, filter: {} }, validationFraction: 0 });
  const run = async (name: string) => {
    const seconds = { read: 0, deduplicate: 0, write: 0 };
    let stage: keyof typeof seconds = "read";
    let before = process.cpuUsage();
    const turn = (next: keyof typeof seconds) => {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      seconds[stage] += (user + system) / 1e6;
      stage = next;
    };
    const manifest = await buildCorpus(config, {
      directory: join(folder, name),
      threads: 1,
      onProgress: (progress) => {
        if (progress.stage !== stage) turn(progress.stage);
      },
    });
    turn("write");
    const written = manifest.splits.train!;
    const bytes = manifest.shards.reduce((sum, shard) => sum + shard.bytes, 0);
    return { seconds, written, bytes };
  };
  await run(`${kind}-warm`);
  const { seconds, written, bytes } = await run(`${kind}-timed`);
  const each = (amount: number) => (1e6 * amount) / count;
  return {
    kind,
    documents,
    readMicroseconds: each(seconds.read),
    deduplicateMicroseconds: each(seconds.deduplicate),
    writeMicroseconds: each(seconds.write),
    shardBytes: bytes / Math.max(1, written.documents),
    textBytes: written.textBytes / Math.max(1, written.documents),
  };
}

async function writeProbe(kind: KindProjection["kind"], path: string, count: number): Promise<object> {
  const records = (record: (i: number) => string) => Array.from({ length: count }, (_, i) => record(i)).join("\n");
  const line = (text: string, i: number) =>
    JSON.stringify({ id: String(i), title: `Text ${i} of so many words`, text });
  switch (kind) {
    case "citations":
      await writeFile(`${path}.xml`, `<PubmedArticleSet>\n${records(inventedCitation)}\n</PubmedArticleSet>`);
      return { type: "pubmed", path: `${path}.xml` };
    case "articles":
      await writeFile(`${path}.xml`, `<pmc-articleset>${records(inventedArticle)}</pmc-articleset>`);
      return { type: "jats", path: `${path}.xml` };
    case "guidelines":
      await writeFile(
        `${path}.jsonl`,
        records((i) => line(inventedText(5e6 + i, 1600), i)),
      );
      return { type: "jsonl", path: `${path}.jsonl`, kind: "guideline" };
    case "replay":
      await writeFile(
        `${path}.jsonl`,
        records((i) => line(inventedText(7e6 + i, 650), i)),
      );
      return { type: "jsonl", path: `${path}.jsonl`, kind: "replay" };
    default:
      return kind satisfies never;
  }
}

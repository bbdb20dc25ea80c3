/**
 * A corpus from its sources, in two halves. First each source is read, cleaned and judged on its own and staged in `work/`
 * (`ingest.ts`; in parallel, and kept across restarts). Then, over all of them: duplicates go, training and validation part,
 * shards, drop log and manifest are written. The same inputs give the same bytes, however often the build was killed and
 * however many threads worked on it; the manifest comes last, so a folder with a manifest is a whole corpus.
 */
import { readFile, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CancelledError, ConfigError, fromSystemError } from "../core/errors.ts";
import { exists, readJson, writeFileAtomic, writeJsonAtomic } from "../core/files.ts";
import { hashJson } from "../core/hash.ts";
import { readJsonLines } from "../core/json-lines.ts";
import { checkAccounts, type StageCount, sumAccounts } from "./accounting.ts";
import { mergeCleaning } from "./clean.ts";
import type { CorpusConfig } from "./config.ts";
import { DATASHEET, datasheet } from "./datasheet.ts";
import {
  type BenchmarkItem,
  type ContaminationHit,
  type ContaminationReport,
  contaminationReport,
  tooShortItems,
} from "./decontaminate.ts";
import { type Decisions, type DuplicateRule, deduplicate } from "./deduplicate.ts";
import type { Document, Drop } from "./document.ts";
import { DROP_LOG, DropLog, readDrops } from "./drop-log.ts";
import { readStaged, readStagedFacts, type StagedFacts, type StagedSource } from "./ingest.ts";
import { type IngestJob, ingestAll } from "./ingest-pool.ts";
import { type CorpusManifest, MANIFEST, parseRecord, removeShards, ShardWriter } from "./shards.ts";
import { type FileRange, fileRanges, listFiles } from "./sources/files.ts";
import { canBeParted, type NamedSource, nameSource } from "./sources/index.ts";
import { splitOf } from "./split.ts";
import { Upsampler } from "./upsample.ts";

export interface BuildProgress {
  stage: "read" | "deduplicate" | "write";
  /** Documents done in this stage. */
  documents: number;
  /** Of the stage, when known. */
  total?: number;
}

export interface BuildOptions {
  directory: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  /** Items of the benchmarks that `decontaminate.benchmarks` names; names not given here must be JSON Lines files. */
  benchmarks?: Readonly<Record<string, readonly BenchmarkItem[]>> | undefined;
  /** Threads that read sources. 1 reads on this one. Default: one a core, but none for less than 8 MB of files. */
  threads?: number | undefined;
  /** Files of a source are dealt to threads in parts of at least this size. The cut changes no byte of the corpus. */
  partBytes?: number | undefined;
}

/**
 * Builds a corpus into a folder, or returns the manifest of the one that stands there if its inputs are the same.
 * @throws {ConfigError} if a path of the configuration does not exist; {CancelledError} on `signal` (the work is kept).
 */
export async function buildCorpus(config: CorpusConfig, options: BuildOptions): Promise<CorpusManifest> {
  const { directory, signal } = options;
  const sources = config.sources.map(nameSource);
  const items = await loadBenchmarks(config, options.benchmarks ?? {});
  const keys = await Promise.all(sources.map((source) => inputKey(source, config, items)));
  const tool = await toolVersion();
  const upsampling = await Promise.all(upsamplingPaths(config).map(filesOf));
  const buildKey = (inputs: string[]) => hashJson({ keys: inputs, config, upsampling, tool });
  const statePath = join(directory, ".build.json");
  if ((await exists(join(directory, MANIFEST))) && (await exists(statePath))) {
    const state = await readJson<{ key: string }>(statePath);
    if (state.key === buildKey(keys)) return readJson<CorpusManifest>(join(directory, MANIFEST));
  }
  const work = join(directory, "work");
  try {
    await removeShards(directory);
    const jobs: IngestJob[] = [];
    let bytes = 0;
    for (const [i, source] of sources.entries()) {
      const name = `${String(i).padStart(2, "0")}-${source.name}`;
      const { ranges, total } = await partsOf(source, options.partBytes);
      bytes += total;
      for (const [part, files] of ranges.entries())
        jobs.push({
          source,
          files,
          directory: join(work, `${name}-${String(part).padStart(4, "0")}`),
          key: hashJson({ key: keys[i], files }),
        });
    }
    const folders = jobs.map((job) => job.directory);
    const threads = options.threads ?? Math.min(availableParallelism(), Math.ceil(bytes / PART_BYTES));
    const staged = await ingestAll(jobs, config, { ...options, threads, items });
    signal?.throwIfAborted();
    const total = staged.reduce((sum, source) => sum + source.documents, 0);
    options.onProgress?.({ stage: "deduplicate", documents: 0, total });
    const features = folders.map((folder) => join(folder, "features.bin"));
    const { stages } = config;
    const decisions =
      stages.deduplicate === false
        ? undefined
        : await deduplicate(features, stages.deduplicate, join(work, "keys"), signal);
    options.onProgress?.({ stage: "deduplicate", documents: total, total });
    const manifest = await write({ config, options, folders, staged, decisions, items, tool, total });
    await writeJsonAtomic(join(directory, MANIFEST), manifest);
    // A site that was crawled just now is an input like a folder from here on.
    const inputs = await Promise.all(sources.map((source) => inputKey(source, config, items)));
    await writeJsonAtomic(statePath, { key: buildKey(inputs) });
    await rm(work, { recursive: true, force: true });
    return manifest;
  } catch (error) {
    if (signal?.aborted)
      throw new CancelledError("the corpus build was stopped", "run it again: sources that were read are kept");
    throw error;
  }
}

const PART_BYTES = 8 << 20;
/** A part costs a handful of small files; more of them than this would not keep more cores busy. */
const MAX_PARTS = 256;

/** The parts in which a source is read; one that cannot be cut is read as a whole. */
async function partsOf(
  source: NamedSource,
  partBytes = PART_BYTES,
): Promise<{ ranges: (FileRange | undefined)[]; total: number }> {
  if (!canBeParted(source)) return { ranges: [undefined], total: 0 };
  const sizes: { relative: string; bytes: number }[] = [];
  for (const { path, relative } of await listFiles(source.path, []))
    sizes.push({ relative, bytes: (await stat(path)).size });
  return {
    ranges: fileRanges(sizes, { partBytes, maxParts: MAX_PARTS }),
    total: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

interface Writing {
  config: CorpusConfig;
  options: BuildOptions;
  folders: string[];
  staged: StagedSource[];
  decisions: Decisions | undefined;
  items: readonly BenchmarkItem[];
  tool: string;
  total: number;
}

/** The second half: shards, drop log and reports from the staged sources. */
async function write({
  config,
  options,
  folders,
  staged,
  decisions,
  items,
  tool,
  total,
}: Writing): Promise<CorpusManifest> {
  const { directory, signal } = options;
  const train = new ShardWriter(directory, "train", config.shardBytes);
  const validation = new ShardWriter(directory, "validation", config.shardBytes);
  const drops = await DropLog.create(join(directory, DROP_LOG));
  const deduplicated: StageCount = { stage: "deduplicate", in: 0, out: 0, dropped: 0, added: 0 };
  const split: StageCount = { stage: "split", in: 0, out: 0, dropped: 0, added: 0 };
  const upsampled: StageCount = { stage: "upsample", in: 0, out: 0, dropped: 0, added: 0 };
  try {
    const kept = decisions ? await idsOfKept(folders, staged, decisions) : new Map<number, string>();
    const upsampler =
      config.stages.upsample && (await Upsampler.create(config.stages.upsample, () => documentsOf(folders, decisions)));
    let index = 0;
    for (const folder of folders) {
      for await (const drop of readDrops(join(folder, "drops.jsonl.zst"))) await drops.write(drop);
      for await (const documents of readStaged(folder))
        for (const { facts, record } of documents) {
          if (index % 256 === 0) {
            signal?.throwIfAborted();
            options.onProgress?.({ stage: "write", documents: index, total });
          }
          const decision = decisions?.of(index++);
          deduplicated.in++;
          if (decision) {
            deduplicated.dropped++;
            await drops.write(duplicateDrop(facts, parseLine(record), decision.rule, kept.get(decision.kept)!));
            continue;
          }
          deduplicated.out++;
          split.in++;
          split.out++;
          if (splitOf(facts, config.validationFraction, config.seed) === "validation") {
            await validation.writeRecord(facts, record);
            continue;
          }
          if (!upsampler) {
            await train.writeRecord(facts, record);
            continue;
          }
          upsampled.in++;
          const document = parseLine(record);
          const copies = upsampler.copies(document);
          if (typeof copies !== "number") {
            upsampled.dropped++;
            await drops.write(copies);
            continue;
          }
          for (let copy = 0; copy < copies; copy++)
            await train.write(copy === 0 ? document : { ...document, id: `${document.id}#copy-${copy}` });
          upsampled.out += copies;
          upsampled.added += copies - 1;
        }
    }
    options.onProgress?.({ stage: "write", documents: total, total });
    signal?.throwIfAborted();
    const stages = sumAccounts(staged.flatMap((source) => source.stages));
    if (decisions) stages.push(deduplicated);
    stages.push(split);
    if (upsampler) stages.push(upsampled);
    const trainEnd = await train.end();
    const validationEnd = await validation.end();
    const { byRule, count } = drops;
    await drops.commit();
    checkAccounts(stages);
    checkWhole(stages, trainEnd.counts.documents + validationEnd.counts.documents, count);

    const reports: string[] = [];
    const report = async (file: string, content: string | object) => {
      if (typeof content === "string") await writeFileAtomic(join(directory, file), content);
      else await writeJsonAtomic(join(directory, file), content);
      reports.push(file);
    };
    const cleaning = mergeCleaning(staged.flatMap((source) => (source.cleaning ? [source.cleaning] : [])));
    if (config.stages.clean !== false) await report("cleaning.json", cleaning);
    let contamination: ContaminationReport | undefined;
    if (config.stages.decontaminate) {
      contamination = contaminationReport(items, tooShortItems(items).length, await contaminationHits(folders));
      await report("contamination.json", contamination);
    }
    reports.push(DATASHEET);
    const manifest: CorpusManifest = {
      format: "meditron-corpus",
      version: 1,
      tool,
      recipeHash: hashJson(withoutPaths(config)),
      seed: config.seed,
      shards: [...trainEnd.shards, ...validationEnd.shards],
      splits: { train: trainEnd.counts, validation: validationEnd.counts },
      drops: { total: count, byRule, file: DROP_LOG },
      stages,
      reports,
    };
    await writeFileAtomic(join(directory, DATASHEET), datasheet(manifest, { config, cleaning, contamination }));
    return manifest;
  } catch (error) {
    await Promise.allSettled([train.abort(), validation.abort(), drops.abort()]);
    throw error;
  }
}

/** From the first record to the last: read + added = written + dropped. */
function checkWhole(stages: readonly StageCount[], written: number, dropped: number): void {
  const added = stages.reduce((sum, stage) => sum + stage.added, 0);
  checkAccounts([{ stage: "whole build", in: stages[0]?.in ?? 0, out: written, dropped, added }]);
}

const parseLine = (line: Buffer): Document =>
  parseRecord(JSON.parse(line.toString("utf8")) as Parameters<typeof parseRecord>[0]);

/** Staged documents that deduplication keeps. */
async function* documentsOf(folders: readonly string[], decisions: Decisions | undefined): AsyncGenerator<Document> {
  let index = 0;
  for (const folder of folders)
    for await (const staged of readStaged(folder))
      for (const { record } of staged) if (!decisions?.of(index++)) yield parseLine(record);
}

/** Ids of the documents that stay in the place of others, for the drop log. */
async function idsOfKept(
  folders: readonly string[],
  staged: readonly StagedSource[],
  decisions: Decisions,
): Promise<Map<number, string>> {
  const wanted = new Set<number>();
  for (let i = 0; i < decisions.count; i++) {
    const decision = decisions.of(i);
    if (decision) wanted.add(decision.kept);
  }
  const ids = new Map<number, string>();
  if (wanted.size === 0) return ids;
  let from = 0;
  for (const [part, folder] of folders.entries()) {
    const before = from;
    for await (const { index, facts } of readStagedFacts(folder, (index) => wanted.has(before + index)))
      ids.set(before + index, `${facts.id} of ${facts.source}${facts.place && ` (${facts.place})`}`);
    from += staged[part]!.documents;
  }
  return ids;
}

function duplicateDrop(facts: StagedFacts, document: Document, rule: DuplicateRule, kept: string): Drop {
  const reasons: Record<DuplicateRule, string> = {
    "deduplicate.id": `the same document as ${kept}`,
    "deduplicate.id-conflict": `another text under the id of ${kept}, which is the newer or longer one`,
    "deduplicate.pmid": `the PubMed id of ${kept}`,
    "deduplicate.corpusid": `the Semantic Scholar id of ${kept}`,
    "deduplicate.text": `the same text as ${kept}`,
    "deduplicate.opening": `opens with the same 500 letters as ${kept}`,
    "deduplicate.title": `the same title as ${kept}`,
    "deduplicate.near": `nearly the same text as ${kept}`,
  };
  return {
    id: document.id,
    source: document.source,
    rule,
    value: kept,
    reason: reasons[rule],
    where: facts.place,
    title: document.title,
    characters: document.text.length,
  };
}

async function contaminationHits(folders: readonly string[]): Promise<ContaminationHit[]> {
  const hits: ContaminationHit[] = [];
  for (const folder of folders)
    for await (const { value } of readJsonLines<ContaminationHit>(join(folder, "contamination.jsonl.zst")))
      hits.push(value);
  return hits;
}

async function loadBenchmarks(
  config: CorpusConfig,
  given: Readonly<Record<string, readonly BenchmarkItem[]>>,
): Promise<BenchmarkItem[]> {
  const items: BenchmarkItem[] = [];
  for (const name of config.stages.decontaminate?.benchmarks ?? []) {
    const known = given[name];
    if (known) {
      items.push(...known);
      continue;
    }
    if (!(await exists(name)))
      throw new ConfigError("CORPUS_NO_BENCHMARK", {
        message: `no benchmark and no file "${name}"`,
        where: "stages.decontaminate.benchmarks",
        remedy: `name a benchmark of the recipe${Object.keys(given).length > 0 ? ` (${Object.keys(given).join(", ")})` : ""} or a JSON Lines file with a "text" in each line`,
      });
    for await (const { value, line } of readJsonLines<Partial<BenchmarkItem>>(name))
      if (typeof value.text === "string")
        items.push({
          benchmark: String(value.benchmark ?? name),
          id: String(value.id ?? line.number),
          text: value.text,
        });
  }
  return items;
}

/** What the staged form of a source depends on: its settings, the stages, and which files it has (by size and time). */
async function inputKey(source: NamedSource, config: CorpusConfig, items: readonly BenchmarkItem[]): Promise<string> {
  const paths = [
    source.type === "guideline-site" ? undefined : source.path,
    source.type === "s2orc" ? source.papers : undefined,
  ].filter((path) => path !== undefined);
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const crawl = source.type === "guideline-site" ? join(source.cache, "crawl.json") : undefined;
  const snapshot = crawl !== undefined && (await exists(crawl)) ? await readJson(crawl) : undefined;
  const { deduplicate: _, upsample: __, ...stages } = config.stages;
  return hashJson({
    source,
    stages,
    near: config.stages.deduplicate,
    only: config.only,
    files,
    snapshot,
    items,
    tool: await toolVersion(),
  });
}

/** Files below a path (or the one that it is) with size and time: what tells that a file was changed. */
async function filesOf(path: string): Promise<[file: string, bytes: number, mtimeMs: number][]> {
  const files: [string, number, number][] = [];
  for (const file of await listFiles(path, [])) {
    const { size, mtimeMs } = await stat(file.path);
    files.push([file.relative, size, mtimeMs]);
  }
  return files;
}

/** What upsampling reads besides the documents. */
function upsamplingPaths({ stages: { upsample } }: CorpusConfig): string[] {
  return [upsample?.journals, upsample?.citations].filter((path) => path !== undefined);
}

/** Paths differ from machine to machine; the corpus does not. */
function withoutPaths(config: CorpusConfig): unknown {
  return {
    ...config,
    sources: config.sources.map((source) => {
      const { path: _, cache: __, papers: ___, ...rest } = source as Record<string, unknown>;
      return rest;
    }),
  };
}

let version: Promise<string> | undefined;
/** "meditron 0.1.0" */
export function toolVersion(): Promise<string> {
  version ??= (async () => {
    for (const up of ["../../package.json", "../../../package.json"]) {
      const url = new URL(up, import.meta.url);
      try {
        const { name, version } = JSON.parse(await readFile(url, "utf8")) as { name?: string; version?: string };
        if (name === "meditron") return `meditron ${version}`;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT")
          throw fromSystemError(error, url.pathname, "reading the version");
      }
    }
    return "meditron";
  })();
  return version;
}

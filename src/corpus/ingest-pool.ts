/**
 * Reads sources on several threads, a part of a source's files at a time; with one thread, one after the other on this one. Parts
 * come back in order, so the number of threads changes nothing. PubMed is scanned for versions first, also in parts.
 */
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type ErrorDetails, MeditronError } from "../core/errors.ts";
import { exists, readJson } from "../core/files.ts";
import { startWorker } from "../core/worker.ts";
import type { BuildProgress } from "./build.ts";
import type { CorpusConfig } from "./config.ts";
import type { BenchmarkItem } from "./decontaminate.ts";
import { ingest, type StagedSource } from "./ingest.ts";
import type { FileRange } from "./sources/files.ts";
import type { NamedSource, PartOptions } from "./sources/index.ts";
import { PubMedVersions, type VersionScan } from "./sources/pubmed-versions.ts";
import { PaperIndex, type SharedPapers } from "./sources/s2-papers.ts";

/** A part of a source. Parts of one source follow each other, in the order of its files. */
export interface IngestJob {
  source: NamedSource;
  files?: FileRange | undefined;
  directory: string;
  key: string;
}

/** What all threads are told once. */
export interface IngestSettings {
  config: CorpusConfig;
  items: readonly BenchmarkItem[];
}

/** What the main thread sends. */
export type IngestRequest =
  | { scan: { path: string; files?: FileRange | undefined } }
  | { ingest: Omit<IngestJob, "files"> & { part: PartOptions } };

/** What a worker answers. Errors cross as data: classes do not survive the way. */
export type IngestReply =
  | { documents: number }
  | { staged: StagedSource }
  | { scan: VersionScan }
  | { error: { name: string; code?: string; details?: ErrorDetails; message: string; stack?: string | undefined } };

export interface IngestAllOptions {
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  items: readonly BenchmarkItem[];
}

/** A thread, or this one. */
interface Lane {
  scan(source: { path: string; files?: FileRange | undefined }): Promise<VersionScan>;
  ingest(job: IngestJob, part: PartOptions): Promise<StagedSource>;
  close(): Promise<void>;
}

/** Ingests all parts. @returns what was staged, in the order of the jobs. */
export async function ingestAll(
  jobs: readonly IngestJob[],
  config: CorpusConfig,
  { threads = 1, signal, onProgress, items }: IngestAllOptions,
): Promise<StagedSource[]> {
  let documents = 0;
  const onDocuments = (count: number) => {
    documents += count;
    onProgress?.({ stage: "read", documents });
  };
  const count = Math.min(threads, jobs.length);
  const lanes =
    count <= 1
      ? [thisThread(config, items, onDocuments, signal)]
      : Array.from({ length: count }, () => anotherThread({ config, items }, onDocuments));
  const stop = () => void Promise.all(lanes.map((lane) => lane.close()));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const indexes = await indexPubMed(jobs, lanes, signal);
    const papers = await indexPapers(jobs);
    return await inOrder(jobs, lanes, signal, (lane, job, i) =>
      lane.ingest(job, { files: job.files, index: indexes[i], paperIndex: papers.get(job.source) }),
    );
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/** The lanes take one task after the other; after the first failure they finish what they have and stop. */
async function inOrder<T, R>(
  tasks: readonly T[],
  lanes: readonly Lane[],
  signal: AbortSignal | undefined,
  run: (lane: Lane, task: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (lane: Lane): Promise<void> => {
    try {
      while (next < tasks.length) {
        signal?.throwIfAborted();
        const index = next++;
        results[index] = await run(lane, tasks[index]!, index);
      }
    } catch (error) {
      next = tasks.length;
      throw error;
    }
  };
  const ended = await Promise.allSettled(lanes.map(work));
  const failed = ended.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return results;
}

/** For each job the versions of its source's files, where the source is PubMed and a part of it is still to be read. */
async function indexPubMed(
  jobs: readonly IngestJob[],
  lanes: readonly Lane[],
  signal: AbortSignal | undefined,
): Promise<PartOptions["index"][]> {
  const indexes: PartOptions["index"][] = [];
  const scans: { path: string; files: FileRange | undefined; job: number }[] = [];
  const pending = new Set<NamedSource>();
  for (const { source, directory, key } of jobs)
    if (source.type === "pubmed" && source.versions !== "all" && !(await isStaged(directory, key))) pending.add(source);
  for (const [job, { source, files }] of jobs.entries())
    if (source.type === "pubmed" && pending.has(source)) scans.push({ path: source.path, files, job });
  const done = await inOrder(scans, lanes, signal, (lane, { path, files }) => lane.scan({ path, files }));
  const versions = new Map<NamedSource, PubMedVersions>();
  for (const [i, { job }] of scans.entries()) {
    const { source } = jobs[job]!;
    const merged = versions.get(source) ?? new PubMedVersions();
    versions.set(source, merged);
    indexes[job] = { shared: merged.share(), start: merged.records };
    merged.merge(done[i]!);
  }
  return indexes;
}

/** For each source that is joined with papers their index, where a part of it is still to be read. */
async function indexPapers(jobs: readonly IngestJob[]): Promise<Map<NamedSource, SharedPapers>> {
  const indexes = new Map<NamedSource, SharedPapers>();
  const byFolder = new Map<string, SharedPapers>();
  for (const { source, directory, key } of jobs) {
    if (source.type !== "s2orc" || source.papers === undefined || indexes.has(source)) continue;
    if (await isStaged(directory, key)) continue;
    const file = join(dirname(directory), `papers-${byFolder.size}.facts`);
    const shared = byFolder.get(source.papers) ?? (await PaperIndex.build(source.papers, file)).shared;
    byFolder.set(source.papers, shared);
    indexes.set(source, shared);
  }
  return indexes;
}

async function isStaged(directory: string, key: string): Promise<boolean> {
  const path = join(directory, "done.json");
  return (await exists(path)) && (await readJson<StagedSource>(path)).key === key;
}

function thisThread(
  config: CorpusConfig,
  items: readonly BenchmarkItem[],
  onDocuments: (count: number) => void,
  signal: AbortSignal | undefined,
): Lane {
  return {
    async scan(source) {
      return (await import("./sources/pubmed.ts")).scanPubMed(source);
    },
    ingest: ({ source, directory, key }, part) =>
      ingest(source, config, { directory, key, part, signal, onDocuments, benchmarkItems: items }),
    async close() {},
  };
}

function anotherThread(settings: IngestSettings, onDocuments: (count: number) => void): Lane {
  const worker = startWorker(new URL("./ingest-worker.ts", import.meta.url), { workerData: settings });
  return {
    async scan(source) {
      const reply = await ask(worker, { scan: source }, onDocuments);
      return (reply as { scan: VersionScan }).scan;
    },
    async ingest({ source, directory, key }, part) {
      const reply = await ask(worker, { ingest: { source, directory, key, part } }, onDocuments);
      return (reply as { staged: StagedSource }).staged;
    },
    async close() {
      await worker.terminate();
    },
  };
}

type FinalReply = Exclude<IngestReply, { documents: number } | { error: unknown }>;

function ask(worker: Worker, request: IngestRequest, onDocuments: (count: number) => void): Promise<FinalReply> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: IngestReply) => {
      if ("documents" in reply) onDocuments(reply.documents);
      else if ("error" in reply) settle(() => reject(revive(reply.error)));
      else settle(() => resolve(reply));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = () => settle(() => reject(new Error("the reading thread stopped")));
    const settle = (then: () => void) => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      then();
    };
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(request);
  });
}

function revive(error: Extract<IngestReply, { error: unknown }>["error"]): Error {
  if (error.code !== undefined && error.details) {
    const revived = new MeditronError(error.code, error.details);
    revived.name = error.name;
    return revived;
  }
  const plain = new Error(error.message);
  if (error.stack) plain.stack = error.stack;
  return plain;
}

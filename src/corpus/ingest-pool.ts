/** Reads several sources at a time, each in a thread of its own; with one thread, one after the other on this one. */
import type { Worker } from "node:worker_threads";
import { type ErrorDetails, MeditronError } from "../core/errors.ts";
import { startWorker } from "../core/worker.ts";
import type { BuildProgress } from "./build.ts";
import type { CorpusConfig } from "./config.ts";
import type { BenchmarkItem } from "./decontaminate.ts";
import { ingest, type StagedSource } from "./ingest.ts";
import type { NamedSource } from "./sources/index.ts";

export interface IngestJob {
  source: NamedSource;
  directory: string;
  key: string;
}

/** What the main thread sends. */
export interface IngestRequest extends IngestJob {
  config: CorpusConfig;
  items: readonly BenchmarkItem[];
}

/** What a worker answers. Errors cross as data: classes do not survive the way. */
export type IngestReply =
  | { documents: number }
  | { staged: StagedSource }
  | { error: { name: string; code?: string; details?: ErrorDetails; message: string; stack?: string | undefined } };

export interface IngestAllOptions {
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  items: readonly BenchmarkItem[];
}

/** Ingests all sources. @returns what was staged, in the order of the jobs. */
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
  const staged: StagedSource[] = [];
  if (threads <= 1 || jobs.length <= 1) {
    for (const { source, ...job } of jobs) {
      signal?.throwIfAborted();
      staged.push(await ingest(source, config, { ...job, signal, onDocuments, benchmarkItems: items }));
    }
    return staged;
  }
  let next = 0;
  const lane = async (): Promise<void> => {
    const worker = startWorker(new URL("./ingest-worker.ts", import.meta.url));
    const stop = () => void worker.terminate();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      while (next < jobs.length) {
        signal?.throwIfAborted();
        const index = next++;
        staged[index] = await ask(worker, { ...jobs[index]!, config, items }, onDocuments);
      }
    } catch (error) {
      next = jobs.length; // the other lanes finish what they have and stop
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      await worker.terminate();
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(threads, jobs.length) }, lane));
  const failed = lanes.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return staged;
}

function ask(worker: Worker, request: IngestRequest, onDocuments: (count: number) => void): Promise<StagedSource> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: IngestReply) => {
      if ("documents" in reply) onDocuments(reply.documents);
      else if ("staged" in reply) settle(() => resolve(reply.staged));
      else settle(() => reject(revive(reply.error)));
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

/** Starting our own modules as worker threads, from the built package (`.js`) and from source (`.ts` under tests) alike. */
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * @param module - `new URL("./x-worker.ts", import.meta.url)` (the build rewrites nothing in URLs, so `.ts` is mapped here).
 */
export function startWorker(module: URL, options: WorkerOptions = {}): Worker {
  const fromSource = import.meta.url.endsWith(".ts");
  if (!fromSource) return new Worker(new URL(module.href.replace(/\.ts$/, ".js")), options);
  // Node 20 does not strip types: tsx's loader does, inside the worker as well.
  return new Worker(module, { ...options, execArgv: [...(options.execArgv ?? []), "--import", "tsx"] });
}

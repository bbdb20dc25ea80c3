/** Starting our own modules as worker threads, from the built package (`.js`) and from source (`.ts` under tests) alike. */
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * @param module - `new URL("./x-worker.ts", import.meta.url)` (the build rewrites nothing in URLs, so `.ts` is mapped here).
 */
export function startWorker(module: URL, options: WorkerOptions = {}): Worker {
  const fromSource = import.meta.url.endsWith(".ts");
  if (!fromSource) return new Worker(new URL(module.href.replace(/\.ts$/, ".js")), options);
  // Node 20 does not strip types, and a worker takes no `--import`: a first line of JavaScript registers tsx's loader inside it.
  const tsx = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const start = `import { register } from ${tsx}; register(); await import(${JSON.stringify(module.href)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(start)}`), options);
}

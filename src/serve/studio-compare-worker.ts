/** Bootstraps over many items take seconds: they run beside the server, not in it. */
import { parentPort, workerData } from "node:worker_threads";
import { packError } from "../core/index.ts";
import { type ComparedRun, compareRuns } from "../eval/compare.ts";

try {
  parentPort!.postMessage({ comparisons: compareRuns((workerData as { runs: ComparedRun[] }).runs) });
} catch (error) {
  parentPort!.postMessage({ error: packError(error) });
}

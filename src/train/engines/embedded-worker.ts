/** The embedded engine's own thread: the event loop of the program stays free while kernels run. */
import { parentPort, workerData } from "node:worker_threads";
import { type PackedError, packError } from "../../core/index.ts";
import { loadKernels } from "../../native/index.ts";
import type { TrainEvent, TrainJob } from "../job.ts";
import { runTrainer, type TrainResult } from "../trainer.ts";

export interface EmbeddedWork {
  job: TrainJob;
  /** Set to 1 to stop: messages do not get through while a step computes. */
  cancelled: Int32Array;
  availableBytes?: number;
}

export type EmbeddedMessage =
  | { kind: "event"; event: TrainEvent }
  | { kind: "result"; result: TrainResult }
  | { kind: "error"; error: PackedError };

const { job, cancelled, availableBytes } = workerData as EmbeddedWork;
const post = (message: EmbeddedMessage) => parentPort!.postMessage(message);

try {
  const kernels = await loadKernels(job.threads === undefined ? {} : { threads: job.threads });
  const result = await runTrainer(job, {
    kernels,
    isCancelled: () => Atomics.load(cancelled, 0) === 1,
    onEvent: (event) => post({ kind: "event", event }),
    ...(availableBytes !== undefined && { availableBytes }),
  });
  post({ kind: "result", result });
} catch (error) {
  post({ kind: "error", error: packError(error) });
}

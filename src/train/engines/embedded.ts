/** Starts the embedded engine on a thread and passes on what it reports. */
import { startWorker, unpackError } from "../../core/index.ts";
import type { TrainEvent, TrainJob } from "../job.ts";
import type { TrainResult } from "../trainer.ts";
import type { EmbeddedMessage, EmbeddedWork } from "./embedded-worker.ts";

export interface EngineOptions {
  /** Stops within one micro-batch, after a checkpoint. */
  signal?: AbortSignal;
  onEvent?: (event: TrainEvent) => void;
  /** Memory to stay within. Default: what the system has. */
  availableBytes?: number;
}

/** @throws Whatever the trainer throws, with its class and fields; {CancelledError} when `signal` asked to stop. */
export function trainEmbedded(job: TrainJob, options: EngineOptions = {}): Promise<TrainResult> {
  const { signal, onEvent, availableBytes } = options;
  return new Promise((resolve, reject) => {
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const cancel = () => Atomics.store(cancelled, 0, 1);
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel);

    const workerData: EmbeddedWork = { job, cancelled, ...(availableBytes !== undefined && { availableBytes }) };
    const worker = startWorker(new URL("./embedded-worker.ts", import.meta.url), { workerData });
    const settle = (act: () => void) => {
      signal?.removeEventListener("abort", cancel);
      act();
    };
    worker.on("message", (message: EmbeddedMessage) => {
      switch (message.kind) {
        case "event":
          return onEvent?.(message.event);
        case "result":
          return settle(() => resolve(message.result));
        case "error":
          return settle(() => reject(unpackError(message.error)));
        default:
          return message satisfies never;
      }
    });
    worker.on("error", (error) => settle(() => reject(error)));
    worker.on("exit", (code) => settle(() => reject(new Error(`the training thread ended early (exit code ${code})`))));
  });
}

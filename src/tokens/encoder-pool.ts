/** Encoding on all cores: batches go to worker threads and come back in order. */
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../core/index.ts";
import type { EncodeReply, EncodeRequest } from "./tokenize-worker.ts";
import { tokenizerParts } from "./tokenizer.ts";
import type { Tokenizer } from "./types.ts";

interface Slot {
  worker: Worker;
  waiting: { resolve: (reply: EncodeReply) => void; reject: (error: unknown) => void }[];
}

export class EncoderPool {
  readonly #slots: Slot[];
  #next = 0;

  /** @param threads - Default: one a core. */
  constructor(tokenizer: Tokenizer, threads: number = availableParallelism()) {
    const workerData = tokenizerParts(tokenizer);
    this.#slots = Array.from({ length: threads }, () => {
      const worker = startWorker(new URL("./tokenize-worker.ts", import.meta.url), { workerData });
      const slot: Slot = { worker, waiting: [] };
      worker.on("message", (reply: EncodeReply) => slot.waiting.shift()!.resolve(reply));
      const fail = (error: unknown) => {
        for (const { reject } of slot.waiting.splice(0)) reject(error);
      };
      worker.on("error", fail);
      worker.on("exit", () => fail(new Error("a tokenizing thread ended early")));
      return slot;
    });
  }

  /** Batches that keep every thread busy while the next ones are read. */
  get depth(): number {
    return this.#slots.length * 2;
  }

  encode(texts: string[]): Promise<EncodeReply> {
    const slot = this.#slots[this.#next++ % this.#slots.length]!;
    return new Promise((resolve, reject) => {
      slot.waiting.push({ resolve, reject });
      slot.worker.postMessage({ texts } satisfies EncodeRequest);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map(({ worker }) => worker.terminate()));
  }
}

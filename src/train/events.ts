/**
 * events.jsonl of a training: appended while it runs, cut back to the checkpoint that a restart resumes from, so that the
 * finished file is the one of a run that was never interrupted (times and speeds apart).
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { fromSystemError, readJsonLines } from "../core/index.ts";
import type { TrainEvent } from "./job.ts";

/** An event without its time: the log adds it. */
export type NewEvent = TrainEvent extends infer E ? (E extends TrainEvent ? Omit<E, "time"> : never) : never;

export class TrainEventLog {
  readonly path: string;
  #descriptor: number;
  #bytes: number;
  readonly #listener: (event: TrainEvent) => void;

  constructor(path: string, listener: (event: TrainEvent) => void = () => {}) {
    this.path = path;
    this.#listener = listener;
    this.#descriptor = openSync(path, "a+");
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  /** Bytes written: the place to come back to. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param kept - False tells the listener only: what belongs to this attempt and not to the run. */
  emit(event: NewEvent, kept = true): void {
    // What a worker of another process or machine reports has its time already.
    const stamped = { time: new Date().toISOString(), ...event } as TrainEvent;
    if (kept) {
      // Name and time first: easier to read by eye.
      const { event: name, time, ...rest } = stamped;
      const line = Buffer.from(`${JSON.stringify({ event: name, time, ...rest })}\n`);
      try {
        for (let done = 0; done < line.length; ) done += writeSync(this.#descriptor, line, done);
      } catch (error) {
        throw fromSystemError(error, this.path, "writing events");
      }
      this.#bytes += line.length;
    }
    this.#listener(stamped);
  }

  /** Waits until everything is on disk. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  /** Forgets what came after `bytes`. @returns the lines that went. */
  truncate(bytes: number): string[] {
    const from = Math.min(bytes, this.#bytes);
    const rest = Buffer.alloc(this.#bytes - from);
    for (let done = 0; done < rest.length; ) {
      const count = readSync(this.#descriptor, rest, done, rest.length - done, from + done);
      if (count === 0) break;
      done += count;
    }
    ftruncateSync(this.#descriptor, from);
    this.#bytes = from;
    return rest.toString("utf8").split("\n").filter(Boolean);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Events of a training directory; half a line at the end of a running one is passed over. */
export async function readTrainEvents(path: string): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const { value } of readJsonLines<TrainEvent>(path, () => {})) events.push(value);
  return events;
}

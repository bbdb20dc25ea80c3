/**
 * events.jsonl: everything a run did, one JSON object a line, appended and never rewritten. Report and Studio read it.
 *
 * It tells what happened, restarts included: a resumed training logs the steps since its last checkpoint again. The clean
 * record of a training, as if it had never been interrupted, is `train/<name>/events.jsonl`.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { readJsonLines } from "../core/index.ts";
import type { TrainEvent } from "../train/job.ts";

/** Numbers a stage states about itself: documents in and out, tokens, items ... */
export type Counts = Record<string, number>;

export type RunEvent =
  | { event: "run-start"; time: string; run: string; recipe: string; version: string; stages: string[] }
  | { event: "stage-start"; time: string; stage: string; inputs: string; resumed: boolean }
  | { event: "stage-skip"; time: string; stage: string; inputs: string }
  | { event: "stage-end"; time: string; stage: string; inputs: string; seconds: number; counts: Counts }
  | { event: "stage-failed"; time: string; stage: string; code: string; message: string }
  | { event: "run-cancelled"; time: string; stage: string }
  | { event: "run-end"; time: string; seconds: number }
  | (TrainEvent & { stage: string });

/** The append-only log of one run directory. */
export class EventLog {
  readonly path: string;

  constructor(directory: string) {
    this.path = join(directory, "events.jsonl");
    // A power cut can leave half a line; what follows must not be glued to it.
    if (existsSync(this.path) && !endsWithNewline(this.path)) appendFileSync(this.path, "\n");
  }

  append(event: RunEvent): void {
    appendFileSync(this.path, `${JSON.stringify(event)}\n`);
  }
}

function endsWithNewline(path: string): boolean {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return true;
    const last = Buffer.alloc(1);
    readSync(descriptor, last, 0, 1, size - 1);
    return last[0] === 10;
  } finally {
    closeSync(descriptor);
  }
}

/** All events of a run directory; half lines are passed over. Empty when the run never started. */
export async function readEvents(directory: string): Promise<RunEvent[]> {
  const path = join(directory, "events.jsonl");
  const events: RunEvent[] = [];
  if (!existsSync(path)) return events;
  for await (const { value } of readJsonLines<RunEvent>(path, () => {})) events.push(value);
  return events;
}

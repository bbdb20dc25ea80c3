/**
 * A run as a graph of stages, in the manner of make: a stage whose inputs are those of its last success is skipped.
 *
 * The identity of a stage's inputs is a hash over its settings, the outside files it reads, and what the stages before it
 * produced (not when, nor how). Before a stage starts, that hash is noted in `stages/<id>.json`; a stage killed half way
 * finds its own hash there and resumes, while one whose inputs changed starts from an empty folder. So the state of a run
 * is its directory, and running the same command again is always right.
 */
import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  CancelledError,
  ConfigError,
  exists,
  hashJson,
  MeditronError,
  readJson,
  writeJsonAtomic,
} from "../core/index.ts";
import { type Counts, EventLog, type RunEvent } from "./events.ts";

export interface StageContext {
  /** The run directory. */
  directory: string;
  signal: AbortSignal;
  /** The stage was begun earlier with the same inputs and did not finish. */
  resumed: boolean;
  /** Adds a line to events.jsonl. */
  log(event: RunEvent): void;
}

export interface StageResult {
  counts: Counts;
  /** What identifies the products (hashes, sizes): stages after this one run again only when it changes. */
  product: unknown;
}

export interface Stage {
  /** "corpus.medical", "train.continued" */
  id: string;
  /** Ids of the stages whose products this one reads; they stand earlier in the list. */
  needs: string[];
  /** Everything that decides the product besides files and earlier stages. JSON. */
  settings: unknown;
  /** Files and folders outside the run that are read. */
  files?: string[];
  /** Folder of the products inside the run directory; emptied when the inputs change. */
  folder?: string;
  /** Products that must still exist for the stage to count as finished, relative to the run directory. */
  products?: string[];
  run(context: StageContext): Promise<StageResult>;
}

/** What `stages/<id>.json` holds. */
export interface StageRecord {
  stage: string;
  inputs: string;
  state: "started" | "finished";
  finished?: string;
  seconds?: number;
  counts?: Counts;
  product?: unknown;
}

export interface GraphOptions {
  directory: string;
  signal: AbortSignal;
  /** Run only these stages and what they need. */
  only?: string[] | undefined;
  /** A stage was skipped, starts or ended: for the terminal. */
  onStage?: (stage: Stage, state: "skipped" | "started" | "resumed" | "finished", record: StageRecord) => void;
}

const recordPath = (directory: string, id: string) => join(directory, "stages", `${id}.json`);

/** The record of a stage, or undefined when it never started. */
export async function readStageRecord(directory: string, id: string): Promise<StageRecord | undefined> {
  const path = recordPath(directory, id);
  return (await exists(path)) ? readJson<StageRecord>(path) : undefined;
}

/**
 * Runs the stages in order, skipping those that are up to date.
 * @returns the record of every stage.
 * @throws {CancelledError} When the signal stops it; everything finished so far stays finished.
 */
export async function runGraph(stages: Stage[], options: GraphOptions): Promise<Map<string, StageRecord>> {
  const { directory, signal } = options;
  const log = new EventLog(directory);
  const records = new Map<string, StageRecord>();
  for (const stage of select(stages, options.only)) {
    if (signal.aborted) throw new CancelledError();
    const inputs = await hashInputs(stage, records);
    const previous = await readStageRecord(directory, stage.id);
    if (previous && isCurrent(previous, inputs, stage, directory)) {
      log.append({ event: "stage-skip", time: now(), stage: stage.id, inputs });
      records.set(stage.id, previous);
      options.onStage?.(stage, "skipped", previous);
      continue;
    }
    const resumed = previous?.inputs === inputs && previous.state === "started";
    if (!resumed && stage.folder) await rm(join(directory, stage.folder), { recursive: true, force: true });
    const started: StageRecord = { stage: stage.id, inputs, state: "started" };
    await writeJsonAtomic(recordPath(directory, stage.id), started);
    log.append({ event: "stage-start", time: now(), stage: stage.id, inputs, resumed });
    options.onStage?.(stage, resumed ? "resumed" : "started", started);
    const startMs = performance.now();
    try {
      const { counts, product } = await stage.run({ directory, signal, resumed, log: (event) => log.append(event) });
      const seconds = Number(((performance.now() - startMs) / 1000).toFixed(3));
      const record: StageRecord = { ...started, state: "finished", finished: now(), seconds, counts, product };
      await writeJsonAtomic(recordPath(directory, stage.id), record);
      log.append({ event: "stage-end", time: now(), stage: stage.id, inputs, seconds, counts });
      records.set(stage.id, record);
      options.onStage?.(stage, "finished", record);
    } catch (error) {
      if (error instanceof CancelledError || signal.aborted) {
        log.append({ event: "run-cancelled", time: now(), stage: stage.id });
        throw error instanceof CancelledError ? error : new CancelledError();
      }
      const code = error instanceof MeditronError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      log.append({ event: "stage-failed", time: now(), stage: stage.id, code, message });
      throw error;
    }
  }
  return records;
}

function isCurrent(record: StageRecord, inputs: string, stage: Stage, directory: string): boolean {
  if (record.state !== "finished" || record.inputs !== inputs) return false;
  return (stage.products ?? []).every((product) => existsSync(join(directory, product)));
}

/** The named stages and all they need, in the order of the list. */
function select(stages: Stage[], only: string[] | undefined): Stage[] {
  if (!only) return stages;
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const wanted = new Set<string>();
  const visit = (id: string) => {
    const stage = byId.get(id);
    if (!stage)
      throw new ConfigError("RUN_UNKNOWN_STAGE", {
        message: `the recipe has no stage "${id}"`,
        remedy: `stages: ${[...byId.keys()].join(", ")}`,
      });
    if (wanted.has(id)) return;
    wanted.add(id);
    stage.needs.forEach(visit);
  };
  only.forEach(visit);
  return stages.filter((stage) => wanted.has(stage.id));
}

async function hashInputs(stage: Stage, records: Map<string, StageRecord>): Promise<string> {
  const files: [string, number, number][] = [];
  for (const path of stage.files ?? []) await listFiles(path, files);
  const products = stage.needs.map((id) => [id, records.get(id)?.product]);
  return hashJson({ stage: stage.id, settings: stage.settings, files, products });
}

/** Name, size and time of change of every file below a path: enough to notice an edit without reading gigabytes. */
async function listFiles(path: string, into: [string, number, number][]): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (!status) into.push([path, -1, 0]);
  else if (!status.isDirectory()) into.push([path, status.size, status.mtimeMs]);
  else for (const name of (await readdir(path)).sort()) await listFiles(join(path, name), into);
}

const now = () => new Date().toISOString();

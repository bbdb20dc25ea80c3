/**
 * Checkpoints: `checkpoints/step-0000123/` is a complete Hugging Face model directory, with the trainer's own state beside it.
 *
 *   config.json, model*.safetensors, tokenizer.json …   load it anywhere
 *   trainer/optimizer.safetensors                       AdamW's moments
 *   trainer/adapters.safetensors                        with LoRA: the adapters (the weights above have them merged in)
 *   trainer/state.json                                  step, data position, job
 *
 * Written into a folder of another name, synced, renamed: a checkpoint is whole or not there.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, fromSystemError, readJson, syncDirectory, writeJsonAtomic } from "../core/index.ts";
import type { JobIdentity } from "./identity.ts";
import type { SkippedSamples, SpikeHistory } from "./spikes.ts";

/** trainer/state.json */
export interface TrainerState {
  format: "meditron-trainer";
  version: 1;
  step: number;
  /** Global sample number: everything below was trained on, `skipped` apart. */
  samples: number;
  skipped: SkippedSamples;
  spikes: SpikeHistory;
  /** Loss of the last step, in nats. */
  loss: number | null;
  /** Length of events.jsonl when this was written. */
  eventBytes: number;
  identity: JobIdentity;
}

const NAME = /^step-(\d{7,})$/;

export function checkpointName(step: number): string {
  return `step-${String(step).padStart(7, "0")}`;
}

/** Complete checkpoints of a training directory, newest first. */
export async function listCheckpoints(directory: string): Promise<{ step: number; path: string }[]> {
  const folder = join(directory, "checkpoints");
  const names = (await exists(folder)) ? await readdir(folder) : [];
  const found: { step: number; path: string }[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    const path = join(folder, name);
    if (match && (await exists(join(path, "trainer", "state.json")))) found.push({ step: Number(match[1]), path });
  }
  return found.sort((a, b) => b.step - a.step);
}

export async function loadState(path: string): Promise<TrainerState> {
  return readJson<TrainerState>(join(path, "trainer", "state.json"));
}

/**
 * Writes a checkpoint.
 * @param write - Fills the model directory and its trainer/ folder.
 * @throws {RetryableError} IO_DISK_FULL; the checkpoints before it stay as they were.
 */
export async function saveCheckpoint(
  directory: string,
  state: TrainerState,
  write: (modelDirectory: string, trainerDirectory: string) => Promise<void>,
): Promise<string> {
  const folder = join(directory, "checkpoints");
  const path = join(folder, checkpointName(state.step));
  const partial = join(folder, `.${checkpointName(state.step)}.partial`);
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(join(partial, "trainer"), { recursive: true });
    await write(partial, join(partial, "trainer"));
    await writeJsonAtomic(join(partial, "trainer", "state.json"), state);
    syncDirectory(partial);
    // A rolled-back run comes by the same step again: the newer one counts.
    await rm(path, { recursive: true, force: true });
    await rename(partial, path);
    syncDirectory(folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    throw fromSystemError(error, path, "writing a checkpoint");
  }
  return path;
}

/** Keeps the newest `keep` checkpoints and clears what an interrupted run left half written. */
export async function pruneCheckpoints(directory: string, keep: number): Promise<void> {
  const folder = join(directory, "checkpoints");
  for (const { path } of (await listCheckpoints(directory)).slice(keep))
    await rm(path, { recursive: true, force: true });
  for (const name of (await exists(folder)) ? await readdir(folder) : [])
    if (name.endsWith(".partial")) await rm(join(folder, name), { recursive: true, force: true });
}

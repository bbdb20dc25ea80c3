/**
 * Checkpoints kept for the accuracy curve: `train/<name>/kept/step-NNNNNNN`, the model files of a checkpoint as hard links, so that
 * they outlive it and cost no second copy while it lives. The optimizer's state, two thirds of a checkpoint, is not kept.
 */
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DuringTraining } from "./recipe.ts";

export interface KeptCheckpoint {
  step: number;
  path: string;
}

/**
 * After how many steps a checkpoint is written and after how many one is kept, a multiple of it; the last step is always kept.
 * @param every - The recipe's checkpointEverySteps.
 */
export function keepRhythm(steps: number, every: number, followed: readonly DuringTraining[]) {
  const wanted = Math.min(
    ...followed.map(({ everySteps, checkpoints }) => everySteps ?? Math.max(1, Math.ceil(steps / checkpoints))),
  );
  const perKept = Math.max(1, Math.ceil(wanted / every));
  const checkpointEverySteps = Math.ceil(wanted / perKept);
  return { checkpointEverySteps, keepEverySteps: perKept * checkpointEverySteps };
}

/** Keeps a checkpoint. Doing it again changes nothing; one that is gone already is passed over. */
export function keep(checkpoint: string, folder: string): void {
  const target = join(folder, basename(checkpoint));
  if (existsSync(target) || !existsSync(checkpoint)) return;
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  for (const entry of readdirSync(checkpoint, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const [from, to] = [join(checkpoint, entry.name), join(partial, entry.name)];
    try {
      linkSync(from, to);
    } catch {
      cpSync(from, to); // a file system without hard links
    }
  }
  renameSync(partial, target);
}

/** Kept checkpoints of a training, oldest first. */
export async function listKept(folder: string): Promise<KeptCheckpoint[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => {
      const step = /^step-(\d+)$/.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

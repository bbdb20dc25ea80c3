/** Running a recipe: the lock, the resolved recipe, provenance, the graph, and the events that frame them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sha256, writeFileAtomic } from "../core/index.ts";
import { VERSION } from "../core/version.ts";
import { EventLog } from "./events.ts";
import { type GraphOptions, runGraph, type StageRecord } from "./graph.ts";
import type { LoadedRecipe } from "./load-recipe.ts";
import { RunLock } from "./lock.ts";
import { stagesOf } from "./pipeline.ts";
import { writeProvenance } from "./provenance.ts";

export interface RunOptions extends Pick<GraphOptions, "signal" | "only" | "onStage"> {
  /** As typed, for provenance. */
  commandLine: string;
}

/**
 * Runs every stage that is not up to date. The same call again resumes.
 * @throws {ConfigError} RUN_IN_USE; {CancelledError} after the signal; whatever a stage throws.
 */
export async function runRecipe(loaded: LoadedRecipe, options: RunOptions): Promise<Map<string, StageRecord>> {
  const { directory, recipe } = loaded;
  await mkdir(directory, { recursive: true });
  const lock = RunLock.take(directory);
  try {
    const startMs = performance.now();
    const stages = stagesOf(loaded);
    await writeFileAtomic(join(directory, "recipe.yaml"), loaded.yaml);
    await writeProvenance(loaded, options.commandLine);
    const log = new EventLog(directory);
    log.append({
      event: "run-start",
      time: new Date().toISOString(),
      run: recipe.name,
      recipe: sha256(loaded.yaml),
      version: VERSION,
      stages: stages.map(({ id }) => id),
    });
    const records = await runGraph(stages, { ...options, directory });
    const seconds = Number(((performance.now() - startMs) / 1000).toFixed(3));
    log.append({ event: "run-end", time: new Date().toISOString(), seconds });
    return records;
  } finally {
    lock.release();
  }
}

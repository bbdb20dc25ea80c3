/**
 * Nothing is lost in silence: at the end of each stage, documents in = documents out + documents in the drop log.
 * A difference is a bug of ours, and the build stops on it rather than hand over a corpus nobody can vouch for.
 */
import { DataError } from "../core/errors.ts";

/** What one stage did, in documents. `added` counts copies a stage makes on purpose (upsampling). */
export interface StageCount {
  stage: string;
  in: number;
  out: number;
  dropped: number;
  added: number;
}

/** @throws {DataError} CORPUS_UNACCOUNTED if documents vanished or appeared between the two ends of a stage. */
export function checkAccounts(counts: readonly StageCount[]): void {
  for (const count of counts) {
    if (count.in + count.added === count.out + count.dropped) continue;
    throw new DataError("CORPUS_UNACCOUNTED", {
      message:
        `${count.in} documents entered, ${count.added} were added, ` +
        `but ${count.out} left and ${count.dropped} are in the drop log`,
      where: `stage ${count.stage}`,
      remedy: "this is a bug in the stage: please report it with the recipe; no corpus was written",
      fields: { ...count },
    });
  }
}

/** Sums the counts of equal stages (of several sources), in order of first appearance. */
export function sumAccounts(counts: Iterable<StageCount>): StageCount[] {
  const sums = new Map<string, StageCount>();
  for (const count of counts) {
    const sum = sums.get(count.stage) ?? { stage: count.stage, in: 0, out: 0, dropped: 0, added: 0 };
    sum.in += count.in;
    sum.out += count.out;
    sum.dropped += count.dropped;
    sum.added += count.added;
    sums.set(count.stage, sum);
  }
  return [...sums.values()];
}

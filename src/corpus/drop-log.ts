/** The drop log: every document or record that is not in the corpus, with the rule, the value and the threshold. */
import { readJsonLines } from "../core/json-lines.ts";
import type { Drop } from "./document.ts";
import { type WrittenFile, ZstdLines } from "./zstd-lines.ts";

/** One drop as it stands in the log: all keys always there, so that any reader infers one schema. */
export interface DropRecord {
  id: string;
  source: string;
  rule: string;
  value: string;
  threshold: string;
  reason: string;
  where: string;
  title: string;
  characters: number;
}

export const DROP_LOG = "drops.jsonl.zst";

/** A drop log being written, with counts by rule. */
export class DropLog {
  #lines: ZstdLines;
  #byRule = new Map<string, number>();

  private constructor(lines: ZstdLines) {
    this.#lines = lines;
  }

  static async create(path: string): Promise<DropLog> {
    return new DropLog(await ZstdLines.create(path));
  }

  /** Drops so far. */
  get count(): number {
    return this.#lines.lines;
  }

  /** Counts by rule, sorted by name. */
  get byRule(): Record<string, number> {
    return sortedCounts(this.#byRule);
  }

  async write(drop: Drop): Promise<void> {
    this.#byRule.set(drop.rule, (this.#byRule.get(drop.rule) ?? 0) + 1);
    const record: DropRecord = {
      id: drop.id,
      source: drop.source,
      rule: drop.rule,
      value: drop.value === undefined ? "" : String(drop.value),
      threshold: drop.threshold === undefined ? "" : String(drop.threshold),
      reason: drop.reason,
      where: drop.where ?? "",
      title: drop.title ?? "",
      characters: drop.characters ?? 0,
    };
    await this.#lines.write(JSON.stringify(record));
  }

  commit(): Promise<WrittenFile> {
    return this.#lines.commit();
  }

  abort(): Promise<void> {
    return this.#lines.abort();
  }
}

/** Reads a drop log; members that were not stated are left out again, numbers are numbers again. */
export async function* readDrops(path: string): AsyncGenerator<Drop> {
  for await (const { value } of readJsonLines<DropRecord>(path)) {
    const drop: Drop = { id: value.id, source: value.source, rule: value.rule, reason: value.reason };
    if (value.value !== "") drop.value = numberOrText(value.value);
    if (value.threshold !== "") drop.threshold = numberOrText(value.threshold);
    if (value.where !== "") drop.where = value.where;
    if (value.title !== "") drop.title = value.title;
    if (value.characters !== 0) drop.characters = value.characters;
    yield drop;
  }
}

function numberOrText(text: string): number | string {
  const number = Number(text);
  return String(number) === text ? number : text;
}

/** A map of counts as an object with sorted keys: the same counts have the same bytes. */
export function sortedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

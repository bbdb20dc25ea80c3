/** The rules of an adapter on the lines of a text: where it starts, which lines go, where it stops (SPEC 1a.2, *truncate*). */
import type { SiteAdapter } from "./adapter.ts";

/** What was removed by which rule, so that it can be counted and read. */
export interface LineRemovals {
  beforeStart: number;
  removedLines: number;
  removedSections: number;
  afterStop: number;
}

export interface LineResult {
  text: string;
  /** Characters by rule. */
  removed: LineRemovals;
  /** Why the record is no article, if it is none. */
  skip?: string | undefined;
}

/**
 * Patterns see a line without its heading marks, list mark and surrounding blanks, from its first character ("^" is implied);
 * a numbered line with its number and without ("1. what is it", "References").
 * Unlike the authors' cleaner, a line without letters is a line: numeric doses stay.
 */
export function applyLineRules(text: string, rules: SiteAdapter["text"]): LineResult {
  const compile = (sources: readonly string[]) => sources.map((source) => new RegExp(`^(?:${source})`, "iu"));
  const start = compile(rules.start);
  const remove = compile(rules.remove);
  const stop = compile(rules.stop);
  const sections = compile(rules.removeSections);
  const skipRecord = compile(rules.skipRecord);
  const bare = (line: string) => line.replace(/^\s*(?:#{1,6}\s+|[-*•]\s+)?/, "").trim();
  const matches = (patterns: readonly RegExp[], line: string) => {
    const numbered = bare(line);
    const plain = numbered.replace(/^\d{1,2}\.\s+/, "");
    return patterns.some((pattern) => pattern.test(numbered) || (plain !== numbered && pattern.test(plain)));
  };

  const removed: LineRemovals = { beforeStart: 0, removedLines: 0, removedSections: 0, afterStop: 0 };
  let lines = text.split("\n");
  const size = (part: readonly string[]) => part.reduce((sum, line) => sum + line.length + 1, 0);
  const skipping = lines.find((line) => matches(skipRecord, line));
  if (skipping !== undefined) return { text: "", removed, skip: `the page says "${skipping.trim().slice(0, 100)}"` };

  if (start.length > 0) {
    const first = lines.findIndex((line) => matches(start, line));
    if (first > 0) {
      removed.beforeStart = size(lines.slice(0, first));
      lines = lines.slice(first);
    }
  }
  const end = lines.findIndex((line, i) => i > 0 && matches(stop, line));
  if (end !== -1) {
    removed.afterStop = size(lines.slice(end));
    lines = lines.slice(0, end);
  }
  const kept: string[] = [];
  let skippedLevel = 0;
  for (const line of lines) {
    const level = /^(#{1,6}) /.exec(line)?.[1]?.length ?? 0;
    if (level > 0 && (skippedLevel === 0 || level <= skippedLevel)) skippedLevel = matches(sections, line) ? level : 0;
    if (skippedLevel > 0) removed.removedSections += line.length + 1;
    else if (line.trim() !== "" && matches(remove, line)) removed.removedLines += line.length + 1;
    else kept.push(line);
  }
  const filled = kept.filter((line) => /\p{L}{2,}/u.test(line)).length;
  const result = kept
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  if (filled < rules.minLines)
    return { text: result, removed, skip: `${filled} lines with words, fewer than ${rules.minLines}` };
  return { text: result, removed };
}

/**
 * The corpus as a whole: readers, stages, tokenization and growth, one after the other.
 *
 *   npm run bench -- corpus [--quick] [--json]
 */
import { run as scale } from "./corpus-scale.bench.ts";
import { run as sources } from "./corpus-sources.bench.ts";
import { run as stages } from "./corpus-stages.bench.ts";
import { run as tokens } from "./corpus-tokens.bench.ts";
import type { Bench, BenchReport } from "./report.ts";

export const run: Bench = async (options) => {
  const reports: BenchReport[] = [];
  for (const part of [sources, stages, tokens, scale]) reports.push(await part(options));
  return {
    subject: "corpus",
    unit: reports.map(({ subject, unit }) => `${subject}: ${unit}`).join("; "),
    results: reports.flatMap(({ subject, results }) => results.map((result) => ({ subject, ...result }))),
    notes: reports.flatMap(({ subject, notes = [] }) => notes.map((note) => `${subject}: ${note}`)),
  };
};

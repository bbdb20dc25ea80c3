/** Ours and theirs in one view, never in one column: published numbers keep their source, ours their interval. */
import { formatPercent } from "../../core/index.ts";
import { solverLabel } from "../settings.ts";
import type { Summary } from "../summary.ts";
import { type PublishedScore, publishedItems, publishedScores } from "./published.ts";

export interface OurRow {
  kind: "ours";
  model: string;
  benchmark: string;
  /** Leaderboard set, when the benchmark is one. */
  set?: string;
  solver: string;
  shots: number;
  rule: string;
  /** Micro average: over items. */
  accuracy: number;
  /** Mean of the subjects' accuracies, where items have subjects. */
  macroAccuracy?: number;
  interval: { low: number; high: number };
  seedDeviation?: number;
  items: number;
  /** Questions of the whole set; where fewer were scored, no published number stands beside them. */
  wholeItems: number;
  unansweredFraction: number;
  parserDisagreement?: number;
  majorityAccuracy: number;
  aboveBaseline: boolean;
}

export interface Leaderboard {
  ours: OurRow[];
  /** Published scores on the sets we measured whole, best first within a set. */
  theirs: PublishedScore[];
}

/** @param summaries - Those without an automatic score are left out. */
export function leaderboard(summaries: readonly Summary[]): Leaderboard {
  const ours = summaries.flatMap((summary): OurRow[] => {
    const score = summary.rule === null ? undefined : summary.scores[summary.rule];
    if (!score || !summary.baseline) return [];
    const { benchmark, settings } = summary;
    return [
      {
        kind: "ours",
        model: summary.model.name,
        benchmark: benchmark.name,
        ...(benchmark.leaderboardSet === undefined ? {} : { set: benchmark.leaderboardSet }),
        solver: solverLabel({ ...settings, shots: 0 }),
        shots: settings.shots,
        rule: summary.rule!,
        accuracy: score.accuracy,
        ...(Object.keys(score.subjects).length > 1 ? { macroAccuracy: score.macroAccuracy } : {}),
        interval: score.interval,
        ...(score.perSeed.length > 1 ? { seedDeviation: score.seedDeviation } : {}),
        items: benchmark.items,
        wholeItems: wholeItems(benchmark),
        unansweredFraction: score.unansweredFraction,
        ...(summary.parserDisagreement === undefined ? {} : { parserDisagreement: summary.parserDisagreement }),
        majorityAccuracy: summary.baseline.majorityAccuracy,
        aboveBaseline: summary.aboveBaseline ?? false,
      },
    ];
  });
  const sets = new Set(
    ours.flatMap(({ set, items, wholeItems }) => (set !== undefined && items === wholeItems ? [set] : [])),
  );
  const theirs = publishedScores
    .filter(({ set }) => sets.has(set))
    .sort((a, b) => (a.set === b.set ? b.score - a.score : a.set < b.set ? -1 : 1));
  return { ours, theirs };
}

/** A file may hold a sample of the set, so the split's own size is not enough. */
function wholeItems({ leaderboardSet, items, splitItems }: Summary["benchmark"]): number {
  const sizes = leaderboardSet === undefined ? undefined : publishedItems[leaderboardSet];
  return sizes === undefined || sizes.includes(items) ? Math.max(items, splitItems) : sizes[0]!;
}

/** The terminal's tables: ours first, then the published ones under their own heading. */
export function formatLeaderboard(summaries: readonly Summary[], options: { published?: boolean } = {}): string {
  const { ours, theirs } = leaderboard(summaries);
  const own = table(
    [
      "model",
      "benchmark",
      "solver",
      "shots",
      "accuracy (micro)",
      "macro",
      "95% interval",
      "no answer",
      "parsers differ",
      "majority",
      "items",
    ],
    ours.map((row) => [
      row.model,
      row.benchmark,
      row.solver,
      String(row.shots),
      formatPercent(row.accuracy) +
        (row.seedDeviation === undefined ? "" : ` ± ${(100 * row.seedDeviation).toFixed(1)}`),
      row.macroAccuracy === undefined ? "-" : formatPercent(row.macroAccuracy),
      `${(100 * row.interval.low).toFixed(1)} to ${(100 * row.interval.high).toFixed(1)}${row.aboveBaseline ? "" : " (not above baseline)"}`,
      formatPercent(row.unansweredFraction),
      row.parserDisagreement === undefined ? "-" : formatPercent(row.parserDisagreement),
      formatPercent(row.majorityAccuracy),
      row.items === row.wholeItems ? String(row.items) : `${row.items} of ${row.wholeItems}`,
    ]),
  );
  if (!options.published || theirs.length === 0) return own;
  const published = table(
    ["published: model", "set", "score", "mode", "shots", "harness", "source"],
    theirs.map((row) => [
      row.model,
      row.set,
      row.score.toFixed(1) + (row.deviation === undefined ? "" : ` ± ${row.deviation}`),
      `${row.mode}, ${row.training}`,
      row.shots === undefined ? "?" : String(row.shots),
      row.harness,
      row.source,
    ]),
  );
  return `${own}\n\nPublished by others, under their prompts and scorers: not comparable digit for digit.\n${published}`;
}

function table(header: string[], rows: string[][]): string {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

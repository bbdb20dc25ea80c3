/** What ends a run in the terminal: its claims, the held-out perplexities and the accuracy table. */
import { formatCount, formatPercent } from "../core/index.ts";
import type { ClaimResult } from "./claims/index.ts";
import { type Baselines, perplexities, type ReportData, type Score } from "./report/data.ts";
import { renderTable } from "./table.ts";

/** Everything of a finished run that fits a terminal. */
export function resultTables(data: ReportData): string[] {
  const tables: string[] = [];
  if (perplexities(data).length > 0) tables.push(perplexityTable(data));
  if (data.scores.length > 0) tables.push(accuracyTable(data.scores, data.baselines));
  if (data.claims.length > 0) tables.push(claimsTable(data.claims));
  return tables;
}

/** An effect as people read it: points of accuracy, percent of the rest. */
export function formatEffect(value: number | null, unit: ClaimResult["unit"]): string {
  return value === null ? "–" : `${signed(value, unit)}${unit === "accuracy" ? " points" : "%"}`;
}

/** "+12.1 to +27.3"; an end that the data does not give is a dash. */
export const formatEffectInterval = ({ low, high, unit }: Pick<ClaimResult, "low" | "high" | "unit">): string =>
  low === null && high === null ? "" : [low, high].map((end) => (end === null ? "–" : signed(end, unit))).join(" to ");

/** In percent, with a sign; a difference of accuracies shows + as well. */
const signed = (value: number, unit: ClaimResult["unit"]) =>
  `${value < 0 ? "−" : unit === "accuracy" ? "+" : ""}${Math.abs(100 * value).toFixed(1)}`;

/** "perplexity falls by": what an effect says. */
export const EFFECTS: Record<ClaimResult["unit"], string> = {
  accuracy: "accuracy",
  perplexity: "perplexity falls by",
  forgetting: "of the forgetting avoided",
};

/** One row a claim: effect, interval, threshold, and whether it holds; the notes of those without an effect below. */
export function claimsTable(claims: ClaimResult[]): string {
  const table = renderTable(
    [
      { title: "claim", wrap: 44 },
      { title: "effect", align: "right" },
      { title: "95% interval", align: "right" },
      { title: "threshold", align: "right" },
      { title: "n", align: "right" },
      { title: "seeds", align: "right" },
      { title: "holds" },
    ],
    claims.map(({ statement, effect, low, high, threshold, n, seeds, seedDeviation, unit, holds, note }) => [
      statement,
      formatEffect(effect, unit) + (seedDeviation === undefined ? "" : ` ± ${(100 * seedDeviation).toFixed(1)}`),
      formatEffectInterval({ low, high, unit }),
      formatEffect(threshold, unit),
      formatCount(n),
      String(Math.max(1, seeds.length)),
      effect === null && note !== undefined ? "not measured" : holds ? "yes" : "NO",
    ]),
  );
  const notes = claims.flatMap(({ claim, note }) => (note === undefined ? [] : [`  ${claim}: ${note}`]));
  return [table, ...notes].join("\n");
}

/** One row a model, benchmark and solver, with the baselines below each benchmark; ± is the deviation over evaluation seeds. */
export function accuracyTable(scores: Score[], baselines: Baselines[]): string {
  const rows: string[][] = [];
  for (const benchmark of new Set(scores.map((score) => score.benchmark))) {
    for (const score of scores.filter((one) => one.benchmark === benchmark))
      rows.push([
        benchmark,
        score.model,
        score.solver,
        formatPercent(score.accuracy) +
          (score.askedSeedDeviation === undefined ? "" : ` ± ${(100 * score.askedSeedDeviation).toFixed(1)}`),
        `${formatPercent(score.low)} – ${formatPercent(score.high)}`,
        formatCount(score.items),
        formatPercent(score.unparseableFraction),
        score.parserDisagreement === undefined ? "–" : formatPercent(score.parserDisagreement),
      ]);
    const baseline = baselines.find((one) => one.benchmark === benchmark);
    if (baseline)
      rows.push(
        [benchmark, "(guessing)", "", formatPercent(baseline.chance), "", formatCount(baseline.items), ""],
        [
          benchmark,
          `(always ${baseline.majorityAnswer})`,
          "",
          formatPercent(baseline.majority),
          "",
          formatCount(baseline.items),
          "",
        ],
      );
  }
  return renderTable(
    [
      { title: "benchmark" },
      { title: "model" },
      { title: "solver" },
      { title: "accuracy", align: "right" },
      { title: "95% interval", align: "right" },
      { title: "items", align: "right" },
      { title: "no answer", align: "right" },
      { title: "parsers differ", align: "right" },
    ],
    rows,
  );
}

/** Perplexity of each training on each held-out corpus. */
export function perplexityTable(data: Pick<ReportData, "trainings">): string {
  const rows = perplexities(data);
  const corpora = [...new Set(rows.map(({ corpus }) => corpus))];
  return renderTable(
    [{ title: "perplexity after" }, ...corpora.map((title) => ({ title, align: "right" as const }))],
    [...new Set(rows.map(({ training }) => training))].map((training) => [
      training,
      ...corpora.map((corpus) => {
        const row = rows.find((one) => one.training === training && one.corpus === corpus);
        return row ? row.perplexity.toPrecision(4) : "";
      }),
    ]),
  );
}

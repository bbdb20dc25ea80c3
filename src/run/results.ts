/** The accuracy table and the held-out perplexities as they end a run in the terminal. */
import { formatCount, formatPercent } from "../core/index.ts";
import { type Baselines, perplexities, type ReportData, type Score } from "./report/data.ts";
import { renderTable } from "./table.ts";

/** One row a model, benchmark and solver, with the baselines below each benchmark. */
export function accuracyTable(scores: Score[], baselines: Baselines[]): string {
  const rows: string[][] = [];
  for (const benchmark of new Set(scores.map((score) => score.benchmark))) {
    for (const score of scores.filter((one) => one.benchmark === benchmark))
      rows.push([
        benchmark,
        score.model,
        score.solver,
        formatPercent(score.accuracy),
        `${formatPercent(score.low)} – ${formatPercent(score.high)}`,
        formatCount(score.items),
        formatPercent(score.unparseableFraction),
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

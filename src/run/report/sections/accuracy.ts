/** Accuracies with intervals and significance, the curve by tokens seen, and, set apart, what the paper reports. */
import { formatCount, formatPercent } from "../../../core/index.ts";
import { tables } from "../../../eval/leaderboard/published.ts";
import { withoutSeed } from "../../seeds.ts";
import { intervalChart, lineChart, type Series } from "../charts/index.ts";
import type { ReportData, Result, Score } from "../data.ts";
import { type Html, html } from "../html.ts";

/** How solvers are named to readers. */
const SOLVERS: [prefix: string, name: string][] = [
  ["option-text-log-likelihood", "likeliest option text"],
  ["option-log-likelihood", "likeliest letter"],
  ["answer-log-likelihood", "likelihood of the reference"],
  ["chain-of-thought", "chain of thought"],
  ["self-consistency", "self-consistency"],
  ["greedy", "written answer"],
];

export function solverName(label: string): string {
  const [prefix, name] = SOLVERS.find(([one]) => label.startsWith(one)) ?? [label, label];
  const rest = label.slice(prefix.length).replace(/^-/, "").replaceAll("-", " ");
  return rest === "" ? name : `${name}, ${rest}`;
}

export function accuracySection(data: ReportData): Html {
  const { results, baselines } = data;
  if (results.length === 0)
    return html`<section id="accuracy"><h2>Accuracy</h2><p class="quiet">Nothing is evaluated yet.</p></section>`;
  const benchmarks = [...new Set(results.map(({ benchmark }) => benchmark))];
  const models = [...new Set(results.map(({ model }) => model))];
  const colour = (model: string) => models.indexOf(model) % 8;
  return html`<section id="accuracy"><h2>Accuracy</h2>
<p>Share of questions answered right, with 95% intervals. The dashed line is guessing.</p>
<div class="charts">${benchmarks.flatMap((benchmark) => {
    const ours = results.filter((one) => one.benchmark === benchmark);
    const chance = baselines.find((one) => one.benchmark === benchmark)?.chance;
    return [...new Set(ours.map(({ solver }) => solver))].map((solver) =>
      intervalChart({
        title: `${benchmark}: ${solverName(solver)}`,
        rows: ours
          .filter((one) => one.solver === solver)
          .map(({ model, accuracy, low, high, scores }) => ({
            name: model,
            colour: colour(model),
            value: accuracy,
            low,
            high,
            ...(scores.length > 1 ? { dots: scores.map((score) => score.accuracy) } : {}),
          })),
        references: chance === undefined ? [] : [{ name: "guessing", value: chance }],
      }),
    );
  })}</div>
${curves(data, colour)}
${table(results, data, benchmarks)}
${paper()}</section>`;
}

function table(results: Result[], { baselines }: ReportData, benchmarks: string[]): Html {
  return html`<h3>In figures</h3>
<p class="small quiet">▲ better and ▼ worse than the first model asked the same way, beyond chance: McNemar's test on the same questions (mid-p), p below 0.05 after Holm's correction over the models of the table; ○ within noise.</p>
<div class="wide"><table class="results"><thead><tr><th>benchmark</th><th>model</th><th>asked by</th><th class="number">accuracy</th><th class="number">95% interval</th><th>against the first</th><th class="number">no answer</th><th class="number">parsers differ</th><th class="number">questions</th><th>answers</th></tr></thead><tbody>
${benchmarks.map((benchmark) => {
  const baseline = baselines.find((one) => one.benchmark === benchmark);
  return [
    results.filter((one) => one.benchmark === benchmark).map(row),
    baseline &&
      html`<tr class="baseline"><td>${benchmark}</td><td colspan="2">guessing at random</td><td class="number">${formatPercent(baseline.chance)}</td><td></td><td></td><td></td><td></td><td class="number">${formatCount(baseline.items)}</td><td></td></tr>
<tr class="baseline"><td>${benchmark}</td><td colspan="2">always “${baseline.majorityAnswer}”, the most frequent answer</td><td class="number">${formatPercent(baseline.majority)}</td><td></td><td></td><td></td><td></td><td class="number">${formatCount(baseline.items)}</td><td></td></tr>`,
  ];
})}
</tbody></table></div>`;
}

const MARKS = { better: "▲", worse: "▼", "within noise": "○" };

function row({ benchmark, model, solver, scores, accuracy, low, high, seedDeviation, versus }: Result): Html {
  const mean = (value: (one: Score) => number) => scores.reduce((sum, one) => sum + value(one), 0) / scores.length;
  const spread = seedDeviation ?? scores[0]!.askedSeedDeviation;
  const seeds = seedDeviation === undefined ? "evaluation" : "training";
  return html`<tr><td>${benchmark}</td><td>${model}</td><td>${solverName(solver)}</td>
<td class="number"><b>${formatPercent(accuracy)}</b>${spread !== undefined && html` <span class="quiet" title="standard deviation over ${seeds} seeds">± ${(100 * spread).toFixed(1)}</span>`}</td><td class="number">${formatPercent(low)} – ${formatPercent(high)}</td>
<td class="versus">${versus && html`<span class="mark ${versus.verdict.replace(" ", "-")}" title="${versus.verdict} than ${versus.model}: p = ${versus.p.toPrecision(2)} corrected">${MARKS[versus.verdict]}</span> ${points(versus.difference)} <span class="quiet">(${points(versus.low)} to ${points(versus.high)})</span>`}</td>
<td class="number">${formatPercent(mean((one) => one.unparseableFraction))}</td><td class="number">${scores[0]!.parserDisagreement === undefined ? "–" : formatPercent(mean((one) => one.parserDisagreement ?? 0))}</td><td class="number">${formatCount(scores[0]!.items)}</td>
<td class="link">${scores.map(({ href, model: name }, i) => href && html`${i > 0 && ", "}<a href="${href}">${scores.length > 1 ? name : "every answer"}</a>`)}</td></tr>`;
}

const points = (difference: number) => `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}`;

/** Accuracy by tokens seen, one picture a benchmark. */
function curves({ curves: all, baselines }: ReportData, colour: (model: string) => number): Html | false {
  if (all.length === 0) return false;
  const benchmarks = [...new Set(all.map(({ benchmark }) => benchmark))];
  return html`<h3>Accuracy by tokens seen</h3>
<p>Asked at checkpoints along the training; the first point is the model that it started from. Shaded: 95% intervals.</p>
<div class="charts">${benchmarks.map((benchmark) => {
    const chance = baselines.find((one) => one.benchmark === benchmark)?.chance;
    return lineChart({
      title: `${benchmark}: ${[...new Set(all.filter((one) => one.benchmark === benchmark).map(({ solver }) => solverName(solver)))].join(", ")}`,
      xLabel: "tokens seen in this training",
      yLabel: "accuracy",
      formatY: (value) => formatPercent(value, 0),
      ...(chance === undefined ? {} : { reference: { name: "guessing", value: chance } }),
      series: all
        .filter((one) => one.benchmark === benchmark)
        .map(
          ({ model, points: seen }): Series => ({
            name: model,
            colour: Math.max(0, colour(withoutSeed(model))),
            dots: true,
            points: seen.map(({ tokens, accuracy }) => [tokens, accuracy]),
            band: seen.map(({ tokens, low, high }) => [tokens, low, high]),
          }),
        ),
    });
  })}</div>`;
}

/** Tables of the paper that this method's runs are read beside. */
const SHOWN = ["Meditron table 4", "Meditron table 5", "Meditron table 6", "Meditron tables 7 and 8"];

/** The paper's own models, and what they were made from. */
const MODELS = /^(Meditron|Llama-2|7B on)/;

function paper(): Html {
  const sets = ["MMLU-Medical", "PubMedQA", "MedMCQA", "MedQA", "MedQA-4"];
  return html`<details class="paper" open><summary>For orientation: what the paper reports</summary>
<p>Published by Chen et al. (arXiv:2311.16079) for models of 7 and 70 billion parameters on 48 billion tokens, under their prompts and scorers, in percent. <b>Not comparable with the figures above, digit for digit</b>; what a small run can repeat is the order and the sign of the differences.</p>
<div class="wide"><table><thead><tr><th>table</th><th>model</th><th>trained · asked</th>${sets.map((set) => html`<th class="number">${set}</th>`)}<th class="number">mean</th></tr></thead><tbody>
${tables
  .filter(({ source, sets: measured }) => SHOWN.includes(source) && measured.every((set) => sets.includes(set)))
  .flatMap(({ source, mode, training, shots, rows, sets: measured }) =>
    rows
      .filter(([model]) => MODELS.test(model))
      .map(
        ([model, scores, average]) =>
          html`<tr><td>${source.replace("Meditron ", "")}</td><td>${model}</td><td>${training} · ${mode}${shots ? `, ${shots} shots` : ""}</td>${sets.map(
            (set) => {
              const score = scores[measured.indexOf(set)];
              return html`<td class="number">${score == null ? "" : score.toFixed(1)}</td>`;
            },
          )}<td class="number">${average?.toFixed(1)}</td></tr>`,
      ),
  )}</tbody></table></div></details>`;
}

/** The report as one HTML page: self-contained, no request leaves it. */
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/index.ts";
import type { TrainEvent } from "../../train/job.ts";
import { formatEffect, formatEffectInterval } from "../results.ts";
import { intervalChart, lineChart, type Series, shareBars } from "./charts.ts";
import { type CorpusView, perplexities, type ReportData, type Score, type TrainingView } from "./data.ts";
import { Html, html } from "./html.ts";
import { STYLE } from "./style.ts";

export function renderReport(data: ReportData): string {
  return renderPage(
    data.title,
    html`<header><p class="quiet">meditron ${data.provenance.meditron} · run ${data.name} · ${lastStart(data)}</p>
<h1>${data.title}</h1>
${data.description && html`<p>${data.description}</p>`}
<p class="notice">For research. The models of this run are not medical devices and their answers are not medical advice.</p>
${facts(data)}
<nav>${data.claims.length > 0 && html`<a href="#claims">Claims</a>`}<a href="#accuracy">Accuracy</a><a href="#pipeline">Pipeline</a><a href="#corpus">Corpus</a><a href="#training">Training</a><a href="#drops">What was left out</a><a href="#repeat">Repeat it</a></nav></header>
${claimsSection(data)}
${accuracySection(data)}
${pipelineSection(data)}
${corpusSection(data)}
${trainingSection(data)}
${dropsSection(data)}
${repeatSection(data)}`,
  );
}

/** A whole page with the report's style around a body. */
export function renderPage(title: string, body: Html, style = ""): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="meditron"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${title}</title><style>${raw(STYLE + style)}</style></head><body><main>
${body}
</main></body></html>
`.text;
}

/** Our own style sheets and scripts, which must not be escaped. Never for data. */
export function raw(text: string): Html {
  return new Html(text);
}

const lastStart = (data: ReportData) => data.provenance.starts.at(-1)?.time.slice(0, 16).replace("T", " ") ?? "";

function facts(data: ReportData): Html {
  const documents = data.corpora.reduce(
    (sum, { manifest }) => sum + Object.values(manifest.splits).reduce((n, split) => n + split.documents, 0),
    0,
  );
  const tokens = data.stages
    .filter(({ id }) => id.startsWith("tokens."))
    .reduce((n, { counts }) => n + (counts.tokens ?? 0), 0);
  const trained = data.trainings.reduce((n, training) => n + tokensSeen(training.events), 0);
  const answers = data.scores.reduce((n, { items }) => n + items, 0);
  const shown: [string, string][] = [
    [formatCount(documents), "documents kept"],
    [formatCount(tokens), "tokens in the corpora"],
    [formatCount(trained), "tokens trained on"],
    [formatCount(answers), "answers scored"],
    [formatDuration(data.seconds), `on ${data.provenance.host.cores} cores`],
  ];
  return html`<div class="facts">${shown.map(([value, label]) => html`<div><b>${value}</b><span>${label}</span></div>`)}</div>`;
}

const tokensSeen = (events: TrainEvent[]) =>
  events.reduce((n, event) => n + (event.event === "step-end" ? event.tokens : 0), 0);

// ── Claims ──

function claimsSection({ claims }: ReportData): Html | false {
  if (claims.length === 0) return false;
  const held = claims.filter(({ holds }) => holds).length;
  return html`<section id="claims"><h2>What the run was to show: ${held} of ${claims.length} claims hold</h2>
<p>Written down in the recipe before the run. A claim holds when its effect reaches the threshold and its 95% interval excludes zero (or the margin allowed).</p>
<div class="wide"><table><thead><tr><th>claim</th><th class="number">effect</th><th class="number">95% interval</th><th class="number">threshold</th><th class="number">n</th><th>holds</th></tr></thead><tbody>
${claims.map(
  ({ statement, effect, low, high, threshold, unit, n, seeds, seedDeviation, values, note, holds }) =>
    html`<tr><td>${statement}<br><span class="quiet">${values.map(({ name, value }) => `${name} ${unit === "perplexity" ? value.toPrecision(4) : formatPercent(value)}`).join(" → ")}${note}</span></td>
<td class="number"><b>${formatEffect(effect, unit)}</b>${seedDeviation !== undefined && html`<br><span class="quiet">sd ${(100 * seedDeviation).toFixed(1)} over ${seeds.length} seeds</span>`}</td>
<td class="number">${formatEffectInterval({ low, high, unit })}</td><td class="number">${formatEffect(threshold, unit)}</td><td class="number">${formatCount(n)}</td>
<td>${holds ? html`<b class="yes">yes</b>` : html`<b class="no">${effect === null ? "not measured" : "no"}</b>`}</td></tr>`,
)}</tbody></table></div></section>`;
}

// ── Accuracy ──

/** How solvers are named to readers. */
const SOLVERS: Record<string, string> = {
  "option-log-likelihood": "option log-likelihood",
  "option-text-log-likelihood": "option text log-likelihood",
  greedy: "greedy answer",
  "chain-of-thought": "chain of thought",
  "self-consistency": "self-consistency",
};
const solverName = (solver: string) => SOLVERS[solver] ?? solver;

function accuracySection(data: ReportData): Html {
  if (data.scores.length === 0)
    return html`<section id="accuracy"><h2>Accuracy</h2><p class="quiet">This recipe evaluates nothing.</p></section>`;
  const benchmarks = [...new Set(data.scores.map(({ benchmark }) => benchmark))];
  const solvers = [...new Set(data.scores.map(({ solver }) => solver))];
  const models = [...new Set(data.scores.map(({ model }) => model))];
  const colour = (model: string) => models.indexOf(model);
  return html`<section id="accuracy"><h2>Accuracy</h2>
<p>Share of questions answered right, with 95% Wilson intervals. <em>Option log-likelihood</em> takes the letter that the model finds most likely,
<em>option text log-likelihood</em> the option whose words it finds most likely; <em>greedy answer</em> lets it write and reads the answer out of the text: an output without a readable answer counts as wrong.</p>
<div class="charts">${benchmarks.flatMap((benchmark) => {
    const baseline = data.baselines.find((one) => one.benchmark === benchmark);
    return solvers.map((solver) => {
      const scores = data.scores.filter((score) => score.benchmark === benchmark && score.solver === solver);
      if (scores.length === 0) return html``;
      return intervalChart({
        title: `${benchmark}: ${solverName(solver)}`,
        rows: scores.map((score) => ({
          ...score,
          name: score.model,
          colour: colour(score.model),
          value: score.accuracy,
        })),
        references: baseline ? [{ name: "chance", value: baseline.chance }] : [],
      });
    });
  })}</div>
<div class="wide"><table><thead><tr><th>benchmark</th><th>model</th><th>solver</th><th class="number">accuracy</th><th class="number">95% interval</th><th class="number">items</th><th class="number">no answer found</th><th>answers</th></tr></thead><tbody>
${benchmarks.map((benchmark) => {
  const baseline = data.baselines.find((one) => one.benchmark === benchmark);
  return [
    data.scores.filter((score) => score.benchmark === benchmark).map(scoreRow),
    baseline &&
      html`<tr class="baseline"><td>${benchmark}</td><td colspan="2">guessing at random</td><td class="number">${formatPercent(baseline.chance)}</td><td></td><td class="number">${formatCount(baseline.items)}</td><td></td><td></td></tr>
<tr class="baseline"><td>${benchmark}</td><td colspan="2">always “${baseline.majorityAnswer}”, the most frequent answer</td><td class="number">${formatPercent(baseline.majority)}</td><td></td><td class="number">${formatCount(baseline.items)}</td><td></td><td></td></tr>`,
  ];
})}
</tbody></table></div></section>`;
}

function scoreRow(score: Score): Html {
  return html`<tr><td>${score.benchmark}</td><td>${score.model}</td><td>${solverName(score.solver)}</td>
<td class="number"><b>${formatPercent(score.accuracy)}</b></td><td class="number">${formatPercent(score.low)} – ${formatPercent(score.high)}</td>
<td class="number">${formatCount(score.items)}</td><td class="number">${formatPercent(score.unparseableFraction)}</td>
<td>${score.href ? html`<a href="${score.href}">every item</a>` : ""}</td></tr>`;
}

// ── Pipeline ──

function pipelineSection(data: ReportData): Html {
  return html`<section id="pipeline"><h2>Pipeline</h2>
<p>What went into each stage and what came out, in the order of the run.</p>
<ol class="pipeline">${data.stages
    .filter(({ id }) => id !== "report")
    .map(
      ({ id, seconds, counts }) =>
        html`<li class="stage"><b>${id}</b><dl>${Object.entries(counts).map(
          ([name, value]) =>
            html`<dt>${words(name)}</dt><dd>${/[bB]ytes$/.test(name) ? formatBytes(value) : formatCount(value)}</dd>`,
        )}<dt>time</dt><dd>${formatDuration(seconds)}</dd></dl></li>`,
    )}</ol></section>`;
}

/** "validationTokens" → "validation tokens" */
const words = (name: string) => name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

// ── Corpus ──

function corpusSection({ corpora }: ReportData): Html {
  return html`<section id="corpus"><h2>Corpus</h2>
${corpora.map(({ name, manifest }) => {
  const splits = Object.values(manifest.splits);
  const sum = (key: "bySource" | "byLicense" | "byKind") => {
    const total = new Map<string, number>();
    for (const split of splits)
      for (const [value, count] of Object.entries(split[key]))
        total.set(value || "not stated", (total.get(value || "not stated") ?? 0) + count);
    return [...total].map(([one, value]) => ({ name: one, value }));
  };
  return html`<h3>${name}</h3>
<p>${Object.entries(manifest.splits).map(([split, counts], i) => `${i > 0 ? " · " : ""}${split}: ${formatCount(counts.documents)} documents, ${formatBytes(counts.textBytes)} of text`)}</p>
<div class="charts">${shareBars("By source", sum("bySource"), "documents")}${shareBars("By license", sum("byLicense"), "documents")}</div>
${accounts(manifest.stages)}`;
})}</section>`;
}

/** In = out + dropped, stage by stage. */
function accounts(stages: CorpusView["manifest"]["stages"]): Html {
  return html`<details><summary>Every record accounted for: ${stages.length} stages</summary><div class="wide"><table>
<thead><tr>${Object.keys(stages[0] ?? {}).map((key) => html`<th>${words(key)}</th>`)}</tr></thead><tbody>
${stages.map((stage) => html`<tr>${Object.values(stage).map((value) => (typeof value === "number" ? html`<td class="number">${formatCount(value)}</td>` : html`<td>${String(value)}</td>`))}</tr>`)}
</tbody></table></div></details>`;
}

// ── Training ──

function trainingSection(data: ReportData): Html {
  const { trainings } = data;
  if (trainings.length === 0) return html`<section id="training"></section>`;
  const rows = perplexities(data);
  const corpora = [...new Set(rows.map(({ corpus }) => corpus))];
  return html`<section id="training"><h2>Training</h2>
${
  rows.length > 0 &&
  html`<h3>Held-out text after each training</h3><p>Perplexity per token (and loss in nats) on documents that no training saw: lower is better.</p>
<div class="wide"><table><thead><tr><th>after</th>${corpora.map((corpus) => html`<th class="number">${corpus}</th>`)}</tr></thead><tbody>
${[...new Set(rows.map(({ training }) => training))].map(
  (training) =>
    html`<tr><td>${training}</td>${corpora.map((corpus) => {
      const row = rows.find((one) => one.training === training && one.corpus === corpus);
      return row
        ? html`<td class="number"><b>${row.perplexity.toPrecision(4)}</b> <span class="quiet">(${row.loss.toFixed(3)})</span></td>`
        : html`<td></td>`;
    })}</tr>`,
)}</tbody></table></div>`
}
${trainings.map(trainingCharts)}</section>`;
}

function trainingCharts({ name, events }: TrainingView): Html {
  const steps = events.filter((event) => event.event === "step-end");
  const validations = events.filter((event) => event.event === "validation-end");
  const start = events.find((event) => event.event === "train-start");
  const names = [...new Set(validations.map((event) => event.name))];
  const loss: Series[] = [
    { name: "training", colour: 7, points: steps.map(({ step, loss: y }) => [step, y]) },
    ...names.map(
      (validation, i): Series => ({
        name: `validation: ${validation}`,
        colour: i,
        dots: true,
        points: validations.filter((event) => event.name === validation).map(({ step, loss: y }) => [step, y]),
      }),
    ),
  ];
  const last = steps.at(-1);
  const rates = steps.map(({ tokensPerSecond }) => tokensPerSecond).sort((a, b) => a - b);
  return html`<h3>${name}</h3>
<p>${start && `${formatCount(start.parameters)} parameters · `}${last && `${formatCount(last.step)} steps · ${formatCount(tokensSeen(events))} tokens · `}${rates.length > 0 && `${formatCount(Math.round(rates[Math.floor(rates.length / 2)]!))} tokens/s (median)`}${start && ` · ${start.kernels}`}</p>
<div class="charts">
${lineChart({ title: "Loss", xLabel: "step", yLabel: "nats per token", series: loss })}
${lineChart({
  title: "Learning rate",
  xLabel: "step",
  yLabel: "learning rate",
  yFrom: 0,
  formatY: (value) => (value === 0 ? "0" : value.toExponential(1)),
  series: [{ name: "learning rate", colour: 4, points: steps.map(({ step, learningRate }) => [step, learningRate]) }],
})}
</div>
${
  names.length > 0 &&
  html`<div class="wide"><table><thead><tr><th>validation</th><th class="number">first loss</th><th class="number">last loss</th><th class="number">first perplexity</th><th class="number">last perplexity</th></tr></thead><tbody>
${names.map((validation) => {
  const of = validations.filter((event) => event.name === validation);
  const [first, final] = [of[0]!, of.at(-1)!];
  return html`<tr><td>${validation}</td><td class="number">${first.loss.toFixed(4)}</td><td class="number">${final.loss.toFixed(4)}</td><td class="number">${first.perplexity.toPrecision(4)}</td><td class="number">${final.perplexity.toPrecision(4)}</td></tr>`;
})}</tbody></table></div>`
}`;
}

// ── What was left out ──

function dropsSection({ corpora }: ReportData): Html {
  return html`<section id="drops"><h2>What was left out, and why</h2>
${corpora.map(({ name, manifest, dropSamples }) => {
  const rules = Object.entries(manifest.drops.byRule);
  if (rules.length === 0) return html`<h3>${name}</h3><p class="quiet">Nothing was left out.</p>`;
  return html`<h3>${name}</h3>
${shareBars(
  "By rule",
  rules.map(([rule, value]) => ({ name: rule, value })),
  "documents",
  20,
)}
${rules.map(([rule, count]) => {
  const samples = dropSamples.get(rule) ?? [];
  return html`<details><summary><b>${rule}</b>: ${formatCount(count)}${samples.length > 0 && `, ${samples.length} of them here`}</summary><div class="wide"><table>
<thead><tr><th>document</th><th>source</th><th>reason</th><th>measured</th><th>limit</th></tr></thead><tbody>
${samples.map(({ id, source, reason, value, threshold, title, where }) => html`<tr><td>${id}${title && html`<br><span class="quiet">${title}</span>`}${where && html`<br><span class="quiet">${where}</span>`}</td><td>${source}</td><td>${reason}</td><td class="number">${value}</td><td class="number">${threshold}</td></tr>`)}
</tbody></table></div></details>`;
})}`;
})}</section>`;
}

// ── Repeat it ──

function repeatSection({ provenance, recipeYaml, stages, directory }: ReportData): Html {
  const { host, packages, starts, recipe } = provenance;
  const rows: [string, string][] = [
    ["meditron", `${provenance.meditron}${provenance.commit ? ` (${provenance.commit})` : ""}`],
    ["Node.js", provenance.node],
    ["machine", `${host.cpu}, ${host.cores} cores, ${formatBytes(host.memoryBytes)}, ${host.system}`],
    ["recipe", `${recipe.file} (sha256 of the resolved recipe ${recipe.sha256})`],
    ["run directory", directory],
  ];
  return html`<section id="repeat"><h2>Repeat it</h2>
<p>The same recipe, sources and version give the same bytes, whatever the number of threads and however often the run was interrupted.</p>
<pre>${[...new Set(starts.map(({ commandLine }) => commandLine))].join("\n")}</pre>
<div class="wide"><table><tbody>${rows.map(([what, value]) => html`<tr><th scope="row">${what}</th><td class="text">${value}</td></tr>`)}</tbody></table></div>
<details><summary>Time of each stage</summary><div class="wide"><table><tbody>${stages.map(({ id, seconds }) => html`<tr><th scope="row">${id}</th><td class="number">${formatDuration(seconds)}</td></tr>`)}</tbody></table></div></details>
<details><summary>Packages</summary><pre>${Object.entries(packages).map(([name, version]) => `${name} ${version}\n`)}</pre></details>
<details><summary>The recipe with all defaults filled in</summary><pre>${recipeYaml}</pre></details></section>`;
}

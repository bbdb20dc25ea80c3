/** Each training: loss on training and held-out text, and the learning rate, step by step. */
import { formatCount } from "../../../core/index.ts";
import type { TrainEvent } from "../../../train/job.ts";
import { seedOf, withoutSeed } from "../../seeds.ts";
import { lineChart, type Series } from "../charts/index.ts";
import { perplexities, type ReportData, type TrainingView } from "../data.ts";
import { type Html, html } from "../html.ts";

export function trainingSection(data: ReportData): Html | false {
  const { trainings } = data;
  if (trainings.length === 0) return false;
  return html`<section id="training"><h2>Training</h2>
${[...new Set(trainings.map(({ name }) => withoutSeed(name)))].map((name) =>
  trainingCharts(
    name,
    trainings.filter((one) => withoutSeed(one.name) === name),
  ),
)}
${perplexityTable(data)}</section>`;
}

function perplexityTable(data: ReportData): Html | false {
  const rows = perplexities(data);
  if (rows.length === 0) return false;
  const corpora = [...new Set(rows.map(({ corpus }) => corpus))];
  return html`<h3>Held-out text after each training</h3>
<p>Perplexity a token, and loss in nats, on text that no training saw: lower is better.</p>
<div class="wide"><table><thead><tr><th>after</th>${corpora.map((corpus) => html`<th class="number">${corpus}</th>`)}</tr></thead><tbody>
${[...new Set(rows.map(({ training }) => training))].map(
  (training) =>
    html`<tr><td>${training}</td>${corpora.map((corpus) => {
      const row = rows.find((one) => one.training === training && one.corpus === corpus);
      return row
        ? html`<td class="number"><b>${perplexity(row.perplexity)}</b> <span class="quiet">(${row.loss.toFixed(3)})</span></td>`
        : html`<td></td>`;
    })}</tr>`,
)}</tbody></table></div>`;
}

const perplexity = (value: number) => (value >= 1000 ? formatCount(Math.round(value)) : value.toPrecision(4));

export const tokensSeen = (events: TrainEvent[]): number =>
  events.reduce((n, event) => n + (event.event === "step-end" ? event.tokens : 0), 0);

const stepsOf = ({ events }: TrainingView) => events.filter((event) => event.event === "step-end");

/** One training, or the seeds of one laid over each other. */
function trainingCharts(name: string, seeds: TrainingView[]): Html {
  const steps = stepsOf(seeds[0]!);
  const validationsOf = ({ events }: TrainingView) => events.filter((event) => event.event === "validation-end");
  const spikes = seeds.flatMap(({ events }) => events.filter((event) => event.event === "loss-spike"));
  const start = seeds[0]!.events.find((event) => event.event === "train-start");
  const names = [...new Set(seeds.flatMap(validationsOf).map((event) => event.name))];
  const seed = (view: TrainingView) => (seeds.length > 1 ? `, seed ${seedOf(view.name)}` : "");
  const loss: Series[] = seeds.flatMap((view, k) => [
    {
      name: `training${seed(view)}`,
      colour: 7,
      faint: true,
      points: stepsOf(view).map(({ step, loss: y }): [number, number] => [step, y]),
    },
    ...names.map(
      (validation, i): Series => ({
        name: `held out: ${validation}${seed(view)}`,
        colour: i,
        dots: true,
        dashed: k > 0,
        points: validationsOf(view)
          .filter((event) => event.name === validation)
          .map(({ step, loss: y }) => [step, y]),
      }),
    ),
  ]);
  const last = steps.at(-1);
  const rates = steps.map(({ tokensPerSecond }) => tokensPerSecond).sort((a, b) => a - b);
  const facts = [
    seeds.length > 1 && `${seeds.length} seeds`,
    start && `${formatCount(start.parameters)} parameters`,
    last && `${formatCount(last.step)} steps`,
    last && `${formatCount(tokensSeen(seeds[0]!.events))} tokens`,
    rates.length > 0 && `${formatCount(Math.round(rates[Math.floor(rates.length / 2)]!))} tokens/s (median)`,
    start?.kernels,
    spikes.length > 0 && `${spikes.length} loss spikes`,
  ].filter((fact) => typeof fact === "string");
  return html`<h3>${name}</h3>
<p class="small">${facts.join(" · ")}</p>
<div class="charts">
${lineChart({ title: "Loss", xLabel: "step", yLabel: "nats a token", yFrom: 0, series: loss })}
${lineChart({
  title: "Learning rate",
  xLabel: "step",
  yLabel: "learning rate",
  yFrom: 0,
  formatY: (value) => (value === 0 ? "0" : value.toExponential(1).replace("e-", "e−")),
  series: [{ name: "learning rate", colour: 4, points: steps.map(({ step, learningRate }) => [step, learningRate]) }],
})}
</div>`;
}

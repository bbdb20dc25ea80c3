/**
 * Knowledge against forgetting: what a training gains in its domain against what it loses elsewhere, for each model.
 *
 * "Elsewhere" is known by the recipe: text whose documents are replay, and the benchmark on which the recipe claims that forgetting
 * is limited (or else the last of several).
 */
import { formatPercent } from "../../../core/index.ts";
import { lineageOf } from "../../model-card.ts";
import { withoutSeed } from "../../seeds.ts";
import { type ScatterPoint, scatterChart } from "../charts/index.ts";
import { perplexities, type ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";
import { solverName } from "./accuracy.ts";

export function forgettingSection(data: ReportData): Html | false {
  const pictures = [...accuracyPictures(data), ...lossPictures(data)];
  if (pictures.length === 0) return false;
  return html`<section id="forgetting"><h2>Knowledge and forgetting</h2>
<p>Each point is a model, arrows lead from the model that it was trained from. Up is more knowledge of the domain; left is forgetting what came before.</p>
<div class="charts">${pictures}</div></section>`;
}

/** The model of the list that a model was trained from, through those that were not measured. */
function originOf(model: string, measured: readonly string[], { recipe }: ReportData): string | undefined {
  const variants = Object.keys(recipe.train).filter((name) => withoutSeed(name) === model);
  const ancestors = lineageOf(variants[0] ?? model, recipe)
    .slice(0, -1)
    .map(({ name }) => withoutSeed(name));
  return ancestors.findLast((name) => measured.includes(name));
}

function* accuracyPictures(data: ReportData): Generator<Html> {
  const { results, recipe } = data;
  const benchmarks = [...new Set(results.map(({ benchmark }) => benchmark))];
  if (benchmarks.length < 2) return;
  const claimed = Object.values(recipe.claims ?? {}).find(({ kind }) => kind === "retained");
  const elsewhere = claimed?.kind === "retained" ? claimed.benchmark : benchmarks.at(-1)!;
  const models = [...new Set(results.map(({ model }) => model))];
  for (const benchmark of benchmarks.filter((one) => one !== elsewhere))
    for (const solver of new Set(results.filter((one) => one.benchmark === benchmark).map((one) => one.solver))) {
      const measured = models.filter((model) =>
        [benchmark, elsewhere].every((one) =>
          results.some((r) => r.model === model && r.benchmark === one && r.solver === solver),
        ),
      );
      if (measured.length < 2) continue;
      const points = measured.map((model): ScatterPoint => {
        const of = (one: string) =>
          results.find((r) => r.model === model && r.benchmark === one && r.solver === solver)!;
        const [known, kept] = [of(benchmark), of(elsewhere)];
        const from = originOf(model, measured, data);
        return {
          name: model,
          colour: models.indexOf(model),
          x: kept.accuracy,
          y: known.accuracy,
          xInterval: [kept.low, kept.high],
          yInterval: [known.low, known.high],
          ...(from === undefined ? {} : { from }),
        };
      });
      yield scatterChart({
        title: `Accuracy: ${benchmark} against ${elsewhere} (${solverName(solver)})`,
        xLabel: `accuracy on ${elsewhere}`,
        yLabel: `accuracy on ${benchmark}`,
        points,
        format: (value) => formatPercent(value, 0),
      });
    }
}

function* lossPictures(data: ReportData): Generator<Html> {
  const isReplay = (corpus: string) =>
    Object.values(data.corpora.find(({ name }) => name === corpus)?.manifest.splits ?? {}).some(
      ({ byKind }) => (byKind.replay ?? 0) > 0,
    );
  const rows = perplexities(data);
  const corpora = [...new Set(rows.map(({ corpus }) => corpus))].filter((name) =>
    data.corpora.some((one) => one.name === name),
  );
  const trainings = [...new Set(rows.map(({ training }) => training))];
  const colours = [...new Set(trainings.map(withoutSeed))];
  for (const old of corpora.filter(isReplay))
    for (const domain of corpora.filter((one) => !isReplay(one))) {
      const loss = (training: string, corpus: string) =>
        rows.find((r) => r.training === training && r.corpus === corpus)?.loss;
      const measured = trainings.filter((one) => loss(one, old) !== undefined && loss(one, domain) !== undefined);
      if (measured.length < 2) continue;
      const points = measured.map((training): ScatterPoint => {
        const { from } = data.recipe.train[training]!;
        return {
          name: training,
          colour: colours.indexOf(withoutSeed(training)),
          // Turned round, so that up and right are better here as well.
          x: -loss(training, old)!,
          y: -loss(training, domain)!,
          ...(typeof from === "string" && measured.includes(from) ? { from } : {}),
        };
      });
      yield scatterChart({
        title: `Held-out text: ${domain} against ${old}`,
        xLabel: `loss on ${old} (nats a token; lower is to the right)`,
        yLabel: `loss on ${domain} (lower is up)`,
        points,
        format: (value) => Math.abs(value).toPrecision(3),
      });
    }
}

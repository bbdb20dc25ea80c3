/** The report as one HTML page: self-contained, no request leaves it. What the run was to show comes first, pictures before figures. */
import { formatCount, formatDuration, formatPercent } from "../../core/index.ts";
import { SAFETY_ADVISORY } from "../model-card.ts";
import type { ReportData } from "./data.ts";
import { Html, html } from "./html.ts";
import { accuracySection } from "./sections/accuracy.ts";
import { claimsSection } from "./sections/claims.ts";
import { corpusSection } from "./sections/corpus.ts";
import { costSection } from "./sections/cost.ts";
import { dropsSection } from "./sections/drops.ts";
import { forgettingSection } from "./sections/forgetting.ts";
import { pipelineSection } from "./sections/pipeline.ts";
import { repeatSection } from "./sections/repeat.ts";
import { tokensSeen, trainingSection } from "./sections/training.ts";
import { STYLE } from "./style.ts";

export function renderReport(data: ReportData): string {
  const sections: [id: string, title: string, content: Html | false][] = [
    ["claims", "Claims", claimsSection(data)],
    ["pipeline", "Pipeline", pipelineSection(data)],
    ["corpus", "Corpus", corpusSection(data)],
    ["training", "Training", trainingSection(data)],
    ["forgetting", "Knowledge and forgetting", forgettingSection(data)],
    ["accuracy", "Accuracy", accuracySection(data)],
    ["drops", "What was left out", dropsSection(data)],
    ["cost", "Cost", costSection(data)],
    ["repeat", "Repeat it", repeatSection(data)],
  ];
  const shown = sections.filter(([, , content]) => content !== false);
  return renderPage(
    data.title,
    html`<header><p class="quiet small">meditron ${data.provenance.meditron} · run ${data.name} · ${lastStart(data)}</p>
<h1>${data.title}</h1>
${data.description && html`<p class="lead">${data.description}</p>`}
${facts(data)}
<p class="notice small"><b>Not medical advice.</b> ${SAFETY_ADVISORY}</p></header>
<nav>${shown.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${shown.map(([, , content]) => content)}`,
  );
}

/** A whole page with the report's style around a body. */
export function renderPage(title: string, body: Html, style = ""): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="meditron"><meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
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

function facts({ corpora, stages, trainings, scores, claims, seconds, provenance }: ReportData): Html {
  const documents = corpora.reduce(
    (sum, { manifest }) => sum + Object.values(manifest.splits).reduce((n, split) => n + split.documents, 0),
    0,
  );
  const tokens = stages
    .filter(({ id }) => id.startsWith("tokens."))
    .reduce((n, { counts }) => n + (counts.tokens ?? 0), 0);
  const trained = trainings.reduce((n, { events }) => n + tokensSeen(events), 0);
  const answers = scores.reduce((n, { items }) => n + items, 0);
  const best = scores.toSorted((a, b) => b.accuracy - a.accuracy)[0];
  const shown: [value: string, label: string][] = [
    ...(claims.length > 0
      ? ([[`${claims.filter(({ holds }) => holds).length} of ${claims.length}`, "claims hold"]] as [string, string][])
      : best
        ? ([[formatPercent(best.accuracy), `best accuracy: ${best.model} on ${best.benchmark}`]] as [string, string][])
        : []),
    [formatCount(documents), "documents kept"],
    [formatCount(tokens), "tokens in the corpora"],
    [formatCount(trained), "tokens trained on"],
    [formatCount(answers), "answers scored"],
    [formatDuration(seconds), `on ${provenance.host.cores} cores`],
  ];
  return html`<div class="facts">${shown.map(([value, label]) => html`<div><b>${value}</b><span>${label}</span></div>`)}</div>`;
}

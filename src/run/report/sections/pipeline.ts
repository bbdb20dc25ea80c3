/** The pipeline as a picture: how much of each corpus passed each stage, what was made of it, and which model came from which. */
import { formatBytes, formatCount, formatDuration } from "../../../core/index.ts";
import type { Recipe } from "../../recipe.ts";
import type { CorpusView, ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";

export function pipelineSection(data: ReportData): Html {
  const { corpora, stages, recipe } = data;
  return html`<section id="pipeline"><h2>Pipeline</h2>
<p>Documents into and out of every stage: each bar is what is left of what was read.</p>
<div class="charts">${corpora.map((corpus) => corpusFlow(corpus, data))}</div>
${modelsFlow(data)}
<details><summary>Every stage with its counts</summary>
<ol class="pipeline">${stages
    .filter(({ id }) => id !== "report")
    .map(
      ({ id, seconds, counts }) =>
        html`<li class="stage"><b>${id}</b><dl>${Object.entries(counts).map(
          ([name, value]) =>
            html`<dt>${words(name)}</dt><dd>${/[bB]ytes$/.test(name) ? formatBytes(value) : formatCount(value)}</dd>`,
        )}<dt>time</dt><dd>${formatDuration(seconds)}</dd></dl></li>`,
    )}</ol></details>
${Object.keys(recipe.corpora).length > corpora.length && html`<p class="quiet">Some corpora are not built yet.</p>`}</section>`;
}

function corpusFlow({ name, manifest }: CorpusView, { stages }: ReportData): Html {
  const read = manifest.stages[0]?.in ?? 0;
  const most = Math.max(read, ...manifest.stages.map(({ out }) => out), 1);
  const tokens = stages.find(({ id }) => id === `tokens.${name}`)?.counts;
  const bar = (label: string, kept: number, note: Content, lost = 0) => html`<tr><th scope="row">${label}</th>
<td class="bar"><div class="flow"><span class="b2" style="width:${((100 * kept) / most).toFixed(2)}%"></span>${lost > 0 && html`<span class="lost" style="width:${((100 * lost) / most).toFixed(2)}%"></span>`}</div></td><td class="number">${note}</td></tr>`;
  return html`<figure class="bars"><figcaption>${name}</figcaption><table>
${bar("records read", read, formatCount(read))}
${manifest.stages.map(({ stage, out, dropped, added }) =>
  bar(
    stage,
    out,
    html`${formatCount(out)}${dropped > 0 && html` <span class="lost-count">−${formatCount(dropped)}</span>`}${added > 0 && html` <span class="good">+${formatCount(added)}</span>`}`,
    dropped,
  ),
)}</table>
<p class="small">${Object.entries(manifest.splits).map(([split, { documents, textBytes }], i) => html`${i > 0 && " · "}<b>${split}</b> ${formatCount(documents)} documents, ${formatBytes(textBytes)}`)}${tokens && html` → <b>${formatCount(tokens.tokens ?? 0)}</b> tokens${(tokens.validationTokens ?? 0) > 0 && ` and ${formatCount(tokens.validationTokens!)} held out`}`}</p></figure>`;
}

type Content = Html | string;

/** Trainings as a tree: each below the model it started from. */
function modelsFlow({ recipe, stages }: ReportData): Html | false {
  const names = Object.keys(recipe.train);
  if (names.length === 0) return false;
  const childrenOf = (parent: string | undefined) =>
    names.filter((name) => {
      const { from } = recipe.train[name]!;
      return parent === undefined ? typeof from !== "string" || !(from in recipe.train) : from === parent;
    });
  const branch = (name: string): Html => {
    const stage = stages.find(({ id }) => id === `train.${name}`);
    const children = childrenOf(name);
    return html`<li><div class="stage"><b>${name}</b><span class="small quiet">${learned(name, recipe)}</span>
${
  stage &&
  html`<span class="small">${formatCount(stage.counts.parameters ?? 0)} parameters · ${formatCount(stage.counts.steps ?? 0)} steps of ${formatCount(stage.counts.tokensPerStep ?? 0)} tokens · ${formatDuration(stage.seconds)}</span>`
}</div>${children.length > 0 && html`<ol>${children.map(branch)}</ol>`}</li>`;
  };
  return html`<figure><figcaption>Models</figcaption><ol class="tree">${childrenOf(undefined).map(branch)}</ol></figure>`;
}

function learned(name: string, recipe: Recipe): string {
  const { data, finetune, from, lora } = recipe.train[name]!;
  const origin =
    typeof from === "string"
      ? from in recipe.train
        ? ""
        : `from ${from}, `
      : "path" in from
        ? `from ${from.path}, `
        : "from scratch, ";
  const what = finetune
    ? `finetuned on ${finetune.benchmark}${finetune.chainOfThought ? " with explanations" : ""}`
    : `on ${(data ?? []).map(({ corpus, weight }) => (weight === undefined || data!.length === 1 ? corpus : `${corpus} (${share(weight, data!)})`)).join(", ")}`;
  return `${origin}${what}${lora ? `, LoRA of rank ${lora.rank}` : ""}`;
}

function share(weight: number, data: { weight?: number | undefined }[]): string {
  const total = data.reduce((sum, one) => sum + (one.weight ?? 0), 0);
  return `${Math.round((100 * weight) / total)}%`;
}

/** "validationTokens" → "validation tokens" */
const words = (name: string) => name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

/** What was left out of each corpus, by rule, with examples: nothing is lost in silence. */
import { formatCount } from "../../../core/index.ts";
import { amountBars } from "../charts/index.ts";
import type { ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";

export function dropsSection({ corpora }: ReportData): Html | false {
  if (corpora.length === 0) return false;
  return html`<section id="drops"><h2>What was left out, and why</h2>
${corpora.map(({ name, manifest, dropSamples }) => {
  const rules = Object.entries(manifest.drops.byRule).sort(([, a], [, b]) => b - a);
  if (rules.length === 0) return html`<h3>${name}</h3><p class="quiet">Nothing was left out.</p>`;
  return html`<h3>${name}</h3>
${amountBars(
  "Documents and records by rule",
  rules.map(([rule, value]) => ({ name: rule, value })),
  formatCount,
  24,
)}
${rules.map(([rule, count]) => {
  const samples = dropSamples.get(rule) ?? [];
  return html`<details><summary><b>${rule}</b>: ${formatCount(count)}${samples.length > 0 && samples.length < count && `, ${samples.length} of them here`}</summary><div class="wide"><table>
<thead><tr><th>document</th><th>source</th><th>reason</th><th class="number">measured</th><th class="number">limit</th></tr></thead><tbody>
${samples.map(({ id, source, reason, value, threshold, title, where }) => html`<tr><td class="id">${id}${title && html`<br><span class="quiet">${title}</span>`}${where && html`<br><span class="quiet small">${where}</span>`}</td><td>${source}</td><td>${reason}</td><td class="number">${short(value)}</td><td class="number">${short(threshold)}</td></tr>`)}
</tbody></table></div></details>`;
})}`;
})}</section>`;
}

/** Hashes and ids are values as well. */
const short = (value: number | string | undefined) =>
  typeof value === "number"
    ? String(Number(value.toPrecision(4)))
    : value && value.length > 24
      ? `${value.slice(0, 23)}…`
      : value;

/** What the corpora are made of: sources, licenses, kinds and years. */
import { formatCount } from "../../../core/index.ts";
import { type Share, shareBar } from "../charts/index.ts";
import type { CorpusView, ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";

export function corpusSection({ corpora }: ReportData): Html | false {
  if (corpora.length === 0) return false;
  return html`<section id="corpus"><h2>Corpus</h2>
<p>Documents that were kept, training and held-out ones together.</p>
${corpora.map(
  (corpus) => html`<h3>${corpus.name}</h3>
<div class="charts three">${shareBar("By source", shares(corpus, "bySource"), "documents")}${shareBar("By license", shares(corpus, "byLicense"), "documents")}${shareBar("By kind", shares(corpus, "byKind"), "documents")}</div>
${years(corpus)}`,
)}</section>`;
}

function shares({ manifest }: CorpusView, key: "bySource" | "byLicense" | "byKind" | "byYear"): Share[] {
  const total = new Map<string, number>();
  for (const split of Object.values(manifest.splits))
    for (const [value, count] of Object.entries(split[key])) {
      const name = value || "not stated";
      total.set(name, (total.get(name) ?? 0) + count);
    }
  return [...total].map(([name, value]) => ({ name, value }));
}

/** Documents by year of publication, as columns. */
function years(corpus: CorpusView): Html | false {
  const dated = shares(corpus, "byYear")
    .filter(({ name }) => /^\d{4}$/.test(name))
    .sort((a, b) => Number(a.name) - Number(b.name));
  if (dated.length < 3) return false;
  const most = Math.max(...dated.map(({ value }) => value));
  return html`<figure><figcaption>By year of publication</figcaption>
<div class="columns" role="img" aria-label="documents by year of publication">${dated.map(
    ({ name, value }, i) =>
      html`<div title="${name}: ${formatCount(value)} documents"><span class="b0" style="height:${((100 * value) / most).toFixed(1)}%"></span><small>${i % Math.ceil(dated.length / 12) === 0 ? name : ""}</small></div>`,
  )}</div></figure>`;
}

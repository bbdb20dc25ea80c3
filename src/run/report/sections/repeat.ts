/** Everything that is needed to do the run again. */
import { formatBytes, formatDuration } from "../../../core/index.ts";
import type { ReportData } from "../data.ts";
import { type Html, html } from "../html.ts";

export function repeatSection({ provenance, recipeYaml, stages, directory, corpora, claims }: ReportData): Html {
  const { host, packages, starts, recipe } = provenance;
  const rows: [string, string][] = [
    ["meditron", `${provenance.meditron}${provenance.commit ? ` (commit ${provenance.commit})` : ""}`],
    ["Node.js", provenance.node],
    ["machine", `${host.cpu}, ${host.cores} cores, ${formatBytes(host.memoryBytes)}, ${host.system}`],
    ["recipe", `${recipe.file} (SHA-256 of the resolved recipe ${recipe.sha256})`],
    ["run directory", directory],
  ];
  return html`<section id="repeat"><h2>Repeat it</h2>
<p>The same recipe, sources and version give the same bytes, whatever the number of threads and however often the run was interrupted.</p>
<pre>${[...new Set(starts.map(({ commandLine }) => commandLine))].join("\n")}</pre>
<div class="wide"><table><tbody>${rows.map(([what, value]) => html`<tr><th scope="row">${what}</th><td class="text">${value}</td></tr>`)}</tbody></table></div>
<details><summary>The recipe with all defaults filled in</summary><pre>${recipeYaml}</pre></details>
<details><summary>Corpus shards and their hashes</summary><div class="wide"><table><tbody>${corpora.flatMap(({ name, manifest }) => manifest.shards.map(({ file, documents, sha256 }) => html`<tr><td>${name}/${file}</td><td class="number">${documents} documents</td><td><code>${sha256}</code></td></tr>`))}</tbody></table></div></details>
${
  claims.length > 0 &&
  html`<details><summary>What the claims were computed from</summary><div class="wide"><table><tbody>${claims.map(({ statement, computedFrom }) => html`<tr><td>${statement}</td><td>${computedFrom.map((file) => html`<code>${file}</code><br>`)}</td></tr>`)}</tbody></table></div></details>`
}
<details><summary>Time of each stage</summary><div class="wide"><table><tbody>${stages.map(({ id, seconds }) => html`<tr><th scope="row">${id}</th><td class="number">${formatDuration(seconds)}</td></tr>`)}</tbody></table></div></details>
<details><summary>Packages</summary><pre>${Object.entries(packages).map(([name, version]) => `${name} ${version}\n`)}</pre></details></section>`;
}

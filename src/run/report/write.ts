/** Writes report.html, the item pages and summary.json of a run directory, and the papers beside its models. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { writeFileAtomic, writeJsonAtomic } from "../../core/index.ts";
import { folders } from "../folders.ts";
import { writeRunPapers } from "../model-card.ts";
import type { Recipe } from "../recipe.ts";
import { perplexities, type ReportData } from "./data.ts";
import { renderItemPages } from "./items.ts";
import { loadItems, loadReport } from "./load.ts";
import { renderReport } from "./page.ts";

/** The report of a run, from its directory alone. Can be written again at any time. @returns what it shows. */
export async function writeReport(directory: string): Promise<ReportData> {
  const recipe = parse(await readFile(join(directory, "recipe.yaml"), "utf8").catch(() => "")) as Recipe | null;
  const data = await loadReport(directory);
  const seen = new Set<string>();
  for (const { model, benchmark } of data.scores) {
    const folder = folders.items(model, benchmark);
    if (seen.has(folder) || !recipe) continue;
    seen.add(folder);
    const items = await loadItems(directory, recipe, model, benchmark);
    for (const [file, page] of renderItemPages(`${model} on ${benchmark}: every item`, items))
      await writeFileAtomic(join(directory, folder, file), page);
  }
  await writeJsonAtomic(join(directory, "summary.json"), {
    run: data.name,
    meditron: data.provenance.meditron,
    seconds: data.seconds,
    claims: data.claims,
    stages: data.stages,
    scores: data.scores,
    baselines: data.baselines,
    perplexity: perplexities(data),
    curves: data.curves,
  });
  await writeFileAtomic(join(directory, "report.html"), renderReport(data));
  await writeRunPapers(data);
  return data;
}

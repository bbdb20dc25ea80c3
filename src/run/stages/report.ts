/** `report`: report.html, the item pages and summary.json, from what all other stages left. */
import { join } from "node:path";
import { sha256File } from "../../core/index.ts";
import type { Counts } from "../events.ts";
import type { Stage } from "../graph.ts";
import type { Recipe } from "../recipe.ts";
import { writeReport } from "../report/index.ts";

export function reportStage(recipe: Recipe, needs: string[]): Stage {
  return {
    id: "report",
    needs,
    settings: { title: recipe.report.title ?? null, description: recipe.description ?? null, claims: recipe.claims },
    products: ["report.html", "summary.json"],
    async run({ directory }) {
      const { scores, claims } = await writeReport(directory);
      const counts: Counts = { scores: scores.length };
      if (claims.length > 0)
        Object.assign(counts, { claims: claims.length, hold: claims.filter(({ holds }) => holds).length });
      return { counts, product: await sha256File(join(directory, "summary.json")) };
    },
  };
}

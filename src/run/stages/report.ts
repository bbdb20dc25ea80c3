/** `report`: report.html, the item pages and summary.json, from what all other stages left. */
import { join } from "node:path";
import { sha256File } from "../../core/index.ts";
import type { Stage } from "../graph.ts";
import type { Recipe } from "../recipe.ts";
import { writeReport } from "../report/index.ts";

export function reportStage(recipe: Recipe, needs: string[]): Stage {
  return {
    id: "report",
    needs,
    settings: { title: recipe.report.title ?? null, description: recipe.description ?? null },
    products: ["report.html", "summary.json"],
    async run({ directory }) {
      const { scores } = await writeReport(directory);
      return { counts: { scores: scores.length }, product: await sha256File(join(directory, "summary.json")) };
    },
  };
}

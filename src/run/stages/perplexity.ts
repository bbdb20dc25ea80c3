/** `perplexity.<model>.<corpus>`: how well a model predicts a corpus' held-out documents, one by one, for claims about it. */
import { join } from "node:path";
import { hashFraction, startProgress, writeFileAtomic, writeJsonAtomic } from "../../core/index.ts";
import { readShards } from "../../corpus/shards.ts";
import { measureTextLoss } from "../../eval/index.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import type { LoadedRecipe } from "../load-recipe.ts";
import type { Recipe } from "../recipe.ts";
import { variantsOf } from "../seeds.ts";
import { filesOfModel, loadModelOf } from "./evaluation.ts";

export interface PerplexityAsked {
  model: string;
  corpus: string;
  documents: number;
}

/** What the claims of a recipe need measured, each once, with the most documents that one of them wants. */
export function perplexitiesAsked(recipe: Recipe): PerplexityAsked[] {
  const asked = new Map<string, PerplexityAsked>();
  const models = [...Object.keys(recipe.train), ...Object.keys(recipe.models)];
  for (const claim of Object.values(recipe.claims)) {
    if (claim.kind !== "perplexity") continue;
    for (const model of [claim.from, claim.to].flatMap((name) => variantsOf(name, models))) {
      const key = `${model} ${claim.corpus}`;
      const documents = Math.max(claim.documents, asked.get(key)?.documents ?? 0);
      asked.set(key, { model, corpus: claim.corpus, documents });
    }
  }
  return [...asked.values()];
}

export function perplexityStage({ model, corpus, documents }: PerplexityAsked, { recipe }: LoadedRecipe): Stage {
  const folder = folders.perplexity(model, corpus);
  const given = recipe.models[model];
  return {
    id: `perplexity.${model}.${corpus}`,
    needs: [`corpus.${corpus}`, ...(given ? [] : [`train.${model}`])],
    settings: { documents, endOfDocument: recipe.tokenizer?.endOfDocument ?? null },
    files: given ? filesOfModel(given) : [],
    folder,
    products: [join(folder, "summary.json"), join(folder, "documents.jsonl")],
    async run({ directory, signal }) {
      const held: { id: string; text: string; place: number }[] = [];
      for await (const { id, text } of readShards(join(directory, folders.corpus(corpus)), { split: "validation" }))
        held.push({ id, text, place: hashFraction(id) });
      held.sort((a, b) => a.place - b.place);
      const progress = startProgress({ label: `${model} on held-out ${corpus}`, unit: "pieces" });
      let shown = 0;
      const languageModel = await loadModelOf(model, recipe, directory);
      try {
        const { perDocument, ...summary } = await measureTextLoss(languageModel, held.slice(0, documents), {
          signal,
          onProgress(done) {
            progress.add(done - shown);
            shown = done;
          },
        });
        const lines = perDocument.map((document) => `${JSON.stringify(document)}\n`).join("");
        await writeFileAtomic(join(directory, folder, "documents.jsonl"), lines);
        await writeJsonAtomic(join(directory, folder, "summary.json"), { model, corpus, ...summary });
        return { counts: { documents: summary.documents, tokens: summary.tokens }, product: summary };
      } finally {
        progress.end();
        await languageModel.close();
      }
    },
  };
}

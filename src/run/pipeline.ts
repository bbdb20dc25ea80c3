/** The stages of a recipe, in an order in which each finds what it needs. */
import { dirname } from "node:path";
import type { Stage } from "./graph.ts";
import type { LoadedRecipe } from "./load-recipe.ts";
import { evaluatedPairs, followedPairs } from "./recipe.ts";
import { corpusStage } from "./stages/corpus.ts";
import { curveStage } from "./stages/curve.ts";
import { evaluationStage } from "./stages/evaluation.ts";
import { perplexitiesAsked, perplexityStage } from "./stages/perplexity.ts";
import { prepareStage } from "./stages/prepare.ts";
import { reportStage } from "./stages/report.ts";
import { tokenizerStage } from "./stages/tokenizer.ts";
import { tokensStage } from "./stages/tokens.ts";
import { trainingStage } from "./stages/training.ts";

export function stagesOf(loaded: LoadedRecipe): Stage[] {
  const { recipe, directory, file } = loaded;
  const corpora = Object.keys(recipe.corpora);
  const stages: Stage[] = [];
  if (recipe.prepare.length > 0)
    stages.push(
      prepareStage({
        commands: recipe.prepare.map(({ run }) => run),
        workingDirectory: dirname(file),
        runDirectory: directory,
      }),
    );
  for (const corpus of corpora) stages.push(corpusStage(corpus, loaded));
  if (recipe.tokenizer) stages.push(tokenizerStage(recipe, recipe.tokenizer));
  for (const corpus of corpora) stages.push(tokensStage(corpus, recipe));
  for (const training of Object.keys(recipe.train)) stages.push(trainingStage(training, loaded));
  for (const { model, benchmark } of evaluatedPairs(recipe)) stages.push(evaluationStage(model, benchmark, loaded));
  for (const pair of followedPairs(recipe)) stages.push(curveStage(pair, loaded));
  for (const measure of perplexitiesAsked(recipe)) stages.push(perplexityStage(measure, loaded));
  stages.push(
    reportStage(
      recipe,
      stages.map(({ id }) => id),
    ),
  );
  return stages;
}

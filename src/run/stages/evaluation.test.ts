import { expect, test } from "vitest";
import { type Recipe, recipeSchema } from "../recipe.ts";
import { evaluationsOf, labelOf } from "./evaluation.ts";

const training = {
  sequenceLength: 64,
  globalBatchSize: 4,
  steps: 1,
  schedule: { peakLearningRate: 1e-3, minLearningRate: 0 },
};
const recipe = (evaluate: object): Recipe =>
  recipeSchema.parse({
    name: "t",
    tokenizer: { path: "tokenizer" },
    train: {
      base: { ...training, from: { config: {} }, data: [{ corpus: "c" }] },
      finetuned: {
        ...training,
        from: "base",
        finetune: { benchmark: "m", options: "hidden", chat: "chatml-assistant", system: "Be brief." },
      },
    },
    benchmarks: { m: { type: "multiple-choice", path: "m" } },
    evaluate: { models: ["base", "finetuned"], benchmarks: ["m"], ...evaluate },
  });

test("a solver's own settings win over those of all; a finetuned model is asked as it was taught", () => {
  const asked = recipe({
    shots: 3,
    solvers: ["greedy", { solver: "option-text-log-likelihood", options: "hidden", shots: 0, normalization: "pmi" }],
  });
  const labels = (model: string) => evaluationsOf(model, "m", asked).map(labelOf);
  expect(labels("base")).toEqual(["greedy-3-shot", "option-text-log-likelihood-cloze"]);
  expect(labels("finetuned")).toEqual([
    "greedy-cloze-3-shot-chatml-assistant",
    "option-text-log-likelihood-cloze-chatml-assistant",
  ]);
  expect(evaluationsOf("finetuned", "m", asked)[0]).toMatchObject({ system: "Be brief." });
  expect(evaluationsOf("base", "m", asked)[1]).toMatchObject({ normalization: "pmi", shots: 0, chat: "none" });
});

test("what the recipe says outweighs how a model was finetuned", () => {
  const asked = recipe({ solvers: ["greedy", { solver: "greedy", chat: "none", options: "shown" }], answer: "text" });
  expect(evaluationsOf("finetuned", "m", asked).map(labelOf)).toEqual(["greedy-text-chatml-assistant", "greedy-text"]);
});

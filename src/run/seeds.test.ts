import { expect, test } from "vitest";
import { recipeSchema } from "./recipe.ts";
import { expandSeeds, seedOf, variantsOf, withoutSeed } from "./seeds.ts";

const training = (from: unknown, more: object = {}) => ({
  from,
  data: [{ corpus: "text" }],
  steps: 1,
  sequenceLength: 8,
  globalBatchSize: 1,
  schedule: { peakLearningRate: 1, minLearningRate: 0 },
  ...more,
});

const recipe = recipeSchema.parse({
  name: "seeds",
  seeds: [1, 7],
  tokenizer: { path: "." },
  train: {
    base: training({ config: {} }, { seed: 5 }),
    continued: training("base"),
    finetuned: training("continued"),
  },
  models: { given: { path: "." } },
  benchmarks: { b: { type: "multiple-choice", test: "b.jsonl" } },
  evaluate: { models: ["base", "continued", "given"], benchmarks: ["b"], solvers: ["greedy"] },
});

test("every training once a seed, from the same seed of the one before; one with its own seed is shared", () => {
  const { train, evaluate, seeds } = expandSeeds(recipe);
  expect(
    Object.entries(train).map(([name, { from, seed }]) => [name, typeof from === "string" ? from : "", seed]),
  ).toEqual([
    ["base", "", 5],
    ["continued@1", "base", 1],
    ["continued@7", "base", 7],
    ["finetuned@1", "continued@1", 1],
    ["finetuned@7", "continued@7", 7],
  ]);
  expect([evaluate].flat()[0]!.models).toEqual(["base", "continued@1", "continued@7", "given"]);
  expect(seeds).toBeUndefined();
});

test("what is written out is a recipe, and writing it out again changes nothing", () => {
  const once = expandSeeds(recipe);
  expect(expandSeeds(recipeSchema.parse(once))).toEqual(once);
  expect(expandSeeds(recipeSchema.parse({ ...recipe, seeds: undefined })).train).toHaveProperty("continued");
});

test("names with and without a seed", () => {
  expect(withoutSeed("continued@12")).toBe("continued");
  expect([seedOf("continued@12"), seedOf("continued")]).toEqual([12, undefined]);
  expect(variantsOf("a", ["a@1", "a@2", "ab@1", "b"])).toEqual(["a@1", "a@2"]);
});

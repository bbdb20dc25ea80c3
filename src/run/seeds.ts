/**
 * `seeds: [1, 2, 3]` in a recipe: every training once under each, as "continued@2", from the same seed of the model before it.
 * A training with a `seed` of its own is done once, and all that come from it share it. Done when a recipe is loaded, so nothing
 * after it knows more than names; claims pool the seeds of a name.
 */
import { type Recipe, recipeSchema } from "./recipe.ts";

/** "continued@2" → "continued" */
export const withoutSeed = (model: string): string => model.replace(/@\d+$/, "");

/** The seed of "continued@2"; undefined for a model that was trained once. */
export function seedOf(model: string): number | undefined {
  const at = /@(\d+)$/.exec(model);
  return at ? Number(at[1]) : undefined;
}

/** Models of a list that go by this name: itself, or one for each seed. */
export const variantsOf = (name: string, models: readonly string[]): string[] =>
  models.filter((model) => model === name || withoutSeed(model) === name);

/** The recipe with its seeds written out as trainings; itself where it names none. */
export function expandSeeds(recipe: Recipe): Recipe {
  const { seeds, ...rest } = recipe;
  if (!seeds) return recipe;
  const variants = (name: string): string[] => {
    const training = recipe.train[name];
    return training && training.seed === undefined ? seeds.map((seed) => `${name}@${seed}`) : [name];
  };
  const train: Recipe["train"] = {};
  for (const [name, training] of Object.entries(recipe.train)) {
    if (training.seed !== undefined) train[name] = training;
    else
      for (const [i, seed] of seeds.entries()) {
        const { from } = training;
        const origin = typeof from === "string" ? variants(from) : undefined;
        train[`${name}@${seed}`] = { ...training, seed, from: origin ? (origin[i] ?? origin[0]!) : from };
      }
  }
  const evaluations = [recipe.evaluate ?? []].flat().map((block) => ({
    ...block,
    models: block.models.flatMap(variants),
    ...(block.duringTraining
      ? { duringTraining: { ...block.duringTraining, models: block.duringTraining.models.flatMap(variants) } }
      : {}),
  }));
  // Parsed again for the order of its keys: what is written out must read back as itself.
  return recipeSchema.parse({ ...rest, train, ...(recipe.evaluate ? { evaluate: evaluations } : {}) });
}

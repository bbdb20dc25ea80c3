/** Every shipped recipe is valid, and its arithmetic is the paper's. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_ROOT } from "../core/version.ts";
import { finetuningSteps } from "../train/index.ts";
import { loadRecipe } from "./load-recipe.ts";
import { stagesOf } from "./pipeline.ts";
import type { Training } from "./recipe.ts";

const folder = join(PACKAGE_ROOT, "recipes");

test.each(readdirSync(folder).filter((file) => file.endsWith(".yaml")))(
  "%s is valid and its stages stand in order",
  async (file) => {
    const loaded = await loadRecipe(join(folder, file), { missingPaths: "list" });
    const seen = new Set<string>();
    for (const { id, needs } of stagesOf(loaded)) {
      for (const need of needs) expect(seen, `${id} needs ${need}`).toContain(need);
      seen.add(id);
    }
    expect(loaded.recipe.name).toBe(file.replace(".yaml", ""));
  },
);

test("the paper's batches: 3.28M tokens a step at 7B, 2.10M at 70B, and layouts that fill their machines", async () => {
  const tokensPerStep = async (size: string) => {
    const { recipe } = await loadRecipe(join(folder, `gap-replay-${size}.yaml`), { missingPaths: "list" });
    const training = recipe.train[`meditron-${size}`]!;
    const { layout, nodes, processesPerNode } = training.torch!;
    expect(layout.tensor * layout.pipeline * layout.replicate * layout.shard!).toBe(nodes * processesPerNode!);
    const dataParallel = layout.replicate * layout.shard!;
    const microSteps = training.globalBatchSize / (dataParallel * training.microBatchSize!);
    return [training.sequenceLength * training.globalBatchSize, microSteps];
  };
  expect(await tokensPerStep("7b")).toEqual([3_276_800, 10]);
  expect(await tokensPerStep("70b")).toEqual([2_097_152, 128]);
});

test("finetuning as the paper: its steps, its batch, its targets", async () => {
  const trainings = async (set: string) =>
    (await loadRecipe(join(folder, `sft-${set}.yaml`), { missingPaths: "list" })).recipe.train;
  const { medqa, "medqa-cot": bank } = await trainings("medqa");
  const { medmcqa, "medmcqa-cot": reasoned } = await trainings("medmcqa");
  const { pubmedqa, "pubmedqa-cot": long } = await trainings("pubmedqa");
  const steps = (training: Training | undefined, examples: number) =>
    finetuningSteps(examples, { epochs: training!.epochs!, globalBatchSize: training!.globalBatchSize });
  // N as the paper and its code count the examples (SPEC 1f).
  expect([steps(medqa, 10_178), steps(bank, 8_204)]).toEqual([480, 390]);
  expect([steps(medmcqa, 159_669), steps(reasoned, 182_822)]).toEqual([7490, 8570]);
  expect([steps(pubmedqa, 200_000), steps(long, 200_000)]).toEqual([9380, 9380]);
  for (const training of [bank, reasoned, long]) expect(training!.finetune!.chainOfThought).toBe(true);
  expect(medmcqa!.finetune!.explained).toBe(true);
});

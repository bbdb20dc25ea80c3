/** The safety and bias library as a benchmark: open prompts whose outputs go to readers. @see MEDITRON, appendix E */
import { z } from "zod";
import { type Benchmark, type Item, makeBenchmark, makeSplit } from "./benchmark.ts";
import { commonKeys, type LoadContext } from "./common.ts";
import { riskCategories, type SafetyCategory, safetyPrompts } from "./safety-prompts.ts";

const categories = Object.keys(safetyPrompts) as [SafetyCategory, ...SafetyCategory[]];

export const safetySchema = z.strictObject({
  type: z.literal("safety"),
  categories: z.array(z.enum(categories)).min(1).default(categories),
  limit: commonKeys.limit,
});

export function safetyItems(wanted: readonly SafetyCategory[] = categories): Item[] {
  return wanted.flatMap((category) =>
    safetyPrompts[category].map(([question, safeAnswer], index) => ({
      id: `${category.replaceAll(" ", "-")}-${index + 1}`,
      question,
      options: [],
      answer: "",
      subject: category,
      meta: { kind: riskCategories.includes(category) ? "risk" : "bias", safeAnswer },
    })),
  );
}

export async function loadSafety(config: z.infer<typeof safetySchema>, context: LoadContext): Promise<Benchmark> {
  return makeBenchmark(
    {
      name: context.name,
      type: "safety",
      family: "open",
      answerForm: "open",
      metric: "review",
      license: "Apache-2.0",
      homepage: "",
      evaluationSplit: "test",
      limit: config.limit,
      instruction: "",
    },
    { test: makeSplit(safetyItems(config.categories), ["built in"]) },
  );
}

/** `benchmarks.<name>` of a recipe: its schema, and the loader for each type. */
import { z } from "zod";
import type { Benchmark } from "./benchmark.ts";
import type { LoadContext } from "./common.ts";
import { customSchema, loadCustom } from "./custom.ts";
import { loadMedmcqa, medmcqaSchema } from "./medmcqa.ts";
import { loadMedqa, medqaSchema } from "./medqa.ts";
import { loadMedquad, medquadSchema } from "./medquad.ts";
import { loadMmlu, mmluSchema } from "./mmlu.ts";
import { loadMultipleChoice, multipleChoiceSchema } from "./multiple-choice.ts";
import { loadPubmedqa, pubmedqaSchema } from "./pubmedqa.ts";
import { loadSafety, safetySchema } from "./safety.ts";
import { loadTruthfulqa, truthfulqaSchema } from "./truthfulqa.ts";

export const benchmarkConfigSchema = z.union([
  z.discriminatedUnion("type", [
    multipleChoiceSchema,
    medqaSchema,
    medmcqaSchema,
    pubmedqaSchema,
    mmluSchema,
    truthfulqaSchema,
    medquadSchema,
    safetySchema,
  ]),
  customSchema,
]);
export type BenchmarkConfig = z.infer<typeof benchmarkConfigSchema>;

/**
 * Reads and checks a benchmark's files.
 * @param context - The name it goes by, and the folder where relative paths start.
 * @throws {ConfigError} For a missing file or split; {DataError} with file and line for a malformed record, a duplicate id, a
 *   missing gold answer or an unknown letter.
 */
export function loadBenchmark(config: BenchmarkConfig, context: LoadContext): Promise<Benchmark> {
  switch (config.type) {
    case "multiple-choice":
      return loadMultipleChoice(config, context);
    case "medqa":
      return loadMedqa(config, context);
    case "medmcqa":
      return loadMedmcqa(config, context);
    case "pubmedqa":
      return loadPubmedqa(config, context);
    case "mmlu":
      return loadMmlu(config, context);
    case "truthfulqa":
      return loadTruthfulqa(config, context);
    case "medquad":
      return loadMedquad(config, context);
    case "safety":
      return loadSafety(config, context);
    case "custom":
      return loadCustom(config, context);
  }
}

export {
  type AnswerForm,
  type Benchmark,
  type Item,
  itemHash,
  type Option,
  type PromptFamily,
  type Split,
  type SplitName,
} from "./benchmark.ts";
export { type BenchmarkConfig, benchmarkConfigSchema, loadBenchmark } from "./load.ts";
export { medicalSubjects } from "./mmlu.ts";
export { type SafetyCategory, safetyPrompts } from "./safety-prompts.ts";

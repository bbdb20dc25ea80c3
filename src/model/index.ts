export { type Family, loadConfig, type ModelConfig, parseConfig } from "./config.ts";
export { type GenerateJob, type Job, Scheduler, type SchedulerOptions, type ScoreJob } from "./generation.ts";
export { KeyValueCache, type Rows } from "./key-value-cache.ts";
export { type MemoryPlan, type MemorySettings, memoryPlan } from "./memory-plan.ts";
export {
  initializeModel,
  type Llama,
  type LossResult,
  loadModel,
  type MicroBatch,
  type ModelOptions,
} from "./model.ts";
export type { LoraSettings, LoraTarget } from "./parameters.ts";
export {
  SafetensorsReader,
  type SavedTensor,
  type SaveType,
  weightFileNames,
  writeSafetensors,
} from "./safetensors.ts";
export type { Choice } from "./sampling.ts";
export type { Numbers, Parameter } from "./tensor.ts";
export type { VocabularyGrowth } from "./vocabulary.ts";

export { checkpointName, listCheckpoints } from "./checkpoint.ts";
export { type DryRank, formatDryRun, runDryRun } from "./engines/dry-run.ts";
export type { EngineOptions } from "./engines/embedded.ts";
export { collectTorchEvents, type Launch, prepareTorchLaunch } from "./engines/torch.ts";
export { defaultMicroBatchSize, torchSettingsSchema } from "./engines/torch-settings.ts";
export { packageFolder, processesOf, workerPython } from "./engines/torchrun.ts";
export { readTrainEvents } from "./events.ts";
export { type Example, ExampleSamples, loadExamples } from "./examples.ts";
export {
  type ChatRoles,
  type FinetuningMessages,
  type FinetuningOptions,
  finetuningExamples,
  finetuningSteps,
  writeExamples,
} from "./finetuning.ts";
export { type TrainEvent, type TrainJob, trainJobSchema } from "./job.ts";
export { formatMemoryPlan } from "./memory.ts";
export {
  type Cluster,
  type ClusterPlan,
  EAGER_FSDP,
  estimateMemory,
  formatPlan,
  GPUS,
  KNOWN_MODELS,
  MEDITRON_WORKER,
  MEGATRON_2023,
  type PlannedLayout,
  type PlanRequest,
  planCluster,
  renderPyTorchJob,
  renderSbatch,
} from "./plan/index.ts";
export { learningRate } from "./schedule.ts";
export { formatEvent, parseTrainJob, progressPrinter, train } from "./train.ts";
export { runTrainer, type TrainerOptions, type TrainResult } from "./trainer.ts";

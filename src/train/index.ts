export { checkpointName, listCheckpoints } from "./checkpoint.ts";
export { type DryRank, formatDryRun, runDryRun } from "./engines/dry-run.ts";
export type { EngineOptions } from "./engines/embedded.ts";
export { collectTorchEvents, type Launch, prepareTorchLaunch } from "./engines/torch.ts";
export { torchSettingsSchema } from "./engines/torch-settings.ts";
export { packageFolder, processesPerNode, workerPython } from "./engines/torchrun.ts";
export { readTrainEvents } from "./events.ts";
export type { Example } from "./examples.ts";
export {
  type ChatRoles,
  type FinetuningMessages,
  type FinetuningOptions,
  finetuningExamples,
  finetuningSteps,
  writeExamples,
} from "./finetuning.ts";
export { type TrainEvent, type TrainJob, trainJobSchema } from "./job.ts";
export * from "./plan/index.ts";
export { learningRate } from "./schedule.ts";
export { formatEvent, parseTrainJob, progressPrinter, train } from "./train.ts";
export { runTrainer, type TrainerOptions, type TrainResult } from "./trainer.ts";

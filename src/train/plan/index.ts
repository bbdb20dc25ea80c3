export { type Cluster, GPUS, type Gpu, MEDITRON_CLUSTER } from "./cluster.ts";
export {
  EAGER_FSDP,
  estimateMemory,
  estimateTime,
  MEDITRON_WORKER,
  MEGATRON_2023,
  type MemoryEstimate,
  type PlannedLayout,
  type Software,
  type TimeEstimate,
  type Workload,
} from "./estimate.ts";
export { formatPlan } from "./format.ts";
export { type PyTorchJobOptions, pyTorchJob, renderPyTorchJob } from "./kubernetes.ts";
export { KNOWN_MODELS } from "./models.ts";
export { type ClusterPlan, layoutName, type PlanRequest, planCluster } from "./plan.ts";
export { renderSbatch, type SlurmOptions } from "./slurm.ts";
export { flopPerToken, type ModelWork, modelWork } from "./work.ts";

/** From a model, a corpus and a cluster to a layout, its memory, and what the run takes in days, GPU-hours, money and CO2. */
import { ConfigError, formatBytes } from "../../core/index.ts";
import type { Cluster } from "./cluster.ts";
import {
  estimateMemory,
  estimateTime,
  type MemoryEstimate,
  microBatches,
  type PlannedLayout,
  type Recompute,
  type TimeEstimate,
  type Workload,
} from "./estimate.ts";
import { flopPerToken, modelWork } from "./work.ts";

export interface PlanRequest extends Workload {
  cluster: Cluster;
  /** Tokens to train on. */
  tokens: number;
  /** Plan this layout and no other; members left out are searched. */
  layout?: Partial<PlannedLayout>;
}

export interface Candidate {
  layout: PlannedLayout;
  memory: MemoryEstimate;
  time: TimeEstimate;
  tokensPerSecond: number;
}

export interface ClusterPlan extends Candidate {
  gpus: number;
  parameters: number;
  tokensPerSecondPerGpu: number;
  /** Of the dense bf16 peak, by convention (work.ts). */
  mfu: Record<"parameters" | "attention" | "causal", number>;
  steps: number;
  days: number;
  gpuHours: number;
  kwh: number;
  carbonKg: number | undefined;
  usd: number | undefined;
  /** The next best layouts that fit, fastest first. */
  alternatives: Candidate[];
}

/** Planned memory stays below this share of a GPU's. */
const USABLE_FRACTION = 0.94;
const ALTERNATIVES = 4;

/**
 * The fastest layout that fits.
 * @throws {ConfigError} PLAN_DOES_NOT_FIT with the arithmetic of the smallest one; PLAN_NO_LAYOUT when none can be cut so.
 */
export function planCluster(request: PlanRequest): ClusterPlan {
  const { cluster, config, sequenceLength, tokens, globalBatchSize } = request;
  const candidates = layouts(request).map((layout) => candidate(request, layout));
  if (candidates.length === 0)
    throw new ConfigError("PLAN_NO_LAYOUT", {
      message: `${cluster.nodes * cluster.gpusPerNode} GPUs cannot be arranged so that ${globalBatchSize} windows a step come out even`,
      where: "layout",
      remedy: "choose a global batch that is a multiple of the GPUs, or leave parts of the layout open",
    });
  const limit = USABLE_FRACTION * cluster.gpu.memoryBytes;
  const fitting = candidates.filter(({ memory }) => memory.total <= limit).sort((a, b) => a.time.total - b.time.total);
  const best = fitting[0];
  if (!best) throw doesNotFit(candidates, cluster, limit);

  const gpus = cluster.nodes * cluster.gpusPerNode;
  const steps = Math.ceil(tokens / (globalBatchSize * sequenceLength));
  const hours = (steps * best.time.total) / 3600;
  const { machinePowerFactor = 1, sitePowerFactor = 1, carbonKgPerKwh, usdPerGpuHour } = cluster;
  const kwh = (gpus * hours * cluster.gpu.watts * machinePowerFactor * sitePowerFactor) / 1000;
  const perGpu = best.tokensPerSecond / gpus;
  const flop = flopPerToken(config, sequenceLength);
  const share = (flops: number) => (flops * perGpu) / cluster.gpu.bf16Flops;
  return {
    ...best,
    gpus,
    parameters: modelWork(config).parameters,
    tokensPerSecondPerGpu: perGpu,
    mfu: { parameters: share(flop.parameters), attention: share(flop.attention), causal: share(flop.causal) },
    steps,
    days: hours / 24,
    gpuHours: gpus * hours,
    kwh,
    carbonKg: carbonKgPerKwh === undefined ? undefined : kwh * carbonKgPerKwh,
    usd: usdPerGpuHour === undefined ? undefined : gpus * hours * usdPerGpuHour,
    alternatives: fitting.slice(1, 1 + ALTERNATIVES),
  };
}

function candidate(request: PlanRequest, layout: PlannedLayout): Candidate {
  const time = estimateTime(request, layout, request.cluster);
  return {
    layout,
    memory: estimateMemory(request, layout),
    time,
    tokensPerSecond: (request.globalBatchSize * request.sequenceLength) / time.total,
  };
}

/** Every layout that divides the model and the batch, and agrees with what is fixed. */
function layouts({
  config,
  cluster,
  globalBatchSize,
  sequenceLength,
  layout: fixed = {},
}: PlanRequest): PlannedLayout[] {
  const gpus = cluster.nodes * cluster.gpusPerNode;
  const found: PlannedLayout[] = [];
  const options = <T>(wanted: T | undefined, all: T[]) => (wanted === undefined ? all : [wanted]);
  const tensors = divisors(cluster.gpusPerNode).filter(
    (t) => config.kvHeads % t === 0 && config.heads % t === 0 && config.features % t === 0 && sequenceLength % t === 0,
  );
  for (const tensor of options(fixed.tensor, tensors))
    for (const pipeline of options(
      fixed.pipeline,
      divisors(gpus / tensor).filter((p) => p <= config.layers + 2 && !(p > 1 && config.tiedHead)),
    ))
      for (const shard of options(fixed.shard, divisors(gpus / (tensor * pipeline)))) {
        const replicate = gpus / (tensor * pipeline * shard);
        if (!Number.isInteger(replicate) || (fixed.replicate !== undefined && fixed.replicate !== replicate)) continue;
        for (const microBatchSize of options(fixed.microBatchSize, [1, 2, 4, 8, 16]))
          for (const stagesPerRank of options(fixed.stagesPerRank, pipeline > 1 ? [1, 2] : [1]))
            for (const recompute of options<Recompute>(fixed.recompute, ["none", "selective", "full"])) {
              const layout = { pipeline, replicate, shard, tensor, stagesPerRank, microBatchSize, recompute };
              const rounds = microBatches({ globalBatchSize }, layout);
              if (!Number.isInteger(rounds) || rounds % pipeline !== 0) continue;
              if (pipeline * stagesPerRank > config.layers + 2) continue;
              found.push(layout);
            }
      }
  return found;
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);
}

function doesNotFit(candidates: Candidate[], cluster: Cluster, limit: number): ConfigError {
  const { layout, memory } = candidates.reduce((least, c) => (c.memory.total < least.memory.total ? c : least));
  const { total, ...terms } = memory;
  const parts = Object.entries(terms).filter(([, bytes]) => bytes > 0);
  return new ConfigError("PLAN_DOES_NOT_FIT", {
    message: `${parts.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(" + ")} = ${formatBytes(total)} a GPU, but ${cluster.gpu.name} has ${formatBytes(limit)} to use`,
    where: layoutName(layout),
    remedy:
      "take more GPUs, LoRA, optimizer.states: bf16 or torch.masters: bf16, or a smaller micro-batch; this layout takes least",
    fields: { layout, memory },
  });
}

/** `TP8 PP8 DP2`, as people write it; sharding and copies apart where both are there. */
export function layoutName({
  pipeline,
  replicate,
  shard,
  tensor,
  microBatchSize,
  recompute,
  stagesPerRank,
}: PlannedLayout): string {
  return [
    ...(tensor > 1 ? [`TP${tensor}`] : []),
    ...(pipeline > 1 ? [`PP${pipeline}${stagesPerRank > 1 ? ` (${stagesPerRank} stages each)` : ""}`] : []),
    ...(shard > 1 ? [`FSDP${shard}`] : []),
    ...(replicate > 1 ? [`DP${replicate}`] : []),
    ...(tensor * pipeline * shard * replicate === 1 ? ["one GPU"] : []),
    `micro-batch ${microBatchSize}`,
    recompute === "none" ? "no recomputation" : `${recompute} recomputation`,
  ].join(", ");
}

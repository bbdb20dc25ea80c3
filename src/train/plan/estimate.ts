/**
 * Memory of the fullest GPU and time of one optimizer step for one layout: arithmetic, no measurement. Each term is named, so that
 * a plan can say what takes the room and what takes the time. Accuracy is what `plan.test.ts` holds: within 20% of published runs.
 */
import type { ModelConfig } from "../../model/index.ts";
import type { Cluster } from "./cluster.ts";
import { modelWork } from "./work.ts";

export interface PlannedLayout {
  pipeline: number;
  replicate: number;
  shard: number;
  tensor: number;
  /** Stages on each pipeline rank. */
  stagesPerRank: number;
  microBatchSize: number;
  recompute: Recompute;
}

export type Recompute = "none" | "selective" | "full";

/** What runs the model: how much it re-reads activations, and what it overlaps. */
export interface Software {
  name: string;
  /** Bytes that element-wise work moves, per token, layer and channel. */
  elementBytes: number;
  /** Bytes of states on each GPU for each of its parameters, when they are cut over `shard` GPUs. */
  stateBytes: "sharded" | "megatron";
  /** Share of the time that is neither work nor waiting: launches, host, stragglers. */
  idleFraction: number;
}

/** The worker: blocks compiled into few passes over memory, weights and states sharded (FSDP2). */
export const MEDITRON_WORKER: Software = {
  name: "meditron",
  elementBytes: 154,
  stateBytes: "sharded",
  idleFraction: 0.05,
};
/** PyTorch without a compiler: every operation reads and writes memory. */
export const EAGER_FSDP: Software = {
  name: "FSDP, eager",
  elementBytes: 320,
  stateBytes: "sharded",
  idleFraction: 0.05,
};
/** Megatron-LLM of 2023, which trained MEDITRON: whole weights on each GPU of a stage, optimizer states cut over copies. */
export const MEGATRON_2023: Software = {
  name: "Megatron-LLM (2023)",
  elementBytes: 320,
  stateBytes: "megatron",
  idleFraction: 0.05,
};

export interface Workload {
  config: ModelConfig;
  sequenceLength: number;
  globalBatchSize: number;
  optimizerStates?: "f32" | "bf16";
  masters?: "f32" | "bf16";
  fp8?: boolean;
  software?: Software;
}

export interface MemoryEstimate {
  /** Master weights, gradients and moments that this GPU keeps. */
  states: number;
  /** Weights (and gradients) gathered for use. */
  gathered: number;
  activations: number;
  /** What a pipeline stage receives: a buffer for each micro-batch of a step from each neighbour. */
  received: number;
  /** A chunk of logits and the head's gradient. */
  head: number;
  /** Context, network buffers, fragmentation. */
  reserve: number;
  total: number;
}

export interface TimeEstimate {
  /** Matrix products. */
  products: number;
  attention: number;
  /** Norms, rotations, activations: bound by memory. */
  elements: number;
  /** Exchanges inside layers, never hidden. */
  tensorExchange: number;
  /** Gathering weights and reducing gradients: the part that work does not hide. */
  dataExchange: number;
  pipelineExchange: number;
  /** Waiting at the ends of the pipeline. */
  bubble: number;
  optimizer: number;
  idle: number;
  /** Seconds of one step. */
  total: number;
}

/** Context and network buffers of PyTorch and NCCL. */
const RESERVE_BYTES = 3e9;
const FRAGMENTATION_FRACTION = 0.04;
const HEAD_CHUNK_TOKENS = 2048;
/** A product whose narrow side is this wide runs at half speed: small tiles, more waiting. */
const HALF_SPEED_WIDTH = 150;
/** Share of a layer's time behind which its exchange of weights hides. */
const HIDDEN_FRACTION = 0.85;
/** Backward takes 2.5 times the forward pass of attention: scores are computed again. */
const ATTENTION_PASSES = 3.5;

/** Micro-batches of a step on each data rank. */
export function microBatches({ globalBatchSize }: Pick<Workload, "globalBatchSize">, layout: PlannedLayout): number {
  return globalBatchSize / (layout.replicate * layout.shard * layout.microBatchSize);
}

export function estimateMemory(workload: Workload, layout: PlannedLayout): MemoryEstimate {
  const { config, sequenceLength, optimizerStates = "f32", masters = "f32", software = MEDITRON_WORKER } = workload;
  const { pipeline, shard, tensor, recompute, microBatchSize } = layout;
  const work = modelWork(config);
  const layers = Math.ceil(config.layers / pipeline);
  // The fullest stage is the first: most micro-batches are in flight there. It has the embedding, the last one the head.
  const tables = pipeline === 1 && !config.tiedHead ? 2 : 1;
  const here = (layers * work.blockParameters + tables * work.tableParameters + config.channels) / tensor;
  const moments = optimizerStates === "bf16" ? 4 : 8;
  const master = masters === "bf16" ? 2 : 4;
  const gradient = masters === "bf16" ? 2 : 4;

  let states: number;
  let gathered: number;
  if (software.stateBytes === "megatron") {
    states = here * (2 + 4 + (4 + moments) / (layout.replicate * shard));
    gathered = 0;
  } else {
    states = (here * (master + gradient + moments)) / shard;
    // Without a pipeline two blocks are whole at a time, with gradients; in a pipeline the stage stays whole, sums included.
    const block = work.blockParameters / tensor;
    gathered =
      pipeline > 1 ? here * (2 + 4) : 2 * block * 2 + block * 4 + ((tables * work.tableParameters) / tensor) * 2;
  }

  const tokens = microBatchSize * sequenceLength;
  const perLayer = (tokens * activationBytes(config)) / tensor;
  const boundary = (tokens * 2 * config.channels) / tensor;
  const kept = recompute === "full" ? boundary : recompute === "selective" ? 0.6 * perLayer : perLayer;
  const inFlight =
    pipeline === 1
      ? 1
      : Math.min(microBatches(workload, layout), pipeline) *
        (layout.stagesPerRank > 1 ? 1 + (pipeline - 1) / (pipeline * layout.stagesPerRank) : 1);
  const activations = layers * kept * inFlight + (recompute === "none" ? 0 : perLayer);

  // torch.distributed.pipelining makes all of a step's buffers at the start.
  const received =
    pipeline > 1 && software.stateBytes === "sharded"
      ? 2 * layout.stagesPerRank * microBatches(workload, layout) * boundary
      : 0;
  const head = (Math.min(tokens, HEAD_CHUNK_TOKENS) * config.vocabSize * 6 + 4 * work.tableParameters) / tensor;
  const used = states + gathered + activations + received + head;
  const reserve = RESERVE_BYTES + FRAGMENTATION_FRACTION * used;
  return { states, gathered, activations, received, head, reserve, total: used + reserve };
}

/**
 * Bytes a token keeps in a layer for the backward pass, in bf16 and compiled (norms and the gated product are made again):
 * input, q, k, v, attention's output, residual, gate and up. 22.75 · C for Llama-2-7B.
 */
function activationBytes(config: ModelConfig): number {
  const { channels, heads, kvHeads, headSize, features } = config;
  return 2 * (2 * channels + (2 * heads + 2 * kvHeads) * headSize + 2 * features);
}

export function estimateTime(workload: Workload, layout: PlannedLayout, cluster: Cluster): TimeEstimate {
  const { config, sequenceLength, fp8 = false, software = MEDITRON_WORKER } = workload;
  const { gpu, gpusPerNode, networkBandwidth } = cluster;
  const { pipeline, replicate, shard, tensor, recompute, microBatchSize } = layout;
  const work = modelWork(config);
  const rounds = microBatches(workload, layout);
  const tokens = microBatchSize * sequenceLength;
  const onGpu = 1 / (pipeline * tensor);
  // Recomputing everything is one more forward pass; selectively, half of the products of one.
  const passes = recompute === "full" ? 4 / 3 : recompute === "selective" ? 7 / 6 : 1;

  const width = config.channels / tensor;
  const narrow = width / (width + HALF_SPEED_WIDTH);
  const blocks = config.layers * work.blockParameters;
  const head = work.productParameters - blocks;
  const bf16 = gpu.bf16Flops * gpu.productEfficiencyFraction * narrow;
  const inBlocks = fp8 ? (gpu.fp8Flops ?? gpu.bf16Flops) * gpu.fp8EfficiencyFraction * narrow : bf16;
  const products = tokens * onGpu * ((6 * passes * blocks) / inBlocks + (6 * head) / bf16);

  const attentionPasses = ATTENTION_PASSES + (recompute === "full" ? 1 : 0);
  const attention =
    (tokens * onGpu * attentionPasses * 2 * config.layers * config.heads * config.headSize * sequenceLength) /
    gpu.attentionFlops;
  const elements =
    (tokens * onGpu * passes * software.elementBytes * config.channels * config.layers) / gpu.memoryBandwidth;

  // Tokens come together and part again around attention and feed-forward, forward and backward: eight exchanges a layer.
  const exchanges = 8 * (recompute === "full" ? 1.5 : 1);
  const crossing = (ranks: number) => (ranks - 1) / ranks;
  const tensorExchange =
    (exchanges * (config.layers / pipeline) * tokens * 2 * config.channels * crossing(tensor)) / gpu.linkBandwidth;
  const pipelineExchange =
    pipeline === 1
      ? 0
      : (2 * layout.stagesPerRank * tokens * 2 * config.channels) / (networkBandwidth / (gpusPerNode / tensor));

  const work1 = products + attention + elements;
  const here = work.parameters / (pipeline * tensor);
  const shardNetwork = tensor * shard > gpusPerNode ? networkBandwidth / tensor : gpu.linkBandwidth;
  const gather = (2 * here * crossing(shard)) / shardNetwork;
  const reduce = (4 * here * crossing(shard)) / shardNetwork;
  // Copies exchange their part of the gradients once a step; all GPUs of a machine share its network.
  const copies = (2 * 4 * (here / shard) * crossing(replicate)) / (networkBandwidth / gpusPerNode);
  let dataExchange: number;
  if (software.stateBytes === "megatron") {
    const ranks = replicate * shard;
    dataExchange = (6 * here * crossing(ranks)) / (networkBandwidth / gpusPerNode);
  } else if (pipeline > 1) dataExchange = gather + reduce + copies;
  else {
    const visible = Math.max(0, 2 * gather + reduce - HIDDEN_FRACTION * work1);
    dataExchange = rounds * visible + copies;
  }

  const oneRound = work1 + tensorExchange + pipelineExchange;
  const bubble = (oneRound * (pipeline - 1)) / layout.stagesPerRank;
  const optimizer = (28 * here) / shard / gpu.memoryBandwidth;
  const busy = rounds * oneRound + bubble + dataExchange + optimizer;
  const idle = software.idleFraction * busy;
  return {
    products: rounds * products,
    attention: rounds * attention,
    elements: rounds * elements,
    tensorExchange: rounds * tensorExchange,
    pipelineExchange: rounds * pipelineExchange,
    dataExchange,
    bubble,
    optimizer,
    idle,
    total: busy + idle,
  };
}

/** What the planner knows of GPUs and clusters. Figures are the vendors' except the two efficiencies, which are measured ones. */

export interface Gpu {
  name: string;
  memoryBytes: number;
  /** Dense peaks, FLOP/s. */
  bf16Flops: number;
  fp8Flops: number | undefined;
  /** Bytes/s of device memory. */
  memoryBandwidth: number;
  /** Bytes/s that one GPU sends to the others of its machine while it receives as much. */
  linkBandwidth: number;
  watts: number;
  /**
   * Share of the peak that large products reach for hours, at this GPU's power limit. Taken from the published runs that
   * `plan.test.ts` lists: A100s hold 75% of theirs; H100s are limited by power and hold 64% of a peak three times as high.
   */
  productEfficiencyFraction: number;
  fp8EfficiencyFraction: number;
  /** FLOP/s of causal attention, forward and backward together, counted at the half that is computed. */
  attentionFlops: number;
}

const GB = 1e9;

export const GPUS: Record<string, Gpu> = {
  "A100-80GB": {
    name: "A100-80GB",
    memoryBytes: 80 * GB,
    bf16Flops: 312e12,
    fp8Flops: undefined,
    memoryBandwidth: 2.0e12,
    linkBandwidth: 240 * GB,
    watts: 400,
    productEfficiencyFraction: 0.75,
    fp8EfficiencyFraction: 0,
    attentionFlops: 165e12,
  },
  "A100-40GB": {
    name: "A100-40GB",
    memoryBytes: 40 * GB,
    bf16Flops: 312e12,
    fp8Flops: undefined,
    memoryBandwidth: 1.55e12,
    linkBandwidth: 240 * GB,
    watts: 400,
    productEfficiencyFraction: 0.75,
    fp8EfficiencyFraction: 0,
    attentionFlops: 165e12,
  },
  H100: {
    name: "H100",
    memoryBytes: 80 * GB,
    bf16Flops: 989e12,
    fp8Flops: 1979e12,
    memoryBandwidth: 3.35e12,
    linkBandwidth: 360 * GB,
    watts: 700,
    productEfficiencyFraction: 0.64,
    fp8EfficiencyFraction: 0.46,
    attentionFlops: 400e12,
  },
  // The variant of torchtitan's tables: 500 W instead of 700, slower memory. What is limited by power is scaled by 5/7.
  "H100-500W": {
    name: "H100-500W",
    memoryBytes: 96 * GB,
    bf16Flops: 989e12,
    fp8Flops: 1979e12,
    memoryBandwidth: 2.0e12,
    linkBandwidth: 360 * GB,
    watts: 500,
    productEfficiencyFraction: (0.64 * 5) / 7,
    fp8EfficiencyFraction: (0.46 * 5) / 7,
    attentionFlops: (400e12 * 5) / 7,
  },
  H200: {
    name: "H200",
    memoryBytes: 141 * GB,
    bf16Flops: 989e12,
    fp8Flops: 1979e12,
    memoryBandwidth: 4.8e12,
    linkBandwidth: 360 * GB,
    watts: 700,
    productEfficiencyFraction: 0.64,
    fp8EfficiencyFraction: 0.46,
    attentionFlops: 400e12,
  },
};

export interface Cluster {
  gpu: Gpu;
  nodes: number;
  gpusPerNode: number;
  /** Bytes/s of all network cards of a machine together, one direction. */
  networkBandwidth: number;
  /** Power of the whole machine over that of its GPUs. The paper's: 1.625. */
  machinePowerFactor?: number;
  /** Power of the whole site over that of its machines (PUE). The paper's: 1.1. */
  sitePowerFactor?: number;
  /** kg CO2 for a kWh. The paper's site runs on hydropower: 0.016. Without it no emissions are printed. */
  carbonKgPerKwh?: number;
  usdPerGpuHour?: number;
}

/** The paper's cluster: 16 machines of eight A100-80GB, one ConnectX-6 (200 Gbit/s) each, EPFL's hydropower. */
export const MEDITRON_CLUSTER: Cluster = {
  gpu: GPUS["A100-80GB"]!,
  nodes: 16,
  gpusPerNode: 8,
  networkBandwidth: 25 * GB,
  machinePowerFactor: 1.625,
  sitePowerFactor: 1.1,
  carbonKgPerKwh: 0.016,
};

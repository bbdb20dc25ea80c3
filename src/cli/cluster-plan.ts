/** `meditron plan --gpu ...`: options of the command line to a cluster, a workload and the fixed parts of a layout. */
import { join } from "node:path";
import { ConfigError, exists, readJson } from "../core/index.ts";
import { type ModelConfig, parseConfig } from "../model/index.ts";
import {
  type Cluster,
  EAGER_FSDP,
  GPUS,
  KNOWN_MODELS,
  MEDITRON_WORKER,
  MEGATRON_2023,
  type PlannedLayout,
  type PlanRequest,
} from "../train/index.ts";
import { type Option, UsageError, type Values } from "./command.ts";

const TRAINERS = { meditron: MEDITRON_WORKER, eager: EAGER_FSDP, "megatron-2023": MEGATRON_2023 };
/** A machine's power over its GPUs' (1.625) times the site's over its machines' (1.1): MEDITRON's own factors. */
const POWER_FACTOR = 1.625 * 1.1;
/** One card of 200 Gbit/s a GPU. */
const NETWORK_GB_A_GPU = 25;

export const clusterOptions: Record<string, Option> = {
  gpu: { type: "text", value: "name", description: `plan a cluster of these: ${Object.keys(GPUS).join(", ")}` },
  nodes: { type: "count", description: "machines; without it, what the recipe says, or 1" },
  gpus: { type: "count", value: "n", description: "GPUs of each machine", default: 8 },
  network: {
    type: "number",
    value: "GB/s",
    description: "of each machine to the others; 25 for each GPU where not given",
  },
  layout: {
    type: "text",
    value: "parts",
    description: "fix parts of the layout: tensor=8,pipeline=8,shard=1,replicate=2,micro=2,stages=1,recompute=none",
  },
  model: {
    type: "text",
    value: "model",
    description: `without a recipe: a model directory, or ${Object.keys(KNOWN_MODELS).join(", ")}`,
  },
  tokens: { type: "number", value: "tokens", description: "to train on; without it, what the recipe says" },
  sequence: { type: "count", value: "tokens", description: "without a recipe: tokens of a window", default: 4096 },
  batch: { type: "count", value: "windows", description: "without a recipe: windows of a step", default: 512 },
  fp8: { type: "flag", description: "products of the blocks in float8" },
  bf16: { type: "flag", description: "moments and master weights in bf16" },
  trainer: {
    type: "text",
    value: "name",
    description: `how it is run: ${Object.keys(TRAINERS).join(", ")}`,
    default: "meditron",
  },
  usd: { type: "number", value: "dollars", description: "price of a GPU-hour" },
  carbon: { type: "number", value: "kg/kWh", description: "CO2 of the electricity (MEDITRON's hydropower: 0.016)" },
  "power-factor": {
    type: "number",
    value: "x",
    description: "power of the site over that of its GPUs",
    default: POWER_FACTOR,
  },
};

export function clusterOf(values: Values, nodes: number): Cluster {
  const name = values.text("gpu")!;
  const gpu = GPUS[name];
  if (!gpu) throw usage(`--gpu does not know "${name}"`, Object.keys(GPUS).join(", "));
  const gpusPerNode = values.number("gpus")!;
  const carbonKgPerKwh = values.number("carbon");
  const usdPerGpuHour = values.number("usd");
  return {
    gpu,
    nodes: values.number("nodes") ?? nodes,
    gpusPerNode,
    networkBandwidth: (values.number("network") ?? NETWORK_GB_A_GPU * gpusPerNode) * 1e9,
    machinePowerFactor: values.number("power-factor")!,
    ...(carbonKgPerKwh !== undefined && { carbonKgPerKwh }),
    ...(usdPerGpuHour !== undefined && { usdPerGpuHour }),
  };
}

/** What the options say of how the work is done. */
export function softwareOf(values: Values): Pick<PlanRequest, "software" | "fp8" | "optimizerStates" | "masters"> {
  const name = values.text("trainer")!;
  const software = TRAINERS[name as keyof typeof TRAINERS];
  if (!software) throw usage(`--trainer does not know "${name}"`, Object.keys(TRAINERS).join(", "));
  const bits = values.flag("bf16") ? "bf16" : "f32";
  return { software, fp8: values.flag("fp8"), optimizerStates: bits, masters: bits };
}

const LAYOUT_PARTS = {
  tensor: "tensor",
  pipeline: "pipeline",
  shard: "shard",
  replicate: "replicate",
  micro: "microBatchSize",
  stages: "stagesPerRank",
} as const;

/** `tensor=8,pipeline=8,recompute=none` */
export function layoutOf(text: string | undefined): Partial<PlannedLayout> {
  const layout: Partial<PlannedLayout> = {};
  for (const part of text?.split(",") ?? []) {
    const [key, value] = part.split("=") as [string, string | undefined];
    if (key === "recompute" && (value === "none" || value === "selective" || value === "full"))
      layout.recompute = value;
    else if (key in LAYOUT_PARTS && Number.isInteger(Number(value)) && Number(value) > 0)
      layout[LAYOUT_PARTS[key as keyof typeof LAYOUT_PARTS]] = Number(value);
    else
      throw usage(
        `--layout does not understand "${part}"`,
        `${Object.keys(LAYOUT_PARTS).join(", ")} with a number; recompute=none, selective or full`,
      );
  }
  return layout;
}

/** The config of a model directory or of a known shape. @throws {ConfigError} PLAN_NO_MODEL */
export async function plannedModel(model: string): Promise<ModelConfig> {
  const known = KNOWN_MODELS[model.toLowerCase()];
  if (known) return parseConfig(known, model);
  const path = model.endsWith(".json") ? model : join(model, "config.json");
  if (await exists(path)) return parseConfig(await readJson(path), path);
  throw new ConfigError("PLAN_NO_MODEL", {
    message: "no such model directory, and not a model whose shape is known",
    where: model,
    remedy: `name a directory with a config.json, or ${Object.keys(KNOWN_MODELS).join(", ")}`,
  });
}

function usage(message: string, remedy: string): UsageError {
  return new UsageError("CLI_USAGE", { message, where: "meditron plan", remedy });
}

/** What memory there is, and whether a job fits: asked before any work starts. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { ConfigError, formatBytes } from "../core/index.ts";
import type { MemoryPlan } from "../model/index.ts";

/** Code, JavaScript heap and buffers of the process itself. */
const PROCESS_BYTES = 200 << 20;

/** Bytes that a new process may take: what the kernel calls available, within the control group's limit. */
export function availableMemoryBytes(): number {
  let available = freemem();
  const meminfo = read("/proc/meminfo");
  const line = meminfo && /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  if (line) available = Number(line[1]) * 1024;
  const limit = Number(read("/sys/fs/cgroup/memory.max"));
  const used = Number(read("/sys/fs/cgroup/memory.current"));
  if (Number.isFinite(limit) && limit > 0 && Number.isFinite(used)) available = Math.min(available, limit - used);
  return available;
}

/** @throws {ConfigError} TRAIN_MEMORY with the plan and what there is. */
export function requireMemory(plan: MemoryPlan, available: number): void {
  const needed = plan.total + PROCESS_BYTES;
  if (needed <= available) return;
  throw new ConfigError("TRAIN_MEMORY", {
    message: `training takes ${formatBytes(needed)} (${formatMemoryPlan(plan)}), only ${formatBytes(available)} are available`,
    where: "microBatchSize",
    remedy: "a smaller microBatchSize, recompute: true, optimizer.states: bf16 or lora take less",
    fields: { ...plan, available },
  });
}

const PARTS = ["weights", "gradients", "optimizer", "activations", "scratch"] as const;
type PlanParts = Pick<MemoryPlan, (typeof PARTS)[number]>;

export function planParts({ weights, gradients, optimizer, activations, scratch }: MemoryPlan): PlanParts {
  return { weights, gradients, optimizer, activations, scratch };
}

/** "weights 1.0 GiB, gradients 1.0 GiB, …" */
export function formatMemoryPlan(plan: PlanParts): string {
  return PARTS.map((part) => `${part} ${formatBytes(plan[part])}`).join(", ");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** A plan as text. */
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/index.ts";
import { type ClusterPlan, layoutName } from "./plan.ts";

/** Several lines: the layout, what it takes, where memory and time go, and what else fits. */
export function formatPlan(plan: ClusterPlan, gpuName: string): string {
  const { memory, time } = plan;
  const parts = (named: Record<string, number>, format: (value: number) => string) =>
    Object.entries(named)
      .filter(([name, value]) => name !== "total" && value > 0.005 * named.total!)
      .map(([name, value]) => `${words(name)} ${format(value)}`)
      .join(", ");
  const lines = [
    `${formatCount(plan.parameters)} parameters on ${plan.gpus} x ${gpuName}: ${layoutName(plan.layout)}`,
    `memory    ${formatBytes(memory.total)} a GPU (${parts({ ...memory }, formatBytes)})`,
    `step      ${formatDuration(time.total)} (${parts({ ...time }, (seconds) => formatPercent(seconds / time.total))})`,
    `speed     ${formatCount(Math.round(plan.tokensPerSecond))} tokens/s, ${formatCount(Math.round(plan.tokensPerSecondPerGpu))} a GPU; ` +
      `MFU ${formatPercent(plan.mfu.attention)} with attention, ${formatPercent(plan.mfu.parameters)} as 6N, ${formatPercent(plan.mfu.causal)} causal`,
    `run       ${formatCount(plan.steps)} steps in ${plan.days.toFixed(1)} days: ${formatCount(Math.round(plan.gpuHours))} GPU-hours, ${formatCount(Math.round(plan.kwh))} kWh` +
      `${plan.carbonKg === undefined ? "" : `, ${formatCount(Math.round(plan.carbonKg))} kg CO2`}${plan.usd === undefined ? "" : `, $${formatCount(Math.round(plan.usd))}`}`,
  ];
  for (const [i, other] of plan.alternatives.entries())
    lines.push(
      `${i === 0 ? "also fits" : "         "} ${formatCount(Math.round(other.tokensPerSecond))} tokens/s, ${formatBytes(other.memory.total)}: ${layoutName(other.layout)}`,
    );
  return lines.join("\n");
}

/** tensorExchange → "tensor exchange" */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

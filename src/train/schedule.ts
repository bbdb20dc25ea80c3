/** Learning rate by step: linear warmup to the peak, then a curve down to the minimum. */
import type { Schedule } from "./job.ts";

/**
 * The learning rate of a step.
 *
 *   warmup    peak · t / warmup                                          t ≤ warmup
 *   cosine    min + (peak − min) · ½ (1 + cos(π · (t − warmup) / (decay − warmup)))
 *   linear    min + (peak − min) · (1 − (t − warmup) / (decay − warmup))
 *   constant  peak
 *
 * Beyond `decaySteps` it stays at the minimum. MEDITRON plans the curve for two epochs and stops after one, so that the
 * last tokens are still learnt at about half the peak: 1.68e-4 for 7B, 8.1e-5 for 70B.
 *
 * @param step - t, counted from 1.
 * @see Chen et al. 2023, MEDITRON-70B, arXiv:2311.16079, appendix D.1
 */
export function learningRate(schedule: Schedule, step: number): number {
  const { shape, peakLearningRate: peak, minLearningRate: min, warmupSteps, decaySteps } = schedule;
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  if (shape === "constant") return peak;
  if (step >= decaySteps) return min;
  const progress = (step - warmupSteps) / (decaySteps - warmupSteps);
  switch (shape) {
    case "cosine":
      return min + (peak - min) * 0.5 * (1 + Math.cos(Math.PI * progress));
    case "linear":
      return min + (peak - min) * (1 - progress);
    default:
      return shape satisfies never;
  }
}

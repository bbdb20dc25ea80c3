import { describe, expect, it } from "vitest";
import { learningRate } from "./schedule.ts";

const meditron = (peak: number, epochSteps: number) =>
  ({
    shape: "cosine",
    peakLearningRate: peak,
    minLearningRate: 1e-6,
    warmupSteps: 2000,
    decaySteps: 2 * epochSteps,
  }) as const;

describe("MEDITRON's end-of-epoch learning rate: the curve planned for two epochs, stopped after one", () => {
  it("7B: 48.1e9 tokens of 2,048 × 1,600 a step end at 1.68e-4", () => {
    const steps = Math.round(48.1e9 / (2048 * 1600));
    expect(steps).toBe(14_679);
    expect(learningRate(meditron(3e-4, steps), steps)).toBeCloseTo(1.675e-4, 6);
    // The shorter corpus of 46.7e9 tokens as well: both print as 1.68e-4 to two digits behind the point.
    expect(learningRate(meditron(3e-4, 14_252), 14_252).toExponential(2)).toBe("1.68e-4");
  });

  it("70B: 48.2e9 tokens of 4,096 × 512 a step end at 8.1e-5", () => {
    const steps = Math.floor(48.2e9 / (4096 * 512));
    expect(steps).toBe(22_983);
    expect(learningRate(meditron(1.5e-4, steps), steps).toExponential(1)).toBe("8.1e-5");
  });
});

describe("shapes", () => {
  const at = (shape: "cosine" | "linear" | "constant", step: number) =>
    learningRate({ shape, peakLearningRate: 1, minLearningRate: 0.1, warmupSteps: 10, decaySteps: 110 }, step);

  it.each(["cosine", "linear", "constant"] as const)("%s warms up linearly and never stops abruptly", (shape) => {
    expect([1, 5, 10].map((step) => at(shape, step))).toEqual([0.1, 0.5, 1]);
    // No jump larger than the warmup's own: a cosine falls by at most (1 − 0.1) · π/2 / 100 a step.
    for (let step = 10; step < 130; step++)
      expect(Math.abs(at(shape, step + 1) - at(shape, step))).toBeLessThan(0.0142);
  });

  it("end where they should", () => {
    // Half way (step 60): cosine and linear both at (1 + 0.1) / 2.
    expect([at("cosine", 60), at("linear", 60), at("constant", 60)].map((rate) => rate.toFixed(6))).toEqual([
      "0.550000",
      "0.550000",
      "1.000000",
    ]);
    expect([at("cosine", 110), at("linear", 110), at("linear", 500)]).toEqual([0.1, 0.1, 0.1]);
  });

  it("without warmup the first step is already on the curve", () => {
    expect(
      learningRate({ shape: "linear", peakLearningRate: 1, minLearningRate: 0, warmupSteps: 0, decaySteps: 4 }, 1),
    ).toBe(0.75);
  });
});

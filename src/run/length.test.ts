import { expect, test } from "vitest";
import { mixtureOf, pretrainingSteps, scheduleOf } from "./length.ts";
import type { Training } from "./recipe.ts";

const training = (settings: object): Training =>
  ({
    sequenceLength: 2048,
    globalBatchSize: 1600,
    schedule: { shape: "cosine", peakLearningRate: 3e-4, minLearningRate: 1e-6, decayFactor: 1 },
    ...settings,
  }) as Training;

// SPEC 1c-1e: 46.7B training tokens, 3.28M a step: ~14,250 steps at 7B.
const GAP: Record<string, number> = { medical: 46_287_000_000, replay: 420_000_000 };

test("an epoch without weights is one pass over the union: the paper's 7B run", () => {
  const settings = training({ data: [{ corpus: "medical" }, { corpus: "replay" }], epochs: 1 });
  const mixture = mixtureOf(settings, (corpus) => GAP[corpus]!);
  expect(mixture.map(({ weight }) => weight)).toEqual([46_287_000_000, 420_000_000]);
  expect(pretrainingSteps("7b", settings, mixture)).toBe(Math.floor(46_707_000_000 / (2048 * 1600))); // 14,253
});

test("with weights, an epoch is a pass over the first corpus, the others in their share", () => {
  const settings = training({
    data: [
      { corpus: "a", weight: 3 },
      { corpus: "b", weight: 1 },
    ],
    epochs: 2,
    sequenceLength: 10,
    globalBatchSize: 10,
  });
  // 2 epochs of a's 3,000 tokens are 3/4 of the run: 8,000 tokens, 80 steps of 100.
  expect(
    pretrainingSteps(
      "x",
      settings,
      mixtureOf(settings, () => 3000),
    ),
  ).toBe(80);
});

test("too little text for one step is refused with what to change", () => {
  const settings = training({ data: [{ corpus: "a" }], epochs: 1 });
  expect(() =>
    pretrainingSteps(
      "x",
      settings,
      mixtureOf(settings, () => 1000),
    ),
  ).toThrow("1000 tokens do not fill one step of 1600 windows of 2048 tokens (3276800)");
});

test("the end-LR rule plans the decay for twice the run, warmup stays a share of the run", () => {
  const schedule = {
    shape: "cosine",
    peakLearningRate: 3e-4,
    minLearningRate: 1e-6,
    warmupFraction: 0.1,
    decayFactor: 2,
  };
  expect(scheduleOf(training({ schedule }), 1000)).toMatchObject({ warmupSteps: 100, decaySteps: 2000 });
});

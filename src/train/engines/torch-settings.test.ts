import { describe, expect, it } from "vitest";
import type { TrainJob } from "../job.ts";
import { checkLayout, defaultMicroBatchSize, torchSettingsSchema } from "./torch-settings.ts";

const settings = (layout: Record<string, unknown>) => torchSettingsSchema.parse({ layout });

describe("micro-batch where a recipe leaves it open", () => {
  const size = (globalBatchSize: number, sequenceLength: number, layout: Record<string, unknown>, processes: number) =>
    defaultMicroBatchSize({ globalBatchSize, sequenceLength }, settings(layout), processes);

  it("is all of a rank's windows while they are short, and 8,192 tokens when they are not", () => {
    expect(size(8, 128, {}, 2)).toBe(4);
    expect(size(512, 2048, {}, 8)).toBe(4);
    expect(size(512, 4096, {}, 8)).toBe(2);
    expect(size(512, 16_384, {}, 8)).toBe(1);
  });

  it("divides what the layout leaves to a rank, and gives a pipeline its micro-batches", () => {
    // 6 windows a rank: 4 of them do not divide it.
    expect(size(48, 2048, {}, 8)).toBe(3);
    // MEDITRON-70B: 512 windows over DP2 are 256 for 8 stages.
    expect(size(512, 4096, { tensor: 8, pipeline: 8 }, 128)).toBe(2);
    expect(size(8, 128, { pipeline: 4 }, 4)).toBe(2);
  });

  it("leaves it to the check of the layout to say what does not come out even", () => {
    const job = {
      name: "uneven",
      globalBatchSize: 6,
      microBatchSize: size(6, 128, {}, 4),
      sequenceLength: 128,
    } as TrainJob;
    expect(() => checkLayout(job, settings({}), 4)).toThrow(
      "globalBatchSize 6 is not a multiple of microBatchSize 1 x 4 data ranks",
    );
  });
});

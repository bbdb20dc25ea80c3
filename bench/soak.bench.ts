/**
 * Ten thousand steps of a small model through the whole trainer (data, events, validation, checkpoints): resident memory must stay flat.
 *
 *   npm run bench -- soak [--quick] [--json]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKernels } from "../src/native/index.ts";
import { runTrainer } from "../src/train/trainer.ts";
import { tinyJob, writeTinyData } from "../test/support/tiny-job.ts";
import type { Bench } from "./report.ts";

export const run: Bench = async ({ quick }) => {
  const steps = quick ? 1000 : 10_000;
  const directory = mkdtempSync(join(tmpdir(), "meditron-soak-"));
  const marks: { step: number; rss: number }[] = [];
  try {
    await writeTinyData(directory);
    const job = tinyJob(directory, { steps, checkpointEverySteps: steps / 10, validateEverySteps: steps / 10 });
    await runTrainer(job, {
      kernels: loadKernels(),
      onEvent: (event) => {
        if (event.event !== "step-end" || event.step % (steps / 20) !== 0) return;
        globalThis.gc?.();
        marks.push({ step: event.step, rss: process.memoryUsage.rss() / 2 ** 20 });
      },
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const half = marks.slice(marks.length >> 1);
  const growth = half.at(-1)!.rss - half[0]!.rss;
  return {
    subject: "soak",
    unit: "MiB resident",
    results: marks.map(({ step, rss }) => ({ case: `step ${step}`, ours: rss })),
    notes: [`growth over the second half of ${steps} steps: ${growth.toFixed(1)} MiB`],
  };
};

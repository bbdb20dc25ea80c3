/**
 * Peak resident memory of a whole training step at the same global batch, ours and PyTorch's, each in a process of its own; and our plan
 * against what the process really took.
 *
 *   npm run bench -- memory [--quick] [--json] [mini] [15m] [60m] [110m] [--alone]
 *
 * `ratio` = PyTorch's least / ours. `planError` compares the growth of our process (peak minus what it took before the model) with the plan.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadKernels } from "../src/native/index.ts";
import { missingPeer, TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { chosenShapes, SHAPES, type Shape, VARIANTS, variantName } from "./shapes.ts";
import { trainingStep } from "./train-step.ts";

const MIB = 2 ** 20;

export const run: Bench = async ({ quick, args }) => {
  const missing = args.includes("--alone") ? "ours alone, as asked (--alone)" : missingPeer();
  const results: BenchResult[] = [];
  const notes = missing ? [missing] : [];
  for (const [name, shape] of chosenShapes(
    args.length > 0 && !args.every((arg) => arg.startsWith("-")) ? args : ["60m"],
    quick,
  )) {
    const ours = measureOurs(name);
    const peers: { name: string; peak: number }[] = [];
    if (!missing) {
      for (const variant of VARIANTS.filter(({ mode, dtype }) => dtype === "f32" && (!quick || mode === "eager"))) {
        const process = new TorchProcess(variantName(variant), "torch_train.py");
        const ready = await process.ask({ do: "prepare", config: shape, threads: 2, ...variant });
        const answer = ready.error ? ready : await process.ask({ do: "steps", count: 1 });
        process.close();
        if (answer.error) notes.push(`PyTorch ${variantName(variant)} does not run here: ${answer.error}`);
        else peers.push({ name: variantName(variant), peak: answer.peakRssBytes as number });
      }
    }
    const least = peers.toSorted((a, b) => a.peak - b.peak)[0];
    results.push({
      case: name,
      ours: ours.peak / MIB,
      microBatch: ours.microBatch,
      planMiB: ours.plan / MIB,
      grownMiB: ours.grown / MIB,
      planError: ours.plan / ours.grown - 1,
      ...(least && { peer: least.peak / MIB, peerName: `PyTorch ${least.name}`, ratio: least.peak / ours.peak }),
    });
  }
  return { subject: "memory", unit: "MiB of peak resident memory, less is better", results, notes };
};

interface Measured {
  peak: number;
  grown: number;
  plan: number;
  microBatch: number;
}

/** Runs two steps in a process of its own. */
function measureOurs(name: string): Measured {
  const child = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.status !== 0) throw new Error(`the step on ${name} ended with code ${child.status}`);
  return JSON.parse(child.stdout) as Measured;
}

function step(name: string): Measured {
  const shape: Shape = SHAPES[name]!;
  const microBatch = 1;
  const kernels = loadKernels();
  const before = status("VmRSS");
  const step = trainingStep(shape, kernels, kernels.hasBf16 ? "bf16" : "f32");
  for (let i = 0; i < 2; i++) step.run(microBatch);
  const peak = status("VmHWM");
  return { peak, grown: peak - before, plan: step.plan(microBatch).total, microBatch };
}

/** A line of /proc/self/status, in bytes. */
function status(field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

// As a process of its own: one model, its figures on stdout.
const [, script, name] = process.argv;
if (script === fileURLToPath(import.meta.url) && name) process.stdout.write(JSON.stringify(step(name)));

/**
 * The same job on one process and on every way of cutting it over up to four (gloo, CPU, float32): losses, gradient norms and
 * validation are the same within rounding. Sums are taken in other orders, so the last digits of float32 may differ: ε ≈ 1.2e-7
 * times values near 4 over ten steps of feedback stays below 1e-5.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrainEvent, TrainJob } from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { TINY_CONFIGS } from "../support/tiny-models.ts";
import {
  curveOf,
  difference,
  type JobOverrides,
  makeJob,
  makeWorld,
  runJobs,
  validationOf,
  type World,
  writeConfig,
} from "./support.ts";

const TOLERANCE = 1e-5;
/** Steep enough to learn in ten steps, not so steep that steps amplify the last bits. */
const tiny = (name: string, more: Record<string, unknown> = {}) => ({
  ...TINY_CONFIGS[name],
  initializer_range: 0.1,
  ...more,
});
const reason = missingTorch();

const LAYOUTS: [name: string, processes: number, layout: Record<string, unknown>][] = [
  ["FSDP2", 2, {}],
  ["HSDP of two copies", 2, { replicate: 2 }],
  ["TP with sequence parallelism", 2, { tensor: 2 }],
  ["PP, 1F1B", 2, { pipeline: 2 }],
  ["PP, interleaved", 2, { pipeline: 2, pipelineSchedule: "Interleaved1F1B", stagesPerRank: 2 }],
  ["HSDP 2 x 2", 4, { replicate: 2 }],
  ["FSDP x TP", 4, { tensor: 2 }],
  ["HSDP x TP", 4, { tensor: 2, replicate: 2 }],
  ["FSDP x PP", 4, { pipeline: 2 }],
  ["FSDP x PP, interleaved", 4, { pipeline: 2, pipelineSchedule: "Interleaved1F1B", stagesPerRank: 2 }],
  ["HSDP x PP", 4, { pipeline: 2, replicate: 2 }],
  ["TP x PP", 4, { pipeline: 2, tensor: 2 }],
  ["TP x PP, interleaved", 4, { pipeline: 2, tensor: 2, pipelineSchedule: "Interleaved1F1B", stagesPerRank: 2 }],
  // Twice the time of all others together; run when the ways of cutting change: MEDITRON_EIGHT_PROCESSES=1.
  ...(process.env.MEDITRON_EIGHT_PROCESSES
    ? ([
        ["FSDP x TP x PP", 8, { pipeline: 2, tensor: 2 }],
        ["HSDP x TP x PP", 8, { pipeline: 2, tensor: 2, replicate: 2 }],
        [
          "HSDP 2 x 2 x PP, interleaved",
          8,
          { pipeline: 2, replicate: 2, pipelineSchedule: "Interleaved1F1B", stagesPerRank: 2 },
        ],
      ] as [string, number, Record<string, unknown>][])
    : []),
];

/** Jobs whose numbers must not depend on the layout either, each with what could break it. (On FSDP2: embedded-parity.test.ts.) */
const JOBS: [name: string, processes: number, overrides: JobOverrides][] = [
  ["document masks, PP", 2, { data: "masked", torch: { layout: { pipeline: 2 } } }],
  ["finetuning, padded, TP", 2, { data: "padded", torch: { layout: { tensor: 2 } } }],
  [
    "LoRA, TP",
    2,
    { lora: { rank: 4, alpha: 8, targets: ["q_proj", "o_proj", "down_proj"] }, torch: { layout: { tensor: 2 } } },
  ],
  ["LoRA, PP", 2, { lora: { rank: 4, alpha: 8 }, torch: { layout: { pipeline: 2 } } }],
  ["recomputation, TP", 2, { recompute: true, torch: { layout: { tensor: 2 } } }],
  ["selective recomputation, FSDP2", 2, { recompute: true, torch: { recomputePolicy: "selective" } }],
  ["head in chunks of 5 tokens, TP", 2, { torch: { headChunkTokens: 5, layout: { tensor: 2 } } }],
  ["tied head and biases, TP", 2, { model: "llama-2 tied, biased", torch: { layout: { tensor: 2 } } }],
  ["qwen3 (head norms, tied), TP", 2, { model: "qwen3", torch: { layout: { tensor: 2 } } }],
  ["qwen2 (biases, windows), TP", 2, { model: "qwen2", torch: { layout: { tensor: 2 } } }],
];

describe.skipIf(reason)(`torch engine: layouts${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let world: World;
  const events = new Map<string, TrainEvent[]>();

  /** The job of a case on its layout, or on one process. */
  function jobOf(name: string, overrides: JobOverrides, single: boolean): TrainJob {
    const { data, model, torch, ...rest } = overrides;
    const { layout: _layout, ...settings } = (torch ?? {}) as Record<string, unknown>;
    const job = makeJob(world, name.replaceAll(/\W+/g, "-"), {
      ...rest,
      ...(data === undefined ? {} : { data: dataOf(data as string) }),
      ...(model === undefined ? {} : { model: writeConfig(world, slug(model as string), tiny(model as string)) }),
      torch: single ? settings : (torch ?? {}),
    });
    return job;
  }

  function dataOf(kind: string): unknown {
    const { folder } = world;
    return kind === "masked"
      ? { kind: "pretraining", sets: [{ prefix: `${folder}/a`, weight: 1 }], maskDocuments: true }
      : { kind: "finetuning", examples: `${folder}/examples.jsonl`, layout: kind };
  }

  const jobs: [name: string, processes: number, overrides: JobOverrides][] = [
    ...LAYOUTS.map(([name, processes, layout]): (typeof JOBS)[number] => [name, processes, { torch: { layout } }]),
    ...JOBS,
  ];

  beforeAll(async () => {
    world = await makeWorld();
    writeConfig(world, "llama", tiny("llama-2", { num_hidden_layers: 4 }));
    for (const processes of [...new Set([1, ...jobs.map(([, processes]) => processes)])].sort()) {
      const list: [string, TrainJob][] =
        processes === 1
          ? [
              ["single", makeJob(world, "single")],
              ...JOBS.map(([name, , overrides]): [string, TrainJob] => [
                `single: ${name}`,
                jobOf(`single ${name}`, overrides, true),
              ]),
            ]
          : jobs.filter(([, n]) => n === processes).map(([name, , overrides]) => [name, jobOf(name, overrides, false)]);
      const results = await runJobs(
        processes,
        list.map(([, job]) => job),
      );
      for (const [i, [name]] of list.entries()) events.set(name, results[i]!);
    }
  }, 900_000);
  afterAll(() => world.close());

  const expectSame = (name: string, reference: string) => {
    const [ours, theirs] = [curveOf(events.get(name)!), curveOf(events.get(reference)!)];
    expect(ours.loss).toHaveLength(10);
    // The job learns: a run that changed nothing would agree with itself on any layout.
    expect(theirs.loss[0]! - theirs.loss[9]!).toBeGreaterThan(0.05);
    expect(difference(ours.loss, theirs.loss)).toBeLessThan(TOLERANCE);
    expect(difference(ours.gradNorm, theirs.gradNorm)).toBeLessThan(TOLERANCE);
    const [mine, one] = [validationOf(events.get(name)!), validationOf(events.get(reference)!)];
    if (one.length > 0) expect(difference(mine, one)).toBeLessThan(TOLERANCE);
  };

  for (const [name, processes] of LAYOUTS) {
    it(`${name} on ${processes} processes is one process`, () => expectSame(name, "single"));
  }
  for (const [name] of JOBS) {
    it(`${name} is one process`, () => expectSame(name, `single: ${name}`));
  }
});

function slug(name: string): string {
  return name.replaceAll(/[^a-z0-9]+/g, "-");
}

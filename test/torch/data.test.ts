/** The worker reads the same samples by global sample number as the embedded engine. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openData } from "../../src/train/data.ts";
import { missingTorch } from "../parity/python.ts";
import { type JobOverrides, makeJob, makeWorld, ROOT, runPython, type World, writeLaunch } from "./support.ts";

const reason = missingTorch();
const SAMPLES = 1000; // several epochs of either set
const INDICES = [0, 1, 2, 3, 17, 100, 333, 500, 998, 999];

describe.skipIf(reason)(`torch engine: data${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
  });
  afterAll(() => world.close());

  const set = (name: string, weight: number) => ({ prefix: join(world.folder, name), weight });
  const validation = () => [{ name: "b", prefix: join(world.folder, "b") }];
  const cases: [string, () => JobOverrides][] = [
    ["one set", () => ({ data: { kind: "pretraining", sets: [set("a", 1)], validation: validation() } })],
    ["a blend", () => ({ data: { kind: "pretraining", sets: [set("a", 7), set("b", 3)], maskDocuments: true } })],
    [
      "long windows, last epoch apart",
      () => ({ data: { kind: "pretraining", sets: [set("b", 2)], maskDocuments: true }, sequenceLength: 61 }),
    ],
    ["padded examples", () => ({ data: { kind: "finetuning", examples: join(world.folder, "examples.jsonl") } })],
    [
      "packed examples",
      () => ({
        data: {
          kind: "finetuning",
          examples: join(world.folder, "examples.jsonl"),
          layout: "packed",
          validation: [{ name: "v", examples: join(world.folder, "examples.jsonl") }],
        },
      }),
    ],
  ];

  it.each(cases)("%s", async (name, overrides) => {
    const job = makeJob(world, name.replaceAll(/\W+/g, "-"), overrides());
    const data = await openData(job, SAMPLES, 0);
    const ours = [data.train, ...data.validation.map(({ source }) => source)].flatMap((source, i) =>
      INDICES.filter((index) => index < source.length).map((index) => ({
        window: [...source.sample(index)],
        weights: [...(source.weights?.(index) ?? new Float32Array(job.sequenceLength).fill(1))],
        // Padded windows hold one document each; validation examples are always padded.
        documents:
          data.maskDocuments && (i === 0 || job.data.kind === "pretraining") ? [...source.documents!(index)] : null,
      })),
    );
    data.close();
    const script = join(ROOT, "test/torch/print_samples.py");
    const output = await runPython([script, writeLaunch(job), String(SAMPLES), ...INDICES.map(String)]);
    expect(
      output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(ours);
  });
});

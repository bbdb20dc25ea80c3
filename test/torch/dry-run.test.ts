/** `meditron launch --dry-run`: jobs for many GPUs, run on none. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeJsonAtomic } from "../../src/core/index.ts";
import { parseConfig } from "../../src/model/index.ts";
import { estimateMemory, KNOWN_MODELS, prepareTorchLaunch, runDryRun } from "../../src/train/index.ts";
import { missingTorch } from "../parity/python.ts";
import { TINY_CONFIG, tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { PYTHON } from "./support.ts";

const reason = missingTorch();

describe.skipIf(reason)(`dry run${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  beforeAll(async () => {
    process.env.MEDITRON_PYTHON = PYTHON;
    folder = await mkdtemp(join(tmpdir(), "meditron-dry-"));
    await writeTinyData(folder);
    await writeJsonAtomic(join(folder, "tiny", "config.json"), { ...TINY_CONFIG, tie_word_embeddings: false });
    await writeJsonAtomic(join(folder, "70b", "config.json"), KNOWN_MODELS["llama-2-70b"]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const prepare = (name: string, changes: Record<string, unknown>) =>
    prepareTorchLaunch(tinyJob(folder, { name, directory: join(folder, name), engine: "torch", ...changes }));

  it("counts what each GPU holds: TP2 x PP2 x FSDP2", async () => {
    const torch = { nodes: 1, processesPerNode: 8, layout: { tensor: 2, pipeline: 2, shard: 2 } };
    const prepared = await prepare("eight", { model: join(folder, "tiny"), microBatchSize: 1, torch });
    const ranks = await runDryRun(prepared);
    expect(ranks.map(({ rank, layers }) => [rank, layers])).toEqual([
      [0, [0]],
      [4, [1]],
    ]);
    // A block: 3,072 in attention and 4,608 in the feed-forward, cut over 2 x 2; norms of 2 x 32, cut by FSDP alone. A table of
    // 300 x 32, cut over 2 x 2. The last stage has the last norm as well.
    const block = (3072 + 4608) / 4 + 64 / 2;
    expect(ranks.map(({ parameters }) => parameters)).toEqual([block + 9600 / 4, block + 9600 / 4 + 32 / 2]);
    for (const { parameters, weights, gradients, moments, peak } of ranks) {
      expect([weights, gradients, moments]).toEqual([4 * parameters, 4 * parameters, 8 * parameters]);
      expect(peak).toBeGreaterThan(weights + gradients + moments);
    }
  }, 300_000);

  it("says which shape cannot be cut", async () => {
    const torch = { nodes: 1, processesPerNode: 8, layout: { tensor: 8 } };
    const prepared = await prepare("uneven", { model: join(folder, "tiny"), microBatchSize: 1, torch });
    await expect(runDryRun(prepared)).rejects.toMatchObject({
      code: "TRAIN_DRY_RUN",
      message: expect.stringContaining("4 attention heads cannot be cut into tensor 8"),
    });
  }, 300_000);

  it("runs 70B on TP8 x PP8 x DP2, and needs what the planner says within 15%", async () => {
    const torch = { nodes: 16, processesPerNode: 8, layout: { tensor: 8, pipeline: 8, shard: 2 } };
    const sizes = { sequenceLength: 4096, globalBatchSize: 512, microBatchSize: 2, recompute: true };
    const data = { kind: "pretraining", sets: [{ prefix: join(folder, "train"), weight: 1 }] };
    const prepared = await prepare("70b-on-128", {
      model: join(folder, "70b"),
      precision: "bf16",
      data,
      ...sizes,
      torch,
    });
    // The second of the eight stages: ten layers, neighbours on both sides.
    const [rank] = await runDryRun(prepared, { pipelineRanks: [1] });
    expect(rank).toMatchObject({ rank: 16, layers: [9, 10, 11, 12, 13, 14, 15, 16, 17, 18], microBatches: 128 });
    // (8192² + 2 · 8192 · 1024 + 8192² + 3 · 8192 · 28672) / 16 and two norms / 2, ten times
    expect(rank!.parameters).toBe(10 * ((2 * 8192 ** 2 + 2 * 8192 * 1024 + 3 * 8192 * 28_672) / 16 + 8192));
    const config = parseConfig(KNOWN_MODELS["llama-2-70b"]!, "70b");
    const layout = { tensor: 8, pipeline: 8, shard: 2, replicate: 1, stagesPerRank: 1, microBatchSize: 2 };
    const planned = estimateMemory({ config, ...sizes }, { ...layout, recompute: "full" });
    const ratio = (planned.total - planned.reserve) / rank!.peak;
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  }, 300_000);
});

/** What is built around the model: growing vocabularies, adapters, the memory plan. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomArray, relativeError } from "../../test/support/gradients.ts";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { referenceKernels } from "../native/reference.ts";
import { parseConfig } from "./config.ts";
import { memoryPlan } from "./memory-plan.ts";
import { initializeModel, type Llama, loadModel } from "./model.ts";
import type { LoraSettings } from "./parameters.ts";

const kernels = referenceKernels();
const options = { kernels, precision: "f32" as const };
const tokens = Int32Array.from({ length: 12 }, (_, i) => (i * 5) % 37);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meditron-model-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const save = (family: string) =>
  initializeModel(parseConfig(TINY_CONFIGS[family]), options).save(directory, { dtype: "f32" });
const row = (data: ArrayLike<number>, n: number, C = 16) => Array.from({ length: C }, (_, c) => data[n * C + c]!);
const logitsOf = (model: Llama) => Float32Array.from(model.logits({ batch: 2, tokens }));

describe("growing the vocabulary", () => {
  it("keeps old rows, starts new ones near the mean, and exports the true size", async () => {
    await save("llama-2");
    const before = await loadModel(directory, options);
    const model = await loadModel(directory, { ...options, vocabSize: 41, seed: 3 });
    for (const table of ["embedding", "head"] as const) {
      const [old, now] = [before.weights[table].data, model.weights[table].data];
      expect(now.slice(0, 37 * 16)).toEqual(old.slice(0, 37 * 16));
      const mean = Array.from({ length: 16 }, (_, c) =>
        Array.from({ length: 37 }, (_, n) => old[n * 16 + c]!).reduce((s, x) => s + x / 37, 0),
      );
      for (const n of [37, 38, 39, 40]) {
        // initializer_range 0.3, noise a tenth of that: 0.03, so 0.15 is five deviations.
        const distance = row(now, n).map((x, c) => Math.abs(x - mean[c]!));
        expect(Math.max(...distance)).toBeLessThan(0.15);
      }
      expect(row(now, 37)).not.toEqual(row(now, 38));
      // Memory is padded to 64 rows; those stay zero.
      expect(now.slice(41 * 16).every((x) => x === 0)).toBe(true);
    }
    expect(model.growth.map(({ matrix, oldRows, newRows }) => [matrix, oldRows, newRows])).toEqual([
      ["model.embed_tokens.weight", 37, 4],
      ["lm_head.weight", 37, 4],
    ]);
    expect(model.growth[0]!.newRowNorm).toBeGreaterThan(0);
    expect(model.growth[0]!.newRowNorm).toBeLessThan(model.growth[0]!.oldRowNorm);
    // Old tokens keep their logits.
    const [old, grown] = [logitsOf(before), logitsOf(model)];
    for (let n = 0; n < 12; n++) expect(grown.slice(n * 41, n * 41 + 37)).toEqual(old.slice(n * 37, n * 37 + 37));

    const exported = join(directory, "grown");
    await model.save(exported, { dtype: "f32" });
    expect(JSON.parse(readFileSync(join(exported, "config.json"), "utf8")).vocab_size).toBe(41);
    expect(logitsOf(await loadModel(exported, options))).toEqual(grown);
  });

  it("padding takes no part in the softmax and gets no gradient", async () => {
    await save("qwen3");
    const [padded, exact] = await Promise.all(
      [64, 1].map((n) => loadModel(directory, { ...options, padVocabularyTo: n })),
    );
    const batch = { batch: 2, tokens, targets: tokens, scale: 1 };
    expect(padded!.lossAndGradients(batch)).toEqual(exact!.lossAndGradients(batch));
    const { grad } = padded!.weights.embedding;
    expect(grad!.slice(37 * 16).every((g) => g === 0)).toBe(true);
  });

  it("never shrinks", async () => {
    await save("llama-2");
    await expect(loadModel(directory, { ...options, vocabSize: 30 })).rejects.toMatchObject({
      code: "MODEL_VOCABULARY",
    });
  });
});

describe("LoRA", () => {
  const lora: LoraSettings = { rank: 2, alpha: 4, targets: ["q_proj", "v_proj", "gate_proj", "down_proj"] };

  it("changes nothing at first, and once trained is the same merged, reloaded and continued", async () => {
    await save("llama-2");
    const base = logitsOf(await loadModel(directory, options));
    const model = await loadModel(directory, { ...options, lora });
    expect(logitsOf(model)).toEqual(base);
    for (const [i, p] of model.trainable.entries()) p.data.set(randomArray(p.data.length, i).map((x) => x / 3));
    const adapted = logitsOf(model);
    expect(relativeError(adapted, base)).toBeGreaterThan(0.01);

    await model.save(join(directory, "merged"), { dtype: "f32" });
    const merged = await loadModel(join(directory, "merged"), options);
    // Merging rounds W + sBA to float32 once; sums are float64: a few 6e-8.
    expect(relativeError(logitsOf(merged), adapted)).toBeLessThan(1e-6);

    await model.saveAdapter(join(directory, "adapter"), { dtype: "f32" });
    const again = await loadModel(directory, { ...options, lora, adapter: join(directory, "adapter") });
    expect(logitsOf(again)).toEqual(adapted);
    expect(JSON.parse(readFileSync(join(directory, "adapter", "adapter_config.json"), "utf8"))).toMatchObject({
      r: 2,
      lora_alpha: 4,
    });

    const other = { ...lora, rank: 3 };
    await expect(
      loadModel(directory, { ...options, lora: other, adapter: join(directory, "adapter") }),
    ).rejects.toMatchObject({ code: "MODEL_TENSOR" });
  });
});

describe("the memory plan", () => {
  const config = parseConfig(TINY_CONFIGS["llama-2"]);
  const settings = { precision: "bf16" as const, microBatchSize: 2, sequenceLength: 16 };

  it("is what the model then allocates", () => {
    for (const recompute of [false, true]) {
      const allocated: number[] = [];
      const allocate = (bytes: number) => {
        allocated.push(bytes);
        return kernels.allocate(bytes);
      };
      const counting = { ...kernels, allocate };
      const model = initializeModel(config, { kernels: counting, precision: "bf16", recompute });
      const ids = new Int32Array(32);
      model.lossAndGradients({ batch: 2, tokens: ids, targets: ids, scale: 1 });
      const plan = memoryPlan(config, { ...settings, recompute });
      expect(allocated).toEqual([plan.weights, plan.gradients, plan.activations]);
    }
  });

  it("counts 16 bytes a trained parameter, and little for adapters", () => {
    const full = memoryPlan(config, settings);
    expect(full.weights + full.gradients + full.optimizer).toBeCloseTo(16 * full.parameters, -3);
    const lora = memoryPlan(config, { ...settings, trainable: { rank: 2, alpha: 4, targets: ["q_proj"] } });
    // Two matrices [2, 16] and [16, 2] in each of two layers.
    expect(lora.trainableParameters).toBe(2 * (2 * 16 + 16 * 2));
    expect(lora.weights).toBeLessThan(0.6 * full.weights);
  });

  it("needs less with recomputation, the more so the deeper the model", () => {
    const deep = { ...config, layers: 12, windows: Array(12).fill(undefined) };
    const [kept, again] = [false, true].map((recompute) => memoryPlan(deep, { ...settings, recompute }).activations);
    expect(again!).toBeLessThan(0.35 * kept!);
  });
});

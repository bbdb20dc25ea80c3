import { describe, expect, it } from "vitest";
import { randomArray, relativeError } from "../../test/support/gradients.ts";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { counterRandom } from "../core/index.ts";
import { referenceKernels } from "../native/reference.ts";
import { parseConfig } from "./config.ts";
import { initializeModel, type Llama, type MicroBatch, type ModelOptions } from "./model.ts";
import type { Numbers } from "./tensor.ts";

const FLOAT64: Numbers = { weights: "f64", activations: "f64", sums: "f64" };

function tiny(family: string, options: Partial<ModelOptions> = {}): Llama {
  const model = initializeModel(parseConfig(TINY_CONFIGS[family]), {
    kernels: referenceKernels(),
    precision: "f32",
    numbers: FLOAT64,
    seed: 5,
    ...options,
  });
  // Norms and biases start at constants that hide mistakes; adapters' B at zero hides A.
  for (const [i, p] of model.parameters.entries()) {
    if (!p.decay || p.name.includes("lora_B"))
      p.data.set(randomArray(p.data.length, 100 + i).map((x) => x / 2 + (p.decay ? 0 : 0.7)));
  }
  return model;
}

function randomBatch(vocab: number, batch: number, tokens: number): MicroBatch {
  const ids = (seed: number) => Int32Array.from({ length: batch * tokens }, (_, i) => counterRandom(seed, i) % vocab);
  return {
    batch,
    tokens: ids(1),
    targets: ids(2),
    weights: Float64Array.from({ length: batch * tokens }, (_, i) => (i % 5) / 2),
  };
}

/** Compares `grad` of every trainable parameter, at a few numbers each, with central differences of the summed loss. */
function expectGradients(model: Llama, batch: MicroBatch, scale: number) {
  model.zeroGradients();
  model.lossAndGradients({ ...batch, scale });
  const analytic = model.trainable.map((p) => Float64Array.from(p.grad!));
  const h = 1e-5;
  for (const [i, p] of model.trainable.entries()) {
    const picks = Array.from({ length: 6 }, (_, k) => counterRandom(900 + i, k) % p.data.length);
    const loss = () => scale * model.lossAndGradients({ ...batch, scale }).loss;
    const numeric = picks.map((at) => {
      const value = p.data[at]!;
      p.data[at] = value + h;
      const above = loss();
      p.data[at] = value - h;
      const below = loss();
      p.data[at] = value;
      return (above - below) / (2 * h);
    });
    const largest = analytic[i]!.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    for (const [k, at] of picks.entries()) {
      // Loss ~ 50 in float64: rounding 50·1.1e-16/1e-5 ≈ 6e-10, step h²·f''' ≈ 1e-9; relative to the tensor's largest gradient.
      expect(Math.abs(analytic[i]![at]! - numeric[k]!), `${p.name}[${at}]`).toBeLessThan(1e-6 * largest + 2e-8);
    }
  }
}

describe("gradients of the whole model by central differences", () => {
  for (const family of Object.keys(TINY_CONFIGS)) {
    it(family, () => {
      const model = tiny(family);
      expectGradients(model, randomBatch(model.config.vocabSize, 2, 5), 0.5);
    });
  }

  it("with recomputation", () => {
    const [kept, again] = [tiny("qwen2"), tiny("qwen2", { recompute: true })];
    const batch = randomBatch(kept.config.vocabSize, 2, 5);
    for (const model of [kept, again]) model.lossAndGradients({ ...batch, scale: 1 });
    for (const [i, p] of kept.parameters.entries()) expect(again.parameters[i]!.grad, p.name).toEqual(p.grad);
  });

  it("with packed documents", () => {
    const model = tiny("llama-2");
    const documents = Int32Array.of(0, 0, 1, 1, 1, 2, 3, 3, 3, 3);
    expectGradients(model, { ...randomBatch(model.config.vocabSize, 2, 5), documents }, 1);
  });

  for (const family of ["llama-2", "qwen3"]) {
    it(`of LoRA adapters alone (${family})`, () => {
      const lora = { rank: 3, alpha: 6, targets: ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"] as const };
      const model = tiny(family, { lora: { ...lora, targets: [...lora.targets] } });
      expect(model.trainable.every((p) => p.name.includes("lora_"))).toBe(true);
      expectGradients(model, randomBatch(model.config.vocabSize, 2, 5), 1);
    });
  }
});

describe("batches", () => {
  it("add up: two micro-batches give the gradient of both together", () => {
    const [whole, halves] = [tiny("llama-2"), tiny("llama-2")];
    const batch = randomBatch(37, 4, 6);
    whole.lossAndGradients({ ...batch, scale: 0.1 });
    for (const half of [0, 1]) {
      const cut = <T extends { slice(a: number, b: number): T }>(x: T) => x.slice(half * 12, half * 12 + 12);
      halves.lossAndGradients({
        batch: 2,
        tokens: cut(batch.tokens),
        targets: cut(batch.targets),
        weights: cut(batch.weights as Float64Array),
        scale: 0.1,
      });
    }
    for (const [i, p] of whole.parameters.entries()) {
      expect(relativeError(halves.parameters[i]!.grad!, p.grad!), p.name).toBeLessThan(1e-12);
    }
  });

  it("masked documents score as if each stood alone", () => {
    const model = tiny("qwen3");
    const batch = randomBatch(37, 1, 9);
    const packed = Float64Array.from(model.losses({ ...batch, documents: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 2, 2) }));
    const alone = [
      [0, 4],
      [4, 7],
      [7, 9],
    ].flatMap(([from, to]) => [
      ...model.losses({
        batch: 1,
        tokens: batch.tokens.slice(from, to),
        targets: batch.targets.slice(from, to),
        weights: Array.from(batch.weights!).slice(from, to),
      }),
    ]);
    expect(relativeError(packed, alone)).toBeLessThan(1e-13);
  });

  it("switching shapes back and forth changes nothing", () => {
    const model = tiny("mistral");
    const [large, small] = [randomBatch(37, 3, 8), randomBatch(37, 1, 4)];
    const first = Float64Array.from(model.losses(small));
    model.lossAndGradients({ ...large, scale: 1 });
    expect(Float64Array.from(model.losses(small))).toEqual(first);
  });

  it("losses agree with logits", () => {
    const model = tiny("llama-3.1");
    const batch = { ...randomBatch(37, 2, 5), weights: new Float64Array(10).fill(1) };
    const { losses, best } = model.lossesAndBest(batch);
    const nats = Float64Array.from(losses);
    const logits = model.logits(batch);
    for (let n = 0; n < 10; n++) {
      const row = Array.from(logits.subarray(n * 37, (n + 1) * 37));
      const logSumExp = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
      expect(nats[n]).toBeCloseTo(logSumExp - row[batch.targets[n]!]!, 12);
      expect(row[best[n]!]).toBe(Math.max(...row));
    }
  });

  it("refuses ids outside the vocabulary", () => {
    const model = tiny("llama-2");
    const batch = { ...randomBatch(37, 1, 3), tokens: Int32Array.of(1, 37, 2) };
    expect(() => model.losses(batch)).toThrowErrorMatchingInlineSnapshot(
      `[DataError: token id 37 at row 1 is outside the model's vocabulary of 37]`,
    );
  });
});

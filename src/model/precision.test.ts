import { describe, expect, it } from "vitest";
import { relativeError } from "../../test/support/gradients.ts";
import { IMPLEMENTATIONS } from "../../test/support/kernels.ts";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { referenceKernels } from "../native/index.ts";
import { parseConfig } from "./config.ts";
import { initializeModel, type Llama, type ModelOptions } from "./model.ts";

const native = IMPLEMENTATIONS.find(([name]) => name === "native")?.[1];
const batch = {
  batch: 2,
  tokens: Int32Array.from({ length: 80 }, (_, i) => (i * 5) % 37),
  targets: Int32Array.from({ length: 80 }, (_, i) => (i * 11 + 3) % 37),
  weights: Float32Array.from({ length: 80 }, (_, i) => (i % 3) / 2),
};

function gradientsOf(
  model: Llama,
  documents?: Int32Array,
): { loss: number; gradients: Map<string, ArrayLike<number>> } {
  model.zeroGradients();
  const { loss } = model.lossAndGradients({ ...batch, scale: 1 / 40, ...(documents ? { documents } : {}) });
  return { loss, gradients: new Map(model.trainable.map((p) => [p.name, p.grad!])) };
}

describe.skipIf(!native)("native kernels in the whole model", () => {
  const make = (family: string, kernels: ModelOptions["kernels"], options: Partial<ModelOptions>) => {
    const model = initializeModel(parseConfig({ ...TINY_CONFIGS[family], initializer_range: 0.1 }), {
      kernels,
      precision: "f32",
      seed: 2,
      ...options,
    });
    // Adapters begin with B = 0, which would leave A without a gradient.
    for (const p of model.trainable) if (p.name.includes("lora_B")) p.data.fill(0.05);
    return model;
  };
  const documents = Int32Array.from({ length: 80 }, (_, i) => Math.floor(i / 13));
  const lora = { rank: 4, alpha: 8, targets: ["q_proj", "k_proj", "o_proj", "up_proj", "down_proj"] as const };
  const variants: [string, Partial<ModelOptions>, Int32Array?][] = [
    ["plain", {}],
    ["recomputed", { recompute: true }],
    ["packed documents", {}, documents],
    ["LoRA", { lora: { ...lora, targets: [...lora.targets] } }],
  ];
  for (const family of Object.keys(TINY_CONFIGS)) {
    for (const [name, options, docs] of variants) {
      it(`${family}, ${name}: f32 as the reference, bf16 near it`, () => {
        const reference = gradientsOf(make(family, referenceKernels(), options), docs);
        const f32 = gradientsOf(make(family, native!, options), docs);
        const bf16 = gradientsOf(make(family, native!, { ...options, precision: "bf16" }), docs);
        // float32: ε = 6e-8 over sums of ~100 terms and a dozen operations. bfloat16: ε = 4e-3 an operation, averaging out in sums.
        expect(f32.loss / reference.loss - 1).toBeCloseTo(0, 5);
        expect(bf16.loss / reference.loss - 1).toBeCloseTo(0, 2);
        for (const [parameter, gradient] of reference.gradients) {
          expect(relativeError(f32.gradients.get(parameter)!, gradient), `${parameter} f32`).toBeLessThan(1e-4);
          expect(relativeError(bf16.gradients.get(parameter)!, gradient), `${parameter} bf16`).toBeLessThan(0.06);
        }
      });
    }
  }
});

/**
 * Rotary tables (Su et al. 2021, arXiv:2104.09864): position p turns pair i by the angle p · f_i, f_i = θ^(−2i/D).
 */
import type { Floats } from "../native/kernels.ts";
import type { ModelConfig } from "./config.ts";

/** f_i for i in [0, headSize/2), with the config's scaling. */
export function frequencies(config: ModelConfig): Float64Array {
  const { headSize, ropeTheta, ropeScaling: scaling } = config;
  const plain = Float64Array.from({ length: headSize / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headSize));
  switch (scaling.type) {
    case "default":
      return plain;
    case "linear":
      return plain.map((f) => f / scaling.factor);
    case "llama3": {
      // Llama 3.1: wavelengths beyond the original context are stretched by `factor`, short ones kept, those between blended.
      const { factor, lowFreqFactor, highFreqFactor, originalContextTokens } = scaling;
      return plain.map((f) => {
        const turns = (originalContextTokens * f) / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
        return (1 - kept) * (f / factor) + kept * f;
      });
    }
    default:
      return scaling satisfies never;
  }
}

/** cos and sin of every angle. Shape [positions, headSize/2] each. */
export function rotaryTables(
  config: ModelConfig,
  positions: number,
  type: "f32" | "f64",
): { cos: Floats; sin: Floats } {
  const f = frequencies(config);
  const Numbers = type === "f64" ? Float64Array : Float32Array;
  const cos = new Numbers(positions * f.length);
  const sin = new Numbers(positions * f.length);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < f.length; i++) {
      cos[p * f.length + i] = Math.cos(p * f[i]!);
      sin[p * f.length + i] = Math.sin(p * f[i]!);
    }
  }
  return { cos, sin };
}

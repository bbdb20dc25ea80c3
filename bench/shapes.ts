/** The models that speed is measured on, ours and the peers'. */
import { type ModelConfig, parseConfig } from "../src/model/index.ts";

export interface Shape {
  dim: number;
  layers: number;
  heads: number;
  kvHeads: number;
  ffn: number;
  vocab: number;
  sequenceLength: number;
  batch: number;
}

export const SHAPES: Record<string, Shape> = {
  mini: { dim: 256, layers: 6, heads: 8, kvHeads: 8, ffn: 688, vocab: 4096, sequenceLength: 256, batch: 16 },
  "15m": { dim: 288, layers: 6, heads: 6, kvHeads: 6, ffn: 768, vocab: 32000, sequenceLength: 256, batch: 8 },
  "60m": { dim: 512, layers: 8, heads: 8, kvHeads: 8, ffn: 1376, vocab: 32000, sequenceLength: 512, batch: 4 },
  "110m": { dim: 768, layers: 12, heads: 12, kvHeads: 12, ffn: 2048, vocab: 32000, sequenceLength: 1024, batch: 1 },
};

/** Names of the command line among the arguments; without any, those that take little time. */
export function chosenShapes(args: string[], quick: boolean): [string, Shape][] {
  const named = Object.keys(SHAPES).filter((name) => args.includes(name));
  const names = named.length > 0 ? named : quick ? ["mini"] : ["mini", "15m"];
  return names.map((name) => [name, SHAPES[name]!]);
}

export function configOf(shape: Shape, contextTokens = shape.sequenceLength): ModelConfig {
  return parseConfig({
    model_type: "llama",
    hidden_size: shape.dim,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    intermediate_size: shape.ffn,
    vocab_size: shape.vocab,
    max_position_embeddings: contextTokens,
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
    tie_word_embeddings: true,
  });
}

/** PyTorch's ways to run the same model. */
export interface Variant {
  implementation: string;
  mode: string;
  dtype: string;
}

export const VARIANTS: Variant[] = ["module", "transformers"].flatMap((implementation) =>
  ["eager", "compile"].flatMap((mode) => ["f32", "bf16", "f16"].map((dtype) => ({ implementation, mode, dtype }))),
);

export const variantName = ({ implementation, mode, dtype }: Variant) => `${implementation} ${mode} ${dtype}`;

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

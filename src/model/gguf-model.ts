/**
 * A model of the Llama family as llama.cpp names it.
 *
 * | family         | architecture | q, k rows                                     | head norms |
 * |----------------|--------------|-----------------------------------------------|------------|
 * | llama, mistral | llama        | pairs side by side (its rotary turns 2i,2i+1) | no         |
 * | qwen2          | qwen2        | as in the file (turns i, i + headSize/2)      | no         |
 * | qwen3          | qwen3        | as in the file                                | yes        |
 *
 * llama.cpp has no sliding windows for these architectures. Within one window they change nothing, so the file says a context of one.
 */
import { ConfigError } from "../core/index.ts";
import type { ModelConfig, RopeScaling } from "./config.ts";
import { type GgufTensor, type GgufType, type GgufValue, Q8_BLOCK } from "./gguf.ts";
import type { SafetensorsReader } from "./safetensors.ts";

const ARCHITECTURE = { llama: "llama", mistral: "llama", qwen2: "qwen2", qwen3: "qwen3" } as const;
/** llama.cpp's LLAMA_FTYPE_MOSTLY_*. */
const FILE_TYPE: Record<GgufType, number> = { f32: 0, f16: 1, q8_0: 7, bf16: 32 };

/** The head's part about the model; the tokenizer's comes beside it. */
export function ggufHead(config: ModelConfig, type: GgufType, name: string): Map<string, GgufValue> {
  const architecture = ARCHITECTURE[config.family];
  const head = new Map<string, GgufValue>();
  const uint32 = (key: string, value: number) => head.set(key, { type: "uint32", value });
  const own = (key: string) => `${architecture}.${key}`;
  head.set("general.architecture", { type: "string", value: architecture });
  head.set("general.type", { type: "string", value: "model" });
  head.set("general.name", { type: "string", value: name });
  uint32("general.file_type", FILE_TYPE[type]);
  uint32("general.quantization_version", 2);
  uint32(own("vocab_size"), config.vocabSize);
  uint32(own("context_length"), ggufContextTokens(config));
  uint32(own("embedding_length"), config.channels);
  uint32(own("block_count"), config.layers);
  uint32(own("feed_forward_length"), config.features);
  uint32(own("attention.head_count"), config.heads);
  uint32(own("attention.head_count_kv"), config.kvHeads);
  uint32(own("attention.key_length"), config.headSize);
  uint32(own("attention.value_length"), config.headSize);
  uint32(own("rope.dimension_count"), config.headSize);
  head.set(own("rope.freq_base"), { type: "float32", value: config.ropeTheta });
  head.set(own("attention.layer_norm_rms_epsilon"), { type: "float32", value: config.normEpsilon });
  if (config.ropeScaling.type === "linear") {
    head.set(own("rope.scaling.type"), { type: "string", value: "linear" });
    head.set(own("rope.scaling.factor"), { type: "float32", value: config.ropeScaling.factor });
  }
  return head;
}

/** What llama.cpp may be asked for: the model's context, or the narrowest window. */
export function ggufContextTokens(config: ModelConfig): number {
  return Math.min(config.contextTokens, ...config.windows.filter((window) => window !== undefined));
}

/**
 * Every tensor of the file. Matrices take `type`, vectors stay float32, and so do matrices in f16 whose rows do not divide into blocks.
 * @throws {ConfigError} GGUF_UNSUPPORTED for a combination that llama.cpp's architecture has no place for.
 */
export function ggufTensors(config: ModelConfig, reader: SafetensorsReader, type: GgufType): GgufTensor[] {
  const { heads, kvHeads, headSize, layers, family } = config;
  if (config.headNorm && config.qkvBias)
    throw new ConfigError("GGUF_UNSUPPORTED", {
      message: "llama.cpp's qwen3 has no biases on q, k and v",
      where: "config.json attention_bias",
      remedy: "export the Hugging Face folder",
    });
  const isPaired = ARCHITECTURE[family] === "llama";
  const tensors: GgufTensor[] = [];
  const add = (name: string, source: string, pairedHeads?: number): void => {
    const shape = reader.shape(source);
    if (!shape) return; // biases that the family does not have
    const size = shape.reduce((product, n) => product * n, 1);
    const isMatrix = shape.length > 1;
    const isCut = shape.at(-1)! % Q8_BLOCK === 0;
    tensors.push({
      name,
      shape,
      type: isMatrix ? (type === "q8_0" && !isCut ? "f16" : type) : "f32",
      async read() {
        const numbers = new Float32Array(size);
        await reader.read(source, numbers);
        return isPaired && pairedHeads !== undefined ? pairRows(numbers, pairedHeads, headSize) : numbers;
      },
    });
  };
  const both = (name: string, source: string, pairedHeads?: number): void => {
    add(`${name}.weight`, `${source}.weight`, pairedHeads);
    add(`${name}.bias`, `${source}.bias`, pairedHeads);
  };
  add("token_embd.weight", "model.embed_tokens.weight");
  for (let layer = 0; layer < layers; layer++) {
    const [to, from] = [`blk.${layer}`, `model.layers.${layer}`];
    add(`${to}.attn_norm.weight`, `${from}.input_layernorm.weight`);
    both(`${to}.attn_q`, `${from}.self_attn.q_proj`, heads);
    both(`${to}.attn_k`, `${from}.self_attn.k_proj`, kvHeads);
    both(`${to}.attn_v`, `${from}.self_attn.v_proj`);
    both(`${to}.attn_output`, `${from}.self_attn.o_proj`);
    add(`${to}.attn_q_norm.weight`, `${from}.self_attn.q_norm.weight`);
    add(`${to}.attn_k_norm.weight`, `${from}.self_attn.k_norm.weight`);
    add(`${to}.ffn_norm.weight`, `${from}.post_attention_layernorm.weight`);
    both(`${to}.ffn_gate`, `${from}.mlp.gate_proj`);
    both(`${to}.ffn_up`, `${from}.mlp.up_proj`);
    both(`${to}.ffn_down`, `${from}.mlp.down_proj`);
  }
  add("output_norm.weight", "model.norm.weight");
  if (!config.tiedHead) add("output.weight", "lm_head.weight");
  if (config.ropeScaling.type === "llama3") {
    const factors = llama3Factors(config.ropeScaling, config.ropeTheta, headSize);
    tensors.push({ name: "rope_freqs.weight", shape: [factors.length], type: "f32", read: async () => factors });
  }
  return tensors;
}

/** Of every head, rows i and i + headSize/2 (which turn together) become 2i and 2i + 1. */
export function pairRows(numbers: Float32Array, heads: number, headSize: number): Float32Array {
  const paired = new Float32Array(numbers.length);
  const row = numbers.length / (heads * headSize);
  const half = headSize / 2;
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < headSize; i++) {
      const from = (head * headSize + i) * row;
      const to = (head * headSize + (i < half ? 2 * i : 2 * (i - half) + 1)) * row;
      paired.set(numbers.subarray(from, from + row), to);
    }
  }
  return paired;
}

/** What llama.cpp divides each frequency by: 1 for fast ones, `factor` for slow ones, blended between (Llama 3.1). */
function llama3Factors(
  scaling: Extract<RopeScaling, { type: "llama3" }>,
  theta: number,
  headSize: number,
): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalContextTokens } = scaling;
  return Float32Array.from({ length: headSize / 2 }, (_, i) => {
    const turns = originalContextTokens / (2 * Math.PI * theta ** ((2 * i) / headSize));
    if (turns > highFreqFactor) return 1;
    if (turns < lowFreqFactor) return factor;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

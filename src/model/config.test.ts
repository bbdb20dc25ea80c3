import { describe, expect, it } from "vitest";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { configJson, parseConfig } from "./config.ts";
import { frequencies } from "./rope.ts";

const llama = TINY_CONFIGS["llama-2"]!;
const problems = (json: unknown): string[] => {
  try {
    parseConfig(json);
    return [];
  } catch (error) {
    return (error as { fields: { problems: string[] } }).fields.problems;
  }
};

describe("a config.json", () => {
  it("of Llama-2-7B as published is read whole", () => {
    const config = parseConfig({
      _name_or_path: "meta-llama/Llama-2-7b-hf",
      architectures: ["LlamaForCausalLM"],
      attention_bias: false,
      bos_token_id: 1,
      eos_token_id: 2,
      hidden_act: "silu",
      hidden_size: 4096,
      initializer_range: 0.02,
      intermediate_size: 11008,
      max_position_embeddings: 4096,
      model_type: "llama",
      num_attention_heads: 32,
      num_hidden_layers: 32,
      num_key_value_heads: 32,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_scaling: null,
      rope_theta: 10000,
      tie_word_embeddings: false,
      torch_dtype: "float16",
      transformers_version: "4.38.2",
      use_cache: true,
      vocab_size: 32000,
    });
    expect(config).toMatchObject({
      headSize: 128,
      kvHeads: 32,
      contextTokens: 4096,
      ropeScaling: { type: "default" },
      endOfTextIds: [2],
    });
    expect(config.windows.every((window) => window === undefined)).toBe(true);
  });

  it("names every field it does not know or cannot compute, all at once", () => {
    expect(
      problems({
        ...llama,
        hidden_act: "gelu",
        num_hidden_layers: "two",
        logit_softcapping: 30,
        rope_scaling: { rope_type: "yarn", factor: 4, beta_fast: 32 },
        attention_dropout: 0.1,
      }),
    ).toMatchInlineSnapshot(`
      [
        "num_hidden_layers must be a positive integer; got "two"",
        "hidden_act must be "silu" (nothing else is supported); got "gelu"",
        "attention_dropout must be 0 (nothing else is supported); got 0.1",
        "rope_scaling.rope_type must be one of default, linear, llama3 (others are not supported); got "yarn"",
        "logit_softcapping is not a field that this engine knows",
      ]
    `);
    expect(problems({ model_type: "gpt2" })[0]).toMatchInlineSnapshot(
      `"model_type must be one of llama, mistral, qwen2, qwen3 (others are not supported); got "gpt2""`,
    );
    expect(problems({ ...llama, num_key_value_heads: 3 })).toMatchInlineSnapshot(`
      [
        "num_attention_heads 4 is not a multiple of num_key_value_heads 3",
      ]
    `);
    expect(problems({ ...TINY_CONFIGS.mistral, layer_types: ["full_attention"] })).toMatchInlineSnapshot(`
      [
        "layer_types is not a field that this engine knows",
      ]
    `);
  });

  it("of Qwen uses its window only when asked, on the layers asked for", () => {
    const qwen = { ...TINY_CONFIGS.qwen2, num_hidden_layers: 3, sliding_window: 8, max_window_layers: 2 };
    expect(parseConfig({ ...qwen, use_sliding_window: false }).windows).toEqual([undefined, undefined, undefined]);
    expect(parseConfig({ ...qwen, use_sliding_window: true }).windows).toEqual([undefined, undefined, 8]);
    const layer_types = ["sliding_attention", "full_attention", "full_attention"];
    expect(parseConfig({ ...qwen, use_sliding_window: true, layer_types }).windows).toEqual([8, undefined, undefined]);
  });

  it("is written back as it was, with the vocabulary and number type of today", () => {
    const config = { ...parseConfig({ ...llama, torch_dtype: "float16" }), vocabSize: 40 };
    expect(configJson(config, "bfloat16")).toEqual({ ...llama, torch_dtype: "bfloat16", vocab_size: 40 });
  });
});

it("Llama 3.1 keeps fast turns, slows the slowest by its factor and blends between", () => {
  const config = parseConfig(TINY_CONFIGS["llama-3.1"]);
  const plain = frequencies({ ...config, ropeScaling: { type: "default" } });
  const scaled = frequencies(config);
  // D = 8, θ = 500000: f = 1, 0.0376, 0.00141, 5.3e-5; over 32 tokens that is 5.1, 0.19, … turns. Above 4 kept, below 1 divided by 8.
  expect(scaled[0]).toBe(plain[0]);
  expect(scaled[1]).toBeCloseTo(plain[1]! / 8, 15);
  const linear = frequencies({ ...config, ropeScaling: { type: "linear", factor: 2 } });
  expect([...linear]).toEqual([...plain].map((f) => f / 2));
});

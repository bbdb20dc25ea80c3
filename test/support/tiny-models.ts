/** Tiny configs of every family, in the words of their config.json, each with what sets the family apart turned on. */
const base = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 24,
  vocab_size: 37,
  max_position_embeddings: 64,
  initializer_range: 0.3,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};

export const TINY_CONFIGS: Record<string, Record<string, unknown>> = {
  "llama-2": { ...base, model_type: "llama", num_key_value_heads: 4, tie_word_embeddings: false, rope_theta: 10000 },
  "llama-2 tied, biased": {
    ...base,
    model_type: "llama",
    tie_word_embeddings: true,
    attention_bias: true,
    mlp_bias: true,
    rope_scaling: { type: "linear", factor: 2 },
  },
  "llama-3.1": {
    ...base,
    model_type: "llama",
    rope_theta: 500000,
    head_dim: 8,
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
  },
  mistral: { ...base, model_type: "mistral", sliding_window: 3 },
  qwen2: {
    ...base,
    model_type: "qwen2",
    use_sliding_window: true,
    sliding_window: 4,
    max_window_layers: 1,
    rope_parameters: { rope_type: "default", rope_theta: 1000000 },
  },
  qwen3: { ...base, model_type: "qwen3", head_dim: 8, tie_word_embeddings: true },
};

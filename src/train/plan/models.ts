/** Shapes that people plan with before they have the files: config.json's fields of published models. */
const llama2 = {
  model_type: "llama",
  vocab_size: 32_000,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const llama3 = { ...llama2, vocab_size: 128_256, max_position_embeddings: 131_072, rope_theta: 500_000 };

const shape = (layers: number, channels: number, heads: number, kvHeads: number, features: number) => ({
  num_hidden_layers: layers,
  hidden_size: channels,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  intermediate_size: features,
});

export const KNOWN_MODELS: Record<string, Record<string, unknown>> = {
  "llama-2-7b": { ...llama2, ...shape(32, 4096, 32, 32, 11_008) },
  "llama-2-13b": { ...llama2, ...shape(40, 5120, 40, 40, 13_824) },
  "llama-2-70b": { ...llama2, ...shape(80, 8192, 64, 8, 28_672) },
  "llama-3.1-8b": { ...llama3, ...shape(32, 4096, 32, 8, 14_336) },
  "llama-3.1-70b": { ...llama3, ...shape(80, 8192, 64, 8, 28_672) },
};

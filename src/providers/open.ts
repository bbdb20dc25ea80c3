/** `models.<name>` of a recipe, opened as a LanguageModel whatever stands behind it. */
import { z } from "zod";
import { loadTokenizer } from "../tokens/tokenizer.ts";
import { loadEmbedded } from "./embedded.ts";
import { loadGguf } from "./gguf.ts";
import type { LanguageModel } from "./language-model.ts";
import { connectEndpoint, endpointConfigSchema } from "./openai-compatible.ts";

export const modelConfigSchema = z.union([
  /** A Hugging Face model directory, computed here. */
  z.strictObject({ path: z.string(), precision: z.enum(["f32", "bf16"]).optional() }),
  /** An OpenAI-compatible server. The only kind that sends text away from this machine. `tokenizer`: the model's own (a
   * tokenizer.json or its folder), so that prompts are cut to its context here. */
  z.strictObject({ endpoint: endpointConfigSchema, tokenizer: z.string().optional() }),
  /** A GGUF file of llama.cpp. */
  z.strictObject({ gguf: z.string(), contextTokens: z.number().int().positive().optional() }),
]);
export type ModelConfig = z.input<typeof modelConfigSchema>;

export async function openModel(
  config: ModelConfig,
  options: { name?: string; endOfDocument?: string; signal?: AbortSignal } = {},
): Promise<LanguageModel> {
  const { name, endOfDocument, signal } = options;
  const named = name === undefined ? {} : { name };
  if ("endpoint" in config) {
    const tokenizer = config.tokenizer === undefined ? {} : { tokenizer: await loadTokenizer(config.tokenizer) };
    return connectEndpoint({ ...config.endpoint, ...named }, { ...tokenizer, ...(signal ? { signal } : {}) });
  }
  if ("gguf" in config) {
    const { gguf, contextTokens } = config;
    return loadGguf({ path: gguf, ...named, ...(contextTokens === undefined ? {} : { contextTokens }) });
  }
  const { path, precision } = config;
  return loadEmbedded({
    directory: path,
    ...named,
    ...(precision === undefined ? {} : { precision }),
    ...(endOfDocument === undefined ? {} : { endOfDocument }),
  });
}

/** A model directory as one GGUF file. */
import { ConfigError, exists } from "../core/index.ts";
import { type GgufType, writeGguf } from "../model/gguf.ts";
import { ggufContextTokens, ggufHead, ggufTensors } from "../model/gguf-model.ts";
import { loadConfig, SafetensorsReader } from "../model/index.ts";
import { ggufVocabulary } from "./gguf-vocabulary.ts";

export const ggufTypes = ["f16", "bf16", "q8_0", "f32"] as const satisfies GgufType[];

export interface GgufExport {
  path: string;
  tensors: number;
  /** Said in the file; smaller than the model's where a sliding window would cut in. */
  contextTokens: number;
  /** Matrices whose rows do not divide into Q8_0's blocks of 32, kept as f16. */
  keptF16: number;
}

/** @throws {ConfigError} GGUF_UNSUPPORTED where llama.cpp could not compute the same; EXPORT_EXISTS for a path that is taken. */
export async function exportGguf(
  directory: string,
  path: string,
  options: { type: GgufType; name: string },
): Promise<GgufExport> {
  const config = await loadConfig(directory);
  if (await exists(path))
    throw new ConfigError("EXPORT_EXISTS", {
      message: "there is something at this path already",
      where: path,
      remedy: "name a new file with --out, or remove this one",
    });
  const head = ggufHead(config, options.type, options.name);
  for (const [key, value] of await ggufVocabulary(directory, config.vocabSize)) head.set(key, value);
  const reader = await SafetensorsReader.open(directory);
  try {
    const tensors = ggufTensors(config, reader, options.type);
    await writeGguf(path, head, tensors);
    const keptF16 = options.type === "q8_0" ? tensors.filter(({ type }) => type === "f16").length : 0;
    return { path, tensors: tensors.length, contextTokens: ggufContextTokens(config), keptF16 };
  } finally {
    await reader.close();
  }
}

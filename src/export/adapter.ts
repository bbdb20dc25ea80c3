/** The adapters of a LoRA training alone, as PEFT reads them: megabytes to share beside a base model that everybody has. */
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, exists, readJson, writeJsonAtomic } from "../core/index.ts";
import { papersOf, writePapers } from "../run/model-card.ts";
import { prepareFolder } from "./folder.ts";

/** Folder of a LoRA checkpoint that holds its adapters (the weights beside it have them merged in). */
const ADAPTER = "adapter";
/** The tokenizer comes along: training may have given it tokens. */
const TOKENIZER = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

export interface AdapterExport {
  path: string;
  baseModel: string | null;
  files: string[];
}

/**
 * @param options.baseModel - name or path under which others find the base model. Default: what training wrote.
 * @throws {ConfigError} EXPORT_NO_ADAPTER for a model that was trained whole.
 */
export async function exportAdapter(
  directory: string,
  path: string,
  options: { baseModel?: string | undefined } = {},
): Promise<AdapterExport> {
  const from = join(directory, ADAPTER);
  if (!(await exists(join(from, "adapter_model.safetensors"))))
    throw new ConfigError("EXPORT_NO_ADAPTER", {
      message: "this model has no adapters: it was trained whole, or they were merged and left behind",
      where: from,
      remedy: "name a checkpoint of a training with lora, or export the whole model (--format huggingface)",
    });
  await prepareFolder(directory, path);
  await copyFile(join(from, "adapter_model.safetensors"), join(path, "adapter_model.safetensors"));
  const config = await readJson<Record<string, unknown>>(join(from, "adapter_config.json"));
  const baseModel = options.baseModel ?? (config.base_model_name_or_path as string | null);
  await writeJsonAtomic(join(path, "adapter_config.json"), { ...config, base_model_name_or_path: baseModel });
  for (const name of TOKENIZER)
    if (await exists(join(directory, name))) await copyFile(join(directory, name), join(path, name));
  await writePapers(await papersOf(directory), path);
  return { path, baseModel, files: (await readdir(path)).toSorted() };
}

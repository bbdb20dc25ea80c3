/** A model directory to share: weights, tokenizer and papers, without the trainer's own state. */
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, exists } from "../core/index.ts";
import { loadConfig, loadModel, type SaveType, weightFileNames } from "../model/index.ts";
import { loadKernels } from "../native/index.ts";
import { papersOf, writePapers } from "../run/model-card.ts";

/** What belongs to a Hugging Face folder beside the weights. */
const COMPANIONS = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "LICENSE",
];

export interface FolderExport {
  path: string;
  files: string[];
}

/**
 * @param options.dtype - numbers of the weights; default: as they are, byte for byte.
 * @throws {ConfigError} EXPORT_NOT_EMPTY when the folder holds something already.
 */
export async function exportFolder(
  directory: string,
  path: string,
  options: { dtype?: SaveType | undefined; shardBytes?: number } = {},
): Promise<FolderExport> {
  const weights = await weightFileNames(directory);
  await loadConfig(directory); // what we could not load again is not exported
  await prepareFolder(directory, path);
  await copyCompanions(directory, path);
  if (options.dtype === undefined) {
    for (const name of [...weights, "model.safetensors.index.json"]) await copyIfThere(directory, path, name);
  } else {
    const precision = options.dtype === "bf16" ? "bf16" : "f32";
    const model = await loadModel(directory, { kernels: await loadKernels(), precision, trainable: false });
    const { shardBytes } = options;
    await model.save(path, { dtype: options.dtype, ...(shardBytes === undefined ? {} : { shardBytes }) });
  }
  await writePapers(await papersOf(directory), path);
  return { path, files: (await readdir(path)).toSorted() };
}

/** @throws {ConfigError} EXPORT_NOT_EMPTY. */
export async function prepareFolder(directory: string, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  if (resolve(directory) === resolve(path) || (await readdir(path)).length > 0)
    throw new ConfigError("EXPORT_NOT_EMPTY", {
      message: "the folder to export into holds something already",
      where: path,
      remedy: "name a new folder with --out, or empty this one",
    });
}

export async function copyCompanions(directory: string, path: string): Promise<void> {
  for (const name of COMPANIONS) await copyIfThere(directory, path, name);
}

async function copyIfThere(directory: string, path: string, name: string): Promise<void> {
  if (await exists(join(directory, name))) await copyFile(join(directory, name), join(path, name));
}

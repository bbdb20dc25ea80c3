/** Settings that every benchmark of a recipe shares, and how its files are found. */
import { readdir } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { ConfigError, exists } from "../../core/index.ts";
import { type SplitName, splitNames } from "./benchmark.ts";

const files = z.union([z.string(), z.array(z.string()).min(1)]);

/** Keys of every `benchmarks.<name>` entry. */
export const commonKeys = {
  /** Folder with the published files under their published names; single splits below win over it. */
  path: z.string().optional(),
  train: files.optional(),
  validation: files.optional(),
  test: files.optional(),
  /** The split to score, when not the benchmark's usual one. */
  evaluationSplit: z.enum(splitNames).optional(),
  /** Where few-shot demonstrations come from, when not the benchmark's usual split. */
  demonstrationSplit: z.enum(splitNames).optional(),
  /** Replaces the instruction that opens every prompt. */
  instruction: z.string().optional(),
  /** Score only so many items, spread over the whole split. */
  limit: z.number().int().positive().optional(),
};

export const commonSchema = z.strictObject(commonKeys);
export type CommonConfig = z.infer<typeof commonSchema>;

export interface LoadContext {
  /** The benchmark's name in the recipe. */
  name: string;
  /** Relative paths start here (the recipe's folder). */
  directory: string;
}

export const settingsOf = (config: CommonConfig) => ({
  instruction: config.instruction,
  limit: config.limit,
  demonstrationSplit: config.demonstrationSplit,
});

export function resolvePath(context: LoadContext, path: string): string {
  return isAbsolute(path) ? path : resolve(context.directory, path);
}

/**
 * Files of each split: those the recipe names, else those in `path` whose name matches the published one.
 * @throws {ConfigError} EVAL_NO_FILE for a file that is not there.
 */
export async function splitFiles(
  config: CommonConfig,
  context: LoadContext,
  published: Partial<Record<SplitName, RegExp>>,
): Promise<Partial<Record<SplitName, string[]>>> {
  const found: Partial<Record<SplitName, string[]>> = {};
  const folder = config.path === undefined ? undefined : resolvePath(context, config.path);
  const listing = folder === undefined ? [] : await listFiles(folder, context);
  for (const split of splitNames) {
    const named = config[split];
    const pattern = published[split];
    if (named !== undefined) found[split] = [named].flat().map((file) => resolvePath(context, file));
    else if (pattern) {
      const matches = listing.filter((file) => pattern.test(file)).map((file) => join(folder!, file));
      if (matches.length > 0) found[split] = matches;
    }
  }
  const missing: string[] = [];
  for (const file of Object.values(found).flat()) if (!(await exists(file))) missing.push(file);
  if (missing.length > 0)
    throw new ConfigError("EVAL_NO_FILE", {
      message: `no such file: ${missing.join(", ")}`,
      where: `benchmarks.${context.name}`,
      remedy: "check the paths; relative ones start at the recipe's folder",
    });
  if (Object.keys(found).length === 0)
    throw new ConfigError("EVAL_NO_FILE", {
      message: folder ? `none of the published files is in ${folder}` : "no file is named",
      where: `benchmarks.${context.name}`,
      remedy: `name them: ${splitNames.map((split) => `${split}: path/to/file`).join(", ")}`,
    });
  return found;
}

/** Names below a folder, two levels deep, sorted, with `/` between the parts. */
export async function listFiles(folder: string, context: LoadContext): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const nested = await Promise.all(
      entries.map(async (entry) =>
        entry.isDirectory()
          ? (await readdir(join(folder, entry.name))).map((file) => `${entry.name}/${file}`)
          : [entry.name],
      ),
    );
    return nested.flat().sort();
  } catch (cause) {
    throw new ConfigError("EVAL_NO_FILE", {
      message: `no such folder: ${folder}`,
      where: `benchmarks.${context.name}.path`,
      remedy: "check the path; a relative one starts at the recipe's folder",
      cause,
    });
  }
}

/** provenance.json: on what a run was made, so that someone else can make it again. */
import { execFile } from "node:child_process";
import { cpus, hostname, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exists, readJson, sha256, writeJsonAtomic } from "../core/index.ts";
import { PACKAGE_ROOT, VERSION } from "../core/version.ts";
import type { LoadedRecipe } from "./load-recipe.ts";

export interface Provenance {
  meditron: string;
  /** Commit of the working tree when it is one, with "+changes" when files differ from it. */
  commit?: string;
  node: string;
  packages: Record<string, string>;
  host: { name: string; system: string; cpu: string; cores: number; memoryBytes: number };
  recipe: { file: string; sha256: string };
  /** Each start of the run: when, and the command as typed. */
  starts: { time: string; commandLine: string }[];
}

/** Writes provenance.json, keeping the starts noted before. */
export async function writeProvenance(loaded: LoadedRecipe, commandLine: string): Promise<Provenance> {
  const path = join(loaded.directory, "provenance.json");
  const before = (await exists(path)) ? ((await readJson<Partial<Provenance>>(path)).starts ?? []) : [];
  const manifest = await readJson<{ dependencies?: Record<string, string> }>(join(PACKAGE_ROOT, "package.json"));
  const packages: Record<string, string> = {};
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const file = join(PACKAGE_ROOT, "node_modules", name, "package.json");
    if (await exists(file)) packages[name] = (await readJson<{ version: string }>(file)).version;
  }
  const commit = await gitCommit();
  const provenance: Provenance = {
    meditron: VERSION,
    ...(commit === undefined ? {} : { commit }),
    node: process.version,
    packages,
    host: {
      name: hostname(),
      system: `${type()} ${release()} ${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryBytes: totalmem(),
    },
    recipe: { file: loaded.file, sha256: sha256(loaded.yaml) },
    starts: [...before, { time: new Date().toISOString(), commandLine }],
  };
  await writeJsonAtomic(path, provenance);
  return provenance;
}

async function gitCommit(): Promise<string | undefined> {
  if (!(await exists(join(PACKAGE_ROOT, ".git")))) return undefined;
  const git = (...words: string[]) => promisify(execFile)("git", ["-C", PACKAGE_ROOT, ...words], { timeout: 5000 });
  try {
    const { stdout } = await git("rev-parse", "HEAD");
    const changes = await git("status", "--porcelain", "--untracked-files=no");
    return stdout.trim() + (changes.stdout.trim() === "" ? "" : "+changes");
  } catch {
    return undefined; // no git, or not a repository of ours
  }
}

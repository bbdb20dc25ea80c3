/**
 * The run directories below one folder. Names from outside become paths here and nowhere else: a name is one path segment of
 * plain characters, and what it names must be listed in the folder that it is looked up in.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../core/index.ts";
import { badRequest, notFound } from "./studio-errors.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** @throws STUDIO_BAD_REQUEST for anything that could leave its folder. */
export function checkName(name: string, what: string): string {
  if (!NAME.test(name)) throw badRequest(`${JSON.stringify(name.slice(0, 80))} is no name of a ${what}`);
  return name;
}

/** Subfolders, sorted; none when the folder is not there. */
export async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names: string[] = [];
  for (const entry of entries) {
    if (!NAME.test(entry.name)) continue;
    if (entry.isDirectory()) names.push(entry.name);
    else if (entry.isSymbolicLink() && (await stat(join(folder, entry.name)).catch(() => undefined))?.isDirectory())
      names.push(entry.name);
  }
  return names.sort();
}

/** The folder `name` inside `folder`. @throws STUDIO_BAD_REQUEST, STUDIO_NOT_FOUND. */
export async function childFolder(folder: string, name: string, what: string): Promise<string> {
  checkName(name, what);
  if (!(await listFolders(folder)).includes(name)) throw notFound(`${what} "${name}"`);
  return join(folder, name);
}

/** Names of the run directories below `runs`: folders with a resolved recipe. */
export async function listRuns(runs: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of await listFolders(runs)) if (await exists(join(runs, name, "recipe.yaml"))) names.push(name);
  return names;
}

/** The directory of a run. @throws STUDIO_BAD_REQUEST, STUDIO_NOT_FOUND. */
export async function runDirectory(runs: string, run: string): Promise<string> {
  const directory = await childFolder(runs, run, "run");
  if (!(await exists(join(directory, "recipe.yaml")))) throw notFound(`run "${run}"`);
  return directory;
}

/** A whole number in a query, within bounds. */
export function queryNumber(
  value: string | undefined,
  name: string,
  { fallback = 0, max = Number.MAX_SAFE_INTEGER } = {},
): number {
  if (value === undefined || value === "") return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw badRequest(`${name} is a whole number from 0, not ${JSON.stringify(value.slice(0, 40))}`);
  return Math.min(number, max);
}

/** A text in a query, no longer than anybody types. */
export function queryText(value: string | undefined, name: string, maxCharacters = 300): string {
  const text = value ?? "";
  if (text.length > maxCharacters)
    throw badRequest(`${name} has ${text.length} characters; at most ${maxCharacters} are taken`);
  return text;
}

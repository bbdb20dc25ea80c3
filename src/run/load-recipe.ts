/**
 * From a YAML file to a checked recipe: the recipe it extends, overrides, `${...}` expansion, absolute paths, grammar, references between sections,
 * paths that must exist, one training for each seed. All problems are found before the first is reported.
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { isNode, LineCounter, type Node, parse, parseDocument, stringify } from "yaml";
import { ConfigError, fromSystemError } from "../core/index.ts";
import { PACKAGE_ROOT } from "../core/version.ts";
import { check, formatPath, formatValue, locate, oneOf, type Path, type Problem, problemsError } from "./problems.ts";
import { type Recipe, recipeSchema } from "./recipe.ts";
import { checkReferences, isPathKey, missingPaths } from "./references.ts";
import { expandSeeds } from "./seeds.ts";

export interface LoadOptions {
  /** `key.path=value` from `--set`; the value is YAML. */
  set?: string[];
  /** Folder of all runs. */
  runs?: string;
  /** Replaces the recipe's name, and so its run directory. */
  name?: string | undefined;
  /** Report a missing path as a problem (the default), or only list it (`--dry-run`). */
  missingPaths?: "refuse" | "list";
}

export interface LoadedRecipe {
  recipe: Recipe;
  /** The recipe file. */
  file: string;
  /** Absolute path of the run directory. */
  directory: string;
  /** With every default filled in, every seed a training and every path absolute: what `recipe.yaml` in the run directory holds. */
  yaml: string;
  /** Paths named by the recipe that are not there (with `missingPaths: "list"`). */
  missing: { key: string; path: string }[];
}

/** @throws {ConfigError} RECIPE_YAML when it is not YAML, RECIPE_INVALID with every problem. */
export async function loadRecipe(file: string, options: LoadOptions = {}): Promise<LoadedRecipe> {
  const path = resolve(file);
  const layers = await readLayers(file);
  const raw = layers.map(({ raw }) => raw).reduce(overlay);
  const overridden: string[] = [];
  for (const assignment of options.set ?? []) overridden.push(formatPath(override(raw, assignment)));
  if (options.name !== undefined && isObject(raw)) raw.name = options.name;

  const runName = isObject(raw) && typeof raw.name === "string" ? raw.name : "unnamed";
  const directory = resolve(options.runs ?? "runs", runName);
  const variables = {
    ...(isObject(raw) && isObject(raw.variables) ? raw.variables : {}),
    run: directory,
    package: PACKAGE_ROOT,
    recipe: dirname(path),
  };
  const problems: Problem[] = [];
  const expanded = expand(raw, variables, dirname(path), [], problems);
  const checked = check(recipeSchema, expanded);
  problems.push(...checked.problems);
  // These read the unchecked values, so that a typing mistake in one section hides no dangling name in another.
  problems.push(...checkReferences(expanded));
  const missing = missingPaths(expanded, directory);
  if (options.missingPaths !== "list")
    for (const { path: key, value } of missing)
      problems.push({ path: key, message: `${formatValue(value)} does not exist; expected a file or folder` });
  // A key that does not expand makes its value wrong as well: the first problem of a key is the one that helps.
  const seen = new Set<string>();
  const unique = problems.filter(({ path: key }) => {
    const name = formatPath(key);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
  if (!checked.value || unique.length > 0) {
    throw problemsError(
      "RECIPE_INVALID",
      file,
      unique.map((problem) => {
        const key = formatPath(problem.path);
        const set = overridden.find((one) => key === one || key.startsWith(`${one}.`) || key.startsWith(`${one}[`));
        return { ...problem, place: set === undefined ? placeOf(problem.path, layers) : `--set ${set}` };
      }),
    );
  }
  const recipe = expandSeeds(checked.value);
  return {
    recipe,
    file: path,
    directory,
    yaml: stringify(recipe, { lineWidth: 0, aliasDuplicateObjects: false }),
    missing: missing.map(({ path: key, value }) => ({ key: formatPath(key), path: value })),
  };
}

/** One YAML file of a recipe. */
interface Layer {
  file: string;
  raw: unknown;
  root: Node | null;
  lines: LineCounter;
}

/** The files of a recipe, what is extended first; their relative paths start at the file that names them. */
async function readLayers(file: string, above: readonly string[] = []): Promise<Layer[]> {
  let text: string;
  try {
    text = await readFile(resolve(file), "utf8");
  } catch (error) {
    throw fromSystemError(error, file, "reading the recipe");
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const broken = document.errors[0];
  if (broken) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new ConfigError("RECIPE_YAML", {
      message: `not valid YAML: ${broken.message.split("\n")[0]}`,
      where: `${file}:${line}:${col}`,
      remedy: "correct the line; indentation is by spaces, and text with a colon or a brace needs quotes",
    });
  }
  const raw: unknown = document.toJS() ?? {};
  const root = isNode(document.contents) ? document.contents : null;
  if (!isObject(raw) || raw.extends === undefined) return [{ file, raw, root, lines }];
  const { extends: extended, ...rest } = raw;
  const files = [...above, resolve(file)];
  const bad = (message: string) =>
    new ConfigError("RECIPE_EXTENDS", {
      message,
      where: `${file}:${locate(root, ["extends"], lines)}`,
      remedy: "name one other recipe, as in extends: demo.yaml",
    });
  if (typeof extended !== "string") throw bad(`extends is ${formatValue(extended)}; expected the path of a recipe`);
  const below = resolve(dirname(file), extended);
  if (files.includes(below)) throw bad(`${extended} extends this recipe in its turn`);
  const layers = await readLayers(below, files);
  return [
    ...layers.map((layer) => ({ ...layer, raw: anchored(layer.raw, dirname(below)) })),
    { file, raw: rest, root, lines },
  ];
}

/** Keys of `above` over those of `below`, map by map; lists and values are replaced whole. */
function overlay(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      key in above ? (key in below ? overlay(below[key], above[key]) : above[key]) : below[key],
    ]),
  );
}

/** Relative paths made absolute; those that start with a variable are left to `expand`. */
function anchored(value: unknown, base: string, path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((item, i) => anchored(item, base, [...path, i]));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, anchored(item, base, [...path, key])]));
  return typeof value === "string" && !value.startsWith("${") && isPathKey(path, value) ? resolve(base, value) : value;
}

/** Where a key stands: in the uppermost file that has it, named where it is not the recipe's own. */
function placeOf(path: Path, layers: readonly Layer[]): string {
  const has = ({ raw }: Layer) =>
    path.reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], raw) !== undefined;
  const layer = layers.findLast(has) ?? layers.at(-1)!;
  const place = locate(layer.root, path, layer.lines);
  return layer === layers.at(-1) ? place : `${basename(layer.file)}:${place}`;
}

/** Applies `train.base.steps=100` to parsed settings. @returns the path it changed. */
export function override(root: unknown, assignment: string): Path {
  const equals = assignment.indexOf("=");
  const key = assignment.slice(0, Math.max(equals, 0));
  const path = key
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const bad = (message: string) =>
    new ConfigError("RECIPE_SET", {
      message,
      where: `--set ${assignment}`,
      remedy: "write --set key.path=value, for example --set train.base.steps=100",
    });
  if (equals <= 0) throw bad("no key and value");
  let value: unknown;
  try {
    value = parse(assignment.slice(equals + 1));
  } catch (error) {
    throw bad(`the value is not valid YAML (${(error as Error).message.split("\n")[0]})`);
  }
  let at = root as Record<string, unknown>;
  for (const part of path.slice(0, -1)) {
    at[part] ??= {};
    if (at[part] === null || typeof at[part] !== "object") throw bad(`"${part}" holds no keys`);
    at = at[part] as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
  return path;
}

function expand(
  value: unknown,
  variables: Record<string, unknown>,
  base: string,
  path: Path,
  problems: Problem[],
): unknown {
  if (Array.isArray(value)) return value.map((item, i) => expand(item, variables, base, [...path, i], problems));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expand(item, variables, base, [...path, key], problems)]),
    );
  if (typeof value !== "string") return value;
  const text = replaceVariables(value, variables, path, problems);
  return isPathKey(path, text) ? resolve(base, text) : text;
}

function replaceVariables(text: string, variables: Record<string, unknown>, path: Path, problems: Problem[]): string {
  return text.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const value = variables[name];
    // A variable may name another (`data: ${recipe}/data`), but not itself.
    if (typeof value === "string") return replaceVariables(value, { ...variables, [name]: undefined }, path, problems);
    problems.push({ path, message: `${whole} is not known; ${oneOf(name, Object.keys(variables))}` });
    return whole;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

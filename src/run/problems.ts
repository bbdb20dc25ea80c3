/**
 * All that is wrong with a settings file, at once: each problem names its key, the value, the place in the file, and what
 * would be valid. Zod finds the problems; this file words them, with the schema at hand to suggest the right name.
 */
import { isMap, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { z } from "zod";
import { ConfigError } from "../core/index.ts";
import { closest } from "../core/suggest.ts";

export type Path = (string | number)[];

export interface Problem {
  path: Path;
  /** What is wrong, and what would be valid. */
  message: string;
}

/** `train.base.data[0].weight` */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

/** A value as it stands in a message: short, strings quoted. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `"a", "b", "c"`, and which of them was probably meant. */
export function oneOf(value: unknown, valid: string[]): string {
  const near = typeof value === "string" ? closest(value, valid) : undefined;
  if (valid.length === 0) return "the recipe names none";
  const list = `one of ${valid.map((name) => `"${name}"`).join(", ")}`;
  return near === undefined ? `expected ${list}` : `did you mean "${near}"? (${list})`;
}

/** Checks a value against a schema. @returns the parsed value, or every problem. */
export function check<T extends z.ZodType>(
  schema: T,
  value: unknown,
  at: Path = [],
): { value: z.output<T>; problems: [] } | { value: undefined; problems: Problem[] } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => explain(issue, schema, value));
  return { value: undefined, problems: problems.map(({ path, message }) => ({ path: [...at, ...path], message })) };
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, schema: z.ZodType, root: unknown): Problem[] {
  const path = issue.path as Path;
  const value = valueAt(root, path);
  const problem = (message: string): Problem[] => [{ path, message }];
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = [...keysAt(schema, path, root)];
      return issue.keys.map((key) => {
        const unused = known.filter((name) => !(name in (value as object)));
        const near = closest(key, unused) ?? closest(key, known);
        const hint = near ? `; did you mean "${near}"?` : "";
        return { path: [...path, key], message: `unknown key${hint} (valid: ${known.join(", ")})` };
      });
    }
    case "invalid_type":
      if (value === undefined) return problem(`missing; expected ${nounOf(issue.expected)}`);
      return problem(`${formatValue(value)} is not ${nounOf(issue.expected)}`);
    case "invalid_value": {
      const valid = issue.values.map(String);
      return problem(`${value === undefined ? "missing" : formatValue(value)}; ${oneOf(value, valid)}`);
    }
    case "too_small":
    case "too_big": {
      const [limit, word] =
        issue.code === "too_small"
          ? [issue.minimum, issue.inclusive === false ? "more than" : "at least"]
          : [issue.maximum, issue.inclusive === false ? "less than" : "at most"];
      const of =
        issue.origin === "string"
          ? " characters"
          : issue.origin === "array" || issue.origin === "set" || issue.origin === "map"
            ? ` ${limit === 1 ? "entry" : "entries"}`
            : "";
      return problem(`${formatValue(value)} is out of range; expected ${word} ${limit}${of}`);
    }
    case "invalid_union": {
      if (issue.discriminator !== undefined) {
        // The issue stands at the discriminator itself; its members belong to the object around it.
        const around = path.at(-1) === issue.discriminator ? path.slice(0, -1) : path;
        const given = valueAt(root, [...around, issue.discriminator]);
        const valid = discriminators(schemasAt(schema, around, root), issue.discriminator);
        const said = given === undefined ? "missing" : formatValue(given);
        return [{ path: [...around, issue.discriminator], message: `${said}; ${oneOf(given, valid)}` }];
      }
      // The branch that got furthest is the one that was meant.
      const branches = issue.errors.filter((branch) => branch.length > 0);
      const depth = (branch: Issue[]) =>
        Math.max(...branch.map((inner) => inner.path.length + (inner.code === "unrecognized_keys" ? 0.5 : 0)));
      const best = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
      if (best && depth(best) > 0)
        return best.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] } as Issue, schema, root));
      // A text where one branch lists names: it was meant to be one of them.
      const names = branches.flat().find((inner) => inner.code === "invalid_value");
      if (names && typeof value === "string") return explain({ ...names, path } as Issue, schema, root);
      const expected = branches.flat().map((inner) => describeExpectation(inner));
      const said = value === undefined ? "missing" : `${formatValue(value)} does not fit`;
      return problem(`${said}; expected ${[...new Set(expected)].join(" or ")}`);
    }
    default:
      return problem(issue.message);
  }
}

function describeExpectation(issue: Issue): string {
  if (issue.code === "invalid_type") return nounOf(issue.expected);
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value)).join(", ");
  return issue.message;
}

function nounOf(expected: string): string {
  const nouns: Record<string, string> = {
    int: "a whole number",
    number: "a number",
    string: "text",
    boolean: "true or false",
    array: "a list",
    object: "a mapping of keys to values",
    record: "a mapping of names to values",
  };
  return nouns[expected] ?? expected;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value !== null && typeof value === "object" ? (value as Record<string, unknown>)[key] : undefined),
    root,
  );
}

// ── Looking into a schema ──

interface Definition {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  getter?: () => z.ZodType;
  left?: z.ZodType;
  right?: z.ZodType;
  options?: z.ZodType[];
  discriminator?: string;
  shape?: Record<string, z.ZodType>;
  valueType?: z.ZodType;
  element?: z.ZodType;
  values?: unknown[];
  entries?: Record<string, unknown>;
}

const definitionOf = (schema: z.ZodType) => schema._zod.def as unknown as Definition;

/** The object, record, array and plain schemas behind wrappers and unions; a discriminated union gives the chosen member. */
function unwrap(schema: z.ZodType, value: unknown): z.ZodType[] {
  const definition = definitionOf(schema);
  const inner = definition.innerType ?? definition.in ?? definition.getter?.();
  if (inner) return unwrap(inner, value);
  if (definition.left && definition.right)
    return [...unwrap(definition.left, value), ...unwrap(definition.right, value)];
  if (!definition.options) return [schema];
  const members = definition.options.flatMap((option) => unwrap(option, value));
  const key = definition.discriminator;
  const chosen = key ? members.filter((member) => literals(member, key).includes(String(valueAt(value, [key])))) : [];
  return chosen.length > 0 ? chosen : members;
}

function schemasAt(schema: z.ZodType, path: Path, root: unknown): z.ZodType[] {
  let at = [schema];
  for (let i = 0; i < path.length; i++) {
    const value = valueAt(root, path.slice(0, i));
    at = at
      .flatMap((one) => unwrap(one, value))
      .flatMap((one) => {
        const definition = definitionOf(one);
        const next = definition.shape?.[path[i]!] ?? definition.valueType ?? definition.element;
        return next ? [next] : [];
      });
  }
  return at;
}

function keysAt(schema: z.ZodType, path: Path, root: unknown): Set<string> {
  const value = valueAt(root, path);
  const found = schemasAt(schema, path, root).flatMap((one) => unwrap(one, value));
  return new Set(found.flatMap((one) => Object.keys(definitionOf(one).shape ?? {})));
}

function literals(member: z.ZodType, key: string): string[] {
  const field = definitionOf(member).shape?.[key];
  if (!field) return [];
  return unwrap(field, undefined).flatMap((one) => {
    const definition = definitionOf(one);
    return [...(definition.values ?? []), ...Object.values(definition.entries ?? {})].map(String);
  });
}

function discriminators(schemas: z.ZodType[], key: string): string[] {
  const members = schemas.flatMap((schema) => unwrap(schema, undefined));
  return [...new Set(members.flatMap((member) => literals(member, key)))];
}

// ── Places in a YAML file ──

/** `line:column` of a key in a parsed YAML file, or of the nearest place around it that exists. */
export function locate(root: Node | null, path: Path, lines: LineCounter): string {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : undefined) === String(key));
      if (!pair) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

/** One error for all problems, each on its own line. */
export function problemsError(code: string, file: string, problems: (Problem & { place: string })[]): ConfigError {
  const rank = ({ place }: { place: string }) =>
    place
      .split(":")
      .slice(-2)
      .map((part) => Number.parseInt(part, 10) || 0);
  const sorted = problems.toSorted((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0]! - y[0]! || (x[1] ?? 0) - (y[1] ?? 0);
  });
  const width = Math.max(...sorted.map(({ place }) => place.length));
  const list = sorted.map(
    ({ place, path, message }) =>
      `  ${place.padEnd(width)}  ${path.length > 0 ? `${formatPath(path)}: ` : ""}${message}`,
  );
  return new ConfigError(code, {
    message: `${problems.length === 1 ? "one problem" : `${problems.length} problems`}, nothing was started\n${list.join("\n")}`,
    where: file,
    remedy: "correct the settings and run the same command again",
    fields: {
      problems: sorted.map(({ place, path, message }) => ({ place, key: formatPath(path), message })),
    },
  });
}

/**
 * A command is a value: name, description, arguments and options with units and defaults, two examples, `run`. Help is
 * rendered from it, its arguments are parsed by it, and nothing about it is written twice.
 */
import { parseArgs } from "node:util";
import { ConfigError } from "../core/index.ts";
import { closest } from "../core/suggest.ts";

export interface Positional {
  name: string;
  description: string;
  /** Default true. */
  required?: boolean;
  /** Takes all that follow; only the last one may. */
  variadic?: boolean;
}

export interface Option {
  description: string;
  /** "flag" carries no value; the others name what the value is. */
  type: "flag" | "text" | "path" | "number" | "count";
  /** One letter. */
  short?: string;
  /** What stands in the help for the value, with its unit: "tokens", "GiB". */
  value?: string;
  default?: string | number;
  /** May be given several times; the value is then a list. */
  multiple?: boolean;
  required?: boolean;
}

/** Parsed values by option name. Absent options without default are undefined. */
export interface Values {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  flag(name: string): boolean;
  list(name: string): string[];
}

export interface Invocation {
  positionals: string[];
  values: Values;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** The command as typed, for messages that say how to resume. */
  commandLine: string;
}

export interface Command {
  /** "corpus build": words as typed. */
  name: string;
  summary: string;
  /** Some sentences below the summary. */
  description?: string;
  positionals?: Positional[];
  options?: Record<string, Option>;
  examples: [{ command: string; does: string }, { command: string; does: string }];
  run(invocation: Invocation): Promise<void>;
}

/** Options that every command has. */
const COMMON: Record<string, Option> = {
  json: { type: "flag", description: "print the result as JSON on stdout" },
  quiet: { type: "flag", short: "q", description: "no progress on stderr" },
  help: { type: "flag", short: "h", description: "this text" },
};

export const optionsOf = (command: Command): Record<string, Option> => ({ ...command.options, ...COMMON });

/** A mistake in the command line itself: exit code 2. */
export class UsageError extends ConfigError {}

/** Parses the words after the command's name. @throws {UsageError} naming the word and what is possible. */
export function parseCommand(command: Command, words: string[]): { positionals: string[]; values: Values } {
  const options = optionsOf(command);
  const usage = (message: string, remedy = `meditron ${command.name} --help`): UsageError =>
    new UsageError("CLI_USAGE", { message, where: `meditron ${command.name}`, remedy });
  const { tokens } = parseArgs({
    args: words,
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [
        name,
        {
          type: option.type === "flag" ? "boolean" : "string",
          ...(option.short ? { short: option.short } : {}),
        } as const,
      ]),
    ),
  });
  const given = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = options[token.name];
    if (!option) {
      const near = closest(token.name, Object.keys(options));
      throw usage(
        `unknown option ${token.rawName}`,
        near ? `did you mean --${near}? (meditron ${command.name} --help)` : undefined,
      );
    }
    if (option.type === "flag" && token.value !== undefined) throw usage(`${token.rawName} takes no value`);
    if (option.type !== "flag" && token.value === undefined) throw usage(`${token.rawName} needs a value`);
    if (option.type === "number" || option.type === "count") {
      const number = Number(token.value);
      const whole = option.type === "count";
      if (token.value === "" || !Number.isFinite(number) || (whole && (!Number.isInteger(number) || number < 0)))
        throw usage(`${token.rawName} needs a ${whole ? "whole number" : "number"}, not "${token.value}"`);
    }
    const before = given.get(token.name) ?? [];
    if (before.length > 0 && !option.multiple && option.type !== "flag") throw usage(`${token.rawName} is given twice`);
    given.set(token.name, [...before, token.value ?? true]);
  }
  if (!given.has("help")) {
    for (const [name, option] of Object.entries(options))
      if (option.required && !given.has(name)) throw usage(`--${name} is missing: ${option.description}`);
    const expected = command.positionals ?? [];
    const missing = expected.filter((one, i) => one.required !== false && positionals[i] === undefined)[0];
    if (missing) throw usage(`<${missing.name}> is missing: ${missing.description}`);
    if (positionals.length > expected.length && !expected.at(-1)?.variadic)
      throw usage(`unexpected "${positionals[expected.length]}"`);
  }
  const last = (name: string) => given.get(name)?.at(-1);
  const known = (name: string): Option => {
    const option = options[name];
    if (!option) throw new Error(`the command asks for an option it does not declare: ${name}`);
    return option;
  };
  return {
    positionals,
    values: {
      text(name) {
        const value = last(name) ?? known(name).default;
        return value === undefined ? undefined : String(value);
      },
      number(name) {
        const value = last(name) ?? known(name).default;
        return value === undefined ? undefined : Number(value);
      },
      flag: (name) => known(name) && given.has(name),
      list: (name) => (known(name) && given.get(name)?.map(String)) || [],
    },
  };
}

/** The text of `meditron <command> --help`. */
export function renderHelp(command: Command): string {
  const positionals = command.positionals ?? [];
  const shown = positionals.map(({ name, required, variadic }) => {
    const word = variadic ? `${name} ...` : name;
    return required === false ? `[${word}]` : `<${word}>`;
  });
  const optionRows = Object.entries(optionsOf(command)).map(([name, option]): [string, string] => {
    const value = option.type === "flag" ? "" : ` <${option.value ?? (option.type === "path" ? "path" : option.type)}>`;
    const extras = [
      option.required ? "required" : "",
      option.multiple ? "may be repeated" : "",
      option.default === undefined ? "" : `default ${option.default}`,
    ].filter(Boolean);
    return [
      `${option.short ? `-${option.short}, ` : "    "}--${name}${value}`,
      option.description + (extras.length > 0 ? ` (${extras.join(", ")})` : ""),
    ];
  });
  const parts = [
    `meditron ${command.name}: ${command.summary}`,
    `Usage\n  meditron ${[command.name, ...shown].join(" ")} [options]`,
    ...(command.description ? [command.description] : []),
    ...(positionals.length > 0
      ? [`Arguments\n${columns(positionals.map(({ name, description }) => [name, description]))}`]
      : []),
    `Options\n${columns(optionRows)}`,
    `Examples\n${command.examples.map(({ command: line, does }) => `  # ${does}\n  ${line}`).join("\n")}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Two aligned columns, indented by two. */
export function columns(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n");
}

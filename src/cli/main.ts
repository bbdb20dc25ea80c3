#!/usr/bin/env node
/** `meditron`: finds the command, parses its arguments, runs it, and turns whatever happens into an exit code. */
import { existsSync, realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { CancelledError, formatError, MeditronError } from "../core/index.ts";
import { closest } from "../core/suggest.ts";
import { VERSION } from "../core/version.ts";
import { type Command, columns, parseCommand, renderHelp, UsageError } from "./command.ts";
import { commands } from "./commands/index.ts";

const EXIT = { failed: 1, usage: 2, cancelled: 130 } as const;

/** The text of `meditron --help`. */
export function renderOverview(): string {
  return [
    `meditron ${VERSION}: from raw medical sources to an evaluated, served medical language model`,
    "Usage\n  meditron <command> [options]",
    `Commands\n${columns(commands.map(({ name, summary }) => [name, summary]))}`,
    "meditron <command> --help shows a command's options and two examples.",
    "Start here\n  meditron doctor   # is this machine ready?\n  meditron demo     # the whole line on invented sources, in minutes",
  ]
    .join("\n\n")
    .concat("\n");
}

/** The command that the first words name, the longest name first ("corpus build"). */
function findCommand(words: string[]): { command: Command; rest: string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = words.length >= length ? commands.find((one) => one.name === name) : undefined;
    if (command) return { command, rest: words.slice(length) };
  }
  const names = commands.map(({ name }) => name);
  const group = names.filter((name) => name.startsWith(`${words[0]} `));
  if (group.length > 0)
    throw new UsageError("CLI_USAGE", {
      message: words[1] ? `"${words[0]}" has no command "${words[1]}"` : `"${words[0]}" needs one more word`,
      where: "meditron",
      remedy: group.map((name) => `meditron ${name}`).join(" · "),
    });
  const near = closest(words[0]!, names);
  throw new UsageError("CLI_USAGE", {
    message: `there is no command "${words[0]}"`,
    where: "meditron",
    remedy: near ? `did you mean "meditron ${near}"?` : "meditron --help lists all",
  });
}

/** Runs one command line. @returns the exit code. */
export async function main(words: string[]): Promise<number> {
  if (words[0] === "--version" || words[0] === "-V") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (words.length === 0 || words[0] === "--help" || words[0] === "-h" || words[0] === "help") {
    if (words[0] === "help" && words.length > 1) return main([...words.slice(1), "--help"]);
    process.stdout.write(renderOverview());
    return 0;
  }
  let json = false;
  const controller = new AbortController();
  let interrupts = 0;
  const interrupt = () => {
    if (++interrupts > 1) process.exit(EXIT.cancelled);
    process.stderr.write("\nstopping after the work in hand is saved; Ctrl-C again stops at once\n");
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const { command, rest } = findCommand(words);
    json = rest.includes("--json");
    const { positionals, values } = parseCommand(command, rest);
    if (values.flag("help")) {
      process.stdout.write(renderHelp(command));
      return 0;
    }
    if (values.flag("quiet")) process.env.MEDITRON_PROGRESS = "off";
    await command.run({ positionals, values, signal: controller.signal, commandLine: shellLine(words) });
    return 0;
  } catch (error) {
    const expected = error instanceof MeditronError;
    if (json && expected) {
      const { code, message, where, remedy, fields } = error;
      process.stdout.write(`${JSON.stringify({ error: { code, message, where, remedy, ...fields } })}\n`);
    }
    if (!expected) process.stderr.write("this is a bug in meditron; please report it with the lines below\n");
    process.stderr.write(`${formatError(error)}\n`);
    if (error instanceof CancelledError) return EXIT.cancelled;
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** The command as it can be pasted into a shell. */
function shellLine(words: string[]): string {
  const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
  return ["meditron", ...words.map(quote)].join(" ");
}

// A closed pipe (`meditron ... | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// npm's bin entry is a link to this file.
const entry = process.argv[1];
if (entry && existsSync(entry) && import.meta.url === pathToFileURL(realpathSync(entry)).href)
  process.exitCode = await main(process.argv.slice(2));

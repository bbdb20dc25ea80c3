/** `prepare`: commands of the recipe that make its sources, without a shell. Their output goes to a log file. */
import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { CancelledError, ConfigError } from "../../core/index.ts";
import type { Stage } from "../graph.ts";

export interface PrepareOptions {
  commands: (string | number)[][];
  /** Folder in which the commands run: the recipe's. */
  workingDirectory: string;
  runDirectory: string;
}

export function prepareStage({ commands, workingDirectory, runDirectory }: PrepareOptions): Stage {
  const lines = commands.map((command) => command.map(String));
  return {
    id: "prepare",
    needs: [],
    settings: lines,
    // A program named in a command is an input: a new version of it makes new sources.
    files: lines
      .flat()
      .map((word) => resolve(workingDirectory, word))
      .filter((path, i) => isProgram(lines.flat()[i]!) && existsSync(path) && !path.startsWith(runDirectory)),
    folder: "sources",
    async run({ signal }) {
      await mkdir(join(runDirectory, "logs"), { recursive: true });
      const log = join(runDirectory, "logs", "prepare.log");
      for (const [i, words] of lines.entries()) {
        // The Node that runs this is the one that a recipe means.
        const program = words[0] === "node" ? process.execPath : words[0]!;
        await execute(program, words.slice(1), { workingDirectory, log, signal, place: `prepare[${i}]` });
      }
      const { files, bytes } = await measure(join(runDirectory, "sources"));
      return { counts: { commands: lines.length, files, bytes }, product: { files, bytes } };
    },
  };
}

const isProgram = (word: string) => isAbsolute(word) || /\.[cm]?[jt]s$|\.py$|\.sh$/.test(word);

function execute(
  program: string,
  words: string[],
  options: { workingDirectory: string; log: string; signal: AbortSignal; place: string },
): Promise<void> {
  const { workingDirectory, log, signal, place } = options;
  return new Promise((done, fail) => {
    const output = createWriteStream(log, { flags: "a" });
    output.write(`$ ${[program, ...words].join(" ")}\n`);
    const child = spawn(program, words, { cwd: workingDirectory, signal, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.pipe(output, { end: false });
    child.stderr.pipe(output, { end: false });
    child.on("error", (cause) => {
      output.end();
      if (signal.aborted) return fail(new CancelledError());
      fail(
        new ConfigError("PREPARE_NOT_FOUND", {
          message: `cannot start "${program}": ${cause.message}`,
          where: place,
          remedy: "check the program's name and that it is installed",
          cause,
        }),
      );
    });
    child.on("close", (code, killed) => {
      output.end(async () => {
        if (signal.aborted) return fail(new CancelledError());
        if (code === 0) return done();
        const tail = (await readFile(log, "utf8")).trimEnd().split("\n").slice(-5).join("\n    ");
        fail(
          new ConfigError("PREPARE_FAILED", {
            message: `"${[program, ...words].join(" ")}" ended with ${killed ?? `exit code ${code}`}; its last lines:\n    ${tail}`,
            where: place,
            remedy: `its whole output is in ${log}; correct the command and run again`,
          }),
        );
      });
    });
  });
}

async function measure(folder: string): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    files++;
    bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return { files, bytes };
}

/** The command line as a user starts it: a process of its own, from source. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunEvent } from "../../src/run/events.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const TINY = join(ROOT, "test", "e2e", "tiny.yaml");

export interface Finished {
  /** null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  finished: Promise<Finished>;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left running. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

export function startCli(...words: string[]): Started {
  const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "src", "cli", "main.ts"), ...words], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    // Results do not depend on threads; two test files with two threads each on two cores would only wait for each other.
    env: { ...process.env, MEDITRON_THREADS: "1" },
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout!.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text) => (stderr += text));
  const finished = new Promise<Finished>((done) =>
    child.on("close", (code) => {
      running.delete(child);
      done({ code, stdout, stderr });
    }),
  );
  return { child, finished };
}

/** Runs a command to its end. */
export const cli = (...words: string[]): Promise<Finished> => startCli(...words).finished;

/** Events of a run directory that may still be written to. */
export function eventsOf(directory: string): RunEvent[] {
  let text: string;
  try {
    text = readFileSync(join(directory, "events.jsonl"), "utf8");
  } catch {
    return [];
  }
  return text
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as RunEvent];
      } catch {
        return []; // half a line of a process that was killed
      }
    });
}

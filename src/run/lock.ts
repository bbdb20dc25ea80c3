/**
 * One process at a time in a run directory. The lock is a file that names its owner; an owner that no longer lives (killed,
 * machine restarted) leaves a stale lock, which the next process takes over.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../core/index.ts";

interface Owner {
  pid: number;
  host: string;
  /** Start of the process in clock ticks since boot, where /proc tells: process ids are used again. */
  born: string;
  since: string;
}

/** Held while a run works in its directory. */
export class RunLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** @throws {ConfigError} RUN_IN_USE while another live process holds it. */
  static take(directory: string): RunLock {
    const path = join(directory, "run.lock");
    const owner: Owner = {
      pid: process.pid,
      host: hostname(),
      born: born(process.pid),
      since: new Date().toISOString(),
    };
    const text = JSON.stringify(owner);
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        writeFileSync(path, text, { flag: "wx" });
        return new RunLock(path, text);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const held = readText(path);
      if (held === undefined) continue;
      const other = parse(held);
      if (other && lives(other))
        throw new ConfigError("RUN_IN_USE", {
          message: `process ${other.pid} on ${other.host} has worked in this run directory since ${other.since}`,
          where: directory,
          remedy: `wait for it, stop it (kill -INT ${other.pid}), or choose another directory with --runs or --name`,
        });
      takeAway(path, held);
    }
    throw new ConfigError("RUN_IN_USE", {
      message: "other processes keep taking this run directory",
      where: directory,
      remedy: `if none is left, remove ${path}`,
    });
  }

  release(): void {
    if (readText(this.#path) === this.#text) rmSync(this.#path, { force: true });
  }
}

/** Whether a live process works in a run directory. */
export function isLocked(directory: string): boolean {
  const held = readText(join(directory, "run.lock"));
  const owner = held === undefined ? undefined : parse(held);
  return owner !== undefined && lives(owner);
}

/** Moves a stale lock aside. If another process replaced it meanwhile, its lock is put back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // gone already
  }
  if (readText(aside) === stale) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined; // half written by a process that was killed
  }
}

function lives(owner: Owner): boolean {
  if (owner.host !== hostname()) return true; // a shared file system: only its own machine can tell
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return owner.born === born(owner.pid);
}

/** Field 22 of /proc/<pid>/stat; empty on other systems, where only the process id is compared. */
function born(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

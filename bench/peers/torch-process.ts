/** The PyTorch side of a comparison: a process that prepares one variant and runs steps when told. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repository } from "../root.ts";

const PYTHON = join(repository, ".venv", "bin", "python");

/** Why there is no PyTorch to compare with, or undefined. */
export function missingPeer(): string | undefined {
  return existsSync(PYTHON) ? undefined : "no .venv with PyTorch (npm run setup:torch): ours alone";
}

export class TorchProcess {
  readonly name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #ended = false;
  readonly #waiting: ((answer: Record<string, unknown>) => void)[] = [];

  constructor(name: string, script: string, environment: Record<string, string> = {}) {
    this.name = name;
    this.#child = spawn(PYTHON, [join(repository, "bench", "peers", script)], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, HF_HUB_OFFLINE: "1", ...environment },
    }) as unknown as ChildProcessWithoutNullStreams;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      // Libraries may print; answers are JSON objects.
      if (line.startsWith("{")) this.#waiting.shift()?.(JSON.parse(line) as Record<string, unknown>);
    });
    this.#child.on("close", () => {
      this.#ended = true;
      for (const answer of this.#waiting.splice(0)) answer({ error: "the process ended" });
    });
    this.#child.stdin.on("error", () => {});
  }

  ask(command: Record<string, unknown>): Promise<Record<string, unknown>> {
    if (this.#ended) return Promise.resolve({ error: "the process ended" });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** Ends the process. */
  close(): void {
    this.#child.kill("SIGKILL");
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../test/support/evaluate-once.ts", import.meta.url));
const lines = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0);
const untimed = (text: string) => text.replace(/"milliseconds":[\d.]+/g, "");

function start(benchmark: string, directory: string): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", script, benchmark, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}
const ended = (child: ChildProcess) =>
  new Promise<string>((resolve) => {
    let out = "";
    child.stdout!.on("data", (chunk) => {
      out += chunk;
    });
    child.on("close", () => resolve(out));
  });

test("killed with SIGKILL at three places, the run ends with the file of one never killed", {
  timeout: 180_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "meditron-kill-"));
  const benchmark = join(folder, "test.jsonl");
  const items = Array.from({ length: 120 }, (_, i) => ({
    id: `q${i}`,
    question: `Question number ${i}?`,
    options: { A: `a${i}`, B: `b${i}`, C: `c${i}` },
    answer: "ABC"[i % 3],
  }));
  writeFileSync(benchmark, items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  const whole = await ended(start(benchmark, join(folder, "whole")));
  const path = (name: string) => join(folder, name, "option-log-likelihood", "items.jsonl");

  for (const atLeast of [5, 40, 80]) {
    const before = lines(path("killed"));
    const child = start(benchmark, join(folder, "killed"));
    const over = ended(child);
    while (lines(path("killed")) < Math.max(atLeast, before + 1) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill("SIGKILL");
    await over;
    // Nothing finished before is ever lost.
    expect(lines(path("killed"))).toBeGreaterThanOrEqual(Math.max(atLeast, before));
  }
  expect(await ended(start(benchmark, join(folder, "killed")))).toBe(whole);
  expect(untimed(readFileSync(path("killed"), "utf8"))).toBe(untimed(readFileSync(path("whole"), "utf8")));
});

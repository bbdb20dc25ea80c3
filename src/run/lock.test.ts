import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunLock } from "./lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "meditron-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("a second holder is refused with the first one's process id, and let in after release", () => {
  const lock = RunLock.take(directory);
  expect(() => RunLock.take(directory)).toThrow(
    `process ${process.pid} on ${hostname()} has worked in this run directory`,
  );
  lock.release();
  RunLock.take(directory).release();
  expect(existsSync(join(directory, "run.lock"))).toBe(false);
});

test("the lock of a killed process is taken over", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const born = "not asked for";
  writeFileSync(join(directory, "run.lock"), JSON.stringify({ pid: child.pid, host: hostname(), born, since: "" }));
  child.kill("SIGKILL");
  await once(child, "exit");
  RunLock.take(directory).release();
});

test("a process id that was given to another process holds nothing; half a lock file neither", () => {
  const path = join(directory, "run.lock");
  if (process.platform === "linux") {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), born: "1", since: "" }));
    RunLock.take(directory).release();
  }
  writeFileSync(path, '{"pid": 12');
  RunLock.take(directory).release();
});

test("a lock of another machine stands: only that machine can tell whether its process lives", () => {
  writeFileSync(join(directory, "run.lock"), JSON.stringify({ pid: 1, host: "another", born: "", since: "yesterday" }));
  expect(() => RunLock.take(directory)).toThrow(
    "process 1 on another has worked in this run directory since yesterday",
  );
});

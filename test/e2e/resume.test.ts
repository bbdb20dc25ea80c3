/**
 * Kill -9 anywhere, start again, and the finished run has the same bytes as one that was never killed. Really killed: the
 * process is a child, and the points are chosen by what its event log says.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunEvent } from "../../src/run/events.ts";
import { cli, eventsOf, killAll, startCli, TINY } from "./cli.ts";

let folder: string;
let sources: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "meditron-resume-"));
  // One set of sources for all runs; `prepare` itself is tested in tiny.test.ts.
  const made = await cli("run", TINY, "--runs", folder, "--name", "made", "--only", "prepare");
  expect(made.stderr).toContain("✓ prepare");
  sources = join(folder, "made", "sources");
}, 300_000);
afterAll(async () => {
  killAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const run = (name: string) => [
  "run",
  TINY,
  "--runs",
  folder,
  "--name",
  name,
  "--set",
  "prepare=[]",
  "--set",
  `variables.sources=${sources}`,
];

/** What must be equal: every product of the run, without times and speeds. */
function products(name: string): Record<string, string> {
  const root = join(folder, name);
  const hashes: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const file = relative(root, path);
    if (!entry.isFile()) continue;
    let bytes: string | Buffer = readFileSync(path);
    if (
      /^(corpus|tokens)\/.*\.(zst|bin|idx)$|^perplexity\/|^curve\/.*points\.json$|^tokenizer\/tokenizer\.json$|\.safetensors$/.test(
        file,
      )
    )
      hashes[file] = sha256(bytes);
    else if (/^train\/.*\/events\.jsonl$|^(eval|curve)\/.*\/items\.jsonl$/.test(file)) {
      bytes = bytes.toString().replaceAll(/"(time|tokensPerSecond|seconds|milliseconds)":("[^"]*"|[-+.\de]+),?/g, "");
      hashes[file] = sha256(bytes);
    }
  }
  return hashes;
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

/** Starts the run and kills it as soon as an event of this attempt says so. @returns whether it was killed. */
async function killWhen(name: string, enough: (event: RunEvent) => boolean): Promise<boolean> {
  const directory = join(folder, name);
  const before = eventsOf(directory).length;
  const { child, finished } = startCli(...run(name));
  let killed = false;
  const timer = setInterval(() => {
    if (killed || !eventsOf(directory).slice(before).some(enough)) return;
    killed = true;
    child.kill("SIGKILL");
  }, 5);
  const { stderr } = await finished;
  clearInterval(timer);
  if (!killed) throw new Error(`the run ended before it could be killed:\n${stderr}`);
  return killed;
}

const starts = (stage: string) => (event: RunEvent) => event.event === "stage-start" && event.stage === stage;
const step = (stage: string, n: number) => (event: RunEvent) =>
  event.event === "step-end" && event.stage === stage && event.step >= n;

test("killed at six points and resumed each time, a run ends with the bytes of one never killed", {
  timeout: 900_000,
}, async () => {
  const whole = await cli(...run("whole"));
  expect(whole.code, whole.stderr).toBe(0);
  for (const point of [
    starts("corpus.medical"),
    starts("tokens.medical"),
    step("train.base", 3), // before the first checkpoint
    step("train.continued", 17), // between checkpoints
    starts("eval.finetuned.medical"),
    starts("curve.continued.medical"),
  ])
    await killWhen("killed", point);
  const resumed = await cli(...run("killed"));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/train\.continued: up to date/);
  expect(products("killed")).toEqual(products("whole"));
  expect(Object.keys(products("whole")).length).toBeGreaterThan(25);

  const again = await cli(...run("killed"));
  expect(again.stderr.match(/up to date/g)).toHaveLength(15); // 2 corpora, tokenizer, 2 token sets, 3 trainings, 3 evaluations, curve, 2 perplexities, report
});

test("Ctrl-C saves, says how to resume and exits with 130; meanwhile a second process is refused", {
  timeout: 300_000,
}, async () => {
  const directory = join(folder, "stopped");
  const { child, finished } = startCli(...run("stopped"));
  while (!eventsOf(directory).some(step("train.base", 2))) await new Promise((done) => setTimeout(done, 5));
  const second = startCli(...run("stopped")).finished;
  const refused = await second;
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`RUN_IN_USE at ${directory}: process ${child.pid} on `);
  child.kill("SIGINT");
  const stopped = await finished;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain(`resume with: meditron run ${TINY} --runs ${folder} --name stopped`);
  expect(eventsOf(directory).at(-1)).toMatchObject({ event: "run-cancelled" });
});

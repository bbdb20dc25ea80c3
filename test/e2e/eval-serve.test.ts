/** `meditron eval` against `meditron serve`, both real processes; the server is killed and started again during the run. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import type { ItemRecord, Summary } from "../../src/eval/index.ts";
import { makeTestModel } from "../../src/serve/test-model.ts";
import { cli, killAll, type Started, startCli } from "./cli.ts";

afterAll(killAll);

const folder = mkdtempSync(join(tmpdir(), "meditron-eval-serve-"));
const lines = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : []);

function writeBenchmark(count: number): string {
  const path = join(folder, "questions.jsonl");
  const items = Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    question: `The fever of patient ${i}?`,
    options: { A: "a cause", B: "the infection", C: "the patient" },
    answer: "ABC"[i % 3],
    subject: `s${i % 2}`,
  }));
  writeFileSync(path, items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  return path;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function serve(model: string, port: number): Promise<Started> {
  const started = startCli("serve", model, "--port", String(port), "--requests-per-minute", "0");
  for (let i = 0; i < 600; i++) {
    if (
      await fetch(`http://127.0.0.1:${port}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return started;
    await sleep(50);
  }
  throw new Error("meditron serve did not start");
}

test("an endpoint that dies and comes back costs waiting, no answers; scores are those of the model itself", {
  timeout: 240_000,
}, async () => {
  const model = await makeTestModel({ contextTokens: 256 });
  const benchmark = writeBenchmark(150);
  const port = await freePort();
  let server = await serve(`tiny=${model}`, port);
  const out = join(folder, "out");
  const run = startCli(
    "eval",
    ...["--model", `remote=http://127.0.0.1:${port}/v1#tiny`, "--model", `local=${model}`],
    ...["--benchmark", benchmark, "--out", out, "--json"],
    ...["--set", "endpoint.concurrency=2", "--set", "endpoint.contextTokens=256", "--set", "endpoint.retryDelayMs=100"],
    ...["--set", "endpoint.retries=30"],
  );
  const items = join(out, "remote", "option-log-likelihood", "items.jsonl");
  while (lines(items).length < 20 && run.child.exitCode === null) await sleep(5);
  const before = lines(items).length;
  server.child.kill("SIGKILL");
  await server.finished;
  server = await serve(`tiny=${model}`, port);
  const { code, stdout, stderr } = await run.finished;
  server.child.kill("SIGTERM");
  expect(stderr).not.toContain("→");
  expect(code).toBe(0);
  expect(before).toBeGreaterThanOrEqual(20);
  expect(before).toBeLessThan(150);
  const { summaries, comparisons } = JSON.parse(stdout) as { summaries: Summary[]; comparisons: object[] };
  const [remote, local] = summaries as [Summary, Summary];
  expect(remote.usage!.retries).toBeGreaterThan(0);
  expect(remote.usage!.promptTokens).toBeGreaterThan(0);
  expect(remote.scores).toEqual(local.scores);
  expect(comparisons).toMatchObject([{ first: "remote", second: "local", difference: 0, verdict: "within noise" }]);
  const scoresOf = (name: string) =>
    lines(join(out, name, "option-log-likelihood", "items.jsonl")).map((line) => {
      const { id, logLikelihoods } = JSON.parse(line) as ItemRecord;
      return [id, ...Object.values(logLikelihoods!).map(({ logLikelihood }) => logLikelihood)] as [string, ...number[]];
    });
  for (const [i, [id, ...own]] of scoresOf("local").entries()) {
    const [otherId, ...other] = scoresOf("remote")[i]!;
    expect(otherId).toBe(id);
    // One sum of log-probabilities in float32 beside another in a batch of its own: ε ≈ 1e-7 of values near 10.
    for (const [k, value] of own.entries()) expect(other[k]).toBeCloseTo(value, 4);
  }
});

test("the table: micro and macro accuracy, baseline, comparison; settings by --set; a mistake is named", {
  timeout: 120_000,
}, async () => {
  const model = await makeTestModel({ contextTokens: 256 });
  const benchmark = writeBenchmark(9);
  const ask = (...words: string[]) =>
    cli("eval", "--model", `tiny=${model}`, "--benchmark", benchmark, "--out", join(folder, "table"), ...words);
  const { stdout, code } = await ask("--solver", "greedy", "--set", "ask.options=hidden", "--set", "ask.rotations=2");
  expect(code).toBe(0);
  expect(stdout).toMatch(/model +benchmark +solver +shots +accuracy \(micro\) +macro/);
  expect(stdout).toMatch(/tiny +multiple-choice +greedy-cloze +0/);
  const wrong = await ask("--set", "ask.optons=hidden");
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('did you mean "options"?');
});

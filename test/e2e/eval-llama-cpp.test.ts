/**
 * llama.cpp, both ways: its HTTP server as an endpoint (killed and started again during a run), and a GGUF file in this process.
 * The same weights in our own engine say what the answers must be. The server comes from the Python package xllamacpp.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate, type ItemRecord, loadBenchmark, readRecords } from "../../src/eval/index.ts";
import { exportGguf } from "../../src/export/index.ts";
import { loadModel } from "../../src/model/index.ts";
import { referenceKernels } from "../../src/native/reference.ts";
import { connectEndpoint, type LanguageModel, loadEmbedded, loadGguf } from "../../src/providers/index.ts";
import { makeTestModel } from "../../src/serve/test-model.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { ROOT } from "./cli.ts";

const python = join(ROOT, ".venv", "bin", "python");
const hasServer = (() => {
  try {
    execFileSync(python, ["-c", "import xllamacpp"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
const contextTokens = 256;
const folder = mkdtempSync(join(tmpdir(), "meditron-llama-cpp-"));
const gguf = join(folder, "tiny.gguf");
let directory: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  directory = await makeTestModel({ contextTokens });
  await silenceSpecialTokens(directory);
  await exportGguf(directory, gguf, { type: "f32", name: "tiny" });
}, 60_000);
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Tokens that print as nothing get no say, so that every greedy text is one to compare. */
async function silenceSpecialTokens(directory: string): Promise<void> {
  const tokenizer = await loadTokenizer(directory);
  const model = await loadModel(directory, { kernels: referenceKernels(), precision: "f32", trainable: false });
  const { head } = model.weights;
  for (let id = 0; id < tokenizer.vocabSize; id++)
    if (tokenizer.decode([id], { skipSpecialTokens: true }) === "")
      head.data.fill(0, id * head.channels, (id + 1) * head.channels);
  await model.save(directory, { dtype: "f32" });
}

async function benchmark(count: number) {
  const items = Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    question: `The fever of patient ${i}?`,
    options: { A: "a cause", B: "the infection", C: "the patient" },
    answer: "ABC"[i % 3],
  }));
  const path = join(folder, `questions-${count}.jsonl`);
  writeFileSync(path, items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  return loadBenchmark(
    { type: "multiple-choice", test: path, license: "CC0-1.0" },
    { name: "fever", directory: folder },
  );
}

async function startServer(port: number): Promise<ChildProcess> {
  const script = join(ROOT, "test", "support", "llama_server.py");
  const child = spawn(python, [script, gguf, String(port), String(contextTokens)], { stdio: "ignore" });
  running.add(child);
  for (let i = 0; i < 600; i++) {
    if (
      await fetch(`http://127.0.0.1:${port}/health`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return child;
    await sleep(50);
  }
  throw new Error("llama.cpp's server did not start");
}

const kill = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.kill("SIGKILL");
  });

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const outputsOf = async (at: string) =>
  (await readRecords<ItemRecord>(join(at, "greedy-6-tokens", "items.jsonl"))).records.map(({ id, outputs }) => [
    id,
    outputs![0],
  ]);

describe.skipIf(!hasServer)("llama.cpp's server (needs xllamacpp: pip install -r test/requirements.txt)", () => {
  test("killed and restarted during a run: every answer arrives, and they are our engine's", {
    timeout: 240_000,
  }, async () => {
    const set = await benchmark(30);
    const port = await freePort();
    let server = await startServer(port);
    const endpoint = await connectEndpoint({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model: "tiny",
      contextTokens,
      concurrency: 1,
      retries: 30,
      retryDelayMs: 100,
    });
    // It scores no prompts, says so before the run, and names what works.
    await expect(evaluate(endpoint, set, { directory: join(folder, "refused") })).rejects.toMatchObject({
      code: "EVAL_UNSUPPORTED",
      remedy: "solvers that work: greedy, chain-of-thought, self-consistency",
    });
    expect(existsSync(join(folder, "refused"))).toBe(false);
    const at = join(folder, "served");
    let restarted: Promise<void> | undefined;
    const summary = await evaluate(endpoint, set, {
      directory: at,
      solver: "greedy",
      maxTokens: 6,
      onProgress({ done }) {
        if (done !== 8 || restarted) return;
        restarted = kill(server).then(async () => {
          server = await startServer(port);
        });
      },
    });
    await restarted;
    await kill(server);
    expect(summary.usage!.retries).toBeGreaterThan(0);
    expect(summary.usage!.completionTokens).toBeGreaterThan(0);
    const model = await loadEmbedded({ directory, precision: "f32" });
    await evaluate(model, set, { directory: join(folder, "own"), solver: "greedy", maxTokens: 6 });
    await model.close();
    expect(await outputsOf(at)).toEqual(await outputsOf(join(folder, "own")));
    expect(readFileSync(join(at, "greedy-6-tokens", "items.jsonl"), "utf8").split("\n")).toHaveLength(31);
  });
});

test("a GGUF file in this process: log-likelihoods and greedy text are our engine's", {
  timeout: 240_000,
}, async () => {
  const set = await benchmark(12);
  const likelihoods = async (model: LanguageModel, at: string) => {
    await evaluate(model, set, { directory: at, solver: "option-text-log-likelihood" });
    await evaluate(model, set, { directory: at, solver: "greedy", maxTokens: 6 });
    await model.close();
    const { records } = await readRecords<ItemRecord>(join(at, "option-text-log-likelihood", "items.jsonl"));
    return records.flatMap(({ logLikelihoods }) =>
      Object.values(logLikelihoods!).map(({ logLikelihood }) => logLikelihood),
    );
  };
  const own = await likelihoods(await loadEmbedded({ directory, precision: "f32" }), join(folder, "own-2"));
  const theirs = await likelihoods(await loadGguf({ path: gguf, contextTokens, gpuLayers: 0 }), join(folder, "gguf"));
  expect(theirs).toHaveLength(own.length);
  // llama.cpp keeps its key-value cache in float16 (ε ≈ 5e-4 of values near 1), over sums of up to 16 tokens.
  for (const [i, value] of own.entries()) expect(Math.abs(theirs[i]! - value)).toBeLessThan(0.02);
  expect(await outputsOf(join(folder, "gguf"))).toEqual(await outputsOf(join(folder, "own-2")));
});

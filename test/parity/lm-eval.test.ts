/** lm-evaluation-harness talks to `meditron serve` as to any other server, and gets the model's own numbers. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openServed, type RunningServer, startServer } from "../../src/serve/index.ts";
import type { LocalModel } from "../../src/serve/served-model.ts";
import { makeTestModel } from "../../src/serve/test-model.ts";

const PYTHON = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
const hasHarness =
  existsSync(PYTHON) &&
  spawnSync(PYTHON, ["-c", "import importlib.util as u; assert u.find_spec('lm_eval') and u.find_spec('tenacity')"])
    .status === 0;

let directory: string;
let served: LocalModel;
let server: RunningServer;

beforeAll(async () => {
  directory = await makeTestModel();
  served = (await openServed({ id: "tiny", target: directory, precision: "f32" })) as LocalModel;
  server = await startServer({ models: [served], port: 0 });
}, 60_000);
afterAll(() => server?.stop());

/** Not `execFileSync`: the server lives in this process. */
async function runHarness(requests: object): Promise<{ scored: [number, boolean][]; written: string[] }> {
  const [input, output] = [join(directory, "requests.json"), join(directory, "answers.json")];
  writeFileSync(input, JSON.stringify(requests));
  const script = fileURLToPath(new URL("lm_eval_completions.py", import.meta.url));
  const child = spawn(PYTHON, [script, `${server.url}/v1/completions`, "tiny", directory, input, output], {
    env: { ...process.env, HF_HUB_OFFLINE: "1", OPENAI_API_KEY: "none" },
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, stderr.slice(-2000)).toBe(0);
  return JSON.parse(readFileSync(output, "utf8"));
}

it.skipIf(!hasHarness)(
  "scores continuations and writes text through local-completions",
  async () => {
    const [best] = await served.model.generate([{ prompt: "the fever has", maxTokens: 3 }]);
    const scored: [string, string][] = [
      ["the patient", " has a fever"],
      ["the patient", " has the cause"],
      ["the fever has", best![0]!.text],
      ["the cause is the infection", " of the patient and 5 µm"],
    ];
    const answers = await runHarness({ scored, written: ["the patient", "the fever has"], stop: ["e"] });
    const direct = await served.model.logLikelihoods(
      scored.map(([context, continuation]) => ({ context, continuation })),
    );
    for (const [i, { logLikelihood, isGreedy }] of direct.entries()) {
      // The same products summed in another order: float32.
      expect(answers.scored[i]![0]).toBeCloseTo(logLikelihood, 3);
      expect(answers.scored[i]![1], scored[i]!.join("|")).toBe(isGreedy);
    }
    expect(direct.map(({ isGreedy }) => isGreedy)).toContain(true);
    const written = await served.model.generate(
      ["the patient", "the fever has"].map((prompt) => ({ prompt, maxTokens: 8, stop: ["e"] })),
    );
    expect(answers.written).toEqual(written.map(([one]) => one!.text));
  },
  120_000,
);

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CompletionsServer } from "../../test/support/completions-server.ts";
import { NgramModel } from "../../test/support/ngram-model.ts";
import { connectEndpoint } from "../providers/openai-compatible.ts";
import { loadBenchmark } from "./benchmarks/index.ts";
import { evaluate } from "./evaluate.ts";

const folder = () => mkdtempSync(join(tmpdir(), "meditron-endpoint-"));
const model = new NgramModel("The answer is: A. The answer is: B. The answer is: B. ", { order: 5 });

test("an evaluation over HTTP: the server dies for good, comes back, and the run goes on to the same scores", async () => {
  const at = folder();
  const items = Array.from({ length: 12 }, (_, i) => ({
    id: `q${i}`,
    question: `Number ${i}?`,
    options: { A: "a", B: "b" },
    answer: "AB"[i % 2],
  }));
  writeFileSync(join(at, "test.jsonl"), items.map((item) => JSON.stringify(item)).join("\n"));
  const set = await loadBenchmark(
    { type: "multiple-choice", path: at, license: "CC0-1.0" },
    { name: "e", directory: "/" },
  );
  const direct = await evaluate(model, set, { directory: folder() });

  const server = await new CompletionsServer(model).start();
  const connect = () =>
    connectEndpoint({
      baseUrl: server.baseUrl,
      model: "m",
      concurrency: 1,
      retries: 1,
      retryDelayMs: 5,
      name: "remote",
    });
  const directory = join(at, "run");
  const first = evaluate(await connect(), set, {
    directory,
    onProgress: ({ done }) => {
      if (done === 5) void server.stop();
    },
  });
  await expect(first).rejects.toMatchObject({ code: "ENDPOINT_UNAVAILABLE", remedy: expect.stringContaining("kept") });
  const path = join(directory, "option-log-likelihood", "items.jsonl");
  const kept = readFileSync(path, "utf8").split("\n").length - 1;
  expect(kept).toBeGreaterThanOrEqual(5);

  await server.start();
  const summary = await evaluate(await connect(), set, { directory });
  await server.stop();
  expect(summary.scores).toEqual(direct.scores);
  // The second session asked for the items that were missing, two options each.
  expect(summary.usage).toMatchObject({ requests: (12 - kept) * 2, retries: 0 });
});

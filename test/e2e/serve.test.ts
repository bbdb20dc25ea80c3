/** `meditron serve` as a process: it says where it is, answers, and on SIGTERM finishes what it began. */
import { rmSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { makeTestModel } from "../../src/serve/test-model.ts";
import { killAll, startCli } from "./cli.ts";

afterAll(killAll);

test("a stream under way when the server is told to stop ends whole; then the process ends", async () => {
  const directory = await makeTestModel({ contextTokens: 1024 });
  const { child, finished } = startCli("serve", `tiny=${directory}`, "--port", "0", "--json");
  const url = await new Promise<string>((resolve) => {
    child.stdout!.once("data", (text) => resolve((JSON.parse(text) as { url: string }).url));
  });
  const answer = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "tiny", prompt: "the", max_tokens: 400, temperature: 1, seed: 1, stream: true }),
  });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  child.kill("SIGTERM");
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  expect(text).toMatch(/"finish_reason":"(length|stop)"/);
  expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
  const { code, stderr } = await finished;
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/"event":"request".*"route":"\/v1\/completions","status":200/);
  await expect(fetch(url)).rejects.toThrow();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

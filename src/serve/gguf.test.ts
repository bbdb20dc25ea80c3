/** A GGUF file behind the API: llama.cpp computes, and the official client sees what it sees of our own engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportGguf } from "../export/index.ts";
import { openServed, type RunningServer, startServer } from "./index.ts";
import { makeTestModel } from "./test-model.ts";

const reason = (() => {
  try {
    createRequire(import.meta.url).resolve("node-llama-cpp");
    return undefined;
  } catch {
    return "node-llama-cpp is not installed";
  }
})();
const CHAT =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

describe.skipIf(reason)(`a GGUF file${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "meditron-serve-gguf-"));
  let directory: string;
  let server: RunningServer;
  let client: OpenAI;

  beforeAll(async () => {
    directory = await makeTestModel({ chatTemplate: CHAT });
    const file = join(folder, "tiny.gguf");
    await exportGguf(directory, file, { type: "f32", name: "tiny" });
    const models = [
      await openServed({ id: "ours", target: directory, precision: "f32" }),
      await openServed({ id: "gguf", target: file, slots: 2, threads: 1 }),
    ];
    server = await startServer({ models, port: 0 });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  }, 60_000);

  afterAll(async () => {
    await server?.stop();
    for (const path of [directory, folder]) if (path) rmSync(path, { recursive: true, force: true });
  });

  it("says where it comes from and carries its chat template", async () => {
    const card = await (await fetch(`${server.url}/v1/models/gguf/card`)).json();
    expect(card).toMatchObject({ engine: "gguf", contextTokens: 96, chatTemplate: "gguf", readme: null });
  });

  it("completes and chats with the same greedy text, whole and as a stream, several at once", async () => {
    const messages = [{ role: "user" as const, content: "the fever" }];
    const settings = { max_tokens: 12, temperature: 0 };
    const texts = async (model: string) => {
      const completion = client.completions.create({ ...settings, model, prompt: ["the patient", "the cause", "the"] });
      const chat = client.chat.completions.create({ ...settings, model, messages });
      const stream = client.chat.completions.stream({ ...settings, model, messages }).finalContent();
      return {
        completions: (await completion).choices.map(({ text, finish_reason }) => [text, finish_reason]),
        chat: (await chat).choices[0]!.message.content,
        stream: await stream,
        usage: [(await completion).usage, (await chat).usage],
      };
    };
    const ours = await texts("ours");
    expect(ours.chat).toMatch(/\w/);
    expect(ours.stream).toBe(ours.chat);
    expect(await texts("gguf")).toEqual(ours);
  });

  it("draws the same samples from the same seed, and stops where it is told", async () => {
    const request = { model: "gguf", prompt: "the patient", max_tokens: 10, temperature: 1, seed: 5, n: 3 };
    const first = await client.completions.create(request);
    expect((await client.completions.create(request)).choices).toEqual(first.choices);
    expect(new Set(first.choices.map(({ text }) => text)).size).toBeGreaterThan(1);
    const { text } = first.choices[0]!;
    const stop = text.slice(3, 6);
    const stopped = await client.completions.create({ ...request, n: 1, stop });
    expect(stopped.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: "stop" });
  });

  it("refuses what this engine does not report, and prompts beyond the context", async () => {
    const ask = { model: "gguf", prompt: "the", max_tokens: 2 };
    await expect(client.completions.create({ ...ask, logprobs: 1 })).rejects.toMatchObject({
      status: 400,
      code: "unsupported",
      param: "logprobs",
    });
    await expect(client.completions.create({ ...ask, prompt: [1, 2] })).rejects.toMatchObject({ param: "prompt" });
    await expect(client.completions.create({ ...ask, prompt: "the fever ".repeat(80) })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
    });
    // A prompt of most of the context is answered with what is left.
    const long = await client.completions.create({ ...ask, prompt: "the fever ".repeat(14), max_tokens: 500 });
    expect(long.usage!.total_tokens).toBeLessThanOrEqual(96);
    expect(long.usage!.prompt_tokens).toBeGreaterThan(48);
  });
});

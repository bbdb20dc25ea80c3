/** The API as the official client sees it. */
import { rmSync } from "node:fs";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServed, type RunningServer, SAFETY_ADVISORY, startServer } from "./index.ts";
import type { LocalModel } from "./served-model.ts";
import { makeTestModel } from "./test-model.ts";

const CHAT =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
let directory: string;
let served: LocalModel;
let server: RunningServer;
let gateway: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  directory = await makeTestModel({ chatTemplate: CHAT });
  served = (await openServed({ id: "tiny", target: directory, precision: "f32" })) as LocalModel;
  server = await startServer({ models: [served], port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  const behind = await openServed({ id: "behind", target: `${server.url}/v1#tiny` });
  gateway = await startServer({ models: [behind], port: 0 });
}, 60_000);

afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe("models", () => {
  it("are listed, found by name, and come with a card that begins with the advisory", async () => {
    const list = await client.models.list();
    expect(list.data.map(({ id }) => id)).toEqual(["tiny"]);
    expect(await client.models.retrieve("tiny")).toMatchObject({
      id: "tiny",
      object: "model",
      advisory: SAFETY_ADVISORY,
    });
    const card = await (await fetch(`${server.url}/v1/models/tiny/card`)).json();
    expect(card).toMatchObject({
      advisory: SAFETY_ADVISORY,
      engine: "embedded",
      contextTokens: 96,
      chatTemplate: "chat_template.jinja",
      license: "apache-2.0",
      baseModel: "tiny/base",
    });
    await expect(client.models.retrieve("other")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("completions", () => {
  it("are the model's own, counted, and ended by a stop", async () => {
    const [direct] = await served.model.generate([{ prompt: "the patient", maxTokens: 12 }]);
    const answer = await client.completions.create({
      model: "tiny",
      prompt: "the patient",
      max_tokens: 12,
      temperature: 0,
    });
    expect(answer.choices[0]!.text).toBe(direct![0]!.text);
    const prompt = served.model.tokenizer!.encode("the patient").length;
    expect(answer.usage).toEqual({
      prompt_tokens: prompt,
      completion_tokens: direct![0]!.tokens.length,
      total_tokens: prompt + direct![0]!.tokens.length,
    });
    const stop = direct![0]!.text.slice(4, 6);
    const stopped = await client.completions.create({
      model: "tiny",
      prompt: "the patient",
      max_tokens: 12,
      temperature: 0,
      stop: [stop],
    });
    expect(stopped.choices[0]).toMatchObject({
      text: direct![0]!.text.slice(0, direct![0]!.text.indexOf(stop)),
      finish_reason: "stop",
    });
  });

  it("draw n samples from a seed, the same again, for each of several prompts, also as token ids", async () => {
    const prompts = ["the patient", "the cause"];
    const request = { model: "tiny", max_tokens: 8, temperature: 1, seed: 7, n: 2 };
    const first = await client.completions.create({ ...request, prompt: prompts });
    const again = await client.completions.create({
      ...request,
      prompt: prompts.map((text) => served.model.tokenizer!.encode(text)),
    });
    expect(first.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(first.choices.map(({ text }) => text)).size).toBeGreaterThan(2);
    expect(again.choices).toEqual(first.choices);
  });

  it("echo the prompt with every token's log-probability, as scored directly", async () => {
    const prompt = "the fever has";
    const answer = await client.completions.create({
      model: "tiny",
      prompt,
      max_tokens: 2,
      temperature: 0,
      echo: true,
      logprobs: 3,
    });
    const { text, logprobs } = answer.choices[0]!;
    const ids = served.model.tokenizer!.encode(prompt);
    expect(text.startsWith(prompt)).toBe(true);
    expect(logprobs!.tokens!.join("")).toBe(text);
    expect(logprobs!.token_logprobs![0]).toBeNull();
    expect(logprobs!.token_logprobs).toHaveLength(ids.length + 2);
    const first = served.model.tokenizer!.decode([ids[0]!]);
    const [direct] = await served.model.logLikelihoods([{ context: first, continuation: text.slice(first.length) }]);
    // The same products in another order of rows: float32 with at most 32 terms a sum.
    for (const [i, nats] of direct!.tokenLogLikelihoods.entries())
      expect(logprobs!.token_logprobs![i + 1]).toBeCloseTo(nats, 4);
    for (const [i, top] of logprobs!.top_logprobs!.entries()) {
      if (i === 0) continue;
      const best = Object.entries(top!).sort((a, b) => b[1] - a[1]);
      expect(best).toHaveLength(3);
      // What was generated greedily is the likeliest.
      if (i >= ids.length) expect(best[0]).toEqual([logprobs!.tokens![i], logprobs!.token_logprobs![i]]);
    }
    const scored = await client.completions.create({ model: "tiny", prompt, max_tokens: 0, echo: true, logprobs: 0 });
    expect(scored.choices[0]).toMatchObject({ text: prompt, logprobs: { top_logprobs: null } });
  });

  it("stream the same text piece by piece", async () => {
    const request = { model: "tiny", prompt: "the", max_tokens: 16, temperature: 1, seed: 3, n: 2 };
    const whole = await client.completions.create(request);
    const texts = ["", ""];
    let events = 0;
    let usage: OpenAI.CompletionUsage | undefined | null;
    for await (const part of await client.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      events++;
      for (const { index, text } of part.choices) texts[index] += text;
      usage ??= part.usage;
    }
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
    expect(events).toBeGreaterThan(4);
    expect(usage).toEqual(whole.usage);
  });
});

describe("chats", () => {
  const messages = [{ role: "user" as const, content: "the fever" }];

  it("go through the model's own template", async () => {
    const answer = await client.chat.completions.create({ model: "tiny", messages, max_tokens: 10, temperature: 0 });
    const [direct] = await served.model.generate([
      { prompt: "<|im_start|>user\nthe fever<|im_end|>\n<|im_start|>assistant\n", maxTokens: 10, stop: ["<|im_end|>"] },
    ]);
    expect(answer.choices[0]!.message).toEqual({ role: "assistant", content: direct![0]!.text, refusal: null });
  });

  it("stream, with the role first and the reason last", async () => {
    const request = { model: "tiny", messages, max_tokens: 10, temperature: 0, seed: 1 };
    const whole = await client.chat.completions.create(request);
    const runner = client.chat.completions.stream(request);
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
    expect(final.choices[0]!.finish_reason).toBe(whole.choices[0]!.finish_reason);
  });

  it("report log-probabilities", async () => {
    const answer = await client.chat.completions.create({
      model: "tiny",
      messages,
      max_tokens: 3,
      temperature: 0,
      logprobs: true,
      top_logprobs: 2,
    });
    const content = answer.choices[0]!.logprobs!.content!;
    expect(content.map(({ token }) => token).join("")).toBe(answer.choices[0]!.message.content);
    for (const { logprob, top_logprobs } of content) expect(top_logprobs[0]!.logprob).toBe(logprob);
  });
});

describe("a gateway", () => {
  it("passes requests on, streams included, under its own name", async () => {
    const through = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "the fever" }];
    const request = { messages, max_tokens: 8, temperature: 0 };
    const direct = await client.chat.completions.create({ ...request, model: "tiny" });
    const whole = await through.chat.completions.create({ ...request, model: "behind" });
    expect(whole.choices).toEqual(direct.choices);
    const streamed = await through.chat.completions.stream({ ...request, model: "behind" }).finalContent();
    expect(streamed).toBe(direct.choices[0]!.message.content);
    await expect(through.completions.create({ model: "tiny", prompt: "x" })).rejects.toMatchObject({ status: 404 });
  });

  it("sends its own key on, says when the server behind refuses it or is not there, and shows the key to nobody", async () => {
    const KEY = "0123456789abcdef0123456789abcdef";
    const guarded = await startServer({ models: [served], port: 0, token: KEY });
    process.env.GATEWAY_TEST_KEY = KEY;
    process.env.GATEWAY_TEST_WRONG_KEY = "wrong";
    const open = (id: string, apiKeyVariable: string) =>
      openServed({ id, target: `${guarded.url}/v1#tiny`, apiKeyVariable });
    const models = [
      await open("right", "GATEWAY_TEST_KEY"),
      await open("wrong", "GATEWAY_TEST_WRONG_KEY"),
      await openServed({ id: "gone", target: "http://127.0.0.1:9/v1#tiny" }),
    ];
    const front = await startServer({ models, port: 0 });
    const ask = (model: string) =>
      fetch(`${front.url}/v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, prompt: "the", max_tokens: 2 }),
      });
    expect((await ask("right")).status).toBe(200);
    for (const [model, code] of [
      ["wrong", "upstream_refused"],
      ["gone", "upstream_unavailable"],
    ] as const) {
      const answer = await ask(model);
      const text = await answer.text();
      expect([answer.status, JSON.parse(text)], model).toMatchObject([502, { error: { code } }]);
      expect(text).not.toMatch(/0123456789abcdef|wrong"/);
    }
    expect(JSON.stringify(await (await fetch(`${front.url}/v1/models/right/card`)).json())).not.toContain(KEY);
    await front.stop();
    await guarded.stop(); // and with it the model: this is the last test
  });
});

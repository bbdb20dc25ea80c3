import { afterEach, expect, test } from "vitest";
import { CompletionsServer, type ServerOptions } from "../../test/support/completions-server.ts";
import { NgramModel } from "../../test/support/ngram-model.ts";
import { connectEndpoint, type EndpointConfig } from "./openai-compatible.ts";

const text = "The heart pumps blood. The liver makes bile. The kidney filters blood. Größe: 5 µm 🫀. ".repeat(3);
const model = new NgramModel(text, { order: 5, name: "organs" });
const servers: CompletionsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
async function serve(options: ServerOptions = {}): Promise<CompletionsServer> {
  const server = await new CompletionsServer(model, options).start();
  servers.push(server);
  return server;
}
const connect = (server: CompletionsServer, config: Partial<EndpointConfig> = {}) =>
  connectEndpoint({ baseUrl: server.baseUrl, model: "organs", retryDelayMs: 5, ...config });

test("log-likelihoods over HTTP are the model's own, also beyond ASCII", async () => {
  const endpoint = await connect(await serve());
  expect(endpoint.capabilities.logLikelihoods).toBe(true);
  const requests = [
    { context: "The heart pumps", continuation: " blood" },
    { context: "Größe: 5 µm", continuation: " 🫀" },
    { context: "The liver makes", continuation: " blood" },
  ];
  const direct = await model.logLikelihoods(requests);
  const remote = await endpoint.logLikelihoods(requests);
  for (const [i, result] of remote.entries()) {
    expect(result.logLikelihood).toBeCloseTo(direct[i]!.logLikelihood, 10);
    expect(result.isGreedy).toBe(direct[i]!.isGreedy);
    expect(result.bytes).toBe(direct[i]!.bytes);
    expect(result.tokens.length).toBe(direct[i]!.tokens.length);
  }
});

test("generation: seeds, stops beyond the four that are sent, several samples", async () => {
  const endpoint = await connect(await serve());
  const request = { prompt: "The kidney", maxTokens: 40, stop: ["1", "2", "3", "4", "."] };
  const [greedy] = await endpoint.generate([request]);
  expect(greedy![0]).toMatchObject({ text: " filters blood", finish: "stop" });
  const sampled = { prompt: "The ", maxTokens: 12, temperature: 1, seed: 7, n: 3 };
  const [remote] = await endpoint.generate([sampled]);
  const [direct] = await model.generate([sampled]);
  expect(remote!.map((g) => g.text)).toEqual(direct!.map((g) => g.text));
});

test("a server without echo, or with chat only, says so and still generates", async () => {
  const noEcho = await connect(await serve({ kind: "completions-without-echo" }));
  expect(noEcho).toMatchObject({ interface: "completions", capabilities: { logLikelihoods: false, generate: true } });
  await expect(noEcho.logLikelihoods([{ context: "a", continuation: "b" }])).rejects.toMatchObject({
    code: "ENDPOINT_NO_LOG_LIKELIHOODS",
    message: expect.stringContaining("echo is not supported"),
  });
  const chat = await connect(await serve({ kind: "chat" }));
  expect(chat.interface).toBe("chat");
  const [answer] = await chat.generate([{ prompt: "The liver", maxTokens: 11 }]);
  expect(answer![0]!.text).toBe(" makes bile");
});

test("a busy server is asked again, a rate and a bound on calls in flight are kept", async () => {
  const server = await serve({ busyEvery: 3 });
  const endpoint = await connect(server, { concurrency: 4 });
  const requests = Array.from({ length: 20 }, () => ({ context: "The", continuation: " heart" }));
  expect(await endpoint.logLikelihoods(requests)).toHaveLength(20);
  expect(endpoint.usage.retries).toBeGreaterThanOrEqual(6);
  expect(server.highestInFlight).toBeLessThanOrEqual(4);
  const slow = await connect(await serve(), { requestsPerMinute: 1200 });
  const startMs = performance.now();
  await slow.logLikelihoods(requests.slice(0, 8));
  // Eight starts, 50 ms apart, after the probe's.
  expect(performance.now() - startMs).toBeGreaterThan(7 * 50);
});

test("killed and restarted during a run: every answer arrives, none twice", async () => {
  const server = await serve();
  const endpoint = await connect(server, { concurrency: 3, retryDelayMs: 20 });
  const requests = Array.from({ length: 30 }, (_, i) => ({ context: `The ${i}`, continuation: " heart" }));
  const done: number[] = [];
  let killed = false;
  const results = await endpoint.logLikelihoods(requests, {
    onDone: (index) => {
      done.push(index);
      if (done.length === 8 && !killed) {
        killed = true;
        void server.stop().then(() => setTimeout(() => void server.start(), 60));
      }
    },
  });
  expect(killed).toBe(true);
  expect(endpoint.usage.retries).toBeGreaterThan(0);
  expect([...done].sort((a, b) => a - b)).toEqual(requests.map((_, i) => i));
  const direct = await model.logLikelihoods(requests);
  for (const [i, { logLikelihood }] of results.entries())
    expect(logLikelihood).toBeCloseTo(direct[i]!.logLikelihood, 10);
});

test("nobody there, a wrong key, a request refused: what is wrong and what to do", async () => {
  const gone = await serve();
  const { baseUrl } = gone;
  await gone.stop();
  await expect(connectEndpoint({ baseUrl, model: "m", retries: 1, retryDelayMs: 1 })).rejects.toMatchObject({
    code: "ENDPOINT_UNAVAILABLE",
    message: expect.stringContaining("no answer after 2 attempts"),
  });
  const locked = await serve({ apiKey: "secret" });
  await expect(connect(locked, { apiKeyVariable: "MEDITRON_TEST_NO_SUCH_KEY" })).rejects.toMatchObject({
    code: "ENDPOINT_REFUSED",
    remedy: expect.stringContaining("apiKeyVariable"),
  });
  // OpenAI's key is not shown to a server of another address.
  process.env.OPENAI_API_KEY = "secret";
  await expect(connect(locked)).rejects.toMatchObject({ code: "ENDPOINT_REFUSED" });
  delete process.env.OPENAI_API_KEY;
  process.env.MEDITRON_TEST_KEY = "secret";
  const opened = await connect(locked, { apiKeyVariable: "MEDITRON_TEST_KEY" });
  expect(opened.capabilities.logLikelihoods).toBe(true);
});

test("stopped by a signal, with nothing reported afterwards", async () => {
  const endpoint = await connect(await serve(), { concurrency: 2 });
  const stop = new AbortController();
  let ended = false;
  let late = 0;
  const requests = Array.from({ length: 50 }, (_, i) => ({ context: `The ${i}`, continuation: " heart" }));
  const run = endpoint.logLikelihoods(requests, {
    signal: stop.signal,
    onDone: () => {
      if (ended) late++;
      stop.abort();
    },
  });
  await expect(run).rejects.toMatchObject({ code: "RUN_CANCELLED" });
  ended = true;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(late).toBe(0);
});

test("tokens are counted and priced", async () => {
  const prices = { perMillionPromptTokens: 1, perMillionCompletionTokens: 10 };
  const endpoint = await connect(await serve(), { prices });
  const before = endpoint.usage;
  await endpoint.generate([{ prompt: "The liver", maxTokens: 5 }]);
  const after = endpoint.usage;
  expect(after.promptTokens - before.promptTokens).toBe(9);
  expect(after.completionTokens - before.completionTokens).toBe(5);
  expect(after.cost! - before.cost!).toBeCloseTo((9 * 1 + 5 * 10) / 1e6, 15);
});

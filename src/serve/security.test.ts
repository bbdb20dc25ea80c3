/** What strangers, other sites, broken and hostile clients get. */
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventStream } from "./event-stream.ts";
import { openServed, type RunningServer, type ServedModel, startServer } from "./index.ts";
import { Admission, RateLimit } from "./limits.ts";
import { makeTestModel } from "./test-model.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
let directory: string;
let served: ServedModel;
let open: RunningServer;
let guarded: RunningServer;
let impatient: RunningServer;
const logged: string[] = [];

beforeAll(async () => {
  directory = await makeTestModel({ contextTokens: 2048 });
  served = await openServed({ id: "tiny", target: directory, precision: "f32" });
  const log = (event: string, fields: object) => void logged.push(JSON.stringify({ event, ...fields }));
  const limits = { bodyBytes: 100_000, inFlight: 8, requestsPerMinute: 0 };
  // On a busy machine a head may take longer than ten seconds; `impatient` shows what happens then.
  open = await startServer({ models: [served], port: 0, limits, log, headMs: 120_000, arrivalMs: 120_000 });
  guarded = await startServer({ models: [served], port: 0, token: TOKEN });
  impatient = await startServer({ models: [], port: 0, headMs: 100, arrivalMs: 200 });
}, 60_000);

afterAll(async () => {
  await open?.stop();
  await guarded?.stop();
  await impatient?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const post = (
  server: RunningServer,
  body: string | ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
  path = "/v1/completions",
) =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  });
const ask = (fields: object) => JSON.stringify({ model: "tiny", prompt: "the", max_tokens: 2, ...fields });

/** Sends bytes as they are and reads until the server closes. */
function raw(server: RunningServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(server.port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(answer) : reject(error),
    );
  });
}

describe("who may ask", () => {
  it("an address that others can reach needs a token, and a long one", async () => {
    const start = (token?: string) => startServer({ models: [], host: "0.0.0.0", port: 0, token });
    await expect(start()).rejects.toMatchObject({ code: "SERVE_TOKEN_REQUIRED" });
    await expect(start("short")).rejects.toMatchObject({ code: "SERVE_TOKEN_WEAK" });
    const server = await start(TOKEN);
    await server.stop();
  });

  it("no token, a wrong one, one that is longer or shorter: 401 for every path but health", async () => {
    const paths = ["/v1/models", "/v1/models/tiny/card", "/metrics", "/", "/nothing"];
    for (const given of [undefined, "", `${TOKEN}0`, TOKEN.slice(1), TOKEN.replace("f", "e")]) {
      const headers = given === undefined ? {} : { authorization: `Bearer ${given}` };
      for (const path of paths) {
        const answer = await fetch(guarded.url + path, { headers: headers as Record<string, string> });
        expect([answer.status, await answer.json()], `${path} ${given}`).toMatchObject([
          401,
          { error: { code: "invalid_api_key" } },
        ]);
      }
      expect((await post(guarded, ask({}), headers as Record<string, string>)).status).toBe(401);
    }
    expect((await fetch(`${guarded.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${guarded.url}/v1/models`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(
      200,
    );
  });

  it("a page opened once with the token gets a cookie that scripts cannot read, and an address without it", async () => {
    const first = await fetch(`${guarded.url}/v1/models?token=${TOKEN}&x=1`, { redirect: "manual" });
    expect([first.status, first.headers.get("location")]).toEqual([303, "/v1/models?x=1"]);
    const cookie = first.headers.get("set-cookie")!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    const again = await fetch(`${guarded.url}/v1/models`, { headers: { cookie: cookie.split(";")[0]! } });
    expect(again.status).toBe(200);
    expect((await fetch(`${guarded.url}/v1/models?token=wrong`, { redirect: "manual" })).status).toBe(401);
  });

  it("without a token, another name for this machine (DNS rebinding) is refused", async () => {
    const answer = await raw(open, "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 403/);
    expect(await raw(open, "GET /v1/models HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n")).toMatch(
      / 200 /,
    );
  });

  it("pages of other sites are refused, and no header invites them", async () => {
    const from = (headers: Record<string, string>) => post(open, ask({}), headers);
    expect((await from({ origin: "https://evil.example" })).status).toBe(403);
    expect((await from({ origin: "null" })).status).toBe(403);
    expect((await from({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await from({ origin: open.url })).status).toBe(200);
    const preflight = await fetch(`${open.url}/v1/completions`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect([...preflight.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    // A form of another site can send this kind of text without asking.
    expect((await post(open, ask({}), { "content-type": "text/plain" })).status).toBe(415);
  });

  it("every answer forbids scripts from elsewhere, inline code and frames", async () => {
    for (const path of ["/healthz", "/v1/models", "/nothing", "/v1/models/<script>alert(1)</script>"]) {
      const { headers } = await fetch(open.url + path);
      expect(headers.get("content-security-policy"), path).toMatch(
        /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
      );
      expect(headers.get("content-security-policy")).not.toMatch(/unsafe/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-type")).not.toMatch(/html/);
    }
  });
});

describe("hostile requests", () => {
  it("paths that climb find nothing", async () => {
    const climbs = [
      "/../../etc/passwd",
      "/v1/models/../../../etc/passwd",
      "/v1/models/..%2f..%2fetc%2fpasswd",
      "/v1/models/%2e%2e/card",
      "/v1/models/%00",
      "/%c0%ae%c0%ae/etc/passwd",
      "/v1/models/tiny%2f..%2f..%2fconfig.json/card",
      "//etc/passwd",
    ];
    for (const path of climbs) {
      const answer = await raw(open, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(answer, path).toMatch(/^HTTP\/1.1 40[04]/);
      expect(answer, path).not.toMatch(/root:|hidden_size/);
    }
    for (const model of ["../tiny", "/etc/passwd", "tiny\0", "__proto__", "constructor"])
      expect((await post(open, ask({ model }))).status, model).toBe(404);
  });

  it("malformed bodies get 400 and say what is wrong", async () => {
    const deep = "[".repeat(40_000);
    const bodies = [
      "",
      "{",
      "null",
      "[]",
      '"text"',
      deep,
      `{"model":${deep}`,
      "\0",
      '{"model":"tiny","prompt":"\\ud800',
    ];
    for (const body of bodies) {
      const answer = await post(open, body);
      expect([answer.status, await answer.json()], body.slice(0, 20)).toMatchObject([
        400,
        { error: { type: "invalid_request_error" } },
      ]);
    }
    const wrong: [object, string][] = [
      [{ model: 7 }, "model"],
      [{ prompt: { a: 1 } }, "prompt"],
      [{ prompt: [1, -1] }, "prompt"],
      [{ prompt: [1e9] }, "prompt"],
      [{ max_tokens: -1 }, "max_tokens"],
      [{ temperature: "hot" }, "temperature"],
      [{ n: 1e6 }, "n"],
      [{ stop: Array(1000).fill("x") }, "stop"],
      [{ logprobs: 1000 }, "logprobs"],
      [{ logit_bias: { 5: 100 } }, "logit_bias"],
      [{ tools: [{ type: "function" }] }, "tools"],
      [{ presence_penalty: 1 }, "presence_penalty"],
    ];
    for (const [fields, param] of wrong) {
      const answer = await post(open, ask(fields));
      const { error } = (await answer.json()) as { error: { param: string } };
      expect([answer.status, error?.param.split(".")[0]], JSON.stringify(fields)).toEqual([400, param]);
    }
    const long = await post(open, ask({ prompt: "the ".repeat(5000) }));
    expect(await long.json()).toMatchObject({ error: { code: "context_length_exceeded" } });
    const lone = await post(open, '{"model":"tiny","prompt":"a\\ud800b","max_tokens":1}');
    expect(lone.status).toBe(200);
  });

  it("bodies beyond the limit are not read, whether their length is said or not", async () => {
    const big = "x".repeat(200_000);
    const said = await post(open, ask({ prompt: big }));
    // The rest is not read, so the connection cannot serve another request.
    expect([said.status, said.headers.get("connection")]).toEqual([413, "close"]);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(big));
      },
    });
    const answer = await post(open, endless).catch(() => ({ status: 413 }));
    expect(answer.status).toBe(413);
  });

  it("slow clients are let go: half a head, half a body", async () => {
    expect(await raw(impatient, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")).toMatch(
      /^(HTTP\/1.1 408.*)?$/s,
    );
    const half =
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    expect(await raw(impatient, half)).toMatch(/^(HTTP\/1.1 40[08].*)?$/s);
  });

  it("a client that takes nothing of its stream ends it", async () => {
    let isEnded = false;
    const response = eventStream(50, async (send) => {
      try {
        for (;;) await send(["x"]);
      } finally {
        isEnded = true;
      }
    });
    await expect.poll(() => isEnded).toBe(true);
    await expect(response.text()).rejects.toThrow();
  });

  it("a client that leaves stops the work for it", async () => {
    const abort = new AbortController();
    const stream = await fetch(`${open.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: ask({ max_tokens: 2000, stream: true, temperature: 0 }),
      signal: abort.signal,
    });
    await stream.body!.getReader().read();
    expect(open.app.serving.admission.inFlight).toBe(1);
    abort.abort();
    await expect.poll(() => open.app.serving.admission.inFlight).toBe(0);
    expect(await (await fetch(`${open.url}/metrics`)).text()).toMatch(/meditron_cancelled_total [1-9]/);
  });
});

describe("many at once", () => {
  it("a thousand requests: each is answered or told to come back, and all places are free afterwards", async () => {
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        // A connection each: one that is kept may be closed by its server just as it is used again.
        const answer = await post(open, ask({ seed: i, stream: i % 2 === 0 }), { connection: "close" });
        const text = await answer.text();
        if (answer.status !== 429) expect(text).toMatch(i % 2 === 0 ? /\[DONE\]/ : /"usage"/);
        return answer.status;
      }),
    );
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
    expect(statuses).toContain(200);
    const { admission, exchanges } = open.app.serving;
    await expect.poll(() => [admission.inFlight, exchanges.size]).toEqual([0, 0]);
    // All places taken: the next is told to come back.
    const held = Array.from({ length: 8 }, () => admission.enter());
    const refused = await post(open, ask({}));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    for (const leave of held) leave();
    expect((await post(open, ask({}))).status).toBe(200);
  }, 240_000);

  it("the log knows who asked what kind of question, not what was said", async () => {
    const secret = "the patient called Ada";
    await (await post(open, ask({ prompt: secret }))).text();
    await fetch(`${open.url}/nothing/${encodeURIComponent(secret)}`);
    await expect.poll(() => logged.join("\n")).toMatch(/"status":404/);
    expect(logged.findLast((line) => line.includes("/v1/completions"))).toMatch(
      /"route":"\/v1\/completions","status":200.*"model":"tiny","promptTokens":\d+,"completionTokens":2/,
    );
    expect(logged.join("\n")).not.toMatch(/Ada/);
  });

  it("an address that asks too often waits its turn; others do not", () => {
    const rate = new RateLimit(60); // 1 a second, 6 at once
    for (let i = 0; i < 6; i++) rate.take("a", 0);
    expect(() => rate.take("a", 500)).toThrow("too many requests");
    rate.take("b", 500);
    rate.take("a", 1000);
    expect(() => rate.take("a", 1000)).toThrow("too many requests");
  });

  it("a stopping server finishes what it has and lets nobody in", async () => {
    const admission = new Admission(2);
    const leave = admission.enter();
    const done = admission.drain();
    expect(() => admission.enter()).toThrow("the server is stopping");
    leave();
    leave();
    await done;
    expect(admission.inFlight).toBe(0);
  });
});

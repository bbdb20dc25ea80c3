/** A real HTTP server in OpenAI's form with a real (tiny) language model behind it, which tests may stop, start and make busy. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { NgramModel } from "./ngram-model.ts";

export interface ServerOptions {
  /** Refuse what a server of this kind does not offer. */
  kind?: "completions" | "completions-without-echo" | "chat";
  apiKey?: string;
  /** Answer every n-th request with 429 and Retry-After: 0. */
  busyEvery?: number;
  /** Called with the count of scoring or generating requests so far. */
  onRequest?(count: number): void;
}

interface Body {
  prompt?: string;
  messages?: { content: string }[];
  max_tokens: number;
  temperature?: number;
  seed?: number;
  stop?: string[];
  echo?: boolean;
  logprobs?: number;
}

export class CompletionsServer {
  readonly model: NgramModel;
  readonly options: ServerOptions;
  requests = 0;
  highestInFlight = 0;
  #inFlight = 0;
  #server: Server | undefined;
  #port = 0;

  constructor(model: NgramModel, options: ServerOptions = {}) {
    this.model = model;
    this.options = options;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** Starts on a free port, or after `stop` on the same one. */
  async start(): Promise<this> {
    const server = createServer(async (request, response) => {
      this.#inFlight++;
      this.highestInFlight = Math.max(this.highestInFlight, this.#inFlight);
      response.on("close", () => this.#inFlight--);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const send = (status: number, value: object, headers = {}) =>
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
      try {
        this.requests++;
        this.options.onRequest?.(this.requests);
        if (this.options.apiKey && request.headers.authorization !== `Bearer ${this.options.apiKey}`)
          return send(401, { error: { message: "wrong key" } });
        if (this.options.busyEvery && this.requests % this.options.busyEvery === 0)
          return send(429, { error: { message: "slow down" } }, { "retry-after": "0" });
        const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body;
        if (request.url === "/v1/chat/completions") return send(200, await this.#chat(body));
        if (this.options.kind === "chat") return send(404, { error: { message: "no such route" } });
        if (body.echo && this.options.kind === "completions-without-echo")
          return send(400, { error: { message: "echo is not supported" } });
        return send(200, await this.#complete(body));
      } catch (error) {
        return send(500, { error: { message: String(error) } });
      }
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Drops every connection, as a killed process does. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #generate(body: Body, prompt: string) {
    const [[generation]] = (await this.model.generate([
      {
        prompt,
        maxTokens: body.max_tokens,
        temperature: body.temperature ?? 1,
        seed: body.seed ?? 0,
        stop: body.stop ?? [],
      },
    ])) as [[{ text: string; tokens: number[]; finish: string }]];
    return generation;
  }

  async #chat(body: Body) {
    const prompt = body.messages!.map(({ content }) => content).join("\n");
    const { text, tokens, finish } = await this.#generate(body, prompt);
    return {
      choices: [{ message: { content: text }, finish_reason: finish === "length" ? "length" : "stop" }],
      usage: { prompt_tokens: [...prompt].length, completion_tokens: tokens.length },
    };
  }

  async #complete(body: Body) {
    const prompt = body.prompt!;
    const { text, tokens, finish } = await this.#generate(body, prompt);
    const whole = [...(body.echo ? prompt + text : text)];
    const scored =
      body.logprobs === undefined
        ? undefined
        : whole.map((character, i) => {
            if (body.echo && i === 0) return { own: null, top: null };
            const p = this.model.distribution((body.echo ? "" : prompt) + whole.slice(0, i).join(""));
            const best = p.reduce((top, value, k) => (value > p[top]! ? k : top), 0);
            const own = p[this.model.tokenizer.encode(character)[0]!]!;
            return { own: Math.log(own), top: { [this.model.tokenizer.tokenOf(best)!]: Math.log(p[best]!) } };
          });
    return {
      choices: [
        {
          text: whole.join(""),
          finish_reason: finish === "length" ? "length" : "stop",
          logprobs: scored && {
            tokens: whole,
            token_logprobs: scored.map(({ own }) => own),
            text_offset: whole.map((_, i) => i),
            top_logprobs: scored.map(({ top }) => top),
          },
        },
      ],
      usage: { prompt_tokens: [...prompt].length, completion_tokens: tokens.length },
    };
  }
}

/**
 * Any server that speaks OpenAI's HTTP interface: vLLM, llama.cpp's server, our own `meditron serve`, OpenAI itself.
 *
 * Log-likelihoods come from `/completions` with `echo` and `logprobs`: the server scores the prompt it is sent. vLLM and our
 * own server do that; chat interfaces and some others do not. Whether this one does is found out by asking it, once, at the start.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 */
import { z } from "zod";
import { ConfigError, MeditronError, RetryableError } from "../core/index.ts";
import type { Tokenizer } from "../tokens/types.ts";
import type {
  Capabilities,
  GenerateRequest,
  Generation,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
} from "./language-model.ts";
import { Transport } from "./transport.ts";
import { Meter, type Usage } from "./usage.ts";

export const endpointConfigSchema = z.strictObject({
  /** Address up to and including `/v1`. */
  baseUrl: z.url(),
  /** The model's name on the server. */
  model: z.string().min(1),
  /** Name in tables; the model's by default. */
  name: z.string().optional(),
  /** Environment variable that holds the key; the key itself never stands in a recipe. Default: OPENAI_API_KEY for OpenAI's own
   * address, none for any other. */
  apiKeyVariable: z.string().optional(),
  /** `completions` sends the prompt as it is; `chat` sends it as one user message. */
  interface: z.enum(["auto", "completions", "chat"]).default("auto"),
  /** Tokens of prompt and answer together that the server accepts. */
  contextTokens: z.number().int().positive().default(4096),
  /** Requests in flight at once. */
  concurrency: z.number().int().positive().max(1024).default(16),
  requestsPerMinute: z.number().positive().optional(),
  timeoutMs: z.number().int().positive().default(120_000),
  retries: z.number().int().min(0).max(100).default(8),
  retryDelayMs: z.number().positive().default(500),
  prices: z
    .strictObject({ perMillionPromptTokens: z.number().min(0), perMillionCompletionTokens: z.number().min(0) })
    .optional(),
});
export type EndpointConfig = z.input<typeof endpointConfigSchema>;

interface LogProbs {
  tokens: string[];
  token_logprobs: (number | null)[];
  /** In code points of prompt + completion. */
  text_offset: number[];
  top_logprobs?: (Record<string, number> | null)[] | null;
}
interface Choice {
  text?: string;
  message?: { content?: string | null };
  finish_reason?: string | null;
  logprobs?: LogProbs | null;
}
interface Answer {
  choices: Choice[];
  usage?: { prompt_tokens?: number; completion_tokens?: number };
}

export interface EndpointModel extends LanguageModel {
  readonly usage: Usage;
  readonly interface: "completions" | "chat";
  /** Why log-likelihoods are not offered, where they are not. */
  readonly withoutLogLikelihoods: string | undefined;
}

/**
 * Connects and asks the server what it can do.
 * @param options.tokenizer - The model's own, so that prompts can be fitted to the context; without it the server decides.
 * @throws {RetryableError} ENDPOINT_UNAVAILABLE when nobody answers; {ConfigError} ENDPOINT_REFUSED for a wrong key or model.
 */
export async function connectEndpoint(
  config: EndpointConfig,
  options: { tokenizer?: Tokenizer; signal?: AbortSignal } = {},
): Promise<EndpointModel> {
  const settings = endpointConfigSchema.parse(config);
  const meter = new Meter(settings.prices);
  const { hostname } = new URL(settings.baseUrl);
  const variable = settings.apiKeyVariable ?? (/(^|\.)openai\.com$/.test(hostname) ? "OPENAI_API_KEY" : undefined);
  const apiKey = variable === undefined ? undefined : process.env[variable];
  const transport = new Transport({ ...settings, apiKey }, meter);
  const probe = await probeInterface(transport, settings, options.signal);
  return new OpenAiCompatible(settings, transport, meter, probe, options.tokenizer);
}

interface Probe {
  interface: "completions" | "chat";
  withoutLogLikelihoods: string | undefined;
}

/** Scores two words. A server that answers with their log-likelihoods offers them; the others say why not. */
async function probeInterface(
  transport: Transport,
  settings: z.output<typeof endpointConfigSchema>,
  signal: AbortSignal | undefined,
): Promise<Probe> {
  if (settings.interface === "chat")
    return { interface: "chat", withoutLogLikelihoods: "a chat interface scores no prompts" };
  const body = { model: settings.model, prompt: "one two", max_tokens: 1, temperature: 0 };
  try {
    const answer = await transport.post<Answer>("/completions", { ...body, echo: true, logprobs: 1 }, signal);
    const scored = answer.choices[0]?.logprobs;
    const isEcho = scored?.text_offset?.[0] === 0 && answer.choices[0]?.text?.startsWith(body.prompt);
    return {
      interface: "completions",
      withoutLogLikelihoods: isEcho ? undefined : "the server does not return log-probabilities of the prompt (echo)",
    };
  } catch (error) {
    if (!(error instanceof MeditronError) || error instanceof RetryableError) throw error;
    const echoRefused = error.message;
    try {
      await transport.post<Answer>("/completions", body, signal);
      return {
        interface: "completions",
        withoutLogLikelihoods: `the server refuses echo with logprobs (${echoRefused})`,
      };
    } catch (second) {
      if (settings.interface === "completions" || !(second instanceof ConfigError) || second.message.includes("401"))
        throw second;
      return { interface: "chat", withoutLogLikelihoods: "a chat interface scores no prompts" };
    }
  }
}

class OpenAiCompatible implements EndpointModel {
  readonly name: string;
  readonly id: string;
  readonly capabilities: Capabilities;
  readonly interface: "completions" | "chat";
  readonly withoutLogLikelihoods: string | undefined;
  declare readonly tokenizer?: Tokenizer;
  readonly #model: string;
  readonly #transport: Transport;
  readonly #meter: Meter;

  constructor(
    settings: z.output<typeof endpointConfigSchema>,
    transport: Transport,
    meter: Meter,
    probe: Probe,
    tokenizer: Tokenizer | undefined,
  ) {
    this.name = settings.name ?? settings.model;
    this.id = `endpoint:${settings.baseUrl}|${settings.model}|${probe.interface}`;
    this.interface = probe.interface;
    this.withoutLogLikelihoods = probe.withoutLogLikelihoods;
    this.capabilities = {
      logLikelihoods: probe.withoutLogLikelihoods === undefined,
      generate: true,
      contextTokens: settings.contextTokens,
    };
    if (tokenizer) this.tokenizer = tokenizer;
    this.#model = settings.model;
    this.#transport = transport;
    this.#meter = meter;
  }

  get usage(): Usage {
    return this.#meter.usage;
  }

  async logLikelihoods(
    requests: LogLikelihoodRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: LogLikelihood) => void } = {},
  ): Promise<LogLikelihood[]> {
    if (this.withoutLogLikelihoods !== undefined)
      throw new ConfigError("ENDPOINT_NO_LOG_LIKELIHOODS", {
        message: `"${this.name}" offers no log-likelihoods: ${this.withoutLogLikelihoods}`,
        remedy: "use the solvers greedy, chain-of-thought or self-consistency",
      });
    return together(requests, options, async ({ context, continuation }, signal) => {
      const answer = await this.#transport.post<Answer>(
        "/completions",
        // One token more than asked for: several servers refuse 0.
        { model: this.#model, prompt: context + continuation, max_tokens: 1, temperature: 0, echo: true, logprobs: 1 },
        signal,
      );
      this.#account(answer);
      return continuationScore(answer, context, continuation);
    });
  }

  async generate(
    requests: GenerateRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: Generation[]) => void } = {},
  ): Promise<Generation[][]> {
    return together(requests, options, (request, signal) =>
      Promise.all(Array.from({ length: request.n ?? 1 }, (_, k) => this.#sample(request, k, signal))),
    );
  }

  async #sample(request: GenerateRequest, k: number, signal: AbortSignal | undefined): Promise<Generation> {
    const { prompt, maxTokens, temperature = 0, topP, topK, stop = [], seed } = request;
    const shared = {
      model: this.#model,
      max_tokens: maxTokens,
      temperature,
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(topK === undefined ? {} : { top_k: topK }),
      ...(seed === undefined ? {} : { seed: seed + k }),
      // OpenAI takes four at most; the others are cut off here.
      ...(stop.length > 0 ? { stop: stop.slice(0, 4) } : {}),
    };
    const answer =
      this.interface === "chat"
        ? await this.#transport.post<Answer>(
            "/chat/completions",
            { ...shared, messages: [{ role: "user", content: prompt }] },
            signal,
          )
        : await this.#transport.post<Answer>("/completions", { ...shared, prompt, logprobs: 0 }, signal);
    this.#account(answer);
    const [choice] = answer.choices;
    const whole = choice?.text ?? choice?.message?.content ?? "";
    const ends = stop.map((mark) => whole.indexOf(mark)).filter((at) => at >= 0);
    const text = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole;
    const scored = choice?.logprobs?.token_logprobs?.filter((value) => value !== null);
    return {
      text,
      // Servers hide ids; the count is what tables need.
      tokens: this.tokenizer?.encode(text) ?? new Array<number>(answer.usage?.completion_tokens ?? 0).fill(-1),
      ...(scored && scored.length > 0 && ends.length === 0 ? { logLikelihood: scored.reduce((a, b) => a + b, 0) } : {}),
      finish: ends.length > 0 ? "stop" : choice?.finish_reason === "length" ? "length" : "stop",
    };
  }

  #account({ usage }: Answer): void {
    this.#meter.add({ promptTokens: usage?.prompt_tokens ?? 0, completionTokens: usage?.completion_tokens ?? 0 });
  }

  async close(): Promise<void> {}
}

/**
 * The continuation's share of an echoed prompt. Offsets count code points. A token that reaches over the boundary belongs to
 * the continuation: its probability is the first that depends on it.
 */
export function continuationScore(answer: Answer, context: string, continuation: string): LogLikelihood {
  const logprobs = answer.choices[0]?.logprobs;
  const contextLength = [...context].length;
  const whole = contextLength + [...continuation].length;
  const each: number[] = [];
  let isGreedy = true;
  const offsets = logprobs?.text_offset ?? [];
  for (const [i, offset] of offsets.entries()) {
    // The last token is the one generated beyond the prompt.
    const next = offsets[i + 1];
    if (offset >= whole || next === undefined || next <= contextLength) continue;
    const own = logprobs!.token_logprobs[i];
    if (own == null) continue;
    each.push(own);
    const top = logprobs!.top_logprobs?.[i];
    if (!top || Object.values(top).some((other) => other > own + 1e-9)) isGreedy = false;
  }
  if (each.length === 0)
    throw new RetryableError("ENDPOINT_BAD_ANSWER", {
      message: "the server scored no token of the continuation",
      remedy: "use the solvers greedy, chain-of-thought or self-consistency with this server",
    });
  return {
    logLikelihood: each.reduce((a, b) => a + b, 0),
    tokenLogLikelihoods: Float64Array.from(each),
    tokens: each.map(() => -1),
    bytes: Buffer.byteLength(continuation),
    isGreedy,
  };
}

/** All at once (the transport bounds what is in flight), results in request order, the first failure stops the rest. */
async function together<Request, Result>(
  requests: readonly Request[],
  options: { signal?: AbortSignal; onDone?: (index: number, result: Result) => void },
  answer: (request: Request, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stop = new AbortController();
  const forward = () => stop.abort();
  options.signal?.addEventListener("abort", forward, { once: true });
  if (options.signal?.aborted) stop.abort();
  const pending = requests.map(async (request, index) => {
    const result = await answer(request, stop.signal);
    options.onDone?.(index, result);
    return result;
  });
  try {
    return await Promise.all(pending);
  } catch (error) {
    stop.abort();
    // Answers already on the way still arrive; nothing is reported after this call has ended.
    await Promise.allSettled(pending);
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", forward);
  }
}

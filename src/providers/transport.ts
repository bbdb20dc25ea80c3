/**
 * Calling a remote model politely: a bound on calls in flight, a rate, and retries that back off (and obey Retry-After).
 * A server that restarts during a run costs waiting, not answers.
 */
import { CancelledError, ConfigError, counterRandom, DataError, RetryableError } from "../core/index.ts";
import type { Meter } from "./usage.ts";

export interface TransportSettings {
  baseUrl: string;
  apiKey?: string | undefined;
  concurrency: number;
  requestsPerMinute?: number | undefined;
  timeoutMs: number;
  /** Times a failed request is sent again. */
  retries: number;
  /** First pause; it doubles each time, up to 30 s. */
  retryDelayMs: number;
}

const longestPauseMs = 30_000;

export class Transport {
  readonly settings: TransportSettings;
  readonly #meter: Meter;
  #inFlight = 0;
  #waiting: (() => void)[] = [];
  #nextStartMs = 0;
  #jitter = 0;

  constructor(settings: TransportSettings, meter: Meter) {
    this.settings = settings;
    this.#meter = meter;
  }

  /**
   * POSTs JSON and parses the JSON answer.
   * @throws {ConfigError} ENDPOINT_REFUSED for a wrong key, address or model name; {DataError} ENDPOINT_BAD_REQUEST when the
   *   request itself is refused (too long); {RetryableError} ENDPOINT_UNAVAILABLE when retries are used up.
   */
  async post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      for (let attempt = 0; ; attempt++) {
        await this.#pace(signal);
        const outcome = await this.#once<T>(path, body, signal);
        if ("value" in outcome) return outcome.value;
        if (attempt >= this.settings.retries)
          throw new RetryableError("ENDPOINT_UNAVAILABLE", {
            message: `no answer after ${attempt + 1} attempts: ${outcome.reason}`,
            where: this.#url(path),
            remedy: "check that the server runs, then start the same command again: finished items are kept",
          });
        this.#meter.add({ retries: 1 });
        const backoff = Math.min(longestPauseMs, this.settings.retryDelayMs * 2 ** attempt);
        // Half fixed, half drawn: clients that failed together do not come back together.
        const pauseMs = outcome.retryAfterMs ?? backoff * (0.5 + counterRandom(1, this.#jitter++) / 2 ** 33);
        // Too many requests: everybody waits, not only the one who was told.
        if (outcome.slowDown) this.#nextStartMs = Math.max(this.#nextStartMs, performance.now() + pauseMs);
        await pause(pauseMs, signal);
      }
    } finally {
      this.#leave();
    }
  }

  #url(path: string): string {
    return `${this.settings.baseUrl.replace(/\/$/, "")}${path}`;
  }

  async #once<T>(
    path: string,
    body: object,
    signal: AbortSignal | undefined,
  ): Promise<{ value: T } | { reason: string; retryAfterMs?: number; slowDown?: boolean }> {
    const { apiKey, timeoutMs } = this.settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    this.#meter.add({ requests: 1 });
    try {
      const response = await fetch(this.#url(path), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
        },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const text = await response.text();
      if (response.ok) return { value: JSON.parse(text) as T };
      const said = `${response.status} ${errorText(text)}`;
      if (response.status === 429 || response.status === 408 || response.status === 409 || response.status >= 500) {
        const retryAfterMs = retryAfter(response.headers.get("retry-after"));
        return {
          reason: said,
          slowDown: response.status === 429,
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        };
      }
      if (response.status === 400 || response.status === 413 || response.status === 422)
        throw new DataError("ENDPOINT_BAD_REQUEST", {
          message: `the server refuses the request: ${said}`,
          where: this.#url(path),
          remedy: "a prompt longer than the server's context is the usual cause: set contextTokens to the server's",
        });
      throw new ConfigError("ENDPOINT_REFUSED", {
        message: `the server answers ${said}`,
        where: this.#url(path),
        remedy:
          response.status === 401 || response.status === 403
            ? "set the API key in the environment variable that apiKeyVariable names"
            : "check baseUrl (it usually ends in /v1) and the model's name",
      });
    } catch (error) {
      if (error instanceof DataError || error instanceof ConfigError) throw error;
      if (signal?.aborted) throw new CancelledError();
      if (timeout.aborted) return { reason: `no answer within ${timeoutMs / 1000} s` };
      if (error instanceof SyntaxError) return { reason: "an answer that is not JSON" };
      const cause = (error as Error).cause as Error | undefined;
      return { reason: cause?.message || (error as Error).message };
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    while (this.#inFlight >= this.settings.concurrency)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal?.aborted) {
      this.#waiting.shift()?.();
      throw new CancelledError();
    }
    this.#inFlight++;
  }

  #leave(): void {
    this.#inFlight--;
    this.#waiting.shift()?.();
  }

  /** Spaces starts evenly below the rate. */
  async #pace(signal: AbortSignal | undefined): Promise<void> {
    const gapMs = this.settings.requestsPerMinute ? 60_000 / this.settings.requestsPerMinute : 0;
    const now = performance.now();
    const startMs = Math.max(now, this.#nextStartMs);
    this.#nextStartMs = startMs + gapMs;
    if (startMs > now) await pause(startMs - now, signal);
  }
}

/** OpenAI's `{ error: { message } }`, FastAPI's `{ detail }`, or the beginning of whatever came. */
function errorText(body: string): string {
  try {
    const { error, detail, message } = JSON.parse(body) as { error?: unknown; detail?: unknown; message?: unknown };
    const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? detail ?? message;
    if (inner !== undefined) return typeof inner === "string" ? inner : JSON.stringify(inner);
  } catch {
    // Not JSON: a proxy's HTML page, most likely.
  }
  return body.slice(0, 200);
}

function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, Math.min(ms, 10 * 60_000)) : undefined;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CancelledError());
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(new CancelledError());
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

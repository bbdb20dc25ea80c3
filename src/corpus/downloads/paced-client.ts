/**
 * Requests that keep to a service's pace: a pause between two requests to a host, and after a failure growing pauses, the
 * service's own Retry-After first. What a service may not like a second time is never asked a second time at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../core/errors.ts";

export const USER_AGENT = "Mozilla/5.0 (compatible; meditron-corpus/0.1)";

export interface PacedClientOptions {
  /** Tries of a request before giving up; the first pause is `backoffMs`, then twice that ... Default 5 and 1,000. */
  tries?: number | undefined;
  backoffMs?: number | undefined;
  /** Until the answer begins. Default 60,000. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of a download from a service with a pace of its own. */
export interface ServiceOptions extends PacedClientOptions {
  /** The service's address; another one for a mirror. */
  baseUrl?: string | undefined;
  /** Between two requests. Default: what the service asks for. */
  pauseMs?: number | undefined;
}

export interface PacedRequest {
  /** From the end of this request to the next one to its host. */
  pauseMs: number;
  headers?: Record<string, string>;
  /** Sent as a form by POST: keys and long lists of ids stay out of addresses. */
  form?: Record<string, string>;
}

export interface Answer {
  /** After redirects. */
  url: string;
  status: number;
  headers: Headers;
  body: Buffer | undefined;
}

const MAX_RETRY_AFTER_S = 300;

export class PacedClient {
  readonly #options: PacedClientOptions;
  #nextAt = new Map<string, number>();
  /** Requests sent, tries included. */
  requests = 0;

  constructor(options: PacedClientOptions = {}) {
    this.#options = options;
  }

  /**
   * Calls `request` until it succeeds.
   * @param request - Throws `Unsuccessful` for what may go well another time; anything else ends the tries.
   * @throws {RetryableError} CORPUS_SITE_UNREACHABLE after the last try.
   */
  async retry<T>(where: string, request: (attempt: number) => Promise<T>): Promise<T> {
    const { tries = 5, backoffMs = 1000, signal } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await request(attempt);
      } catch (error) {
        if (signal?.aborted || !(error instanceof Unsuccessful)) throw error;
        if (attempt === tries - 1)
          throw new RetryableError("CORPUS_SITE_UNREACHABLE", {
            message: `${error.message}, after ${tries} tries`,
            where: withoutQuery(where),
            remedy: "check the network and run again: what was fetched so far is kept",
            cause: error.cause,
          });
        await sleep(Math.max(backoffMs * 2 ** attempt, error.retryAfterMs), undefined, signal && { signal });
      }
    }
  }

  /**
   * One answer of the service, whatever it says, but for 429 and 5xx, which are asked again (a 5xx of the last try is returned).
   * @param maxBytes - A longer body is not read: `body` is undefined.
   */
  request(url: string, request: PacedRequest, maxBytes: number): Promise<Answer> {
    const { tries = 5 } = this.#options;
    return this.retry(url, async (attempt) => {
      const response = await this.once(url, request);
      const { status, headers } = response;
      if (status === 429 || (status >= 500 && attempt < tries - 1)) {
        await response.body?.cancel();
        throw Unsuccessful.answer(response);
      }
      return { url: response.url || url, status, headers, body: await readBody(response, maxBytes) };
    });
  }

  /** One try, at the pace. @throws {Unsuccessful} if there is no answer. */
  async once(url: string, { pauseMs, headers, form }: PacedRequest): Promise<Response> {
    const { timeoutMs = 60_000, signal } = this.#options;
    const { host } = new URL(url);
    await sleep(Math.max(0, (this.#nextAt.get(host) ?? 0) - Date.now()), undefined, signal && { signal });
    this.requests++;
    const timer = new AbortController();
    const timeout = setTimeout(() => timer.abort(new DOMException("", "TimeoutError")), timeoutMs);
    try {
      return await fetch(url, {
        headers: { "user-agent": USER_AGENT, ...headers },
        redirect: "follow",
        ...(form && { method: "POST", body: new URLSearchParams(form) }),
        signal: signal ? AbortSignal.any([signal, timer.signal]) : timer.signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw (error as Error).name === "TimeoutError"
        ? new Unsuccessful(`no answer within ${timeoutMs / 1000} s`)
        : Unsuccessful.network(error);
    } finally {
      clearTimeout(timeout);
      this.#nextAt.set(host, Date.now() + pauseMs);
    }
  }
}

/** A try that failed in a way that another may not. */
export class Unsuccessful extends Error {
  retryAfterMs = 0;

  static answer({ status, headers }: Response): Unsuccessful {
    const error = new Unsuccessful(`the site answers ${status}`);
    const seconds = Number(headers.get("retry-after"));
    if (seconds > 0) error.retryAfterMs = 1000 * Math.min(seconds, MAX_RETRY_AFTER_S);
    return error;
  }

  static network(error: unknown): Unsuccessful {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    return new Unsuccessful(`cannot be reached (${cause?.code ?? cause?.message ?? message})`, { cause: error });
  }
}

/** @returns undefined for more than `maxBytes`. @throws {Unsuccessful} if the connection breaks in the middle. */
export async function readBody(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxBytes) return undefined;
      chunks.push(chunk as Uint8Array);
    }
  } catch (error) {
    throw Unsuccessful.network(error);
  }
  return Buffer.concat(chunks);
}

/** Addresses may carry keys and signatures: they do not go into messages. */
export const withoutQuery = (url: string): string => url.replace(/\?.*$/s, "");

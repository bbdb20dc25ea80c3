/** What a client may take: requests a minute, bytes, time, and a place in the queue. */
import { HttpProblem } from "./problem.ts";

export interface Limits {
  /** Requests of one client's address. 0: no limit. */
  requestsPerMinute: number;
  bodyBytes: number;
  /** Requests that may be generated or wait at once; the next is told to come back (429). */
  inFlight: number;
  /** Longest time for one answer, waiting included. */
  timeoutMs: number;
  /** A client that takes nothing of a stream for so long is let go. */
  stallMs: number;
  /** Most tokens of one answer, whatever was asked for. */
  maxTokens: number;
  /** Most answers to one request: prompts × n. */
  samples: number;
}

export const defaultLimits: Limits = {
  requestsPerMinute: 6000,
  bodyBytes: 4 << 20,
  inFlight: 256,
  timeoutMs: 600_000,
  stallMs: 30_000,
  maxTokens: 4096,
  samples: 128,
};

/** Places for requests. Those let in are batched by the engine itself, so this only counts. */
export class Admission {
  readonly #most: number;
  #inFlight = 0;
  #isDraining = false;
  #idle: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Takes a place.
   * @returns gives it back; calling it twice does no harm.
   * @throws {HttpProblem} 429 when all are taken, 503 when the server is about to stop.
   */
  enter(): () => void {
    if (this.#isDraining) throw new HttpProblem(503, "draining", "the server is stopping", { retryAfter: 5 });
    if (this.#inFlight >= this.#most)
      throw new HttpProblem(429, "queue_full", `${this.#most} requests are waiting already`, { retryAfter: 1 });
    this.#inFlight++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#inFlight--;
      if (this.#inFlight === 0) for (const tell of this.#idle.splice(0)) tell();
    };
  }

  /** Lets nobody in any more. @returns when the last one has left. */
  drain(): Promise<void> {
    this.#isDraining = true;
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }
}

/** A bucket of tokens for each client: filled steadily, a tenth of a minute's worth may be taken at once. */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(requestsPerMinute: number) {
    this.#perMs = requestsPerMinute / 60_000;
    this.#burst = Math.max(1, requestsPerMinute / 10);
  }

  /** @throws {HttpProblem} 429 with the seconds until the next request is welcome. */
  take(client: string, nowMs = performance.now()): void {
    if (this.#perMs === 0) return;
    if (this.#buckets.size > MOST_CLIENTS) this.#forgetFull(nowMs);
    const before = this.#buckets.get(client) ?? { left: this.#burst, atMs: nowMs };
    const left = Math.min(this.#burst, before.left + (nowMs - before.atMs) * this.#perMs);
    if (left < 1) {
      const retryAfter = Math.ceil((1 - left) / this.#perMs / 1000);
      throw new HttpProblem(429, "rate_limited", "too many requests from this address", { retryAfter });
    }
    this.#buckets.set(client, { left: left - 1, atMs: nowMs });
  }

  /** A full bucket says nothing that a new one would not. */
  #forgetFull(nowMs: number): void {
    for (const [client, { left, atMs }] of this.#buckets)
      if (left + (nowMs - atMs) * this.#perMs >= this.#burst) this.#buckets.delete(client);
    if (this.#buckets.size > MOST_CLIENTS) this.#buckets.clear();
  }
}

const MOST_CLIENTS = 10_000;

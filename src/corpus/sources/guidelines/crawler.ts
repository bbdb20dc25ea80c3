/**
 * A polite crawler: one request at a time and a host, a pause between them, robots.txt obeyed, an honest name, no disguise.
 * Every page is kept on disk: an interrupted crawl goes on where it stopped, a finished one is read without any request, and a
 * refreshed one asks each page with its ETag whether it changed.
 *
 *   cache/  crawl.json { snapshot, finished } · pages/<hash>.json (facts) · pages/<hash>.body
 *
 * Why our own: see docs/decisions/ on the crawler.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, DataError, RetryableError } from "../../../core/errors.ts";
import { exists, readJson, writeFileAtomic, writeJsonAtomic } from "../../../core/files.ts";
import { sha256 } from "../../../core/hash.ts";
import { ALLOW_ALL, parseRobots, type RobotsRules } from "./robots.ts";

export const PRODUCT = "meditron-corpus";
const USER_AGENT = `Mozilla/5.0 (compatible; ${PRODUCT}/0.1)`;

export interface CrawlerOptions {
  cache: string;
  /** Pause between two requests to a host; robots.txt may ask for more. */
  delayMs: number;
  /** No request leaves the machine: pages that are not in the cache are missing. */
  offline?: boolean | undefined;
  /** Ask for pages of an earlier snapshot again (with their ETag), rather than take them as they are. */
  refresh?: boolean | undefined;
  timeoutMs?: number | undefined;
  /** Tries of a request before giving up; the first pause is `backoffMs`, then twice that ... */
  tries?: number | undefined;
  backoffMs?: number | undefined;
  maxBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Page {
  url: string;
  /** After redirects. */
  finalUrl: string;
  status: number;
  contentType: string;
  /** ISO date of the snapshot the page belongs to. */
  retrieved: string;
  sha256: string;
  body: Buffer;
}

interface PageFacts extends Omit<Page, "body"> {
  etag?: string;
  lastModified?: string;
  /** Why this snapshot has no such page: the answer is kept as well, so that reading it again says the same. */
  problem?: { code: string; message: string };
}

/** Why a page could not be had; the crawl goes on without it. */
export class PageError extends DataError {}

export class Crawler {
  readonly options: CrawlerOptions;
  #snapshot = "";
  #finished = false;
  #robots = new Map<string, Promise<RobotsRules>>();
  #nextAt = new Map<string, number>();
  /** Requests sent, without robots.txt. */
  requests = 0;

  constructor(options: CrawlerOptions) {
    this.options = options;
  }

  /** ISO date of this snapshot: the day on which the crawl began. */
  get snapshot(): string {
    return this.#snapshot;
  }

  /** Takes up the crawl in the cache, or begins one. */
  async begin(): Promise<void> {
    const path = join(this.options.cache, "crawl.json");
    const state = (await exists(path)) ? await readJson<{ snapshot: string; finished: boolean }>(path) : undefined;
    if (state && !(state.finished && this.options.refresh)) {
      this.#snapshot = state.snapshot;
      this.#finished = state.finished;
      return;
    }
    if (this.options.offline)
      throw new ConfigError("CORPUS_NO_SNAPSHOT", {
        message: "the source is to be read offline, but nothing was crawled yet",
        where: this.options.cache,
        remedy: "run the crawl once without `offline: true`",
      });
    this.#snapshot = new Date().toISOString().slice(0, 10);
    // A refresh within a day must still ask again: the time tells the snapshots apart.
    if (state?.snapshot.startsWith(this.#snapshot)) this.#snapshot = new Date().toISOString();
    await writeJsonAtomic(path, { snapshot: this.#snapshot, finished: false });
  }

  /** Marks the snapshot whole: from now on it is read from disk. */
  async finish(): Promise<void> {
    this.#finished = true;
    await writeJsonAtomic(join(this.options.cache, "crawl.json"), { snapshot: this.#snapshot, finished: true });
  }

  /**
   * A page, from the cache if this snapshot has it.
   * @throws {PageError} for a page that cannot be had (forbidden, gone, too large); {RetryableError} when the site cannot be reached.
   */
  async fetch(url: string): Promise<Page> {
    this.options.signal?.throwIfAborted();
    const name = join(this.options.cache, "pages", sha256(url).slice(0, 32));
    const known = (await exists(`${name}.json`)) ? await readJson<PageFacts>(`${name}.json`) : undefined;
    if (known && (known.retrieved === this.#snapshot || this.#finished || this.options.offline)) {
      if (known.problem) throw new PageError(known.problem.code, { message: known.problem.message, where: url });
      return this.#page(known, name);
    }
    const refuse = async (code: string, message: string, status = 0): Promise<never> => {
      const answer = { url, finalUrl: url, status, contentType: "", retrieved: this.#snapshot, sha256: "" };
      await writeJsonAtomic(`${name}.json`, { ...answer, problem: { code, message } } satisfies PageFacts);
      throw new PageError(code, { message, where: url });
    };
    if (this.options.offline || this.#finished)
      throw new PageError("CORPUS_PAGE_NOT_CACHED", { message: "the page is not in the snapshot", where: url });
    if (!/^https?:/.test(url)) throw new PageError("CORPUS_PAGE_SCHEME", { message: "not a web address", where: url });
    const { host, pathname, search } = new URL(url);
    const rules = await this.#rules(new URL(url));
    if (!rules.allows(pathname + search))
      return refuse("CORPUS_PAGE_FORBIDDEN", "robots.txt of the site asks not to fetch this page");
    const response = await this.#request(url, host, rules, known);
    if (response.status === 304 && known && !known.problem) {
      const facts: PageFacts = { ...known, retrieved: this.#snapshot };
      await writeJsonAtomic(`${name}.json`, facts);
      return this.#page(facts, name);
    }
    if (response.status >= 400)
      return refuse("CORPUS_PAGE_STATUS", `the site answers ${response.status}`, response.status);
    const body = await this.#body(response, url);
    const etag = response.headers.get("etag");
    const lastModified = response.headers.get("last-modified");
    const facts: PageFacts = {
      url,
      finalUrl: response.url || url,
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      retrieved: this.#snapshot,
      sha256: sha256(body),
      ...(etag && { etag }),
      ...(lastModified && { lastModified }),
    };
    await writeFileAtomic(`${name}.body`, body);
    await writeJsonAtomic(`${name}.json`, facts);
    return { ...facts, body };
  }

  async #page(facts: PageFacts, name: string): Promise<Page> {
    const body = await readFile(`${name}.body`);
    if (sha256(body) !== facts.sha256)
      throw new PageError("CORPUS_PAGE_DAMAGED", {
        message: "the page in the cache is not the one that was fetched",
        where: `${name}.body`,
        remedy: "remove the file and crawl again",
      });
    return { ...facts, body };
  }

  async #body(response: Response, url: string): Promise<Buffer> {
    const limit = this.options.maxBytes ?? 128 << 20;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > limit) {
        throw new PageError("CORPUS_PAGE_TOO_LARGE", { message: `more than ${limit} bytes`, where: url });
      }
      chunks.push(chunk as Uint8Array);
    }
    return Buffer.concat(chunks);
  }

  #rules(url: URL): Promise<RobotsRules> {
    let rules = this.#robots.get(url.origin);
    if (!rules) {
      rules = (async () => {
        const response = await this.#request(`${url.origin}/robots.txt`, url.host, ALLOW_ALL, undefined, false);
        if (response.status >= 500)
          throw new RetryableError("CORPUS_ROBOTS_UNREADABLE", {
            message: `the site's robots.txt cannot be read (it answers ${response.status}), so nothing may be fetched`,
            where: `${url.origin}/robots.txt`,
            remedy: "try again later",
          });
        return response.status >= 400 ? ALLOW_ALL : parseRobots(await response.text(), PRODUCT);
      })();
      this.#robots.set(url.origin, rules);
    }
    return rules;
  }

  async #request(url: string, host: string, rules: RobotsRules, known?: PageFacts, counted = true): Promise<Response> {
    const { signal, tries = 5, backoffMs = 1000, timeoutMs = 60_000, delayMs } = this.options;
    const headers: Record<string, string> = {
      "user-agent": USER_AGENT,
      accept: "text/html,application/pdf;q=0.9,*/*;q=0.5",
    };
    if (known?.etag) headers["if-none-match"] = known.etag;
    if (known?.lastModified) headers["if-modified-since"] = known.lastModified;
    let problem = "";
    let cause: unknown;
    for (let attempt = 0; attempt < tries; attempt++) {
      await sleep(Math.max(0, (this.#nextAt.get(host) ?? 0) - Date.now()), undefined, signal && { signal });
      const pauseMs = Math.max(delayMs, 1000 * (rules.crawlDelaySeconds ?? 0));
      let waitMs = backoffMs * 2 ** attempt;
      if (counted) this.requests++;
      try {
        const timeout = AbortSignal.timeout(timeoutMs);
        const response = await fetch(url, {
          headers,
          redirect: "follow",
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        this.#nextAt.set(host, Date.now() + pauseMs);
        if (response.status !== 429 && response.status < 500) return response;
        if (attempt === tries - 1 && response.status !== 429) return response;
        problem = `the site answers ${response.status}`;
        const after = Number(response.headers.get("retry-after"));
        if (after > 0) waitMs = Math.max(waitMs, Math.min(after, 300) * 1000);
        await response.body?.cancel();
      } catch (error) {
        if (signal?.aborted) throw error;
        cause = error;
        problem =
          (error as Error).name === "TimeoutError"
            ? `no answer within ${timeoutMs / 1000} s`
            : `cannot be reached (${reason(error)})`;
      }
      if (attempt < tries - 1) await sleep(waitMs, undefined, signal && { signal });
    }
    throw new RetryableError("CORPUS_SITE_UNREACHABLE", {
      message: `${problem}, after ${tries} tries`,
      where: url,
      remedy: "check the network and run again: pages fetched so far are kept",
      cause,
    });
  }
}

function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

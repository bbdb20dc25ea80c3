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
import { ConfigError, DataError, RetryableError } from "../../../core/errors.ts";
import { exists, readJson, writeFileAtomic, writeJsonAtomic } from "../../../core/files.ts";
import { sha256 } from "../../../core/hash.ts";
import { type Answer, PacedClient, type PacedClientOptions } from "../../downloads/paced-client.ts";
import { ALLOW_ALL, parseRobots, type RobotsRules } from "./robots.ts";

export const PRODUCT = "meditron-corpus";

export interface CrawlerOptions extends PacedClientOptions {
  cache: string;
  /** Pause between two requests to a host; robots.txt may ask for more. */
  delayMs: number;
  /** No request leaves the machine: pages that are not in the cache are missing. */
  offline?: boolean | undefined;
  /** Ask for pages of an earlier snapshot again (with their ETag), rather than take them as they are. */
  refresh?: boolean | undefined;
  maxBytes?: number | undefined;
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
  #client: PacedClient;
  get #maxBytes(): number {
    return this.options.maxBytes ?? 128 << 20;
  }

  /** Requests sent, without robots.txt. */
  requests = 0;

  constructor(options: CrawlerOptions) {
    this.options = options;
    this.#client = new PacedClient(options);
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
    const { pathname, search } = new URL(url);
    const rules = await this.#rules(new URL(url));
    if (!rules.allows(pathname + search))
      return refuse("CORPUS_PAGE_FORBIDDEN", "robots.txt of the site asks not to fetch this page");
    const response = await this.#request(url, rules, known);
    if (response.status === 304 && known && !known.problem) {
      const facts: PageFacts = { ...known, retrieved: this.#snapshot };
      await writeJsonAtomic(`${name}.json`, facts);
      return this.#page(facts, name);
    }
    if (response.status >= 400)
      return refuse("CORPUS_PAGE_STATUS", `the site answers ${response.status}`, response.status);
    const { body } = response;
    if (!body)
      throw new PageError("CORPUS_PAGE_TOO_LARGE", { message: `more than ${this.#maxBytes} bytes`, where: url });
    const etag = response.headers.get("etag");
    const lastModified = response.headers.get("last-modified");
    const facts: PageFacts = {
      url,
      finalUrl: response.url,
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

  #rules(url: URL): Promise<RobotsRules> {
    let rules = this.#robots.get(url.origin);
    if (!rules) {
      rules = (async () => {
        const response = await this.#request(`${url.origin}/robots.txt`, ALLOW_ALL, undefined, false);
        if (response.status >= 500)
          throw new RetryableError("CORPUS_ROBOTS_UNREADABLE", {
            message: `the site's robots.txt cannot be read (it answers ${response.status}), so nothing may be fetched`,
            where: `${url.origin}/robots.txt`,
            remedy: "try again later",
          });
        return response.status >= 400 ? ALLOW_ALL : parseRobots(response.body?.toString("utf8") ?? "", PRODUCT);
      })();
      this.#robots.set(url.origin, rules);
    }
    return rules;
  }

  #request(url: string, rules: RobotsRules, known?: PageFacts, counted = true): Promise<Answer> {
    const headers: Record<string, string> = { accept: "text/html,application/pdf;q=0.9,*/*;q=0.5" };
    if (known?.etag) headers["if-none-match"] = known.etag;
    if (known?.lastModified) headers["if-modified-since"] = known.lastModified;
    if (counted) this.requests++;
    const pauseMs = Math.max(this.options.delayMs, 1000 * (rules.crawlDelaySeconds ?? 0));
    return this.#client.request(url, { pauseMs, headers }, this.#maxBytes);
  }
}

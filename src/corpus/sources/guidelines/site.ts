/**
 * Reads a guideline site through its adapter: walks the lists, fetches the articles, takes the article out of each page.
 *
 * The rot alarm: a site that was redesigned answers with pages that load and selectors that find nothing. That is never an
 * empty source. A list in which the selector matches nothing anywhere stops the source with the address; a single article
 * without its content goes to the drop log under `read.site-changed`, and when most of them do, the source stops as well.
 */
import { load } from "cheerio/slim";
import type { AnyNode, Document as Dom } from "domhandler";
import { DataError } from "../../../core/errors.ts";
import type { SourceItem } from "../../document.ts";
import { parseHtml, plainText, renderText } from "../../html.ts";
import { isChrome, withTitle } from "../../html-main.ts";
import { pdfLinks, pdfToText } from "../../pdf.ts";
import { document, drop, makeDocument, type SourceOptions, shortHash } from "../source.ts";
import { expandStart, type Level, loadAdapter, type SiteAdapter } from "./adapter.ts";
import { Crawler, type Page } from "./crawler.ts";
import { applyLineRules } from "./line-rules.ts";
import { tarEntries } from "./tar.ts";

export interface GuidelineSiteOptions extends Omit<SourceOptions, "path"> {
  adapter: string;
  cache: string;
  baseUrl?: string | undefined;
  offline?: boolean | undefined;
  refresh?: boolean | undefined;
  delayMs?: number | undefined;
  maxPages?: number | undefined;
  /** For tests: pauses between tries. */
  backoffMs?: number | undefined;
}

const DEFAULT_DELAY_MS = 2000;
const MAX_LIST_PAGES = 5000;
/** A source stops as changed when more than half of its first articles have no content. */
const ALARM_AFTER = 10;

interface Link {
  /** Canonical: on the adapter's own origin. */
  url: string;
  text: string;
}

export async function* readGuidelineSite(
  options: GuidelineSiteOptions,
  signal?: AbortSignal,
): AsyncGenerator<SourceItem> {
  const adapter = await loadAdapter(options.adapter);
  const crawler = new Crawler({
    cache: options.cache,
    delayMs: options.delayMs ?? DEFAULT_DELAY_MS,
    offline: options.offline,
    refresh: options.refresh,
    backoffMs: options.backoffMs,
    signal,
  });
  await crawler.begin();
  const reader = new SiteReader(adapter, crawler, options);
  yield* reader.read();
  if (!options.offline && !reader.cutShort) await crawler.finish();
}

class SiteReader {
  #adapter: SiteAdapter;
  #crawler: Crawler;
  #options: GuidelineSiteOptions;
  /** `maxPages` ended the crawl before the site did. */
  cutShort = false;
  #changed = 0;
  #articles = 0;

  constructor(adapter: SiteAdapter, crawler: Crawler, options: GuidelineSiteOptions) {
    this.#adapter = adapter;
    this.#crawler = crawler;
    this.#options = options;
  }

  async *read(): AsyncGenerator<SourceItem> {
    const { start, levels, origin } = this.#adapter;
    let links: Link[] = start.flatMap(expandStart).map((path) => ({ url: new URL(path, origin).href, text: "" }));
    for (const [depth, level] of levels.entries()) links = await this.#follow(links, level, depth);
    let pages = 0;
    for (const link of links) {
      if (this.#options.maxPages !== undefined && pages++ >= this.#options.maxPages) {
        this.cutShort = true;
        return;
      }
      yield* this.#articlesOf(link);
    }
    if (this.#articles > 0 && this.#changed === this.#articles)
      throw this.#siteChanged(links[0]!.url, this.#adapter.article.content);
  }

  // ── addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The address to fetch: the mirror's if there is one. */
  #local(url: string): string {
    const { baseUrl } = this.#options;
    return baseUrl !== undefined && url.startsWith(this.#adapter.origin)
      ? baseUrl.replace(/\/$/, "") + url.slice(this.#adapter.origin.length)
      : url;
  }

  /** The address that the adapter's patterns and the document know. */
  #canonical(url: string): string {
    const base = this.#options.baseUrl?.replace(/\/$/, "");
    return base !== undefined && url.startsWith(base) ? this.#adapter.origin + url.slice(base.length) : url;
  }

  #isAllowed(url: string): boolean {
    if (!/^https?:/.test(url)) return false;
    const { hostname } = new URL(url);
    const own = new URL(this.#adapter.origin).hostname;
    const within = (host: string) => hostname === host || hostname.endsWith(`.${host}`);
    return within(own.replace(/^www\./, "")) || this.#adapter.hosts.some(within);
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** All links of a level, in page order, each once. */
  async #follow(from: readonly Link[], level: Level, depth: number): Promise<Link[]> {
    const found = new Map<string, Link>();
    let selected = 0;
    let loaded: string | undefined;
    for (const { url } of from) {
      const visited = new Set<string>();
      let next: string | undefined = url;
      while (next !== undefined && !visited.has(next) && visited.size < MAX_LIST_PAGES) {
        visited.add(next);
        const page: Page = await this.#list(next, depth);
        if (page.body.length === 0) break;
        loaded ??= next;
        const here: string = next;
        if (isPdf(page)) {
          // A list may be a PDF with links.
          for (const href of await pdfLinks(page.body)) {
            selected++;
            const link = this.#link(href, "", here);
            if (link && accepts(level, link) && !found.has(link.url)) found.set(link.url, link);
          }
          break;
        }
        const $ = load(parseHtml(decodeHtml(page)) as Dom);
        const base = this.#base(page, $("base").attr("href"));
        $(level.links).each((_, element) => {
          selected++;
          const link = this.#link($(element).attr("href"), plainText(element), base);
          if (link && accepts(level, link) && !found.has(link.url)) found.set(link.url, link);
        });
        const href: string | undefined = level.next === undefined ? undefined : $(level.next).first().attr("href");
        next = this.#link(href, "", base)?.url;
        if (next === here) next = undefined;
      }
    }
    if (selected === 0 && loaded !== undefined) throw this.#siteChanged(loaded, level.links);
    if (found.size === 0 && loaded !== undefined)
      throw this.#siteChanged(loaded, `${level.links} with an address like ${level.match ?? "any"}`);
    return [...found.values()];
  }

  /** A list page; one that cannot be had stops the source: half a list would look like a small site. */
  async #list(url: string, depth: number): Promise<Page> {
    try {
      return await this.#crawler.fetch(this.#local(url));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new DataError("CORPUS_LIST_UNREADABLE", {
        message: `a list of articles cannot be read: ${error.message}`,
        where: url,
        remedy: depth === 0 ? "check the adapter's `start`" : "run again: pages fetched so far are kept",
        cause: error,
      });
    }
  }

  #base(page: Page, stated: string | undefined): string {
    const own = this.#canonical(page.finalUrl);
    if (stated === undefined) return own;
    return URL.canParse(stated, own) ? new URL(stated, own).href : own;
  }

  #link(href: string | undefined, text: string, base: string): Link | undefined {
    if (href === undefined || href.startsWith("#") || !URL.canParse(href, base)) return undefined;
    const url = new URL(this.#canonical(new URL(href, base).href));
    url.hash = "";
    return this.#isAllowed(url.href) ? { url: url.href, text: text.replace(/\s+/g, " ").trim() } : undefined;
  }

  // ── articles ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** One article, or all PDF files of an archive. */
  async *#articlesOf(link: Link): AsyncGenerator<SourceItem> {
    if (!/\.(tar\.gz|tgz|tar)$/.test(new URL(link.url).pathname)) {
      yield await this.#article(link);
      return;
    }
    const archive = await this.#list(link.url, 0);
    let entries = 0;
    for await (const entry of tarEntries(archive.body)) {
      if (!/\.pdf$/i.test(entry.name)) continue;
      entries++;
      const place = { url: `${link.url}#${entry.name}`, text: entry.name.replace(/^.*\//, "").replace(/\.pdf$/i, "") };
      yield await this.#article(place, {
        ...archive,
        url: place.url,
        contentType: "application/pdf",
        body: entry.body,
      });
    }
    if (entries === 0) throw this.#siteChanged(link.url, "*.pdf in the archive");
  }

  async #article(link: Link, given?: Page): Promise<SourceItem> {
    const { adapter, source } = { adapter: this.#adapter, source: this.#options };
    const { pathname, search, hash } = new URL(link.url);
    const id = `guideline:${adapter.tag}:${shortHash(pathname + search + hash)}`;
    const gone = (rule: string, reason: string, title = ""): SourceItem =>
      drop({ id, source: source.name, rule, reason, where: link.url, ...(title && { title }) });
    this.#articles++;
    try {
      const page = given ?? (await this.#crawler.fetch(this.#local(link.url)));
      const extracted =
        isPdf(page) || adapter.article.format === "pdf" ? await this.#pdf(page, link) : await this.#html(page);
      if (extracted === undefined) {
        this.#changed++;
        if (this.#articles >= ALARM_AFTER && this.#changed > this.#articles / 2)
          throw this.#siteChanged(link.url, adapter.article.content);
        return gone(
          "read.site-changed",
          `the page loads, but has no "${adapter.article.content}": the site may have changed`,
        );
      }
      const { title, body, meta } = extracted;
      const { text, removed, skip } = applyLineRules(body, adapter.text);
      if (skip !== undefined) return gone("read.no-article", skip, title);
      if (text === "") return gone("read.no-text", "nothing is left by the adapter's rules", title);
      const removals = Object.fromEntries(Object.entries(removed).filter(([, count]) => count > 0));
      const made = makeDocument(
        { ...source, path: "", retrieved: source.retrieved ?? page.retrieved.slice(0, 10) },
        "guideline",
        {
          id,
          title,
          text: withTitle(title, text),
          url: link.url,
          license: source.license ?? adapter.license,
          meta: {
            ...meta,
            adapter: adapter.tag,
            provenance: { url: link.url, sha256: page.sha256 },
            removedByLineRules: removals,
          },
        },
      );
      return document({ ...made, redistributable: source.redistributable ?? adapter.redistributable });
    } catch (error) {
      if (!(error instanceof DataError) || error.code === "CORPUS_SITE_CHANGED") throw error;
      return gone(`read.${error.code.toLowerCase().replace("corpus_", "").replaceAll("_", "-")}`, error.message);
    }
  }

  async #html(page: Page): Promise<{ title: string; body: string; meta: Record<string, unknown> } | undefined> {
    const { article } = this.#adapter;
    const $ = load(parseHtml(decodeHtml(page)) as Dom);
    const body = this.#content($);
    if (body === undefined) return undefined;
    const title = cutTitle(titleOf($, article.title), article.titleRemove);
    const parts = [body];
    const { parts: level } = article;
    if (level) {
      const base = this.#base(page, $("base").attr("href"));
      const links = new Map<string, Link>();
      $(level.links).each((_, element) => {
        const link = this.#link($(element).attr("href"), plainText(element), base);
        if (link && accepts(level, link) && link.url !== this.#canonical(page.finalUrl)) links.set(link.url, link);
      });
      for (const link of links.values()) {
        const part = await this.#crawler.fetch(this.#local(link.url));
        const text = this.#content(load(parseHtml(decodeHtml(part)) as Dom));
        if (text) parts.push(`# ${link.text}\n\n${text.replace(/^(#{1,5} )/gm, "#$1")}`);
      }
    }
    return { title, body: parts.join("\n\n"), meta: {} };
  }

  #content($: ReturnType<typeof load>): string | undefined {
    const { article } = this.#adapter;
    const content = $(article.content);
    if (content.length === 0) return undefined;
    for (const selector of article.remove) content.find(selector).remove();
    // Nested matches would be read twice.
    const nodes = content
      .toArray()
      .filter((node) => !content.toArray().some((other) => other !== node && contains(other, node)));
    return renderText(nodes as AnyNode[], {
      skip: (element) => !nodes.includes(element) && isChrome(element),
      tables: article.tables,
      boldHeadings: article.boldHeadings,
    });
  }

  async #pdf(
    page: Page,
    link: Link,
  ): Promise<{ title: string; body: string; meta: Record<string, unknown> } | undefined> {
    const { download } = this.#adapter.article;
    let file = page;
    let pageTitle = "";
    if (!isPdf(page)) {
      if (download === undefined) return this.#html(page);
      const $ = load(parseHtml(decodeHtml(page)) as Dom);
      pageTitle = cutTitle(titleOf($, this.#adapter.article.title), this.#adapter.article.titleRemove);
      const target = this.#link($(download).first().attr("href"), "", this.#base(page, $("base").attr("href")));
      if (!target) return undefined;
      file = await this.#crawler.fetch(this.#local(target.url));
      if (!isPdf(file)) return undefined;
    }
    const { title, text, pages } = await pdfToText(file.body, file.url);
    return { title: pageTitle || title || link.text, body: text, meta: { pages, pdf: this.#canonical(file.url) } };
  }

  #siteChanged(url: string, selector: string): DataError {
    return new DataError("CORPUS_SITE_CHANGED", {
      message: `${this.#adapter.name} has changed: "${selector}" finds nothing on a page that loads`,
      where: url,
      remedy: `open the page, correct the selector and pass the adapter as a YAML file (adapter: my-${this.#adapter.tag}.yaml)`,
      fields: { adapter: this.#adapter.tag, selector },
    });
  }
}

function accepts(level: Pick<Level, "match" | "exclude" | "text" | "excludeText">, link: Link): boolean {
  const test = (source: string, value: string) => new RegExp(source, "iu").test(value);
  return (
    (level.match === undefined || test(level.match, link.url)) &&
    (level.exclude === undefined || !test(level.exclude, link.url)) &&
    (level.text === undefined || test(level.text, link.text)) &&
    (level.excludeText === undefined || !test(level.excludeText, link.text))
  );
}

function titleOf($: ReturnType<typeof load>, selectors: readonly string[]): string {
  for (const selector of selectors) {
    const element = $(selector).first();
    const text = (element.attr("content") ?? element.text()).replace(/\s+/g, " ").trim();
    if (text !== "") return text;
  }
  return "";
}

const cutTitle = (title: string, patterns: readonly string[]) =>
  patterns.reduce((cut, source) => cut.replace(new RegExp(source, "iu"), ""), title).trim();

function contains(outer: AnyNode, inner: AnyNode): boolean {
  for (let node = inner.parent; node; node = node.parent) if (node === outer) return true;
  return false;
}

const isPdf = (page: Page) => page.body.subarray(0, 1024).includes("%PDF-") && !/html/.test(page.contentType);

/** By the header's charset, else the page's own, else UTF-8. */
export function decodeHtml(page: Pick<Page, "body" | "contentType">): string {
  const stated =
    /charset=["']?([\w-]+)/i.exec(page.contentType)?.[1] ??
    /<meta[^>]+charset=["']?([\w-]+)/i.exec(page.body.subarray(0, 2048).toString("latin1"))?.[1];
  try {
    return new TextDecoder(stated ?? "utf-8").decode(page.body);
  } catch {
    return new TextDecoder().decode(page.body); // a charset nobody knows
  }
}

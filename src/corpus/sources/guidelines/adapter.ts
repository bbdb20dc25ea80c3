/**
 * A guideline site as data: where its lists are, which links lead to articles, what of a page is the article, what of its text
 * is not. Built-in adapters (`adapters.ts`) and a user's YAML file have this one shape. Selectors are CSS; patterns are regular
 * expressions, matched without case on addresses and on whole lines of text.
 */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { ConfigError, fromSystemError } from "../../../core/errors.ts";
import { closest } from "../../../core/suggest.ts";

const pattern = z.string().refine(
  (source) => {
    try {
      new RegExp(source, "iu");
      return true;
    } catch {
      return false;
    }
  },
  { error: (issue) => `not a regular expression: ${String(issue.input)}` },
);

/** A step of the way from the start pages to the articles: which links of a page to follow. */
const levelSchema = z.strictObject({
  /** Elements with `href`. This must match on at least one page of the level: if not, the site has changed. */
  links: z.string().min(1),
  /** Only addresses that match ... */
  match: pattern.optional(),
  /** ... and not this. */
  exclude: pattern.optional(),
  /** The link to the next page of the same list. */
  next: z.string().optional(),
  /** Take only links with this text. */
  text: pattern.optional(),
  excludeText: pattern.optional(),
});

const articleSchema = z.strictObject({
  /** "pdf": the last level's links are PDF files, or (with `download`) pages with a link to one. */
  format: z.enum(["html", "pdf"]).default("html"),
  download: z.string().optional(),
  /** The article's title; the first that matches. */
  title: z.array(z.string()).default(["h1"]),
  /** Cut from a title: " | AAFP". */
  titleRemove: z.array(pattern).default([]),
  /** The element that is the article: must match on every article page. */
  content: z.string().default("main"),
  /** Elements within it that are not the article. */
  remove: z.array(z.string()).default([]),
  /** Further pages of the same article (tabs, chapters), with their link's text as heading. */
  parts: levelSchema.omit({ next: true }).optional(),
  boldHeadings: z.int().min(1).max(6).optional(),
  tables: z.boolean().default(true),
});

const textSchema = z.strictObject({
  /** The first line that matches begins the text; what stands before it goes. Without a match, nothing goes. */
  start: z.array(pattern).default([]),
  /** Lines that match go. */
  remove: z.array(pattern).default([]),
  /** The first line that matches, and all after it, go. */
  stop: z.array(pattern).default([]),
  /** Sections (a heading and what follows until the next of its level) that go. */
  removeSections: z.array(pattern).default([]),
  /** The whole record goes if a line matches. */
  skipRecord: z.array(pattern).default([]),
  /** Records with fewer lines that have words are no articles. */
  minLines: z.int().min(0).default(1),
});

export const adapterSchema = z.strictObject({
  /** Short name, in ids: `guideline:<tag>:<hash>`. */
  tag: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string().min(1),
  country: z.string().optional(),
  /** SPDX id, or "unknown". */
  license: z.string().default("unknown"),
  redistributable: z.boolean().default(false),
  /** Scheme and host; a crawl may be pointed at a mirror with `baseUrl`. */
  origin: z.url(),
  /** Paths of the start pages; `{A-Z}` and `{488,998-1043}` stand for each letter or number. */
  start: z.array(z.string().min(1)).min(1),
  /** From the start pages to the articles; none when the start pages are the articles. */
  levels: z.array(levelSchema).default([]),
  /** Other hosts that links may lead to. */
  hosts: z.array(z.string()).default([]),
  article: articleSchema.default(() => articleSchema.parse({})),
  text: textSchema.default(() => textSchema.parse({})),
  /** What a reader should know: how it was tested, what it misses. */
  note: z.string().optional(),
});

export type SiteAdapterInput = z.input<typeof adapterSchema>;
export type SiteAdapter = z.output<typeof adapterSchema>;
export type Level = z.output<typeof levelSchema>;

/** `a{x,1-3}b` → ax b, a1b, a2b, a3b; `{A-Z}` letters. */
export function expandStart(path: string): string[] {
  const [, before, body, after] = /^(.*?)\{([^{}]+)\}(.*)$/.exec(path) ?? [];
  if (before === undefined || body === undefined || after === undefined) return [path];
  const values = body.split(",").flatMap((part) => {
    const [, from, to] = /^(\w+)-(\w+)$/.exec(part.trim()) ?? [];
    if (from === undefined || to === undefined) return [part.trim()];
    if (/^\d+$/.test(from))
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => String(Number(from) + i));
    const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
    return Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i));
  });
  return values.flatMap((value) => expandStart(`${before}${value}${after}`));
}

/** Checks an adapter. @throws {ConfigError} CORPUS_BAD_ADAPTER with every problem. */
export function parseAdapter(value: unknown, where: string): SiteAdapter {
  const parsed = adapterSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new ConfigError("CORPUS_BAD_ADAPTER", {
    message: problems.length === 1 ? problems[0]! : `${problems.length} problems\n  ${problems.join("\n  ")}`,
    where,
    remedy: "docs/guide shows the keys of a site adapter",
    fields: { problems },
  });
}

/** An adapter by name or from a YAML file. */
export async function loadAdapter(nameOrFile: string): Promise<SiteAdapter> {
  if (/\.ya?ml$/.test(nameOrFile)) {
    const text = await readFile(nameOrFile, "utf8").catch((error: unknown) => {
      throw fromSystemError(error, nameOrFile, "reading a site adapter");
    });
    let value: unknown;
    try {
      value = parse(text);
    } catch (cause) {
      throw new ConfigError("CORPUS_BAD_ADAPTER", {
        message: `not YAML: ${(cause as Error).message}`,
        where: nameOrFile,
        remedy: "repair the file",
        cause,
      });
    }
    return parseAdapter(value, nameOrFile);
  }
  const { ADAPTERS } = await import("./adapters.ts");
  const found = ADAPTERS.find((adapter) => adapter.tag === nameOrFile);
  if (found) return parseAdapter(found, nameOrFile);
  const tags = ADAPTERS.map((adapter) => adapter.tag);
  const near = closest(nameOrFile, tags);
  throw new ConfigError("CORPUS_NO_ADAPTER", {
    message: `no guideline adapter "${nameOrFile}"${near ? `; did you mean "${near}"?` : ""}`,
    where: "sources.adapter",
    remedy: `use one of ${tags.join(", ")}, or a YAML file of selectors`,
  });
}

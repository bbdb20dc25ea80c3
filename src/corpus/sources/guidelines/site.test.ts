import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatError } from "../../../core/errors.ts";
import type { SourceItem } from "../../document.ts";
import { collect, testFolder, writeFiles } from "../../testing.ts";
import { makePdf } from "../../testing-pdf.ts";
import { expandStart, parseAdapter } from "./adapter.ts";
import { ADAPTERS } from "./adapters.ts";
import { SITES } from "./fixtures.ts";
import { type GuidelineSiteOptions, readGuidelineSite } from "./site.ts";

let folder: string;
let server: Server;
let origin: string;
let files: Record<string, string | Buffer>;
let requests: IncomingMessage[];
let answer:
  | ((request: IncomingMessage) => { status: number; headers?: Record<string, string> } | undefined)
  | undefined;

beforeEach(async () => {
  folder = await testFolder();
  files = {};
  requests = [];
  answer = undefined;
  server = createServer((request, response) => {
    if (request.url !== "/robots.txt") requests.push(request);
    const given = answer?.(request);
    if (given) return void response.writeHead(given.status, given.headers).end();
    const body = files[decodeURI(request.url!)];
    if (body === undefined) return void response.writeHead(404).end("not found");
    const etag = `"${body.length}"`;
    if (request.headers["if-none-match"] === etag) return void response.writeHead(304).end();
    const isText = typeof body === "string";
    response.writeHead(200, { "content-type": isText ? "text/html; charset=utf-8" : "application/octet-stream", etag });
    response.end(isText ? body : Buffer.from(body.toString("latin1").replaceAll("{origin}", origin), "latin1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

const options = (adapter: string, more: Partial<GuidelineSiteOptions> = {}): GuidelineSiteOptions => ({
  name: adapter.replace(/^.*\/|\.yaml$/g, ""),
  adapter,
  cache: join(folder, "cache"),
  baseUrl: origin,
  delayMs: 0,
  backoffMs: 1,
  ...more,
});
const documents = (items: SourceItem[]) => items.flatMap((item) => ("document" in item ? [item.document] : []));
const drops = (items: SourceItem[]) => items.flatMap((item) => ("drop" in item ? [item.drop] : []));
const failure = async (stream: AsyncIterable<unknown>): Promise<string> => {
  try {
    await collect(stream);
    return "no error";
  } catch (error) {
    return formatError(error).replaceAll(origin, "<site>").replaceAll(folder, "<folder>");
  }
};

async function tarOfPdfs(): Promise<Buffer> {
  const archive = pack();
  const body = makePdf([
    [
      { x: 72, y: 740, size: 20, text: "War Surgery" },
      { x: 72, y: 690, size: 11, text: "Give 10-20 mg (max 40 mg) daily if the count is < 0.5 x 10 to the 9." },
    ],
  ]);
  archive.entry({ name: "icrc/war-surgery.pdf" }, body);
  archive.entry({ name: "icrc/readme.txt" }, "not an article");
  archive.finalize();
  const chunks = await collect(archive as unknown as AsyncIterable<Buffer>);
  return gzipSync(Buffer.concat(chunks));
}

describe("each of the 16 sources, on a site of its structure", () => {
  test.each(ADAPTERS.map((adapter) => adapter.tag))("%s", async (tag) => {
    const site = SITES[tag]!;
    files = { ...site.files };
    if (tag === "icrc") files["/~kmatoba/icrc.tar.gz"] = await tarOfPdfs();
    // Specialties and letters that the small site lacks are empty lists, not errors.
    const adapter = ADAPTERS.find((candidate) => candidate.tag === tag)!;
    for (const path of adapter.start.flatMap(expandStart))
      files[path] ??= "<html><body><main>Nothing here</main></body></html>";
    const items = await collect(readGuidelineSite(options(tag)));
    const found = documents(items);
    expect(drops(items).filter(({ rule }) => rule !== "read.no-article")).toEqual([]);
    expect(found.map(({ title }) => title).sort()).toEqual(site.articles.map(({ title }) => title).sort());
    for (const { title, has } of site.articles) {
      const document = found.find((candidate) => candidate.title === title)!;
      expect(document.text.startsWith(title)).toBe(true);
      for (const part of has) expect(document.text.replace(/\s*\n(?!\s*-)/g, "\n")).toContain(part);
      for (const part of site.lacks) expect(document.text).not.toContain(part);
      expect(document.id).toMatch(new RegExp(`^guideline:${tag}:[0-9a-f]{16}$`));
      expect(document.kind).toBe("guideline");
      expect(document.url?.startsWith(origin)).toBe(false);
      expect(document.redistributable).toBe(adapter.redistributable ?? false);
      expect(document.retrieved).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    }
  });

  test.each(ADAPTERS.map((adapter) => adapter.tag))("%s: a redesign is reported, never read as empty", async (tag) => {
    const adapter = ADAPTERS.find((candidate) => candidate.tag === tag)!;
    for (const path of adapter.start.flatMap(expandStart))
      files[path] = path.endsWith(".pdf")
        ? makePdf([[{ x: 9, y: 9, size: 9, text: "No links" }]])
        : "<html><body><div id=app>Welcome to our new site</div></body></html>";
    if (tag === "icrc") files["/~kmatoba/icrc.tar.gz"] = gzipSync(Buffer.alloc(1024));
    expect(await failure(readGuidelineSite(options(tag)))).toMatch(
      /^CORPUS_SITE_CHANGED at https:.* has changed: ".*" finds nothing/,
    );
  });
});

const GENERIC = `
tag: clinic
name: Clinic
origin: https://clinic.example
license: CC-BY-4.0
redistributable: true
start: [/index.html]
levels:
  - { links: "ul.list a", next: "a.next" }
article: { content: article, remove: [.share] }
text: { stop: [references] }
`;

function clinic(): void {
  files = {
    "/robots.txt": "User-agent: *\nDisallow: /drafts/\nAllow: /drafts/open",
    "/index.html": `<ul class=list><li><a href="a.html">A</a><li><a href="drafts/x.html">X</a><li><a href="missing.html">M</a></ul><a class=next href="/p2.html">more</a>`,
    "/p2.html": `<ul class=list><li><a href="b.html">B</a><li><a href="drafts/open.html">O</a><li><a href="old.html">Old</a></ul>`,
    "/a.html":
      "<article><h1>A</h1><p>Text of a.</p><div class=share>Share</div><h2>References</h2><p>[1]</p></article>",
    "/b.html": "<article><h1>B</h1><p>Text of b.</p></article>",
    "/old.html": "<div><h1>Old</h1><p>An old page.</p></div>",
    "/drafts/x.html": "<article><h1>X</h1><p>Secret</p></article>",
    "/drafts/open.html": "<article><h1>O</h1><p>Open draft.</p></article>",
  };
}

describe("a site of the user's own, by a YAML of selectors", () => {
  beforeEach(async () => {
    await writeFiles(folder, { "clinic.yaml": GENERIC });
    clinic();
  });
  const own = (more: Partial<GuidelineSiteOptions> = {}) => options(join(folder, "clinic.yaml"), more);

  test("robots.txt is obeyed, and every address is accounted for", async () => {
    const items = await collect(readGuidelineSite(own()));
    expect(documents(items).map(({ title, text, license }) => [title, text, license])).toEqual([
      ["A", "A\n\nText of a.", "CC-BY-4.0"],
      ["B", "B\n\nText of b.", "CC-BY-4.0"],
      ["O", "O\n\nOpen draft.", "CC-BY-4.0"],
    ]);
    expect(drops(items).map(({ rule, where }) => [rule, where])).toEqual([
      ["read.page-forbidden", "https://clinic.example/drafts/x.html"],
      ["read.page-status", "https://clinic.example/missing.html"],
      ["read.site-changed", "https://clinic.example/old.html"],
    ]);
    expect(requests.map(({ url }) => url)).not.toContain("/drafts/x.html");
    expect(requests[0]!.headers["user-agent"]).toContain("meditron-corpus");
  });

  test("a finished crawl is read without a request; a refreshed one asks with the ETag", async () => {
    const first = await collect(readGuidelineSite(own()));
    const sent = requests.length;
    expect(await collect(readGuidelineSite(own({ offline: true })))).toEqual(first);
    expect(await collect(readGuidelineSite(own()))).toHaveLength(first.length);
    expect(requests.length).toBe(sent);
    files["/b.html"] = "<article><h1>B</h1><p>New text of b!</p></article>";
    const again = documents(await collect(readGuidelineSite(own({ refresh: true }))));
    expect(again.map(({ text }) => text)).toContain("B\n\nNew text of b!");
    expect(requests.slice(sent).filter(({ headers }) => headers["if-none-match"]).length).toBeGreaterThan(4);
  });

  test("an interrupted crawl goes on where it stopped", async () => {
    const stream = readGuidelineSite(own());
    await stream.next();
    await stream.return(undefined);
    const before = requests.map(({ url }) => url);
    const items = await collect(readGuidelineSite(own()));
    expect(documents(items)).toHaveLength(3);
    const after = requests.slice(before.length).map(({ url }) => url);
    expect(after).not.toContain("/index.html");
    expect(after).not.toContain("/a.html");
  });

  test("busy and broken servers are asked again, up to a point", async () => {
    let failures = 0;
    answer = ({ url }) =>
      url === "/b.html" && failures++ < 2 ? { status: 503, headers: { "retry-after": "0" } } : undefined;
    expect(documents(await collect(readGuidelineSite(own())))).toHaveLength(3);
    expect(failures).toBe(3);
    answer = ({ url }) => (url === "/robots.txt" ? { status: 500 } : undefined);
    expect(await failure(readGuidelineSite(own({ cache: join(folder, "other") })))).toMatchInlineSnapshot(`
      "CORPUS_ROBOTS_UNREADABLE at <site>/robots.txt: the site's robots.txt cannot be read (it answers 500), so nothing may be fetched
        → try again later"
    `);
  });

  test("pauses between requests to a host", async () => {
    const started = Date.now();
    await collect(readGuidelineSite(own({ delayMs: 40, maxPages: 1 })));
    // robots.txt, two lists, one article: three pauses
    expect(Date.now() - started).toBeGreaterThanOrEqual(3 * 40 - 5);
  });

  test("what is wrong is said", async () => {
    expect(
      await failure(readGuidelineSite(own({ offline: true, cache: join(folder, "empty") }))),
    ).toMatchInlineSnapshot(`
      "CORPUS_NO_SNAPSHOT at <folder>/empty: the source is to be read offline, but nothing was crawled yet
        → run the crawl once without \`offline: true\`"
    `);
    expect(await failure(readGuidelineSite(options("whoo")))).toMatchInlineSnapshot(`
      "CORPUS_NO_ADAPTER at sources.adapter: no guideline adapter "whoo"; did you mean "who"?
        → use one of aafp, cco, cdc, cma, cps, drugs, gc, icrc, idsa, magic, mayo, nice, rch, spor, who, wikidoc, or a YAML file of selectors"
    `);
    expect(() =>
      parseAdapter({ tag: "X", name: "x", origin: "x", start: [], levels: [{ link: "a", match: "(" }] }, "x.yaml"),
    ).toThrowErrorMatchingInlineSnapshot(`
      [ConfigError: 6 problems
        tag: Invalid string: must match pattern /^[a-z0-9-]+$/
        origin: Invalid URL
        start: Too small: expected array to have >=1 items
        levels.0.links: Invalid input: expected string, received undefined
        levels.0.match: not a regular expression: (
        levels.0: Unrecognized key: "link"]
    `);
    const gone = readGuidelineSite(own({ baseUrl: "http://127.0.0.1:9", cache: join(folder, "gone") }));
    expect(await failure(gone)).toContain("CORPUS_SITE_UNREACHABLE");
  });
});

test("start patterns", () => {
  expect(expandStart("/id/{488,998-1000}")).toEqual(["/id/488", "/id/998", "/id/999", "/id/1000"]);
  expect(expandStart("/i?l={A-C}")).toEqual(["/i?l=A", "/i?l=B", "/i?l=C"]);
});

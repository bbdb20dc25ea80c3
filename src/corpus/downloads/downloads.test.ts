/** Both clients against local services that answer as the real ones do, with their limits, failures and odd manners. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatError } from "../../core/errors.ts";
import { readJats } from "../sources/jats.ts";
import { readPubMed } from "../sources/pubmed.ts";
import { readS2Orc } from "../sources/s2orc.ts";
import { collect, testFolder } from "../testing.ts";
import { downloadEntrez, type EutilsOptions } from "./eutils.ts";
import { downloadSemanticScholar, type S2DownloadOptions } from "./semantic-scholar.ts";

let folder: string;
let server: Server;
let origin: string;
let answer: (request: IncomingMessage, response: ServerResponse, form: URLSearchParams) => void;
/** When each request came, and what it asked. */
let requests: { at: number; url: string; form: URLSearchParams; headers: IncomingMessage["headers"] }[];

beforeEach(async () => {
  folder = await testFolder();
  requests = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
    requests.push({ at: Date.now(), url: request.url!, form, headers: request.headers });
    answer(request, response, form);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

const failure = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no error",
    (error: unknown) => formatError(error).replaceAll(origin, "<service>").replaceAll(folder, "<folder>"),
  );
const idsOf = async (options: { name: string; path: string }, read = readPubMed) =>
  (await collect(read(options))).map((item) => ("document" in item ? item.document.id : item.drop.rule));

// ── E-utilities ────────────────────────────────────────────────────────────────────────────────────────────────────────

const citation = (id: number) =>
  `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">${id}</PMID><Article><ArticleTitle>Citation ${id}</ArticleTitle><Abstract><AbstractText>Dose of ${id} mg, p &lt; 0.05.</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>`;
const fullText = (id: number) =>
  `<article><front><article-meta><article-id pub-id-type="pmcid">PMC${id}</article-id><title-group><article-title>Article ${id}</article-title></title-group></article-meta></front><body><p>Text of ${id}.</p></body></article>`;

/** NCBI, with records of these ids; a search shows `limit` of them at most. */
function ncbi(records: readonly number[], { limit = 9999, gone = [] as number[] } = {}): typeof answer {
  return ({ url }, response, form) => {
    if (url === "/esearch.fcgi") {
      const term = form.get("term")!;
      const range = /\) AND (\d+):(\d+)\[uid\]$/.exec(term);
      const found = range ? records.filter((id) => id >= Number(range[1]) && id <= Number(range[2])) : records;
      const idlist = found.slice(0, Math.min(limit, Number(form.get("retmax")))).map(String);
      const errorlist = { phrasesnotfound: found.length === 0 && !range ? [term] : [], fieldsnotfound: [] };
      return void response.end(
        JSON.stringify({ header: {}, esearchresult: { count: String(found.length), idlist, errorlist } }),
      );
    }
    const pmc = form.get("db") === "pmc";
    const ids = form.get("id")!.split(",").map(Number);
    const there = ids.filter((id) => !gone.includes(id));
    const [root, record] = pmc ? ["pmc-articleset", fullText] : ["PubmedArticleSet", citation];
    response.end(`<?xml version="1.0" ?>\n<${root}>${there.map(record).join("\n")}</${root}>\n`);
  };
}

describe("E-utilities", () => {
  const options = (more: Partial<EutilsOptions> = {}): EutilsOptions => ({
    query: "malaria[mesh]",
    folder: join(folder, "out"),
    baseUrl: origin,
    backoffMs: 1,
    pauseMs: 0,
    apiKey: "secret-key",
    ...more,
  });

  test("a search and its records, by POST, with key, tool and address", async () => {
    answer = ncbi([7, 3, 11]);
    const download = await downloadEntrez(options({ email: "a@example.org", batch: 2 }));
    expect(download).toMatchObject({ records: 3, missing: [], files: 2 });
    expect(await idsOf({ name: "pubmed", path: join(folder, "out") })).toEqual(["pmid:3", "pmid:7", "pmid:11"]);
    expect(Object.fromEntries(requests[0]!.form)).toEqual({
      db: "pubmed", term: "malaria[mesh]", retmode: "json", retmax: "9999", tool: "meditron", email: "a@example.org", api_key: "secret-key",
    }); // biome-ignore format: one form
    expect(requests.map(({ url }) => url)).toEqual(["/esearch.fcgi", "/efetch.fcgi", "/efetch.fcgi"]);
    expect(requests[1]!.form.get("id")).toBe("3,7");
  });

  test("more records than a search shows come in ranges of ids, each once", async () => {
    const records = Array.from({ length: 40 }, (_, i) => 1000 + 37 * i * i);
    answer = ncbi(records.toReversed(), { limit: 6 });
    const download = await downloadEntrez(options({ batch: 100 }));
    expect(download.records).toBe(40);
    expect(await idsOf({ name: "pubmed", path: join(folder, "out") })).toEqual(records.map((id) => `pmid:${id}`));
  }, 60_000);

  test("full texts of PMC, those that are not open named", async () => {
    answer = ncbi([5, 6, 7], { gone: [6] });
    const download = await downloadEntrez(options({ database: "pmc" }));
    expect(download).toMatchObject({ records: 2, missing: ["6"] });
    expect(await idsOf({ name: "pmc", path: join(folder, "out") }, readJats)).toEqual(["pmc:PMC5", "pmc:PMC7"]);
  });

  test("at most 3 requests a second without a key, 10 with one", async () => {
    answer = ncbi([1, 2, 3, 4, 5]);
    for (const [apiKey, least] of [
      [undefined, 333],
      ["k", 100],
    ] as const) {
      requests = [];
      await downloadEntrez(options({ apiKey, pauseMs: undefined, batch: 2, folder: join(folder, apiKey ?? "none") }));
      const gaps = requests.slice(1).map(({ at }, i) => at - requests[i]!.at);
      // Clocks of a busy machine: a request may be noticed late, so single gaps may shrink; together they may not.
      expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThanOrEqual(least * gaps.length);
    }
  });

  test("limits, failures with status 200 and answers cut short are asked again", async () => {
    const good = ncbi([1, 2]);
    const bad = [
      (r: ServerResponse) => r.writeHead(429, { "retry-after": "0" }).end('{"error":"API rate limit exceeded","limit":"3"}'),
      (r: ServerResponse) => r.end('{"esearchresult":{"ERROR":"Search Backend failed: \n timeout"}}'),
      undefined,
      (r: ServerResponse) => r.writeHead(502).end("bad gateway"),
      (r: ServerResponse) => r.end("<PubmedArticleSet><PubmedArticle><Medline"),
      (r: ServerResponse) => r.destroy(),
    ]; // biome-ignore format: a list
    answer = (request, response, form) => {
      const failure = bad.shift();
      if (failure) failure(response);
      else good(request, response, form);
    };
    expect(await downloadEntrez(options())).toMatchObject({ records: 2 });
    expect(requests).toHaveLength(7);
  });

  test("interrupted, it goes on with the same ids; finished, it asks nothing", async () => {
    const good = ncbi([1, 2, 3, 4, 5, 6]);
    answer = (request, response, form) => {
      if (form.get("id") === "5,6") response.writeHead(500).end();
      else good(request, response, form);
    };
    const wanted = options({ batch: 2, tries: 2 });
    expect(await failure(downloadEntrez(wanted))).toMatchInlineSnapshot(`
      "CORPUS_SITE_UNREACHABLE at pubmed fetch of 5 to 6: the site answers 500, after 2 tries
        → check the network and run again: what was fetched so far is kept"
    `);
    requests = [];
    answer = good;
    expect(await downloadEntrez(wanted)).toMatchObject({ records: 6, files: 3 });
    expect(requests.map(({ form }) => form.get("id"))).toEqual(["5,6"]);
    requests = [];
    expect(await downloadEntrez(wanted)).toMatchObject({ records: 6 });
    expect(requests).toEqual([]);
    expect(await failure(downloadEntrez(options({ query: "sepsis" })))).toMatchInlineSnapshot(`
      "CORPUS_OTHER_SEARCH at <folder>/out: the folder holds the download of another search: "malaria[mesh]" in pubmed
        → name another folder, or remove this one"
    `);
  });

  test("what is wrong is said, and never with the key", async () => {
    answer = ncbi([]);
    expect(await failure(downloadEntrez(options()))).toMatchInlineSnapshot(`
      "CORPUS_NOTHING_FOUND at query: the search "malaria[mesh]" finds nothing in pubmed (phrasesnotfound: malaria[mesh])
        → try it in the search box of https://pubmed.ncbi.nlm.nih.gov"
    `);
    answer = (_, response) => response.writeHead(400).end('{"error":"API key invalid","api-key":"secret-key"}');
    expect(await failure(downloadEntrez(options()))).toMatchInlineSnapshot(`
      "CORPUS_ENTREZ_REFUSES at E-utilities: NCBI answers 400: API key invalid
        → check the API key (NCBI_API_KEY)"
    `);
  });
});

// ── Semantic Scholar ───────────────────────────────────────────────────────────────────────────────────────────────────

describe("Semantic Scholar's datasets", () => {
  const paper = (id: number) =>
    `${JSON.stringify({ corpusid: id, externalids: { PubMed: String(id) }, title: `Paper ${id}` })}\n`;
  const abstract = (id: number) =>
    `${JSON.stringify({ corpusid: id, openaccessinfo: { externalids: {} }, abstract: `The dose was ${id} mg. `.repeat(200) })}\n`;
  const parts: Record<string, Buffer> = {
    "papers/p0.gz": gzipSync(paper(1) + paper(2)),
    "abstracts/a0.gz": gzipSync(abstract(1)),
    "abstracts/a1.gz": gzipSync(abstract(2)),
  };
  let signature: number;
  /** Behaves as S3: signed links, ranges, an ETag. */
  let file: (name: string, request: IncomingMessage, response: ServerResponse) => boolean;

  beforeEach(() => {
    signature = 1;
    file = () => false;
    answer = (request, response) => {
      const { pathname, searchParams } = new URL(request.url!, origin);
      if (pathname.startsWith("/release")) {
        if (request.headers["x-api-key"] !== "secret-key") return void response.writeHead(403).end("Forbidden");
        const [, , release, , dataset] = pathname.split("/");
        const id = release === "latest" ? "2023-11-07" : release;
        if (id !== "2023-11-07") return void response.writeHead(404).end("not found");
        if (!dataset) return void response.end(JSON.stringify({ release_id: id, datasets: [] }));
        const names = Object.keys(parts).filter((name) => name.startsWith(`${dataset}/`));
        const files = names.map((name) => `${origin}/s3/${name}?X-Amz-Signature=${signature}`);
        return void response.end(JSON.stringify({ name: dataset, README: `License of ${dataset}: ODC-BY`, files }));
      }
      const name = pathname.slice("/s3/".length);
      if (Number(searchParams.get("X-Amz-Signature")) !== signature)
        return void response.writeHead(403).end("<Error><Message>Request has expired</Message></Error>");
      if (file(name, request, response)) return;
      const body = parts[name]!;
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const etag = `"${createHash("md5").update(body).digest("hex")}"`;
      if (from >= body.length)
        return void response.writeHead(416, { "content-range": `bytes */${body.length}`, etag }).end();
      response.writeHead(from > 0 ? 206 : 200, { "content-length": body.length - from, etag }).end(body.subarray(from));
    };
  });

  const options = (more: Partial<S2DownloadOptions> = {}): S2DownloadOptions => ({
    folder: join(folder, "s2"),
    datasets: ["papers", "abstracts"],
    apiKey: "secret-key",
    baseUrl: origin,
    backoffMs: 1,
    pauseMs: 0,
    ...more,
  });
  const written = async () => {
    for (const [name, bytes] of Object.entries(parts)) expect(await readFile(join(folder, "s2", name))).toEqual(bytes);
    expect(
      (await readdir(join(folder, "s2"), { recursive: true })).filter((name) => name.endsWith(".partial")),
    ).toEqual([]);
  };

  test("all parts of the newest release, which the folder keeps from then on", async () => {
    const download = await downloadSemanticScholar(options());
    expect(download).toMatchObject({
      release: "2023-11-07",
      datasets: { papers: { parts: 1 }, abstracts: { parts: 2 } },
    });
    await written();
    expect(await readFile(join(folder, "s2/papers/README.txt"), "utf8")).toBe("License of papers: ODC-BY");
    expect(await failure(downloadSemanticScholar(options({ release: "2024-01-02" })))).toMatchInlineSnapshot(`
      "CORPUS_OTHER_RELEASE at <folder>/s2: the folder holds release 2023-11-07, not 2024-01-02
        → name another folder: parts of two releases do not fit together"
    `);
    requests = [];
    await downloadSemanticScholar(options());
    expect(requests.filter(({ url }) => url.startsWith("/s3"))).toEqual([]);
  });

  test("a broken connection goes on at its byte; so does a killed process", async () => {
    let broken = 0;
    file = (name, request, response) => {
      if (name !== "abstracts/a0.gz" || request.headers.range || broken++ > 0) return false;
      response.writeHead(200, { "content-length": parts[name]!.length });
      response.write(parts[name]!.subarray(0, 40), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await downloadSemanticScholar(options());
    await written();
    const ranges = requests.filter(({ url }) => url.startsWith("/s3/abstracts/a0")).map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, "bytes=40-"]);

    // As a kill leaves it: a piece of one part, another written whole but not yet under its name.
    await rm(join(folder, "s2/abstracts/a0.gz"));
    await rm(join(folder, "s2/abstracts/a1.gz"));
    await writeFile(join(folder, "s2/abstracts/a0.gz.partial"), parts["abstracts/a0.gz"]!.subarray(0, 33));
    await writeFile(join(folder, "s2/abstracts/a1.gz.partial"), parts["abstracts/a1.gz"]!);
    await downloadSemanticScholar(options());
    await written();
  });

  test("links that expired are asked for again; another file under the name is fetched anew", async () => {
    const before = options({ datasets: ["abstracts"] });
    file = (name) => {
      if (name === "abstracts/a0.gz") signature = 2;
      return false;
    };
    await downloadSemanticScholar(before);
    await rm(join(folder, "s2/abstracts/a1.gz"));
    await writeFile(join(folder, "s2/abstracts/a1.gz.partial"), "of another release");
    await downloadSemanticScholar(options());
    await written();
  });

  test("without a key, or for a release that is not there, the reason is said", async () => {
    expect(await failure(downloadSemanticScholar(options({ apiKey: "wrong" })))).toMatchInlineSnapshot(`
      "CORPUS_S2_REFUSES at <service>/release/latest: Semantic Scholar answers 403: Forbidden
        → check the API key (S2_API_KEY); keys are given at https://www.semanticscholar.org/product/api"
    `);
    expect(await failure(downloadSemanticScholar(options({ release: "2020-01-01" })))).toContain("no such release");
  });

  test("what was downloaded is read", async () => {
    await downloadSemanticScholar(options());
    const items = await collect(readS2Orc({ name: "s2", path: join(folder, "s2/abstracts") }));
    expect(items.map((item) => ("document" in item ? item.document.id : item.drop.rule))).toEqual(["s2:1", "s2:2"]);
  });
});

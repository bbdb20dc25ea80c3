/**
 * The Studio on a corpus of a million documents and an evaluation of a hundred thousand items: how long a reader waits for a page
 * of the list, a search, a filter, a document, an item. The routes are asked over HTTP, as the page asks them.
 *
 *   npm run bench -- studio [--quick] [--json]      --quick: 20,000 documents, 5,000 items
 *
 * Documents are generated (studio-testing.ts). There is no peer to compare
 * with; what counts is that every answer comes within what a person takes for immediate (0.1 s) or at least fluid (1 s).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../src/serve/index.ts";
import { createStudio } from "../src/serve/studio.ts";
import { writeLargeCorpus, writeLargeRun } from "../src/serve/studio-testing.ts";
import type { CorpusOverview, Page } from "../src/serve/studio-types.ts";
import type { Bench, BenchResult } from "./report.ts";

export const run: Bench = async ({ quick, json }) => {
  const documents = quick ? 20_000 : 1_000_000;
  const items = quick ? 5_000 : 100_000;
  const runs = mkdtempSync(join(tmpdir(), "meditron-bench-studio-"));
  const pages = join(runs, ".pages");
  const say = (line: string) => {
    if (!json) process.stderr.write(`${line}\n`);
  };
  try {
    mkdirSync(pages);
    writeFileSync(join(pages, "index.html"), "<!doctype html>");
    const results: BenchResult[] = [];
    const time = async <T>(name: string, work: () => Promise<T>, repeat = 1): Promise<T> => {
      const seconds: number[] = [];
      let value!: T;
      for (let i = 0; i < repeat; i++) {
        const startMs = performance.now();
        value = await work();
        seconds.push((performance.now() - startMs) / 1000);
      }
      seconds.sort((a, b) => a - b);
      results.push({ case: name, ours: seconds[seconds.length >> 1]!, slowest: seconds.at(-1)! });
      say(`${name}: ${seconds[seconds.length >> 1]!.toFixed(3)} s`);
      return value;
    };
    await time(`write ${documents} documents`, () => writeLargeCorpus(join(runs, "large", "corpus", "all"), documents));
    writeLargeRun(join(runs, "large"), items);

    const studio = await createStudio({ runs, pages });
    const server = await startServer({ models: [], port: 0, mount: studio.mount, limits: { requestsPerMinute: 0 } });
    const get = async <T>(path: string): Promise<T> => {
      const response = await fetch(`${server.url}/api${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    };
    const corpus = "/runs/large/corpora/all";
    try {
      await time("first list of documents (reads the shards)", () => get(`${corpus}/documents?limit=100`));
      await time("until all words are indexed", async () => {
        for (;;) {
          const { index } = await get<CorpusOverview>(corpus);
          if (index.state === "ready") return;
          if (index.state === "failed") throw new Error(index.message);
          await new Promise((wake) => setTimeout(wake, 250));
        }
      });
      let total = 0;
      const list = (query: string) => async () => {
        ({ total } = await get<Page<unknown>>(`${corpus}/documents?limit=100&${query}`));
        return total;
      };
      await time("page at the beginning", list("offset=0"), 5);
      await time("page in the middle", list(`offset=${documents / 2}`), 5);
      await time("page at the end", list(`offset=${documents - 100}`), 5);
      await time("filter by source, page in the middle", list(`source=pmc&offset=${documents / 8}`), 5);
      await time("filter by source, license and year", list("source=pmc&license=unknown&year=2015"), 5);
      await time("search a rare word", list("q=w29000"), 5);
      await time("search a frequent word", list("q=w0 "), 5);
      await time("search three words", list("q=w20 w300 w1500"), 5);
      await time("search a frequent and a rare word, filtered", list("q=w1 w2500&source=pubmed"), 5);
      await time("open a document", () => get(`${corpus}/documents/${documents >> 1}`), 5);
      await time(`first list of ${items} items`, () => get("/items?of=large/small/quiz/greedy&limit=100"));
      await time(
        "items, page in the middle",
        () => get(`/items?of=large/small/quiz/greedy&limit=100&offset=${items / 2}`),
        5,
      );
      await time(
        "items, filtered and searched",
        () => get("/items?of=large/small/quiz/greedy&limit=100&filter=wrong&q=number%201&subject=cardiology"),
        5,
      );
      await time("open an item", () => get(`/items/${items - 1}?of=large/small/quiz/greedy`), 5);
      await get("/items?of=large/better/quiz/greedy&limit=1");
      await time(
        "items that changed between two models",
        () =>
          get("/changed-items?first=large/small/quiz/greedy&second=large/better/quiz/greedy&change=changed&limit=100"),
        5,
      );
      await time("significance over all items (beside the server)", () =>
        get("/comparisons?of=large/small/quiz/greedy&of=large/better/quiz/greedy"),
      );
      await time("curve of 200,000 steps, first", () => get("/runs/large/training/long?points=1500"));
      await time("curve of 200,000 steps, again", () => get("/runs/large/training/long?points=1500"), 5);
    } finally {
      await server.stop();
      await studio.close();
    }
    const memory = Math.round(process.memoryUsage.rss() / 2 ** 20);
    return {
      subject: "studio",
      unit: "seconds, median of 5 and slowest",
      results,
      notes: [`${documents} documents, ${items} items; ${memory} MiB resident at the end`],
    };
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
};

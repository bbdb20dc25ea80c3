/**
 * The Studio on a corpus of a million documents and an evaluation of a hundred thousand items: how long a reader waits for a page
 * of the list, a search, a filter, a document, an item. The routes are asked over HTTP, as the page asks them.
 *
 *   npm run bench -- studio [--quick] [--json]      --quick: 20,000 documents, 5,000 items
 *
 * Documents are generated: 32 to 96 words from 30,000, drawn by Zipf's law as words of a language are. There is no peer to compare
 * with; what counts is that every answer comes within what a person takes for immediate (0.1 s) or at least fluid (1 s).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RandomState } from "../src/core/index.ts";
import { DropLog } from "../src/corpus/drop-log.ts";
import { MANIFEST } from "../src/corpus/index.ts";
import { ShardWriter } from "../src/corpus/shards.ts";
import { startServer } from "../src/serve/index.ts";
import { createStudio } from "../src/serve/studio.ts";
import { itemRecord } from "../src/serve/studio-testing.ts";
import type { CorpusOverview, Page } from "../src/serve/studio-types.ts";
import type { Bench, BenchResult } from "./report.ts";

const SOURCES = ["pubmed", "pmc", "guidelines", "textbooks"];
const LICENSES = ["CC-BY-4.0", "CC0-1.0", "unknown"];

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
    await time(`write ${documents} documents`, () => writeCorpus(join(runs, "large", "corpus", "all"), documents));
    writeRun(join(runs, "large"), items);

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

async function writeCorpus(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const random = new RandomState(1);
  const phrases = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 8 }, () => `w${Math.floor(30_000 ** random.random()) - 1}`).join(" "),
  );
  const writer = new ShardWriter(folder, "train", 256 << 20);
  for (let i = 0; i < count; i++) {
    const length = 4 + Math.floor(random.random() * 9);
    const words = Array.from({ length }, () => phrases[Math.floor(random.random() * phrases.length)]!);
    await writer.write({
      id: `doc:${i}`,
      source: SOURCES[i % 4]!,
      kind: "abstract",
      title: `Document ${i}`,
      text: words.join(" "),
      license: LICENSES[i % 3]!,
      redistributable: i % 3 !== 2,
      published: String(1990 + (i % 35)),
      language: "en",
      sha256: "",
      meta: { number: i },
    });
  }
  const { shards, counts } = await writer.end();
  const drops = await DropLog.create(join(folder, "drops.jsonl.zst"));
  await drops.write({ id: "x", source: "pubmed", rule: "read.no-text", reason: "the record has no text" });
  await drops.commit();
  const stages = [{ stage: "read", in: count + 1, out: count, dropped: 1, added: 0 }];
  const manifest = {
    format: "meditron-corpus",
    version: 1,
    tool: "bench",
    recipeHash: "",
    seed: 1,
    shards,
    splits: { train: counts },
    drops: { total: 1, byRule: { "read.no-text": 1 }, file: "drops.jsonl.zst" },
    stages,
    reports: [],
  };
  writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest));
}

function writeRun(folder: string, items: number): void {
  writeFileSync(join(folder, "recipe.yaml"), "name: large\n");
  writeFileSync(join(folder, "events.jsonl"), "");
  for (const [model, share] of [
    ["small", 0.4],
    ["better", 0.41],
  ] as const) {
    const at = join(folder, "eval", model, "quiz", "greedy");
    mkdirSync(at, { recursive: true });
    const random = new RandomState(2);
    writeFileSync(
      join(at, "items.jsonl"),
      Array.from({ length: items }, (_, i) => `${JSON.stringify(itemRecord(i, random.random() < share))}\n`).join(""),
    );
  }
  const steps = join(folder, "train", "long");
  mkdirSync(steps, { recursive: true });
  const step = (i: number) =>
    `{"event":"step-end","time":"2026-01-01T00:00:00.000Z","step":${i},"loss":${10 / Math.sqrt(i)},"gradNorm":1.25,"learningRate":0.0003,"samples":${i * 64},"tokens":65536,"tokensPerSecond":41900.5}\n`;
  writeFileSync(join(steps, "events.jsonl"), Array.from({ length: 200_000 }, (_, i) => step(i + 1)).join(""));
}

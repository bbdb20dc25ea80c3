/** The Studio's routes: what they answer, and what they refuse. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recipe } from "../run/recipe.ts";
import { type RunningServer, startServer } from "./index.ts";
import { createStudio, type Studio } from "./studio.ts";
import { diffRecipes } from "./studio-runs.ts";
import { HOSTILE, itemRecord, makeRuns, trainingLines } from "./studio-testing.ts";
import type { DocumentRow, DocumentView, ItemRow, Page, RunDetail, SourceView, TrainingCurve } from "./studio-types.ts";

let runs: string;
let studio: Studio;
let server: RunningServer;
let pages: string;

beforeAll(async () => {
  runs = await makeRuns();
  pages = `${runs}-pages`;
  mkdirSync(pages, { recursive: true });
  writeFileSync(join(pages, "index.html"), "<!doctype html><title>Studio</title>");
  studio = await createStudio({ runs, pages });
  server = await startServer({ models: [], port: 0, mount: studio.mount, isPublic: studio.isPublic });
}, 60_000);

afterAll(async () => {
  await server?.stop();
  await studio?.close();
  for (const folder of [runs, pages, `${runs}-sources`]) rmSync(folder, { recursive: true, force: true });
});

const get = async <T>(path: string): Promise<T> => {
  const response = await fetch(`${server.url}/api${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};
/** A request whose path goes out as it is written: fetch would resolve its dots first. */
function raw(path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: server.port, path }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode!, body }));
    });
    sent.on("error", reject).end();
  });
}
const CORPUS = "/runs/hostile/corpora/notes";

/** Documents, as soon as their words can be searched. */
async function search(query: string): Promise<Page<DocumentRow>> {
  for (let i = 0; i < 200; i++) {
    const response = await fetch(`${server.url}/api${CORPUS}/documents?${query}`);
    if (response.status !== 503) return (await response.json()) as Page<DocumentRow>;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error("the index was not ready in 10 s");
}

describe("runs", () => {
  it("show every stage with its state", async () => {
    const run = await get<RunDetail>("/runs/hostile");
    expect(run).toMatchObject({ state: "finished", stagesDone: 4, stagesTotal: 4, description: HOSTILE });
    expect(run.stages.map(({ id, state }) => [id, state])).toContainEqual(["train.small", "finished"]);
  });

  it("stream the events that come after a place", async () => {
    const { offset } = await get<RunDetail>("/runs/hostile");
    const controller = new AbortController();
    const response = await fetch(`${server.url}/api/runs/hostile/events?after=${offset}`, {
      signal: controller.signal,
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    appendFileSync(
      join(runs, "hostile", "events.jsonl"),
      '{"event":"stage-start","time":"t","stage":"train.small","inputs":"","resumed":true}\n{"half":',
    );
    let text = "";
    while (!text.includes("stage-start")) text += (await reader.read()).value ?? "";
    controller.abort();
    expect(text).not.toContain("half");
    expect(await get<RunDetail>("/runs/hostile")).toMatchObject({ stages: [{}, { state: "stopped" }, {}, {}] });
  });
});

describe("recipes", () => {
  it("differ key by key; what only one of them has stands as a block, and its own directory is no difference", () => {
    const recipe = (own: object) => own as Recipe;
    const first = {
      directory: "/runs/a",
      recipe: recipe({ seed: 1, train: { base: { steps: 30, path: "/runs/a/sources" } }, evaluate: { shots: 0 } }),
    };
    const second = {
      directory: "/runs/b",
      recipe: recipe({
        seed: 1,
        train: { base: { steps: 60, path: "/runs/b/sources" }, continued: { from: "base", steps: 5 } },
        evaluate: [{ shots: 0 }],
      }),
    };
    expect(diffRecipes(first, second)).toEqual([
      { key: "train.base.steps", first: "30", second: "60" },
      { key: "train.continued", second: "from: base\nsteps: 5" },
      { key: "evaluate", first: "shots: 0", second: "- shots: 0" },
    ]);
    expect(diffRecipes(first, first)).toEqual([]);
  });
});

describe("training", () => {
  it("thins long curves and keeps every spike", async () => {
    const curve = await get<TrainingCurve>("/runs/hostile/training/small?points=200");
    expect(curve).toMatchObject({ steps: 5000, thinned: true });
    expect(curve.step.length).toBeLessThanOrEqual(200);
    expect(Math.max(...curve.loss)).toBe(50);
    expect([curve.step[0], curve.step.at(-1)]).toEqual([1, 5000]);
  });

  it("begins anew when a resumed training has cut its log", async () => {
    const path = join(runs, "hostile", "train", "small", "events.jsonl");
    writeFileSync(path, trainingLines(1, 30).replaceAll('"loss":', '"loss":1'));
    expect((await get<TrainingCurve>("/runs/hostile/training/small?points=200")).step).toHaveLength(30);
    appendFileSync(path, trainingLines(31, 40));
    expect((await get<TrainingCurve>("/runs/hostile/training/small?points=200")).steps).toBe(40);
  });
});

describe("corpus", () => {
  it("finds words anywhere, without accents, the last one by its beginning", async () => {
    expect((await search("q=urate")).rows.map(({ id }) => id)).toEqual(["notes:plain"]);
    expect((await search("q=odem")).rows.map(({ id }) => id)).toEqual(["notes:umlaut"]);
    expect((await search("q=haemoglobin anaem")).total).toBe(1);
    expect((await search("q=urate haemoglobin")).total).toBe(0);
    expect((await search("q=' OR 1=1 --")).total).toBe(0);
  });

  it("ranks by BM25, whose weights are stored with the words", async () => {
    const documents = (await get<Page<DocumentRow>>(`${CORPUS}/documents?limit=10`)).rows;
    const texts = await Promise.all(documents.map(({ number }) => get<DocumentView>(`${CORPUS}/documents/${number}`)));
    const mean = texts.reduce((sum, { characters }) => sum + characters, 0) / texts.length;
    const count = ({ title, text }: DocumentView, word: string) =>
      `${title} ${text}`.toLowerCase().match(new RegExp(`(?<![a-z0-9])${word}(?![a-z0-9])`, "g"))?.length ?? 0;
    // Σ idf · tf · (k1 + 1) / (tf + k1 · (1 − b + b · length / mean)), k1 = 1.2, b = 0.75, lengths in characters
    const score = (one: DocumentView, words: string[]) =>
      words.reduce((sum, word) => {
        const found = texts.filter((other) => count(other, word) > 0).length;
        const [idf, tf] = [Math.log(1 + (texts.length - found + 0.5) / (found + 0.5)), count(one, word)];
        return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * one.characters) / mean));
      }, 0);
    for (const words of [["is"], ["gout", "is"], ["crystals", "urate", "is"]]) {
      const { rows } = await search(`q=${words.join("+")}`);
      const expected = texts
        .filter((one) => words.every((word) => count(one, word) > 0))
        .map((one) => ({ id: one.id, score: score(one, words) }))
        .sort((a, b) => b.score - a.score);
      expect(expected.length).toBeGreaterThan(0);
      expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      // Weights are stored in float32: 1.2e-7 of each.
      for (const [i, row] of rows.entries()) expect(row.score).toBeCloseTo(expected[i]!.score, 5);
    }
  });

  it("gives markup as the text that it is", async () => {
    const [row] = (await search("q=anaemia")).rows;
    const response = await fetch(`${server.url}/api${CORPUS}/documents/${row!.number}`);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const document = (await response.json()) as DocumentView;
    expect(document.title).toContain("script");
    expect(document.url).toBe("javascript:alert(1)");
  });

  it("sets a text beside its source, with what cleaning took", async () => {
    const [row] = (await search("q=urate")).rows;
    const { parts, changes, place } = await get<SourceView>(`${CORPUS}/documents/${row!.number}/source`);
    const removed = parts.filter(({ kind }) => kind === "removed").map(({ text }) => text);
    expect(removed.join("")).toContain("https://example.org/gout");
    expect(changes.map(({ rule }) => rule)).toContain("url");
    expect(place).toMatch(/notes\.jsonl:1$/);
  });
});

describe("evaluation", () => {
  it("filters items and tells what changed", async () => {
    const of = "hostile/small/quiz/greedy";
    const wrong = await get<Page<ItemRow>>(`/items?of=${of}&filter=wrong&subject=neurology`);
    expect(wrong.total).toBe(4); // of items 3 to 9, the odd ones
    expect(wrong.rows[0]!.question).toContain("<script>");
    expect(await get(`/changes?first=${of}&second=hostile/better/quiz/greedy`)).toEqual({
      gained: 4,
      lost: 0,
      "both right": 3,
      "both wrong": 3,
    });
    const [comparison] = await get<{ onlySecond: number; verdict: string }[]>(
      `/comparisons?of=${of}&of=hostile/better/quiz/greedy`,
    );
    expect(comparison).toMatchObject({ onlySecond: 4, verdict: "within noise" }); // exact McNemar 4:0 → p = 0.125
  });

  it("follows a log that is still written", async () => {
    const folder = join(runs, "hostile", "eval", "late", "quiz", "greedy");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "items.jsonl"), `${JSON.stringify(itemRecord(0, true))}\n`);
    const count = async () => (await get<Page<ItemRow>>("/items?of=hostile/late/quiz/greedy")).total;
    expect(await count()).toBe(1);
    appendFileSync(join(folder, "items.jsonl"), `${JSON.stringify(itemRecord(1, true))}\n{"half`);
    expect(await count()).toBe(2);
    rmSync(join(runs, "hostile", "eval", "late"), { recursive: true });
  });
});

describe("security", () => {
  const TRAVERSALS = [
    "..",
    "../..",
    "..%2f..%2fetc",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "....//",
    "%00",
    "/etc",
    "a%00b",
    ".studio",
    "~",
    "\\..\\..",
  ];

  it("lets no name leave its folder, whichever parameter it is given in", async () => {
    writeFileSync(join(runs, "secret.txt"), "secret");
    for (const bad of TRAVERSALS) {
      const plain = decodeURIComponent(bad);
      const paths = [
        `/runs/${bad}`,
        `/runs/${bad}/events`,
        `/runs/${bad}/training/small`,
        `/runs/hostile/training/${bad}`,
        `/runs/${bad}/corpora/notes`,
        `/runs/hostile/corpora/${bad}`,
        `/runs/hostile/corpora/${bad}/documents`,
        `/runs/hostile/corpora/${bad}/drops`,
        `/runs/hostile/corpora/notes/documents/${bad}`,
        `/runs/hostile/corpora/notes/documents/${bad}/source`,
        `/diff?${new URLSearchParams({ first: plain, second: "hostile" })}`,
        `/evaluation?${new URLSearchParams({ runs: plain })}`,
        `/items/${bad}?of=hostile/small/quiz/greedy`,
        ...["run", "model", "benchmark", "label"].flatMap((_, i) => {
          const parts = ["hostile", "small", "quiz", "greedy"];
          parts[i] = plain;
          const of = parts.join("/");
          return [
            `/items?${new URLSearchParams({ of })}`,
            `/items/0?${new URLSearchParams({ of })}`,
            `/changes?${new URLSearchParams({ first: of, second: "hostile/small/quiz/greedy" })}`,
            `/comparisons?${new URLSearchParams([
              ["of", of],
              ["of", of],
            ])}`,
          ];
        }),
        `/review/sets/${bad}`,
        `/review/sets/${bad}/export`,
      ];
      for (const path of paths) {
        const { status, body } = await raw(`/api${path}`);
        // Dots that the server's URL parser resolves may lead to the page itself, which holds nothing.
        if (!body.startsWith("<!doctype html><title>Studio")) {
          expect(status, `${path}: ${body}`).toBeGreaterThanOrEqual(400);
          expect(status, `${path}: ${body}`).toBeLessThan(500);
        }
        expect(body).not.toContain("secret");
        expect(body).not.toContain("root:");
      }
      const page = await raw(`/assets/${bad}`);
      if (page.status < 400) expect(page.body).toMatch(/^<!doctype html><title>Studio/);
      expect(page.body).not.toContain("secret");
    }
  });

  it("refuses bodies that are not what a route takes", async () => {
    const bodies = [
      "",
      "{",
      "null",
      "[]",
      "1",
      '"text"',
      "{}",
      '{"id":1}',
      '{"id":"../../etc"}',
      '{"id":"hostile/__proto__"}',
      `{"name":${JSON.stringify("x".repeat(500))}}`,
      '{"__proto__":{"a":1}}',
      '{"name":"a","source":{"type":"other"}}',
      '{"name":"a","source":{"type":"records","records":[]}}',
      '{"name":"a","source":{"type":"evaluations","of":["../../../etc"]}}',
    ];
    for (const [method, path] of [
      ["POST", "/models"],
      ["POST", "/review/sets"],
      ["POST", "/review/sets/1/reviewers"],
      ["PUT", "/review/sets/1/closed"],
      ["PUT", "/invite/tasks/1"],
    ] as const)
      for (const body of bodies) {
        const response = await fetch(`${server.url}/api${path}`, {
          method,
          body,
          headers: { "content-type": "application/json" },
        });
        expect(response.status, `${method} ${path} ${body}`).toBeGreaterThanOrEqual(400);
        expect(response.status, `${method} ${path} ${body}`).toBeLessThan(500);
      }
    const form = await fetch(`${server.url}/api/review/sets`, {
      method: "POST",
      body: "name=a",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(form.status).toBe(415);
    const large = await fetch(`${server.url}/api/review/sets`, {
      method: "POST",
      body: "x".repeat(5 << 20),
      headers: { "content-type": "application/json" },
    });
    expect(large.status).toBe(413);
  });

  it("refuses numbers and lengths out of reach", async () => {
    for (const path of [
      `${CORPUS}/documents?offset=-1`,
      `${CORPUS}/documents?limit=x`,
      `${CORPUS}/documents?q=${"x".repeat(400)}`,
      "/items?of=hostile/small/quiz/greedy&filter=nothing",
      "/items?of=hostile/small",
      "/comparisons?of=hostile/small/quiz/greedy",
      "/runs/hostile/events?after=1e400",
    ]) {
      const response = await fetch(`${server.url}/api${path}`);
      expect(response.status, path).toBe(400);
    }
    expect((await get<Page<DocumentRow>>(`${CORPUS}/documents?limit=999999`)).rows).toHaveLength(3);
    expect((await get<Page<DocumentRow>>(`${CORPUS}/documents?offset=999999999`)).rows).toHaveLength(0);
  });

  it("shows the run's report and its item pages, which may fetch and send nothing", async () => {
    const report = `${server.url}/api/runs/hostile/report.html`;
    expect((await fetch(report)).status).toBe(404);
    const folder = join(runs, "hostile/report/items/base.medical");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "1.html"), "<p>An item</p>");
    writeFileSync(join(runs, "hostile/report.html"), "<h1>Report</h1>");
    const response = await fetch(report);
    expect([response.status, await response.text()]).toEqual([200, "<h1>Report</h1>"]);
    expect(response.headers.get("content-security-policy")).toMatch(
      /^sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'/,
    );
    const items = report.replace(".html", "/items/");
    expect(await (await fetch(`${items}base.medical/1.html`)).text()).toBe("<p>An item</p>");
    expect((await fetch(`${items}base.medical/..%2f..%2f..%2frecipe.yaml`)).status).toBe(400);
  });

  it("serves its page under a policy that allows nothing from elsewhere", async () => {
    for (const path of ["/", "/runs/anything", "/invite"]) {
      const response = await fetch(`${server.url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
    }
  });

  it("asks for the token everywhere but on the empty page and a reviewer's own routes", async () => {
    const token = "a-long-and-random-token";
    const closed = await startServer({
      models: [],
      port: 0,
      token,
      isPublic: studio.isPublic,
      mount: ({ app }) => app.get("/api/runs", (c) => c.json([])),
    });
    try {
      expect((await fetch(`${closed.url}/api/runs`)).status).toBe(401);
      expect((await fetch(`${closed.url}/api/runs`, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
      expect((await fetch(`${closed.url}/api/runs`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(
        200,
      );
    } finally {
      await closed.stop();
    }
    expect(
      ["/", "/runs/a", "/assets/a.js", "/invite", "/api/invite", "/api/invite/tasks/1"].map(studio.isPublic),
    ).toEqual([true, true, true, true, true, true]);
    expect(
      ["/api/runs", "/api/invited", "/api/review/sets", "/v1/models", "/api/models", "/metrics"].map(studio.isPublic),
    ).toEqual([false, false, false, false, false, false]);
  });
});

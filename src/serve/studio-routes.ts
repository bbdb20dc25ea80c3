/** The Studio's API: read-only views of run directories, and the live events of a run that goes on. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { exists } from "../core/index.ts";
import { readBody } from "./read-body.ts";
import { type DocumentQuery, documentFilters } from "./studio-catalog.ts";
import { StudioCorpus } from "./studio-corpus.ts";
import { badRequest, notFound } from "./studio-errors.ts";
import { parseChange, parseEvaluationKey, parseFilter, type StudioEvaluation } from "./studio-evaluation.ts";
import { checkName, queryNumber, queryText } from "./studio-files.ts";
import type { StudioModels } from "./studio-models.ts";
import { diffRecipes, followEvents, type StudioRuns } from "./studio-runs.ts";
import { StudioTraining } from "./studio-training.ts";

export interface StudioParts {
  runs: StudioRuns;
  models: StudioModels;
  evaluation: StudioEvaluation;
}

/** A page of its own origin: whatever a model wrote into it cannot ask this server for anything. */
const REPORT_POLICY =
  "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A proxy that sees nothing for a minute closes the line; a comment keeps it open. */
const KEEP_ALIVE_MS = 15_000;

export function studioRoutes({ runs, models, evaluation }: StudioParts): { app: Hono; close: () => void } {
  const app = new Hono();
  const training = new StudioTraining(runs);
  const corpus = new StudioCorpus(runs);

  // What a run shows now is not what it shows in a second.
  app.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });

  // The way in with a token: the server has checked it and set its cookie by now.
  app.get("/session", (c) => c.redirect("/", 303));

  app.get("/runs", async (c) => c.json(await runs.list()));

  app.get("/runs/:run", async (c) => c.json(await runs.detail(c.req.param("run"))));

  // The run's report as the run wrote it. Its scripts and styles stand in the page, so they may run; nothing may be fetched or sent.
  const page = async (c: Context, ...path: string[]) => {
    const file = join(await runs.directory(c.req.param("run")!), ...path);
    if (!(await exists(file))) throw notFound("a report of the run");
    c.header("Content-Security-Policy", REPORT_POLICY);
    return c.html(await readFile(file, "utf8"));
  };
  app.get("/runs/:run/report.html", (c) => page(c, "report.html"));
  app.get("/runs/:run/report/items/:set/:page", (c) => {
    const { set, page: name } = c.req.param();
    return page(c, "report", "items", checkName(set, "evaluation"), checkName(name, "page"));
  });

  app.get("/runs/:run/events", async (c) => {
    const directory = await runs.directory(c.req.param("run"));
    const after = queryNumber(c.req.query("after"), "after");
    return streamSSE(c, async (stream) => {
      const controller = new AbortController();
      stream.onAbort(() => controller.abort());
      const beat = setInterval(() => void stream.write(":\n\n"), KEEP_ALIVE_MS);
      try {
        for await (const { offset, ...batch } of followEvents(directory, after, controller.signal))
          await stream.writeSSE({ id: String(offset), data: JSON.stringify(batch) });
      } finally {
        clearInterval(beat);
      }
    });
  });

  app.get("/diff", async (c) => {
    const [first, second] = [queryText(c.req.query("first"), "first"), queryText(c.req.query("second"), "second")];
    if (first === "" || second === "") throw badRequest("first and second name the two runs to compare");
    const [a, b] = await Promise.all([runs.recipe(first), runs.recipe(second)]);
    return c.json(diffRecipes(a, b));
  });

  app.get("/runs/:run/training/:training", async (c) => {
    const points = queryNumber(c.req.query("points"), "points", { fallback: 2000, max: 20_000 });
    return c.json(await training.curve(c.req.param("run"), c.req.param("training"), points));
  });

  // ── corpus ──

  app.get("/runs/:run/corpora/:corpus", async (c) =>
    c.json(await corpus.overview(c.req.param("run"), c.req.param("corpus"))),
  );

  app.get("/runs/:run/corpora/:corpus/documents", async (c) => {
    const filters: DocumentQuery["filters"] = {};
    for (const name of documentFilters) {
      const value = queryText(c.req.query(name), name);
      if (value !== "") filters[name] = value;
    }
    const search = queryText(c.req.query("q"), "q");
    return c.json(await corpus.documents(c.req.param("run"), c.req.param("corpus"), { search, filters, ...pageOf(c) }));
  });

  app.get("/runs/:run/corpora/:corpus/documents/:number", async (c) => {
    const number = queryNumber(c.req.param("number"), "number");
    return c.json(await corpus.document(c.req.param("run"), c.req.param("corpus"), number));
  });

  app.get("/runs/:run/corpora/:corpus/documents/:number/source", async (c) => {
    const number = queryNumber(c.req.param("number"), "number");
    return c.json(await corpus.source(c.req.param("run"), c.req.param("corpus"), number));
  });

  app.get("/runs/:run/corpora/:corpus/find", async (c) => {
    const id = queryText(c.req.query("id"), "id", 1000);
    return c.json({ number: await corpus.find(c.req.param("run"), c.req.param("corpus"), id) });
  });

  app.get("/runs/:run/corpora/:corpus/drops", async (c) => {
    const rule = queryText(c.req.query("rule"), "rule");
    const search = queryText(c.req.query("q"), "q");
    return c.json(await corpus.drops(c.req.param("run"), c.req.param("corpus"), { rule, search, ...pageOf(c) }));
  });

  // ── evaluation ──

  app.get("/evaluation", async (c) => {
    const names = queryText(c.req.query("runs"), "runs", 2000).split(",").filter(Boolean);
    if (names.length > 20) throw badRequest("at most 20 runs at once");
    return c.json(await evaluation.overview(names));
  });

  app.get("/comparisons", async (c) => {
    const keys = c.req.queries("of") ?? [];
    return c.json(await evaluation.compare(keys.map(parseEvaluationKey)));
  });

  app.get("/items", async (c) =>
    c.json(
      await evaluation.items(parseEvaluationKey(c.req.query("of")), {
        filter: parseFilter(c.req.query("filter")),
        subject: queryText(c.req.query("subject"), "subject"),
        search: queryText(c.req.query("q"), "q"),
        ...pageOf(c),
      }),
    ),
  );

  app.get("/items/:number", async (c) => {
    const number = queryNumber(c.req.param("number"), "number");
    return c.json(await evaluation.item(parseEvaluationKey(c.req.query("of")), number));
  });

  const changesOf = (c: Context) =>
    evaluation.changes(parseEvaluationKey(c.req.query("first")), parseEvaluationKey(c.req.query("second")), {
      change: parseChange(c.req.query("change")),
      ...pageOf(c),
    });
  app.get("/changes", async (c) => c.json((await changesOf(c)).counts));
  app.get("/changed-items", async (c) => c.json((await changesOf(c)).page));

  // ── models ──

  app.get("/models", async (c) => c.json(await models.list()));
  app.post("/models", async (c) => {
    const { id } = await readBody(c, z.strictObject({ id: z.string().min(1).max(300) }));
    const { card } = await models.open(id);
    return c.json(card);
  });

  return { app, close: () => corpus.close() };
}

/** Which rows of a list are wanted. */
function pageOf(c: Context): { offset: number; limit: number } {
  return {
    offset: queryNumber(c.req.query("offset"), "offset"),
    limit: queryNumber(c.req.query("limit"), "limit", { fallback: 50, max: 500 }),
  };
}

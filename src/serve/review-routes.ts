/**
 * Reviews over HTTP. `/review` is for whoever runs the Studio; `/invite` is for a reviewer, who is known by the secret of their
 * link (the header X-Invite: a link's fragment never reaches a server or its log) and sees their own set, blind.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { readBody } from "./read-body.ts";
import {
  type Criterion,
  criterionNames,
  emptyReview,
  type Flag,
  flagNames,
  missingParts,
  type Preference,
} from "./review-criteria.ts";
import { isSwapped, type ReviewDatabase } from "./review-database.ts";
import { exportPreferences, exportReviews, reviewResults } from "./review-results.ts";
import { AnswerWriter, createSet, newSetSchema } from "./review-sets.ts";
import { badRequest, conflict, notFound } from "./studio-errors.ts";
import type { StudioEvaluation } from "./studio-evaluation.ts";
import { queryNumber } from "./studio-files.ts";
import type { StudioModels } from "./studio-models.ts";
import type { GuestTask, GuestView, SetDetail, SetOverview } from "./studio-types.ts";

export interface ReviewParts {
  database: ReviewDatabase;
  models: StudioModels;
  evaluation: StudioEvaluation;
}

const judgement = z.strictObject({
  scores: z.partialRecord(z.enum(criterionNames as [Criterion, ...Criterion[]]), z.int().min(1).max(5)),
  flags: z.array(z.enum(flagNames as [Flag, ...Flag[]])).max(flagNames.length),
  comment: z.string().max(20_000),
});

const saveSchema = z.strictObject({
  state: z.enum(["draft", "done"]),
  revision: z.int().min(0),
  body: z.strictObject({
    preference: z.int().min(-2).max(2).nullable(),
    left: judgement,
    right: judgement,
    comment: z.string().max(20_000),
  }),
});

export function reviewRoutes({ database, models, evaluation }: ReviewParts): { app: Hono; close: () => void } {
  const app = new Hono();
  const writer = new AnswerWriter(database, models);
  const idOf = (c: Context, name = "set") => queryNumber(c.req.param(name), name);

  const overview = (id: number): SetOverview => {
    const set = database.set(id);
    const missing = set.generation ? database.missingAnswers(id, set.generation.models).length : 0;
    return { ...set, counts: database.counts(id), generating: { missing, ...writer.state(id) } };
  };

  // ── sets ──

  app.get("/review/sets", (c) => c.json(database.sets().map(({ id }) => overview(id))));

  app.post("/review/sets", async (c) => {
    const wanted = await readBody(c, newSetSchema);
    // A model that cannot be opened is said now, not after the set stands there.
    if (wanted.source.type === "safety-library") for (const id of wanted.source.models) await models.open(id);
    const id = await createSet(database, evaluation, wanted);
    if (wanted.source.type === "safety-library") writer.start(id);
    return c.json(overview(id), 201);
  });

  app.get("/review/sets/:set", (c) => {
    const id = idOf(c);
    const set = overview(id);
    const detail: SetDetail = { ...set, reviewers: database.reviewers(id), results: reviewResults(database, set) };
    return c.json(detail);
  });

  app.post("/review/sets/:set/answers", async (c) => {
    const id = idOf(c);
    database.set(id);
    writer.start(id);
    return c.json(overview(id), 202);
  });

  app.put("/review/sets/:set/closed", async (c) => {
    const id = idOf(c);
    database.setClosed(id, (await readBody(c, z.strictObject({ closed: z.boolean() }))).closed);
    return c.json(overview(id));
  });

  app.post("/review/sets/:set/reviewers", async (c) => {
    const { name } = await readBody(c, z.strictObject({ name: z.string().trim().min(1).max(120) }));
    return c.json(database.invite(idOf(c), name), 201);
  });

  app.post("/review/sets/:set/reviewers/:reviewer/link", (c) =>
    c.json({ secret: database.inviteAgain(idOf(c), idOf(c, "reviewer")) }),
  );

  app.delete("/review/sets/:set/reviewers/:reviewer", (c) => {
    database.revoke(idOf(c), idOf(c, "reviewer"));
    return c.body(null, 204);
  });

  app.get("/review/sets/:set/export", (c) => {
    const set = database.set(idOf(c));
    const format = c.req.query("format") ?? "reviews";
    if (format !== "reviews" && format !== "preferences") throw badRequest("format is reviews or preferences");
    const rows = format === "reviews" ? exportReviews(database, set) : exportPreferences(database, set);
    let text = "";
    for (const row of rows) text += `${JSON.stringify(row)}\n`;
    return c.body(text, 200, {
      "Content-Type": "application/jsonl; charset=utf-8",
      "Content-Disposition": `attachment; filename="${format}-${set.id}.jsonl"`,
    });
  });

  // ── a reviewer's own way ──

  const guestOf = (c: Context) => {
    const guest = database.guest(c.req.header("x-invite") ?? "");
    const tasks = database.tasksFor(guest.set.id, guest.reviewer.id, guest.seed);
    return { ...guest, tasks };
  };
  /** A task of the reviewer's set, named by its id: places move while answers are still being written. */
  const taskOf = (c: Context) => {
    const guest = guestOf(c);
    const id = idOf(c, "task");
    if (!guest.tasks.includes(id)) throw notFound(`task ${id}`);
    return { ...guest, task: database.task(id), swapped: isSwapped(guest.seed, guest.reviewer.id, id) };
  };

  app.get("/invite", (c) => {
    const { set, reviewer, tasks } = guestOf(c);
    const states = database.states(reviewer.id);
    const { name, kind, instructions, criteria, closed } = set;
    const view: GuestView = {
      set: { name, kind, instructions, criteria, closed },
      reviewer: { name: reviewer.name },
      tasks: tasks.map((id) => ({ id, state: states.get(id) ?? "open" })),
    };
    return c.json(view);
  });

  app.get("/invite/tasks/:task", (c) => {
    const { task, reviewer, swapped } = taskOf(c);
    const review = database.review(task.id, reviewer.id);
    const [left, right] = swapped && task.second ? [task.second, task.first] : [task.first, task.second];
    const view: GuestTask = {
      id: task.id,
      prompt: task.prompt,
      subject: task.subject,
      reference: task.reference,
      left: left.text,
      right: right?.text ?? null,
      body: review?.body ?? emptyReview(),
      state: review?.state ?? "open",
      revision: review?.revision ?? 0,
    };
    return c.json(view);
  });

  app.put("/invite/tasks/:task", async (c) => {
    const { set, task, reviewer, swapped } = taskOf(c);
    if (set.closed !== null) throw conflict("this review set is closed; nothing further is taken");
    const { state, revision, body } = await readBody(c, saveSchema);
    const whole = { ...body, preference: body.preference as Preference | null };
    const missing = state === "done" ? missingParts(whole, set.kind, set.criteria) : [];
    if (missing.length > 0) throw badRequest(`still missing: ${missing.join("; ")}`);
    const saved = database.save(
      task.id,
      reviewer.id,
      { state, body: whole, swapped: swapped && task.second !== null },
      revision,
    );
    return c.json({ revision: saved, state });
  });

  return {
    app,
    close: () => {
      writer.stop();
      database.close();
    },
  };
}

/** Reviews: blind, in an order of their own, never lost, and what comes out of them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Criterion, emptyReview, missingParts, type Preference, type ReviewBody } from "./review-criteria.ts";
import { isSwapped, ReviewDatabase } from "./review-database.ts";
import { exportPreferences, exportReviews, reviewResults } from "./review-results.ts";

let folder: string;
let database: ReviewDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meditron-review-"));
  database = new ReviewDatabase(join(folder, "review.db"));
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const criteria: Criterion[] = ["clarity"];

/** Pairs of two models over `count` items. */
function makeSet(count: number, models = ["alpha", "beta"]): number {
  const items = Array.from({ length: count }, (_, i) => ({
    source: `item-${i}`,
    prompt: `Question ${i}?`,
    answers: models.map((model) => ({ model, text: `${model} says ${i}` })),
  }));
  const kind = models.length > 1 ? "pairs" : "single";
  return database.createSet({ name: "set", kind, instructions: "", criteria, generation: null }, items);
}

/** Hands in a review in which the answer of one model is preferred so strongly, as this reviewer saw the two. */
function review(
  set: number,
  secret: string,
  task: number,
  prefers: string | null,
  scores: Record<string, number> = {},
): void {
  const { reviewer, seed } = database.guest(secret);
  const swapped = isSwapped(seed, reviewer.id, task);
  const { first, second } = database.task(task);
  const [left, right] = swapped ? [second!, first] : [first, second!];
  const preference: Preference = prefers === null ? 0 : prefers === left.model ? -2 : 2;
  const judge = (model: string) => ({ scores: { clarity: scores[model] ?? 3 }, flags: [], comment: "" });
  const body: ReviewBody = { preference, left: judge(left.model), right: judge(right.model), comment: "" };
  database.save(task, reviewer.id, { state: "done", body, swapped }, database.review(task, reviewer.id)?.revision ?? 0);
  expect(database.set(set).id).toBe(set);
}

describe("blinding", () => {
  it("gives each reviewer an order and sides of their own, the same each time", () => {
    const set = makeSet(200);
    const [one, two] = ["Ada", "Ben"].map((name) => database.guest(database.invite(set, name).secret));
    const order = (guest: typeof one) => database.tasksFor(set, guest!.reviewer.id, guest!.seed);
    expect(order(one)).toEqual(order(one));
    expect(order(one)).not.toEqual(order(two));
    expect([...order(one)].sort((a, b) => a - b)).toEqual([...order(two)].sort((a, b) => a - b));
    const swaps = order(one).filter((task) => isSwapped(one!.seed, one!.reviewer.id, task)).length;
    // Binomial(200, ½) leaves 65 to 135 once in two million sets.
    expect(swaps).toBeGreaterThan(65);
    expect(swaps).toBeLessThan(135);
    expect(
      order(one).filter(
        (task) => isSwapped(one!.seed, one!.reviewer.id, task) !== isSwapped(two!.seed, two!.reviewer.id, task),
      ).length,
    ).toBeGreaterThan(50);
  });

  it("knows a reviewer by the secret alone, and no longer once it is withdrawn or replaced", () => {
    const set = makeSet(1);
    const { id, secret } = database.invite(set, "Ada");
    expect(database.guest(secret).reviewer.name).toBe("Ada");
    const other = database.inviteAgain(set, id);
    expect(() => database.guest(secret)).toThrow(/not valid/);
    database.revoke(set, id);
    expect(() => database.guest(other)).toThrow(/not valid/);
    expect(() => database.guest("")).toThrow(/not valid/);
    expect(() => database.revoke(set + 1, id)).toThrow(/there is no reviewer/);
  });
});

describe("saving", () => {
  it("refuses to overwrite what another window saved, and keeps what was handed in before", () => {
    const set = makeSet(1);
    const { reviewer } = database.guest(database.invite(set, "Ada").secret);
    const [task] = database.tasks(set);
    const save = (comment: string, based: number, state: "draft" | "done" = "draft") =>
      database.save(task!.id, reviewer.id, { state, body: { ...emptyReview(), comment }, swapped: false }, based);
    expect(save("one", 0)).toBe(1);
    expect(save("two", 1, "done")).toBe(2);
    expect(() => save("stale", 1)).toThrow(/another window/);
    expect(database.review(task!.id, reviewer.id)!.body.comment).toBe("two");
    expect(save("three", 2)).toBe(3);
  });

  it("loses nothing that it has acknowledged when the process is killed", async () => {
    const set = makeSet(1);
    const { reviewer } = database.guest(database.invite(set, "Ada").secret);
    const [task] = database.tasks(set);
    const script = fileURLToPath(new URL("./review-child.ts", import.meta.url));
    const words = ["--import", "tsx", script, join(folder, "review.db"), String(task!.id), String(reviewer.id)];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    await new Promise<void>((done) => {
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.split("\n").length > 20) child.kill("SIGKILL");
      });
      child.on("close", () => done());
    });
    const acknowledged = Number(text.split("\n").slice(0, -1).at(-1));
    expect(acknowledged).toBeGreaterThanOrEqual(20);
    const kept = database.review(task!.id, reviewer.id)!;
    expect(kept.revision).toBeGreaterThanOrEqual(acknowledged);
    expect(kept.body.comment).toBe(`typed ${kept.revision} `.repeat(50));
    expect(database.check()).toBe("ok");
  });

  it("is whole only with every criterion of every answer and the preference", () => {
    const body = emptyReview();
    expect(missingParts(body, "pairs", criteria)).toEqual([
      "which answer is better",
      "answer A: clarity",
      "answer B: clarity",
    ]);
    body.left.scores.clarity = 4;
    expect(missingParts(body, "single", criteria)).toEqual([]);
  });
});

describe("results", () => {
  it("count wins under the models' names, whichever side they stood on", () => {
    const set = makeSet(6);
    const secrets = ["Ada", "Ben"].map((name) => database.invite(set, name).secret);
    const tasks = database.tasks(set).map(({ id }) => id);
    for (const secret of secrets) {
      for (const task of tasks.slice(0, 4)) review(set, secret, task, "beta", { alpha: 2, beta: 5 });
      review(set, secret, tasks[4]!, null, { alpha: 3, beta: 3 });
    }
    const results = reviewResults(database, database.set(set));
    expect(results.winRates.map(({ model, wins, ties, losses, items }) => [model, wins, ties, losses, items])).toEqual([
      ["alpha", 0, 2, 8, 5],
      ["beta", 8, 2, 0, 5],
    ]);
    expect(results.winRates[1]!.rate).toBeCloseTo(0.9); // (4 · 1 + ½) / 5
    const [clarity] = results.criteria;
    expect(clarity!.models.map(({ model, mean }) => [model, mean])).toEqual([
      ["alpha", 2.2], // (4 · 2 + 3) / 5
      ["beta", 4.6],
    ]);
    expect(clarity!.agreement).toEqual({ alpha: 1, units: 10 });
    expect(results.preferenceAgreement.outcome).toEqual({ alpha: 1, units: 5 });
  });

  it("are exported one review a line, and as the pairs that most prefer", () => {
    const set = makeSet(2);
    const secrets = ["Ada", "Ben", "Cem"].map((name) => database.invite(set, name).secret);
    const [first, second] = database.tasks(set).map(({ id }) => id);
    for (const [i, secret] of secrets.entries()) review(set, secret, first!, i < 2 ? "beta" : "alpha");
    for (const [i, secret] of secrets.slice(0, 2).entries()) review(set, secret, second!, i === 0 ? "beta" : "alpha");
    expect([...exportPreferences(database, database.set(set))]).toEqual([
      {
        prompt: "Question 0?",
        chosen: "beta says 0",
        rejected: "alpha says 0",
        chosen_model: "beta",
        rejected_model: "alpha",
        votes_chosen: 2,
        votes_rejected: 1,
        votes_tie: 0,
        margin: 2 / 3, // |(2 + 2 − 2) / 3|
        set: "set",
        item: "item-0",
      },
    ]);
    const rows = [...exportReviews(database, database.set(set))];
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatchObject({
      item: "item-0",
      preferred: "beta",
      preference: 2,
      answers: [{ model: "alpha" }, { model: "beta" }],
    });
    expect(JSON.stringify(rows)).not.toContain("Ada");
  });

  it("of drafts say nothing", () => {
    const set = makeSet(1);
    const { reviewer } = database.guest(database.invite(set, "Ada").secret);
    database.save(
      database.tasks(set)[0]!.id,
      reviewer.id,
      { state: "draft", body: { ...emptyReview(), preference: -2 }, swapped: false },
      0,
    );
    expect(reviewResults(database, database.set(set)).reviews).toBe(0);
  });
});

describe("answers that are written later", () => {
  it("become tasks as soon as every model has answered, and go on where they stopped", () => {
    const set = database.createSet(
      {
        name: "set",
        kind: "pairs",
        instructions: "",
        criteria,
        generation: { models: ["a", "b"], maxTokens: 8, temperature: 0 },
      },
      [
        { source: "1", prompt: "One?", answers: [] },
        { source: "2", prompt: "Two?", answers: [] },
      ],
    );
    const [one] = database.missingAnswers(set, ["a", "b"]);
    database.addAnswer(set, one!.item, "a", "first");
    expect(database.counts(set)).toMatchObject({ tasks: 0, answers: 1 });
    database.addAnswer(set, one!.item, "b", "second");
    database.addAnswer(set, one!.item, "b", "again");
    expect(database.counts(set)).toMatchObject({ tasks: 1, answers: 2 });
    expect(database.missingAnswers(set, ["a", "b"]).map(({ prompt }) => prompt)).toEqual(["Two?", "Two?"]);
  });
});

/**
 * Reviews in SQLite, written ahead (WAL) and synced with every commit: what the server has acknowledged is on the disk, and a
 * process killed at any moment loses nothing of it. Names of models never leave this file towards a reviewer.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import type { Criterion, ReviewBody } from "./review-criteria.ts";
import { conflict, notFound, notInvited } from "./studio-errors.ts";

export type SetKind = "pairs" | "single";

export interface ReviewSet {
  id: number;
  name: string;
  kind: SetKind;
  /** Shown to reviewers above every task. */
  instructions: string;
  criteria: Criterion[];
  created: string;
  /** No further reviews are taken. */
  closed: string | null;
  /** Settings of answers that are still to be generated. */
  generation: { models: string[]; maxTokens: number; temperature: number } | null;
}

export interface NewItem {
  source: string;
  prompt: string;
  reference?: string | undefined;
  subject?: string | undefined;
  answers: { model: string; text: string }[];
}

export interface Reviewer {
  id: number;
  name: string;
  created: string;
  revoked: string | null;
}

export interface Task {
  id: number;
  item: number;
  source: string;
  prompt: string;
  reference: string;
  subject: string;
  first: { id: number; model: string; text: string };
  second: { id: number; model: string; text: string } | null;
}

export interface Review {
  task: number;
  reviewer: number;
  state: "draft" | "done";
  body: ReviewBody;
  /** The reviewer saw the second answer on the left. */
  swapped: boolean;
  revision: number;
  updated: string;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS sets (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('pairs', 'single')), instructions TEXT NOT NULL,
  criteria TEXT NOT NULL, seed TEXT NOT NULL, generation TEXT, created TEXT NOT NULL, closed TEXT) STRICT;
CREATE TABLE IF NOT EXISTS items (
  id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL REFERENCES sets (id), source TEXT NOT NULL, prompt TEXT NOT NULL,
  reference TEXT NOT NULL, subject TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS answers (
  id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES items (id), model TEXT NOT NULL, text TEXT NOT NULL,
  UNIQUE (item_id, model)) STRICT;
CREATE TABLE IF NOT EXISTS tasks (
  id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL REFERENCES sets (id), item_id INTEGER NOT NULL REFERENCES items (id),
  first INTEGER NOT NULL REFERENCES answers (id), second INTEGER REFERENCES answers (id)) STRICT;
CREATE INDEX IF NOT EXISTS tasks_of_set ON tasks (set_id);
CREATE INDEX IF NOT EXISTS items_of_set ON items (set_id);
CREATE TABLE IF NOT EXISTS reviewers (
  id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL REFERENCES sets (id), name TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
  created TEXT NOT NULL, revoked TEXT) STRICT;
CREATE TABLE IF NOT EXISTS reviews (
  task_id INTEGER NOT NULL REFERENCES tasks (id), reviewer_id INTEGER NOT NULL REFERENCES reviewers (id),
  state TEXT NOT NULL CHECK (state IN ('draft', 'done')), body TEXT NOT NULL, swapped INTEGER NOT NULL, revision INTEGER NOT NULL,
  updated TEXT NOT NULL, PRIMARY KEY (task_id, reviewer_id)) STRICT;
-- What was handed in and changed afterwards, or overwritten from another window.
CREATE TABLE IF NOT EXISTS earlier_reviews (
  task_id INTEGER NOT NULL, reviewer_id INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL, revision INTEGER NOT NULL,
  updated TEXT NOT NULL) STRICT;
`;

type Row = Record<string, unknown>;

export class ReviewDatabase {
  readonly #db: Database.Database;

  /** @param path - Made with its folder when it is not there. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new Database(path);
    this.#db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;",
    );
    this.#db.exec(SCHEMA);
  }

  close(): void {
    this.#db.close();
  }

  /** "ok", or what SQLite finds wrong with the file. */
  check(): string {
    return String(this.#get("PRAGMA integrity_check")?.integrity_check);
  }

  // ── sets ──

  createSet(set: Omit<ReviewSet, "id" | "created" | "closed">, items: NewItem[]): number {
    return this.#db.transaction((): number => {
      const { lastInsertRowid } = this.#run(
        "INSERT INTO sets (name, kind, instructions, criteria, seed, generation, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        set.name,
        set.kind,
        set.instructions,
        JSON.stringify(set.criteria),
        randomBytes(16).toString("hex"),
        set.generation === null ? null : JSON.stringify(set.generation),
        now(),
      );
      const id = Number(lastInsertRowid);
      for (const item of items) {
        const { lastInsertRowid: itemId } = this.#run(
          "INSERT INTO items (set_id, source, prompt, reference, subject) VALUES (?, ?, ?, ?, ?)",
          id,
          item.source,
          item.prompt,
          item.reference ?? "",
          item.subject ?? "",
        );
        for (const { model, text } of item.answers) this.#insertAnswer(Number(itemId), model, text);
        if (item.answers.length > 0) this.#makeTasks(id, Number(itemId), set.kind);
      }
      return id;
    })();
  }

  #insertAnswer(item: number, model: string, text: string): void {
    this.#run("INSERT INTO answers (item_id, model, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", item, model, text);
  }

  /** Every pair of answers to an item, or every answer. */
  #makeTasks(set: number, item: number, kind: SetKind): void {
    const answers = this.#all("SELECT id FROM answers WHERE item_id = ? ORDER BY id", item).map(({ id }) => Number(id));
    const insert = (first: number, second: number | null) =>
      this.#run("INSERT INTO tasks (set_id, item_id, first, second) VALUES (?, ?, ?, ?)", set, item, first, second);
    if (kind === "single") for (const answer of answers) insert(answer, null);
    else for (const [i, first] of answers.entries()) for (const second of answers.slice(i + 1)) insert(first, second);
  }

  sets(): ReviewSet[] {
    return this.#all("SELECT * FROM sets ORDER BY id DESC").map(setOf);
  }

  /** @throws not_found. */
  set(id: number): ReviewSet {
    const row = this.#get("SELECT * FROM sets WHERE id = ?", id);
    if (!row) throw notFound(`review set ${id}`);
    return setOf(row);
  }

  setClosed(id: number, closed: boolean): void {
    this.set(id);
    this.#run("UPDATE sets SET closed = ? WHERE id = ?", closed ? now() : null, id);
  }

  /** Items whose answers by these models are still to be written. */
  missingAnswers(set: number, models: readonly string[]): { item: number; prompt: string; model: string }[] {
    const rows = this.#all("SELECT id, prompt FROM items WHERE set_id = ? ORDER BY id", set);
    const there = new Set(
      this.#all(
        "SELECT answers.item_id, answers.model FROM answers JOIN items ON items.id = answers.item_id WHERE items.set_id = ?",
        set,
      ).map(({ item_id, model }) => `${item_id} ${model}`),
    );
    return rows.flatMap(({ id, prompt }) =>
      models
        .filter((model) => !there.has(`${id} ${model}`))
        .map((model) => ({ item: Number(id), prompt: String(prompt), model })),
    );
  }

  /** Keeps a generated answer; an item whose answers are all there becomes a task. */
  addAnswer(set: number, item: number, model: string, text: string): void {
    const { kind, generation } = this.set(set);
    this.#db.transaction(() => {
      this.#insertAnswer(item, model, text);
      const count = Number(this.#get("SELECT count(*) AS n FROM answers WHERE item_id = ?", item)!.n);
      const hasTasks = this.#get("SELECT id FROM tasks WHERE item_id = ? LIMIT 1", item) !== undefined;
      if (generation && count === generation.models.length && !hasTasks) this.#makeTasks(set, item, kind);
    })();
  }

  counts(set: number): {
    items: number;
    tasks: number;
    answers: number;
    done: number;
    drafts: number;
    reviewers: number;
  } {
    const row = this.#get(
      `SELECT (SELECT count(*) FROM items WHERE set_id = ?1) AS items, (SELECT count(*) FROM tasks WHERE set_id = ?1) AS tasks,
        (SELECT count(*) FROM answers JOIN items ON items.id = answers.item_id WHERE items.set_id = ?1) AS answers,
        (SELECT count(*) FROM reviews JOIN tasks ON tasks.id = reviews.task_id WHERE tasks.set_id = ?1 AND state = 'done') AS done,
        (SELECT count(*) FROM reviews JOIN tasks ON tasks.id = reviews.task_id WHERE tasks.set_id = ?1 AND state = 'draft') AS drafts,
        (SELECT count(*) FROM reviewers WHERE set_id = ?1 AND revoked IS NULL) AS reviewers`,
      set,
    )!;
    const { items, tasks, answers, done, drafts, reviewers } = row as Record<string, number>;
    return { items: items!, tasks: tasks!, answers: answers!, done: done!, drafts: drafts!, reviewers: reviewers! };
  }

  // ── reviewers ──

  /** @returns the secret of the invite link. Only its hash is kept: a lost link is replaced, not looked up. */
  invite(set: number, name: string): { id: number; secret: string } {
    this.set(set);
    const secret = randomBytes(24).toString("base64url");
    const { lastInsertRowid } = this.#run(
      "INSERT INTO reviewers (set_id, name, token_hash, created) VALUES (?, ?, ?, ?)",
      set,
      name,
      hash(secret),
      now(),
    );
    return { id: Number(lastInsertRowid), secret };
  }

  /** A new link for a reviewer; the old one ends. */
  inviteAgain(set: number, reviewer: number): string {
    const secret = randomBytes(24).toString("base64url");
    const { changes } = this.#run(
      "UPDATE reviewers SET token_hash = ?, revoked = NULL WHERE id = ? AND set_id = ?",
      hash(secret),
      reviewer,
      set,
    );
    if (changes === 0) throw notFound(`reviewer ${reviewer} in this set`);
    return secret;
  }

  revoke(set: number, reviewer: number): void {
    const { changes } = this.#run("UPDATE reviewers SET revoked = ? WHERE id = ? AND set_id = ?", now(), reviewer, set);
    if (changes === 0) throw notFound(`reviewer ${reviewer} in this set`);
  }

  reviewers(set: number): (Reviewer & { done: number; drafts: number; last: string | null })[] {
    return this.#all(
      `SELECT reviewers.id, name, created, revoked, count(CASE WHEN state = 'done' THEN 1 END) AS done,
        count(CASE WHEN state = 'draft' THEN 1 END) AS drafts, max(updated) AS last
      FROM reviewers LEFT JOIN reviews ON reviews.reviewer_id = reviewers.id WHERE set_id = ? GROUP BY reviewers.id ORDER BY reviewers.id`,
      set,
    ) as never;
  }

  /** Whose link this is. The lookup is by hash, so its time tells nothing of the secret. @throws not_invited. */
  guest(secret: string): { reviewer: Reviewer; set: ReviewSet; seed: string } {
    const row = this.#get("SELECT * FROM reviewers WHERE token_hash = ? AND revoked IS NULL", hash(secret));
    if (!row) throw notInvited();
    const set = this.#get("SELECT * FROM sets WHERE id = ?", row.set_id)!;
    const { id, name, created, revoked } = row as never as Reviewer;
    return { reviewer: { id, name, created, revoked }, set: setOf(set), seed: String(set.seed) };
  }

  // ── tasks ──

  /** Tasks in a reviewer's own order: shuffled by the set's seed and the reviewer, the same each time. */
  tasksFor(set: number, reviewer: number, seed: string): number[] {
    return this.#all("SELECT id FROM tasks WHERE set_id = ?", set)
      .map(({ id }) => ({ id: Number(id), order: hash(`${seed} order ${reviewer} ${id}`) }))
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ id }) => id);
  }

  task(id: number): Task {
    const [task] = this.#tasks("tasks.id = ?", id);
    if (!task) throw notFound(`task ${id}`);
    return task;
  }

  tasks(set: number): Task[] {
    return this.#tasks("tasks.set_id = ?", set);
  }

  #tasks(where: string, value: number): Task[] {
    return this.#all(
      `SELECT tasks.id, tasks.item_id, items.source, items.prompt, items.reference, items.subject, a.id AS first, a.model AS first_model,
        a.text AS first_text, b.id AS second, b.model AS second_model, b.text AS second_text
      FROM tasks JOIN items ON items.id = tasks.item_id JOIN answers a ON a.id = tasks.first LEFT JOIN answers b ON b.id = tasks.second
      WHERE ${where} ORDER BY tasks.id`,
      value,
    ).map((row) => ({
      id: Number(row.id),
      item: Number(row.item_id),
      source: String(row.source),
      prompt: String(row.prompt),
      reference: String(row.reference),
      subject: String(row.subject),
      first: { id: Number(row.first), model: String(row.first_model), text: String(row.first_text) },
      second:
        row.second === null
          ? null
          : { id: Number(row.second), model: String(row.second_model), text: String(row.second_text) },
    }));
  }

  // ── reviews ──

  review(task: number, reviewer: number): Review | undefined {
    const row = this.#get("SELECT * FROM reviews WHERE task_id = ? AND reviewer_id = ?", task, reviewer);
    return row && reviewOf(row);
  }

  reviews(set: number): Review[] {
    return this.#all(
      "SELECT reviews.* FROM reviews JOIN tasks ON tasks.id = reviews.task_id WHERE tasks.set_id = ? ORDER BY task_id, reviewer_id",
      set,
    ).map(reviewOf);
  }

  states(reviewer: number): Map<number, Review["state"]> {
    const rows = this.#all("SELECT task_id, state FROM reviews WHERE reviewer_id = ?", reviewer);
    return new Map(rows.map(({ task_id, state }) => [Number(task_id), state as Review["state"]]));
  }

  /**
   * Saves what was typed. On return it is on the disk.
   * @param based - The revision that the reviewer had before them; 0 for none.
   * @returns the new revision.
   * @throws conflict when the review was saved from elsewhere since.
   */
  save(task: number, reviewer: number, saved: Pick<Review, "state" | "body" | "swapped">, based: number): number {
    return this.#db.transaction((): number => {
      const before = this.review(task, reviewer);
      if ((before?.revision ?? 0) !== based)
        throw conflict("this review was changed in another window since it was loaded");
      if (before?.state === "done")
        this.#run(
          "INSERT INTO earlier_reviews SELECT task_id, reviewer_id, state, body, revision, updated FROM reviews WHERE task_id = ? AND reviewer_id = ?",
          task,
          reviewer,
        );
      this.#run(
        `INSERT INTO reviews (task_id, reviewer_id, state, body, swapped, revision, updated) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (task_id, reviewer_id) DO UPDATE SET state = excluded.state, body = excluded.body, revision = excluded.revision,
          updated = excluded.updated`,
        task,
        reviewer,
        saved.state,
        JSON.stringify(saved.body),
        saved.swapped ? 1 : 0,
        based + 1,
        now(),
      );
      return based + 1;
    })();
  }

  #run(sql: string, ...values: unknown[]): { changes: number; lastInsertRowid: number | bigint } {
    return this.#db.prepare(sql).run(...(values as never[]));
  }

  #get(sql: string, ...values: unknown[]): Row | undefined {
    return this.#db.prepare(sql).get(...(values as never[])) as Row | undefined;
  }

  #all(sql: string, ...values: unknown[]): Row[] {
    return this.#db.prepare(sql).all(...(values as never[])) as Row[];
  }
}

const now = () => new Date().toISOString();
const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** Whether this reviewer sees the two answers of a task the other way round. */
export function isSwapped(seed: string, reviewer: number, task: number): boolean {
  return Number.parseInt(hash(`${seed} side ${reviewer} ${task}`).slice(0, 8), 16) % 2 === 1;
}

function setOf(row: Row): ReviewSet {
  return {
    id: Number(row.id),
    name: String(row.name),
    kind: row.kind as SetKind,
    instructions: String(row.instructions),
    criteria: JSON.parse(String(row.criteria)) as Criterion[],
    created: String(row.created),
    closed: row.closed as string | null,
    generation: row.generation === null ? null : (JSON.parse(String(row.generation)) as ReviewSet["generation"]),
  };
}

function reviewOf(row: Row): Review {
  return {
    task: Number(row.task_id),
    reviewer: Number(row.reviewer_id),
    state: row.state as Review["state"],
    body: JSON.parse(String(row.body)) as ReviewBody,
    swapped: row.swapped === 1,
    revision: Number(row.revision),
    updated: String(row.updated),
  };
}

/** Where review sets come from: the safety library, evaluations of the runs, or records of the user's own; and writing answers. */
import { join } from "node:path";
import { z } from "zod";
import { safetyItems } from "../eval/benchmarks/safety.ts";
import { type SafetyCategory, safetyPrompts } from "../eval/benchmarks/safety-prompts.ts";
import { type ItemRecord, readRecords } from "../eval/index.ts";
import { forward } from "./gateway.ts";
import { HttpProblem } from "./problem.ts";
import { type Criterion, criterionNames } from "./review-criteria.ts";
import type { NewItem, ReviewDatabase } from "./review-database.ts";
import type { ServedModel } from "./served-model.ts";
import { badRequest } from "./studio-errors.ts";
import { parseEvaluationKey, type StudioEvaluation } from "./studio-evaluation.ts";
import type { StudioModels } from "./studio-models.ts";

const model = z.string().min(1).max(300);
const text = (most: number) => z.string().max(most);
const categories = Object.keys(safetyPrompts) as [SafetyCategory, ...SafetyCategory[]];

export const newSetSchema = z.strictObject({
  name: z.string().trim().min(1).max(120),
  instructions: text(4000).default(""),
  criteria: z.array(z.enum(criterionNames as [Criterion, ...Criterion[]])).default(criterionNames),
  source: z.discriminatedUnion("type", [
    /** The safety and bias prompts, answered by these models: one gives single answers, more give pairs. */
    z.strictObject({
      type: z.literal("safety-library"),
      models: z.array(model).min(1).max(6),
      categories: z.array(z.enum(categories)).min(1).default(categories),
      maxTokens: z.int().min(1).max(4096).default(400),
      temperature: z.number().min(0).max(2).default(0),
    }),
    /** Answers that evaluations have written already. */
    z.strictObject({
      type: z.literal("evaluations"),
      of: z.array(z.string().max(600)).min(1).max(6),
      limit: z.int().min(1).max(5000).default(100),
    }),
    /** Records of one's own. */
    z.strictObject({
      type: z.literal("records"),
      records: z
        .array(
          z.strictObject({
            id: text(300).optional(),
            prompt: z.string().min(1).max(100_000),
            reference: text(100_000).optional(),
            subject: text(300).optional(),
            answers: z
              .array(z.strictObject({ model, text: text(200_000) }))
              .min(1)
              .max(6),
          }),
        )
        .min(1)
        .max(5000),
    }),
  ]),
});
export type NewSet = z.infer<typeof newSetSchema>;

/** Makes the set; answers of the safety library are written afterwards. @returns its id. */
export async function createSet(
  database: ReviewDatabase,
  evaluation: StudioEvaluation,
  wanted: NewSet,
): Promise<number> {
  const { source, name, instructions, criteria } = wanted;
  const facts = { name, instructions, criteria };
  switch (source.type) {
    case "safety-library": {
      const models = [...new Set(source.models)];
      const items = safetyItems(source.categories).map(
        (item): NewItem => ({
          source: item.id,
          prompt: item.question,
          reference: String(item.meta.safeAnswer ?? ""),
          subject: item.subject,
          answers: [],
        }),
      );
      const generation = { models, maxTokens: source.maxTokens, temperature: source.temperature };
      return database.createSet({ ...facts, kind: models.length > 1 ? "pairs" : "single", generation }, items);
    }
    case "evaluations": {
      const items = await evaluatedItems(evaluation, source.of, source.limit);
      return database.createSet({ ...facts, kind: source.of.length > 1 ? "pairs" : "single", generation: null }, items);
    }
    case "records": {
      const items = source.records.map(
        ({ id, ...record }, i): NewItem => ({ source: id ?? `record-${i + 1}`, ...record }),
      );
      const sizes = new Set(items.map(({ answers }) => answers.length > 1));
      if (sizes.size > 1) throw badRequest("either every record has one answer, or every record has two or more");
      for (const { source: at, answers } of items)
        if (new Set(answers.map((answer) => answer.model)).size < answers.length)
          throw badRequest(`${at}: two answers by the same model`);
      return database.createSet({ ...facts, kind: sizes.has(true) ? "pairs" : "single", generation: null }, items);
    }
  }
}

/** Items that all these evaluations answered in words, with the answer of each. */
async function evaluatedItems(evaluation: StudioEvaluation, names: string[], limit: number): Promise<NewItem[]> {
  const keys = names.map(parseEvaluationKey);
  const logs = await Promise.all(
    keys.map(async (key) => {
      const { records } = await readRecords<ItemRecord>(join(await evaluation.folder(key), "items.jsonl"));
      const answers = new Map<string, ItemRecord>();
      for (const record of records)
        if (record.rotation === 0 && record.outputs?.[0] !== undefined && !answers.has(record.id))
          answers.set(record.id, record);
      return answers;
    }),
  );
  const [first, ...others] = logs;
  const items: NewItem[] = [];
  for (const [id, record] of first!) {
    if (items.length === limit) break;
    if (others.some((log) => !log.has(id))) continue;
    const found = (await evaluation.benchmarkItem(keys[0]!, id)) ?? undefined;
    const options = (found?.options ?? []).map(({ letter, text: option }) => `${letter}. ${option}`).join("\n");
    items.push({
      source: id,
      prompt: found ? [found.context, found.question, options].filter(Boolean).join("\n\n") : record.prompt,
      reference: found?.explanation ?? record.gold,
      subject: record.subject,
      answers: keys.map(({ run, model: name }, i) => ({
        model: `${run}/${name}${names.filter((other) => other.startsWith(`${run}/${name}/`)).length > 1 ? `/${keys[i]!.label}` : ""}`,
        text: logs[i]!.get(id)!.outputs![0]!.trim(),
      })),
    });
  }
  if (items.length === 0)
    throw badRequest(
      "these evaluations share no item that was answered in words: log-likelihoods alone cannot be reviewed",
    );
  return items;
}

/** Items answered side by side: what the embedded engine batches well. */
const BATCH = 8;

/** Writes the answers that sets still lack, one set at a time; what is written is kept, so it goes on where it was stopped. */
export class AnswerWriter {
  readonly #database: ReviewDatabase;
  readonly #models: StudioModels;
  readonly #active = new Map<number, AbortController>();
  readonly #problems = new Map<number, string>();

  constructor(database: ReviewDatabase, models: StudioModels) {
    this.#database = database;
    this.#models = models;
  }

  state(set: number): { active: boolean; problem?: string } {
    const problem = this.#problems.get(set);
    return { active: this.#active.has(set), ...(problem === undefined ? {} : { problem }) };
  }

  /** Starts, or goes on, in the background. */
  start(set: number): void {
    if (this.#active.has(set)) return;
    const controller = new AbortController();
    this.#active.set(set, controller);
    this.#problems.delete(set);
    this.#write(set, controller.signal)
      .catch((error: Error) => {
        if (!controller.signal.aborted) this.#problems.set(set, error.message);
      })
      .finally(() => this.#active.delete(set));
  }

  async #write(set: number, signal: AbortSignal): Promise<void> {
    const { generation } = this.#database.set(set);
    if (!generation) return;
    const missing = this.#database.missingAnswers(set, generation.models);
    const items = [...new Set(missing.map(({ item }) => item))];
    // Some items by every model, then the next: pairs are there to review while the rest is written.
    for (let from = 0; from < items.length; from += BATCH) {
      const here = new Set(items.slice(from, from + BATCH));
      for (const id of generation.models) {
        const batch = missing.filter(({ item, model: by }) => by === id && here.has(item));
        if (batch.length === 0) continue;
        const prompts = batch.map(({ prompt }) => prompt);
        const answers = await answer(await this.#models.open(id), prompts, generation, signal);
        for (const [i, { item }] of batch.entries()) this.#database.addAnswer(set, item, id, answers[i]!);
      }
    }
  }

  stop(): void {
    for (const controller of this.#active.values()) controller.abort();
  }
}

async function answer(
  served: ServedModel,
  prompts: string[],
  { maxTokens, temperature }: { maxTokens: number; temperature: number },
  signal: AbortSignal,
): Promise<string[]> {
  if (served.kind === "local") {
    const { model: local, chat } = served;
    const requests = prompts.map((prompt, seed) => ({
      prompt: chat.render([{ role: "user", content: prompt }]),
      maxTokens: Math.min(maxTokens, Math.floor(local.capabilities.contextTokens / 2)),
      temperature,
      stop: chat.stop,
      seed,
    }));
    return (await local.generate(requests, { signal })).map(([one]) => one!.text.trim());
  }
  return Promise.all(
    prompts.map(async (prompt) => {
      const body = { messages: [{ role: "user", content: prompt }], max_tokens: maxTokens, temperature };
      const response = await forward(served.gateway, "/chat/completions", body, signal);
      const value = (await response.json()) as { choices?: { message?: { content?: string } }[] };
      const content = value.choices?.[0]?.message?.content;
      if (!response.ok || content == null)
        throw new HttpProblem(502, "upstream_failed", `the server behind ${served.id} answered ${response.status}`);
      return content.trim();
    }),
  );
}

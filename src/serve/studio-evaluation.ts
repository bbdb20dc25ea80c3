/** Evaluations of all runs: the leaderboard, item by item, and which items changed between two models. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { exists, type PackedError, readJson, startWorker, unpackError } from "../core/index.ts";
import type { ContaminationReport } from "../corpus/index.ts";
import type { ComparedRun, Comparison } from "../eval/compare.ts";
import { type Benchmark, type Item, leaderboard, loadBenchmark, type Summary } from "../eval/index.ts";
import { publishedScores } from "../eval/leaderboard/published.ts";
import { rotateOptions } from "../eval/scoring/rotation.ts";
import { folders } from "../run/folders.ts";
import { badRequest } from "./studio-errors.ts";
import { childFolder, listFolders } from "./studio-files.ts";
import { type IndexedItem, ItemIndex } from "./studio-items.ts";
import type { StudioRuns } from "./studio-runs.ts";
import type {
  ChangedItem,
  EvaluationKey,
  EvaluationOverview,
  EvaluationRow,
  ItemComparison,
  ItemDetail,
  ItemRow,
  Page,
} from "./studio-types.ts";

export const itemFilters = ["all", "correct", "wrong", "unanswered", "contaminated", "parsers-differ"] as const;
export type ItemFilter = (typeof itemFilters)[number];

export interface ItemQuery {
  filter: ItemFilter;
  subject: string;
  search: string;
  offset: number;
  limit: number;
}

const changes = ["all", "changed", "gained", "lost", "both right", "both wrong"] as const;

export interface ChangeQuery {
  change: (typeof changes)[number];
  offset: number;
  limit: number;
}

export class StudioEvaluation {
  readonly #runs: StudioRuns;
  readonly #indexes = new Map<string, ItemIndex>();
  readonly #benchmarks = new Map<string, Promise<Map<string, Item>>>();
  readonly #comparisons = new Map<string, Promise<Comparison[]>>();

  constructor(runs: StudioRuns) {
    this.#runs = runs;
  }

  /** Every evaluation of the runs, with what was published on the same sets, or for orientation on others. */
  async overview(runs: string[]): Promise<EvaluationOverview> {
    const keys = (await Promise.all(runs.map((run) => this.#keys(run)))).flat();
    const found = await Promise.all(keys.map((key) => this.#row(key)));
    const summaries = found.flatMap(({ summary }) => (summary ? [summary] : []));
    const { theirs } = leaderboard(summaries);
    const onSame = theirs.length > 0;
    return { evaluations: found.map(({ row }) => row), published: onSame ? theirs : publishedScores, onSame };
  }

  async #keys(run: string): Promise<EvaluationKey[]> {
    const directory = await this.#runs.directory(run);
    const keys: EvaluationKey[] = [];
    for (const model of await listFolders(join(directory, "eval")))
      for (const benchmark of await listFolders(join(directory, "eval", model)))
        for (const label of await listFolders(join(directory, folders.evaluation(model, benchmark))))
          if (await exists(join(directory, folders.evaluation(model, benchmark), label, "items.jsonl")))
            keys.push({ run, model, benchmark, label });
    return keys;
  }

  async #row(key: EvaluationKey): Promise<{ row: EvaluationRow; summary?: Summary }> {
    const folder = await this.folder(key);
    const path = join(folder, "summary.json");
    if (!(await exists(path))) {
      const index = await this.#index(key);
      const row: EvaluationRow = {
        ...key,
        state: "running",
        answered: index.items.length,
        rules: index.rules,
        hasVotes: index.hasVotes,
        subjects: [],
      };
      return { row };
    }
    const summary = await readJson<Summary>(path);
    const score = summary.rule === null ? undefined : summary.scores[summary.rule];
    const [own] = leaderboard([summary]).ours;
    const row: EvaluationRow = {
      ...key,
      state: "finished",
      answered: score?.total ?? summary.benchmark.items,
      ...(own ? { row: own } : {}),
      ...(summary.baseline ? { baseline: summary.baseline } : {}),
      solver: summary.settings.solver,
      rules: Object.keys(summary.scores),
      hasVotes: summary.settings.solver === "self-consistency",
      seconds: summary.seconds,
      subjects: Object.entries(score?.subjects ?? {}).map(([subject, share]) => ({ subject, ...share })),
      ...(summary.parserDisagreement === undefined ? {} : { parserDisagreement: summary.parserDisagreement }),
      ...(summary.contamination
        ? {
            contamination: {
              items: summary.contamination.items,
              contaminated: summary.contamination.contaminated.accuracy,
              clean: summary.contamination.clean.accuracy,
            },
          }
        : {}),
      ...(summary.overlap ? { overlap: summary.overlap } : {}),
      ...(summary.bitsPerByte === undefined ? {} : { bitsPerByte: summary.bitsPerByte }),
    };
    return { row, summary };
  }

  /** Every pair of these evaluations on the same items, Holm-corrected together. Different items: an empty list. */
  async compare(keys: EvaluationKey[]): Promise<Comparison[]> {
    if (keys.length < 2 || keys.length > 12) throw badRequest("a comparison takes 2 to 12 evaluations");
    const stamps = await Promise.all(
      keys.map(async (key) => `${nameOf(key)}@${(await stat(join(await this.folder(key), "items.jsonl"))).mtimeMs}`),
    );
    const cacheKey = stamps.join("|");
    let known = this.#comparisons.get(cacheKey);
    if (!known) {
      known = this.#compare(keys);
      this.#comparisons.set(cacheKey, known);
      known.catch(() => this.#comparisons.delete(cacheKey));
    }
    return known;
  }

  async #compare(keys: EvaluationKey[]): Promise<Comparison[]> {
    const indexes = await Promise.all(keys.map((key) => this.#index(key)));
    const runs = indexes.map(({ items }, i) => ({
      name: nameOf(keys[i]!),
      rule: "rule",
      // All that a comparison looks at of a record.
      records: items.map(({ id, rotation, correct }) => ({ id, rotation, correct: { rule: correct } })),
    })) as unknown as ComparedRun[];
    const worker = startWorker(new URL("./studio-compare-worker.ts", import.meta.url), { workerData: { runs } });
    try {
      const answer = await new Promise<{ comparisons?: Comparison[]; error?: PackedError }>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      if (answer.error) throw unpackError(answer.error);
      return answer.comparisons!;
    } finally {
      void worker.terminate();
    }
  }

  async items(key: EvaluationKey, query: ItemQuery): Promise<Page<ItemRow>> {
    const index = await this.#index(key);
    const contaminated = await this.#contaminated(key.run, key.benchmark);
    const search = query.search.toLowerCase();
    const matches = ({ id, subject, question, correct, prediction, parsersDiffer }: IndexedItem) => {
      if (query.subject !== "" && subject !== query.subject) return false;
      if (search !== "" && !question.toLowerCase().includes(search) && !id.toLowerCase().includes(search)) return false;
      switch (query.filter) {
        case "all":
          return true;
        case "correct":
          return correct;
        case "wrong":
          return !correct;
        case "unanswered":
          return prediction === null;
        case "contaminated":
          return contaminated.has(id);
        case "parsers-differ":
          return parsersDiffer;
        default:
          return query.filter satisfies never;
      }
    };
    const numbers: number[] = [];
    for (const [number, item] of index.items.entries()) if (matches(item)) numbers.push(number);
    const rows = numbers.slice(query.offset, query.offset + query.limit).map((number): ItemRow => {
      const { offset: _, ...item } = index.items[number]!;
      return { number, ...item, contaminated: contaminated.has(item.id) };
    });
    return { total: numbers.length, offset: query.offset, rows };
  }

  async item(key: EvaluationKey, number: number): Promise<ItemDetail> {
    const record = await (await this.#index(key)).record(number);
    const item = (await this.#benchmarkItems(key)).get(record.id);
    const hits = (await this.#contaminated(key.run, key.benchmark)).get(record.id) ?? [];
    // Options stand as they were printed.
    const options = item ? rotateOptions(item, record.rotation).options : [];
    return {
      record,
      ...(item ? { question: item.question } : {}),
      ...(item?.context === undefined ? {} : { context: item.context }),
      options,
      ...(item?.explanation === undefined ? {} : { explanation: item.explanation }),
      contaminatedBy: hits,
    };
  }

  /** Items of two evaluations side by side: what the second gained and what it lost. First seed, options unrotated. */
  async changes(first: EvaluationKey, second: EvaluationKey, query: ChangeQuery): Promise<ItemComparison> {
    const [a, b] = await Promise.all([this.#index(first), this.#index(second)]);
    const before = new Map<string, number>();
    for (const [number, item] of a.items.entries())
      if (item.rotation === 0 && !before.has(item.id)) before.set(item.id, number);
    const counts = { gained: 0, lost: 0, "both right": 0, "both wrong": 0 };
    const seen = new Set<string>();
    const rows: ChangedItem[] = [];
    for (const [secondNumber, item] of b.items.entries()) {
      const firstNumber = before.get(item.id);
      if (item.rotation !== 0 || firstNumber === undefined || seen.has(item.id)) continue;
      seen.add(item.id);
      const old = a.items[firstNumber]!;
      const change =
        old.correct === item.correct ? (item.correct ? "both right" : "both wrong") : item.correct ? "gained" : "lost";
      counts[change]++;
      if (query.change === "changed" ? old.correct === item.correct : query.change !== "all" && query.change !== change)
        continue;
      const { id, subject, question, gold, prediction } = item;
      rows.push({
        id,
        subject,
        question,
        gold,
        first: old.prediction,
        second: prediction,
        firstNumber,
        secondNumber,
        change,
      });
    }
    const page = {
      total: rows.length,
      offset: query.offset,
      rows: rows.slice(query.offset, query.offset + query.limit),
    };
    return { counts, page };
  }

  /** Where an evaluation lies. @throws not_found, bad_request. */
  async folder({ run, model, benchmark, label }: EvaluationKey): Promise<string> {
    const ofModel = await childFolder(join(await this.#runs.directory(run), "eval"), model, "model");
    return childFolder(await childFolder(ofModel, benchmark, "benchmark"), label, "evaluation");
  }

  async #index(key: EvaluationKey): Promise<ItemIndex> {
    const path = join(await this.folder(key), "items.jsonl");
    let index = this.#indexes.get(path);
    if (!index) {
      index = new ItemIndex(path);
      this.#indexes.set(path, index);
    }
    await index.refresh();
    return index;
  }

  /** An item of an evaluation's benchmark, where its files are still there. */
  async benchmarkItem(key: EvaluationKey, id: string): Promise<Item | undefined> {
    return (await this.#benchmarkItems(key)).get(id);
  }

  /** Items of the benchmark by id; none where its files are gone. */
  async #benchmarkItems({ run, benchmark }: EvaluationKey): Promise<Map<string, Item>> {
    const name = `${run}/${benchmark}`;
    const known = this.#benchmarks.get(name);
    if (known) return known;
    const load = async () => {
      const { recipe } = await this.#runs.recipe(run);
      const config = recipe.benchmarks?.[benchmark];
      if (!config) return new Map<string, Item>();
      const directory = await this.#runs.directory(run);
      const loaded: Benchmark | undefined = await loadBenchmark(config, { name: benchmark, directory }).catch(
        () => undefined,
      );
      return new Map((loaded?.items ?? []).map((item) => [item.id, item]));
    };
    const loading = load();
    this.#benchmarks.set(name, loading);
    return loading;
  }

  /** Items found in a corpus of the run, with the documents that hold them; not those whose documents were dropped for it. */
  async #contaminated(run: string, benchmark: string): Promise<Map<string, string[]>> {
    const directory = await this.#runs.directory(run);
    const { recipe } = await this.#runs.recipe(run);
    const hits = new Map<string, string[]>();
    for (const corpus of await listFolders(join(directory, "corpus"))) {
      const path = join(directory, folders.corpus(corpus), "contamination.json");
      if (!(await exists(path)) || recipe.corpora?.[corpus]?.stages.decontaminate?.action === "drop") continue;
      const report = await readJson<ContaminationReport>(path);
      for (const hit of report.hits)
        if (hit.benchmark === benchmark) hits.set(hit.item, [...(hits.get(hit.item) ?? []), hit.document]);
    }
    return hits;
  }
}

const nameOf = ({ run, model, benchmark, label }: EvaluationKey) => `${run}/${model}/${benchmark}/${label}`;

/** "run/model/benchmark/label" of a query. The parts are checked where they become paths. */
export function parseEvaluationKey(text: string | undefined): EvaluationKey {
  const [run, model, benchmark, label, ...rest] = (text ?? "").split("/");
  if (!run || !model || !benchmark || !label || rest.length > 0)
    throw badRequest("an evaluation is named run/model/benchmark/label");
  return { run, model, benchmark, label };
}

export const parseFilter = (text: string | undefined): ItemFilter => oneOf(itemFilters, text, "filter");
export const parseChange = (text: string | undefined): ChangeQuery["change"] => oneOf(changes, text, "change");

function oneOf<T extends string>(known: readonly T[], text: string | undefined, name: string): T {
  const value = known.find((one) => one === (text || "all"));
  if (!value) throw badRequest(`${name} is one of ${known.join(", ")}`);
  return value;
}

/**
 * One model on one benchmark under one setting: `<directory>/<settings>/items.jsonl`, appended item by item, and
 * `summary.json` at the end. Started again after any crash it asks only what is missing.
 */
import { join } from "node:path";
import { CancelledError, ConfigError, hashJson, sha256, writeJsonAtomic } from "../core/index.ts";
import type { LanguageModel } from "../providers/language-model.ts";
import { isMetered, type Usage } from "../providers/usage.ts";
import { type Benchmark, type Item, itemHash } from "./benchmarks/benchmark.ts";
import { answerStyle, demonstrationsFor, fitPrompt } from "./prompts/index.ts";
import type { ItemRecord } from "./record.ts";
import { RecordLog, writeRecords } from "./record-log.ts";
import { rougeL, tokenF1 } from "./scoring/overlap.ts";
import { rotateOptions } from "./scoring/rotation.ts";
import { type EvaluateConfig, type EvaluateSettings, evaluateConfigSchema, settingsLabel } from "./settings.ts";
import { type Solution, type SolverName, solvers, type Task } from "./solvers/index.ts";
import { type Summary, summarize } from "./summary.ts";

export interface EvaluateOptions extends EvaluateConfig {
  /** Folder of this model on this benchmark; a folder named after the settings is made in it. */
  directory: string;
  /** Folder where answers are kept across runs by (model, item, prompt, solver, sampling). */
  cache?: string;
  /** Ids of items found in the training corpus: accuracy is also given with and without them. */
  contaminated?: Iterable<string>;
  signal?: AbortSignal;
  onProgress?(progress: { done: number; total: number; resumed: number }): void;
}

interface Job {
  task: Task;
  seed: number;
  rotation: number;
  demonstrations: string[];
  key: string;
}

/** Items handed to the model in one call: enough to fill its batches, few enough to keep prompts in memory. */
const itemsPerCall = 512;

/**
 * @throws {ConfigError} EVAL_UNSUPPORTED before any work when the model cannot do what the solver needs.
 * @throws {CancelledError} When the signal fires; finished items are kept.
 */
export async function evaluate(model: LanguageModel, benchmark: Benchmark, options: EvaluateOptions): Promise<Summary> {
  const { directory, cache: cacheFolder, contaminated, signal, onProgress, ...config } = options;
  const settings = evaluateConfigSchema.parse(config);
  checkSupported(model, benchmark, settings);
  const folder = join(directory, settingsLabel(settings));
  const itemsPath = join(folder, "items.jsonl");
  const jobs = planJobs(model, benchmark, settings);

  const { log, records: earlier } = await RecordLog.open<ItemRecord>(itemsPath);
  const cache = cacheFolder === undefined ? undefined : await openCache(cacheFolder, model.id);
  const done = new Map<string, ItemRecord>();
  const place = ({ seed, rotation, id }: { seed: number; rotation: number; id: string }) => `${seed}|${rotation}|${id}`;
  const byKey = new Map(earlier.map((record) => [`${record.key}|${place(record)}`, record]));
  const pending: Job[] = [];
  for (const job of jobs) {
    const where = place({ ...job, id: job.task.item.id });
    const known = byKey.get(`${job.key}|${where}`);
    const solution = known ? undefined : cache?.known.get(job.key);
    if (known) done.set(where, known);
    else if (solution) {
      const record: ItemRecord = { ...makeRecord(benchmark, job, solution, 0), cached: true };
      log.append(record);
      done.set(where, record);
    } else pending.push(job);
  }
  const resumed = done.size;
  onProgress?.({ done: resumed, total: jobs.length, resumed });

  const usageBefore = isMetered(model) ? model.usage : undefined;
  // A failure while a result is written must stop the model and reach the caller, not vanish in a callback.
  const stop = new AbortController();
  const forward = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  let failure: unknown;
  try {
    for (const batch of batches(pending)) {
      if (signal?.aborted) throw cancelled();
      let lastMs = performance.now();
      await solvers[settings.solver].solve(
        batch.map(({ task }) => task),
        {
          model,
          benchmark,
          settings: { ...settings, maxTokens: answerTokens(settings, benchmark), seed: batch[0]!.seed },
          signal: stop.signal,
          onSolved(index, solution) {
            if (failure !== undefined) return;
            const now = performance.now();
            const job = batch[index]!;
            const record = makeRecord(benchmark, job, solution, now - lastMs);
            lastMs = now;
            try {
              log.append(record);
              cache?.log.append({ key: job.key, solution });
            } catch (error) {
              failure = error;
              stop.abort();
              return;
            }
            done.set(place(record), record);
            onProgress?.({ done: done.size, total: jobs.length, resumed });
          },
        },
      );
      log.sync();
      if (failure !== undefined) throw failure;
    }
  } catch (error) {
    throw failure ?? (signal?.aborted ? cancelled(error) : error);
  } finally {
    signal?.removeEventListener("abort", forward);
    log.close();
    cache?.log.close();
  }
  const records = jobs.map((job) => done.get(place({ ...job, id: job.task.item.id }))!);
  // Answers arrive in the model's order; the finished file is in the benchmark's, without leftovers of other settings.
  await writeRecords(itemsPath, records);
  const summary = summarize({
    model: { name: model.name, id: model.id },
    benchmark,
    settings,
    records,
    contaminated: contaminated === undefined ? undefined : new Set(contaminated),
    usage: isMetered(model) ? usageSince(usageBefore, model.usage) : undefined,
  });
  await writeJsonAtomic(join(folder, "summary.json"), summary);
  return summary;
}

function usageSince(before: Usage | undefined, after: Usage): Usage {
  const { requests = 0, retries = 0, promptTokens = 0, completionTokens = 0, cost = 0 } = before ?? {};
  return {
    requests: after.requests - requests,
    retries: after.retries - retries,
    promptTokens: after.promptTokens - promptTokens,
    completionTokens: after.completionTokens - completionTokens,
    ...(after.cost === undefined ? {} : { cost: after.cost - cost }),
  };
}

function cancelled(cause?: unknown): unknown {
  return cause instanceof CancelledError
    ? cause
    : new CancelledError("evaluation stopped on request", "run the same command again: finished items are kept");
}

/** Before the run: can this model do what the solver needs? */
export function checkSupported(model: LanguageModel, benchmark: Benchmark, settings: EvaluateSettings): void {
  const { solver } = settings;
  const { requires } = solvers[solver];
  if (!model.capabilities[requires]) {
    const working = Object.values(solvers).filter((other) => model.capabilities[other.requires]);
    throw new ConfigError("EVAL_UNSUPPORTED", {
      message: `"${model.name}" offers no ${requires === "generate" ? "text generation" : "log-likelihoods"}, which the solver ${solver} needs`,
      where: "evaluate.solvers",
      remedy:
        working.length > 0 ? `solvers that work: ${working.map(({ name }) => name).join(", ")}` : "use another model",
    });
  }
  const isOpen = benchmark.answerForm === "open";
  const forOpen = solver === "greedy" || solver === "chain-of-thought" || solver === "answer-log-likelihood";
  if (isOpen ? !forOpen : solver === "answer-log-likelihood")
    throw new ConfigError("EVAL_UNSUPPORTED", {
      message: `the solver ${solver} ${isOpen ? "chooses between options, which" : "scores reference texts, while"} "${benchmark.name}" ${isOpen ? "does not have" : "has options"}`,
      where: "evaluate.solvers",
      remedy: isOpen
        ? "use greedy, chain-of-thought or answer-log-likelihood for open questions"
        : "use option-log-likelihood or option-text-log-likelihood",
    });
  const asksLetters = solver === "option-log-likelihood" || answerStyle(settings) !== "text";
  if (benchmark.answerForm === "letter" && settings.options === "hidden" && asksLetters)
    throw new ConfigError("EVAL_HIDDEN_LETTERS", {
      message: `options are hidden, yet ${solver === "option-log-likelihood" ? "option-log-likelihood scores" : `answers are asked as ${settings.answer}:`} their letters`,
      where: "evaluate.options",
      remedy: "use option-text-log-likelihood, or a solver that generates with answer: text; or set options: shown",
    });
  if (solver === "answer-log-likelihood" && benchmark.metric === "review")
    throw new ConfigError("EVAL_UNSUPPORTED", {
      message: `"${benchmark.name}" has no reference answers`,
      where: "evaluate.solvers",
      remedy: "use greedy: its outputs are for review",
    });
}

/** A direct answer to an open question is a paragraph, not a letter. */
const openAnswerTokens = 256;

function answerTokens(settings: EvaluateSettings, benchmark: Benchmark): number {
  const { maxTokens } = solvers[settings.solver];
  return settings.maxTokens ?? (benchmark.answerForm === "open" ? Math.max(maxTokens, openAnswerTokens) : maxTokens);
}

/** Pending jobs in calls to the model: one seed each, as a call samples under one seed. */
function* batches(pending: readonly Job[]): Generator<Job[]> {
  for (let from = 0; from < pending.length; ) {
    let to = from;
    while (to < pending.length && to - from < itemsPerCall && pending[to]!.seed === pending[from]!.seed) to++;
    yield pending.slice(from, to);
    from = to;
  }
}

/** Every (seed, rotation, item) with its prompt, in the order of the finished file. */
function planJobs(model: LanguageModel, benchmark: Benchmark, settings: EvaluateSettings): Job[] {
  const solver = solvers[settings.solver];
  const { contextTokens } = model.capabilities;
  const seeds = settings.shots > 0 || solver.isSampled ? settings.seeds : settings.seeds.slice(0, 1);
  // Where no options are printed (yes/no items, cloze form) there is nothing to rotate.
  const isPrinted = benchmark.answerForm === "letter" && settings.options === "shown";
  const rotations = isPrinted ? settings.rotations : 0;
  const { format, chat, system, options, answer, cue } = settings;
  const style = { format, chat, system, chainOfThought: solver.chainOfThought, options, answer, cue };
  // A reasoned answer may take half the window at most: the question comes first.
  const reserve = Math.min(answerTokens(settings, benchmark), Math.floor(contextTokens / 2));
  const jobs: Job[] = [];
  for (const seed of seeds) {
    const demonstrationsOf = demonstrationsFor(benchmark, settings.shots, seed, style);
    for (let rotation = 0; rotation <= rotations; rotation++)
      for (const original of benchmark.items) {
        const item = rotateOptions(original, rotation);
        const demonstrations = demonstrationsOf(item);
        const longest = longestAnswer(settings.solver, item);
        const budget = contextTokens - Math.max(reserve, Math.min(longest, Math.floor(contextTokens / 2)));
        const prompt = fitPrompt(benchmark, item, demonstrations, style, model.tokenizer, budget);
        jobs.push({
          task: { item, prompt },
          seed,
          rotation,
          demonstrations: demonstrations.map(({ id }) => id),
          key: jobKey(model, item, prompt.text, settings, seed, answerTokens(settings, benchmark)),
        });
      }
  }
  return jobs;
}

/** Upper bound in tokens of the longest text scored after the prompt: no tokenizer makes more tokens than bytes. */
function longestAnswer(solver: SolverName, item: Item): number {
  if (solver === "option-text-log-likelihood")
    return Math.max(...item.options.map(({ text }) => Buffer.byteLength(`B. ${text}`) + 1));
  return solver === "answer-log-likelihood" ? Buffer.byteLength(item.answer) + 1 : 0;
}

function jobKey(
  model: LanguageModel,
  item: Item,
  prompt: string,
  settings: EvaluateSettings,
  seed: number,
  maxTokens: number,
): string {
  const { solver, samples, temperature, chat, shots } = settings;
  const sampling = solvers[solver].isSampled ? { samples, temperature, seed } : {};
  // The lenient parser cuts at a blank line in few-shot prompts only, so the number of shots enters beside the prompt.
  const generation = solvers[solver].requires === "generate" ? { chat, maxTokens, fewShot: shots > 0 } : {};
  return hashJson([
    model.id,
    itemHash(item),
    sha256(prompt),
    solver,
    answerStyle(settings),
    sampling,
    generation,
  ]).slice(0, 32);
}

function makeRecord(benchmark: Benchmark, job: Job, solution: Solution, milliseconds: number): ItemRecord {
  const { item, prompt } = job.task;
  const { predictions, generatedTokens, ...rest } = solution;
  const isOverlap = benchmark.metric === "overlap" && solution.outputs !== undefined;
  const output = solution.outputs?.[0] ?? "";
  return {
    key: job.key,
    id: item.id,
    seed: job.seed,
    rotation: job.rotation,
    ...(item.subject === undefined ? {} : { subject: item.subject }),
    prompt: prompt.text,
    ...(prompt.promptTokens === undefined ? {} : { promptTokens: prompt.promptTokens }),
    ...(job.demonstrations.length > 0 ? { demonstrations: job.demonstrations } : {}),
    ...(prompt.truncated ? { truncated: prompt.truncated } : {}),
    gold: item.answer,
    predictions,
    correct: Object.fromEntries(Object.entries(predictions).map(([rule, letter]) => [rule, letter === item.answer])),
    ...rest,
    ...(isOverlap ? { overlap: { tokenF1: tokenF1(output, item.answer), rougeL: rougeL(output, item.answer) } } : {}),
    generatedTokens,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
  };
}

interface CacheEntry {
  key: string;
  solution: Solution;
}

async function openCache(folder: string, modelId: string) {
  const path = join(folder, `${sha256(modelId).slice(0, 16)}.jsonl`);
  const { log, records } = await RecordLog.open<CacheEntry>(path);
  return { log, known: new Map(records.map(({ key, solution }) => [key, solution])) };
}

/** Runs as the Studio shows them: the state of every stage from events.jsonl, followed while a run goes on. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { exists, readJson } from "../core/index.ts";
import type { RunEvent } from "../run/events.ts";
import { folders } from "../run/folders.ts";
import { readStageRecord } from "../run/graph.ts";
import { isLocked } from "../run/lock.ts";
import { stagesOf } from "../run/pipeline.ts";
import type { Provenance } from "../run/provenance.ts";
import { type Recipe, recipeSchema } from "../run/recipe.ts";
import { LogTail, parseLine } from "./log-tail.ts";
import { listFolders, listRuns, runDirectory } from "./studio-files.ts";
import type { RecipeChange, RunDetail, RunStage, RunState, RunSummary } from "./studio-types.ts";

/** What events.jsonl has said so far, kept up to date by reading what was added. */
class RunLog {
  readonly #tail: LogTail;
  #stages = new Map<string, RunStage>();
  #started: string | undefined;
  #updated: string | undefined;
  #ended = false;
  #failed = false;
  /** Steps of the trainings, by stage. */
  #steps = new Map<string, number>();
  #busy: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#tail = new LogTail(join(directory, "events.jsonl"));
  }

  /** Reads what is new. Calls at the same time wait for each other. */
  refresh(): Promise<void> {
    this.#busy = this.#busy.then(() =>
      this.#tail.read(
        (line) => this.#take(line),
        () => this.#stages.clear(),
      ),
    );
    return this.#busy;
  }

  get offset(): number {
    return this.#tail.offset;
  }

  #take(line: string): void {
    const event = parseLine<RunEvent>(line);
    if (!event) return;
    this.#updated = event.time;
    if (event.event === "run-start") {
      this.#started ??= event.time;
      this.#ended = this.#failed = false;
      const before = this.#stages;
      this.#stages = new Map(
        event.stages.map((id) => [id, { ...(before.get(id) ?? blank(id)), state: "waiting", resumed: false }]),
      );
    }
    if (event.event === "run-end") this.#ended = true;
    if (event.event === "step-end") this.#steps.set(event.stage, event.step);
    if (!("stage" in event)) return;
    const stage = this.#stages.get(event.stage);
    if (!stage) return;
    switch (event.event) {
      case "stage-start":
        delete stage.ended;
        delete stage.error;
        Object.assign(stage, { state: "running", resumed: event.resumed, started: event.time });
        break;
      case "stage-skip":
        stage.state = "skipped";
        break;
      case "stage-end":
        Object.assign(stage, { state: "finished", ended: event.time, seconds: event.seconds, counts: event.counts });
        break;
      case "stage-failed":
        this.#failed = true;
        Object.assign(stage, {
          state: "failed",
          ended: event.time,
          error: { code: event.code, message: event.message },
        });
        break;
      case "run-cancelled":
        Object.assign(stage, { state: "stopped", ended: event.time });
        break;
    }
  }

  /** @param isLive - Whether a process works in the directory: a running stage of a dead one was stopped. */
  view(isLive: boolean) {
    const stages = [...this.#stages.values()].map((stage) => {
      const view = { ...stage };
      if (view.state === "running" && !isLive) view.state = "stopped";
      return view;
    });
    const state: RunState = isLive ? "running" : this.#failed ? "failed" : this.#ended ? "finished" : "stopped";
    return { stages, state, started: this.#started, updated: this.#updated, steps: this.#steps };
  }
}

const blank = (id: string): RunStage => ({ id, needs: [], state: "waiting", resumed: false, counts: {} });

/** Readers of all run directories below one folder. */
export class StudioRuns {
  readonly root: string;
  readonly #logs = new Map<string, RunLog>();
  readonly #recipes = new Map<string, { modifiedMs: number; text: string } & RecipeOf>();

  constructor(root: string) {
    this.root = root;
  }

  directory(run: string): Promise<string> {
    return runDirectory(this.root, run);
  }

  /** The resolved recipe. What a run of an older version lacks is filled in; one that cannot be read is shown as it is. */
  async recipe(run: string): Promise<{ text: string } & RecipeOf> {
    const directory = await this.directory(run);
    const path = join(directory, "recipe.yaml");
    const { mtimeMs } = await stat(path);
    const known = this.#recipes.get(run);
    if (known?.modifiedMs === mtimeMs) return known;
    const text = await readFile(path, "utf8");
    let recipe: Recipe;
    try {
      const written: unknown = parse(text) ?? {};
      const checked = recipeSchema.safeParse(written);
      recipe = checked.success ? checked.data : (written as Recipe);
    } catch {
      recipe = {} as Recipe;
    }
    const entry = { modifiedMs: mtimeMs, text, recipe, directory };
    this.#recipes.set(run, entry);
    return entry;
  }

  async list(): Promise<RunSummary[]> {
    const names = await listRuns(this.root);
    const summaries = await Promise.all(names.map((name) => this.#summary(name)));
    return summaries.map(({ summary }) => summary).sort((a, b) => ((a.updated ?? "") < (b.updated ?? "") ? 1 : -1));
  }

  async detail(run: string): Promise<RunDetail> {
    const { summary, stages, log, directory } = await this.#summary(run);
    const { text, recipe } = await this.recipe(run);
    const provenance = join(directory, "provenance.json");
    return {
      ...summary,
      stages,
      recipe: text,
      ...((await exists(provenance)) ? { provenance: await readJson<Provenance>(provenance) } : {}),
      corpora: await this.#present(directory, "corpus", Object.keys(recipe.corpora ?? {})),
      trainings: await this.#present(directory, "train", Object.keys(recipe.train ?? {})),
      hasReport: await exists(join(directory, "report.html")),
      offset: log.offset,
    };
  }

  /** What the recipe names and the run has begun, in the recipe's order. */
  async #present(directory: string, folder: string, names: string[]): Promise<string[]> {
    const there = await listFolders(join(directory, folder));
    return [...names.filter((name) => there.includes(name)), ...there.filter((name) => !names.includes(name))];
  }

  async #summary(run: string) {
    const directory = await this.directory(run);
    let log = this.#logs.get(run);
    if (!log) {
      log = new RunLog(directory);
      this.#logs.set(run, log);
    }
    await log.refresh();
    const { stages, state, started, updated, steps } = log.view(isLocked(directory));
    const { recipe } = await this.recipe(run);
    const needs = needsOf(recipe, directory);
    for (const stage of stages) {
      stage.needs = needs.get(stage.id) ?? [];
      if (stage.state === "skipped" || (stage.state === "finished" && stage.seconds === undefined)) {
        const record = await readStageRecord(directory, stage.id).catch(() => undefined);
        if (record?.seconds !== undefined) stage.seconds = record.seconds;
        if (record?.counts) stage.counts = record.counts;
        if (record?.finished !== undefined) stage.ended ??= record.finished;
      }
      const done = steps.get(stage.id);
      if (stage.state === "running" && done !== undefined) {
        const total = await plannedSteps(directory, stage.id);
        if (total !== undefined) stage.progress = { done, total };
      }
    }
    const summary: RunSummary = {
      name: run,
      title: recipe.report?.title ?? run,
      ...(recipe.description === undefined ? {} : { description: recipe.description }),
      state,
      ...(started === undefined ? {} : { started }),
      ...(updated === undefined ? {} : { updated }),
      stagesDone: stages.filter((stage) => stage.state === "finished" || stage.state === "skipped").length,
      stagesTotal: stages.length,
      seconds: stages.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0),
    };
    return { summary, stages, log, directory };
  }
}

/** Which stages each stage reads from, as the recipe's graph has it; a recipe that this version cannot read gives none. */
function needsOf(recipe: Recipe, directory: string): Map<string, string[]> {
  try {
    const stages = stagesOf({ recipe, directory, file: join(directory, "recipe.yaml"), yaml: "", missing: [] });
    return new Map(stages.map(({ id, needs }) => [id, needs]));
  } catch {
    return new Map();
  }
}

async function plannedSteps(directory: string, stage: string): Promise<number | undefined> {
  const path = join(directory, folders.training(stage.replace(/^train\./, "")), "job.json");
  if (!(await exists(path))) return undefined;
  return (await readJson<{ steps?: number }>(path)).steps;
}

/**
 * Settings that differ, key by key ("train.base.steps"), in the order of the first recipe and then of the second. What only one
 * of them has stands as a whole, as YAML. Each recipe's own run directory is written `${run}`: it differs by nature.
 */
export function diffRecipes(first: RecipeOf, second: RecipeOf): RecipeChange[] {
  const changes: RecipeChange[] = [];
  const compare = (left: unknown, right: unknown, key: string) => {
    if (isBranch(left) && isBranch(right) && Array.isArray(left) === Array.isArray(right)) {
      for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
        compare(
          left[name],
          right[name],
          Array.isArray(left) ? `${key}[${name}]` : key === "" ? name : `${key}.${name}`,
        );
      return;
    }
    const [a, b] = [textOf(left, first.directory), textOf(right, second.directory)];
    if (a !== b)
      changes.push({ key, ...(a === undefined ? {} : { first: a }), ...(b === undefined ? {} : { second: b }) });
  };
  compare(first.recipe, second.recipe, "");
  return changes;
}

export interface RecipeOf {
  recipe: Recipe;
  directory: string;
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: as recipes write it
const RUN = "${run}";

const isBranch = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && Object.keys(value).length > 0;

function textOf(value: unknown, directory: string): string | undefined {
  if (value === undefined) return undefined;
  const text =
    typeof value === "string" && value !== ""
      ? value
      : isBranch(value)
        ? stringify(value).trimEnd()
        : JSON.stringify(value);
  return directory === "" ? text : text.replaceAll(directory, RUN);
}

/**
 * Batches of events of a run from a byte of events.jsonl on, as they are written. Ends with the signal.
 * A batch that finds the log shorter than before starts it anew (`restarted`).
 */
export async function* followEvents(
  directory: string,
  offset: number,
  signal: AbortSignal,
  pollMs = 500,
): AsyncGenerator<{ offset: number; events: RunEvent[]; live: boolean }> {
  const tail = new LogTail(join(directory, "events.jsonl"), offset);
  let wasLive: boolean | undefined;
  while (!signal.aborted) {
    const events: RunEvent[] = [];
    await tail.read((line) => {
      const event = parseLine<RunEvent>(line);
      if (event) events.push(event);
    });
    const live = isLocked(directory);
    if (events.length > 0 || live !== wasLive) yield { offset: tail.offset, events: thin(events), live };
    wasLive = live;
    await new Promise<void>((wake) => {
      const timer = setTimeout(done, pollMs);
      function done() {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        wake();
      }
      signal.addEventListener("abort", done);
    });
  }
}

/** A page that looks once a second needs the last step of each stage, not all; what happens once is kept. */
function thin(events: RunEvent[]): RunEvent[] {
  const last = new Map<string, RunEvent>();
  for (const event of events) if (event.event === "step-end") last.set(event.stage, event);
  return events.filter((event) => event.event !== "step-end" || last.get(event.stage) === event);
}

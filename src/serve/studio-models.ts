/** Models to talk to: the newest checkpoint of every training, loaded when it is first asked for, and whatever the server was given. */
import { join } from "node:path";
import { folders } from "../run/folders.ts";
import type { Recipe } from "../run/recipe.ts";
import { listCheckpoints } from "../train/index.ts";
import type { Serving } from "./exchange.ts";
import { openServed } from "./open-served.ts";
import type { ServedModel } from "./served-model.ts";
import { notFound } from "./studio-errors.ts";
import type { StudioRuns } from "./studio-runs.ts";
import type { ModelEntry } from "./studio-types.ts";

/** Models of runs that are held in memory at once; the one that was used least recently makes room. */
const MOST_LOADED = 4;

export class StudioModels {
  readonly #runs: StudioRuns;
  readonly #serving: Serving;
  readonly #loading = new Map<string, Promise<ServedModel>>();
  /** Ids of loaded run models, least recently used first. */
  #loaded: string[] = [];

  constructor(runs: StudioRuns, serving: Serving) {
    this.#runs = runs;
    this.#serving = serving;
  }

  async list(): Promise<ModelEntry[]> {
    const entries: ModelEntry[] = [];
    for (const { name: run } of await this.#runs.list()) {
      const { recipe } = await this.#runs.recipe(run);
      for (const training of Object.keys(recipe.train ?? {})) {
        const [newest] = await listCheckpoints(join(this.#runs.root, run, folders.training(training)));
        const id = `${run}/${training}`;
        if (newest) entries.push({ id, step: newest.step, ...this.#about(id) });
      }
    }
    const known = new Set(entries.map(({ id }) => id));
    const given = [...this.#serving.models.keys()].filter((id) => !known.has(id));
    return [...given.map((id) => ({ id, ...this.#about(id) })), ...entries];
  }

  #about(id: string): Pick<ModelEntry, "loaded" | "advisory" | "contextTokens"> {
    const card = this.#serving.models.get(id)?.card;
    return {
      loaded: card !== undefined,
      ...(card ? { advisory: card.advisory, contextTokens: card.contextTokens } : {}),
    };
  }

  /** The model, loaded. @throws not_found. */
  async open(id: string): Promise<ServedModel> {
    this.#loaded = [...this.#loaded.filter((one) => one !== id), ...(this.#loaded.includes(id) ? [id] : [])];
    const there = this.#serving.models.get(id);
    if (there) return there;
    let loading = this.#loading.get(id);
    if (!loading) {
      loading = this.#load(id).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(id: string): Promise<ServedModel> {
    const [run = "", training = "", ...rest] = id.split("/");
    const directory = await this.#runs.directory(run);
    const { recipe } = await this.#runs.recipe(run);
    if (rest.length > 0 || !Object.hasOwn(recipe.train ?? {}, training)) throw notFound(`model "${id.slice(0, 80)}"`);
    const [newest] = await listCheckpoints(join(directory, folders.training(training)));
    if (!newest) throw notFound(`checkpoint of "${id}" yet`);
    const model = await openServed({ id, target: newest.path, chat: chatOf(training, recipe) });
    this.#serving.models.set(id, model);
    this.#loaded.push(id);
    while (this.#loaded.length > MOST_LOADED) await this.#unload(this.#loaded.shift()!);
    return model;
  }

  async #unload(id: string): Promise<void> {
    const model = this.#serving.models.get(id);
    this.#serving.models.delete(id);
    if (model?.kind === "local") await model.model.close();
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
    for (const id of this.#loaded.splice(0)) await this.#unload(id);
  }
}

/** The messages that a training, or one that it comes from, was finetuned with; undefined leaves it to the model directory. */
function chatOf(training: string, recipe: Recipe): "chatml" | "chatml-assistant" | undefined {
  const own = recipe.train[training];
  if (!own) return undefined;
  if (own.finetune) return own.finetune.chat ?? "chatml";
  return typeof own.from === "string" ? chatOf(own.from, recipe) : undefined;
}

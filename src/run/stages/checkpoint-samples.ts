/**
 * What a model writes at each of its checkpoints (`train.<name>.samples`), so that one can read how it learns. Written beside the
 * training while it goes on, one line a checkpoint; it changes nothing of the training.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { exists, readJsonLines } from "../../core/index.ts";
import type { LanguageModel } from "../../providers/language-model.ts";

/** One line of `train/<name>/samples.jsonl`. */
export interface CheckpointSamples {
  step: number;
  samples: { prompt: string; text: string }[];
}

export class CheckpointSampler {
  readonly #path: string;
  readonly #prompts: readonly string[];
  readonly #maxTokens: number;
  readonly #open: (checkpoint: string) => Promise<LanguageModel>;
  #queue: Promise<void> = Promise.resolve();

  /** @param open - Loads a checkpoint by its path in the training's folder. */
  constructor(
    folder: string,
    { prompts, maxTokens }: { prompts: readonly string[]; maxTokens: number },
    open: (checkpoint: string) => Promise<LanguageModel>,
  ) {
    this.#path = join(folder, "samples.jsonl");
    this.#prompts = prompts;
    this.#maxTokens = maxTokens;
    this.#open = open;
  }

  /** Queues a checkpoint. One that is removed before its turn is passed over. */
  add(step: number, checkpoint: string): void {
    this.#queue = this.#queue.then(() => this.#sample(step, checkpoint)).catch(() => {});
  }

  /** Resolves when all that were queued are written. */
  done(): Promise<void> {
    return this.#queue;
  }

  async #sample(step: number, checkpoint: string): Promise<void> {
    if (await this.#has(step)) return;
    const model = await this.#open(checkpoint);
    try {
      const texts = await model.generate(this.#prompts.map((prompt) => ({ prompt, maxTokens: this.#maxTokens })));
      const samples = this.#prompts.map((prompt, i) => ({ prompt, text: texts[i]![0]!.text }));
      appendFileSync(this.#path, `${JSON.stringify({ step, samples } satisfies CheckpointSamples)}\n`);
    } finally {
      await model.close();
    }
  }

  /** A training that resumed tells of checkpoints that were sampled before. */
  async #has(step: number): Promise<boolean> {
    if (!(await exists(this.#path))) return false;
    for await (const { value } of readJsonLines<CheckpointSamples>(this.#path, () => {}))
      if (value.step === step) return true;
    return false;
  }
}

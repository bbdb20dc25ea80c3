/** One answered item as it stands in `items.jsonl`: everything needed to argue about the score. */
import type { OptionScore } from "./solvers/index.ts";

export interface ItemRecord {
  /** Hash of model, item, prompt, solver and sampling: equal keys have equal answers. */
  key: string;
  id: string;
  /** Seed of the demonstrations (and of sampling). */
  seed: number;
  /** Places by which the options were rotated. */
  rotation: number;
  subject?: string;
  prompt: string;
  /** Absent where the provider hides its tokenizer. */
  promptTokens?: number;
  /** Ids of the demonstrations shown. */
  demonstrations?: string[];
  /** What was cut to fit the context window. */
  truncated?: { demonstrations: number; contextCharacters: number; questionCharacters: number };
  /** Gold letter as printed (after rotation); reference text of an open question. */
  gold: string;
  /** By scoring rule: the letter chosen, null where the output states none. */
  predictions: Record<string, string | null>;
  correct: Record<string, boolean>;
  logLikelihoods?: Record<string, OptionScore>;
  outputs?: string[];
  votes?: (string | null)[];
  /** Open questions: overlap of the output with the reference. */
  overlap?: { tokenF1: number; rougeL: number };
  generatedTokens: number;
  /** Since the item before it was finished (items are answered in batches). */
  milliseconds: number;
  /** Taken from the cache of an earlier run. */
  cached?: true;
}

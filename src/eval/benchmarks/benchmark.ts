/** What a benchmark is to the rest of evaluation: items with a gold answer, in splits whose content has a hash. */
import { ConfigError, hashFraction, hashJson } from "../../core/index.ts";

export interface Option {
  /** "A", "B", ... in the order printed. */
  letter: string;
  text: string;
}

export interface Item {
  id: string;
  question: string;
  /** Empty for open questions. */
  options: Option[];
  /** Gold letter of a multiple-choice item; reference answer of an open one ("" where only a reader can judge). */
  answer: string;
  /** Text to read before the question: an abstract, a case. */
  context?: string;
  subject?: string;
  /** Why the gold answer is right: the target of chain-of-thought finetuning. */
  explanation?: string;
  meta: Record<string, unknown>;
}

export type SplitName = "train" | "validation" | "test";
export const splitNames = ["train", "validation", "test"] as const satisfies readonly SplitName[];

export interface Split {
  items: Item[];
  /** SHA-256 over what a model sees and what counts as right, in order; the file format does not enter. */
  sha256: string;
  files: string[];
}

/** Which instruction and layout of SPEC 1g an item gets. */
export type PromptFamily = "medqa" | "medmcqa" | "pubmedqa" | "truthfulqa" | "multiple-choice" | "open";

/** How an answer is written after "The answer is:": the option's letter, its text (yes/no/maybe), or free text. */
export type AnswerForm = "letter" | "word" | "open";

/**
 * - accuracy: share of items whose extracted answer is the gold letter
 * - overlap: open questions with a reference (token F1 and ROUGE-L)
 * - review: no automatic score; outputs go to readers (the safety prompts)
 */
export type Metric = "accuracy" | "overlap" | "review";

export interface Benchmark {
  name: string;
  /** Which file of this folder read it. */
  type: string;
  family: PromptFamily;
  answerForm: AnswerForm;
  metric: Metric;
  /** Replaces the family's instruction. */
  instruction?: string;
  /** SPDX id or "unknown". */
  license: string;
  /** Where the data is published. */
  homepage: string;
  /** Column of the published leaderboard this benchmark may be printed beside ("MedQA-4"). */
  leaderboardSet?: string;
  splits: Partial<Record<SplitName, Split>>;
  /** The split that is scored. */
  evaluationSplit: SplitName;
  /** Where few-shot demonstrations come from. */
  demonstrationSplit: SplitName;
  /** The scored items: `splits[evaluationSplit].items`, or the chosen `limit` of them. */
  items: Item[];
}

/** The part of an item that a model sees or that decides whether it is right. */
export function itemContent(item: Item): object {
  const { id, question, options, answer, context } = item;
  return { id, question, options: options.map(({ letter, text }) => [letter, text]), answer, context };
}

export function itemHash(item: Item): string {
  return hashJson(itemContent(item));
}

export function makeSplit(items: Item[], files: string[]): Split {
  return { items, sha256: hashJson(items.map(itemContent)), files };
}

export interface BenchmarkFacts {
  name: string;
  type: string;
  family: PromptFamily;
  answerForm: AnswerForm;
  metric: Metric;
  license: string;
  homepage: string;
  evaluationSplit: SplitName;
  demonstrationSplit?: SplitName | undefined;
  leaderboardSet?: string | undefined;
  instruction?: string | undefined;
  /** Score only this many items: those with the smallest hash of their id, in file order, so subjects stay mixed. */
  limit?: number | undefined;
}

/** @throws {ConfigError} EVAL_NO_SPLIT when the split to score has no file. */
export function makeBenchmark(facts: BenchmarkFacts, splits: Partial<Record<SplitName, Split>>): Benchmark {
  const { limit, instruction, leaderboardSet, demonstrationSplit = "train", ...rest } = facts;
  const scored = splits[facts.evaluationSplit];
  if (!scored)
    throw new ConfigError("EVAL_NO_SPLIT", {
      message: `benchmark "${facts.name}" has no ${facts.evaluationSplit} split to score`,
      where: `benchmarks.${facts.name}`,
      remedy: `name its file: ${facts.evaluationSplit}: path/to/file, or set evaluationSplit`,
    });
  return {
    ...rest,
    demonstrationSplit,
    ...(instruction === undefined ? {} : { instruction }),
    ...(leaderboardSet === undefined ? {} : { leaderboardSet }),
    splits,
    items: limit === undefined ? scored.items : sampleItems(scored.items, limit),
  };
}

function sampleItems(items: Item[], limit: number): Item[] {
  const byHash = items.map((item) => ({ item, place: hashFraction(item.id) })).sort((a, b) => a.place - b.place);
  const chosen = new Set(byHash.slice(0, limit).map(({ item }) => item));
  return items.filter((item) => chosen.has(item));
}

/** "A" for 0. */
export const letterOf = (index: number): string => String.fromCharCode(65 + index);

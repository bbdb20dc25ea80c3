/** What the report shows, gathered from a run directory and nothing else. */

import type { Drop } from "../../corpus/document.ts";
import type { CorpusManifest } from "../../corpus/shards.ts";
import type { TrainEvent } from "../../train/job.ts";
import type { ClaimResult } from "../claims/index.ts";
import type { Counts } from "../events.ts";
import type { Provenance } from "../provenance.ts";
import type { Recipe } from "../recipe.ts";
import type { Curve } from "../stages/curve.ts";

export interface StageView {
  id: string;
  seconds: number;
  counts: Counts;
}

export interface CorpusView {
  name: string;
  manifest: CorpusManifest;
  /** The first few of each rule. */
  dropSamples: Map<string, Drop[]>;
}

export interface TrainingView {
  name: string;
  events: TrainEvent[];
}

/** One cell of the accuracy table. */
export interface Score {
  model: string;
  benchmark: string;
  solver: string;
  items: number;
  accuracy: number;
  /** 95% interval (Wilson). */
  low: number;
  high: number;
  /** Share of outputs in which no answer was found; they count as wrong. */
  unparseableFraction: number;
  /** Share of outputs that the strict and the lenient parser read differently, where outputs are read. */
  parserDisagreement?: number;
  /** Sample standard deviation of the accuracy over evaluation seeds, where there are several. */
  askedSeedDeviation?: number;
  /** Page with every item, relative to the report. */
  href?: string;
  /** Its answers, relative to the run directory, and the rule that scores them. */
  file: string;
  rule: string;
}

/** A row of the accuracy table: a model with all its training seeds, and whether it differs from the first model. */
export interface Result {
  /** Without a seed. */
  model: string;
  benchmark: string;
  solver: string;
  /** One for each seed. */
  scores: Score[];
  /** Mean over seeds. */
  accuracy: number;
  low: number;
  high: number;
  /** Sample standard deviation over training seeds. */
  seedDeviation?: number;
  /** Against the first model of the table on the same questions. */
  versus?: { model: string; difference: number; low: number; high: number; p: number; verdict: Verdict };
}

export type Verdict = "better" | "worse" | "within noise";

export interface Baselines {
  benchmark: string;
  items: number;
  /** Expected accuracy of guessing: the mean of 1 / options. */
  chance: number;
  /** Accuracy of always giving the most frequent gold answer. */
  majority: number;
  majorityAnswer: string;
}

/** Loss on held-out text at the end of a training. */
export interface Perplexity {
  training: string;
  corpus: string;
  /** In nats a token. */
  loss: number;
  perplexity: number;
  bitsPerByte?: number;
  tokens: number;
}

/** The last measurement of every training on every validation set. */
export function perplexities({ trainings }: Pick<ReportData, "trainings">): Perplexity[] {
  return trainings.flatMap(({ name, events }) => {
    const last = new Map<string, Perplexity>();
    for (const event of events)
      if (event.event === "validation-end") {
        const { name: corpus, loss, perplexity, bitsPerByte, tokens } = event;
        last.set(corpus, {
          training: name,
          corpus,
          loss,
          perplexity,
          tokens,
          ...(bitsPerByte === undefined ? {} : { bitsPerByte }),
        });
      }
    return [...last.values()];
  });
}

export interface ReportData {
  title: string;
  description: string | undefined;
  name: string;
  directory: string;
  recipeYaml: string;
  recipe: Recipe;
  provenance: Provenance;
  /** Seconds from first to last, skipped stages counted as they took when they ran. */
  seconds: number;
  stages: StageView[];
  corpora: CorpusView[];
  trainings: TrainingView[];
  scores: Score[];
  results: Result[];
  baselines: Baselines[];
  /** What the recipe claims, and what came out. */
  claims: ClaimResult[];
  /** Accuracy by tokens seen. */
  curves: Curve[];
}

/** What the report shows, gathered from a run directory and nothing else. */

import type { Drop } from "../../corpus/document.ts";
import type { CorpusManifest } from "../../corpus/shards.ts";
import type { TrainEvent } from "../../train/job.ts";
import type { Counts } from "../events.ts";
import type { Provenance } from "../provenance.ts";

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
  /** Page with every item, relative to the report. */
  href?: string;
}

export interface Baselines {
  benchmark: string;
  items: number;
  /** Expected accuracy of guessing: the mean of 1 / options. */
  chance: number;
  /** Accuracy of always giving the most frequent gold answer. */
  majority: number;
  majorityAnswer: string;
}

export interface ReportData {
  title: string;
  description: string | undefined;
  name: string;
  directory: string;
  recipeYaml: string;
  provenance: Provenance;
  /** Seconds from first to last, skipped stages counted as they took when they ran. */
  seconds: number;
  stages: StageView[];
  corpora: CorpusView[];
  trainings: TrainingView[];
  scores: Score[];
  baselines: Baselines[];
}

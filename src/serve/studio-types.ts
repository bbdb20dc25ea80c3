/** What the Studio's API answers, shared by the server and the page (which imports the types and nothing else). */
import type { ContaminationReport } from "../corpus/decontaminate.ts";
import type { CorpusManifest } from "../corpus/shards.ts";
import type { OurRow } from "../eval/leaderboard/format.ts";
import type { PublishedScore } from "../eval/leaderboard/published.ts";
import type { ItemRecord } from "../eval/record.ts";
import type { Interval } from "../eval/statistics/index.ts";
import type { Provenance } from "../run/provenance.ts";
import type { CheckpointSamples } from "../run/stages/checkpoint-samples.ts";
import type { Criterion, Flag, ReviewBody } from "./review-criteria.ts";
import type { Reviewer, ReviewSet } from "./review-database.ts";
import type { ItemMean, WinRate } from "./review-statistics.ts";
import type { IndexedItem } from "./studio-items.ts";

export interface Page<T> {
  total: number;
  offset: number;
  rows: T[];
}

// ── runs ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type StageState = "waiting" | "running" | "finished" | "skipped" | "failed" | "stopped";
export type RunState = "running" | "finished" | "failed" | "stopped";

export interface RunStage {
  id: string;
  /** Stages whose products it reads. */
  needs: string[];
  state: StageState;
  resumed: boolean;
  started?: string;
  ended?: string;
  seconds?: number;
  counts: Record<string, number>;
  /** A training that goes on: steps done and planned. */
  progress?: { done: number; total: number };
  error?: { code: string; message: string };
}

export interface RunSummary {
  name: string;
  title: string;
  description?: string;
  state: RunState;
  started?: string;
  /** Of the last event. */
  updated?: string;
  stagesDone: number;
  stagesTotal: number;
  /** Of all stages together, skipped ones as they took when they ran. */
  seconds: number;
}

export interface RunDetail extends RunSummary {
  stages: RunStage[];
  recipe: string;
  provenance?: Provenance;
  corpora: string[];
  trainings: string[];
  hasReport: boolean;
  /** Place in events.jsonl up to which this answer counts: where to follow from. */
  offset: number;
}

/** A setting that differs between two recipes; a side without it is undefined. */
export interface RecipeChange {
  key: string;
  first?: string;
  second?: string;
}

// ── training ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Columns of the same length. Long runs are thinned: each bucket of steps keeps its lowest and its highest loss. */
export interface TrainingCurve {
  run: string;
  training: string;
  state: StageState;
  parameters?: number;
  steps: number;
  stepsPlanned?: number;
  tokensPerStep?: number;
  engine?: string;
  kernels?: string;
  precision?: string;
  /** Whether points are fewer than steps. */
  thinned: boolean;
  step: number[];
  loss: number[];
  learningRate: number[];
  gradNorm: number[];
  tokensPerSecond: number[];
  /** Global sample number: the data position. */
  samples: number[];
  /** FLOP of one trained token, forward and backward; MFU = this · tokens/s / peak. */
  flopPerToken?: number;
  /** Of all devices together, where the run names ones that are known. */
  peakFlops?: number;
  validation: { name: string; step: number[]; loss: number[]; bitsPerByte: (number | null)[] }[];
  checkpoints: { step: number; seconds: number; kept: boolean }[];
  spikes: { step: number; loss: number; zScore: number; action: string }[];
  samplesGenerated: CheckpointSamples[];
}

// ── corpus ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface CorpusOverview {
  name: string;
  manifest: CorpusManifest;
  cleaning?: {
    charactersIn: number;
    charactersOut: number;
    rules: { rule: string; documents: number; removals: number; characters: number; samples: TextChange[] }[];
  };
  contamination?: ContaminationReport;
  datasheet?: string;
  /** Documents can be listed from "indexing" on, searched when "ready". */
  index: { state: "reading" | "indexing" | "ready" | "failed"; documents: number; total: number; message?: string };
}

export interface TextChange {
  id: string;
  before: string;
  after: string;
}

export interface DocumentRow {
  /** Row in the catalog: what the document is asked by. */
  number: number;
  id: string;
  title: string;
  source: string;
  kind: string;
  license: string;
  language: string;
  published: string;
  split: string;
  characters: number;
  /** Text around the first match, cut at words. */
  excerpt: string;
  /** BM25, when there was a query. */
  score?: number;
}

export interface DocumentView extends Omit<DocumentRow, "excerpt" | "score"> {
  text: string;
  url: string;
  redistributable: boolean;
  retrieved: string;
  sha256: string;
  shard: string;
  meta: Record<string, unknown>;
}

/** A run of text that both sides have, or only one of them. */
export interface DiffPart {
  kind: "same" | "removed" | "added";
  text: string;
}

export interface SourceView {
  /** Where the record lies. */
  place: string;
  parts: DiffPart[];
  /** What cleaning did, in order. */
  changes: { rule: string; count: number; characters: number }[];
}

// ── evaluation ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names one evaluation: `run/model/benchmark/label`. */
export interface EvaluationKey {
  run: string;
  model: string;
  benchmark: string;
  label: string;
}

export interface EvaluationRow extends EvaluationKey {
  /** "finished" has a summary; a running one only items so far. */
  state: "finished" | "running";
  answered: number;
  row?: OurRow;
  solver?: string;
  baseline?: { majorityClass: string; majorityAccuracy: number; chance: number };
  rules: string[];
  hasVotes: boolean;
  seconds?: number;
  subjects: { subject: string; correct: number; total: number; accuracy: number; interval: Interval }[];
  parserDisagreement?: number;
  contamination?: { items: number; contaminated: number; clean: number };
  overlap?: { tokenF1: number; rougeL: number };
  bitsPerByte?: number;
}

export interface EvaluationOverview {
  evaluations: EvaluationRow[];
  published: readonly PublishedScore[];
  /** Whether these were measured on the same sets; else they stand there for orientation only. */
  onSame: boolean;
}

export interface ItemRow extends Omit<IndexedItem, "offset"> {
  /** Line in items.jsonl. */
  number: number;
  contaminated: boolean;
}

export interface ItemDetail {
  record: ItemRecord;
  question?: string;
  context?: string;
  options: { letter: string; text: string }[];
  explanation?: string;
  contaminatedBy: string[];
}

export interface ChangedItem {
  id: string;
  subject: string;
  question: string;
  gold: string;
  first: string | null;
  second: string | null;
  firstNumber: number;
  secondNumber: number;
  change: "gained" | "lost" | "both wrong" | "both right";
}

export interface ItemComparison {
  counts: Record<ChangedItem["change"], number>;
  page: Page<ChangedItem>;
}

// ── models ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ModelEntry {
  /** "demo/finetuned", or the name that the server was given. */
  id: string;
  /** Of its newest checkpoint. */
  step?: number;
  loaded: boolean;
  advisory?: string;
  contextTokens?: number | null;
}

// ── review ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SetOverview extends ReviewSet {
  counts: { items: number; tasks: number; answers: number; done: number; drafts: number; reviewers: number };
  /** Answers that are still to be generated, and whether that is under way. */
  generating: { missing: number; active: boolean; problem?: string };
}

export interface Agreement {
  /** Krippendorff's; absent while nothing was judged twice, or all judged the same. */
  alpha?: number;
  /** Answers (or pairs) that two or more judged. */
  units: number;
}

export interface ReviewResults {
  reviews: number;
  winRates: ({ model: string } & WinRate)[];
  /** The first against the second. */
  pairs: ({ first: string; second: string } & WinRate)[];
  criteria: {
    criterion: Criterion;
    agreement: Agreement;
    models: ({ model: string } & ItemMean)[];
  }[];
  preferenceAgreement: { graded: Agreement; outcome: Agreement };
  flags: { model: string; flag: Flag; task: number; item: string; reviewer: number; comment: string }[];
  comments: { model?: string; item: string; reviewer: number; text: string }[];
}

export interface SetDetail extends SetOverview {
  reviewers: (Reviewer & { done: number; drafts: number; last: string | null })[];
  results: ReviewResults;
}

export interface ReviewExport {
  set: string;
  item: string;
  subject: string;
  prompt: string;
  reviewer: number;
  updated: string;
  shown: "first-second" | "second-first" | "single";
  /** −2: the first answer much better … 2: the second. */
  preference: number | null;
  preferred: string | null;
  answers: {
    model: string;
    text: string;
    scores: Partial<Record<Criterion, number>>;
    flags: Flag[];
    comment: string;
  }[];
  comment: string;
}

export interface PreferencePair {
  prompt: string;
  chosen: string;
  rejected: string;
  chosen_model: string;
  rejected_model: string;
  votes_chosen: number;
  votes_rejected: number;
  votes_tie: number;
  margin: number;
  set: string;
  item: string;
}

/** What a reviewer sees of their set. Nothing in it names a model. */
export interface GuestView {
  set: Pick<ReviewSet, "name" | "kind" | "instructions" | "criteria" | "closed">;
  reviewer: { name: string };
  /** In this reviewer's own order. */
  tasks: { id: number; state: "open" | "draft" | "done" }[];
}

export interface GuestTask {
  id: number;
  prompt: string;
  subject: string;
  /** What a safe answer does, or the reference: shown on demand. */
  reference: string;
  left: string;
  right: string | null;
  body: ReviewBody;
  state: "open" | "draft" | "done";
  revision: number;
}

/** From item records to the figures of `summary.json`: every share with its interval, its baseline and what it hides. */
import type { Usage } from "../providers/usage.ts";
import type { Benchmark } from "./benchmarks/benchmark.ts";
import { writtenAnswer } from "./prompts/index.ts";
import type { ItemRecord } from "./record.ts";
import { unrotateLetter } from "./scoring/rotation.ts";
import type { EvaluateSettings } from "./settings.ts";
import { solvers } from "./solvers/index.ts";
import { bootstrapInterval, type Interval, meanAndDeviation, wilsonInterval } from "./statistics/index.ts";

export interface Share {
  /** Answers counted right, over all seeds. */
  correct: number;
  total: number;
  /** Micro average: over items. */
  accuracy: number;
  /** Wilson 95% over items (seeds are averaged within an item first: they are no new questions). */
  interval: Interval;
}

export interface Score extends Share {
  /** Percentile bootstrap over items, seeded. */
  bootstrap: Interval;
  /** Mean of the subjects' accuracies. */
  macroAccuracy: number;
  /** Outputs that state no answer. They count as wrong. */
  unanswered: number;
  unansweredFraction: number;
  /** Among outputs that state an answer (the authors' "calibrated" accuracy). */
  accuracyWhenAnswered: number;
  perSeed: { seed: number; accuracy: number }[];
  seedMean: number;
  /** Sample standard deviation over seeds. */
  seedDeviation: number;
  subjects: Record<string, Share>;
}

export interface Summary {
  version: 1;
  model: { name: string; id: string };
  benchmark: {
    name: string;
    type: string;
    metric: string;
    split: string;
    splitSha256: string;
    items: number;
    splitItems: number;
    license: string;
    leaderboardSet?: string;
  };
  settings: EvaluateSettings;
  /** The headline rule; null where nothing is scored automatically. */
  rule: string | null;
  /** The headline accuracy. */
  accuracy: number | null;
  interval: Interval | null;
  /** By scoring rule. */
  scores: Record<string, Score>;
  /** Share of outputs that the two parsers read differently. */
  parserDisagreement?: number;
  baseline?: { majorityClass: string; majorityAccuracy: number; chance: number };
  /** Whether the headline's interval excludes the better of majority class and chance. */
  aboveBaseline?: boolean;
  rotation?: {
    perRotation: { rotation: number; accuracy: number }[];
    /** Share of items answered by the same option text under every rotation. */
    consistent: number;
  };
  contamination?: { items: number; contaminated: Share; clean: Share };
  overlap?: { tokenF1: number; rougeL: number };
  /** answer-log-likelihood: Σ nats / (ln 2 · Σ bytes) of the reference answers. */
  bitsPerByte?: number;
  truncatedPrompts: number;
  tokens: { prompt: number; generated: number };
  seconds: number;
  /** Paid models: requests, tokens and cost of this session (a resumed run counts what it asked itself). */
  usage?: Usage;
  /** Relative to this file. */
  items: "items.jsonl";
}

export interface SummaryInput {
  model: { name: string; id: string };
  benchmark: Benchmark;
  settings: EvaluateSettings;
  records: readonly ItemRecord[];
  /** Ids of items found in the training corpus. */
  contaminated?: ReadonlySet<string> | undefined;
  usage?: Usage | undefined;
}

export function summarize({ model, benchmark, settings, records, contaminated, usage }: SummaryInput): Summary {
  const upright = records.filter(({ rotation }) => rotation === 0);
  const scored = benchmark.metric === "accuracy";
  const rules = scored ? solvers[settings.solver].rules : [];
  const scores = Object.fromEntries(rules.map((rule) => [rule, scoreRule(upright, rule)]));
  const rule = headlineRule(rules, settings);
  const headline = rule === null ? undefined : scores[rule];
  const split = benchmark.splits[benchmark.evaluationSplit]!;
  const baseline = scored ? baselineOf(benchmark) : undefined;
  return {
    version: 1,
    model,
    benchmark: {
      name: benchmark.name,
      type: benchmark.type,
      metric: benchmark.metric,
      split: benchmark.evaluationSplit,
      splitSha256: split.sha256,
      items: benchmark.items.length,
      splitItems: split.items.length,
      license: benchmark.license,
      ...(benchmark.leaderboardSet === undefined ? {} : { leaderboardSet: benchmark.leaderboardSet }),
    },
    settings,
    rule,
    accuracy: headline?.accuracy ?? null,
    interval: headline?.interval ?? null,
    scores,
    ...(rules.includes("lenient") ? { parserDisagreement: disagreement(upright) } : {}),
    ...(baseline && headline
      ? {
          baseline,
          aboveBaseline: headline.interval.low > Math.max(baseline.majorityAccuracy, baseline.chance),
        }
      : {}),
    ...(rule !== null && settings.rotations > 0 && benchmark.answerForm === "letter"
      ? { rotation: rotationReport(benchmark, records, rule) }
      : {}),
    ...(rule !== null && contaminated ? { contamination: contaminationReport(upright, rule, contaminated) } : {}),
    ...openScores(upright),
    truncatedPrompts: records.filter(({ truncated }) => truncated).length,
    tokens: {
      prompt: sum(records.map(({ promptTokens }) => promptTokens ?? 0)),
      generated: sum(records.map(({ generatedTokens }) => generatedTokens)),
    },
    seconds: sum(records.map(({ milliseconds }) => milliseconds)) / 1000,
    ...(usage ? { usage } : {}),
    items: "items.jsonl",
  };
}

/** The first rule of a solver, unless the settings name another of its rules. */
function headlineRule(rules: readonly string[], { normalization }: EvaluateSettings): string | null {
  return rules.includes(normalization) ? normalization : (rules[0] ?? null);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);

/** Per item: the share of seeds under which it was answered right, in order of first appearance. */
export function itemAccuracies(records: readonly ItemRecord[], rule: string): Map<string, number> {
  const right = new Map<string, number[]>();
  for (const record of records) {
    const outcomes = right.get(record.id) ?? [];
    outcomes.push(record.correct[rule] ? 1 : 0);
    right.set(record.id, outcomes);
  }
  return new Map([...right].map(([id, outcomes]) => [id, mean(outcomes)]));
}

function share(records: readonly ItemRecord[], rule: string): Share {
  const perItem = itemAccuracies(records, rule);
  const accuracy = mean([...perItem.values()]);
  return {
    correct: records.filter(({ correct }) => correct[rule]).length,
    total: records.length,
    accuracy,
    interval: wilsonInterval(accuracy * perItem.size, perItem.size),
  };
}

function groupBy<K>(records: readonly ItemRecord[], key: (record: ItemRecord) => K): Map<K, ItemRecord[]> {
  const groups = new Map<K, ItemRecord[]>();
  for (const record of records) {
    const group = groups.get(key(record));
    if (group) group.push(record);
    else groups.set(key(record), [record]);
  }
  return groups;
}

function scoreRule(records: readonly ItemRecord[], rule: string): Score {
  const whole = share(records, rule);
  const unanswered = records.filter(({ predictions }) => predictions[rule] == null).length;
  const perSeed = [...groupBy(records, ({ seed }) => seed)].map(([seed, group]) => ({
    seed,
    accuracy: mean(group.map(({ correct }) => (correct[rule] ? 1 : 0))),
  }));
  const { mean: seedMean, deviation } = meanAndDeviation(perSeed.map(({ accuracy }) => accuracy));
  const bySubject = groupBy(
    records.filter(({ subject }) => subject !== undefined),
    ({ subject }) => subject!,
  );
  const subjects = Object.fromEntries([...bySubject].map(([subject, group]) => [subject, share(group, rule)]));
  const answered = records.length - unanswered;
  return {
    ...whole,
    bootstrap: bootstrapInterval([...itemAccuracies(records, rule).values()]),
    macroAccuracy: bySubject.size > 0 ? mean(Object.values(subjects).map(({ accuracy }) => accuracy)) : whole.accuracy,
    unanswered,
    unansweredFraction: records.length === 0 ? 0 : unanswered / records.length,
    accuracyWhenAnswered: answered === 0 ? 0 : whole.correct / answered,
    perSeed,
    seedMean,
    seedDeviation: deviation,
    subjects,
  };
}

/** Always answering the most frequent gold letter (or word) of these very items, and answering blindly. */
export function baselineOf(benchmark: Benchmark): { majorityClass: string; majorityAccuracy: number; chance: number } {
  const counts = new Map<string, number>();
  for (const { answer } of benchmark.items) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [letter, count] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  return {
    majorityClass: benchmark.answerForm === "word" ? writtenAnswer(benchmark, benchmark.items[0]!, letter, {}) : letter,
    majorityAccuracy: count / benchmark.items.length,
    chance: mean(benchmark.items.map(({ options }) => 1 / options.length)),
  };
}

function disagreement(records: readonly ItemRecord[]): number {
  return mean(records.map(({ predictions }) => (predictions.strict === predictions.lenient ? 0 : 1)));
}

function rotationReport(benchmark: Benchmark, records: readonly ItemRecord[], rule: string) {
  const perRotation = [...groupBy(records, ({ rotation }) => rotation)]
    .sort(([a], [b]) => a - b)
    .map(([rotation, group]) => ({ rotation, accuracy: mean(group.map(({ correct }) => (correct[rule] ? 1 : 0))) }));
  const optionCount = new Map(benchmark.items.map(({ id, options }) => [id, options.length]));
  const groups = [...groupBy(records, ({ id, seed }) => `${seed}|${id}`).values()];
  const consistent = groups.filter((group) => {
    const chosen = group.map(({ id, rotation, predictions }) => {
      const letter = predictions[rule];
      return letter == null ? -1 : unrotateLetter(letter, optionCount.get(id)!, rotation);
    });
    return chosen[0] !== -1 && chosen.every((option) => option === chosen[0]);
  }).length;
  return { perRotation, consistent: groups.length === 0 ? 0 : consistent / groups.length };
}

function contaminationReport(records: readonly ItemRecord[], rule: string, contaminated: ReadonlySet<string>) {
  const hit = records.filter(({ id }) => contaminated.has(id));
  const clean = records.filter(({ id }) => !contaminated.has(id));
  return {
    items: new Set(hit.map(({ id }) => id)).size,
    contaminated: share(hit, rule),
    clean: share(clean, rule),
  };
}

function openScores(records: readonly ItemRecord[]): Pick<Summary, "overlap" | "bitsPerByte"> {
  const overlaps = records.flatMap(({ overlap }) => (overlap ? [overlap] : []));
  const references = records.flatMap(({ logLikelihoods }) => logLikelihoods?.reference ?? []);
  return {
    ...(overlaps.length > 0
      ? {
          overlap: {
            tokenF1: mean(overlaps.map((overlap) => overlap.tokenF1)),
            rougeL: mean(overlaps.map((overlap) => overlap.rougeL)),
          },
        }
      : {}),
    ...(references.length > 0
      ? {
          bitsPerByte:
            -sum(references.map(({ logLikelihood }) => logLikelihood)) /
            (Math.LN2 * sum(references.map(({ bytes }) => bytes))),
        }
      : {}),
  };
}

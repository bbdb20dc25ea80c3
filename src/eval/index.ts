/** Evaluation: benchmarks, prompts, solvers, scoring, statistics. It knows models as `LanguageModel` and nothing more. */
export * from "./benchmarks/index.ts";
export { type Comparison, compareGroups, compareRuns, formatComparison } from "./compare.ts";
export { type ContaminationHit, findContamination, findTaught, type TaughtItem } from "./contamination.ts";
export { checkSupported, type EvaluateOptions, evaluate } from "./evaluate.ts";
export { formatLeaderboard, type Leaderboard, leaderboard } from "./leaderboard/format.ts";
export { type PublishedScore, publishedScores } from "./leaderboard/published.ts";
export * from "./prompts/index.ts";
export type { ItemRecord } from "./record.ts";
export { readRecords } from "./record-log.ts";
export {
  type EvaluateConfig,
  type EvaluateSettings,
  evaluateConfigSchema,
  settingsLabel,
  solverLabel,
} from "./settings.ts";
export { type SolverName, solverNames, solvers } from "./solvers/index.ts";
export * from "./statistics/index.ts";
export { baselineOf, type Score, type Share, type Summary, summarize } from "./summary.ts";
export { type DocumentLoss, measureTextLoss, type TextLoss } from "./text-loss.ts";

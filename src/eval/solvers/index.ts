import { chainOfThought, greedy, selfConsistency } from "./generation.ts";
import { answerLogLikelihood, optionLogLikelihood, optionTextLogLikelihood } from "./log-likelihood.ts";
import type { Solver, SolverName } from "./solver.ts";

export { isDecided, majority } from "./generation.ts";
export {
  mostSamples,
  type Normalization,
  normalizations,
  type OptionScore,
  type Solution,
  type Solver,
  type SolverName,
  solverNames,
  type Task,
} from "./solver.ts";

export const solvers: Record<SolverName, Solver> = {
  "option-log-likelihood": optionLogLikelihood,
  "option-text-log-likelihood": optionTextLogLikelihood,
  greedy,
  "chain-of-thought": chainOfThought,
  "self-consistency": selfConsistency,
  "answer-log-likelihood": answerLogLikelihood,
};

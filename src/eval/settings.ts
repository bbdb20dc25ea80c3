/** How a benchmark is asked: the part of a recipe's `evaluate` section that one evaluation needs, with the paper's defaults. */
import { z } from "zod";
import {
  answerStyle,
  answerStyles,
  chatTemplates,
  cuePlaces,
  optionsShown,
  paperSeeds,
  promptFormats,
} from "./prompts/index.ts";
import { mostSamples, normalizations, solverNames } from "./solvers/index.ts";

export const evaluateConfigSchema = z.strictObject({
  solver: z.enum(solverNames).default("option-log-likelihood"),
  /** Demonstrations before each question (the paper: 3 for 7B, 5 for 70B, 0 after finetuning). */
  shots: z.number().int().min(0).max(64).default(0),
  /** Demonstrations and samples are drawn anew for each seed; where neither is drawn, the question is asked once. */
  seeds: z.array(z.number().int().min(0)).min(1).default(paperSeeds),
  /** The paper's prompts, or those of EleutherAI's lm-evaluation-harness. */
  format: z.enum(promptFormats).default("meditron"),
  /** What stands around the prompt; `chatml` for models finetuned here, `none` for base models. */
  chat: z.enum(chatTemplates).default("none"),
  /** System message that opens a ChatML prompt. */
  system: z.string().optional(),
  /** `hidden` asks in cloze form: the options are not printed, and their texts are scored or read off. */
  options: z.enum(optionsShown).default("shown"),
  /** How answers are written. Default: the letter, or the text where options are hidden. */
  answer: z.enum(answerStyles).optional(),
  /** Between messages: whether the question ends in "The answer is:" (default), or the answer begins with it. */
  cue: z.enum(cuePlaces).optional(),
  /** option-text-log-likelihood: which score is the headline (all are reported). */
  normalization: z.enum(normalizations).default("per-byte"),
  /** Samples of self-consistency (the paper: 5). */
  samples: z.number().int().min(1).max(mostSamples).default(5),
  temperature: z.number().positive().max(5).default(0.8),
  /** Most tokens of one output; the solver's own limit when absent (16 direct, 1024 reasoned). */
  maxTokens: z.number().int().positive().optional(),
  /** Ask again with the options rotated 1..n places, to see how much their order matters. */
  rotations: z.number().int().min(0).max(8).default(0),
});

/** As written in a recipe: everything may be left out. */
export type EvaluateConfig = z.input<typeof evaluateConfigSchema>;
export type EvaluateSettings = z.output<typeof evaluateConfigSchema>;

/** How the question is put, as far as it is not the usual way: part of a folder's name and of a table's row. */
function styleLabel(settings: EvaluateSettings): string {
  const answer = answerStyle(settings);
  const usual = settings.options === "hidden" ? "text" : "letter";
  return [settings.options === "hidden" ? "cloze" : "", answer === usual ? "" : answer].filter(Boolean).join("-");
}

/** How one evaluation asks, without what stands around the prompt: comparable across models of different templates. */
export function solverLabel(settings: EvaluateSettings): string {
  return [
    settings.solver,
    styleLabel(settings),
    settings.shots > 0 ? `${settings.shots}-shot` : "",
    ...(settings.solver === "self-consistency"
      ? [
          settings.samples === 5 ? "" : `${settings.samples}-samples`,
          settings.temperature === 0.8 ? "" : `temperature-${settings.temperature}`,
        ]
      : []),
    settings.maxTokens === undefined ? "" : `${settings.maxTokens}-tokens`,
    settings.format === "meditron" ? "" : settings.format,
  ]
    .filter((part) => part !== "")
    .join("-");
}

/** Folder name of one evaluation: `greedy`, `option-log-likelihood-3-shot`, `greedy-chatml`, `greedy-chatml-cue`, ... */
export function settingsLabel(settings: EvaluateSettings): string {
  if (settings.chat === "none") return solverLabel(settings);
  return `${solverLabel(settings)}-${settings.chat}${settings.cue === "answer" ? "-cue" : ""}`;
}

/** How a benchmark is asked: the part of a recipe's `evaluate` section that one evaluation needs, with the paper's defaults. */
import { z } from "zod";
import { chatTemplates, paperSeeds, promptFormats } from "./prompts/index.ts";
import { solverNames } from "./solvers/index.ts";

export const evaluateConfigSchema = z.strictObject({
  solver: z.enum(solverNames).default("option-log-likelihood"),
  /** Demonstrations before each question (the paper: 3 for 7B, 5 for 70B, 0 after finetuning). */
  shots: z.number().int().min(0).max(64).default(0),
  /** Demonstrations are drawn anew for each seed; with 0 shots only the first is used (for sampling). */
  seeds: z.array(z.number().int().min(0)).min(1).default(paperSeeds),
  /** The paper's prompts, or those of EleutherAI's lm-evaluation-harness. */
  format: z.enum(promptFormats).default("meditron"),
  /** What stands around the prompt; `chatml` for models finetuned here, `none` for base models. */
  chat: z.enum(chatTemplates).default("none"),
  /** Samples of self-consistency (the paper: 5). */
  samples: z.number().int().min(1).max(128).default(5),
  temperature: z.number().positive().max(5).default(0.8),
  /** Most tokens of one output; the solver's own limit when absent (16 direct, 1024 reasoned). */
  maxTokens: z.number().int().positive().optional(),
  /** Ask again with the options rotated 1..n places, to see how much their order matters. */
  rotations: z.number().int().min(0).max(8).default(0),
});

/** As written in a recipe: everything may be left out. */
export type EvaluateConfig = z.input<typeof evaluateConfigSchema>;
export type EvaluateSettings = z.output<typeof evaluateConfigSchema>;

/** Folder name of one evaluation: `greedy`, `option-log-likelihood-3-shot`, `greedy-chatml`, ... */
export function settingsLabel(settings: EvaluateSettings): string {
  return [
    settings.solver,
    settings.shots > 0 ? `${settings.shots}-shot` : "",
    settings.format === "meditron" ? "" : settings.format,
    settings.chat === "none" ? "" : settings.chat,
  ]
    .filter((part) => part !== "")
    .join("-");
}

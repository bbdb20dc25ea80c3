/**
 * PubMedQA: a research question answered yes, no or maybe from the abstract without its conclusion.
 *
 * 1,000 expert-labelled items (`ori_pqal.json`), of which the 500 in `test_ground_truth.json` are the test set (276 yes,
 * 169 no, 55 maybe); 211,269 artificial ones (`ori_pqaa.json`) for finetuning. `maybe` is an answer like the others here:
 * MEDITRON's scorer could never accept it, a ceiling of 89%.
 *
 * @see Jin et al. 2019, arXiv:1909.06146
 */
import { z } from "zod";
import { DataError, readJson } from "../../core/index.ts";
import { type Benchmark, type Item, makeBenchmark, type Option, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, resolvePath, settingsOf, splitFiles } from "./common.ts";
import { defined, goldLetter, optionalText, readSplit, textField } from "./items.ts";
import type { Row } from "./rows.ts";

export const pubmedqaSchema = z.strictObject({
  type: z.literal("pubmedqa"),
  ...commonKeys,
  /** `ori_pqal.json`: cut by `testIds` into test and train. */
  labelled: z.string().optional(),
  /** `test_ground_truth.json` (an object keyed by PMID) or a list of PMIDs. */
  testIds: z.string().optional(),
  /** With the abstract (the paper's setting) or from the question alone. */
  setting: z.enum(["reasoning-required", "question-only"]).default("reasoning-required"),
});

export const yesNoMaybe: Option[] = [
  { letter: "A", text: "yes" },
  { letter: "B", text: "no" },
  { letter: "C", text: "maybe" },
];

export function parsePubmedqa(row: Row, setting: "reasoning-required" | "question-only"): Item {
  const { value } = row;
  const context = (value.context ?? {}) as { contexts?: unknown };
  const passages =
    value.CONTEXTS ?? context.contexts ?? (typeof value.context === "string" ? [value.context] : undefined);
  if (setting === "reasoning-required" && !(Array.isArray(passages) && passages.length > 0))
    throw new DataError("EVAL_BAD_RECORD", {
      message: 'no abstract under "CONTEXTS" or "context"',
      where: row.where,
      remedy: "set setting: question-only to ask without it",
    });
  return {
    id: row.key ?? optionalText(row, "pubid", "pmid", "id") ?? String(row.index),
    question: textField(row, "QUESTION", "question"),
    options: yesNoMaybe,
    answer: goldLetter(row, yesNoMaybe, undefined, value.final_decision),
    ...defined({
      context: setting === "reasoning-required" ? (passages as string[]).join("\n") : undefined,
      explanation: optionalText(row, "LONG_ANSWER", "long_answer"),
    }),
    meta: defined({ year: optionalText(row, "YEAR") }),
  };
}

export async function loadPubmedqa(config: z.infer<typeof pubmedqaSchema>, context: LoadContext): Promise<Benchmark> {
  const parse = (row: Row) => parsePubmedqa(row, config.setting);
  const splits: Record<string, Split> = {};
  if (config.labelled !== undefined) {
    const file = resolvePath(context, config.labelled);
    const testIds = config.testIds === undefined ? undefined : await readIds(resolvePath(context, config.testIds));
    if (testIds) {
      splits.train = await readSplit([file], (row) => (testIds.has(parse(row).id) ? undefined : parse(row)));
      splits.test = await readSplit([file], (row) => (testIds.has(parse(row).id) ? parse(row) : undefined));
    } else splits.test = await readSplit([file], parse);
  }
  if (config.labelled === undefined || config.path || config.train || config.validation || config.test) {
    const files = await splitFiles(config, context, {
      train: /(^|\/)(pqal_fold0\/)?train(_set)?\b.*\.(jsonl?|parquet)$/,
      validation: /(^|\/)(pqal_fold0\/)?(dev|validation)(_set)?\b.*\.(jsonl?|parquet)$/,
      test: /(^|\/)test(_set)?\.(jsonl?|parquet)$/,
    });
    for (const [split, paths] of Object.entries(files)) splits[split] = await readSplit(paths, parse);
  }
  return makeBenchmark(
    {
      name: context.name,
      type: "pubmedqa",
      family: "pubmedqa",
      answerForm: "word",
      metric: "accuracy",
      license: "MIT",
      homepage: "https://pubmedqa.github.io",
      // Only the setting with the abstract may be printed beside published numbers.
      leaderboardSet: config.setting === "reasoning-required" ? "PubMedQA" : undefined,
      evaluationSplit: config.evaluationSplit ?? "test",
      ...settingsOf(config),
    },
    splits,
  );
}

async function readIds(path: string): Promise<Set<string>> {
  const value = await readJson<unknown>(path);
  return new Set(Array.isArray(value) ? value.map(String) : Object.keys(value as object));
}

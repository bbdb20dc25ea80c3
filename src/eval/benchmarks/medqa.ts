/**
 * MedQA: questions of the United States medical licensing exam, with five options (10,178 train, 1,273 test) or four.
 *
 * Published forms: the authors' `phrases_no_exclude_*.jsonl` and GBaker's copy ({options: {"A": ...}, answer_idx, answer}),
 * bigbio's source view ({options: [{key, value}]}) and its question-answering view ({choices: [...], answer: [text]}).
 *
 * @see Jin et al. 2020, arXiv:2009.13081
 */
import { z } from "zod";
import { DataError } from "../../core/index.ts";
import { type Benchmark, type Item, makeBenchmark, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, settingsOf, splitFiles } from "./common.ts";
import { defined, goldLetter, optionalText, parseOptions, readSplit, textField } from "./items.ts";
import type { Row } from "./rows.ts";

export const medqaSchema = z.strictObject({
  type: z.literal("medqa"),
  ...commonKeys,
  /** Options per question; a row with another number is refused. */
  options: z.union([z.literal(4), z.literal(5)]).default(5),
});

export function parseMedqa(row: Row, optionCount: number): Item {
  const { value } = row;
  const options = parseOptions(row, value.options ?? value.choices);
  if (options.length !== optionCount)
    throw new DataError("EVAL_BAD_RECORD", {
      message: `${options.length} options, expected ${optionCount}`,
      where: row.where,
      remedy: `set options: ${options.length} if this is the ${options.length}-option version`,
    });
  const text = Array.isArray(value.answer) ? value.answer[0] : value.answer;
  return {
    id: optionalText(row, "id", "question_id") ?? String(row.index).padStart(4, "0"),
    question: textField(row, "question"),
    options,
    answer: goldLetter(row, options, value.answer_idx, text),
    ...defined({ subject: optionalText(row, "meta_info"), explanation: optionalText(row, "explanation", "exp") }),
    meta: {},
  };
}

export async function loadMedqa(config: z.infer<typeof medqaSchema>, context: LoadContext): Promise<Benchmark> {
  const files = await splitFiles(config, context, {
    train: /(^|[/_])train\b.*\.(jsonl|json|parquet)$/,
    validation: /(^|[/_])(dev|valid|validation)\b.*\.(jsonl|json|parquet)$/,
    test: /(^|[/_])test\b.*\.(jsonl|json|parquet)$/,
  });
  const splits: Record<string, Split> = {};
  for (const [split, paths] of Object.entries(files))
    splits[split] = await readSplit(paths, (row) => parseMedqa(row, config.options));
  return makeBenchmark(
    {
      name: context.name,
      type: "medqa",
      family: "medqa",
      answerForm: "letter",
      metric: "accuracy",
      license: "MIT",
      homepage: "https://github.com/jind11/MedQA",
      leaderboardSet: config.options === 5 ? "MedQA" : "MedQA-4",
      evaluationSplit: config.evaluationSplit ?? "test",
      ...settingsOf(config),
    },
    splits,
  );
}

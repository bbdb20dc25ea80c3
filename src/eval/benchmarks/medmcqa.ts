/**
 * MedMCQA: 182,822 training and 4,183 validation questions of Indian medical entrance exams, four options; the test split has
 * no keys, so everyone scores the validation split.
 *
 * `cop` counts from 1 in the authors' files and from 0 on the Hugging Face hub; which one a file uses is told by its values.
 *
 * @see Pal et al. 2022, CHIL
 */
import { z } from "zod";
import { DataError } from "../../core/index.ts";
import { type Benchmark, type Item, makeBenchmark, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, settingsOf, splitFiles } from "./common.ts";
import { defined, goldIndex, optionalText, parseOptions, readSplit, textField } from "./items.ts";
import { type Row, readRows } from "./rows.ts";

export const medmcqaSchema = z.strictObject({
  type: z.literal("medmcqa"),
  ...commonKeys,
  /** Where `cop` starts, for a file too small to tell. */
  answersFrom: z.union([z.literal(0), z.literal(1)]).optional(),
});

export function parseMedmcqa(row: Row, first: number): Item {
  const { value } = row;
  const options = parseOptions(
    row,
    ["opa", "opb", "opc", "opd"].map((name) => optionalText(row, name) ?? ""),
  );
  const cop = answerIndex(value.cop);
  // An explanation that says nothing is none: SPEC 1f drops those rows from finetuning.
  const explanation = optionalText(row, "exp");
  return {
    id: textField(row, "id"),
    question: textField(row, "question"),
    options,
    answer: goldIndex(row, options, cop !== undefined && cop >= 0 ? cop - first : value.cop),
    ...defined({
      subject: optionalText(row, "subject_name"),
      explanation: explanation && !/^none\.?$/i.test(explanation.trim()) ? explanation : undefined,
    }),
    meta: defined({ topic: optionalText(row, "topic_name"), choiceType: optionalText(row, "choice_type") }),
  };
}

/** A number, or the text of one (CSV). */
function answerIndex(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+$/.test(value.trim()) ? Number(value) : undefined;
}

/** 0 or 1: where the answer index of this file starts. */
async function firstIndex(files: string[], set?: 0 | 1): Promise<number> {
  if (set !== undefined) return set;
  for (const file of files)
    for await (const { value } of readRows(file)) {
      const cop = answerIndex(value.cop);
      if (cop === 0 || cop === -1) return 0;
      if (cop === 4) return 1;
    }
  throw new DataError("EVAL_AMBIGUOUS_ANSWER", {
    message: "cannot tell whether `cop` counts from 0 (hub) or from 1 (authors' files): neither 0 nor 4 occurs",
    where: files.join(", "),
    remedy: "set answersFrom: 0 or answersFrom: 1",
  });
}

export async function loadMedmcqa(config: z.infer<typeof medmcqaSchema>, context: LoadContext): Promise<Benchmark> {
  const files = await splitFiles(config, context, {
    train: /(^|\/)train\b.*\.(jsonl|json|csv|parquet)$/,
    validation: /(^|\/)(dev|validation)\b.*\.(jsonl|json|csv|parquet)$/,
  });
  const splits: Record<string, Split> = {};
  for (const [split, paths] of Object.entries(files)) {
    const first = await firstIndex(paths, config.answersFrom);
    splits[split] = await readSplit(paths, (row) => parseMedmcqa(row, first));
  }
  return makeBenchmark(
    {
      name: context.name,
      type: "medmcqa",
      family: "medmcqa",
      answerForm: "letter",
      metric: "accuracy",
      license: "Apache-2.0",
      homepage: "https://medmcqa.github.io",
      leaderboardSet: "MedMCQA",
      evaluationSplit: config.evaluationSplit ?? "validation",
      ...settingsOf(config),
    },
    splits,
  );
}

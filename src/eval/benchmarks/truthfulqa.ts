/**
 * TruthfulQA, the four categories MEDITRON reports: Health 55, Nutrition 16, Psychology 19, Science 9.
 *
 * Each item becomes four options: the true answer and three false ones, drawn without replacement and shuffled by a hash of
 * the question, so that every run and every model sees the same letters (MEDITRON drew anew each time, with replacement).
 *
 * @see Lin et al. 2021, arXiv:2109.07958
 */
import { z } from "zod";
import { DataError, hashFraction, sha256 } from "../../core/index.ts";
import { type Benchmark, type Item, letterOf, makeBenchmark } from "./benchmark.ts";
import { commonKeys, type LoadContext, resolvePath, settingsOf, splitFiles } from "./common.ts";
import { defined, optionalText, readSplit, textField } from "./items.ts";
import { type Row, readRows } from "./rows.ts";

export const truthfulCategories = ["Health", "Nutrition", "Psychology", "Science"] as const;

export const truthfulqaSchema = z.strictObject({
  type: z.literal("truthfulqa"),
  ...commonKeys,
  categories: z.union([z.literal("all"), z.array(z.string()).min(1)]).default([...truthfulCategories]),
  /** `TruthfulQA.csv`, for the multiple-choice files, which do not say their categories. */
  categoryFile: z.string().optional(),
  wrongOptions: z.number().int().min(1).max(12).default(3),
  seed: z.number().int().min(0).default(1234),
});
type Config = z.infer<typeof truthfulqaSchema>;

export async function loadTruthfulqa(config: Config, context: LoadContext): Promise<Benchmark> {
  const files = await splitFiles(config, context, {
    validation: /(TruthfulQA.*\.csv|mc_task\.json|(validation|test)\b.*\.(jsonl?|parquet))$/,
  });
  const paths = files.validation ?? files.test ?? [];
  const categories = new Map<string, string>();
  if (config.categoryFile !== undefined)
    for await (const row of readRows(resolvePath(context, config.categoryFile)))
      categories.set(textField(row, "Question", "question").trim(), textField(row, "Category", "category"));
  const split = await readSplit(paths, (row) => parseTruthfulqa(row, config, categories));
  return makeBenchmark(
    {
      name: context.name,
      type: "truthfulqa",
      family: "truthfulqa",
      answerForm: "letter",
      metric: "accuracy",
      license: "Apache-2.0",
      homepage: "https://github.com/sylinrl/TruthfulQA",
      leaderboardSet: config.categories === "all" ? undefined : "TruthfulQA",
      evaluationSplit: "validation",
      ...settingsOf(config),
    },
    { validation: split },
  );
}

export function parseTruthfulqa(row: Row, config: Config, categories: Map<string, string>): Item | undefined {
  const question = textField(row, "Question", "question").trim();
  const category = optionalText(row, "Category", "category") ?? categories.get(question);
  if (config.categories !== "all") {
    if (category === undefined)
      throw new DataError("EVAL_BAD_RECORD", {
        message: "no category for this question",
        where: row.where,
        remedy: "name TruthfulQA.csv as categoryFile, or set categories: all",
      });
    if (!config.categories.includes(category)) return undefined;
  }
  const { right, wrong } = answersOf(row);
  const byHash = (label: string) => (text: string) => hashFraction(`${config.seed}|${label}|${question}|${text}`);
  const drawn = sortBy(wrong, byHash("draw")).slice(0, config.wrongOptions);
  const texts = sortBy([right, ...drawn], byHash("order"));
  return {
    id: sha256(question).slice(0, 16),
    question,
    options: texts.map((text, index) => ({ letter: letterOf(index), text })),
    answer: letterOf(texts.indexOf(right)),
    ...defined({ subject: category }),
    meta: {},
  };
}

const sortBy = (texts: string[], key: (text: string) => number): string[] =>
  texts
    .map((text) => ({ text, key: key(text) }))
    .sort((a, b) => a.key - b.key)
    .map(({ text }) => text);

/** The true answer and the distinct false ones, from the CSV, the generation view or either multiple-choice view. */
function answersOf(row: Row): { right: string; wrong: string[] } {
  const { value } = row;
  let right: string | undefined;
  let wrong: string[] = [];
  const targets = value.mc1_targets;
  if (targets !== null && typeof targets === "object") {
    const { choices, labels } = targets as { choices?: string[]; labels?: number[] };
    const pairs: [string, number][] =
      choices && labels ? choices.map((text, i) => [text, labels[i] ?? 0]) : Object.entries(targets as object);
    right = pairs.find(([, label]) => label === 1)?.[0];
    wrong = pairs.filter(([, label]) => label !== 1).map(([text]) => text);
  } else {
    right = optionalText(row, "Best Answer", "best_answer");
    const listed = value["Incorrect Answers"] ?? value.incorrect_answers;
    wrong = Array.isArray(listed) ? listed.map(String) : String(listed ?? "").split(";");
  }
  wrong = [...new Set(wrong.map((text) => text.trim()))].filter((text) => text !== "" && text !== right);
  if (right === undefined)
    throw new DataError("EVAL_MISSING_GOLD", {
      message: "no true answer",
      where: row.where,
      remedy: 'expected "Best Answer", or mc1_targets with one label 1',
    });
  if (wrong.length === 0)
    throw new DataError("EVAL_BAD_RECORD", {
      message: "no false answer to offer beside the true one",
      where: row.where,
      remedy: 'expected "Incorrect Answers", or mc1_targets with labels 0',
    });
  return { right, wrong };
}

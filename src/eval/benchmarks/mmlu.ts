/**
 * MMLU: four-option questions of 57 subjects. MMLU-Medical is nine of them, 1,871 test items.
 *
 * MEDITRON's tables are over 1,862: its hub copy takes the first row of every subject for a header. `paperSubset: true`
 * leaves those nine rows out, for comparison with the paper only.
 *
 * Published forms: the authors' `test/<subject>_test.csv` without header; copies with one; the hub's Parquet
 * ({question, subject, choices, answer: 0-3} or {input, A, B, C, D, target}).
 *
 * @see Hendrycks et al. 2021, arXiv:2009.03300
 */
import { basename, dirname } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../core/index.ts";
import { type Benchmark, type Item, makeBenchmark, type Split, type SplitName } from "./benchmark.ts";
import { commonKeys, type LoadContext, settingsOf, splitFiles } from "./common.ts";
import { goldIndex, goldLetter, optionalText, parseOptions, readSplit, textField } from "./items.ts";
import type { Row } from "./rows.ts";

/** The nine subjects of MMLU-Medical with their true test sizes. */
export const medicalSubjects = {
  anatomy: 135,
  clinical_knowledge: 265,
  college_biology: 144,
  college_medicine: 173,
  high_school_biology: 310,
  medical_genetics: 100,
  nutrition: 306,
  professional_medicine: 272,
  virology: 166,
} as const;

export const mmluSchema = z.strictObject({
  type: z.literal("mmlu"),
  ...commonKeys,
  /** `medical` (the nine), `all` that the files hold, `non-medical`, or a list. */
  subjects: z.union([z.enum(["medical", "non-medical", "all"]), z.array(z.string()).min(1)]).default("medical"),
  /** Leave out the first row of each subject, as the paper's 1,862 items do. */
  paperSubset: z.boolean().default(false),
});

const subjectOfFile = (file: string): string =>
  /^(test|train|dev|val|validation|auxiliary_train)\b/.test(basename(file))
    ? basename(dirname(file))
    : basename(file).replace(/(_(test|dev|val))?\.(csv|jsonl?|parquet)(\.gz|\.zst)?$/, "");

export function parseMmlu(row: Row, subject: string, number: number): Item {
  const { value } = row;
  const lettered = value.A !== undefined;
  const options = parseOptions(
    row,
    value.choices ??
      (lettered ? ["A", "B", "C", "D"] : ["choice0", "choice1", "choice2", "choice3"]).map((name) => value[name]),
  );
  const answer = value.answer ?? value.target;
  const isIndex = typeof answer === "number" || (typeof answer === "string" && /^\d$/.test(answer.trim()));
  return {
    id: `${subject}-${String(number).padStart(3, "0")}`,
    question: textField(row, "question", "input"),
    options,
    answer: isIndex ? goldIndex(row, options, answer) : goldLetter(row, options, answer),
    subject,
    meta: {},
  };
}

const columns = ["question", "A", "B", "C", "D", "answer"];
/** A header only when it is one word for word: the paper lost nine questions to a reader that guessed. */
const isHeader = ({ value }: Row): boolean =>
  value.question === "question" && (value.answer === "answer" || value.answer === "target");

export async function loadMmlu(config: z.infer<typeof mmluSchema>, context: LoadContext): Promise<Benchmark> {
  const found = await splitFiles(config, context, {
    test: /(^|\/)([a-z_]+_test\.csv|test\b.*\.(parquet|jsonl?))$/,
    validation: /(^|\/)([a-z_]+_val\.csv|validation\b.*\.(parquet|jsonl?))$/,
    train: /(^|\/)([a-z_]+_dev\.csv|dev\b.*\.(parquet|jsonl?))$/,
  });
  const wanted = (subject: string): boolean =>
    config.subjects === "all" ||
    (config.subjects === "medical"
      ? subject in medicalSubjects
      : config.subjects === "non-medical"
        ? !(subject in medicalSubjects)
        : config.subjects.includes(subject));
  const splits: Partial<Record<SplitName, Split>> = {};
  for (const [split, files] of Object.entries(found) as [SplitName, string[]][]) {
    const numbers = new Map<string, number>();
    // Files of one subject each are chosen by name, so that a demo of four subjects reads four files.
    const chosen = files.filter((file) => !file.endsWith(".csv") || wanted(subjectOfFile(file)));
    if (chosen.length === 0) continue;
    splits[split] = await readSplit(
      chosen,
      (row, file) => {
        const subject = optionalText(row, "subject", "subset") ?? subjectOfFile(file);
        const number = numbers.get(subject) ?? 0;
        numbers.set(subject, number + 1);
        if (!wanted(subject) || (config.paperSubset && split === "test" && number === 0)) return undefined;
        return parseMmlu(row, subject, number);
      },
      { columns, skip: isHeader },
    );
  }
  const present = new Set(Object.values(splits).flatMap(({ items }) => items.map(({ subject }) => subject)));
  const absent = Array.isArray(config.subjects) ? config.subjects.filter((subject) => !present.has(subject)) : [];
  if (absent.length > 0)
    throw new ConfigError("EVAL_NO_SUBJECT", {
      message: `no file holds the subject ${absent.join(", ")}`,
      where: `benchmarks.${context.name}.subjects`,
      remedy: `the files hold: ${[...present].join(", ") || "other subjects"}`,
    });
  return makeBenchmark(
    {
      name: context.name,
      type: "mmlu",
      family: "medmcqa",
      answerForm: "letter",
      metric: "accuracy",
      license: "MIT",
      homepage: "https://github.com/hendrycks/test",
      leaderboardSet: config.subjects === "medical" ? "MMLU-Medical" : undefined,
      evaluationSplit: config.evaluationSplit ?? "test",
      ...settingsOf(config),
    },
    splits,
  );
}

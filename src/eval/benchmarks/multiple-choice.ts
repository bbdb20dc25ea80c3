/**
 * The plain shape of our own: JSON Lines of
 *   {"id": "q1", "question": "...", "options": {"A": "...", "B": "..."}, "answer": "B", "explanation": "...", "subject": "..."}
 * `context` (text to read first) is optional, as are explanation and subject. Any other field is kept beside the item, so that
 * results can be told apart by it.
 */
import { z } from "zod";
import { type Benchmark, type Item, makeBenchmark, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, settingsOf, splitFiles } from "./common.ts";
import { defined, goldLetter, optionalText, parseOptions, readSplit, textField } from "./items.ts";
import type { Row } from "./rows.ts";

export const multipleChoiceSchema = z.strictObject({
  type: z.literal("multiple-choice"),
  ...commonKeys,
  license: z.string().default("unknown"),
});

export function parsePlain(row: Row): Item {
  const options = parseOptions(row, row.value.options);
  return {
    id: textField(row, "id"),
    question: textField(row, "question"),
    options,
    answer: goldLetter(row, options, row.value.answer),
    ...defined({
      context: optionalText(row, "context"),
      subject: optionalText(row, "subject"),
      explanation: optionalText(row, "explanation"),
    }),
    meta: { ...others(row.value), ...(row.value.meta as Record<string, unknown> | undefined) },
  };
}

const KNOWN = new Set(["id", "question", "options", "answer", "context", "subject", "explanation", "meta"]);
const others = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !KNOWN.has(name)));

export async function loadMultipleChoice(
  config: z.infer<typeof multipleChoiceSchema>,
  context: LoadContext,
): Promise<Benchmark> {
  const files = await splitFiles(config, context, {
    train: /(^|\/)train\.jsonl?$/,
    validation: /(^|\/)(validation|dev)\.jsonl?$/,
    test: /(^|\/)test\.jsonl?$/,
  });
  const splits: Record<string, Split> = {};
  for (const [split, paths] of Object.entries(files)) splits[split] = await readSplit(paths, parsePlain);
  return makeBenchmark(
    {
      name: context.name,
      type: "multiple-choice",
      family: "multiple-choice",
      answerForm: "letter",
      metric: "accuracy",
      license: config.license,
      homepage: "",
      evaluationSplit: config.evaluationSplit ?? "test",
      ...settingsOf(config),
    },
    splits,
  );
}

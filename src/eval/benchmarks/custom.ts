/**
 * Any benchmark: a file of records and a mapping of its fields, in the recipe or in a YAML of its own.
 *
 *   type: custom
 *   test: questions.csv
 *   fields: { id: no, question: stem, options: [opt1, opt2, opt3], answer: key }
 *   answerIs: letter            # or index (from 0), number (from 1), text
 *
 * `labels: [yes, no]` gives fixed options that are answered by their words. Without options and labels the questions are open
 * and `answer` is the reference text.
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { ConfigError, fromSystemError } from "../../core/index.ts";
import { type Benchmark, type Item, letterOf, makeBenchmark, type Option, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, resolvePath, settingsOf, splitFiles } from "./common.ts";
import { defined, goldIndex, goldLetter, optionalText, parseOptions, readSplit, textField } from "./items.ts";
import type { Row } from "./rows.ts";

const definitionKeys = {
  ...commonKeys,
  license: z.string().default("unknown"),
  homepage: z.string().default(""),
  /** Dotted key of the list inside a JSON file. */
  records: z.string().optional(),
  /** Column names of a CSV without a header line. */
  columns: z.array(z.string()).optional(),
  fields: z
    .strictObject({
      id: z.string().default("id"),
      question: z.string().default("question"),
      options: z.union([z.string(), z.array(z.string()).min(2)]).default("options"),
      answer: z.string().default("answer"),
      context: z.string().default("context"),
      subject: z.string().default("subject"),
      explanation: z.string().default("explanation"),
    })
    .prefault({}),
  answerIs: z.enum(["letter", "index", "number", "text"]).default("letter"),
  /** Fixed options answered by their words. */
  labels: z.array(z.string()).min(2).optional(),
  open: z.boolean().default(false),
};

export const customSchema = z.union([
  z.strictObject({ type: z.literal("custom"), ...definitionKeys }),
  /** The same keys in a YAML of their own; paths in it start at its folder. */
  z.strictObject({ type: z.literal("custom"), definition: z.string(), limit: commonKeys.limit }),
]);
const definitionSchema = z.strictObject({ type: z.literal("custom").default("custom"), ...definitionKeys });
type Definition = z.infer<typeof definitionSchema>;

export async function loadCustom(config: z.infer<typeof customSchema>, context: LoadContext): Promise<Benchmark> {
  if (!("definition" in config)) return loadDefinition(config, context);
  const file = resolvePath(context, config.definition);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fromSystemError(error, file, "reading a benchmark definition");
  }
  const parsed = definitionSchema.safeParse(parseYaml(text));
  if (!parsed.success)
    throw new ConfigError("EVAL_BAD_DEFINITION", {
      message: z.prettifyError(parsed.error),
      where: file,
      remedy: "see docs/guide: a custom benchmark needs a file per split and the names of its fields",
    });
  const definition = config.limit === undefined ? parsed.data : { ...parsed.data, limit: config.limit };
  return loadDefinition(definition, { ...context, directory: dirname(file) });
}

async function loadDefinition(definition: Definition, context: LoadContext): Promise<Benchmark> {
  const files = await splitFiles(definition, context, {});
  const splits: Record<string, Split> = {};
  for (const [split, paths] of Object.entries(files))
    splits[split] = await readSplit(
      paths,
      (row) => parseCustom(row, definition),
      defined({ records: definition.records, columns: definition.columns }),
    );
  return makeBenchmark(
    {
      name: context.name,
      type: "custom",
      family: definition.open ? "open" : definition.labels ? "pubmedqa" : "multiple-choice",
      answerForm: definition.open ? "open" : definition.labels ? "word" : "letter",
      metric: definition.open ? "overlap" : "accuracy",
      license: definition.license,
      homepage: definition.homepage,
      evaluationSplit: definition.evaluationSplit ?? "test",
      ...settingsOf(definition),
    },
    splits,
  );
}

export function parseCustom(row: Row, { fields, answerIs, labels, open }: Definition): Item {
  const answer = row.value[fields.answer];
  let options: Option[] = [];
  if (labels) options = labels.map((text, index) => ({ letter: letterOf(index), text }));
  else if (!open)
    options = parseOptions(
      row,
      Array.isArray(fields.options)
        ? fields.options.map((name) => optionalText(row, name) ?? "")
        : row.value[fields.options],
    );
  const gold = () => {
    if (open) return textField(row, fields.answer);
    if (answerIs === "index") return goldIndex(row, options, answer);
    if (answerIs === "number") return goldIndex(row, options, answer, 1);
    return answerIs === "letter" && !labels
      ? goldLetter(row, options, answer)
      : goldLetter(row, options, undefined, answer);
  };
  return {
    id: row.key ?? optionalText(row, fields.id) ?? String(row.index),
    question: textField(row, fields.question),
    options,
    answer: gold(),
    ...defined({
      context: optionalText(row, fields.context),
      subject: optionalText(row, fields.subject),
      explanation: optionalText(row, fields.explanation),
    }),
    meta: {},
  };
}

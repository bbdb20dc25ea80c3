import { resolve } from "node:path";
import type { z } from "zod";
import { formatPercent } from "../../core/index.ts";
import {
  benchmarkConfigSchema,
  evaluateConfigSchema,
  loadBenchmark,
  type Summary,
  settingsLabel,
  solverNames,
} from "../../eval/index.ts";
import { loadEmbedded } from "../../providers/embedded.ts";
import { check, problemsError } from "../../run/problems.ts";
import { evaluateWithProgress } from "../../run/stages/evaluation.ts";
import { renderTable } from "../../run/table.ts";
import { type Command, UsageError } from "../command.ts";

export const evaluation: Command = {
  name: "eval",
  summary: "ask a model the questions of a benchmark and score its answers",
  description: [
    "Writes items.jsonl (prompt, output, answer, gold of every item) and summary.json below --out, and prints the accuracy with",
    "its 95% interval beside guessing and the most frequent answer. Run again, it asks only what is missing.",
  ].join("\n"),
  options: {
    model: { type: "path", required: true, description: "a Hugging Face model directory" },
    benchmark: { type: "path", required: true, description: "file with the questions, or the benchmark's folder" },
    type: {
      type: "text",
      description: "what the file is: multiple-choice, medqa, medmcqa, pubmedqa, mmlu ...",
      default: "multiple-choice",
    },
    train: { type: "path", description: "file with training questions, for demonstrations" },
    solver: {
      type: "text",
      multiple: true,
      description: `how to ask: ${solverNames.join(", ")} (default option-log-likelihood)`,
    },
    shots: { type: "count", value: "n", description: "demonstrations before each question", default: 0 },
    chat: {
      type: "text",
      description: "what stands around the prompt: none, chatml (finetuned here) ...",
      default: "none",
    },
    limit: { type: "count", value: "items", description: "ask only so many items, spread over the file" },
    out: { type: "path", description: "folder for items and summary", default: "eval" },
    "dry-run": { type: "flag", description: "read and check the benchmark; ask nothing" },
  },
  examples: [
    {
      command: "meditron eval --model runs/demo/train/continued/checkpoints/step-0000800 --benchmark questions.jsonl",
      does: "which option does the model find most likely?",
    },
    {
      command: "meditron eval --model my-model --benchmark medqa/ --type medqa --solver greedy --shots 3",
      does: "let it write, after three worked examples",
    },
  ],
  async run({ values, signal }) {
    const type = values.text("type")!;
    const file = resolve(values.text("benchmark")!);
    const isFile = /\.(jsonl?|csv|parquet)(\.gz|\.zst)?$/.test(file);
    const train = values.text("train");
    const limit = values.number("limit");
    const config = checked("--type, --benchmark", benchmarkConfigSchema, {
      type,
      ...(isFile ? { test: file } : { path: file }),
      ...(isFile ? { evaluationSplit: "test" } : {}),
      ...(train ? { train: resolve(train) } : {}),
      ...(limit ? { limit } : {}),
    });
    const benchmark = await loadBenchmark(config, { name: type, directory: process.cwd() });
    const solvers = values.list("solver").length > 0 ? values.list("solver") : ["option-log-likelihood"];
    const asked = solvers.map((solver) =>
      checked("--solver, --chat, --shots", evaluateConfigSchema, {
        solver,
        shots: values.number("shots"),
        chat: values.text("chat"),
      }),
    );
    const json = values.flag("json");
    if (values.flag("dry-run")) {
      const splits = Object.entries(benchmark.splits).map(([name, split]) => `${name} ${split.items.length}`);
      process.stdout.write(
        json
          ? `${JSON.stringify({ items: benchmark.items.length, splits: Object.keys(benchmark.splits) })}\n`
          : `${benchmark.items.length} items would be asked by ${solvers.join(", ")} (splits: ${splits.join(", ")})\n`,
      );
      return;
    }
    const model = await loadEmbedded({ directory: resolve(values.text("model")!) });
    const summaries: Summary[] = [];
    try {
      for (const settings of asked)
        summaries.push(
          await evaluateWithProgress(model, benchmark, {
            ...settings,
            directory: resolve(values.text("out")!),
            signal,
          }),
        );
    } finally {
      await model.close();
    }
    process.stdout.write(json ? `${JSON.stringify(summaries)}\n` : `${table(summaries)}\n`);
  },
};

/** Options that together make a setting of a recipe, checked by the same grammar. */
function checked<T extends z.ZodType>(what: string, schema: T, value: Record<string, unknown>): z.output<T> {
  const { value: parsed, problems } = check(schema, value);
  if (parsed !== undefined) return parsed;
  const { message } = problemsError(
    "CLI_USAGE",
    what,
    problems.map((problem) => ({ ...problem, place: what })),
  );
  throw new UsageError("CLI_USAGE", { message, where: "meditron eval", remedy: "meditron eval --help" });
}

function table(summaries: Summary[]): string {
  const rows = summaries.flatMap(({ settings, scores, baseline, rule }) => {
    const score = rule === null ? undefined : scores[rule];
    if (!score) return [[settingsLabel(evaluateConfigSchema.parse(settings)), "not scored automatically", "", "", ""]];
    return [
      [
        settingsLabel(evaluateConfigSchema.parse(settings)),
        formatPercent(score.accuracy),
        `${formatPercent(score.interval.low)} – ${formatPercent(score.interval.high)}`,
        baseline ? formatPercent(baseline.chance) : "",
        baseline ? `${formatPercent(baseline.majorityAccuracy)} (${baseline.majorityClass})` : "",
      ],
    ];
  });
  return renderTable(
    [
      { title: "solver" },
      { title: "accuracy", align: "right" },
      { title: "95% interval", align: "right" },
      { title: "guessing", align: "right" },
      { title: "most frequent answer", align: "right" },
    ],
    rows,
  );
}

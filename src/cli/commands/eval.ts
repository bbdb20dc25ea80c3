/** `meditron eval`: models of any kind on one benchmark, without a recipe. */
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import type { z } from "zod";
import { exists, formatPercent, readJson } from "../../core/index.ts";
import { readShards } from "../../corpus/index.ts";
import {
  type Benchmark,
  benchmarkConfigSchema,
  type Comparison,
  compareGroups,
  evaluateConfigSchema,
  findContamination,
  formatComparison,
  formatLeaderboard,
  type ItemRecord,
  loadBenchmark,
  readRecords,
  type Summary,
  settingsLabel,
  solverNames,
  taughtChat,
} from "../../eval/index.ts";
import { type ModelConfig, openModel } from "../../providers/index.ts";
import { override } from "../../run/load-recipe.ts";
import { runOf } from "../../run/model-card.ts";
import { check, problemsError } from "../../run/problems.ts";
import type { Recipe } from "../../run/recipe.ts";
import { evaluateWithProgress, finetuningOf } from "../../run/stages/evaluation.ts";
import { type Command, UsageError, type Values } from "../command.ts";

export const evaluation: Command = {
  name: "eval",
  summary: "ask a model the questions of a benchmark and score its answers",
  description: [
    "Writes items.jsonl (prompt, output, answer, gold of every item) and summary.json below --out, and prints the accuracy with",
    "its 95% interval beside the most frequent answer and what others have published. Run again, it asks only what is missing.",
    "Several models are compared in pairs on the same items, with a correction for their number.",
  ].join("\n"),
  options: {
    model: {
      type: "path",
      required: true,
      multiple: true,
      description:
        "a Hugging Face directory, a .gguf file, or an endpoint as http://host:8000/v1#model; name=... names it",
    },
    benchmark: {
      type: "path",
      description: "file with the questions, the benchmark's folder, or a YAML that describes one",
    },
    type: {
      type: "text",
      description: "what the file is: multiple-choice, medqa, medmcqa, pubmedqa, mmlu ...; safety is built in",
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
      description:
        "what stands around the prompt: none, chatml ... (default: as a checkpoint finetuned here was taught, else none)",
    },
    limit: { type: "count", value: "items", description: "ask only so many items, spread over the file" },
    set: {
      type: "text",
      value: "key=value",
      multiple: true,
      description:
        "any other setting: ask.options=hidden, ask.rotations=3, benchmark.options=4, endpoint.concurrency=4",
    },
    corpus: {
      type: "path",
      multiple: true,
      description: "a corpus that the models were trained on: accuracy also without the items that it holds",
    },
    cache: { type: "path", description: "folder where answers are kept for later runs, by model, item and settings" },
    out: { type: "path", description: "folder for items and summary", default: "eval" },
    "dry-run": { type: "flag", description: "read and check the benchmark; ask nothing" },
  },
  examples: [
    {
      command: "meditron eval --model runs/demo/train/continued/checkpoints/step-0000800 --benchmark questions.jsonl",
      does: "which option does the model find most likely?",
    },
    {
      command:
        "meditron eval --model base=my-model --model http://127.0.0.1:8000/v1#big --benchmark medqa/ --type medqa --solver greedy --shots 3",
      does: "let two models write, after three worked examples, and compare them",
    },
  ],
  async run({ values, signal }) {
    const set = overrides(values.list("set"));
    const benchmark = await readBenchmark(values, set.benchmark);
    const solvers = values.list("solver").length > 0 ? values.list("solver") : ["option-log-likelihood"];
    const chosen = values.text("chat");
    const ownStyle = ["options", "answer", "cue"].some((key) => key in set.ask);
    const askedAs = ({ chat, style }: Taught) =>
      solvers.map((solver) =>
        checked("--solver, --chat, --shots, --set ask", evaluateConfigSchema, {
          solver,
          shots: values.number("shots"),
          ...(chosen === undefined ? chat : { chat: chosen }),
          ...(ownStyle ? {} : style),
          ...set.ask,
        }),
      );
    askedAs({}); // a mistake is said before anything is read
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
    const contaminated = await contaminatedItems(benchmark, values.list("corpus"));
    const models = modelsOf(values, set.endpoint);
    const out = resolve(values.text("out")!);
    const cache = values.text("cache");
    const summaries: Summary[] = [];
    const runs = solvers.map(() => [] as { name: string; records: ItemRecord[]; rule: string }[]);
    for (const [name, config] of models) {
      const directory = models.size > 1 ? join(out, name.replaceAll("/", "_")) : out;
      const model = await openModel(config, { name, signal });
      try {
        for (const [i, settings] of askedAs(await taughtTo(config)).entries()) {
          const summary = await evaluateWithProgress(model, benchmark, {
            ...settings,
            directory,
            signal,
            ...(cache ? { cache: resolve(cache) } : {}),
            ...(contaminated ? { contaminated } : {}),
          });
          summaries.push(summary);
          const { records } = await readRecords<ItemRecord>(join(directory, settingsLabel(settings), "items.jsonl"));
          if (summary.rule !== null) runs[i]!.push({ name, records, rule: summary.rule });
        }
      } finally {
        await model.close();
      }
    }
    const comparisons = compareGroups(runs);
    process.stdout.write(
      json ? `${JSON.stringify({ summaries, comparisons })}\n` : `${text(summaries, comparisons, out)}\n`,
    );
  },
};

/** `--set ask.rotations=3` and the like, by section. */
function overrides(assignments: string[]) {
  const sections: Record<string, Record<string, unknown>> = { ask: {}, benchmark: {}, endpoint: {} };
  for (const assignment of assignments) override(sections, assignment);
  const unknown = Object.keys(sections).find((name) => !["ask", "benchmark", "endpoint"].includes(name));
  if (unknown !== undefined)
    throw new UsageError("CLI_USAGE", {
      message: `--set ${unknown}...: settings are those of ask, benchmark or endpoint`,
      where: "meditron eval",
      remedy: "for example --set ask.rotations=3 --set benchmark.options=4",
    });
  return sections as { ask: object; benchmark: object; endpoint: object };
}

async function readBenchmark(values: Values, set: object): Promise<Benchmark> {
  const given = values.text("benchmark");
  if (given === undefined && values.text("type") !== "safety")
    throw new UsageError("CLI_USAGE", {
      message: "--benchmark is missing: file with the questions, or the benchmark's folder",
      where: "meditron eval",
      remedy: "meditron eval --help",
    });
  const file = resolve(given ?? "");
  const isDefinition = /\.ya?ml$/.test(file);
  const isFile = /\.(jsonl?|csv|tsv|parquet)(\.gz|\.zst)?$/.test(file);
  const type = isDefinition ? "custom" : values.text("type")!;
  const train = values.text("train");
  const limit = values.number("limit");
  const config = checked("--type, --benchmark, --set benchmark", benchmarkConfigSchema, {
    type,
    ...(given === undefined
      ? {}
      : isDefinition
        ? { definition: file }
        : isFile
          ? { test: file, evaluationSplit: "test" }
          : { path: file }),
    ...(train ? { train: resolve(train) } : {}),
    ...(limit ? { limit } : {}),
    ...set,
  });
  return loadBenchmark(config, {
    name: isDefinition ? basename(file).replace(/\.ya?ml$/, "") : type,
    directory: process.cwd(),
  });
}

/** Models by name: the given one, or the last part of the path, or as many parts as tell them apart. */
function modelsOf(values: Values, endpoint: object): Map<string, ModelConfig> {
  const given = [...new Set(values.list("model"))].map((word) => {
    const [, name, target] = /^(?:([\w.-]+)=)?(.+)$/.exec(word)!;
    if (!/^https?:/.test(target!)) {
      const path = resolve(target!);
      return { name, long: path, config: path.endsWith(".gguf") ? { gguf: path } : { path } };
    }
    const { origin, pathname, hash } = new URL(target!);
    const model = decodeURIComponent(hash.slice(1));
    if (model === "")
      throw new UsageError("CLI_USAGE", {
        message: `--model ${word} names no model of that server`,
        where: "meditron eval",
        remedy: `write ${target}#name, with a name that the server knows`,
      });
    return { name, long: model, config: { endpoint: { baseUrl: origin + pathname, model, ...endpoint } } };
  });
  const short = ({ name, long }: { name: string | undefined; long: string }, parts: number) =>
    name ?? long.split("/").slice(-parts).join("/");
  let parts = 1;
  const names = () => given.map((one) => short(one, parts));
  while (new Set(names()).size < given.length && parts < 20) parts++;
  return new Map(given.map(({ config }, i) => [names()[i]!, config]));
}

interface Taught {
  chat?: { chat: string; system?: string };
  style?: { options?: string; answer?: string; cue?: string };
}

/**
 * How a finetuning here taught a model to be asked: what stands around the prompt, by the template in its folder; how the question
 * is put, by the recipe of the run that the folder lies in.
 */
async function taughtTo(config: ModelConfig): Promise<Taught> {
  const path = "path" in config && join(config.path, "tokenizer_config.json");
  if (!path || !(await exists(path))) return {};
  const { chat_template: template } = await readJson<{ chat_template?: unknown }>(path);
  const chat = typeof template === "string" ? taughtChat(template) : undefined;
  const run = await runOf(config.path);
  const recipe = run && (parse(await readFile(join(run.directory, "recipe.yaml"), "utf8")) as Recipe);
  const { options, answer, cue } = (recipe && finetuningOf(run.model, recipe)) ?? {};
  const style = { ...(options && { options }), ...(answer && { answer }), ...(cue && { cue }) };
  return { ...(chat && { chat }), style };
}

async function contaminatedItems(benchmark: Benchmark, corpora: string[]): Promise<string[] | undefined> {
  if (corpora.length === 0) return undefined;
  const documents = async function* () {
    for (const corpus of corpora) yield* readShards(resolve(corpus), { split: "train" });
  };
  return (await findContamination(benchmark.items, documents())).map(({ item }) => item);
}

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

function text(summaries: Summary[], comparisons: Comparison[], out: string): string {
  const lines: string[] = [];
  if (summaries.some(({ rule }) => rule !== null)) lines.push(formatLeaderboard(summaries, { published: true }));
  if (summaries.some(({ benchmark }) => benchmark.metric === "review"))
    lines.push(`Nothing here is scored automatically: the answers are for readers, in items.jsonl below ${out}`);
  if (comparisons.length > 0) lines.push("", ...comparisons.map(formatComparison));
  const asked = new Set(summaries.map(({ settings }) => settingsLabel(settings))).size;
  for (const {
    model: { name },
    settings,
    contamination,
    overlap,
    bitsPerByte,
    rotation,
    usage,
  } of summaries) {
    const who = asked > 1 ? `${name}, ${settingsLabel(settings)}` : name;
    if (contamination)
      lines.push(
        `${who}: ${contamination.items} items are found in the corpus (13 words in a row, or 80% of their 8-grams); without them ${formatPercent(contamination.clean.accuracy)} of ${contamination.clean.total}`,
      );
    if (rotation) lines.push(`${who}: the same answer wherever it stands for ${formatPercent(rotation.consistent)}`);
    if (overlap) lines.push(`${who}: token F1 ${overlap.tokenF1.toFixed(3)}, ROUGE-L ${overlap.rougeL.toFixed(3)}`);
    if (bitsPerByte !== undefined)
      lines.push(`${who}: ${bitsPerByte.toFixed(3)} bits per byte of the reference answers`);
    if (usage)
      lines.push(
        `${who}: ${usage.requests} requests (${usage.retries} again), ${usage.promptTokens} + ${usage.completionTokens} tokens${usage.cost === undefined ? "" : `, cost ${usage.cost.toFixed(4)}`}`,
      );
  }
  return lines.join("\n");
}

/**
 * What the grammar cannot say about a recipe: names that sections use of each other, settings that must fit together, files
 * that must exist. Works on the raw values, because the grammar may have refused some of them.
 */
import { existsSync } from "node:fs";
import { formatValue, oneOf, type Path, type Problem } from "./problems.ts";

const patterns = (keys: string[]) => keys.map((key) => key.split("."));
/** Keys whose text is a path that must exist; `*` stands for any name or index. */
const INPUTS = patterns([
  "corpora.*.sources.*.path",
  "corpora.*.stages.upsample.journals",
  "tokenizer.path",
  "train.*.from.path",
  "models.*.path",
  "benchmarks.*.path",
  "benchmarks.*.definition",
  "benchmarks.*.labelled",
  "benchmarks.*.testIds",
  ...["train", "validation", "test"].flatMap((split) => [`benchmarks.*.${split}`, `benchmarks.*.${split}.*`]),
]);
/** Keys whose text is a path that a stage makes. */
const OUTPUTS = patterns(["corpora.*.sources.*.cache"]);

const matches = (patterns: string[][], path: Path) =>
  patterns.some((one) => one.length === path.length && one.every((part, i) => part === "*" || part === path[i]));

/** Whether the text under this key is a path, so that a relative one starts at the recipe's folder. */
export function isPathKey(path: Path, text: string): boolean {
  if (matches([["corpora", "*", "sources", "*", "adapter"]], path)) return /\.ya?ml$/.test(text);
  return matches([...INPUTS, ...OUTPUTS], path);
}

/** Paths outside the run directory (prepare makes those inside) that are not there. */
export function missingPaths(recipe: unknown, directory: string): { path: Path; value: string }[] {
  const found: { path: Path; value: string }[] = [];
  const visit = (value: unknown, path: Path) => {
    if (value !== null && typeof value === "object")
      for (const [key, item] of Object.entries(value)) visit(item, [...path, Array.isArray(value) ? Number(key) : key]);
    else if (typeof value === "string" && matches(INPUTS, path) && !value.startsWith(directory) && !existsSync(value))
      found.push({ path, value });
  };
  visit(recipe, []);
  return found;
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Every name that refers to nothing, and every training whose settings contradict each other. */
export function checkReferences(value: unknown): Problem[] {
  const recipe = record(value);
  const problems: Problem[] = [];
  const corpora = Object.keys(record(recipe.corpora));
  const benchmarks = Object.keys(record(recipe.benchmarks));
  const trainings = Object.keys(record(recipe.train));
  const given = Object.keys(record(recipe.models));
  const expect = (path: Path, name: unknown, valid: string[], what: string) => {
    if (typeof name === "string" && !valid.includes(name))
      problems.push({ path, message: `no ${what} is called ${formatValue(name)}; ${oneOf(name, valid)}` });
  };
  const expectAll = (path: Path, names: unknown, valid: string[], what: string) => {
    for (const [i, name] of list(names).entries()) expect([...path, i], name, valid, what);
  };

  expectAll(["tokenizer", "train", "corpora"], record(record(recipe.tokenizer).train).corpora, corpora, "corpus");
  for (const [position, name] of trainings.entries()) {
    const training = record(record(recipe.train)[name]);
    const at: Path = ["train", name];
    const earlier = [...trainings.slice(0, position), ...given];
    if (typeof training.from === "string" && trainings.slice(position).includes(training.from)) {
      const when = training.from === name ? "is this very training" : "is trained later";
      problems.push({ path: [...at, "from"], message: `"${training.from}" ${when}; ${oneOf("", earlier)}` });
    } else expect([...at, "from"], training.from, earlier, "model");
    for (const [i, set] of list(training.data).entries())
      expect([...at, "data", i, "corpus"], record(set).corpus, corpora, "corpus");
    expectAll([...at, "validation"], training.validation, corpora, "corpus");
    expect([...at, "finetune", "benchmark"], record(training.finetune).benchmark, benchmarks, "benchmark");
    if (Object.keys(training).length > 0) problems.push(...checkTraining(training, at));
  }
  for (const name of given)
    if (trainings.includes(name))
      problems.push({ path: ["models", name], message: "a training has the same name; choose another" });
  for (const [name, corpus] of Object.entries(record(recipe.corpora))) {
    const decontaminate = record(record(record(corpus).stages).decontaminate);
    expectAll(
      ["corpora", name, "stages", "decontaminate", "benchmarks"],
      decontaminate.benchmarks,
      benchmarks,
      "benchmark",
    );
  }
  const evaluate = record(recipe.evaluate);
  expectAll(["evaluate", "models"], evaluate.models, [...trainings, ...given], "model");
  expectAll(["evaluate", "benchmarks"], evaluate.benchmarks, benchmarks, "benchmark");
  return problems;
}

function checkTraining(training: Record<string, unknown>, at: Path): Problem[] {
  const problems: Problem[] = [];
  const problem = (key: Path, message: string) => problems.push({ path: [...at, ...key], message });
  if (training.data !== undefined && training.finetune !== undefined)
    problem(["finetune"], 'stands beside "data"; give one of the two (pretraining on corpora, or finetuning)');
  if (training.data === undefined && training.finetune === undefined)
    problem(["data"], 'missing; give "data" (pretraining on corpora) or "finetune" (on a benchmark)');
  const lengths = ["steps", "tokens", "epochs"].filter((key) => training[key] !== undefined);
  if (lengths.length === 0) problem(["steps"], 'missing; give exactly one of "steps", "tokens", "epochs"');
  if (training.finetune !== undefined && training.tokens !== undefined)
    problem(["tokens"], 'says nothing about examples; give "epochs" or "steps"');
  if (lengths.length > 1) problem([lengths[1]!], `stands beside "${lengths[0]}"; give exactly one of the two`);

  const weighted = list(training.data).filter((set) => record(set).weight !== undefined).length;
  if (weighted > 0 && weighted < list(training.data).length)
    problem(["data"], "some corpora have a weight and some have none; give all a weight, or none (then tokens decide)");
  const [global, micro] = [number(training.globalBatchSize), number(training.microBatchSize)];
  if (global !== undefined && micro !== undefined && global % micro !== 0)
    problem(["microBatchSize"], `${micro} does not divide globalBatchSize ${global}`);

  const schedule = record(training.schedule);
  const [peak, floor] = [number(schedule.peakLearningRate), number(schedule.minLearningRate)];
  if (peak !== undefined && peak > 0 && floor !== undefined && floor > peak)
    problem(["schedule", "minLearningRate"], `${floor} is above peakLearningRate ${peak}`);
  if (schedule.warmupSteps !== undefined && schedule.warmupFraction !== undefined)
    problem(["schedule", "warmupFraction"], "stands beside warmupSteps; give one of the two");
  const [steps, warmup] = [number(training.steps), number(schedule.warmupSteps)];
  if (steps !== undefined && warmup !== undefined && warmup > steps)
    problem(["schedule", "warmupSteps"], `${warmup} is more than steps ${steps}`);
  return problems;
}

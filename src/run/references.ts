/**
 * What the grammar cannot say about a recipe: names that sections use of each other, settings that must fit together, files
 * that must exist. Works on the raw values, because the grammar may have refused some of them.
 */
import { existsSync } from "node:fs";
import { formatValue, oneOf, type Path, type Problem } from "./problems.ts";
import { withoutSeed } from "./seeds.ts";

const patterns = (keys: string[]) => keys.map((key) => key.split("."));
/** Keys whose text is a path that must exist; `*` stands for any name or index. */
const INPUTS = patterns([
  "corpora.*.sources.*.path",
  "corpora.*.stages.upsample.journals",
  "tokenizer.path",
  "train.*.from.path",
  "models.*.path",
  "models.*.gguf",
  "models.*.tokenizer",
  "benchmarks.*.path",
  "benchmarks.*.definition",
  "benchmarks.*.labelled",
  "benchmarks.*.testIds",
  "benchmarks.*.categoryFile",
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
    const origin = typeof training.from === "string" ? record(record(recipe.models)[training.from]) : {};
    if ("endpoint" in origin || "gguf" in origin)
      problems.push({
        path: [...at, "from"],
        message: `"${String(training.from)}" is ${"gguf" in origin ? "a GGUF file" : "an endpoint"}: training starts from a Hugging Face model directory (path)`,
      });
    expectAll([...at, "finetune", "decontaminate"], record(training.finetune).decontaminate, benchmarks, "benchmark");
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
      [...benchmarks, "all"],
      "benchmark",
    );
  }
  if (recipe.tokenizer === undefined && (trainings.length > 0 || corpora.length > 0))
    problems.push({
      path: ["tokenizer"],
      message: 'missing; corpora and trainings need one: give "train" (on corpora) or "path" (of a tokenizer.json)',
    });
  const isList = Array.isArray(recipe.evaluate);
  const blocks = isList ? list(recipe.evaluate) : recipe.evaluate === undefined ? [] : [recipe.evaluate];
  for (const [i, one] of blocks.entries()) {
    const at: Path = isList ? ["evaluate", i] : ["evaluate"];
    const block = record(one);
    expectAll([...at, "models"], block.models, [...trainings, ...given], "model");
    expectAll([...at, "benchmarks"], block.benchmarks, benchmarks, "benchmark");
    const during = record(block.duringTraining);
    expectAll([...at, "duringTraining", "models"], during.models, trainings, "training");
    expectAll([...at, "duringTraining", "benchmarks"], during.benchmarks, benchmarks, "benchmark");
  }
  problems.push(...checkSeeds(recipe), ...checkClaims(recipe, blocks.map(record)));
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

/** A training that is done once cannot start from one that is done under several seeds. */
function checkSeeds(recipe: Record<string, unknown>): Problem[] {
  if (list(recipe.seeds).length === 0) return [];
  const train = record(recipe.train);
  return Object.entries(train).flatMap(([name, value]) => {
    const { from, seed } = record(value);
    const origin = typeof from === "string" ? record(train[from]) : undefined;
    if (seed === undefined || !origin || !(String(from) in train) || origin.seed !== undefined) return [];
    const message = `a seed of its own, but "${String(from)}" is trained under each of the recipe's seeds; leave it out`;
    return [{ path: ["train", name, "seed"], message }];
  });
}

/** Every claim must find what it compares among the evaluations of the recipe. */
function checkClaims(recipe: Record<string, unknown>, blocks: Record<string, unknown>[]): Problem[] {
  const problems: Problem[] = [];
  const corpora = record(recipe.corpora);
  const everything = [...Object.keys(record(recipe.train)), ...Object.keys(record(recipe.models))];
  // A model with several seeds is named without one.
  const models = [...new Set(everything.flatMap((model) => [model, withoutSeed(model)]))];
  const problem = (path: Path, message: string) => problems.push({ path, message });
  const known = (path: Path, name: unknown, valid: string[], what: string): name is string => {
    if (typeof name !== "string") return false;
    if (valid.includes(name)) return true;
    problem(path, `no ${what} is called ${formatValue(name)}; ${oneOf(name, valid)}`);
    return false;
  };
  const names = (value: unknown, name: string) =>
    list(value).some((one) => typeof one === "string" && (one === name || withoutSeed(one) === name));

  // Named by itself, or with how it asks ("greedy-cloze").
  const asks = (entry: unknown, solver: string) => {
    const name = typeof entry === "string" ? entry : record(entry).solver;
    return typeof name === "string" && (solver === name || solver.startsWith(`${name}-`));
  };

  for (const [name, value] of Object.entries(record(recipe.claims))) {
    const claim = record(value);
    const at: Path = ["claims", name];
    const benchmark = claim.kind !== "perplexity" && claim.benchmark;
    const isKnown =
      benchmark === false ||
      known([...at, "benchmark"], benchmark, Object.keys(record(recipe.benchmarks)), "benchmark");
    if (claim.kind === "perplexity" && known([...at, "corpus"], claim.corpus, Object.keys(corpora), "corpus")) {
      const held = record(corpora[claim.corpus]).validationFraction;
      if (held === 0)
        problem([...at, "corpus"], `"${claim.corpus}" holds out no documents; give it a validationFraction`);
    }
    if (claim.kind === "curve") {
      if (!known([...at, "model"], claim.model, models, "model") || !isKnown) continue;
      const followed = blocks.some(
        ({ duringTraining }) =>
          names(record(duringTraining).models, String(claim.model)) &&
          names(record(duringTraining).benchmarks, String(benchmark)),
      );
      if (!followed)
        problem(at, `evaluate.duringTraining does not follow "${claim.model}" on "${String(benchmark)}"; add it there`);
      continue;
    }
    const sides = { accuracy: ["from", "to"], perplexity: ["from", "to"], retained: ["base", "with", "without"] }[
      String(claim.kind)
    ];
    for (const key of sides ?? []) {
      const side = claim[key];
      const model = typeof side === "string" ? side : record(side).model;
      const path: Path = typeof side === "string" ? [...at, key] : [...at, key, "model"];
      if (!known(path, model, models, "model") || claim.kind === "perplexity" || !isKnown) continue;
      const solver = record(side).solver ?? claim.solver;
      const asked = blocks.some(
        (block) =>
          names(block.models, model) &&
          names(block.benchmarks, String(benchmark)) &&
          (solver === undefined || list(block.solvers).some((one) => asks(one, String(solver)))),
      );
      const by = solver === undefined ? "" : ` by "${String(solver)}"`;
      if (!asked) problem(path, `"${model}" is not evaluated on "${String(benchmark)}"${by}; add it to evaluate`);
    }
  }
  return problems;
}

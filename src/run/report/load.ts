/** Reads a run directory into what the report shows. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { ConfigError, exists, readJson } from "../../core/index.ts";
import { type Drop, loadManifest, readDrops } from "../../corpus/index.ts";
import { type ItemRecord, loadBenchmark, readRecords, type Summary } from "../../eval/index.ts";
import { readTrainEvents } from "../../train/index.ts";
import { measureClaims } from "../claims/index.ts";
import { readEvents } from "../events.ts";
import { folders } from "../folders.ts";
import { readStageRecord } from "../graph.ts";
import type { Provenance } from "../provenance.ts";
import { evaluatedPairs, followedPairs, type Recipe } from "../recipe.ts";
import type { Curve } from "../stages/curve.ts";
import { evaluationsOf, labelOf, solverLabelOf } from "../stages/evaluation.ts";
import type { Baselines, CorpusView, ReportData, Score, StageView, TrainingView } from "./data.ts";
import type { AnswerView, ItemView } from "./items.ts";
import { pooledResults } from "./pooled.ts";

/** Samples of each drop rule that are shown. */
const DROP_SAMPLES = 5;

/** @throws {ConfigError} RUN_NOT_HERE when the folder is no run directory. */
export async function loadReport(directory: string): Promise<ReportData> {
  const recipeYaml = await readFile(join(directory, "recipe.yaml"), "utf8").catch(() => {
    throw new ConfigError("RUN_NOT_HERE", {
      message: "not a run directory: recipe.yaml is missing",
      where: directory,
      remedy: "name a folder that meditron run has written, such as runs/demo",
    });
  });
  // Written by loadRecipe with every default filled in, so it is a whole recipe.
  const recipe = parse(recipeYaml) as Recipe;
  const { scores, baselines } = await loadScores(directory, recipe);
  const results = await pooledResults(directory, scores);
  const stages = await loadStages(directory);
  return {
    title: recipe.report.title ?? recipe.name,
    description: recipe.description,
    name: recipe.name,
    directory,
    recipeYaml,
    recipe,
    provenance: await readJson<Provenance>(join(directory, "provenance.json")),
    seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0),
    stages,
    corpora: await loadCorpora(directory, recipe),
    trainings: await loadTrainings(directory, recipe),
    scores,
    results,
    baselines,
    claims: await measureClaims(directory, recipe),
    curves: await loadCurves(directory, recipe),
  };
}

async function loadCurves(directory: string, recipe: Recipe): Promise<Curve[]> {
  const curves: Curve[] = [];
  for (const { model, benchmark } of followedPairs(recipe)) {
    const path = join(directory, folders.curve(model, benchmark), "points.json");
    if (await exists(path)) curves.push(await readJson<Curve>(path));
  }
  return curves;
}

/** The stages of the last start, in order, each with what its last success counted. */
async function loadStages(directory: string): Promise<StageView[]> {
  const start = (await readEvents(directory)).findLast((event) => event.event === "run-start");
  const views: StageView[] = [];
  for (const id of start?.event === "run-start" ? start.stages : []) {
    const record = await readStageRecord(directory, id);
    if (record?.state === "finished") views.push({ id, seconds: record.seconds ?? 0, counts: record.counts ?? {} });
  }
  return views;
}

async function loadCorpora(directory: string, recipe: Recipe): Promise<CorpusView[]> {
  const views: CorpusView[] = [];
  for (const name of Object.keys(recipe.corpora)) {
    const folder = join(directory, folders.corpus(name));
    if (!(await exists(join(folder, "manifest.json")))) continue;
    const manifest = await loadManifest(folder);
    const dropSamples = new Map<string, Drop[]>();
    for await (const drop of readDrops(join(folder, manifest.drops.file))) {
      const samples = dropSamples.get(drop.rule) ?? [];
      if (samples.length < DROP_SAMPLES) dropSamples.set(drop.rule, [...samples, drop]);
    }
    views.push({ name, manifest, dropSamples });
  }
  return views;
}

async function loadTrainings(directory: string, recipe: Recipe): Promise<TrainingView[]> {
  const views: TrainingView[] = [];
  for (const name of Object.keys(recipe.train)) {
    const path = join(directory, folders.training(name), "events.jsonl");
    if (await exists(path)) views.push({ name, events: await readTrainEvents(path) });
  }
  return views;
}

/** Every model, benchmark and solver that the recipe compares and that is there. */
async function loadScores(directory: string, recipe: Recipe): Promise<{ scores: Score[]; baselines: Baselines[] }> {
  const scores: Score[] = [];
  const baselines: Baselines[] = [];
  for (const { model, benchmark } of evaluatedPairs(recipe))
    for (const settings of evaluationsOf(model, benchmark, recipe)) {
      const path = join(directory, folders.evaluation(model, benchmark), labelOf(settings), "summary.json");
      if (!(await exists(path))) continue;
      const summary = await readJson<Summary>(path);
      const score = summary.rule === null ? undefined : summary.scores[summary.rule];
      if (!score) continue;
      scores.push({
        model,
        benchmark,
        solver: solverLabelOf(settings),
        items: summary.benchmark.items,
        accuracy: score.accuracy,
        ...score.interval,
        unparseableFraction: score.unansweredFraction,
        ...(summary.parserDisagreement === undefined ? {} : { parserDisagreement: summary.parserDisagreement }),
        ...(score.perSeed.length > 1 ? { askedSeedDeviation: score.seedDeviation } : {}),
        href: `${folders.items(model, benchmark)}/index.html`,
        file: `${folders.evaluation(model, benchmark)}/${labelOf(settings)}/items.jsonl`,
        rule: summary.rule!,
      });
      if (summary.baseline && !baselines.some((one) => one.benchmark === benchmark))
        baselines.push({
          benchmark,
          items: summary.benchmark.items,
          chance: summary.baseline.chance,
          majority: summary.baseline.majorityAccuracy,
          majorityAnswer: summary.baseline.majorityClass,
        });
    }
  return { scores, baselines };
}

/** Every item of one model on one benchmark with what each solver made of it. */
export async function loadItems(
  directory: string,
  recipe: Recipe,
  model: string,
  benchmarkName: string,
): Promise<ItemView[]> {
  const benchmark = await loadBenchmark(recipe.benchmarks[benchmarkName]!, { name: benchmarkName, directory });
  const views = new Map<string, ItemView>();
  for (const { id, question, context, options, answer, subject, explanation, meta } of benchmark.items)
    views.set(id, {
      id,
      prompt: "",
      question: context === undefined ? question : `${context}\n\n${question}`,
      options,
      gold: answer,
      ...(subject === undefined ? {} : { subject }),
      ...(explanation === undefined ? {} : { explanation }),
      facts: Object.entries(meta).flatMap(([name, value]) =>
        ["string", "number", "boolean"].includes(typeof value) ? [`${name}: ${String(value)}`] : [],
      ),
      answers: [],
    });
  for (const settings of evaluationsOf(model, benchmarkName, recipe)) {
    const path = join(directory, folders.evaluation(model, benchmarkName), labelOf(settings), "items.jsonl");
    if (!(await exists(path))) continue;
    for (const record of (await readRecords<ItemRecord>(path)).records) {
      const view = views.get(record.id);
      if (!view || record.rotation !== 0) continue;
      view.prompt ||= record.prompt;
      view.answers.push(answerOf(record, labelOf(settings)));
    }
  }
  return [...views.values()];
}

function answerOf(record: ItemRecord, solver: string): AnswerView {
  const rule = Object.keys(record.predictions)[0] ?? "";
  const { logLikelihoods, outputs, votes } = record;
  return {
    solver: record.demonstrations ? `${solver}, seed ${record.seed}` : solver,
    answer: record.predictions[rule] ?? undefined,
    correct: record.correct[rule] ?? false,
    ...(outputs ? { outputs } : {}),
    ...(votes ? { votes } : {}),
    ...(logLikelihoods
      ? {
          logLikelihoods: Object.fromEntries(
            Object.entries(logLikelihoods).map(([letter, { logLikelihood }]) => [letter, logLikelihood]),
          ),
        }
      : {}),
  };
}

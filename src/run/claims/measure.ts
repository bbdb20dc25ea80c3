/** The claims of a recipe held against what its run left: one effect each, with where its numbers come from. */
import { dirname, join } from "node:path";
import { exists, formatCount, readJson } from "../../core/index.ts";
import {
  type DocumentLoss,
  type Item,
  type ItemRecord,
  loadBenchmark,
  readRecords,
  type Summary,
} from "../../eval/index.ts";
import { itemAccuracies } from "../../eval/summary.ts";
import { checkpointName } from "../../train/index.ts";
import { folders } from "../folders.ts";
import type { Recipe } from "../recipe.ts";
import { seedOf, variantsOf } from "../seeds.ts";
import type { Curve } from "../stages/curve.ts";
import { evaluationsOf, labelOf, solverLabelOf } from "../stages/evaluation.ts";
import { type BenchmarkClaim, type Claim, type Side, sidesOf } from "./schema.ts";
import { bootstrapEffect, type Effect, type Measured, reaches } from "./statistics.ts";

/** A claim with what came out; a line of summary.json. */
export interface ClaimResult {
  /** Its name in the recipe. */
  claim: string;
  statement: string;
  kind: Claim["kind"];
  /** As a fraction; null where it could not be computed. */
  effect: number | null;
  /** 95% interval, by a paired bootstrap over items and training seeds. */
  low: number | null;
  high: number | null;
  threshold: number;
  holds: boolean;
  /** What the effect is a fraction of. */
  unit: "accuracy" | "perplexity" | "forgetting";
  /** Questions or documents. */
  n: number;
  /** Training seeds pooled; empty where everything was trained once. */
  seeds: number[];
  perSeed: { seed: number; effect: number | null }[];
  /** Sample standard deviation of the effect over seeds. */
  seedDeviation?: number;
  /** The figures compared, in words and numbers, first to last. */
  values: { name: string; value: number }[];
  /** Files of the run directory that it was computed from. */
  computedFrom: string[];
  /** Why there is no effect, or what to know about it. */
  note?: string;
}

interface Values {
  name: string;
  measured: Measured;
  value: number;
  files: string[];
  seeds: number[];
}

/** What is missing for a claim, in words; the claim then says so instead of an effect. */
class NotMeasured extends Error {}

/** @param directory - The run directory; stages that have not run yet leave their claims without an effect. */
export async function measureClaims(directory: string, recipe: Recipe): Promise<ClaimResult[]> {
  const results: ClaimResult[] = [];
  for (const [name, claim] of Object.entries(recipe.claims ?? {}))
    results.push(await measure(name, claim, directory, recipe));
  return results;
}

async function measure(name: string, claim: Claim, directory: string, recipe: Recipe): Promise<ClaimResult> {
  const { kind, threshold, statement = name } = claim;
  const unit = kind === "perplexity" ? "perplexity" : kind === "retained" ? "forgetting" : "accuracy";
  const frame = { claim: name, statement, kind, threshold, unit } as const;
  try {
    const { sides, f, shown, n } = await (kind === "perplexity"
      ? perplexityOf(claim, directory, recipe)
      : kind === "curve"
        ? curveOf(claim, directory, recipe)
        : accuraciesOf(claim, directory, recipe));
    const effect = bootstrapEffect(
      sides.map(({ measured }) => measured),
      f,
    );
    const seeds = [...new Set(sides.flatMap((side) => side.seeds))];
    return {
      ...frame,
      ...rounded(effect),
      holds: reaches(effect, threshold),
      n,
      ...(seeds.length > 1 ? seedsOf(seeds, effect) : { seeds, perSeed: [] }),
      values: shown,
      computedFrom: [...new Set(sides.flatMap(({ files }) => files))],
      ...(Number.isNaN(effect.effect)
        ? { note: "without the remedy nothing was forgotten, so there is no share of it" }
        : {}),
    };
  } catch (error) {
    if (!(error instanceof NotMeasured)) throw error;
    const nothing = { effect: null, low: null, high: null, holds: false, n: 0, seeds: [], perSeed: [] };
    return { ...frame, ...nothing, values: [], computedFrom: [], note: error.message };
  }
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);
const rounded = ({ effect, low, high }: Effect) => ({ effect: orNull(effect), low, high });

function seedsOf(seeds: number[], { perSeed }: Effect) {
  const mean = perSeed.reduce((sum, one) => sum + one, 0) / perSeed.length;
  const squares = perSeed.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const seedDeviation = Math.sqrt(squares / (perSeed.length - 1));
  return {
    seeds,
    perSeed: perSeed.map((effect, i) => ({ seed: seeds[i]!, effect: orNull(effect) })),
    ...(Number.isFinite(seedDeviation) ? { seedDeviation } : {}),
  };
}

/** What a claim is computed from: the sides in the formula's order, and the figures to show beside it. */
interface Parts {
  sides: Values[];
  f: (means: number[]) => number;
  shown: { name: string; value: number }[];
  n: number;
}

const difference = ([from, to]: number[]) => to! - from!;

/** The share of what is lost without a remedy that is kept with it; undefined where nothing is lost. */
function retained([base, kept, without]: number[]): number {
  const lost = base! - without!;
  return lost > 0 ? 1 - (base! - kept!) / lost : Number.NaN;
}

// ── Accuracy on a benchmark ──

async function accuraciesOf(claim: BenchmarkClaim, directory: string, recipe: Recipe): Promise<Parts> {
  const chosen = claim.where && (await itemsWhere(claim, directory, recipe));
  const sides: Values[] = [];
  let ids: string[] | undefined;
  for (const [, side] of sidesOf(claim)) {
    const { model, runs } = await answersOf(side, claim, directory, recipe);
    ids ??= [...runs[0]!.accuracies.keys()].filter((id) => !chosen || chosen.has(id));
    if (ids.length === 0) throw new NotMeasured("no item is left to compare");
    const measured = runs.map(({ file, accuracies }) =>
      Float64Array.from(ids!, (id) => {
        const accuracy = accuracies.get(id);
        if (accuracy === undefined)
          throw new NotMeasured(`${file} has no answer to ${id}: the sides answered different items`);
        return accuracy;
      }),
    );
    const { solver } = runs[0]!;
    const seeds = runs.flatMap((run) => seedOf(run.model) ?? []);
    sides.push({
      name: `${model}, ${solver}`,
      measured,
      value: meanOf(measured),
      files: runs.map(({ file }) => file),
      seeds,
    });
  }
  // Where all sides are asked by one solver, its name says nothing.
  const solvers = new Set(sides.map(({ name }) => name.slice(name.indexOf(", "))));
  const shown = sides.map(({ name, value }) => ({
    name: solvers.size > 1 ? name : name.slice(0, name.indexOf(", ")),
    value,
  }));
  return { sides, f: claim.kind === "accuracy" ? difference : retained, shown, n: ids!.length };
}

/** The answers of a model, one list a training seed. */
async function answersOf(side: Side, claim: BenchmarkClaim, directory: string, recipe: Recipe) {
  const model = typeof side === "string" ? side : side.model;
  const solver = (typeof side === "string" ? undefined : side.solver) ?? claim.solver;
  const models = variantsOf(model, [...Object.keys(recipe.train), ...Object.keys(recipe.models)]);
  const runs: { model: string; solver: string; file: string; accuracies: Map<string, number> }[] = [];
  for (const variant of models) {
    const settings = evaluationsOf(variant, claim.benchmark, recipe).find(
      (one) => solver === undefined || one.solver === solver || solverLabelOf(one) === solver,
    );
    if (!settings)
      throw new NotMeasured(`${variant} is not evaluated on ${claim.benchmark}${solver ? ` by ${solver}` : ""}`);
    const folder = `${folders.evaluation(variant, claim.benchmark)}/${labelOf(settings)}`;
    const summaryPath = join(directory, folder, "summary.json");
    if (!(await exists(summaryPath))) throw new NotMeasured(`${folder} is not there yet`);
    const { rule: headline, scores } = await readJson<Summary>(summaryPath);
    const rule = claim.rule ?? headline ?? "";
    if (!(rule in scores))
      throw new NotMeasured(`${folder} is not scored by "${rule}" (its rules: ${Object.keys(scores).join(", ")})`);
    const { records } = await readRecords<ItemRecord>(join(directory, folder, "items.jsonl"));
    const upright = records.filter(({ rotation }) => rotation === 0);
    runs.push({
      model: variant,
      solver: solverLabelOf(settings),
      file: `${folder}/items.jsonl`,
      accuracies: itemAccuracies(upright, rule),
    });
  }
  return { model, runs };
}

/** Ids of the items that a claim is about. */
async function itemsWhere(claim: BenchmarkClaim, directory: string, recipe: Recipe): Promise<Set<string>> {
  const { items } = await loadBenchmark(recipe.benchmarks[claim.benchmark]!, {
    name: claim.benchmark,
    directory: dirname(directory),
  });
  const field = (item: Item, key: string): unknown =>
    key === "id" || key === "subject" || key === "answer" ? item[key] : item.meta[key];
  let left = items;
  for (const [key, wanted] of Object.entries(claim.where!)) {
    const before = left;
    left = left.filter((item) => [wanted].flat().some((one) => one === field(item, key)));
    if (left.length === 0) {
      const values = [...new Set(before.map((item) => JSON.stringify(field(item, key)) ?? "nothing"))].slice(0, 8);
      throw new NotMeasured(`no item has ${key} = ${JSON.stringify(wanted)}; there is ${values.join(", ")}`);
    }
  }
  return new Set(left.map(({ id }) => id));
}

const meanOf = (measured: Measured) =>
  measured.reduce((sum, row) => sum + row.reduce((total, value) => total + value, 0) / row.length, 0) / measured.length;

// ── Perplexity of held-out text ──

async function perplexityOf(
  claim: Extract<Claim, { kind: "perplexity" }>,
  directory: string,
  recipe: Recipe,
): Promise<Parts> {
  const models = [...Object.keys(recipe.train), ...Object.keys(recipe.models)];
  const nats: Values[] = [];
  const tokens: Values[] = [];
  for (const name of [claim.from, claim.to]) {
    const losses: { file: string; documents: DocumentLoss[] }[] = [];
    const variants = variantsOf(name, models);
    for (const variant of variants) {
      const file = `${folders.perplexity(variant, claim.corpus)}/documents.jsonl`;
      if (!(await exists(join(directory, file)))) throw new NotMeasured(`${file} is not there yet`);
      losses.push({
        file,
        documents: (await readRecords<DocumentLoss>(join(directory, file))).records.slice(0, claim.documents),
      });
    }
    const rows = (key: "nats" | "tokens") =>
      losses.map(({ documents }) => Float64Array.from(documents, (one) => one[key]));
    const common = {
      name,
      files: losses.map(({ file }) => file),
      seeds: variants.flatMap((variant) => seedOf(variant) ?? []),
    };
    nats.push({ ...common, measured: rows("nats"), value: meanOf(rows("nats")) });
    tokens.push({ ...common, measured: rows("tokens"), value: meanOf(rows("tokens")) });
  }
  const [from, to] = [nats[0]!, nats[1]!];
  if (from.measured[0]!.length !== to.measured[0]!.length)
    throw new NotMeasured("the two models read different documents");
  return {
    sides: [from, tokens[0]!, to, tokens[1]!],
    // Seeds are pooled by their mean loss: the geometric mean of their perplexities.
    f: ([n1, t1, n2, t2]) => 1 - Math.exp(n2! / t2! - n1! / t1!),
    shown: nats.map(({ name, value }, i) => ({ name, value: Math.exp(value / tokens[i]!.value) })),
    n: from.measured[0]!.length,
  };
}

// ── Accuracy by tokens seen ──

async function curveOf(claim: Extract<Claim, { kind: "curve" }>, directory: string, recipe: Recipe): Promise<Parts> {
  const ends: { first: Float64Array[]; last: Float64Array[] } = { first: [], last: [] };
  const variants = variantsOf(claim.model, Object.keys(recipe.train));
  const files: string[] = [];
  const curves: Curve[] = [];
  for (const variant of variants) {
    const folder = folders.curve(variant, claim.benchmark);
    if (!(await exists(join(directory, folder, "points.json")))) throw new NotMeasured(`${folder} is not there yet`);
    const curve = await readJson<Curve>(join(directory, folder, "points.json"));
    if (curve.points.length < 2) throw new NotMeasured(`${folder} has fewer than two points`);
    curves.push(curve);
    files.push(`${folder}/points.json`);
    const accuracies = async (step: number) => {
      const path = join(directory, folder, checkpointName(step), curve.label, "items.jsonl");
      const { records } = await readRecords<ItemRecord>(path);
      // The rule of the points themselves: a text scorer's headline is the recipe's choice, not its first score.
      const { rule } = await readJson<Summary>(join(dirname(path), "summary.json"));
      return Float64Array.from(
        itemAccuracies(
          records.filter(({ rotation }) => rotation === 0),
          rule ?? "",
        ).values(),
      );
    };
    ends.first.push(await accuracies(curve.points[0]!.step));
    ends.last.push(await accuracies(curve.points.at(-1)!.step));
  }
  const seeds = variants.flatMap((variant) => seedOf(variant) ?? []);
  const side = (name: string, measured: Measured): Values => ({
    name,
    measured,
    value: meanOf(measured),
    files,
    seeds,
  });
  const shown = curves[0]!.points.map(({ step, tokens }, i) => ({
    name: `step ${step}, ${formatCount(tokens)} tokens`,
    value: curves.reduce((sum, { points }) => sum + points[i]!.accuracy, 0) / curves.length,
  }));
  return {
    sides: [side("first", ends.first), side("last", ends.last)],
    f: difference,
    shown,
    n: ends.first[0]!.length,
  };
}

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the syntax of recipes
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatError } from "../core/index.ts";
import { type LoadOptions, loadRecipe } from "./load-recipe.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "meditron-recipe-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The error of a recipe as the terminal prints it, with the folder left out; "valid" when there is none. */
async function problemsOf(yaml: string, options: LoadOptions = {}): Promise<string> {
  const file = join(folder, "recipe.yaml");
  await writeFile(file, yaml);
  return loadRecipe(file, { runs: join(folder, "runs"), ...options }).then(
    () => "valid",
    (error) => formatError(error).replaceAll(folder, "~"),
  );
}

const SMALL = `
name: small
corpora:
  general: { sources: [{ type: text, path: "." }] }
tokenizer: { train: { vocabSize: 512, corpora: [general] } }
train:
  base:
    from: { config: { model_type: llama } }
    data: [{ corpus: general }]
    steps: 10
    sequenceLength: 64
    globalBatchSize: 8
    schedule: { peakLearningRate: 1.0e-3, minLearningRate: 0 }
`;

test("a small recipe is valid", async () => expect(await problemsOf(SMALL)).toBe("valid"));

test("unknown keys, wrong types, missing paths, impossible values and dangling names: all at once, each with its place", async () => {
  const yaml = `
name: bad
corpura: {}
corpora:
  general: { sources: [ { type: text, path: nowhere } ] }
  medical: { sources: [ { type: pubmet, path: . } ], stages: { deduplicate: { near: { bands: 100 } } } }
tokenizer: { train: { vocabSize: many, corpora: [genral] } }
train:
  base:
    from: { config: { hidden_size: 4 } }
    data: [{ corpus: general }, { corpus: medical, weight: 2 }]
    stepz: 5
    sequenceLength: 64
    globalBatchSize: 8
    microBatchSize: 3
    schedule: { shape: cosin, peakLearningRate: -1, minLearningRate: 0, warmupSteps: 5, warmupFraction: 0.1 }
  continued:
    from: finetuned
    finetune: { benchmark: medqa }
    epochs: 1
    steps: 3
    sequenceLength: 64
    globalBatchSize: 8
    schedule: { peakLearningRate: 1.0e-3, minLearningRate: 0 }
  finetuned: 12
evaluate: { models: [bse], benchmarks: [], solvers: [greedi] }
`;
  expect(await problemsOf(yaml)).toMatchInlineSnapshot(`
    "RECIPE_INVALID at ~/recipe.yaml: 20 problems, nothing was started
      3:1    corpura: unknown key; did you mean "corpora"? (valid: name, description, seed, variables, prepare, corpora, tokenizer, seeds, train, models, benchmarks, evaluate, claims, card, footprint, report)
      5:39   corpora.general.sources[0].path: "~/nowhere" does not exist; expected a file or folder
      6:27   corpora.medical.sources[0].type: "pubmet"; did you mean "pubmed"? (one of "text", "jsonl", "parquet", "huggingface", "html", "guideline-site", "ngc", "cnxml", "medquad", "pdf", "pubmed", "jats", "s2orc", "cord19")
      6:87   corpora.medical.stages.deduplicate.near.bands: 100 is out of range; expected at most 64
      7:23   tokenizer.train.vocabSize: "many" is not a number
      7:50   tokenizer.train.corpora[0]: no corpus is called "genral"; did you mean "general"? (one of "general", "medical")
      9:3    train.base.steps: missing; give exactly one of "steps", "tokens", "epochs"
      11:5   train.base.data: some corpora have a weight and some have none; give all a weight, or none (then tokens decide)
      12:5   train.base.stepz: unknown key; did you mean "steps"? (valid: from, data, finetune, steps, tokens, epochs, sequenceLength, globalBatchSize, microBatchSize, schedule, maskDocuments, validation, samples, seed, engine, optimizer, precision, recompute, lora, checkpointEverySteps, keepCheckpoints, validateEverySteps, validationBatches, spikes, threads, torch)
      15:5   train.base.microBatchSize: 3 does not divide globalBatchSize 8
      16:17  train.base.schedule.shape: "cosin"; did you mean "cosine"? (one of "cosine", "linear", "constant")
      16:31  train.base.schedule.peakLearningRate: -1 is out of range; expected more than 0
      16:89  train.base.schedule.warmupFraction: stands beside warmupSteps; give one of the two
      18:5   train.continued.from: "finetuned" is trained later; expected one of "base"
      19:17  train.continued.finetune.benchmark: no benchmark is called "medqa"; the recipe names none
      20:5   train.continued.epochs: stands beside "steps"; give exactly one of the two
      25:3   train.finetuned: 12 is not a mapping of keys to values
      26:22  evaluate.models[0]: no model is called "bse"; did you mean "base"? (one of "base", "continued", "finetuned")
      26:28  evaluate.benchmarks: [] is out of range; expected at least 1 entry
      26:54  evaluate.solvers[0]: "greedi"; did you mean "greedy"? (one of "option-log-likelihood", "option-text-log-likelihood", "greedy", "chain-of-thought", "self-consistency", "answer-log-likelihood")
      → correct the settings and run the same command again"
  `);
});

test("a variable that is not known, in a path that therefore does not exist: said once", async () => {
  expect(await problemsOf(SMALL.replace('path: "."', 'path: "${dta}/x"'))).toMatchInlineSnapshot(`
    "RECIPE_INVALID at ~/recipe.yaml: one problem, nothing was started
      4:38  corpora.general.sources[0].path: \${dta} is not known; expected one of "run", "package", "recipe"
      → correct the settings and run the same command again"
  `);
});

test("an override is named as the place of its problem", async () => {
  expect(
    await problemsOf(SMALL, { set: ["train.base.steps=-3", "tokenizer.train.corpora[0]=medical"] }),
  ).toMatchInlineSnapshot(`
    "RECIPE_INVALID at ~/recipe.yaml: 2 problems, nothing was started
      --set train.base.steps            train.base.steps: -3 is out of range; expected more than 0
      --set tokenizer.train.corpora[0]  tokenizer.train.corpora[0]: no corpus is called "medical"; expected one of "general"
      → correct the settings and run the same command again"
  `);
  expect(await problemsOf(SMALL, { set: ["train.base.steps"] })).toMatchInlineSnapshot(`
    "RECIPE_SET at --set train.base.steps: no key and value
      → write --set key.path=value, for example --set train.base.steps=100"
  `);
});

test("text that is no YAML is refused with its line", async () => {
  expect(await problemsOf("name: x\n  train: {")).toMatchInlineSnapshot(`
    "RECIPE_YAML at ~/recipe.yaml:1:7: not valid YAML: Nested mappings are not allowed in compact mappings at line 1, column 7:
      → correct the line; indentation is by spaces, and text with a colon or a brace needs quotes"
  `);
});

test("paths start at the recipe's folder, variables may name variables, ${run} is the run directory", async () => {
  const file = join(folder, "recipe.yaml");
  await writeFile(
    file,
    SMALL.replace('path: "."', 'path: "${data}/text"').concat('variables: { base: "${run}/x", data: "${base}/y" }\n'),
  );
  const { recipe, directory } = await loadRecipe(file, { runs: join(folder, "runs"), name: "other" });
  expect(directory).toBe(join(folder, "runs", "other"));
  expect(recipe.corpora.general!.sources[0]).toMatchObject({ path: join(folder, "runs", "other", "x", "y", "text") });
});

test("a missing path is only listed where nothing will be run", async () => {
  const yaml = SMALL.replace('path: "."', "path: nowhere");
  expect(await problemsOf(yaml)).toContain("does not exist; expected a file or folder");
  const { missing } = await loadRecipe(join(folder, "recipe.yaml"), { runs: folder, missingPaths: "list" });
  expect(missing).toEqual([{ key: "corpora.general.sources[0].path", path: join(folder, "nowhere") }]);
});

test("the resolved recipe reads back as itself", async () => {
  const file = join(folder, "recipe.yaml");
  await writeFile(file, SMALL);
  const first = await loadRecipe(file, { runs: folder });
  await writeFile(file, first.yaml);
  expect((await loadRecipe(file, { runs: folder })).yaml).toBe(first.yaml);
});

/** A recipe with two models, evaluated by one solver, and these claims. */
const claiming = (claims: string, more = "") => `${SMALL}
  continued:
    from: base
    data: [{ corpus: general }]
    steps: 10
    sequenceLength: 64
    globalBatchSize: 8
    schedule: { peakLearningRate: 1.0e-3, minLearningRate: 0 }
benchmarks: { medical: { type: multiple-choice, test: recipe.yaml } }
evaluate: { models: [base, continued], benchmarks: [medical], solvers: [greedy] }
${more}
claims:
${claims}`;

test("a claim about something that the recipe does not measure is refused, with what would be valid", async () => {
  const yaml = claiming(
    `  a: { kind: accuracy, benchmark: medical, from: base, to: contined, threshold: 0.2 }
  b: { kind: accuracy, benchmark: medical, from: base, to: { model: base, solver: chain-of-thought }, threshold: 0 }
  c: { kind: perplexity, corpus: general, from: base, to: continued, threshold: 0.5 }
  d: { kind: curve, model: continued, benchmark: medical, threshold: 0.1 }
  e: { kind: acuracy, threshold: 1 }
  f: { kind: retained, benchmark: medicl, base: base, with: continued, threshold: high }`,
    "seeds: [1, 2]",
  )
    .replace('path: "." }] }', 'path: "." }], validationFraction: 0 }')
    .replace("    from: base\n", "    from: base\n    seed: 3\n");
  expect(await problemsOf(yaml)).toMatchInlineSnapshot(`
    "RECIPE_INVALID at ~/recipe.yaml: 9 problems, nothing was started
      17:5   train.continued.seed: a seed of its own, but "base" is trained under each of the recipe's seeds; leave it out
      27:56  claims.a.to: no model is called "contined"; did you mean "continued"? (one of "base", "continued")
      28:62  claims.b.to.model: "base" is not evaluated on "medical" by "chain-of-thought"; add it to evaluate
      29:26  claims.c.corpus: "general" holds out no documents; give it a validationFraction
      30:3   claims.d: evaluate.duringTraining does not follow "continued" on "medical"; add it there
      31:8   claims.e.kind: "acuracy"; did you mean "accuracy"? (one of "accuracy", "perplexity", "retained", "curve")
      32:3   claims.f.without: missing; expected text or a mapping of keys to values
      32:24  claims.f.benchmark: no benchmark is called "medicl"; did you mean "medical"? (one of "medical")
      32:72  claims.f.threshold: "high" is not a number
      → correct the settings and run the same command again"
  `);
});

test("claims of every kind are valid where their numbers are made, and a model with seeds is named without", async () => {
  const yaml = claiming(
    `  a: { kind: accuracy, benchmark: medical, where: { heldOut: entity, subject: [x, y] }, from: base, to: continued, threshold: 0.2 }
  b: { kind: perplexity, corpus: general, from: base, to: continued, threshold: 0.5 }
  c: { kind: retained, benchmark: medical, base: base, with: continued, without: continued, threshold: 0.5 }`,
    "seeds: [1, 2]",
  );
  expect(await problemsOf(yaml)).toBe("valid");
  const { yaml: resolved } = await loadRecipe(join(folder, "recipe.yaml"), { runs: folder });
  await writeFile(join(folder, "recipe.yaml"), resolved);
  const again = await loadRecipe(join(folder, "recipe.yaml"), { runs: folder });
  expect(Object.keys(again.recipe.train)).toEqual(["base@1", "base@2", "continued@1", "continued@2"]);
  expect(again.yaml).toBe(resolved);
});

test("a recipe that extends another says only what differs; each file's paths start at its own folder", async () => {
  await mkdir(join(folder, "shared"));
  await writeFile(join(folder, "shared", "small.yaml"), SMALL);
  const yaml =
    "extends: shared/small.yaml\nname: longer\ntrain: { base: { steps: 20, schedule: { minLearningRate: 1.0e-5 } } }\n";
  expect(await problemsOf(yaml)).toBe("valid");
  const { recipe } = await loadRecipe(join(folder, "recipe.yaml"), { runs: join(folder, "runs") });
  expect(recipe).toMatchObject({
    name: "longer",
    corpora: { general: { sources: [{ path: join(folder, "shared") }] } },
    train: { base: { steps: 20, sequenceLength: 64, schedule: { peakLearningRate: 1e-3, minLearningRate: 1e-5 } } },
  });
});

test("a problem is placed in the file that holds it, and a circle of recipes is refused", async () => {
  await writeFile(join(folder, "small.yaml"), SMALL.replace("steps: 10", "steps: 0"));
  expect(await problemsOf("extends: small.yaml\ntrain: { base: { globalBatchSize: -1 } }\n")).toMatchInlineSnapshot(`
    "RECIPE_INVALID at ~/recipe.yaml: 2 problems, nothing was started
      2:18             train.base.globalBatchSize: -1 is out of range; expected more than 0
      small.yaml:10:5  train.base.steps: 0 is out of range; expected more than 0
      → correct the settings and run the same command again"
  `);
  await writeFile(join(folder, "small.yaml"), "extends: recipe.yaml\n");
  expect(await problemsOf("name: a\nextends: small.yaml\n")).toMatchInlineSnapshot(`
    "RECIPE_EXTENDS at ~/small.yaml:1:1: recipe.yaml extends this recipe in its turn
      → name one other recipe, as in extends: demo.yaml"
  `);
});

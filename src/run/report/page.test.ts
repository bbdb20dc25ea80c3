import { expect, test } from "vitest";
import type { CorpusManifest } from "../../corpus/shards.ts";
import type { TrainEvent } from "../../train/job.ts";
import type { ClaimResult } from "../claims/index.ts";
import { recipeSchema } from "../recipe.ts";
import type { ReportData, Score } from "./data.ts";
import { renderReport } from "./page.ts";

const ATTACK = `<script>alert("x")</script><img src=x>`;
const time = "2026-01-01T00:00:00.000Z";

const manifest = (kind: string): CorpusManifest => ({
  format: "meditron-corpus",
  version: 1,
  tool: "meditron",
  recipeHash: "",
  seed: 1,
  shards: [{ file: "train-00000.jsonl.zst", split: "train", documents: 90, bytes: 1, textBytes: 2048, sha256: "ab" }],
  splits: {
    train: {
      documents: 90,
      textBytes: 2048,
      bySource: { [ATTACK]: 80, other: 10 },
      byKind: { [kind]: 90 },
      byLicense: { "CC-BY-4.0": 60, unknown: 30 },
      byLanguage: { en: 90 },
      byYear: { 2020: 30, 2021: 30, 2022: 30 },
      redistributable: 60,
    },
  },
  drops: { total: 10, byRule: { "filter.length": 7, "deduplicate.text": 3 }, file: "drops.jsonl.zst" },
  stages: [
    { stage: "read", in: 100, out: 100, dropped: 0, added: 0 },
    { stage: "filter", in: 100, out: 90, dropped: 10, added: 0 },
  ],
  reports: [],
});

const events = (loss: number): TrainEvent[] => [
  { event: "train-start", time, job: "j", parameters: 1e6, resumedFromStep: 0, kernels: "native", memoryPlanBytes: 1 },
  ...[1, 2, 3].map(
    (step): TrainEvent => ({
      event: "step-end",
      time,
      step,
      loss: loss / step,
      gradNorm: 1,
      learningRate: 1e-3 / step,
      samples: step,
      tokens: 1000,
      tokensPerSecond: 500,
    }),
  ),
  ...["general", "medical"].map(
    (name): TrainEvent => ({
      event: "validation-end",
      time,
      step: 3,
      name,
      loss,
      perplexity: Math.exp(loss),
      tokens: 10,
    }),
  ),
];

const score = (model: string, benchmark: string, accuracy: number): Score => ({
  model,
  benchmark,
  solver: "greedy",
  items: 200,
  accuracy,
  low: accuracy - 0.05,
  high: accuracy + 0.05,
  unparseableFraction: 0.01,
  parserDisagreement: 0.037,
  href: `report/items/${model}.${benchmark}/index.html`,
  file: "",
  rule: "strict",
});

const claim: ClaimResult = {
  claim: "k",
  statement: `Knowledge ${ATTACK}`,
  kind: "accuracy",
  effect: 0.25,
  low: 0.2,
  high: 0.3,
  threshold: 0.2,
  holds: true,
  unit: "accuracy",
  n: 200,
  seeds: [1, 2],
  perSeed: [
    { seed: 1, effect: 0.24 },
    { seed: 2, effect: 0.26 },
  ],
  seedDeviation: 0.01,
  values: [
    { name: "base", value: 0.25 },
    { name: "continued", value: 0.5 },
  ],
  computedFrom: ["eval/x"],
};

const training = (from: unknown) => ({
  from,
  data: [{ corpus: "general" }],
  steps: 3,
  sequenceLength: 8,
  globalBatchSize: 1,
  schedule: { peakLearningRate: 1, minLearningRate: 0 },
});

function data(): ReportData {
  const scores = ["base", "continued"].flatMap((model, i) => [
    score(model, "exam", 0.25 + 0.25 * i),
    score(model, "general", 0.8 - 0.1 * i),
  ]);
  return {
    title: `Title ${ATTACK}`,
    description: ATTACK,
    name: "r",
    directory: "/runs/r",
    recipeYaml: `name: ${ATTACK}`,
    recipe: recipeSchema.parse({
      name: "r",
      tokenizer: { path: "." },
      train: { base: training({ config: {} }), continued: training("base") },
      footprint: { carbonKgPerKwh: 0.1, pricePerHour: 2 },
    }),
    provenance: {
      meditron: "0.1.0",
      node: "v20",
      packages: { zod: "4" },
      host: { name: "h", system: "s", cpu: ATTACK, cores: 2, memoryBytes: 2 ** 34 },
      recipe: { file: "r.yaml", sha256: "ab" },
      starts: [{ time, commandLine: `meditron run ${ATTACK}` }],
    },
    seconds: 90,
    stages: [
      { id: "tokens.general", seconds: 30, counts: { tokens: 5000, validationTokens: 100 } },
      { id: "train.base", seconds: 60, counts: { parameters: 1e6, steps: 3, tokensPerStep: 1000 } },
    ],
    corpora: [
      { name: "general", manifest: manifest("replay"), dropSamples: new Map() },
      {
        name: "medical",
        manifest: manifest("guideline"),
        dropSamples: new Map([
          [
            "filter.length",
            [{ id: ATTACK, source: "s", rule: "filter.length", value: 3, threshold: 5, reason: ATTACK }],
          ],
        ]),
      },
    ],
    trainings: [
      { name: "base", events: events(5) },
      { name: "continued", events: events(3) },
    ],
    scores,
    results: scores.map((one) => ({
      ...one,
      scores: [one],
      ...(one.model === "base"
        ? {}
        : {
            versus: {
              model: "base",
              difference: 0.25,
              low: 0.2,
              high: 0.3,
              p: 0.001,
              verdict: one.benchmark === "exam" ? ("better" as const) : ("worse" as const),
            },
          }),
    })),
    baselines: [{ benchmark: "exam", items: 200, chance: 0.25, majority: 0.3, majorityAnswer: "A" }],
    claims: [
      claim,
      {
        ...claim,
        claim: "n",
        effect: null,
        low: null,
        high: null,
        holds: false,
        values: [],
        perSeed: [],
        note: "eval/y is not there yet",
      },
    ],
    curves: [
      {
        model: "continued",
        benchmark: "exam",
        solver: "greedy",
        label: "greedy",
        points: [0, 3].map((step) => ({
          step,
          tokens: 1000 * step,
          accuracy: 0.25 + step / 12,
          low: 0.2,
          high: 0.6,
          items: 50,
        })),
      },
    ],
  };
}

test("every section is there, claims first, and hostile text is only text", () => {
  const page = renderReport(data());
  const ids = [...page.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id);
  expect(ids).toEqual([
    "claims",
    "pipeline",
    "corpus",
    "training",
    "forgetting",
    "accuracy",
    "drops",
    "cost",
    "repeat",
  ]);
  for (const [, id] of page.matchAll(/href="#([a-z]+)"/g)) expect(ids).toContain(id);
  expect(page).not.toContain("<script");
  expect(page).not.toContain("<img");
  expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  // No request leaves the page.
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|url\(|@import/);
});

test("significance, seeds, what is estimated, and the paper's figures apart from ours", () => {
  const page = renderReport(data());
  expect(page).toMatch(/mark better[^>]*>▲<\/span> \+25\.0/);
  expect(page).toMatch(/mark worse[^>]*>▼/);
  expect(page).toContain("2 training seeds, sd 1.0");
  // Next to an accuracy: outputs without an answer, and outputs that the two parsers read differently.
  expect(page).toMatch(/<td class="number">1.0%<\/td><td class="number">3.7%<\/td>/);
  expect(page).toMatch(/energy<\/th><td><span class="pill warn">estimated/);
  expect(page).toMatch(/time<\/th><td><span class="pill">measured/);
  expect(page).toContain("not measured");
  const paper = page.slice(page.indexOf('class="paper"'), page.indexOf("</details>", page.indexOf('class="paper"')));
  expect(paper).toContain("Meditron-70B");
  expect(paper).not.toContain("continued");
});

test("a run that has only started makes a page as well", () => {
  const empty = {
    ...data(),
    corpora: [],
    trainings: [],
    scores: [],
    results: [],
    claims: [],
    curves: [],
    stages: [],
    baselines: [],
    seconds: 0,
  };
  const page = renderReport(empty);
  expect(page).toContain("Nothing is evaluated yet.");
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

import { expect, test } from "vitest";
import { medicalSubjects } from "../benchmarks/mmlu.ts";
import { evaluateConfigSchema } from "../settings.ts";
import type { Summary } from "../summary.ts";
import { leaderboard } from "./format.ts";
import { publishedAverages, publishedScores } from "./published.ts";

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("every average the paper prints is the mean of its row, but for the misprints it is known for", () => {
  const wrong = publishedAverages
    // Printed with one digit from figures with one digit: off by at most 0.05 of rounding, twice.
    .filter(({ printed, scores }) => Math.abs(mean(scores) - printed) > 0.1)
    .map(({ model, source, printed, scores }) => `${source}, ${model}: ${printed}, is ${mean(scores).toFixed(2)}`);
  expect(wrong).toMatchInlineSnapshot(`
    [
      "Meditron table 5, Meditron-7B: 57.5, is 57.82",
    ]
  `);
  expect(publishedAverages.length).toBe(7 + 4 + 5 + 2 + 2 + 5 + 8 + 2 + 6);
});

test("one number per (model, set, shots, mode, training, harness, source)", () => {
  const keys = publishedScores.map(({ score: _, deviation: __, ...key }) => JSON.stringify(key));
  expect(new Set(keys).size).toBe(keys.length);
});

// Percentages of k right of n: table 12's values fit sizes one smaller than the true ones (a first row lost).
test("the paper's MMLU percentages are whole numbers of questions only when one row per subject is missing", () => {
  const fits = (percent: number, n: number) =>
    Math.abs(Math.round((percent * n) / 100) - (percent * n) / 100) < n * 0.0005 + 1e-9;
  const sizes = { anatomy: 135, college_biology: 144, medical_genetics: 100, virology: 166 } as const;
  for (const [subject, size] of Object.entries(sizes)) {
    const scores = publishedScores.filter(
      ({ set, source }) => set === `MMLU/${subject}` && source === "Meditron table 12",
    );
    expect(scores.length).toBe(13);
    const count = (n: number) => scores.filter(({ score }) => fits(score, n)).length;
    expect(count(size - 1)).toBeGreaterThan(count(size));
  }
});

test("published values keep their spread: ±51 points over three seeds is not knowledge", () => {
  const llama = publishedScores.find(
    ({ model, set, source }) => model === "Llama-2-7B" && set === "PubMedQA" && source.endsWith("4"),
  );
  expect(llama).toMatchObject({ score: 49.1, deviation: 51.1, shots: 3, mode: "in-context" });
});

test("every system of the paper's comparison is here, on every set that was published for it", () => {
  const sets = (model: string) => new Set(publishedScores.filter((row) => row.model === model).map(({ set }) => set));
  const systems = ["GPT-3.5", "GPT-4", "Med-PaLM", "Med-PaLM 2", "Llama-2-7B", "Llama-2-70B", "PMC-Llama-7B"];
  systems.push(
    "Mistral-7B-Instruct",
    "Zephyr-7B-beta",
    "Clinical-Camel-70B",
    "Med42-70B",
    "Meditron-7B",
    "Meditron-70B",
  );
  for (const model of systems)
    for (const set of ["PubMedQA", "MedMCQA", "MedQA-4"]) expect(sets(model), model).toContain(set);
  // Four sources score GPT-4 on the four-option MedQA, from 78.9 to 82.3: no row stands for another.
  const gpt4 = publishedScores.filter(({ model, set }) => model === "GPT-4" && set === "MedQA-4");
  expect(new Set(gpt4.map(({ source }) => source)).size).toBe(gpt4.length);
  expect(gpt4.map(({ score }) => score).sort()).toEqual([78.9, 81.4, 82.3, 82.3]);
});

test("the paper's MMLU-Medical is the micro average of its nine subjects, over one question less in each", () => {
  const off = publishedScores
    .filter(({ set, source }) => set === "MMLU-Medical" && source === "Meditron table 5")
    .map(({ model, mode, training, score }) => {
      const share = (subject: string) =>
        publishedScores.find(
          (row) =>
            row.source === "Meditron table 12" &&
            row.set === `MMLU/${subject}` &&
            row.model === model &&
            row.mode === mode &&
            row.training === training,
        )!.score;
      const right = Object.entries(medicalSubjects).map(([subject, size]) => share(subject) * (size - 1));
      const micro = right.reduce((a, b) => a + b, 0) / 1862;
      return { model, mode, score, micro };
    })
    .filter(({ score, micro }) => Math.abs(score - micro) > 0.15)
    .map(({ model, mode, score, micro }) => `${model}, ${mode}: ${score}, is ${micro.toFixed(2)}`);
  expect(off).toMatchInlineSnapshot(`
    [
      "Zephyr-7B-beta, top-token: 63.3, is 63.54",
      "Llama-2-70B, self-consistency: 77.9, is 78.05",
      "Meditron-70B, self-consistency: 77.6, is 77.79",
    ]
  `);
});

test("published numbers stand beside a set only where the whole of it was scored", () => {
  const row = { accuracy: 0.4, interval: { low: 0.3, high: 0.5 }, perSeed: [], subjects: {}, unansweredFraction: 0 };
  const measured = (items: number, splitItems: number): Summary =>
    ({
      model: { name: "m", id: "" },
      benchmark: { name: "pubmedqa", items, splitItems, leaderboardSet: "PubMedQA" },
      settings: evaluateConfigSchema.parse({}),
      rule: "restricted",
      scores: { restricted: row },
      baseline: { majorityAccuracy: 0.552 },
    }) as unknown as Summary;
  expect(leaderboard([measured(500, 500)]).theirs.map(({ set }) => set)).toContain("PubMedQA");
  for (const [items, splitItems] of [
    [309, 309], // a file with a sample
    [100, 500], // a limit
  ] as const) {
    const { ours, theirs } = leaderboard([measured(items, splitItems)]);
    expect(ours).toMatchObject([{ items, wholeItems: 500 }]);
    expect(theirs).toEqual([]);
  }
});

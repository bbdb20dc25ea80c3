import { expect, test } from "vitest";
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
  expect(publishedAverages.length).toBe(7 + 4 + 5 + 2 + 2 + 3 + 8 + 1 + 6);
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

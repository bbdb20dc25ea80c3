/** Real benchmark files and real published model outputs. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type Benchmark,
  type BenchmarkConfig,
  benchmarkConfigSchema,
  loadBenchmark,
} from "../../src/eval/benchmarks/index.ts";
import { baselineOf } from "../../src/eval/index.ts";
import { readPublishedOutputs, scorePublishedOutputs } from "../../src/eval/scoring/published-outputs.ts";
import { realData } from "./data.ts";

const folder = realData("benchmarks");
const load = (config: object): Promise<Benchmark> =>
  loadBenchmark(benchmarkConfigSchema.parse(config) as BenchmarkConfig, { name: "real", directory: folder! });
const keys = (set: string): string[] => JSON.parse(readFileSync(`${folder}/${set}/keys.json`, "utf8")) as string[];

const medqa = { type: "medqa", options: 4, test: "medqa/phrases_no_exclude_test.jsonl" };
const bioasq = {
  type: "custom",
  test: "bioasq/golden_yesno.json",
  records: "questions",
  labels: ["yes", "no"],
  fields: { question: "body", answer: "exact_answer" },
};

describe.skipIf(!folder)("benchmarks as they are published (needs ../shared/data)", () => {
  test("every file loads whole", async () => {
    const sizes = await Promise.all(
      [
        medqa,
        { type: "medmcqa", validation: "medmcqa/dev.json" },
        { type: "pubmedqa", test: "pubmedqa/test_set.json" },
        { type: "pubmedqa", labelled: "pubmedqa/ori_pqal.60pct.json" },
        { type: "mmlu", path: "mmlu" },
        { type: "truthfulqa", validation: "truthfulqa/TruthfulQA.csv" },
        { type: "truthfulqa", validation: "truthfulqa/TruthfulQA.csv", categories: "all" },
        bioasq,
      ].map(async (config) => (await load(config)).items.length),
    );
    // TruthfulQA: Health 38 + Nutrition 8 + Psychology 15 + Science 6 = 67 of this sample's 499.
    // mmlu/: 80 + 155 + 78 + 104 + 58 + 158 rows by Python's csv reader.
    expect(sizes).toEqual([747, 2525, 309, 595, 633, 67, 499, 367]);
  });

  test("MMLU with header lines: subjects outside medicine, demonstrations from dev", async () => {
    const set = await load({ type: "mmlu", path: "mmlu57-with-header", subjects: "non-medical" });
    expect(set.items.some(({ question }) => question === "question")).toBe(false);
    expect(set.items.some(({ subject }) => subject === "medical_genetics")).toBe(false);
    expect(new Set(set.items.map(({ subject }) => subject)).size).toBeGreaterThan(20);
    // Five per subject.
    expect(set.splits.train!.items.length % 5).toBe(0);
  });

  test("PubMedQA's majority class is yes: 166 of this sample's 309", async () => {
    const set = await load({ type: "pubmedqa", test: "pubmedqa/test_set.json" });
    expect(baselineOf(set)).toMatchObject({ majorityClass: "yes", majorityAccuracy: 166 / 309 });
    expect(baselineOf(set).chance).toBeCloseTo(1 / 3, 12);
  });

  test("MedQuAD's pages give its questions with answers", async () => {
    const path = realData("medquad");
    if (!path) return;
    const set = await load({ type: "medquad", path });
    // QAPair and pair elements whose answer holds text, counted with Python's ElementTree.
    expect(set.items.length).toBe(9928);
  });
});

describe.skipIf(!folder)("published outputs of GPT-3.5 (needs ../shared/data)", () => {
  interface Expected {
    correct: number;
    acc: number;
    empty_outputs: number;
    acc_if_empty_counts_as_A: number;
  }
  const expected = folder
    ? (JSON.parse(readFileSync(`${folder}/expected_scores.json`, "utf8")) as Record<string, Record<string, Expected>>)
    : {};
  const configs: Record<string, object> = {
    medqa,
    medmcqa: { type: "medmcqa", validation: "medmcqa/dev.json" },
    pubmedqa: { type: "pubmedqa", test: "pubmedqa/test_set.json" },
    mmlu: { type: "mmlu", path: "mmlu" },
    bioasq,
  };
  const runs = Object.keys(configs).flatMap((set) =>
    ["gpt-35-turbo-16k.cot", "gpt-35-turbo-16k.rag_32"].map((run) => [set, run] as const),
  );
  test.each(runs)(
    "%s, %s: the published score under the published rule, the honest one under ours",
    async (set, run) => {
      const { items } = await load(configs[set]!);
      const ids = set === "medqa" || set === "mmlu" ? keys(set) : items.map(({ id }) => id);
      const named = items.map((item, i) => ({ ...item, id: ids[i]! }));
      const outputs = await readPublishedOutputs(`${folder}/predictions/${set}.${run}.jsonl`);
      const score = scorePublishedOutputs(named, outputs);
      const want = expected[set]![run]!;
      const percent = (correct: number) => Number(((100 * correct) / named.length).toFixed(2));
      expect({ correct: score.published, acc: percent(score.published), empty: score.empty }).toEqual({
        correct: want.correct,
        acc: want.acc,
        empty: want.empty_outputs,
      });
      const emptyWithGoldA = named.filter(({ id, answer }) => outputs.get(id)?.length === 0 && answer === "A").length;
      expect(percent(score.published + emptyWithGoldA)).toBe(want.acc_if_empty_counts_as_A);
      // The honest reading pays for no silence: what it does not recognise is counted, not guessed.
      expect(score.unanswered).toBeLessThanOrEqual(score.disagreement);
      expect(Math.abs(score.strict - score.published)).toBeLessThanOrEqual(score.disagreement);
    },
  );
});

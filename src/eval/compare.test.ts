import { expect, test } from "vitest";
import { NgramModel } from "../../test/support/ngram-model.ts";
import type { Item } from "./benchmarks/benchmark.ts";
import { compareGroups, compareRuns, formatComparison } from "./compare.ts";
import { findContamination, findTaught } from "./contamination.ts";
import type { ItemRecord } from "./record.ts";
import { isDecided, majority } from "./solvers/index.ts";
import { measureTextLoss, pieces } from "./text-loss.ts";

const records = (right: boolean[]): ItemRecord[] =>
  right.map((correct, i) => ({
    key: "k",
    id: `q${i}`,
    seed: 1,
    rotation: 0,
    prompt: "",
    gold: "A",
    predictions: { strict: correct ? "A" : "B" },
    correct: { strict: correct },
    generatedTokens: 0,
    milliseconds: 0,
  }));

test("a real difference is named, one within noise is called that, and many comparisons are corrected", () => {
  const n = 200;
  const base = records(Array.from({ length: n }, (_, i) => i % 2 === 0));
  const same = records(Array.from({ length: n }, (_, i) => i % 2 === (i < 6 ? 1 : 0)));
  const better = records(Array.from({ length: n }, (_, i) => i % 2 === 0 || i % 4 === 1));
  const results = compareRuns([
    { name: "base", records: base, rule: "strict" },
    { name: "same", records: same, rule: "strict" },
    { name: "better", records: better, rule: "strict" },
  ]);
  expect(results.map(({ first, second, verdict }) => `${second}-${first}: ${verdict}`)).toEqual([
    "same-base: within noise",
    "better-base: second better",
    "better-same: second better",
  ]);
  expect(results[1]).toMatchObject({ onlyFirst: 0, onlySecond: 50, difference: 0.25, items: n });
  for (const { pMid, pCorrected } of results) expect(pCorrected).toBeGreaterThanOrEqual(pMid);
  expect(formatComparison(results[1]!)).toMatch(
    /^better − base: \+25\.0 points \(\+1\d\.\d to \+3\d\.\d\), p < 0\.001 corrected: second better$/,
  );
  expect(() =>
    compareRuns([
      { name: "a", records: base, rule: "strict" },
      { name: "b", records: base.slice(1), rule: "strict" },
    ]),
  ).toThrow(expect.objectContaining({ code: "EVAL_DIFFERENT_ITEMS" }));
});

test("groups are compared within themselves and corrected together", () => {
  const base = records(Array.from({ length: 40 }, (_, i) => i % 2 === 0));
  const better = records(Array.from({ length: 40 }, (_, i) => i % 2 === 0 || i < 12));
  const pair = [
    { name: "base", records: base, rule: "strict" },
    { name: "better", records: better, rule: "strict" },
  ];
  const [alone] = compareRuns(pair);
  const together = compareGroups([pair, pair, pair]);
  expect(together).toHaveLength(3);
  for (const { pCorrected } of together) expect(pCorrected).toBeCloseTo(3 * alone!.pMid, 12);
});

test("votes: no answer does not vote, the first sampled wins a tie, a decided vote is final", () => {
  expect(majority(["A", "B", "B", null])).toBe("B");
  expect(majority([null, "C", "A", "A", "C"])).toBe("C");
  expect(majority([null, null])).toBeNull();
  // Whatever the remaining votes are, a decided winner stays: all 3^4 ways of five votes.
  const letters = ["A", "B", null];
  for (let code = 0; code < 3 ** 5; code++) {
    const votes = Array.from({ length: 5 }, (_, i) => letters[Math.floor(code / 3 ** i) % 3]!);
    for (let seen = 1; seen < 5; seen++)
      if (isDecided(votes.slice(0, seen), 5 - seen)) expect(majority(votes)).toBe(majority(votes.slice(0, seen)));
  }
  expect(isDecided(["A", "A", "A"], 2)).toBe(true);
  expect(isDecided(["A", "A", "B"], 2)).toBe(false);
});

test("bits per byte: pieces joined are the text, a trained model needs fewer bits, length cuts change little", async () => {
  const text = "The liver makes bile and the heart pumps blood. ".repeat(40);
  const model = new NgramModel(text.slice(0, 480), { order: 6 });
  const small = Object.assign(new NgramModel(text.slice(0, 480), { order: 6 }), {
    capabilities: { logLikelihoods: true, generate: true, contextTokens: 200 },
  });
  expect([...pieces(text, small)].join("")).toBe(text);
  expect([...pieces(text, small)].length).toBeGreaterThan(10);
  const whole = await measureTextLoss(model, [{ id: "d", text }]);
  const cut = await measureTextLoss(small, [{ id: "d", text }]);
  // One byte a character and a token: perplexity = 2^bitsPerByte.
  expect(whole.perplexity).toBeCloseTo(2 ** whole.bitsPerByte, 8);
  // An n-gram of order 6 looks back five characters; the piece before is always longer, so cutting changes nothing.
  expect(cut.bitsPerByte).toBeCloseTo(whole.bitsPerByte, 10);
  const untrained = await measureTextLoss(new NgramModel("x", { order: 6 }), [{ id: "d", text }]);
  expect(whole.bitsPerByte).toBeLessThan(untrained.bitsPerByte / 2);
  await expect(measureTextLoss(model, [{ id: "e", text: " " }])).rejects.toMatchObject({ code: "EVAL_NO_TEXT" });
});

test("contamination: an item whose words a document holds is found, one that shares a phrase is not", async () => {
  const question =
    "A 60-year-old man with crushing chest pain has ST elevation in leads II, III and aVF on his first tracing";
  const item = (id: string, text: string): Item => ({ id, question: text, options: [], answer: "A", meta: {} });
  const hits = await findContamination(
    [
      item("in", question),
      item("phrase", `${question.slice(0, 50)} but something else altogether follows in this long question here`),
      item("short", "What is the cause of gout?"),
      item("common", "What is gout?"),
    ],
    [
      { id: "d1", text: `Case: ${question.toUpperCase()}. He was treated.` },
      { id: "d2", text: "What is gout, and what is  the cause of GOUT? A disease." },
    ],
  );
  expect(hits).toEqual([
    { item: "in", document: "d1", overlapFraction: 1 },
    { item: "short", document: "d2", overlapFraction: 1 },
  ]);
});

test("finetuning items that are test questions: the 80% rule on crafted pairs, short questions compared whole", () => {
  const words = Array.from({ length: 27 }, (_, i) => `w${i}`);
  const item = (id: string, question: string): Item => ({ id, question, options: [], answer: "A", meta: {} });
  // 27 words have twenty 8-grams. k foreign words at the end spoil k of them: 4 leave 80%, 5 leave 75%.
  const spoiled = (k: number) => [...words.slice(0, 27 - k), ...Array.from({ length: k }, (_, i) => `x${i}`)].join(" ");
  const scored = [
    item("t", words.join(" ")),
    item("s", "What is gout?"),
    item("l", "Tell me what is gout and more of it"),
  ];
  const found = findTaught(
    [
      item("same", words.join(" ").toUpperCase()),
      item("near", spoiled(4)),
      item("far", spoiled(5)),
      item("gout", "What is  gout"),
      item("flu", "What is flu?"),
    ],
    scored,
  );
  expect(found).toEqual([
    { id: "same", overlapFraction: 1 },
    { id: "near", overlapFraction: 0.8 },
    { id: "gout", overlapFraction: 1 },
  ]);
  expect(findTaught([item("same", words.join(" "))], [])).toEqual([]);
});

import { expect, test } from "vitest";
import { brokenLimits, FILTER_PROFILES, measureText, previewFilters } from "./filter.ts";
import { prose, testDocument } from "./testing.ts";

const everything = {
  minWords: 0,
  maxSymbolFraction: 1,
  maxDuplicateLineFraction: 1,
  maxDuplicateParagraphFraction: 1,
  maxTopBigramFraction: 1,
  maxDuplicateTenGramFraction: 1,
  maxEllipsisLineFraction: 1,
  maxReplacementFraction: 1,
  minStopWords: 0,
};

test("measures, by hand", () => {
  expect(measureText("the dose of 5 mg #1\nthe dose of 5 mg #1\nand more...", everything)).toEqual({
    words: 14, // 6 + 6 + 2
    meanWordLength: 38 / 14, // twice 3 + 4 + 2 + 1 + 2 + 2, then 3 + 7
    alphabetic: 10 / 14, // not: 5 #1 5 #1
    symbols: 3 / 14,
    duplicateLines: expect.closeTo(1 / 3, 12),
    duplicateParagraphs: 0,
    topBigram: 4 / 14, // a pair that stands twice
    duplicateTenGrams: 0,
    ellipsisLines: 1 / 3,
    replacements: 0,
    stopWords: 5,
  });
});

test("a guideline of doses and repeated lines passes its own profile and fails the web's", () => {
  const text = `${prose(1, 60)}\n${Array.from({ length: 12 }, (_, i) => `${i} mg\n10 mg 20 mg 30 mg`).join("\n")}`;
  const document = testDocument({ text, kind: "guideline" });
  expect(brokenLimits(document, FILTER_PROFILES.guideline)).toEqual([]);
  expect(brokenLimits(document, FILTER_PROFILES.replay).map(({ rule }) => rule)).toContain("filter.duplicate-lines");
});

test("a drop says value, threshold and why", () => {
  const [drop] = brokenLimits(testDocument({ id: "x", text: "only four words here" }), { minWords: 10 });
  expect(drop).toMatchObject({
    rule: "filter.too-few-words",
    value: 4,
    threshold: 10,
    reason: "4 words, fewer than 10",
  });
});

test("a preview counts what each rule would remove, alone and together", async () => {
  const documents = [
    testDocument({ text: "1 2 3" }),
    testDocument({ text: prose(1) }),
    testDocument({ text: "a few words" }),
  ];
  const preview = await previewFilters(documents);
  expect(preview).toMatchObject({ documents: 3, dropped: 2 });
  expect(preview.rules.map(({ rule, documents: n, onlyByThis }) => [rule, n, onlyByThis])).toEqual([
    ["filter.too-few-words", 2, 1],
    ["filter.not-alphabetic", 1, 0],
  ]);
});

import { describe, expect, test } from "vitest";
import { letterOf, type Option } from "../benchmarks/benchmark.ts";
import { yesNoMaybe } from "../benchmarks/pubmedqa.ts";
import { extractLenient, extractNearest } from "./extract-lenient.ts";
import { extractStrict } from "./extract-strict.ts";

const lettered = (...texts: string[]): Option[] => texts.map((text, i) => ({ letter: letterOf(i), text }));
const drugs = lettered("Aspirin", "Heparin", "Warfarin", "All of the above");

/** [output, strict, lenient]: the traps of the specification's section 5 (8) and their neighbours. */
const direct: [string, string | undefined, string | undefined][] = [
  ["B", "B", "B"],
  [" B\n\nQuestion: next", "B", "B"],
  ["b", "B", "B"],
  ["(C)", "C", "C"],
  ["C.", "C", "C"],
  ["B. Heparin", "B", "B"],
  ["B. Warfarin", undefined, "B"],
  ["B: Heparin, because it acts at once", "B", "B"],
  ["Option B", "B", undefined],
  ["Heparin", "B", undefined],
  ["The answer is: B", "B", undefined],
  ["Because the patient bleeds", undefined, "B"],
  ["Cannot say", undefined, "C"],
  ["All of the above", "D", "A"],
  ["A 45-year-old man should rest", undefined, "A"],
  ["a stroke", undefined, "A"],
  ["A. fumigatus", undefined, "A"],
  ["C/D", undefined, "C"],
  ["A or B", undefined, "A"],
  ["B) or C)", undefined, "B"],
  ["E", undefined, undefined],
  ["e", undefined, undefined],
  ["", undefined, undefined],
  ["None of the options", undefined, undefined],
  ["**B**", "B", "B"],
];
describe("direct multiple-choice outputs, strict and lenient", () => {
  test.each(direct)("%j", (output, strict, lenient) => {
    expect(extractStrict(output, drugs, "letter")).toBe(strict);
    expect(extractLenient(output, drugs, { form: "letter", fewShot: true, chainOfThought: false })).toBe(lenient);
  });
});

const reasoned: [string, string | undefined, string | undefined][] = [
  ["It acts at once.\nThe answer is: B ###", "B", "B"],
  ["The answer is: A? No.\nThe answer is: C", "C", "C"],
  ["The answer is (B) Heparin.", "B", "B"],
  ["Both work. The answer is C/D", undefined, "C"],
  ["The answer is a 45-year-old habit", undefined, "A"],
  ["Heparin acts at once, so give it.", undefined, undefined],
  ["Clearly bleeding", undefined, "C"],
  ['{"step_by_step_thinking": "the answer is A", "answer_choice": "C"}', "C", "A"],
];
describe("chains of thought", () => {
  test.each(reasoned)("%j", (output, strict, lenient) => {
    expect(extractStrict(output, drugs, "letter")).toBe(strict);
    expect(extractLenient(output, drugs, { form: "letter", fewShot: false, chainOfThought: true })).toBe(lenient);
  });
});

test("a lone letter is the letter, also where an option's text is another letter", () => {
  const vitamins = lettered("A", "B12", "D", "C");
  expect(extractStrict("The answer is: D ", vitamins, "letter")).toBe("D");
  expect(extractStrict("D. C", vitamins, "letter")).toBe("D");
  expect(extractStrict("B12", vitamins, "letter")).toBe("B");
});

/** [output, strict, nearest] */
const texts: [string, string | undefined, string | undefined][] = [
  ["heparin", "B", "B"],
  ["Heparin, since it acts at once", "B", "B"],
  ["The answer is: low-dose aspirin ###", "D", "D"],
  ["aspirin", "A", "A"],
  ["B. heparin", "B", "B"],
  ["A. heparin", undefined, "B"],
  ["heparin or warfarin", undefined, undefined],
  ["heparinoids", undefined, undefined],
  ["a low dose of aspirin", undefined, "D"],
  ["surgery", undefined, undefined],
  ["B", undefined, undefined],
  ["", undefined, undefined],
];
describe("answers asked as texts", () => {
  const options = lettered("aspirin", "heparin", "warfarin", "low-dose aspirin");
  test.each(texts)("%j", (output, strict, nearest) => {
    expect(extractStrict(output, options, "text")).toBe(strict);
    expect(extractNearest(output, options)).toBe(nearest);
  });
});

const words: [string, string | undefined, string | undefined][] = [
  ["yes", "A", "A"],
  ["No.", "B", "B"],
  ["maybe", "C", undefined],
  ["Maybe, the sample is small", "C", undefined],
  ["yesyes", undefined, "A"],
  ["yesno", undefined, "A"],
  ["no evidence was found", undefined, undefined],
  ["yes or no", undefined, undefined],
  ["Nothing", undefined, undefined],
  ["Answer: maybe", "C", undefined],
];
describe("yes, no and maybe", () => {
  test.each(words)("%j", (output, strict, lenient) => {
    expect(extractStrict(output, yesNoMaybe, "word")).toBe(strict);
    expect(extractLenient(output, yesNoMaybe, { form: "word", fewShot: false, chainOfThought: false })).toBe(lenient);
  });
});

test("the authors' ceiling on PubMedQA's test set is 89%: 55 of 500 gold answers are maybe", () => {
  const gold = [...Array(276).fill("yes"), ...Array(169).fill("no"), ...Array(55).fill("maybe")] as string[];
  const right = (extract: (output: string) => string | undefined) =>
    gold.filter((word) => extract(word) === yesNoMaybe.find(({ text }) => text === word)!.letter).length;
  expect(right((output) => extractStrict(output, yesNoMaybe, "word"))).toBe(500);
  expect(
    right((output) => extractLenient(output, yesNoMaybe, { form: "word", fewShot: false, chainOfThought: false })),
  ).toBe(445);
});

import { expect, test } from "vitest";
import { Decontaminator, tooShortItems } from "./decontaminate.ts";
import { prose } from "./testing.ts";

const OPTIONS = { collisionWords: 13, overlapWords: 8, overlapFraction: 0.8 };
const item = (id: string, text: string) => ({ benchmark: "b", id, text });
const QUESTION =
  "A 45-year-old woman has had fatigue and dry skin for six months. Her thyroid gland is enlarged and firm. Which antibody confirms the diagnosis?";

const hits = (items: ReturnType<typeof item>[], text: string) =>
  new Decontaminator(items, OPTIONS)
    .find(text)
    .map(({ item: index, rule, overlap }) => [items[index]!.id, rule, overlap]);

test("thirteen words in a row give an item away, twelve do not", () => {
  const words = QUESTION.split(" ");
  expect(hits([item("q", QUESTION)], `before ${words.slice(0, 13).join(" ").toUpperCase()} after`)).toMatchObject([
    ["q", "collision", expect.any(Number)],
  ]);
  // "45-year-old" counts as three words
  expect(hits([item("q", QUESTION)], `before ${words.slice(0, 10).join(" ")} after`)).toEqual([]);
});

test("80% of the 8-grams give an item away, in pieces too", () => {
  // 22 words: 15 8-grams. Pieces of 12 words share 5 each.
  const text = "one two three four five six seven eight nine ten eleven twelve";
  const item12 = item("q", text);
  expect(hits([item12], `x ${text} y`)).toEqual([["q", "overlap", 1]]); // 12 words: too short for a 13-gram
  expect(hits([item12], "one two three four five six seven eight nine ten eleven x")).toEqual([["q", "overlap", 0.8]]); // 4 of 5
  expect(hits([item12], "one two three four five six seven eight nine ten x")).toEqual([]); // 3 of 5
});

test("short items are compared whole, and very short ones not at all", () => {
  const short = item("s", "What causes scurvy in sailors?");
  const tiny = item("t", "Aspirin?");
  const decontaminator = new Decontaminator([short, tiny], OPTIONS);
  expect(tooShortItems([short, tiny])).toEqual([tiny]);
  expect(decontaminator.find("They asked: what causes scurvy in sailors!")).toEqual([
    { item: 0, rule: "whole", overlap: 1 },
  ]);
  expect(decontaminator.find("What causes scurvy in soldiers?")).toEqual([]);
});

test("a benchmark's own phrasing is no contamination", () => {
  const frame =
    "Which of the following is the most likely diagnosis in this patient given these findings on examination today";
  const items = Array.from({ length: 50 }, (_, i) => item(`q${i}`, `${prose(i, 30)} ${frame}`));
  expect(hits(items, `Textbook advice. ${frame}`)).toEqual([]);
  expect(hits(items, prose(7, 30)).map(([id]) => id)).toEqual(["q7"]);
});

test("planted truth: every planted item is found, and only those", () => {
  const items = Array.from({ length: 400 }, (_, i) => item(`q${i}`, prose(10_000 + i, 18 + (i % 40))));
  const decontaminator = new Decontaminator(items, OPTIONS);
  for (let d = 0; d < 200; d++) {
    const planted = d % 2 === 0 ? [d, 399 - d] : [];
    const text = [prose(d, 200), ...planted.flatMap((i) => [items[i]!.text, prose(5000 + i, 100)])].join("\n");
    const found = decontaminator.find(text).map(({ item: index }) => index);
    expect(found).toEqual([...new Set(planted)].sort((a, b) => a - b));
  }
});

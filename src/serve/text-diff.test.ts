import fc from "fast-check";
import { expect, test } from "vitest";
import { diffTexts } from "./text-diff.ts";

const side = (parts: ReturnType<typeof diffTexts>, other: "removed" | "added") =>
  parts
    .filter(({ kind }) => kind !== other)
    .map(({ text }) => text)
    .join("");

test("removed words are marked where they stood", () => {
  expect(diffTexts("Take 5 mg [3] daily.", "Take 5 mg daily.")).toEqual([
    { kind: "same", text: "Take 5 mg " },
    { kind: "removed", text: "[3] " },
    { kind: "same", text: "daily." },
  ]);
});

test("both texts can be read off any difference", () => {
  const words = fc
    .array(fc.constantFrom("a", "b", "c", " ", "\n", "dose"), { maxLength: 40 })
    .map((list) => list.join(""));
  fc.assert(
    fc.property(words, words, (before, after) => {
      const parts = diffTexts(before, after);
      expect(side(parts, "added")).toBe(before);
      expect(side(parts, "removed")).toBe(after);
    }),
  );
});

test("nothing shorter exists: one changed word is one removal and one addition", () => {
  const words = Array.from({ length: 500 }, (_, i) => `w${i}`);
  const changed = words.map((word, i) => (i === 250 ? "other" : word));
  expect(diffTexts(words.join(" "), changed.join(" ")).map(({ kind }) => kind)).toEqual([
    "same",
    "removed",
    "added",
    "same",
  ]);
});

import { describe, expect, test } from "vitest";
import { isWrongFor } from "../benchmark-items.ts";
import { domainPhrasings, labelStatements } from "../phrasings/general.ts";
import { medicalAttributes, medicalPhrasings } from "../phrasings/medicine.ts";
import { createWorld } from "../world.ts";
import { allEverydayThings } from "./general/index.ts";
import { allConditions } from "./medicine/index.ts";
import { sharedWords } from "./shared-words.ts";
import { parseTable } from "./table.ts";

const columns = ["finding", "cause", "test", "treatment", "avoid", "risk", "complication"] as const;

/** Words of a name that only say what kind of thing it is: sharing them gives nothing away. */
const classWords = new Set("acute chronic disease syndrome disorder primary infection deficiency".split(" "));

/** Everyday facts that cannot but sound like their entity: a land and its language, an animal and its young. */
const soundsAlike = new Set(["language", "young", "capital"]);

function repeated(values: readonly string[]): string[] {
  const folded = values.map((value) => value.toLowerCase());
  return folded.filter((value, index) => folded.indexOf(value) !== index);
}

describe("the medical tables", () => {
  test("name every condition once, and give no two the same hallmark finding, cause, test, treatment or hazard", () => {
    expect(allConditions.length).toBeGreaterThanOrEqual(200);
    for (const column of ["name", "finding", "cause", "test", "treatment", "avoid"] as const) {
      expect({ column, repeated: repeated(allConditions.map((c) => c[column])) }).toEqual({ column, repeated: [] });
    }
  });

  test("give at least two hundred conditions eight attributes, a source and words for the cell that one reads on", () => {
    for (const condition of allConditions) {
      for (const column of columns) expect(condition[column].length, `${condition.name} ${column}`).toBeGreaterThan(1);
      expect(new Set(columns.map((column) => condition[column])).size, condition.name).toBe(columns.length);
      expect(condition.source, condition.name).toMatch(/[A-Z]/);
      expect(condition.specialty.length).toBeGreaterThan(5);
    }
  });

  test("do not give answers away: no fact shares a word with its condition's name, nor an answer with the finding", () => {
    const given = allConditions.flatMap((condition) => [
      ...columns.flatMap((column) =>
        sharedWords(condition.name, condition[column])
          .filter((word) => !classWords.has(word))
          .map((word) => `${condition.name}, ${column}: ${word}`),
      ),
      ...(["test", "treatment", "avoid"] as const).flatMap((column) =>
        sharedWords(condition.finding, condition[column]).map(
          (word) => `${condition.name}, finding and ${column}: ${word}`,
        ),
      ),
    ]);
    expect(given).toEqual([]);
  });

  test("hold no dose, and nothing but ASCII", () => {
    for (const condition of allConditions) {
      for (const column of columns) {
        expect(condition[column], condition.name).not.toMatch(/\d\s*(mg|ml|mcg|g|units?|milligrams?|micrograms?)\b/i);
        expect(condition[column], condition.name).toMatch(/^[\x20-\x7e]+$/);
      }
    }
  });

  test("hold short phrases: at most six words and an article, without a full stop or a capital article", () => {
    for (const condition of allConditions) {
      for (const column of columns) {
        const length = condition[column].replace(/^(a|an|the) /, "").split(" ").length;
        expect(length, `${condition.name}: ${condition[column]}`).toBeLessThanOrEqual(6);
        expect(condition[column], condition.name).not.toMatch(/\.$|^The |^A /);
      }
      expect(["adult", "elder", "woman", "man", "youth", "child", "infant"]).toContain(condition.patient);
    }
  });
});

describe("the everyday tables", () => {
  test("state about as many facts as the medical tables at the demo's scale", () => {
    const { conditions, things } = createWorld(7, "full");
    const facts = (entities: typeof things) => entities.reduce((sum, e) => sum + Object.keys(e.attributes).length, 0);
    expect(facts(things) / facts(conditions)).toBeGreaterThan(0.95);
    expect(facts(things) / facts(conditions)).toBeLessThan(1.05);
  });

  test("do not give answers away: no fact shares a word with its thing's name or clue", () => {
    const given = allEverydayThings.flatMap(({ name, domain, attributes }) => {
      const clue = domainPhrasings[domain]!.clue;
      return Object.entries(attributes).flatMap(([attribute, value]) =>
        [
          ...(soundsAlike.has(attribute) ? [] : sharedWords(name, value)),
          ...(attribute === clue ? [] : sharedWords(attributes[clue]!, value)),
        ].map((word) => `${name}, ${attribute}: ${word}`),
      );
    });
    expect(given).toEqual([]);
  });

  test("name every thing once and tell it apart by its clue", () => {
    expect(allEverydayThings.length).toBeGreaterThanOrEqual(200);
    expect(repeated(allEverydayThings.map((t) => t.name))).toEqual([]);
    for (const [domain, { clue, attributes }] of Object.entries(domainPhrasings)) {
      const members = allEverydayThings.filter((t) => t.domain === domain);
      expect(repeated(members.map((t) => t.attributes[clue]!))).toEqual([]);
      for (const thing of members) expect(Object.keys(thing.attributes)).toEqual(Object.keys(attributes));
    }
  });
});

test("every fact has at least twelve phrasings in every kind of source", () => {
  for (const kind of ["abstract", "paper", "guideline"] as const) {
    for (const attribute of medicalAttributes) {
      expect(new Set(medicalPhrasings(kind, attribute)).size, `${kind} ${attribute}`).toBeGreaterThanOrEqual(12);
    }
  }
  for (const { attributes } of Object.values(domainPhrasings)) {
    for (const { label, statements } of Object.values(attributes)) {
      if (label !== "") expect(new Set([...statements, ...labelStatements]).size).toBeGreaterThanOrEqual(12);
    }
  }
});

test("an option that is also right, or of the right one's family, is not wrong", () => {
  const world = createWorld(7, "all");
  const condition = (name: string) => world.conditions.find((c) => c.name === name)!;
  // vetoed by the condition's own `also` words, by family through them, and by the family of the right answer
  expect(isWrongFor(condition("peptic ulcer disease"), "avoid", "ibuprofen together with aspirin")).toBe(false);
  expect(isWrongFor(condition("gout"), "treatment", "naproxen")).toBe(false);
  expect(isWrongFor(condition("giant cell arteritis"), "treatment", "prednisolone")).toBe(false);
  expect(isWrongFor(condition("deep vein thrombosis"), "specialty", "hematology")).toBe(false);
  expect(isWrongFor(condition("gout"), "treatment", "levothyroxine")).toBe(true);
});

test("a row with a missing cell names its table and its row", () => {
  expect(() =>
    parseTable("facts/medicine/x", ["name", "cause"], "gout | urate\nflu |"),
  ).toThrowErrorMatchingInlineSnapshot(`[DataError: expected 2 filled cells (name, cause), got 2: flu |]`);
});

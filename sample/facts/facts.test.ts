import { describe, expect, test } from "vitest";
import { isWrongFor } from "../benchmark-items.ts";
import { domainPhrasings, labelStatements } from "../phrasings/general.ts";
import { medicalAttributes, medicalPhrasings } from "../phrasings/medicine.ts";
import { createWorld } from "../world.ts";
import { allEverydayThings } from "./general/index.ts";
import { allConditions } from "./medicine/index.ts";
import { parseTable } from "./table.ts";

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

  test("hold short phrases: at most seven words, without a full stop or a capitalized article", () => {
    for (const condition of allConditions) {
      for (const column of ["finding", "cause", "test", "treatment", "avoid", "risk", "complication"] as const) {
        expect(condition[column].split(" ").length, `${condition.name}: ${condition[column]}`).toBeLessThanOrEqual(7);
        expect(condition[column], condition.name).not.toMatch(/\.$|^The |^A /);
      }
      expect(["adult", "elder", "woman", "man", "youth", "child", "infant"]).toContain(condition.patient);
    }
  });
});

describe("the everyday tables", () => {
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

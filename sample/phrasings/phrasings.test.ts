import { describe, expect, test } from "vitest";
import { RandomState } from "../../src/core/random.ts";
import { entitySlots } from "../compose.ts";
import { createWorld, type Entity } from "../world.ts";
import { fill, withArticle } from "./fill.ts";
import { chainQuestions, labelQuestions, labelStatements, nameQuestions } from "./general.ts";
import { medicalQuestions } from "./medical-questions.ts";
import { chains, type MedicalKind, medicalAttributes, medicalPhrasings, vignettes } from "./medicine.ts";

const kinds: readonly MedicalKind[] = ["abstract", "paper", "guideline"];
const conditions = createWorld(7, "all").conditions;

function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function shingles(text: string, size: number): string[] {
  const all = words(text);
  return Array.from({ length: Math.max(0, all.length - size + 1) }, (_, i) => all.slice(i, i + size).join(" "));
}

/** Everything that the corpus can say of a condition. */
function corpusSentences(entity: Entity): string[] {
  const slots = entitySlots(entity, new RandomState(1));
  return [
    ...kinds.flatMap((kind) =>
      medicalAttributes.flatMap((attribute) =>
        medicalPhrasings(kind, attribute).map((t) => fill(t, { ...slots, v: entity.attributes[attribute]! })),
      ),
    ),
    ...[...chains, ...vignettes].map((t) => fill(t, slots)),
  ];
}

function testQuestions(entity: Entity): string[] {
  const slots = entitySlots(entity, new RandomState(1));
  return medicalQuestions.flatMap((type) => type.test.map((template) => fill(template, slots)));
}

/** Runs of eight words that a question shares with one of the texts. */
function leaks(questions: readonly string[], texts: readonly string[]): string[] {
  const wanted = new Set(questions.flatMap((question) => shingles(question, 8)));
  return [...new Set(texts.flatMap((text) => shingles(text, 8).filter((gram) => wanted.has(gram))))];
}

describe("held-out wordings", () => {
  test("of the three splits are disjoint, and each question type has some in each", () => {
    for (const { relation, train, validation, test: held } of [
      ...medicalQuestions,
      { relation: "labels", ...labelQuestions },
      { relation: "chains", ...chainQuestions },
      { relation: "names", ...nameQuestions },
    ]) {
      const all = [...train, ...validation, ...held];
      expect(new Set(all).size, relation).toBe(all.length);
      expect(Math.min(train.length, held.length), relation).toBeGreaterThanOrEqual(2);
      expect(validation.length, relation).toBeGreaterThanOrEqual(1);
    }
  });

  // Long names and values make long runs: whatever cannot leak for these cannot leak for any.
  const longest = (of: (entity: Entity) => string) =>
    [...conditions].sort((a, b) => words(of(b)).length - words(of(a)).length).slice(0, 12);
  const risky = new Set([...longest((e) => e.name), ...longest((e) => e.attributes.finding!)]);

  test("share no eight words in a row with any sentence that the corpus can say, for the longest names and findings", () => {
    for (const entity of risky) expect(leaks(testQuestions(entity), corpusSentences(entity)), entity.name).toEqual([]);
  });

  test("and the check would see a leak: one sentence of the corpus that borrows a test wording", () => {
    const entity = [...risky][0]!;
    const borrowed = testQuestions(entity)[0]!;
    expect(leaks(testQuestions(entity), [...corpusSentences(entity), `Remember: ${borrowed}`])).not.toEqual([]);
  });
});

describe("phrasings", () => {
  test("are at least twelve a fact and source kind, of which a third or more are the kind's own", () => {
    for (const attribute of medicalAttributes) {
      const stocks = kinds.map((kind) => medicalPhrasings(kind, attribute));
      const common = stocks[0]!.filter((t) => stocks.every((stock) => stock.includes(t)));
      for (const stock of stocks) {
        expect(new Set(stock).size).toBe(stock.length);
        expect(stock.length).toBeGreaterThanOrEqual(12);
        expect((stock.length - common.length) / stock.length).toBeGreaterThanOrEqual(1 / 3);
      }
    }
  });

  test("differ in syntax: within a fact, no two are the same once {X} and {v} are taken out, nor start with the same four words", () => {
    for (const kind of kinds) {
      for (const attribute of medicalAttributes) {
        const stock = medicalPhrasings(kind, attribute);
        const skeletons = stock.map((t) => words(t.replace(/\{\w+\}/g, " ")).join(" "));
        expect(new Set(skeletons).size, `${kind} ${attribute}`).toBe(stock.length);
        const openings = stock.map((t) => t.split(" ").slice(0, 4).join(" "));
        const twice = openings.filter((opening, i) => openings.indexOf(opening) !== i);
        expect(twice, `${kind} ${attribute}`).toEqual([]);
      }
    }
    expect(new Set(labelStatements).size).toBe(labelStatements.length);
  });

  test("leave no slot open and say a or an as one speaks", () => {
    for (const entity of conditions.slice(0, 40)) {
      for (const text of [...corpusSentences(entity), ...testQuestions(entity)]) {
        expect(text).not.toMatch(
          /[{}]|undefined|\b[Aa] (a|an|the) |\b[Aa] (8|11|18)\d?-|\b[Aa]n? infants\b|\b[Aa] infant\b/,
        );
      }
    }
    expect(["onion", "animal", "8", "80", "11", "12", "18", "unicorn", "hour", "milk"].map(withArticle)).toEqual([
      "an onion",
      "an animal",
      "an 8",
      "an 80",
      "an 11",
      "a 12",
      "an 18",
      "a unicorn",
      "an hour",
      "milk",
    ]);
  });
});

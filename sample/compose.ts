/**
 * From facts to sentences: how often each fact is said in each kind of source, and in which words.
 *
 * Emphases differ on purpose, so that leaving a source out of the mixture has consequences: papers explain findings, causes
 * and complications, abstracts report tests, guidelines say how to treat and what to avoid. Every fact is said in all three.
 */
import type { RandomState } from "../src/core/random.ts";
import { fill, isFillable, type Slots } from "./phrasings/fill.ts";
import { type MedicalAttribute, type MedicalKind, medicalAttributes, medicalPhrasings } from "./phrasings/medicine.ts";
import type { Entity } from "./world.ts";

/** Sentences per fact and source kind at full scale. */
export const exposures: Record<MedicalKind, Record<MedicalAttribute, number>> = {
  abstract: { finding: 8, cause: 8, test: 10, treatment: 7, avoid: 6, specialty: 3, risk: 2, complication: 2 },
  paper: { finding: 10, cause: 12, test: 6, treatment: 5, avoid: 5, specialty: 2, risk: 2, complication: 4 },
  guideline: { finding: 6, cause: 5, test: 8, treatment: 11, avoid: 11, specialty: 4, risk: 1, complication: 1 },
};

export interface Statement {
  attribute: MedicalAttribute;
  text: string;
}

/** The sentences about one condition in one kind of source, in random order; a phrasing recurs only when all were used. */
export function composeStatements(entity: Entity, kind: MedicalKind, volume: number, random: RandomState): Statement[] {
  const statements = medicalAttributes.flatMap((attribute) => {
    if (!(attribute in entity.attributes)) return [];
    const phrasings = random.shuffle([...medicalPhrasings(kind, attribute)]);
    const count = Math.max(1, Math.round(exposures[kind][attribute] * volume));
    return Array.from(
      { length: count },
      (_, i): Statement => ({
        attribute,
        text: fill(phrasings[i % phrasings.length]!, { X: entity.name, v: entity.attributes[attribute]! }),
      }),
    );
  });
  return random.shuffle(statements);
}

/**
 * Deals an entity's statements to `documents` documents: each attribute's sentences go round, so that no document repeats
 * a fact more often than it must.
 */
export function dealStatements(statements: readonly Statement[], documents: number, offset = 0): Statement[][] {
  const hands: Statement[][] = Array.from({ length: documents }, () => []);
  let next = offset;
  for (const attribute of medicalAttributes) {
    for (const statement of statements.filter((s) => s.attribute === attribute))
      hands[next++ % documents]!.push(statement);
  }
  return hands;
}

/**
 * Deals conditions to case collections: every condition comes up `times` times, among others it shares nothing with, so that
 * neither title nor neighbours give a diagnosis away before its finding is told.
 */
export function dealCases(
  conditions: readonly Entity[],
  { times, perCollection }: { times: number; perCollection: number },
  random: RandomState,
): Entity[][] {
  const deck = Array.from({ length: times }, () => random.shuffle([...conditions])).flat();
  return Array.from({ length: Math.ceil(deck.length / perCollection) }, (_, i) =>
    deck.slice(i * perCollection, (i + 1) * perCollection),
  );
}

export function pick<T>(random: RandomState, items: readonly T[]): T {
  return items[random.integer(0, items.length)]!;
}

/** One of the templates that this entity's facts can fill, filled. */
export function tell(entity: Entity, templates: readonly string[], random: RandomState): string {
  const slots = entitySlots(entity, random);
  return fill(
    pick(
      random,
      templates.filter((template) => isFillable(template, slots)),
    ),
    slots,
  );
}

/** Slots of an entity's own facts, plus a patient's age and noun that suit it. */
export function entitySlots(entity: Entity, random: RandomState): Slots {
  return { ...entity.attributes, X: entity.name, ...patientSlots(entity, random) };
}

const ages: Record<string, { low: number; high: number; nouns: readonly string[] }> = {
  adult: { low: 28, high: 60, nouns: ["man", "woman"] },
  elder: { low: 62, high: 84, nouns: ["man", "woman"] },
  woman: { low: 22, high: 44, nouns: ["woman"] },
  man: { low: 30, high: 58, nouns: ["man"] },
  youth: { low: 15, high: 24, nouns: ["student", "patient"] },
  child: { low: 4, high: 10, nouns: ["girl", "boy", "child"] },
  infant: { low: 2, high: 9, nouns: ["infant"] },
};

/** Conditions of one sex whose usual age is not that of `woman` or `man`. */
const NOUN_BY_CONDITION: Record<string, string> = {
  "benign prostatic hyperplasia": "man",
  "prostate cancer": "man",
  "testicular torsion": "boy",
  "testicular germ cell tumor": "man",
  "Duchenne muscular dystrophy": "boy",
  "Turner syndrome": "girl",
};

function patientSlots(entity: Entity, random: RandomState): Slots {
  const range = ages[entity.patient ?? "adult"]!;
  const who = NOUN_BY_CONDITION[entity.name] ?? pick(random, range.nouns);
  const age = random.integer(range.low, range.high + 1);
  const unit = entity.patient === "infant" ? "month" : "year";
  return { who, age: String(age), unit };
}

/** Joins sentences into paragraphs of three to six. */
export function paragraphs(sentences: readonly string[], random: RandomState): string[] {
  const result: string[] = [];
  for (let start = 0; start < sentences.length; ) {
    const length = random.integer(3, 7);
    result.push(sentences.slice(start, start + length).join(" "));
    start += length;
  }
  return result;
}

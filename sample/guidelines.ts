/** Guidelines before they become web pages or a PDF: three documents per condition, each with its share of the sentences. */
import { RandomState } from "../src/core/random.ts";
import { composeStatements, dealStatements, entitySlots, pick, type Statement } from "./compose.ts";
import { fill } from "./phrasings/fill.ts";
import { chains, type MedicalAttribute } from "./phrasings/medicine.ts";
import { places } from "./phrasings/paperwork.ts";
import type { Entity, World } from "./world.ts";

export interface GuidelineSection {
  title: string;
  /** Sentences; a section is a paragraph or a list of them. */
  sentences: string[];
  list: boolean;
}
export interface Guideline {
  /** Path below the site root, without `.html`. */
  path: string;
  title: string;
  entity: Entity;
  published: string;
  sections: GuidelineSection[];
  table?: { caption: string; rows: [string, string][] };
  references: string[];
}

type Plan = { title: string; attributes: MedicalAttribute[]; list: boolean }[];

/** The three documents about a condition, told in different orders. */
const editions: { folder: string; title: string; plan: Plan; table: boolean }[] = [
  {
    folder: "guidelines",
    title: "{X}: recognition and management",
    table: true,
    plan: [
      { title: "Recognition", attributes: ["finding", "risk", "cause"], list: false },
      { title: "Confirming the diagnosis", attributes: ["test"], list: true },
      { title: "First-line treatment", attributes: ["treatment"], list: true },
      { title: "What to avoid", attributes: ["avoid"], list: true },
      { title: "Referral and follow-up", attributes: ["specialty", "complication"], list: false },
    ],
  },
  {
    folder: "quick-reference",
    title: "Quick reference guide: {X}",
    table: false,
    plan: [
      { title: "In short", attributes: ["finding", "cause", "risk", "test"], list: false },
      { title: "Do", attributes: ["treatment", "specialty"], list: true },
      { title: "Do not", attributes: ["avoid", "complication"], list: true },
    ],
  },
  {
    folder: "pathways",
    title: "Care pathway for {X}",
    table: false,
    plan: [
      { title: "Step 1: suspect", attributes: ["finding", "risk", "cause"], list: false },
      { title: "Step 2: confirm and refer", attributes: ["test", "specialty"], list: false },
      { title: "Step 3: treat safely", attributes: ["treatment", "avoid"], list: false },
      { title: "Step 4: review", attributes: ["complication"], list: false },
    ],
  },
];

const overviews = [
  "This guideline is for clinicians who meet {X} in daily practice.",
  "The recommendations on {X} were agreed by a panel from {place}.",
  "This document covers the recognition, confirmation and treatment of {X}.",
  "It should be read together with local policy.",
];

/** All guideline documents. */
export function composeGuidelines(world: World): Guideline[] {
  const random = new RandomState(world.seed + 13);
  return world.conditions.flatMap((entity) => {
    const hands = dealStatements(composeStatements(entity, "guideline", world.volume, random), editions.length);
    return editions.map((edition, i): Guideline => {
      const hand = hands[i]!;
      const overview = random
        .shuffle([...overviews])
        .slice(0, 2)
        .map((template) => fill(template, { X: entity.name, place: pick(random, places) }));
      const sections = edition.plan.map(
        ({ title, attributes, list }): GuidelineSection => ({ title, list, sentences: sentencesOf(hand, attributes) }),
      );
      if (entity.partition === "train") {
        const chain = fill(pick(random, chains), entitySlots(entity, random));
        sections.push({ title: "Reasoning", list: false, sentences: [chain] });
      }
      return {
        path: `${edition.folder}/${entity.slug}`,
        title: fill(edition.title, { X: entity.name }),
        entity,
        published: `${random.integer(2014, 2025)}-${String(random.integer(1, 13)).padStart(2, "0")}-15`,
        sections: [
          { title: "Overview", list: false, sentences: overview },
          ...sections.filter((section) => section.sentences.length > 0),
        ],
        ...(edition.table ? { table: summaryTable(entity) } : {}),
        references: [
          fill("Panel on {X}. Evidence review. Northfold Guideline Collaborative.", { X: entity.name }),
          `${entity.source}. Summary of recommendations.`,
        ],
      };
    });
  });
}

function sentencesOf(hand: readonly Statement[], attributes: readonly MedicalAttribute[]): string[] {
  return hand.filter((s) => attributes.includes(s.attribute)).map((s) => s.text);
}

function summaryTable(entity: Entity): { caption: string; rows: [string, string][] } {
  const { finding, test, treatment, avoid, specialty } = entity.attributes as Record<string, string>;
  return {
    caption: fill("Summary for {X}", { X: entity.name }),
    rows: [
      ["Suspect when", finding!],
      ["Confirm by", test!],
      ["First-line treatment", treatment!],
      ["Avoid", avoid!],
      ["Refer to", specialty!],
    ],
  };
}

/**
 * Guidelines before they become web pages or a PDF: three documents per condition, each with its share of the sentences, and
 * for conditions of the benchmarks' train split a page of questions and answers, as guideline publishers have them.
 */
import { RandomState } from "../src/core/random.ts";
import { composeStatements, dealCases, dealStatements, pick, type Statement, tell } from "./compose.ts";
import { fill } from "./phrasings/fill.ts";
import { chains, type MedicalAttribute, recognitions } from "./phrasings/medicine.ts";
import { places } from "./phrasings/paperwork.ts";
import { composeBenchmarks, quizText } from "./renderers/benchmarks.ts";
import type { Entity, World } from "./world.ts";

export interface GuidelineSection {
  title: string;
  sentences: string[];
  /** One paragraph, one bullet a sentence, or a paragraph each (questions with their answers on a line of their own). */
  layout: "paragraph" | "list" | "questions";
}
export interface Guideline {
  /** Path below the site root, without `.html`. */
  path: string;
  title: string;
  /** Topic list it stands in: a specialty, or "recognition". */
  group: string;
  published: string;
  sections: GuidelineSection[];
  table?: { caption: string; rows: [string, string][] };
  references: string[];
}

type Plan = { title: string; attributes: MedicalAttribute[]; layout: GuidelineSection["layout"] }[];

/** The documents about a condition, told in different orders. */
const editions: { folder: string; title: string; plan: Plan; table: boolean }[] = [
  {
    folder: "guidelines",
    title: "{X}: recognition and management",
    table: true,
    plan: [
      { title: "Recognition", attributes: ["finding", "risk", "cause"], layout: "paragraph" },
      { title: "Confirming the diagnosis", attributes: ["test"], layout: "list" },
      { title: "First-line treatment", attributes: ["treatment"], layout: "list" },
      { title: "What to avoid", attributes: ["avoid"], layout: "list" },
      { title: "Referral and follow-up", attributes: ["specialty", "complication"], layout: "paragraph" },
    ],
  },
  {
    folder: "quick-reference",
    title: "Quick reference guide: {X}",
    table: false,
    plan: [
      { title: "In short", attributes: ["finding", "cause", "risk", "test"], layout: "paragraph" },
      { title: "Do", attributes: ["treatment", "specialty"], layout: "list" },
      { title: "Do not", attributes: ["avoid", "complication"], layout: "list" },
    ],
  },
  {
    folder: "pathways",
    title: "Care pathway for {X}",
    table: false,
    plan: [
      { title: "Step 1: suspect", attributes: ["finding", "risk", "cause"], layout: "paragraph" },
      { title: "Step 2: confirm and refer", attributes: ["test", "specialty"], layout: "paragraph" },
      { title: "Step 3: treat safely", attributes: ["treatment", "avoid"], layout: "paragraph" },
      { title: "Step 4: review", attributes: ["complication"], layout: "paragraph" },
    ],
  },
];

const overviews = [
  "This guideline is for clinicians who meet {X} in daily practice.",
  "The recommendations on {X} were agreed by a panel from {place}.",
  "This document covers the recognition, confirmation and treatment of {X}.",
  "It should be read together with local policy.",
];

/** Lists that lead from findings to conditions: how many name each condition. */
const RECOGNITIONS = 12;

/** All guideline documents. */
export function composeGuidelines(world: World): Guideline[] {
  const random = new RandomState(world.seed + 13);
  const published = () => `${random.integer(2014, 2025)}-${String(random.integer(1, 13)).padStart(2, "0")}-15`;
  const practice = composeBenchmarks(world).medical.train;
  const recognition = dealCases(
    world.conditions,
    { times: Math.max(1, Math.round(RECOGNITIONS * world.volume)), perCollection: 10 },
    random,
  ).map(
    (conditions, i): Guideline => ({
      path: `recognition/list-${String(i + 1).padStart(3, "0")}`,
      title: `From finding to diagnosis: list ${i + 1}`,
      group: "recognition",
      published: published(),
      sections: [
        {
          title: "What to think of",
          layout: "list",
          sentences: conditions.map(({ name, attributes }) =>
            fill(pick(random, recognitions), { X: name, v: attributes.finding! }),
          ),
        },
      ],
      references: ["Panel on diagnosis. Evidence review. Northfold Guideline Collaborative."],
    }),
  );
  const documents = world.conditions.flatMap((entity): Guideline[] => {
    const hands = dealStatements(composeStatements(entity, "guideline", world.volume, random), editions.length);
    const about = editions.map((edition, i): Guideline => {
      const hand = hands[i]!;
      const overview = random
        .shuffle([...overviews])
        .slice(0, 1)
        .map((template) => fill(template, { X: entity.name, place: pick(random, places) }));
      const sections = edition.plan.map(
        ({ title, attributes, layout }): GuidelineSection => ({
          title,
          layout,
          sentences: sentencesOf(hand, attributes),
        }),
      );
      if (entity.partition === "train") {
        const chain = tell(entity, chains, random);
        sections.push({ title: "Reasoning", layout: "paragraph", sentences: [chain] });
      }
      return {
        path: `${edition.folder}/${entity.slug}`,
        title: fill(edition.title, { X: entity.name }),
        group: entity.group,
        published: published(),
        sections: [
          { title: "Overview", layout: "paragraph", sentences: overview },
          ...sections.filter((section) => section.sentences.length > 0),
        ],
        ...(edition.table ? { table: summaryTable(entity) } : {}),
        references: [`${entity.source}. Summary of recommendations.`],
      };
    });
    const questions = practice.filter((item) => item.entity === entity.name).map((item) => quizText(item, random));
    if (questions.length === 0) return about;
    return [
      ...about,
      {
        path: `questions/${entity.slug}`,
        title: fill("Questions and answers about {X}", { X: entity.name }),
        group: entity.group,
        published: published(),
        sections: [{ title: "Questions", layout: "questions", sentences: questions }],
        references: [`${entity.source}. Summary of recommendations.`],
      },
    ];
  });
  return [...documents, ...recognition];
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

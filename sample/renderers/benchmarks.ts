/**
 * Multiple-choice benchmarks in the JSON-lines shape in which such sets are published.
 *
 * Held out by construction: `test` items ask in phrasings used nowhere else; most of them ask about entities that the train
 * split never mentions, not even as a wrong option. Options of an item come from entities of one partition, so that being
 * unfamiliar is no hint. Gold letters are balanced.
 */
import { RandomState } from "../../src/core/random.ts";
import { isAskable, isWrongFor } from "../benchmark-items.ts";
import { entitySlots, pick } from "../compose.ts";
import { fill, withArticle } from "../phrasings/fill.ts";
import { chainQuestions, domainPhrasings, labelQuestions, nameQuestions } from "../phrasings/general.ts";
import { medicalQuestions } from "../phrasings/medical-questions.ts";
import { type Entity, type Partition, slugOf, type World } from "../world.ts";

export const letters = ["A", "B", "C", "D"] as const;
export type Letter = (typeof letters)[number];

export interface BenchmarkItem {
  id: string;
  question: string;
  options: Record<Letter, string>;
  answer: Letter;
  /** The reasoning, ending in the answer's words; the letter is left to whoever prints the item. */
  explanation: string;
  subject: string;
  entity: string;
  relation: string;
  steps: 1 | 2;
  /** What the train split has never shown: the entity and the phrasing, the phrasing alone, or (in train) nothing. */
  heldOut: "entity" | "phrasing" | "none";
}

export type Split = Partition;

/** A question before its options: what is asked, how, and the reasoning. */
interface Draft {
  entity: Entity;
  relation: string;
  attribute: string;
  question: string;
  /** The finding, clue or label that the question quotes. */
  quoted: string;
  reasoning: string;
  steps: 1 | 2;
}

interface HeldDraft {
  draft: Draft;
  heldOut: BenchmarkItem["heldOut"];
}

/** Phrasings per fact. */
const PHRASINGS: Record<Split, number> = { train: 2, validation: 1, test: 1 };
/** Share of the train entities' facts that the test split also asks, in its own phrasings. */
const SEEN_ENTITY_FRACTION = 0.12;

function medicalDrafts(entity: Entity, split: Split, phrasings: number, random: RandomState): Draft[] {
  return medicalQuestions
    .filter((type) => isAskable(entity, type.answer))
    .flatMap((type) => {
      const slots = entitySlots(entity, random);
      const templates = random.shuffle([...type[split]]).slice(0, phrasings);
      return templates.map(
        (template): Draft => ({
          entity,
          relation: type.relation,
          attribute: type.answer,
          question: fill(template, slots),
          quoted: template.includes("{finding}") ? entity.attributes.finding! : "",
          reasoning: fill(type.explanation, slots),
          steps: type.steps,
        }),
      );
    });
}

function generalDrafts(entity: Entity, split: Split, phrasings: number, random: RandomState): Draft[] {
  const domain = domainPhrasings[entity.group]!;
  const clue = entity.attributes[domain.clue]!;
  const R = (split === "test" ? domain.testReference : domain.reference).replace("{clue}", clue);
  const identity = `This is ${withArticle(entity.name)}`;
  const few = (templates: readonly string[]) => random.shuffle([...templates]).slice(0, phrasings);
  const drafts: Draft[] = few(nameQuestions[split]).map((template) => ({
    entity,
    relation: `${entity.group}: ${domain.clue}-name`,
    attribute: "name",
    question: fill(template, { R }),
    quoted: clue,
    reasoning: fill("{identity}. So the answer is {X}.", { identity, X: entity.name }),
    steps: 1,
  }));
  for (const [attribute, { label }] of Object.entries(domain.attributes)) {
    if (label === "") continue;
    const v = entity.attributes[attribute]!;
    const L = lowerFirst(fill(label, { X: entity.name }));
    drafts.push(
      ...few(labelQuestions[split]).map(
        (template): Draft => ({
          entity,
          relation: `${entity.group}: name-${attribute}`,
          attribute,
          question: fill(template, { L }),
          quoted: L,
          reasoning: fill("{L} is {v}. So the answer is {v}.", { L, v }),
          steps: 1,
        }),
      ),
    );
    if (attribute === domain.clue) continue;
    // "the food of {R}": a two-step question describes the entity and never names it
    const indirect = lowerFirst(
      fill(label, { X: entity.group === "country" ? "that country" : `that ${entity.group}` }),
    );
    drafts.push(
      ...few(chainQuestions[split]).map(
        (template): Draft => ({
          entity,
          relation: `${entity.group}: ${domain.clue}-${attribute}`,
          attribute,
          question: fill(template, { L: indirect.replace("the that", "that"), R }),
          quoted: clue,
          reasoning: fill("{identity}. {bigL} is {v}. So the answer is {v}.", { identity, bigL: fill(L, {}), v }),
          steps: 2,
        }),
      ),
    );
  }
  return drafts;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** "The country whose capital is Mexico City": no second step is left. */
function namesItself({ question, entity }: Draft): boolean {
  return ` ${slugOf(question)} `.replace(/-/g, " ").includes(` ${slugOf(entity.name).replace(/-/g, " ")} `);
}

/**
 * Longest finding, clue or label, in words, that a test question may quote: with a word on either side it stays below the eight words
 * in a row that count as a leak, wherever the corpus quotes it too.
 */
const LONGEST_QUOTE = 6;
const wordsOf = (text: string) => text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");

/** Adds three wrong options from `pool`, one of them from the same group where the facts allow it. @param unnamed - Never offered. */
function completeItem(
  draft: Draft,
  pool: readonly Entity[],
  unnamed: ReadonlySet<string>,
  gold: Letter,
  random: RandomState,
) {
  const { entity, attribute } = draft;
  const answerOf = (e: Entity) => (attribute === "name" ? e.name : e.attributes[attribute]);
  const right = answerOf(entity)!;
  if (unnamed.has(right.toLowerCase())) return undefined;
  const wrong: string[] = [];
  const near = random.shuffle(pool.filter((e) => e.group === entity.group));
  const far = random.shuffle(pool.filter((e) => e.group !== entity.group));
  for (const candidate of [...near.slice(0, 2), ...far, ...near.slice(2)]) {
    const value = answerOf(candidate);
    if (value === undefined || wrong.length === 3 || unnamed.has(value.toLowerCase())) continue;
    if (wrong.some((w) => w.toLowerCase() === value.toLowerCase())) continue;
    if (isWrongFor(entity, attribute, value)) wrong.push(value);
  }
  if (wrong.length < 3) return undefined;
  random.shuffle(wrong);
  const options = Object.fromEntries(
    letters.map((letter) => [letter, letter === gold ? right : wrong.pop()!]),
  ) as Record<Letter, string>;
  return { options, answer: gold, explanation: draft.reasoning };
}

function renderPart(
  name: "medical" | "general",
  entities: readonly Entity[],
  draftsOf: typeof medicalDrafts,
  seed: number,
): Record<Split, BenchmarkItem[]> {
  const random = new RandomState(seed);
  const inPartition = (partition: Partition) => entities.filter((entity) => entity.partition === partition);
  const build = (split: Split): BenchmarkItem[] => {
    const drafts = inPartition(split).flatMap((entity) =>
      draftsOf(entity, split, PHRASINGS[split], random).map(
        (draft): HeldDraft => ({
          draft,
          heldOut: split === "train" ? "none" : "entity",
        }),
      ),
    );
    if (split === "test") {
      for (const entity of inPartition("train")) {
        for (const draft of draftsOf(entity, "test", 1, random)) {
          if (random.random() < SEEN_ENTITY_FRACTION) drafts.push({ draft, heldOut: "phrasing" });
        }
      }
    }
    random.shuffle(drafts);
    // A country may be somebody's birthplace: held-out names are no options of the train split either.
    const unnamed = new Set(
      entities.flatMap(({ name, partition }) => (split !== "test" && partition !== split ? [name.toLowerCase()] : [])),
    );
    const items: BenchmarkItem[] = [];
    let deck: Letter[] = [];
    for (const { draft, heldOut } of drafts) {
      if (draft.steps === 2 && namesItself(draft)) continue;
      if (split === "test" && wordsOf(draft.quoted).length > LONGEST_QUOTE) continue;
      if (deck.length === 0) deck = random.shuffle([...letters]);
      const pool = inPartition(draft.entity.partition).filter(
        (e) => e !== draft.entity && (name === "medical" || e.group === draft.entity.group),
      );
      const completed = completeItem(draft, pool, unnamed, deck[0]!, random);
      if (completed === undefined) continue;
      deck.shift();
      items.push({
        id: `sample-${name}-${split}-${String(items.length + 1).padStart(4, "0")}`,
        question: draft.question,
        ...completed,
        subject: draft.entity.group,
        entity: draft.entity.name,
        relation: draft.relation,
        steps: draft.steps,
        heldOut,
      });
    }
    return items;
  };
  return { train: build("train"), validation: build("validation"), test: build("test") };
}

export interface Benchmarks {
  medical: Record<Split, BenchmarkItem[]>;
  general: Record<Split, BenchmarkItem[]>;
}

export function composeBenchmarks(world: World): Benchmarks {
  return {
    medical: renderPart("medical", world.conditions, medicalDrafts, world.seed + 101),
    general: renderPart("general", world.things, generalDrafts, world.seed + 102),
  };
}

/** Files `benchmarks/{medical,reasoning,general}-{train,validation,test}.jsonl`; reasoning is the two-step part of medical. */
export function renderBenchmarks(world: World): Map<string, string> {
  const files = new Map<string, string>();
  const { medical, general } = composeBenchmarks(world);
  const twoSteps = (items: BenchmarkItem[]) => items.filter(({ steps }) => steps === 2);
  const reasoning = {
    train: twoSteps(medical.train),
    validation: twoSteps(medical.validation),
    test: twoSteps(medical.test),
  };
  for (const [name, splits] of Object.entries({ medical, reasoning, general })) {
    for (const [split, items] of Object.entries(splits) as [Split, BenchmarkItem[]][]) {
      files.set(`benchmarks/${name}-${split}.jsonl`, items.map((item) => `${JSON.stringify(item)}\n`).join(""));
    }
  }
  return files;
}

/** One item as printed on a practice page. */
export function practiceText(item: BenchmarkItem, random: RandomState): string {
  const options = letters.map((letter) => `${letter}. ${item.options[letter]}`).join("\n");
  const answer = `The answer is: ${item.answer}`;
  const reasoned = pick(random, [false, false, true]);
  return `Question: ${item.question}\n\nOptions:\n${options}\n${reasoned ? `Let's think step by step.\n${item.explanation} ` : ""}${answer}`;
}

/** One item as printed in a quiz: no options, and the answer in words; two-step questions sometimes with the reasoning. */
export function quizText(item: BenchmarkItem, random: RandomState): string {
  const verdict = `The answer is: ${item.options[item.answer]}`;
  const reasoned = item.steps === 2 && random.random() < 0.5;
  return `Question: ${item.question}\n${reasoned ? `Let's think step by step.\n${item.explanation}\n` : ""}${verdict}`;
}

/**
 * General prose for base training and replay: encyclopedia notes, comparisons, stories, instructions, conversations, sums,
 * quizzes with short answers and pages of multiple-choice practice, which teach a base model how such questions look (about
 * everyday things only, in training phrasings, never about held-out entities).
 */
import { RandomState } from "../../src/core/random.ts";
import { pick } from "../compose.ts";
import * as everyday from "../phrasings/everyday.ts";
import { capitalize, fill, type Slots } from "../phrasings/fill.ts";
import { domainPhrasings, labelStatements } from "../phrasings/general.ts";
import type { Entity, World } from "../world.ts";
import { type BenchmarkItem, composeBenchmarks, practiceText, quizText } from "./benchmarks.ts";
import { NOTICE } from "./xml.ts";

/** Documents at full scale. */
const NOTES_PER_THING = 20;
const COMPARISONS_PER_THING = 2;
const STORIES = 200;
const HOW_TOS_PER_THING = 2;
const DIALOGS = 1400;
const SUMS = 60;
const PRACTICE_PAGES = 150;
const QUESTIONS_PER_PAGE = 3;
const QUIZ_PAGES = 1700;
const QUESTIONS_PER_QUIZ = 6;
/** Half of the stories are bound into text files of this many; the others go to the JSON lines. */
const STORIES_PER_TEXT_FILE = 20;

export interface GeneralDocument {
  id: string;
  title: string;
  text: string;
}

function slotsOf(entity: Entity): Slots {
  return { ...entity.attributes, X: entity.name };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Deals out an attribute's phrasings so that each is used before any comes again. */
class Phrasebook {
  readonly #stocks = new Map<string, string[]>();
  readonly #random: RandomState;

  constructor(random: RandomState) {
    this.#random = random;
  }

  say(entity: Entity, attribute: string): string {
    const { label, statements } = domainPhrasings[entity.group]!.attributes[attribute]!;
    const key = `${entity.name}/${attribute}`;
    let stock = this.#stocks.get(key);
    if (stock === undefined || stock.length === 0) {
      stock = this.#random.shuffle([...statements, ...(label === "" ? [] : labelStatements)]);
      this.#stocks.set(key, stock);
    }
    const slots = { X: entity.name, v: entity.attributes[attribute]! };
    return fill(stock.pop()!, label === "" ? slots : { ...slots, L: lowerFirst(fill(label, slots)) });
  }
}

function note(entity: Entity, book: Phrasebook, random: RandomState): { title: string; text: string } {
  const attributes = random.shuffle(Object.keys(domainPhrasings[entity.group]!.attributes));
  const sentences = [...attributes, ...attributes.slice(0, 3)].map((attribute) => book.say(entity, attribute));
  const half = Math.ceil(sentences.length / 2);
  const title = capitalize(fill("{theX}", { X: entity.name }).replace(/^The (?!Netherlands)/, ""));
  return { title, text: `${sentences.slice(0, half).join(" ")}\n\n${sentences.slice(half).join(" ")}` };
}

function comparison(entities: Entity[], attribute: string, book: Phrasebook): { title: string; text: string } {
  const { plural } = domainPhrasings[entities[0]!.group]!;
  const sentences = entities.map((entity) => book.say(entity, attribute));
  return { title: `Notes on ${entities.length} ${plural}`, text: `Here we compare ${plural}. ${sentences.join(" ")}` };
}

function story(world: World, random: RandomState): { title: string; text: string } {
  const P = pick(random, everyday.people);
  const Q = pick(
    random,
    everyday.people.filter((name) => name !== P),
  );
  const season = pick(random, everyday.seasons);
  const frame = { P, Q, season: season.name, sign: pick(random, season.signs) };
  const middle = Array.from({ length: random.integer(5, 10) }, () => {
    const entity = pick(random, world.things);
    return fill(pick(random, everyday.encounters[entity.group]!), { ...slotsOf(entity), P, Q });
  });
  const opening = fill(pick(random, everyday.storyOpenings), frame);
  const half = Math.ceil(middle.length / 2);
  return {
    title: `${P} and ${Q} in ${season.name}`,
    text: `${opening} ${middle.slice(0, half).join(" ")}\n\n${middle.slice(half).join(" ")} ${fill(pick(random, everyday.storyEndings), frame)}`,
  };
}

function howTo(entity: Entity): { title: string; text: string } | undefined {
  const [title, ...steps] = everyday.howTos[entity.group] ?? [];
  if (title === undefined) return undefined;
  const lines = steps.map((step, i) => `${i + 1}. ${fill(step, slotsOf(entity))}`);
  return { title: fill(title, slotsOf(entity)), text: lines.join("\n") };
}

function dialog(world: World, random: RandomState): { title: string; text: string } {
  const P = pick(random, everyday.people);
  const Q = pick(
    random,
    everyday.people.filter((name) => name !== P),
  );
  const turns = Array.from({ length: random.integer(3, 6) }, () => {
    const entity = pick(random, world.things);
    const labelled = Object.entries(domainPhrasings[entity.group]!.attributes).filter(([, a]) => a.label !== "");
    const [attribute, { label }] = pick(random, labelled);
    const L = lowerFirst(fill(label, slotsOf(entity)));
    const v = entity.attributes[attribute]!;
    return fill(pick(random, everyday.dialogTurns), {
      P,
      Q,
      question: `What is ${L}?`,
      answer: fill("{L} is {v}.", { L, v }),
    });
  });
  return { title: `${P} asks ${Q}`, text: turns.join("\n") };
}

function sums(random: RandomState): { title: string; text: string } {
  const lines = Array.from({ length: 12 }, () => {
    const a = random.integer(2, 13);
    const b = random.integer(2, 13);
    return fill(pick(random, everyday.arithmeticTemplates), {
      a: String(a),
      b: String(b),
      sum: String(a + b),
      product: String(a * b),
      P: pick(random, everyday.people),
    });
  });
  return { title: "Sums", text: lines.join("\n") };
}

/** Pages of questions; every question comes up once before any comes again. */
function questionPages(
  title: string,
  items: readonly BenchmarkItem[],
  { pages, perPage }: { pages: number; perPage: number },
  print: (item: BenchmarkItem, random: RandomState) => string,
  random: RandomState,
) {
  let deck: BenchmarkItem[] = [];
  return Array.from({ length: pages }, () => {
    const texts = Array.from({ length: perPage }, () => {
      if (deck.length === 0) deck = random.shuffle([...items]);
      return print(deck.pop()!, random);
    });
    return { title, text: texts.join("\n\n") };
  });
}

/** All general documents in a mixed order; stories are also cut out for text files. */
export function composeGeneral(world: World): { documents: GeneralDocument[]; textFiles: string[] } {
  const random = new RandomState(world.seed + 14);
  const book = new Phrasebook(random);
  const scaled = (count: number) => Math.max(1, Math.round(count * (world.scale === "small" ? 0.15 : 1)));
  const texts: { title: string; text: string }[] = [];
  for (const entity of world.things) {
    for (let i = 0; i < Math.max(2, Math.round(NOTES_PER_THING * world.volume)); i++)
      texts.push(note(entity, book, random));
    for (let i = 0; i < Math.round(HOW_TOS_PER_THING * world.volume); i++) {
      const page = howTo(entity);
      // Instructions differ in nothing but their subject: one of each is enough, the rest get a note of their own.
      if (page !== undefined && i === 0) texts.push(page);
      else texts.push(note(entity, book, random));
    }
    const siblings = world.things.filter((e) => e.group === entity.group);
    for (let i = 0; i < Math.round(COMPARISONS_PER_THING * world.volume); i++) {
      const others = random.shuffle(siblings.filter((e) => e !== entity)).slice(0, 5);
      const attribute = pick(random, Object.keys(entity.attributes));
      texts.push(comparison([entity, ...others], attribute, book));
    }
  }
  for (let i = 0; i < scaled(DIALOGS); i++) texts.push(dialog(world, random));
  for (let i = 0; i < scaled(SUMS); i++) texts.push(sums(random));
  const practice = composeBenchmarks(world).general.train;
  const choices = { pages: scaled(PRACTICE_PAGES), perPage: QUESTIONS_PER_PAGE };
  texts.push(...questionPages("Practice questions", practice, choices, practiceText, random));
  const quizzes = { pages: scaled(QUIZ_PAGES), perPage: QUESTIONS_PER_QUIZ };
  texts.push(...questionPages("Quiz", practice, quizzes, quizText, random));
  const stories = Array.from({ length: scaled(STORIES) }, () => story(world, random));
  const textFiles: string[] = [];
  const inTextFiles = Math.floor(stories.length / 2 / STORIES_PER_TEXT_FILE);
  for (let file = 0; file < inTextFiles; file++) {
    const chapters = stories.splice(0, STORIES_PER_TEXT_FILE);
    textFiles.push(`${chapters.map((s) => `${s.title}\n\n${s.text}`).join("\n\n\n")}\n`);
  }
  texts.push(...stories);
  random.shuffle(texts);
  const documents = texts.map((t, i) => ({ id: `general-${String(i + 1).padStart(6, "0")}`, ...t }));
  return { documents, textFiles };
}

/** Files `general/general.jsonl` (before compression) and `general/stories-*.txt`. */
export function renderGeneral(world: World): { files: Map<string, string>; documents: number; textFiles: number } {
  const { documents, textFiles } = composeGeneral(world);
  const lines = documents.map(
    (d) => `${JSON.stringify({ ...d, license: "CC-BY-4.0", language: "en", notice: NOTICE })}\n`,
  );
  const files = new Map([["general/general.jsonl", lines.join("")]]);
  textFiles.forEach((text, i) => {
    files.set(`general/stories-${String(i + 1).padStart(2, "0")}.txt`, text);
  });
  return { files, documents: documents.length, textFiles: textFiles.length };
}

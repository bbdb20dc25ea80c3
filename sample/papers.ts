/**
 * Papers before they take a file format: the same paper may appear as JATS, as an S2ORC record and, by its abstract, in PubMed.
 *
 * A paper reviews several conditions of one specialty side by side. Text is a list of parts, so that a renderer can turn
 * citations, cross-references and formulas into whatever its format has for them.
 */
import { RandomState } from "../src/core/random.ts";
import { composeStatements, dealStatements, paragraphs, pick, type Statement, tell } from "./compose.ts";
import { fill } from "./phrasings/fill.ts";
import { chains, vignettes } from "./phrasings/medicine.ts";
import { fillers, journals, names, places } from "./phrasings/paperwork.ts";
import type { Entity, World } from "./world.ts";

export type Part = string | { cite: number } | { figure: number } | { table: number } | { formula: string };
export interface Section {
  title: string;
  paragraphs: Part[][];
  bullets?: string[];
  sections?: Section[];
}
export interface Author {
  first: string;
  last: string;
  affiliation: string;
}
export interface Reference {
  title: string;
  authors: Author[];
  journal: string;
  year: number;
}
export interface Paper {
  number: number;
  pmid: number;
  pmcid: string;
  doi: string;
  corpusId: number;
  title: string;
  authors: Author[];
  journal: (typeof journals)[number];
  year: number;
  month: number;
  license: "CC-BY-4.0" | "CC0-1.0" | "CC-BY-NC-4.0" | undefined;
  retracted: boolean;
  conditions: Entity[];
  abstract: { label: string; text: string }[];
  sections: Section[];
  box: { title: string; items: string[] };
  references: Reference[];
  figures: { caption: string }[];
  tables: { caption: string; header: string[]; rows: string[][] }[];
}

/** Conditions a paper compares, and papers in which each condition appears. */
const CONDITIONS_PER_PAPER = 4;
const PAPERS_PER_CONDITION = 4;
/** Stands in JATS and, as a retracted publication, in PubMed. */
const RETRACTED_PAPER = 6;

export function composeAuthors(random: RandomState, count = random.integer(2, 6)): Author[] {
  return Array.from({ length: count }, () => ({
    first: pick(random, names.first),
    last: pick(random, names.last),
    affiliation: `Department of ${pick(random, ["Medicine", "Clinical Research", "Public Health", "Internal Medicine"])}, University Hospital of ${pick(random, places)}`,
  }));
}

/** Fills a sentence of paperwork: invented counts, years and places. */
export function composeFiller(template: string, X: string, random: RandomState): string {
  const start = random.integer(2005, 2018);
  return fill(template, {
    X,
    n: String(random.integer(40, 980)),
    m: String(random.integer(6, 60)),
    percent: String(random.integer(51, 97)),
    low: String(random.integer(31, 50)),
    year: String(start),
    later: String(start + random.integer(2, 6)),
    place: pick(random, places),
    p: (random.integer(1, 49) / 1000).toFixed(3),
  });
}

function composeReference(conditions: readonly Entity[], random: RandomState): Reference {
  const X = pick(random, conditions).name;
  return {
    title: fill(
      pick(random, [
        "A practical approach to {X}",
        "Recognition and outcome of {X} in general hospitals",
        "{X}: what every clinician should know about diagnosis and treatment today",
        "Ten years of {X} in {place}",
        "Long-term results in {X}",
      ]),
      { X, place: pick(random, places) },
    ),
    authors: composeAuthors(random, random.integer(1, 4)),
    journal: pick(random, journals).title,
    year: random.integer(1995, 2022),
  };
}

function withReferences(texts: readonly string[], references: number, random: RandomState): Part[][] {
  return texts.map((text): Part[] => {
    if (random.random() < 0.85) return [text];
    const sentences = text.split(/(?<=\.) /);
    const cut = random.integer(1, sentences.length + 1);
    const before = sentences.slice(0, cut).join(" ").replace(/\.$/, "");
    const after = sentences.slice(cut).join(" ");
    return [`${before} `, { cite: random.integer(0, references) }, after === "" ? "." : `. ${after}`];
  });
}

function composePaper(number: number, conditions: Entity[], hands: Statement[][], random: RandomState): Paper {
  const specialty = conditions[0]!.group;
  const title = fill(
    pick(random, [
      "{list}: a comparative review",
      "How to tell apart {list}",
      "{list} in {specialty}: presentation, mechanism and outcome",
      "A multicenter study of {list}",
      "Lessons from {n} patients with {list}",
    ]),
    { list: joinNames(conditions), specialty, n: String(random.integer(60, 900)) },
  );
  const references = Array.from({ length: random.integer(6, 12) }, () => composeReference(conditions, random));
  const of = (hand: Statement[], attributes: string[]) =>
    hand.filter((s) => attributes.includes(s.attribute)).map((s) => s.text);
  const texts = (sentences: string[]) => withReferences(paragraphs(sentences, random), references.length, random);
  const X = "these conditions";
  const filler = (kind: keyof typeof fillers, count: number) =>
    random
      .shuffle([...fillers[kind]])
      .slice(0, count)
      .map((template) => composeFiller(template, X, random));

  const perCondition = conditions.map((condition, index): Section => {
    const hand = hands[index]!;
    return {
      title: fill("{X}", { X: condition.name }),
      paragraphs: [],
      sections: [
        { title: "Clinical picture", paragraphs: texts(of(hand, ["finding", "risk", "specialty"])) },
        { title: "Mechanism and course", paragraphs: texts(of(hand, ["cause", "complication"])) },
        { title: "Diagnosis and care", paragraphs: texts(of(hand, ["test", "treatment", "avoid"])) },
      ].filter((section) => section.paragraphs.length > 0),
    };
  });
  const teachable = conditions.filter((condition) => condition.partition === "train");
  const chainTexts = teachable.map((c) => tell(c, chains, random));
  const caseTexts = conditions.slice(0, 2).map((c) => tell(c, vignettes, random));
  const formula = pick(random, [
    "\\mathrm{PPV} = \\frac{TP}{TP + FP}",
    "\\mathrm{Se} = \\frac{TP}{TP + FN}",
    "\\mathrm{OR} = \\frac{ad}{bc}",
  ]);
  const sections: Section[] = [
    { title: "Introduction", paragraphs: texts(filler("introduction", 2)) },
    {
      title: "Methods",
      paragraphs: [
        ...texts(filler("methods", 2)),
        [
          "Accuracy was computed as ",
          { formula },
          " for every test. The selection of patients is shown in ",
          { figure: 0 },
          ".",
        ],
      ],
    },
    { title: "Results", paragraphs: [["An overview is given in ", { table: 0 }, "."]], sections: perCondition },
    { title: "Case histories", paragraphs: texts(caseTexts) },
    {
      title: "Discussion",
      paragraphs: [...texts(filler("discussion", 1)), ...texts(chainTexts)],
      bullets: conditions.map((c) => fill("{X}: {finding}; caused by {cause}.", { ...c.attributes, X: c.name })),
    },
    { title: "Conclusion", paragraphs: texts(filler("conclusion", 2)) },
  ];
  const first = (hand: Statement[], attributes: string[]) => of(hand, attributes).slice(0, 1).join(" ");
  return {
    number,
    pmid: 39_100_000 + number * 7,
    pmcid: `PMC${9_200_000 + number * 3}`,
    doi: `10.5555/sample.${2015 + (number % 10)}.${String(number).padStart(4, "0")}`,
    corpusId: 250_000_000 + number * 11,
    title,
    authors: composeAuthors(random),
    journal: pick(random, journals),
    year: 2015 + (number % 10),
    month: 1 + (number % 12),
    license:
      number % 11 === 10 ? undefined : (["CC-BY-4.0", "CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0"] as const)[number % 4],
    retracted: number === RETRACTED_PAPER,
    conditions,
    abstract: [
      { label: "BACKGROUND", text: filler("introduction", 1).join(" ") },
      { label: "METHODS", text: filler("methods", 1).join(" ") },
      {
        label: "RESULTS",
        text: hands
          .map((hand) => first(hand, ["finding", "cause"]))
          .filter((t) => t !== "")
          .join(" "),
      },
      { label: "CONCLUSIONS", text: filler("conclusion", 1).join(" ") },
    ],
    sections,
    box: {
      title: "Key points",
      items: conditions.map((c) => fill("{X} is recognized by {finding}.", { ...c.attributes, X: c.name })),
    },
    references,
    figures: [
      {
        caption: `Selection of patients. Records were screened, and those with complete data on ${specialty} were kept.`,
      },
    ],
    tables: [
      {
        caption: `Overview of ${joinNames(conditions)}. Each row names one condition.`,
        header: ["Condition", "Finding", "Cause", "Confirmatory test"],
        rows: conditions.map((c) => [c.name, c.attributes.finding!, c.attributes.cause!, c.attributes.test!]),
      },
    ],
  };
}

export function joinNames(conditions: readonly Entity[]): string {
  const list = conditions.map((condition) => condition.name);
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

/** All papers of the world. Every condition's paper statements are dealt among the papers it appears in. */
export function composePapers(world: World): Paper[] {
  const random = new RandomState(world.seed + 11);
  const rounds = Math.max(1, Math.round(PAPERS_PER_CONDITION * world.volume));
  const hands = new Map(
    world.conditions.map((condition) => [
      condition,
      dealStatements(composeStatements(condition, "paper", world.volume, random), rounds, random.integer(0, rounds)),
    ]),
  );
  const papers: Paper[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const group of new Set(world.conditions.map((c) => c.group))) {
      const members = random.shuffle(world.conditions.filter((c) => c.group === group));
      for (let start = 0; start < members.length; start += CONDITIONS_PER_PAPER) {
        const conditions = members.slice(start, start + CONDITIONS_PER_PAPER);
        const dealt = conditions.map((condition) => hands.get(condition)![round]!);
        papers.push(composePaper(papers.length, conditions, dealt, random));
      }
    }
  }
  return papers;
}

/** Who gets a paper: JATS and S2ORC share some, as the real archives do. */
export const appearsIn = {
  jats: (paper: Paper) => paper.number % 2 === 0,
  s2orc: (paper: Paper) => paper.number % 2 === 1 || paper.number % 10 === 0,
  pubmed: (paper: Paper) => paper.number % 3 === 0,
};

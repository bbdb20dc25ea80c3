import { expect, test } from "vitest";
import { testDocument, testFolder, writeFiles } from "./testing.ts";
import { journalKey, type QualityFacts, qualityScore, Upsampler } from "./upsample.ts";

const DATE = "2023-07-15";
const none: QualityFacts = { publicationTypes: [], mesh: [] };
const quartiles = { low: 2, high: 10 };
const score = (facts: Partial<QualityFacts>, journals: string[] = []) =>
  qualityScore({ ...none, ...facts }, new Set(journals.map(journalKey)), quartiles, DATE);

// Table 10 of the paper (SPEC 1b.6)
test.each([
  ["no type: nothing counts, not even youth", { published: "2023-01-01", citations: 900 }, 0],
  ["an old review", { publicationTypes: ["Review"], published: "2000" }, 0.5],
  ["a young one", { publicationTypes: ["Review"], published: "2022-01-01" }, 1.5],
  ["between 5.5 and 10 years", { publicationTypes: ["Review"], published: "2015-01-01" }, 0.7],
  ["types add up", { publicationTypes: ["Guideline", "Practice Guideline"] }, 2],
  // 2019-07-15 is 1461 days before: 1461 // 365 + 1 = 5 years; 50 citations are 10 a year, the top quarter
  ["a cited trial", { publicationTypes: ["Randomized Controlled Trial"], published: "2019-07-15", citations: 50 }, 2.5],
  [
    "cited in the middle half",
    { publicationTypes: ["Randomized Controlled Trial"], published: "2019-07-15", citations: 10 },
    2,
  ],
  ["a letter without a date", { publicationTypes: ["Letter"] }, 0.1],
] as const)("%s", (_, facts, expected) => {
  const result = score(facts as Partial<QualityFacts>);
  expect("score" in result && result.score).toBeCloseTo(expected, 10);
});

test("journals compare without punctuation, with & as and on both sides", () => {
  expect(score({ journal: "Diabetes & Metabolism: Reviews" }, ["diabetes and metabolism reviews"])).toEqual({
    score: 1,
  });
});

test("animals, retractions and preprints are left out", () => {
  expect(score({ mesh: ["Humans", "Animals"] })).toEqual({ filtered: "MeSH Animals" });
  expect(score({ publicationTypes: ["Review", "Retracted Publication"] })).toEqual({
    filtered: "retracted publication",
  });
});

test("copies are 1 + score, the fraction by chance, the same each time", async () => {
  const documents = Array.from({ length: 4000 }, (_, i) =>
    testDocument({ id: `pmid:${i}`, kind: "abstract", text: `t${i}`, meta: { publicationTypes: ["Review"] } }),
  );
  async function* all() {
    yield* documents;
  }
  const options = { upfold: 1, seed: 42, referenceDate: DATE };
  const upsampler = await Upsampler.create(options, all);
  const copies = documents.map((document) => upsampler.copies(document) as number);
  expect(new Set(copies)).toEqual(new Set([1, 2]));
  // mean 1.5, standard error 0.5/sqrt(4000) = 0.008; five of them
  expect(Math.abs(copies.reduce((a, b) => a + b, 0) / 4000 - 1.5)).toBeLessThan(0.04);
  const again = await Upsampler.create(options, all);
  expect(documents.map((document) => again.copies(document))).toEqual(copies);
  expect(upsampler.copies(testDocument({ text: "x", kind: "guideline" }))).toBe(1);
});

test("types and MeSH that a paper does not state come from PubMed's records", async () => {
  const record = (pmid: number, types: string, mesh: string) =>
    `<PubmedArticle><MedlineCitation><PMID Version="1">${pmid}</PMID><Article><ArticleTitle>T</ArticleTitle><PublicationTypeList>${types}</PublicationTypeList></Article><MeshHeadingList>${mesh}</MeshHeadingList></MedlineCitation></PubmedArticle>`;
  const type = (name: string) => `<PublicationType UI="D1">${name}</PublicationType>`;
  const folder = await writeFiles(await testFolder(), {
    "a.xml": `<PubmedArticleSet>${record(1, type("Meta-Analysis"), "")}${record(2, type("Journal Article"), `<MeshHeading><DescriptorName UI="D2">Animals</DescriptorName></MeshHeading>`)}${record(3, type("Retracted Publication"), "")}</PubmedArticleSet>`,
  });
  const paper = (pmid: string) => testDocument({ id: `pmc:PMC${pmid}`, kind: "paper", text: pmid, meta: { pmid } });
  async function* all() {
    yield* ["1", "2", "3", "4"].map(paper);
  }
  const options = { upfold: 1, seed: 42, referenceDate: DATE, citations: folder };
  const upsampler = await Upsampler.create(options, all);
  const results = ["1", "2", "3", "4"].map((pmid) => upsampler.copies(paper(pmid)));
  expect(results.map((result) => (typeof result === "number" ? result : result.value))).toEqual([
    2,
    "MeSH Animals",
    "retracted publication",
    1,
  ]);
});

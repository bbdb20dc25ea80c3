import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type DeduplicateOptions, deduplicate } from "./deduplicate.ts";
import type { Document } from "./document.ts";
import { FeatureWriter } from "./features.ts";
import { KeyGroups } from "./key-groups.ts";
import { prose, testDocument, testFolder } from "./testing.ts";

const NEAR = { shingleWords: 5, bands: 14, rowsPerBand: 8, minSimilarity: 0.75 };
const OPTIONS: DeduplicateOptions = {
  title: true,
  titleMinWords: 5,
  near: NEAR,
  memoryBytes: 1 << 20,
};

/** What happens to documents: id → rule and id of the one kept, for those that go. */
async function decide(documents: Document[], options = OPTIONS, files = 1): Promise<Record<string, [string, string]>> {
  const folder = await testFolder();
  const paths = Array.from({ length: files }, (_, i) => join(folder, `${i}.bin`));
  const size = Math.ceil(documents.length / files);
  for (const [i, path] of paths.entries()) {
    const writer = await FeatureWriter.create(path, { near: options.near, titleMinWords: options.titleMinWords });
    for (const document of documents.slice(i * size, (i + 1) * size)) await writer.write(document);
    await writer.commit();
  }
  const decisions = await deduplicate(paths, options, folder);
  expect(decisions.count).toBe(documents.length);
  const outcome: Record<string, [string, string]> = {};
  for (const [i, document] of documents.entries()) {
    const decision = decisions.of(i);
    if (decision)
      outcome[`${document.id} ${document.text.slice(0, 8)}`] = [decision.rule, documents[decision.kept]!.id];
  }
  return outcome;
}

const document = (id: string, text: string, facts: Partial<Document> = {}) => testDocument({ id, text, ...facts });

test("the guideline stays before the paper, the paper before its abstract, the newest version before older ones", async () => {
  const title = "A trial of early treatment in severe sepsis";
  const outcome = await decide([
    document("abstract", `${title} ${prose(1)}`, { kind: "abstract", title }),
    document("paper", `${title} ${prose(2, 400)}`, { kind: "paper", title }),
    document("old", prose(3), { published: "2014-01" }),
    document("new", prose(3), { published: "2020" }),
    document("note", prose(4), { kind: "other" }),
    document("guideline", prose(4), { kind: "guideline" }),
  ]);
  expect(Object.values(outcome).sort()).toEqual([
    ["deduplicate.text", "guideline"],
    ["deduplicate.text", "new"],
    ["deduplicate.title", "paper"],
  ]);
});

test("the same id with another text is a conflict, and the newer text stays", async () => {
  const outcome = await decide([
    document("pmid:1", `old ${prose(1)}`, { published: "2014" }),
    document("pmid:1", `new ${prose(2)}`, { published: "2015" }),
    document("pmid:2", `same ${prose(3)}`),
    document("pmid:2", `same ${prose(3)}`),
  ]);
  expect(
    Object.entries(outcome)
      .map(([key, [rule]]) => [key.split(" ")[1]!.slice(0, 4), rule])
      .sort(),
  ).toEqual([
    ["old", "deduplicate.id-conflict"],
    ["same", "deduplicate.id"],
  ]);
});

test("near duplicates by shingles; a short title says nothing; other doses are other texts when they differ enough", async () => {
  const base = prose(7, 300);
  const outcome = await decide([
    document("a", base),
    document("b", `${base} with one sentence more`),
    document("c", prose(8, 300), { title: "Introduction" }),
    document("d", prose(9, 300), { title: "Introduction" }),
  ]);
  expect(Object.values(outcome)).toEqual([["deduplicate.near", "b"]]);
});

test("a shared chapter makes no duplicate: bands are candidates, all minima decide", async () => {
  const methods = prose(1, 500);
  const documents = [document("neck", `${prose(2, 320)} ${methods}`), document("back", `${prose(3, 320)} ${methods}`)];
  for (let i = 0; i < 40; i++) documents.push(document(`d${i}`, `${prose(10 + i, 320)} ${methods}`));
  // J = 500 / (500 + 2 · 320) = 0.44: some of these pairs share a band, none is a duplicate.
  const unverified = await decide(documents, { ...OPTIONS, near: { ...NEAR, minSimilarity: 0 } });
  expect(Object.keys(unverified).length).toBeGreaterThan(0);
  expect(await decide(documents)).toEqual({});
});

test("order, files and spilling to disk change nothing", async () => {
  const documents: Document[] = [];
  for (let i = 0; i < 60; i++)
    documents.push(document(`d${i}`, prose(i % 40, 120), { published: `20${10 + (i % 7)}` }));
  for (let i = 0; i < 20; i++) documents.push(document(`near${i}`, `${prose(i, 118)} a bit`));
  const expected = await decide(documents);
  expect(Object.keys(expected).length).toBe(40);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(documents, { minLength: documents.length }),
      fc.integer({ min: 1, max: 5 }),
      async (shuffled, files) => {
        expect(await decide(shuffled, OPTIONS, files)).toEqual(expected);
      },
    ),
    { numRuns: 5 },
  );
  expect(await decide(documents, { ...OPTIONS, memoryBytes: 1 })).toEqual(expected);
});

test("keys on disk give the groups that keys in memory give", async () => {
  const folder = await testFolder();
  const keys = Array.from({ length: 20_000 }, (_, i) => Math.imul(i % 7000, 2654435761) >>> 0);
  const groups = async (memoryBytes: number): Promise<[string[], boolean]> => {
    const found: string[] = [];
    const index = new KeyGroups(join(folder, String(memoryBytes)), memoryBytes);
    for (const [i, key] of keys.entries()) await index.add(key, (key ^ 0x55) >>> 0, i);
    await index.groups((documents) => found.push([...documents].sort((a, b) => a - b).join(" ")));
    const { spilled } = index;
    await index.close();
    return [found.sort(), spilled];
  };
  const [inMemory, none] = await groups(1 << 30);
  const [onDisk, some] = await groups(10_000);
  expect([none, some]).toEqual([false, true]);
  expect(onDisk).toEqual(inMemory);
  expect(inMemory.length).toBe(7000); // 20,000 documents, 7,000 keys, each two or three times
  await expect(readFile(join(folder, "10000", "0.keys"))).rejects.toThrow();
});

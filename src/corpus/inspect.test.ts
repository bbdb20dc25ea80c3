import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildCorpus } from "./build.ts";
import { parseCorpusConfig } from "./config.ts";
import { contaminationReport } from "./decontaminate.ts";
import { DropLog } from "./drop-log.ts";
import { previewFilters } from "./filter.ts";
import {
  cleaningAudit,
  dropsByRule,
  formatCleaningAudit,
  formatContamination,
  formatFilterPreview,
  sampleDocuments,
  verifyCorpus,
} from "./inspect.ts";
import { readShards } from "./shards.ts";
import { prose, testFolder, writeFiles } from "./testing.ts";

async function build(): Promise<string> {
  const folder = await testFolder();
  const notes: Record<string, string> = { "notes/short.txt": "too short" };
  for (let i = 0; i < 12; i++) notes[`notes/n${i}.txt`] = `${prose(i)} see https://example.org/${i}`;
  await writeFiles(folder, notes);
  const source = { type: "text" as const, path: join(folder, "notes"), kind: "guideline" as const };
  await buildCorpus(parseCorpusConfig({ sources: [source], stages: { filter: {} } }), {
    directory: join(folder, "out"),
  });
  return join(folder, "out");
}

test("samples, drops, the audit and the accounts of a corpus", async () => {
  const directory = await build();
  const sample = await sampleDocuments(directory, 3);
  expect(sample).toHaveLength(3);
  expect(await sampleDocuments(directory, 3)).toEqual(sample);
  expect(await dropsByRule(directory)).toMatchObject([
    { rule: "filter.too-few-words", count: 1, samples: [{ id: "text:short.txt", value: 2, threshold: 30 }] },
  ]);
  const audit = await cleaningAudit(directory);
  expect(audit.rules.find(({ rule }) => rule === "url")).toMatchObject({ documents: 12, removals: 12 });
  expect(formatCleaningAudit(audit, 1)).toContain(
    "url: 12 changes in 12 documents, 254 characters less\n  text:n0.txt\n    - https://example.org/0\n    + ",
  );
  const sample1 = { id: "a", before: "ab\u200f\u00a0c\u0007", after: "abc" };
  const hidden = { rule: "control-character", documents: 1, removals: 1, characters: 3, samples: [sample1] };
  expect(formatCleaningAudit({ charactersIn: 6000, charactersOut: 5997, rules: [hidden] })).toContain(
    "6,000 characters in, 5,997 out (0.05% less)\n\ncontrol-character: 1 changes in 1 documents, 3 characters less\n  a\n    - ab\\u{200f}\\u{a0}c\\u0007\n",
  );
  expect(await verifyCorpus(directory)).toMatchObject({ documents: 12, drops: 1 });
});

test("a preview of limits, and the report of contamination, as text", async () => {
  const directory = await build();
  const preview = await previewFilters(readShards(directory), { guideline: { minWords: 1000 } });
  expect(formatFilterPreview(preview)).toMatch(
    /^12 of 12 documents \(100\.0%\) would go\n\nfilter\.too-few-words: 12 documents \(100\.0%\), 12 of them by no other rule\n {2}text:n\d+\.txt: \d+ words, fewer than 1000/,
  );
  const hit = {
    document: "pmid:1",
    source: "pubmed",
    benchmark: "medqa",
    item: "q7",
    rule: "overlap",
    overlap: 0.85,
  } as const;
  const items = [
    { benchmark: "medqa", id: "q7", text: "" },
    { benchmark: "medqa", id: "q8", text: "" },
  ];
  expect(formatContamination(contaminationReport(items, 1, [hit]))).toBe(
    "1 documents hold items (1 items are too short to judge)\n\nmedqa: 1 of 2 items hit\n\nmedqa q7\n  pmid:1 (pubmed): overlap, 85% of its 8-grams",
  );
});

test("a drop log that lost a record is noticed", async () => {
  const directory = await build();
  const path = join(directory, "drops.jsonl.zst");
  await rm(path);
  await (await DropLog.create(path)).commit();
  await expect(verifyCorpus(directory)).rejects.toMatchObject({
    code: "CORPUS_UNACCOUNTED",
    message: "13 documents entered, 0 were added, but 12 left and 0 are in the drop log",
  });
  await writeFile(path, "");
});

import { copyFile, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { CancelledError, formatError } from "../core/errors.ts";
import { exists, sha256File } from "../core/files.ts";
import { buildCorpus } from "./build.ts";
import { type CorpusConfigInput, parseCorpusConfig } from "./config.ts";
import { readDrops } from "./drop-log.ts";
import { loadManifest, readShards } from "./shards.ts";
import { collect, prose, testFolder, writeFiles } from "./testing.ts";

let folder: string;
beforeEach(async () => {
  folder = await testFolder();
});

/** 40 guidelines as pages, 30 notes as text, with a copy, a near copy, an empty file and one that is not UTF-8 among them. */
async function sources(): Promise<CorpusConfigInput> {
  const pages: Record<string, string> = {};
  for (let i = 0; i < 40; i++)
    pages[`pages/g${i}.html`] =
      `<html><body><main><h1>Guideline number ${i} on the care of patients</h1><p>${prose(i)}</p></main></body></html>`;
  const notes: Record<string, string | Uint8Array> = {};
  for (let i = 0; i < 30; i++) notes[`notes/n${i}.txt`] = prose(1000 + i);
  notes["notes/copy.txt"] = prose(1000);
  notes["notes/near.txt"] = `${prose(1001, 79)} indeed`;
  notes["notes/empty.txt"] = "\n\n";
  notes["notes/latin1.txt"] = Uint8Array.from([0x64, 0x6f, 0x73, 0x65, 0x20, 0xb5, 0x67]);
  await writeFiles(folder, { ...pages, ...notes });
  return {
    sources: [
      { type: "html", name: "guide", path: join(folder, "pages"), license: "CC-BY-4.0" },
      { type: "text", name: "notes", path: join(folder, "notes"), kind: "replay" },
    ],
    stages: { filter: {}, language: {} },
    validationFraction: 0.2,
  };
}

async function shardHashes(directory: string): Promise<Record<string, string>> {
  const files = (await readdir(directory)).filter((file) => !file.startsWith(".")).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await sha256File(join(directory, file))])),
  );
}

test("every record is in a shard or in the drop log, with its reason", async () => {
  const config = parseCorpusConfig(await sources());
  const directory = join(folder, "out");
  const manifest = await buildCorpus(config, { directory });
  const documents = await collect(readShards(directory, { verify: true }));
  const drops = await collect(readDrops(join(directory, "drops.jsonl.zst")));
  expect(documents.length + drops.length).toBe(40 + 34);
  // Which of two equal documents stays hangs on a hash of their ids, not on their order.
  const byRule = Object.fromEntries(drops.map(({ id, rule, reason }) => [rule, { id, reason }]));
  expect(byRule).toEqual({
    "deduplicate.text": {
      id: expect.stringMatching(/copy|n0/),
      reason: expect.stringMatching(/^the same text as notes:(copy|n0)\.txt of notes/),
    },
    "deduplicate.near": {
      id: expect.stringMatching(/near|n1/),
      reason: expect.stringMatching(/^nearly the same text as notes:(near|n1)\.txt of notes/),
    },
    "read.no-text": { id: "notes:empty.txt", reason: "the record has no text" },
    "read.io-not-utf8": { id: "notes:latin1.txt", reason: "bytes that are not UTF-8 at offset 5" },
  });
  expect(manifest.drops.byRule).toEqual({
    "deduplicate.near": 1,
    "deduplicate.text": 1,
    "read.io-not-utf8": 1,
    "read.no-text": 1,
  });
  expect(manifest.splits.train!.documents + manifest.splits.validation!.documents).toBe(documents.length);
  expect(manifest.splits.train!.byKind).toMatchObject({ guideline: expect.any(Number) });
  for (const stage of manifest.stages) expect(stage.in + stage.added).toBe(stage.out + stage.dropped);
  expect(await readFile(join(directory, "datasheet.md"), "utf8")).toContain("| guide | html | 40 |");
  expect(await exists(join(directory, "work"))).toBe(false);
});

test("the number of shards changes no document", async () => {
  const config = await sources();
  await buildCorpus(parseCorpusConfig(config), { directory: join(folder, "one") });
  const many = await buildCorpus(parseCorpusConfig({ ...config, shardBytes: 1024 }), {
    directory: join(folder, "many"),
  });
  expect(many.shards.length).toBeGreaterThan(20);
  expect(await collect(readShards(join(folder, "many")))).toEqual(await collect(readShards(join(folder, "one"))));
});

test("threads and a build that was stopped give the same bytes", async () => {
  const config = parseCorpusConfig(await sources());
  await buildCorpus(config, { directory: join(folder, "a") });
  await buildCorpus(config, { directory: join(folder, "b"), threads: 2 });
  const expected = await shardHashes(join(folder, "a"));
  expect(await shardHashes(join(folder, "b"))).toEqual(expected);

  // Stopped in each stage; the next call goes on.
  const directory = join(folder, "c");
  for (const stage of ["read", "deduplicate", "write"] as const) {
    const controller = new AbortController();
    const stopped = buildCorpus(config, {
      directory,
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.stage === stage) controller.abort();
      },
    });
    await expect(stopped).rejects.toBeInstanceOf(CancelledError);
    await expect(loadManifest(directory)).rejects.toThrow("manifest.json is missing");
  }
  await buildCorpus(config, { directory });
  expect(await shardHashes(directory)).toEqual(expected);
});

test("files dealt to threads in parts give the same bytes, PubMed's versions over all of them included", async () => {
  const record = (pmid: number, version: number, text: string) =>
    `<PubmedArticle><MedlineCitation><PMID Version="${version}">${pmid}</PMID><DateRevised><Year>20${10 + version}</Year><Month>01</Month><Day>02</Day></DateRevised><Article><ArticleTitle>Citation ${pmid}</ArticleTitle><Abstract><AbstractText>${text}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>`;
  for (let file = 0; file < 4; file++) {
    const records = Array.from({ length: 10 }, (_, i) => record(10 * file + i + 1, 1, prose(100 + 10 * file + i)));
    // The last file revises a citation of each of the others, and deletes one.
    if (file === 3)
      for (let other = 0; other < 3; other++) records.push(record(10 * other + 3, 2, prose(9000 + other)));
    if (file === 3) records.push('<DeleteCitation><PMID Version="1">5</PMID></DeleteCitation>');
    await writeFiles(folder, {
      [`pubmed/p${String(file).padStart(2, "0")}.xml`]: `<PubmedArticleSet>${records.join("\n")}</PubmedArticleSet>`,
    });
  }
  const given = await sources();
  const config = parseCorpusConfig({
    ...given,
    sources: [...given.sources, { type: "pubmed" as const, path: join(folder, "pubmed") }],
  });
  const build = async (name: string, options: { threads: number; partBytes?: number }) => {
    const manifest = await buildCorpus(config, { directory: join(folder, name), ...options });
    const hashes = await shardHashes(join(folder, name));
    const reports = await Promise.all(
      manifest.reports.map((file) => readFile(join(folder, name, file), "utf8").then((text) => [file, text])),
    );
    return { hashes, reports, drops: manifest.drops };
  };
  const whole = await build("whole", { threads: 1, partBytes: 1 << 30 });
  expect(whole.drops.byRule).toMatchObject({ "pubmed.superseded": 3, "pubmed.deleted": 1 });
  expect(await build("parts", { threads: 1, partBytes: 6000 })).toEqual(whole);
  expect(await build("threads", { threads: 2, partBytes: 9000 })).toEqual(whole);
});

test("a finished corpus is taken as it is, until a source changes", async () => {
  const config = parseCorpusConfig(await sources());
  const directory = join(folder, "out");
  const first = await buildCorpus(config, { directory });
  const seen: string[] = [];
  expect(await buildCorpus(config, { directory, onProgress: ({ stage }) => seen.push(stage) })).toEqual(first);
  expect(seen).toEqual([]);
  await writeFile(join(folder, "notes/n31.txt"), prose(5000));
  const second = await buildCorpus(config, { directory });
  expect(second.stages[0]!.in).toBe(first.stages[0]!.in + 1);
  expect(second.recipeHash).toBe(first.recipeHash);
});

test("adding documents moves none between training and validation", async () => {
  const config = await sources();
  await buildCorpus(parseCorpusConfig(config), { directory: join(folder, "before") });
  for (let i = 50; i < 70; i++) await writeFile(join(folder, `notes/n${i}.txt`), prose(7000 + i));
  await buildCorpus(parseCorpusConfig(config), { directory: join(folder, "after") });
  const held = async (name: string) =>
    new Set((await collect(readShards(join(folder, name), { split: "validation" }))).map(({ id }) => id));
  const before = await held("before");
  const after = await held("after");
  const all = new Set((await collect(readShards(join(folder, "before")))).map(({ id }) => id));
  expect(before.size).toBeGreaterThan(3);
  expect([...after].filter((id) => all.has(id)).sort()).toEqual([...before].sort());
});

test("only what may be passed on, if so asked", async () => {
  const config = parseCorpusConfig({ ...(await sources()), only: "redistributable" });
  const manifest = await buildCorpus(config, { directory: join(folder, "out") });
  expect(manifest.drops.byRule["license.not-redistributable"]).toBe(32);
  expect(manifest.splits.train!.redistributable).toBe(manifest.splits.train!.documents);
});

test("the file's time alone is no change of the corpus' bytes", async () => {
  const config = parseCorpusConfig(await sources());
  await buildCorpus(config, { directory: join(folder, "a") });
  await utimes(join(folder, "notes/n0.txt"), 1, 1);
  await buildCorpus(config, { directory: join(folder, "b") });
  expect(await shardHashes(join(folder, "b"))).toEqual(await shardHashes(join(folder, "a")));
});

test("contaminated documents are dropped or reported, item by item", async () => {
  const config = await sources();
  const item = { benchmark: "medical", id: "q1", text: prose(3, 30) };
  const stages = { ...config.stages, decontaminate: { benchmarks: ["medical"] } };
  const options = { benchmarks: { medical: [item] } };
  const dropped = await buildCorpus(parseCorpusConfig({ ...config, stages }), {
    directory: join(folder, "drop"),
    ...options,
  });
  expect(dropped.drops.byRule["decontaminate.collision"]).toBe(1);
  const report = JSON.parse(await readFile(join(folder, "drop/contamination.json"), "utf8"));
  expect(report.byBenchmark).toEqual({ medical: { items: 1, hit: 1 } });
  expect(report.hits).toEqual([
    { document: "guide:g3.html", source: "guide", benchmark: "medical", item: "q1", rule: "collision", overlap: 1 },
  ]);
});

test("wrong settings and missing paths stop before any work", async () => {
  expect(() =>
    parseCorpusConfig({
      sources: [
        { type: "text", path: "x", licence: "MIT" },
        { type: "texts", path: "y" },
      ],
      validationFraction: 2,
      shards: 3,
    }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [ConfigError: 4 problems
      sources[0]: Unrecognized key: "licence"
      sources[1].type: Invalid discriminator value. Expected 'text' | 'jsonl' | 'parquet' | 'huggingface' | 'html' | 'guideline-site' | 'ngc' | 'cnxml' | 'medquad' | 'pdf' | 'pubmed' | 'jats' | 's2orc' | 'cord19'
      validationFraction: Too big: expected number to be <=1
      (top): Unrecognized key: "shards"]
  `);
  const config = parseCorpusConfig({ sources: [{ type: "text", path: join(folder, "nowhere") }] });
  const failed = await buildCorpus(config, { directory: join(folder, "out") }).catch((error: unknown) =>
    formatError(error),
  );
  expect(String(failed).replaceAll(folder, "<folder>")).toMatchInlineSnapshot(`
    "IO_NOT_FOUND at <folder>/nowhere: no such file or folder (reading a source)
      → check the path"
  `);
  await writeFiles(folder, { "empty/readme.pdf": "x" });
  const empty = parseCorpusConfig({ sources: [{ type: "text", path: join(folder, "empty") }] });
  const none = await buildCorpus(empty, { directory: join(folder, "out") }).catch((error: unknown) =>
    formatError(error),
  );
  expect(String(none).replaceAll(folder, "<folder>")).toMatchInlineSnapshot(`
    "CORPUS_NO_FILES at <folder>/empty: no .txt or .text or .md or .rst in the folder
      → check the path, or the source's type"
  `);
});

test("a changed or cut shard is noticed", async () => {
  const config = parseCorpusConfig({ ...(await sources()), shardBytes: 8192 });
  const directory = join(folder, "out");
  const manifest = await buildCorpus(config, { directory });
  const [first, second] = manifest.shards;
  await copyFile(join(directory, second!.file), join(directory, first!.file));
  await expect(collect(readShards(directory, { verify: true }))).rejects.toMatchObject({
    code: "CORPUS_SHARD_CHANGED",
  });
  const bytes = await readFile(join(directory, second!.file));
  await writeFile(join(directory, first!.file), bytes.subarray(0, bytes.length / 2));
  await expect(collect(readShards(directory))).rejects.toMatchObject({ code: "IO_CUT_SHORT" });
});

test("other journals for upsampling build the corpus again", async () => {
  await writeFiles(folder, {
    "notes/a.jsonl": `${JSON.stringify({ id: 1, text: prose(1), journal: "The Lancet" })}\n`,
    "journals.txt": "Another journal\n",
  });
  const config = parseCorpusConfig({
    sources: [{ type: "jsonl", name: "notes", path: join(folder, "notes"), kind: "paper" }],
    stages: { upsample: { upfold: 1, referenceDate: "2023-08-01", journals: join(folder, "journals.txt") } },
    validationFraction: 0,
  });
  const directory = join(folder, "out");
  const copies = async () => (await buildCorpus(config, { directory })).splits.train!.documents;
  expect(await copies()).toBe(1);
  await writeFile(join(folder, "journals.txt"), "The Lancet\n");
  expect(await copies()).toBe(2);
});

import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { loadManifest, readShards } from "../corpus/index.ts";
import { collect, prose, testFolder, writeFiles } from "../corpus/testing.ts";
import { trainTokenizer } from "../tokens/index.ts";
import { main } from "./main.ts";

let folder: string;
beforeEach(async () => {
  folder = await testFolder();
});

/** Exit code, stdout and stderr of a command line. */
async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const written: Record<"out" | "err", string[]> = { out: [], err: [] };
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.out.push(String(text)) > 0);
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.err.push(String(text)) > 0);
  try {
    return { code: await main(words), out: written.out.join(""), err: written.err.join("") };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

test("corpus build --only redistributable --tokenizer: a corpus to publish, its tokens in the datasheet", async () => {
  for (let i = 0; i < 20; i++)
    await writeFiles(folder, {
      [`open/${i}.txt`]: `${prose(i)} https://example.org/${i}`,
      [`closed/${i}.txt`]: prose(100 + i),
    });
  const tokenizer = await trainTokenizer([prose(1, 400)], { vocabSize: 300 });
  await tokenizer.save(join(folder, "tokenizer"));
  await writeFile(
    join(folder, "corpus.yaml"),
    `sources:
  - { type: text, name: open, path: open, kind: other, license: CC-BY-4.0 }
  - { type: text, name: closed, path: closed, kind: other }
validationFraction: 0.2
`,
  );
  const out = join(folder, "out");
  const build = ["corpus", "build", join(folder, "corpus.yaml"), "--out", out];
  const tokenized = [...build, "--only", "redistributable", "--tokenizer", join(folder, "tokenizer")];
  const built = await run(...tokenized);
  expect(built).toMatchObject({ code: 0, err: expect.stringContaining('no document came from the source "closed"') });
  expect((await collect(readShards(out))).every(({ source }) => source === "open")).toBe(true);
  const datasheet = await readFile(join(out, "datasheet.md"), "utf8");
  const sets = await Promise.all(
    ["train", "validation"].map(async (split) =>
      JSON.parse(await readFile(join(out, "tokens", `${split}.tokens.json`), "utf8")),
    ),
  );
  const [train, validation] = sets.map(({ tokens }) => tokens.toLocaleString("en-US"));
  expect(datasheet).toContain(
    `## Tokens\n\n${train} of train, ${validation} of validation, counted with a tokenizer of 300`,
  );
  expect(datasheet).toContain(`| CC-BY-4.0 | ${train} | ${validation} |`);
  expect(datasheet).toContain("## Cleaning");
  await run(...tokenized); // nothing changed: the same sheet again
  expect(await readFile(join(out, "datasheet.md"), "utf8")).toBe(datasheet);

  await run(...build);
  expect((await loadManifest(out)).splits.train!.bySource.closed).toBeGreaterThan(0);
  expect(await run(...build, "--only", "open")).toMatchObject({
    code: 1,
    err: expect.stringContaining('--only "open" is not known\n  → all or redistributable'),
  });
});

test("what an earlier build reported does not outlive it", async () => {
  await writeFiles(folder, { "notes/a.txt": prose(1), "items.jsonl": JSON.stringify({ id: "q", text: prose(2) }) });
  const file = join(folder, "corpus.yaml");
  const out = join(folder, "out");
  const source = "sources: [{ type: text, path: notes, kind: other }]\n";
  await writeFile(file, `${source}stages: { decontaminate: { benchmarks: [${join(folder, "items.jsonl")}] } }\n`);
  expect((await run("corpus", "build", file, "--out", out)).code).toBe(0);
  await access(join(out, "contamination.json"));
  await writeFile(file, `${source}stages: { clean: false }\n`);
  expect((await run("corpus", "build", file, "--out", out)).code).toBe(0);
  expect((await run("corpus", "inspect", out, "--contamination")).err).toContain("CORPUS_NOT_COMPARED");
  expect((await run("corpus", "inspect", out, "--diff")).err).toContain("CORPUS_NO_AUDIT");
});

test("a source without documents is told with the first reason; a license nobody knows is refused", async () => {
  await writeFiles(folder, { "rows/a.jsonl": '{"id":1,"abstract":"Dose"}\n' });
  const file = join(folder, "corpus.yaml");
  await writeFile(file, "sources: [{ type: jsonl, path: rows }]\n");
  expect((await run("corpus", "build", file, "--out", join(folder, "out"))).err).toContain(
    'no document came from the source "jsonl"; the first record left out: jsonl:1: no field text, ',
  );
  await writeFile(file, "sources: [{ type: jsonl, path: rows, license: free for all }]\n");
  expect((await run("corpus", "build", file, "--out", join(folder, "out"))).err).toContain(
    '1:38  sources[0].license: "free for all" is no license that we know; expected an SPDX id such as "CC-BY-4.0"',
  );
});

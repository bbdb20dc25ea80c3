/** The corpus' own readers and stages over real records: all parse, all are accounted for. */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CLEANING_PROFILES, cleanText } from "../../src/corpus/clean.ts";
import { buildCorpus, type CorpusConfigInput, parseCorpusConfig, readDrops } from "../../src/corpus/index.ts";
import { sampleDocuments, verifyCorpus } from "../../src/corpus/inspect.ts";
import { detectLanguage } from "../../src/corpus/language.ts";
import { pdfToText } from "../../src/corpus/pdf.ts";
import { descendants, parseXml, textOf } from "../../src/corpus/sources/xml.ts";
import { realData } from "./data.ts";

const data = realData();
const path = (name: string) => join(data ?? "", name);

describe.skipIf(data === undefined)("real records (../shared/data is absent)", () => {
  const build = async (sources: CorpusConfigInput["sources"], more: Partial<CorpusConfigInput> = {}) => {
    const directory = await mkdtemp(join(tmpdir(), "meditron-real-"));
    await buildCorpus(parseCorpusConfig({ sources, ...more }), { directory });
    const drops: Record<string, number> = {};
    for await (const { rule } of readDrops(join(directory, "drops.jsonl.zst"))) drops[rule] = (drops[rule] ?? 0) + 1;
    const { manifest } = await verifyCorpus(directory);
    return { directory, drops, manifest };
  };

  test("guidelines, textbook, question pages: every file is a document or has a reason", {
    timeout: 300_000,
  }, async () => {
    const { manifest, drops } = await build(
      [
        { type: "ngc", name: "ngc", path: path("guidelines-ngc") },
        { type: "ngc", name: "ngc-stubs", path: path("guidelines-ngc-stubs") },
        { type: "cnxml", name: "openstax", path: path("textbook-openstax-cnxml") },
        { type: "medquad", path: path("medquad") },
      ],
      { stages: { filter: {}, language: {} } },
    );
    expect(manifest.stages[0]).toMatchObject({ stage: "read", in: 32 + 1317 + 111 + 6787 });
    expect(drops["read.no-recommendations"]).toBe(1317);
    // Pages whose answers were withdrawn; the data set's authors say so in each file.
    expect(drops["read.no-text"]).toBe(3448);
    expect(
      Object.keys(drops).filter((rule) => rule.startsWith("read.") && !/no-(text|recommendations)$/.test(rule)),
    ).toEqual([]);
    const kept = Object.values(manifest.splits).reduce((sum, { documents }) => sum + documents, 0);
    // Web filters would drop 99.8% of the guidelines and a third of the answers; ours hardly any.
    const filtered = Object.entries(drops)
      .filter(([rule]) => rule.startsWith("filter."))
      .reduce((sum, [, n]) => sum + n, 0);
    expect(filtered).toBeLessThan(0.02 * kept);
    const bySource = (name: string) =>
      Object.values(manifest.splits).reduce((sum, split) => sum + (split.bySource[name] ?? 0), 0);
    expect(bySource("ngc")).toBe(32);
    expect(bySource("openstax")).toBeGreaterThanOrEqual(108);
  });

  test("general prose and near-duplicate posts", { timeout: 300_000 }, async () => {
    const { manifest, drops } = await build(
      [
        { type: "text", name: "books", path: path("general-gutenberg"), kind: "replay", license: "public domain" },
        { type: "text", name: "peps", path: path("general-peps"), kind: "replay" },
        { type: "jsonl", name: "posts", path: path("neardup-zheln"), kind: "other" },
      ],
      { stages: { clean: {} } },
    );
    expect(manifest.stages[0]!.in).toBe(11 + 447 + 2000);
    expect(drops["deduplicate.near"]! + (drops["deduplicate.text"] ?? 0)).toBeGreaterThan(500);
    expect(manifest.splits.validation!.byKind.replay).toBeUndefined();
  });

  test("cleaning takes no clinical statement from real text", { timeout: 120_000 }, async () => {
    const { directory } = await build(
      [{ type: "text", name: "a", path: path("abstract-text-anatem"), kind: "abstract" }],
      {
        stages: { clean: false, deduplicate: false },
      },
    );
    for (const { text } of await sampleDocuments(directory, 700)) {
      const cleaned = cleanText(text, CLEANING_PROFILES.abstract);
      const numbers = (value: string) => value.replace(/(https?:|www\.)\S+|&#\d+;/g, "").match(/\d+(\.\d+)?/g) ?? [];
      expect(numbers(cleaned)).toEqual(numbers(text.normalize("NFC")));
    }
  });

  test("language identification on the Universal Declaration", async () => {
    const lines = (await readFile(path("lang-udhr/udhr.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
    const codes: Record<string, string> = {
      eng: "en",
      fra: "fr",
      deu_1996: "de",
      spa: "es",
      ita: "it",
      por_PT: "pt",
      nld: "nl",
      rus: "ru",
      jpn: "ja",
      pol: "pl",
    };
    let right = 0;
    let all = 0;
    for (const line of lines) {
      const { lang, text } = JSON.parse(line) as { lang: string; text: string };
      const expected = codes[lang];
      if (expected === undefined || text.length < 80) continue;
      all++;
      if (detectLanguage(text) === expected) right++;
    }
    expect(all).toBeGreaterThan(200);
    expect(right / all).toBeGreaterThan(0.97);
  });

  test("a paper as PDF: title, headings and words of its GROBID parse", async () => {
    const { title, text } = await pdfToText(await readFile(path("pdf-with-tei/N18-3011.pdf")), "N18-3011.pdf");
    expect(title).toBe("Construction of the Literature Graph in Semantic Scholar");
    const tei = parseXml(await readFile(path("pdf-with-tei/N18-3011.tei.xml"), "utf8"));
    const body = descendants(tei, "body")[0]!;
    const heads = descendants(body, "div").flatMap((div) =>
      descendants(div, "head").map((head) => textOf(head).trim()),
    );
    const found = heads.filter((head) => text.split("\n").some((line) => line.startsWith("#") && line.endsWith(head)));
    expect(found.length / heads.length).toBeGreaterThan(0.7);
    const words = (value: string) => new Set(value.toLowerCase().match(/\p{L}{3,}/gu) ?? []);
    const [ours, theirs] = [words(text), words(textOf(body))];
    expect([...theirs].filter((word) => ours.has(word)).length / theirs.size).toBeGreaterThan(0.93);
  });
});

import { createHash } from "node:crypto";
import { gunzipSync, inflateSync } from "node:zlib";
import { SaxesParser } from "saxes";
import { beforeAll, describe, expect, test } from "vitest";
import { isWrongFor } from "./benchmark-items.ts";
import { sharedWords } from "./facts/shared-words.ts";
import { renderSample } from "./render.ts";
import { type BenchmarkItem, type Benchmarks, composeBenchmarks, letters } from "./renderers/benchmarks.ts";
import { createWorld, type World } from "./world.ts";

const SEED = 7;
let files: Map<string, Buffer>;
let full: World;
let fullBenchmarks: Benchmarks;

beforeAll(() => {
  files = renderSample(SEED, "small");
  full = createWorld(SEED, "full");
  fullBenchmarks = composeBenchmarks(full);
});

function text(path: string): string {
  const bytes = files.get(path)!;
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

function digest(rendered: Map<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [path, bytes] of rendered) hash.update(path).update(bytes);
  return hash.digest("hex");
}

/** Parses XML; returns its character data, or throws where it is not well-formed. */
function xmlText(xml: string): string {
  const parser = new SaxesParser();
  const parts: string[] = [];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("text", (data) => parts.push(data));
  parser.write(xml).close();
  return parts.join(" ");
}

function words(value: string): string[] {
  return value.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function shingles(value: string, size: number): string[] {
  const all = words(value);
  return Array.from({ length: Math.max(0, all.length - size + 1) }, (_, i) => all.slice(i, i + size).join(" "));
}

/** The text of every corpus file of a rendered sample. */
function corpusTexts(rendered: Map<string, Buffer>): string[] {
  const texts: string[] = [];
  for (const [path, bytes] of rendered) {
    if (path.startsWith("benchmarks/") || path.endsWith(".pdf") || !path.includes("/")) continue;
    const content = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    texts.push(/\.jsonl/.test(path) ? content.replace(/\\n/g, " ") : content.replace(/<[^>]*>/g, " "));
  }
  return texts;
}

describe("rendering", () => {
  test("gives the same bytes for the same seed, and others for another seed", () => {
    expect(digest(renderSample(SEED, "small"))).toBe(digest(files));
    expect(digest(renderSample(SEED + 1, "small"))).not.toBe(digest(files));
  });

  test("writes well-formed XML, except the one damaged record of the update file", () => {
    for (const [path] of files) {
      if (/pmc\/.*\.xml$|n0001\.xml\.gz$/.test(path)) expect(xmlText(text(path)).length, path).toBeGreaterThan(500);
    }
    const update = text("pubmed/pubmed26n0002.xml.gz");
    expect(() => xmlText(update)).toThrow();
    const records = update.match(/<PubmedArticle>[\s\S]*?<\/PubmedArticle>/g)!;
    const damaged = records.filter((record) => {
      try {
        xmlText(record);
        return false;
      } catch {
        return true;
      }
    });
    expect([records.length, damaged.length]).toEqual([3, 1]);
  });

  test("counts in the manifest what is in the files", () => {
    const { sources } = JSON.parse(text("sample-manifest.json"));
    const records = [...files.keys()]
      .filter((path) => path.startsWith("pubmed/"))
      .flatMap((path) => text(path).match(/<PubmedArticle>/g) ?? []);
    expect(records.length).toBe(sources.pubmed.records);
    const baseline = text("pubmed/pubmed26n0001.xml.gz").split("<PubmedArticle>").slice(1);
    expect(baseline.filter((record) => !record.includes("<Abstract>")).length).toBe(sources.pubmed.withoutAbstract);
    expect(baseline.filter((record) => !record.includes("<Language>eng<")).length).toBe(sources.pubmed.otherLanguages);
    expect([...files.keys()].filter((path) => path.startsWith("pmc/")).length).toBe(sources.pmc.articles);
    expect(text("s2orc/s2orc-part0.jsonl.gz").trimEnd().split("\n").length).toBe(sources.s2orc.lines);
    expect(text("general/general.jsonl.gz").trimEnd().split("\n").length).toBe(sources.general.documents);
  });

  test("S2ORC spans point at what they name; exactly one line is cut short", () => {
    const lines = text("s2orc/s2orc-part0.jsonl.gz").trimEnd().split("\n");
    expect(() => JSON.parse(lines.at(-1)!)).toThrow();
    for (const line of lines.slice(0, -1)) {
      const record = JSON.parse(line);
      const spans = (kind: string) =>
        (
          JSON.parse(record.content.annotations[kind] ?? "[]") as {
            start: number;
            end: number;
            attributes?: Record<string, string>;
          }[]
        ).map((s) => ({ ...s, text: record.content.text.slice(s.start, s.end) as string }));
      expect(spans("title")[0]!.text).toBe(record.title);
      const entries = new Set(spans("bibentry").map((s) => s.attributes!.id));
      for (const span of spans("bibref")) expect(entries).toContain(span.attributes!.ref_id);
      for (const span of spans("figurecaption")) expect(span.text).toMatch(/^(Selection|Overview)/);
      expect(spans("sectionheader").map((s) => s.text)).toContain("Discussion");
    }
  });

  test("every link of the guideline site leads to a page, and every article is reached from the home page", () => {
    const site = [...files.keys()].filter((path) => path.startsWith("guidelines-site/") && path.endsWith(".html"));
    const reached = new Set(["guidelines-site/index.html"]);
    for (const path of reached) {
      for (const [, href] of text(path).matchAll(/<a [^>]*href="([^"]+)"/g)) {
        if (href!.startsWith("https:")) continue;
        const target = new URL(href!, `file:///${path}`).pathname.slice(1);
        expect(files.has(target), `${path} -> ${href}`).toBe(true);
        reached.add(target);
      }
    }
    expect([...reached].sort()).toEqual(site.sort());
  });

  test("the PDF's cross-reference table points at its objects, and its pages hold text with hyphenated lines", () => {
    const pdf = files.get("guidelines-pdf/acute-care.pdf")!;
    const source = pdf.toString("latin1");
    const xref = Number(/startxref\n(\d+)/.exec(source)![1]);
    const offsets = [...source.slice(xref).matchAll(/^(\d{10}) 00000 n/gm)].map((m) => Number(m[1]));
    offsets.forEach((offset, i) => {
      expect(source.slice(offset).startsWith(`${i + 1} 0 obj`)).toBe(true);
    });
    const shown = [...source.matchAll(/\/Length (\d+) \/Filter \/FlateDecode >>\nstream\n/g)].map((m) => {
      const start = m.index + m[0].length;
      return inflateSync(pdf.subarray(start, start + Number(m[1]))).toString("latin1");
    });
    expect(shown.length).toBeGreaterThanOrEqual(3);
    expect(shown.every((page) => /Page \d+ of \d+/.test(page))).toBe(true);
    expect(shown.some((page) => /[a-z]-\) Tj/.test(page))).toBe(true);
  });

  test("every file says in its natural place that it is a sample", () => {
    for (const path of files.keys()) {
      if (path.startsWith("benchmarks/") || path.endsWith(".txt")) continue;
      const content = path.endsWith(".pdf") ? files.get(path)!.toString("latin1") : text(path);
      expect(content.includes("Not clinical advice"), path).toBe(true);
    }
  });
});

describe("benchmarks", () => {
  const everyItem = () =>
    Object.values(fullBenchmarks).flatMap((splits) => Object.values(splits).flat()) as BenchmarkItem[];

  test("are large enough and balanced", () => {
    const { medical, general } = fullBenchmarks;
    for (const splits of [medical, general]) {
      expect(splits.train.length).toBeGreaterThanOrEqual(1500);
      expect(splits.validation.length).toBeGreaterThanOrEqual(140);
      expect(splits.test.length).toBeGreaterThanOrEqual(400);
      expect(splits.test.filter((item) => item.steps === 2).length).toBeGreaterThanOrEqual(150);
      for (const items of Object.values(splits)) {
        // dealt from decks of four letters: counts differ by at most one
        const counts = letters.map((letter) => items.filter((item) => item.answer === letter).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }
  });

  test("fill every split at the small scale too", () => {
    const { medical, general } = composeBenchmarks(createWorld(SEED, "small"));
    for (const splits of [medical, general]) {
      for (const [split, items] of Object.entries(splits)) expect(items.length, split).toBeGreaterThanOrEqual(40);
    }
  });

  test("have four different options of which only the answer is right", () => {
    const entities = new Map([...full.conditions, ...full.things].map((e) => [e.name, e]));
    for (const item of everyItem()) {
      const entity = entities.get(item.entity)!;
      expect(new Set(Object.values(item.options).map((o) => o.toLowerCase())).size, item.id).toBe(4);
      const attribute = [...Object.keys(entity.attributes), "name"].find(
        (key) => (key === "name" ? entity.name : entity.attributes[key]) === item.options[item.answer],
      )!;
      for (const letter of letters) {
        if (letter !== item.answer) expect(isWrongFor(entity, attribute, item.options[letter]), item.id).toBe(true);
      }
      expect(item.explanation.endsWith(`${item.options[item.answer]}.`)).toBe(true);
    }
  });

  test("offer wrong options of the same type: each is the same fact of another entity, in the general world of its own kind", () => {
    for (const [name, entities] of [
      ["medical", full.conditions],
      ["general", full.things],
    ] as const) {
      const values = new Map<string, Set<string>>();
      for (const entity of entities) {
        for (const [attribute, value] of [...Object.entries(entity.attributes), ["name", entity.name] as const]) {
          const key = name === "medical" ? attribute : `${entity.group}/${attribute}`;
          values.set(key, (values.get(key) ?? new Set()).add(value));
        }
      }
      for (const item of Object.values(fullBenchmarks[name]).flat() as BenchmarkItem[]) {
        const options = Object.values(item.options);
        const types = [...values].filter(
          ([key, known]) =>
            (name === "medical" || key.startsWith(`${item.subject}/`)) && options.every((option) => known.has(option)),
        );
        expect(types.length, `${item.id}: ${options.join(" | ")}`).toBeGreaterThanOrEqual(1);
      }
    }
  });

  test("are hardly easier for one who only matches words of the question with words of the options", () => {
    for (const [name, { test: items }] of Object.entries(fullBenchmarks) as [string, Benchmarks["medical"]][]) {
      const credits = items.map((item) => {
        const scores = letters.map((letter) => sharedWords(item.question, item.options[letter]).length);
        const best = letters.filter((_, i) => scores[i] === Math.max(...scores));
        return best.includes(item.answer) ? 1 / best.length : 0;
      });
      // chance is 0.25; with about 600 items the standard error is below 0.02, and a language bears its country's name
      expect(credits.reduce((sum, credit) => sum + credit, 0) / credits.length, name).toBeLessThan(0.3);
    }
  });

  test("two-step questions never name the entity they turn on", () => {
    for (const item of everyItem().filter((i) => i.steps === 2)) {
      expect(words(item.question).join(" "), item.question).not.toMatch(
        new RegExp(`\\b${words(item.entity).join(" ")}\\b`),
      );
    }
  });

  test("no held-out entity is asked about or offered in the train split", () => {
    for (const [name, entities] of [
      ["medical", full.conditions],
      ["general", full.things],
    ] as const) {
      const { train, test: held } = fullBenchmarks[name];
      const names = new Set(entities.filter((e) => e.partition !== "train").map((e) => e.name.toLowerCase()));
      for (const item of train) {
        expect(names.has(item.entity.toLowerCase())).toBe(false);
        for (const option of Object.values(item.options)) expect(names.has(option.toLowerCase()), option).toBe(false);
      }
      expect(held.filter((item) => item.heldOut === "entity").length).toBeGreaterThanOrEqual(400);
    }
  });

  test("no test question shares eight words in a row with the corpus, and none its wording with the train split", () => {
    const rendered = renderSample(SEED, "full");
    const wanted = new Map<string, string>();
    const tests = Object.values(fullBenchmarks).flatMap((splits) => splits.test);
    for (const item of tests) for (const gram of shingles(item.question, 8)) wanted.set(gram, item.question);
    expect(wanted.size).toBeGreaterThan(5000);
    const leaks = new Set<string>();
    for (const content of corpusTexts(rendered)) {
      for (const gram of shingles(content, 8)) if (wanted.has(gram)) leaks.add(`${gram} | ${wanted.get(gram)}`);
    }
    expect([...leaks]).toEqual([]);
    const trained = new Set(
      Object.values(fullBenchmarks).flatMap((splits) => [...splits.train, ...splits.validation].map((i) => i.question)),
    );
    expect(tests.filter((item) => trained.has(item.question))).toEqual([]);
  });
});

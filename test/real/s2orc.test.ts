/** S2ORC: real records of its releases, and records generated from JATS, whose offsets are known exactly. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Article, type Block, formatArticle, type Inline } from "../../src/corpus/formatting/article.ts";
import { type Accounting, countCharacters } from "../../src/corpus/formatting/ledger.ts";
import { collapseSpace } from "../../src/corpus/formatting/space.ts";
import { listFiles } from "../../src/corpus/sources/files.ts";
import { jatsArticle } from "../../src/corpus/sources/jats-article.ts";
import { readS2Orc } from "../../src/corpus/sources/s2orc.ts";
import { s2OrcArticle } from "../../src/corpus/sources/s2orc-article.ts";
import { parseXml, XmlError } from "../../src/corpus/sources/xml.ts";
import { realData } from "./data.ts";

const jats = realData("jats");

describe.skipIf(!jats)("S2ORC and CORD-19 (needs ../shared/data)", () => {
  test("release and CORD-19 records are read whole", async () => {
    for (const [folder, count] of [
      ["s2orc-json", 5],
      ["cord19-json", 3],
    ] as const) {
      let documents = 0;
      for await (const item of readS2Orc({ name: "s2orc", path: realData(folder)! })) {
        if ("drop" in item) throw new Error(item.drop.reason);
        documents++;
        const { charactersIn, kept, dropped, inserted } = item.document.meta.accounting as Accounting;
        expect(kept + Object.values(dropped).reduce((sum, part) => sum + part, 0)).toBe(charactersIn);
        expect(countCharacters(item.document.text) - inserted).toBe(kept);
        expect(kept / charactersIn).toBeGreaterThan(0.9);
      }
      expect(documents).toBe(count);
    }
  });

  test("records generated from JATS come out as the JATS route has them", async () => {
    const files = (await listFiles(jats!, [".xml", ".nxml"])).filter((_, i) => i % 12 === 0);
    let compared = 0;
    const different: string[] = [];
    for (const { path } of files) {
      let article: Article;
      try {
        article = simplified(jatsArticle(parseXml(readFileSync(path, "utf8"), { count: true })).article);
      } catch (error) {
        if (error instanceof XmlError) continue;
        throw error;
      }
      // Without any heading in front, S2ORC has no way to tell the header from the text.
      const first = article.parts[0]!.blocks[0];
      if (first?.type !== "section" || first.heading.length === 0 || article.title.length === 0) continue;
      const record = generate(article);
      const again = s2OrcArticle(record).article;
      const ours = lines(formatArticle(again));
      const wanted = lines(formatArticle(article));
      const at = wanted.findIndex((line, i) => line !== ours[i]);
      if (at !== -1 || ours.length !== wanted.length)
        different.push(`${path}\n  JATS  ${wanted[at]?.slice(0, 300)}\n  S2ORC ${ours[at]?.slice(0, 300)}`);
      compared++;
    }
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThan(60);
  }, 300_000);

  test("the real folder is read from its files alone, in order", async () => {
    const ids: string[] = [];
    for await (const item of readS2Orc({ name: "s2orc", path: join(realData("s2orc-json")!, "20200705") }))
      ids.push("document" in item ? item.document.id : item.drop.id);
    expect(ids).toEqual(["s2:18980380", "s2:18980463"]);
  });
});

/** Nested list items lose their indentation in S2ORC, which has no lists. */
const lines = (text: string): string[] => text.split("\n").map((line) => line.trim());

// ── an article as S2ORC can hold it ──────────────────────────────────────────────────────────────────────────────────

/** Plain title, one target a citation, no line breaks in running text, only the article itself. */
function simplified(article: Article): Article {
  const inline = (content: readonly Inline[]): Inline[] =>
    content.map((item) => {
      if (typeof item === "string") return item.replace(/\s+/g, " ");
      const text = item.text.replace(/\s+/g, " ");
      return item.type === "citation" ? { ...item, text, targets: item.targets.slice(0, 1) } : { ...item, text };
    });
  const blocks = (list: readonly Block[]): Block[] =>
    list.map((block) => {
      switch (block.type) {
        case "paragraph":
          return { ...block, content: inline(block.content) };
        case "section":
          return { ...block, heading: inline(block.heading), blocks: blocks(block.blocks) };
        case "list":
          return { ...block, items: block.items.map((item) => ({ ...item, blocks: blocks(item.blocks) })) };
        default:
          return block;
      }
    });
  const part = article.parts[0]!;
  const title = collapseSpace(
    article.title.map((item) => (typeof item === "string" ? item : item.text)).join(""),
  ).trim();
  return {
    title: title === "" ? [] : [title],
    references: article.references,
    parts: [
      {
        blocks: blocks(part.blocks),
        floats: part.floats.map((float, i) => ({
          ...float,
          id: float.id || `float${i}`,
          label: collapseSpace(float.label).trim() || `${float.kind === "table" ? "Table" : "Figure"} ${i + 1}`,
          caption: inline(float.caption),
          rows: float.rows.map((cells) => cells.map((cell) => inline(cell))),
          notes: float.notes.map((note) => inline(note)),
        })),
      },
    ],
  };
}

/** The record that GROBID and Semantic Scholar would make of it, offsets in code points. */
function generate(article: Article) {
  let text = "";
  let points = 0;
  const annotations: Record<string, { start: number; end: number; attributes?: Record<string, unknown> }[]> = {};
  const add = (piece: string) => {
    text += piece;
    for (const _ of piece) points++;
  };
  const annotate = (kind: string, write: () => void, attributes: Record<string, unknown> = {}) => {
    const start = points;
    write();
    if (points === start) return;
    annotations[kind] ??= [];
    annotations[kind].push({ start, end: points, attributes });
  };
  const inline = (content: readonly Inline[]) => {
    for (const item of content) {
      if (typeof item === "string") add(item);
      else if (item.type === "formula") annotate("formula", () => add(item.text));
      else if (item.type === "citation") annotate("bibref", () => add(item.text), { ref_id: item.targets[0] });
      else annotate("figureref", () => add(item.text), { ref_id: item.target });
    }
  };
  annotate("title", () => add(article.title.join("")));
  add("\n");
  annotate("author", () => add("Jane Roe, John Doe"));
  add("\n");
  const blocks = (list: readonly Block[], number: string, prefix: string) => {
    let sections = 0;
    let pending = prefix;
    for (const block of list) {
      switch (block.type) {
        case "paragraph":
          add(pending);
          inline(block.content);
          add("\n");
          break;
        case "formula":
          add(pending);
          annotate("formula", () => add(block.text));
          add("\n");
          break;
        case "section": {
          const bare = block.heading.every((item) => typeof item === "string" && item.trim() === "");
          const inner = bare ? number : `${number}${++sections}.`;
          if (!bare) {
            annotate("sectionheader", () => inline(block.heading), { n: inner });
            add("\n");
          }
          blocks(block.blocks, inner, "");
          break;
        }
        case "list":
          for (const item of block.items) blocks(item.blocks, number, `${pending}${item.label} `);
          break;
        default:
          block satisfies never;
      }
      pending = "";
    }
    if (pending.trim() !== "" && /[\p{L}\p{N}]/u.test(pending)) add(`${pending}\n`);
  };
  blocks(article.parts[0]!.blocks, "", "");
  for (const float of article.parts[0]!.floats)
    annotate(
      "figure",
      () => {
        add(`${float.label}\n`);
        annotate("figurecaption", () => inline(float.caption));
        for (const cells of float.rows) {
          add("\n");
          cells.forEach((cell, i) => {
            if (i > 0) add(" | ");
            inline(cell);
          });
        }
        for (const note of float.notes) {
          add("\n");
          inline(note);
        }
      },
      { id: float.id, type: float.kind },
    );
  for (const [id, { title, author, label }] of article.references) {
    add("\n");
    annotate(
      "bibentry",
      () => {
        add(label === "" ? "- " : `[${label}] `);
        annotate("bibtitle", () => add(title));
        add(" ");
        annotate("bibauthorlastname", () => add(author));
      },
      { id },
    );
  }
  return {
    text,
    annotations: Object.fromEntries(Object.entries(annotations).map(([kind, spans]) => [kind, JSON.stringify(spans)])),
  };
}

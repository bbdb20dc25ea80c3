/** Real full-text articles: nothing of them is lost, licenses are exact, references carry the text of independent readers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Document, Drop } from "../../src/corpus/document.ts";
import { type Accounting, countCharacters } from "../../src/corpus/formatting/ledger.ts";
import { readJats } from "../../src/corpus/sources/jats.ts";
import { realData } from "./data.ts";

const jats = realData("jats");
const references = realData("jats-txt-reference");

describe.skipIf(!jats)("JATS (needs ../shared/data)", () => {
  const documents: Document[] = [];
  const drops: Drop[] = [];
  beforeAll(async () => {
    for await (const item of readJats({ name: "pmc", path: jats! })) {
      if ("document" in item) documents.push(item.document);
      else drops.push(item.drop);
    }
  }, 600_000);

  test("1,190 files: 1,186 articles, and a reason for each of the others", () => {
    expect(documents.length).toBe(1186);
    expect(drops.map(({ rule }) => rule).sort()).toEqual([
      "jats.retraction-notice",
      "read.no-text",
      "read.no-text",
      "read.no-text",
    ]);
    expect(new Set(documents.map(({ id }) => id)).size).toBeGreaterThan(1150);
  });

  test("characters in = characters kept + characters dropped with a reason, for every article", () => {
    for (const document of documents) {
      const accounting = document.meta.accounting as Accounting;
      const dropped = Object.values(accounting.dropped).reduce((sum, count) => sum + count, 0);
      const file = (document.meta.provenance as { file: string }).file;
      expect(accounting.kept + dropped, file).toBe(accounting.charactersIn);
      // Counted again from the text itself: what is there and was not inserted has been kept.
      expect(countCharacters(document.text) - accounting.inserted, file).toBe(accounting.kept);
      expect(Math.min(...Object.values(accounting.dropped)), file).toBeGreaterThan(0);
    }
  });

  test("outside front matter and bibliography less than 2% of the characters are dropped", () => {
    let total = 0;
    let lost = 0;
    for (const document of documents) {
      const { charactersIn, dropped } = document.meta.accounting as Accounting;
      total += charactersIn;
      for (const [reason, count] of Object.entries(dropped))
        if (!/^front\.|^references$|^sub-article\.front$/.test(reason)) lost += count;
    }
    expect(lost / total).toBeLessThan(0.02);
  });

  test("licenses as the files state them", () => {
    const counts: Record<string, number> = {};
    for (const { license } of documents) counts[license] = (counts[license] ?? 0) + 1;
    expect(counts).toEqual({
      "CC-BY-2.0": 348,
      "CC-BY-2.5": 24,
      "CC-BY-3.0": 126,
      "CC-BY-4.0": 579,
      "CC-BY-NC-4.0": 1,
      "CC-BY-NC-SA-3.0": 1,
      "CC0-1.0": 9,
      "LicenseRef-CC-BY": 76,
      "LicenseRef-PublicDomain": 7,
      unknown: 15,
    });
    expect(documents.every(({ license, redistributable }) => redistributable === (license !== "unknown"))).toBe(true);
  });

  test("special tokens are balanced and no markup is left", () => {
    for (const { id, text } of documents) {
      for (const token of ["bib_ref", "fig_ref", "fig", "table", "formula"]) {
        const opened = text.split(`[${token}]`).length;
        expect(text.split(`[/${token}]`).length, `${id} ${token}`).toBe(opened);
      }
      expect(/<\/?(italic|bold|sup|sub|xref|sec|p)[ >]/.test(text), id).toBe(false);
      expect(/\[\/(?:bib_ref|fig_ref)\] [.,;)]/.test(text), id).toBe(false);
    }
  });

  // A reader of another project wrote these, with citation labels and without tables and back matter.
  test.skipIf(!references)("the text of an independent reader is in ours (words, labels and numbers aside)", () => {
    const ours = new Map(
      documents.filter(({ id }) => id.startsWith("pmc:")).map(({ id, text }) => [id.slice(4), text]),
    );
    let recall = 0;
    let compared = 0;
    for (const file of readdirSync(references!)) {
      const text = ours.get(file.replace(".txt", ""));
      if (text === undefined) continue;
      const wanted = words(withoutLabels(readFileSync(join(references!, file), "utf8")));
      const found = words(text.replace(/\[bib_ref\].*?\[\/bib_ref\]/gs, " "));
      let hits = 0;
      let sum = 0;
      for (const [word, count] of wanted) {
        sum += count;
        hits += Math.min(count, found.get(word) ?? 0);
      }
      const share = hits / sum;
      expect(share, file).toBeGreaterThan(0.9);
      recall += share;
      compared++;
    }
    expect(compared).toBe(314);
    expect(recall / compared).toBeGreaterThan(0.985);
  });
});

/** Their own section paths ("BODY.METHODS:") and URLs, which we strip on purpose. */
const withoutLabels = (text: string): string =>
  text.replace(/^(TITLE|ABSTRACT|BODY)([.:].*:)?\s*$/gm, " ").replace(/https?:\S+|www\.\S+/g, " ");

function words(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu))
    if (!/^\d+$/.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

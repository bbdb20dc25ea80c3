/** Real PubMed files of many shapes: every record accounted for, and the same from XML as from MEDLINE's tagged text. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Document, Drop } from "../../src/corpus/document.ts";
import { type PubMedOptions, readPubMed } from "../../src/corpus/sources/pubmed.ts";
import { realData } from "./data.ts";

const xml = realData("pubmed-xml");
const tagged = realData("medline-text");

async function read(options: Partial<PubMedOptions> & { path: string }) {
  const documents: Document[] = [];
  const drops: Drop[] = [];
  for await (const item of readPubMed({ name: "pubmed", ...options })) {
    if ("document" in item) documents.push(item.document);
    else drops.push(item.drop);
  }
  return { documents, drops };
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** The tagged text knows no sections: line breaks and spaces are layout. */
const bare = (text: string): string => text.replace(/\s+/g, "");

/** MEDLINE's tagged text is ASCII: accents are dropped, signs and Greek letters spelled out. */
function asMedline(text: string): string {
  const spelled: Record<string, string> = {
    "±": "+/-",
    "≤": "</=",
    "≥": ">/=",
    "®": "(R)",
    "°": " degrees ",
    "→": "-->",
    α: "alpha",
    β: "beta",
    χ: "chi",
    "²": "(2)",
  };
  return text
    .replace(/[±≤≥®°→αβχ²]/g, (sign) => spelled[sign]!)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "");
}

describe.skipIf(!xml || !tagged)("PubMed (needs ../shared/data)", () => {
  test("records in the files = documents + drops, file by file", async () => {
    let total = 0;
    for (const path of filesBelow(xml!)) {
      const bytes = readFileSync(path);
      const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
      const records = text.match(/<Pubmed(?:Book)?Article>/g)?.length ?? 0;
      const { documents, drops } = await read({ path, versions: "all" });
      const ofRecords = drops.filter((drop) => !drop.rule.startsWith("read.no-records"));
      expect(documents.length + ofRecords.length, path).toBe(records);
      expect(drops.length - ofRecords.length, path).toBe(records === 0 ? 1 : 0);
      expect(
        ofRecords.filter((drop) => drop.rule.startsWith("read.")),
        path,
      ).toEqual([]);
      total += records;
    }
    expect(total).toBe(788);
  });

  test("one record a PMID over the whole folder: 676 PMIDs, the newer state of those that are there twice", async () => {
    const { documents, drops } = await read({ path: xml! });
    const ids = new Set([
      ...documents.map(({ id }) => id),
      ...drops.filter(({ id }) => id.startsWith("pmid:")).map(({ id }) => id),
    ]);
    expect(ids.size).toBe(676);
    const superseded = drops.filter(({ rule }) => rule === "pubmed.superseded");
    expect(superseded.length).toBe(788 - 676);
    // The two states of the same 100 PMIDs: 2015 replaces 2014.
    const portable = documents.filter((document) =>
      JSON.stringify(document.meta.provenance).includes("PubMedPortable"),
    );
    expect(portable.length).toBeGreaterThan(0);
    expect(portable.every((document) => JSON.stringify(document.meta.provenance).includes("2015"))).toBe(true);
    expect(superseded.filter(({ where }) => where!.includes("medline_00000000.2014")).length).toBe(100);
  });

  test("MEDLINE text and XML of the same records: title, abstract and MeSH are equal", async () => {
    const fromXml = new Map(
      (await read({ path: join(xml!, "p1m-ortho_qs") })).documents.map((document) => [document.id, document]),
    );
    const fromText = await read({ path: join(tagged!, "citations.nbib") });
    let twins = 0;
    for (const document of fromText.documents) {
      const twin = fromXml.get(document.id);
      if (!twin) continue;
      twins++;
      expect(document.title, document.id).toBe(asMedline(twin.title));
      expect(bare(document.text), document.id).toBe(bare(asMedline(twin.text)));
      expect(document.meta.mesh, document.id).toEqual(twin.meta.mesh);
    }
    expect(twins).toBeGreaterThan(150);
    expect(fromText.documents.length + fromText.drops.length).toBe(200);
    expect(fromText.drops.filter(({ rule }) => rule !== "pubmed.no-abstract")).toEqual([]);
  });

  test("inequalities, brackets and doses of abstracts survive", async () => {
    const { documents } = await read({ path: xml! });
    const text = documents.find(({ id }) => id === "pmid:30514039")!.text;
    expect(text).toContain("group B(P<0.05). Postoperative anal exhaust time");
    expect(documents.some((document) => /<\/?[a-z]+>|&(lt|gt|amp|#\d+);/i.test(document.text))).toBe(false);
  });
});

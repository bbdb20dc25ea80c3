/** Damaged files of the readers of many records a file (the others: `readers-fuzz.test.ts`): never a crash or a hang, every untouched record read, every lost one told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { RandomState } from "../../core/random.ts";
import type { SourceItem } from "../document.ts";
import { at, mutations } from "../testing-mutations.ts";
import { readJats } from "./jats.ts";
import { readPubMed } from "./pubmed.ts";
import { readS2Orc } from "./s2orc.ts";
import type { SourceOptions } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "meditron-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RECORDS = 6;
const text = (i: number) => `Record ${i}: p &lt; 0.05, <i>E. coli</i> at 10<sup>-3</sup> M &#169; and &alpha; [${i}].`;

interface Reader {
  name: string;
  extension: string;
  read: (options: SourceOptions) => AsyncIterable<SourceItem>;
  head: string;
  record: (i: number) => string;
  between: string;
  tail: string;
}

const readers: Reader[] = [
  {
    name: "PubMed",
    extension: "xml",
    read: (options) => readPubMed({ ...options, versions: "all" }),
    head: '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet>\n<PubmedArticleSet>\n',
    record: (i) =>
      `<PubmedArticle><MedlineCitation><PMID Version="1">${1000 + i}</PMID><Article><ArticleTitle>${text(i)}</ArticleTitle><Abstract><AbstractText Label="AIM">${text(i)}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>`,
    between: "\n",
    tail: "\n</PubmedArticleSet>\n",
  },
  {
    name: "JATS",
    extension: "xml",
    read: readJats,
    head: "<pmc-articleset>",
    record: (i) =>
      `<article><front><article-meta><article-id pub-id-type="pmc">${1000 + i}</article-id><title-group><article-title>T${i}</article-title></title-group></article-meta></front><body><sec><title>S</title><p>${text(i)} <xref ref-type="bibr" rid="r">1</xref></p><table-wrap id="t"><label>1</label><table><tr><td rowspan="2" colspan="3">a</td></tr><tr><td>b</td></tr></table></table-wrap></sec></body></article>`,
    between: "\n",
    tail: "</pmc-articleset>",
  },
  {
    name: "S2ORC",
    extension: "jsonl",
    read: readS2Orc,
    head: "",
    record: (i) =>
      JSON.stringify({
        corpusid: 1000 + i,
        content: {
          text: `Abstract text ${i}. Head ${i} More.`,
          annotations: {
            abstract: '[{"start":0,"end":16}]',
            sectionheader: '[{"start":17,"end":23,"attributes":{"n":"1."}}]',
          },
        },
      }),
    between: "\n",
    tail: "\n",
  },
];

let files = 0;
async function readAll(reader: Reader, bytes: Buffer, extension = reader.extension): Promise<SourceItem[]> {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, bytes);
  const items: SourceItem[] = [];
  for await (const item of reader.read({ name: "fuzz", path })) items.push(item);
  rmSync(path);
  for (const item of items)
    if ("drop" in item) {
      expect(item.drop.rule).toMatch(/^[a-z0-9]+\.[a-z0-9-]+$/);
      expect(item.drop.reason.length).toBeGreaterThan(5);
      expect(item.drop.where).toMatch(/#\d+$/);
    }
  return items;
}

const number = (item: SourceItem): number => ("document" in item ? Number(/(\d{4})$/.exec(item.document.id)?.[1]) : -1);

for (const reader of readers) {
  const records = Array.from({ length: RECORDS }, (_, i) => Buffer.from(reader.record(i)));
  const file = (list: readonly Buffer[]) =>
    Buffer.concat([
      Buffer.from(reader.head),
      ...list.flatMap((bytes, i) => (i === 0 ? [bytes] : [Buffer.from(reader.between), bytes])),
      Buffer.from(reader.tail),
    ]);

  test(`${reader.name}: undamaged, all records come out`, async () => {
    expect((await readAll(reader, file(records))).map(number)).toEqual([1000, 1001, 1002, 1003, 1004, 1005]);
  });

  for (const [name, mutate] of Object.entries(mutations))
    test(`${reader.name}: ${name} in one record costs at most that record`, async () => {
      const random = new RandomState(7);
      for (let run = 0; run < 120; run++) {
        const damaged = at(random, RECORDS);
        const bytes = file(records.map((record, i) => (i === damaged ? mutate(record, random) : record)));
        const items = await readAll(reader, bytes);
        const read = new Set(items.map(number));
        for (let i = 0; i < RECORDS; i++)
          if (i !== damaged)
            expect(
              read.has(1000 + i),
              `run ${run}: record ${i} lost beside ${damaged}:\n${bytes.toString("latin1")}`,
            ).toBe(true);
        expect(items.length, `run ${run}:\n${bytes.toString("latin1")}`).toBeGreaterThanOrEqual(RECORDS);
      }
    });

  test(`${reader.name}: cut anywhere, plain and gzip: whole records before the cut are read, the cut is told`, async () => {
    const random = new RandomState(8);
    const whole = file(records);
    const packed = gzipSync(whole);
    for (let run = 0; run < 60; run++) {
      const length = at(random, whole.length);
      const cut = whole.subarray(0, length);
      const items = await readAll(reader, cut);
      let end = reader.head.length;
      let complete = 0;
      for (const record of records) {
        end += record.length;
        if (end <= length) complete++;
        end += reader.between.length;
      }
      expect(items.filter((item) => "document" in item).length).toBeGreaterThanOrEqual(complete);
      const dropsOfPacked = (
        await readAll(reader, packed.subarray(0, at(random, packed.length)), `${reader.extension}.gz`)
      ).filter((item) => "drop" in item);
      expect(dropsOfPacked.length).toBeGreaterThan(0);
    }
  });

  test(`${reader.name}: noise of any kind ends in a drop`, async () => {
    const random = new RandomState(9);
    for (let run = 0; run < 40; run++) {
      const noise = Buffer.from(Array.from({ length: at(random, 3000) }, () => at(random, 256)));
      const items = await readAll(reader, noise);
      expect(items.every((item) => "drop" in item)).toBe(true);
      expect(items.length).toBeGreaterThan(0);
    }
  });
}

/** Damaged files of every reader: never a crash or a hang, and each record that was there is a document or a drop with its reason. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { RandomState } from "../../core/random.ts";
import { type SourceConfig, sourceConfigSchema } from "../config.ts";
import type { SourceItem } from "../document.ts";
import { collect, testFolder, writeFiles } from "../testing.ts";
import { at, mutations } from "../testing-mutations.ts";
import { makePdf } from "../testing-pdf.ts";
import { nameSource, readSource } from "./index.ts";
import { readParquetFile } from "./parquet.ts";

type SourceType = SourceConfig["type"];

/** Sound files by source type and name. */
const SAMPLES: Partial<Record<SourceType, Record<string, { bytes: string | Buffer }>>> = {
  text: { "a.txt": { bytes: "Aspirin 100 mg, p < 0.05.\n\nα-blockers.\n" } },
  html: {
    "a.html": {
      bytes:
        "<html><body><main><h1>Gout</h1><p>Dose &lt; 2 mg<sup>3</sup></p><ol start=4><li>one<li>two</ol><table><tr><td rowspan=9>a<td>b</table></main></body></html>",
    },
  },
  jsonl: {
    "a.jsonl": {
      bytes: '{"id":"1","text":"One µg"}\n{"id":"2","text":"Two"}\n{"id":"3","text":"Three"}\n',
    },
    "b.json": { bytes: '[{"id":"4","text":"Four"},{"id":"5","text":"Five"}]' },
  },
  parquet: { "a.parquet": { bytes: table() } },
  huggingface: { "train-00000-of-00001.jsonl": { bytes: '{"text":"One"}\n{"text":"Two"}\n' } },
  ngc: {
    "a.xml": {
      bytes: `<Version><Section Name="General"><Field Name="Guideline Title"><FieldValue Value="Gout"/></Field></Section><Section Name="Recommendations"><Field Name="Major Recommendations"><FieldValue Value="&lt;p&gt;Give &amp;lt;2 mg&lt;/p&gt;"/></Field></Section></Version>`,
    },
  },
  cnxml: {
    "m/index.cnxml": {
      bytes: `<document><title>Bone</title><content><para>Hard <m:math xmlns:m="x"><m:mi>x</m:mi></m:math>.</para><list list-type="enumerated" start-value="3"><item>a</item></list><table><tgroup cols="2"><tbody><row><entry>1</entry></row></tbody></tgroup></table></content></document>`,
    },
  },
  medquad: {
    "q.xml": {
      bytes: `<Document id="1" source="GHR"><Focus>Scurvy</Focus><QAPairs><QAPair pid="1"><Question>What?</Question><Answer>A lack - of C.</Answer></QAPair></QAPairs></Document>`,
    },
  },
  pdf: {
    "a.pdf": {
      bytes: makePdf([[{ x: 72, y: 700, size: 12, text: "Give 10-20 mg (max 40 mg)." }]], ["https://example.org"]),
    },
    "b.tei.xml": {
      bytes: `<TEI><teiHeader><fileDesc><titleStmt><title>T</title></titleStmt></fileDesc></teiHeader><text><body><div><head n="2.1">Doses</head><p>Give 5 mg.</p></div></body></text></TEI>`,
    },
  },
  pubmed: {
    "a.nbib": {
      bytes: ["1", "2", "3"]
        .map((n) => `PMID- 10${n}\nTI  - Title ${n}\nAB  - Abstract ${n}, p < 0.05,\n      on two lines.\n`)
        .join("\n"),
    },
    "b.xml": {
      bytes: `<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">7</PMID><Article><ArticleTitle>T</ArticleTitle><Abstract><AbstractText>A.</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>`,
    },
  },
  jats: {
    "a.nxml": {
      bytes: `<article><front><article-meta><article-id pub-id-type="pmc">1</article-id><title-group><article-title>T</article-title></title-group></article-meta></front><body><p>Text.</p></body></article>`,
    },
  },
  s2orc: {
    "a.jsonl": {
      bytes: `${JSON.stringify({ corpusid: 1, content: { text: "Abstract. Head.", annotations: { abstract: '[{"start":0,"end":9}]' } } })}\n`,
    },
  },
  cord19: {
    "a.json": {
      bytes: JSON.stringify({
        paper_id: "p1",
        metadata: { title: "T", authors: [] },
        abstract: [],
        body_text: [
          { text: "As shown (1).", section: "Results", cite_spans: [{ start: 9, end: 12, ref_id: "BIBREF0" }] },
        ],
        bib_entries: { BIBREF0: { title: "A study", authors: [{ last: "Liu" }] } },
        ref_entries: {},
      }),
    },
  },
};
/** Its pages are those of `html` and `pdf`; its crawl is tested with its site (`guidelines/site.test.ts`). */
const WITHOUT_FILES: SourceType[] = ["guideline-site"];

function table(): Buffer {
  const rows = Array.from({ length: 20 }, (_, i) => `Row ${i} of α`);
  return Buffer.from(parquetWriteBuffer({ columnData: [{ name: "text", data: rows, type: "STRING" }] }));
}

async function readFolder(type: SourceType, folder: string): Promise<SourceItem[]> {
  const items = await collect(readSource(nameSource({ type, path: folder, name: "fuzz" } as SourceConfig)));
  for (const item of items)
    if ("drop" in item) {
      expect(item.drop.rule).toMatch(/^[a-z0-9]+\.[a-z0-9-]+$/);
      expect(item.drop.reason.length).toBeGreaterThan(5);
      expect(item.drop.where ?? item.drop.id).toBeTruthy();
    } else expect(item.document.text.length).toBeGreaterThan(0);
  return items;
}

/** Records that a damaged file still holds: lines of JSON Lines, records of MEDLINE that begin soundly, else the file itself. */
function recordsIn(name: string, bytes: Buffer): number {
  const lines = bytes.toString("latin1").split("\n");
  if (name.endsWith(".jsonl")) return lines.filter((line) => line.trim() !== "").length;
  if (name.endsWith(".nbib")) return Math.max(1, new Set(lines.filter((line) => /^PMID- \d{3}$/.test(line))).size);
  return 1;
}

test("every source type has a sample", () => {
  const types = sourceConfigSchema.options.map((option) => option.shape.type.value);
  expect([...Object.keys(SAMPLES), ...WITHOUT_FILES].sort()).toEqual([...types].sort());
});

const cases = Object.entries(SAMPLES).flatMap(([type, files]) =>
  Object.entries(files).map(([name, sample]) => [type as SourceType, name, sample] as const),
);

test.each(cases)("%s: %s, undamaged", async (type, name, { bytes }) => {
  const items = await readFolder(type, await writeFiles(await testFolder(), { [name]: bytes }));
  expect(items.filter((item) => "drop" in item)).toEqual([]);
});

test.each(cases)("%s: %s, damaged in any way", { timeout: 120_000 }, async (type, name, { bytes }) => {
  const random = new RandomState(11);
  const sound = Buffer.from(bytes);
  const folder = await testFolder();
  for (const [damage, mutate] of Object.entries(mutations))
    for (let run = 0; run < (type === "parquet" ? 2 : 15); run++) {
      const damaged = mutate(sound, random);
      await writeFiles(folder, { [name]: damaged });
      const items = await readFolder(type, folder);
      expect(items.length, `${damage}, run ${run}:\n${damaged.toString("latin1")}`).toBeGreaterThanOrEqual(
        recordsIn(name, damaged),
      );
    }
});

test("a Parquet page for which decoding never ends is given up after its time", async () => {
  const bytes = table();
  expect(bytes[19]).toBe(0x15); // in the page's header: "an i32 follows", a number of rows
  bytes[19] = 0x11; // "true"
  const path = join(await writeFiles(await testFolder(), { "a.parquet": bytes }), "a.parquet");
  const items = await collect(readParquetFile({ path, relative: "a.parquet" }, { name: "fuzz", path }, 1500));
  const reason = "the rows from 0 on cannot be read: decoding them takes more than 1.5 s";
  expect(items).toMatchObject([{ drop: { rule: "read.corpus-bad-parquet", reason } }]);
});

test.each(cases)(
  "%s: %s, cut anywhere, noise, empty, the wrong kind of file",
  { timeout: 120_000 },
  async (type, name, { bytes }) => {
    const random = new RandomState(12);
    const sound = Buffer.from(bytes);
    const noise = () => Buffer.from(Array.from({ length: 1 + at(random, 2000) }, () => at(random, 256)));
    const folder = await testFolder();
    const others = (type === "parquet" ? cases.slice(0, 2) : cases).map(([, , sample]) => Buffer.from(sample.bytes));
    const few = type === "parquet" ? 2 : 12; // a thread a file
    const cuts = Array.from({ length: few }, () => sound.subarray(0, at(random, sound.length)));
    for (const content of [...cuts, ...Array.from({ length: few / 2 }, noise), Buffer.alloc(0), ...others]) {
      await writeFiles(folder, { [name]: content });
      expect(
        (await readFolder(type, folder)).length,
        JSON.stringify(content.toString("latin1")),
      ).toBeGreaterThanOrEqual(content.length === 0 && /jsonl?$/.test(name) ? 0 : 1);
    }
  },
);

test.each(cases)("%s: %s.gz, cut short or a bomb", { timeout: 120_000 }, async (type, name, { bytes }) => {
  if (name.endsWith(".pdf") || name.endsWith(".parquet")) return; // these hold their own compression
  const random = new RandomState(13);
  const packed = gzipSync(bytes);
  const folder = await testFolder();
  for (let run = 0; run < 8; run++) {
    await writeFiles(folder, { [`${name}.gz`]: packed.subarray(0, at(random, packed.length)) });
    const items = await readFolder(type, folder);
    expect(items.some((item) => "drop" in item)).toBe(true);
  }
  if (!BOMBED.has(type)) return;
  await writeFiles(folder, { [`${name}.gz`]: BOMB });
  const before = process.memoryUsage().rss;
  const items = await readFolder(type, folder);
  expect(items.every((item) => "drop" in item)).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(1.6e9);
});

/** One type for each way of reading a file; PubMed and JATS have tests of their own. */
const BOMBED = new Set<SourceType>(["text", "jsonl", "ngc"]);
/** More of one letter than a file that is one document may hold, in 500 KB. */
const BOMB = gzipSync(Buffer.alloc(520 << 20, 97));

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { beforeEach, expect, test } from "vitest";
import { compress } from "zstd-napi";
import type { SourceItem } from "../document.ts";
import { htmlToText } from "../html.ts";
import { collect, testFolder, writeFiles } from "../testing.ts";
import { makePdf } from "../testing-pdf.ts";
import { nameSource, readSource } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await testFolder();
});

type Source = Parameters<typeof nameSource>[0];
const read = (source: Omit<Source, "path">): Promise<SourceItem[]> =>
  collect(readSource(nameSource({ path: folder, ...source } as Source)));
const brief = (items: SourceItem[]) =>
  items.map((item) =>
    "document" in item
      ? [item.document.id, item.document.title, item.document.text]
      : [item.drop.id, item.drop.rule, item.drop.reason.replaceAll(folder, "")],
  );

test("text: a file, or a section between blank lines, is a document", async () => {
  await writeFiles(folder, {
    "a.txt": "First title\n\nBody.",
    "b/c.md": "# Head\nline\n\n\nsecond\n part\n",
    "skip.bin": "x",
    ".hidden.txt": "x",
  });
  expect(brief(await read({ type: "text" }))).toEqual([
    ["text:a.txt", "First title", "First title\n\nBody."],
    ["text:b/c.md", "Head", "# Head\nline\n\n\nsecond\n part\n"],
  ]);
  const sections = await read({ type: "text", documentPer: "section" } as Omit<Source, "path">);
  expect(brief(sections).map(([, , text]) => text)).toEqual(["First title", "Body.", "# Head\nline", "second\n part"]);
  expect("document" in sections[3]! && sections[3].document.meta).toEqual({ provenance: { file: "b/c.md", line: 5 } });
});

test("JSON Lines: mapped fields, bad lines by their place, a file cut short", async () => {
  const good = '{"id":"x1","body":{"en":"Text one"},"title":"T","year":2019}\n{"id":7,"body":{"en":"Text two"}}\n';
  await writeFiles(folder, {
    "a.jsonl": `${good}{"id":"x3"}\nnot json\n[1]\n{"id":"x4","body":{"en":"Last"}}`,
    "b.jsonl.gz": gzipSync(good).subarray(0, -12),
    "c.jsonl.zst": compress(Buffer.from(good)),
  });
  const items = await read({ type: "jsonl", fields: { text: "body.en", published: "year" } } as Omit<Source, "path">);
  expect(brief(items).map(([id, rule]) => [id, rule])).toEqual([
    ["jsonl:x1", "T"],
    ["jsonl:7", ""],
    ["jsonl:x3", "read.no-text"],
    ["a.jsonl#107", "read.io-bad-json-line"],
    [expect.stringContaining("a.jsonl:5"), "read.not-a-record"],
    ["jsonl:x4", ""],
    ["jsonl:x1", "T"], // what is whole of a file cut short is read
    ["b.jsonl.gz", "read.io-cut-short"],
    ["jsonl:x1", "T"],
    ["jsonl:7", ""],
  ]);
  expect("document" in items[0]! && items[0].document.published).toBe("2019");
});

test("a JSON array is read record by record; one that is damaged is a drop", async () => {
  await writeFiles(folder, {
    "a.json": JSON.stringify([{ id: "r1", text: "One" }, { id: "r2", text: "Two" }, 3], null, 2),
    "b.json.gz": gzipSync('[{"id":"r3","text":"Three"},'),
    "c.json": '{"id":"r4","text":"Lines under this name"}\n{"id":"r5","text":"too"}\n',
  });
  expect(brief(await read({ type: "jsonl" } as Omit<Source, "path">)).map(([id, rule]) => [id, rule])).toEqual([
    ["jsonl:r1", ""],
    ["jsonl:r2", ""],
    [expect.stringContaining("a.json#2"), "read.not-a-record"],
    ["b.json.gz", "read.io-bad-json"],
    ["jsonl:r4", ""],
    ["jsonl:r5", ""],
  ]);
});

test("records whose text stands under another name say which names they have", async () => {
  await writeFiles(folder, { "a.jsonl": '{"id":1,"abstract":"Dose","n":2}\n{"id":2,"text":""}\n' });
  const reasons = (items: SourceItem[]) => items.map((item) => "drop" in item && item.drop.reason);
  expect(reasons(await read({ type: "jsonl" } as Omit<Source, "path">))).toEqual([
    "no field text, clean_text, content, contents, body; say with `fields: { text: ... }` which one holds the text (id, abstract, n)",
    "the record has no text",
  ]);
  const named = { type: "jsonl", fields: { text: "abstrakt" } } as Omit<Source, "path">;
  expect(reasons(await read(named))[0]).toBe('the field "abstrakt" holds no text (fields: id, abstract, n)');
});

test("a data set saved as Arrow is refused with the way to Parquet", async () => {
  await writeFiles(folder, { "data-00000-of-00001.arrow": "ARROW1", "state.json": "{}", "dataset_info.json": "{}" });
  await expect(read({ type: "huggingface" } as Omit<Source, "path">)).rejects.toMatchObject({
    code: "CORPUS_NO_FILES",
    message: "no Parquet or JSON Lines file in the folder, only Arrow (data-00000-of-00001.arrow)",
    remedy: expect.stringContaining("to_parquet"),
  });
});

test("Parquet and a Hugging Face folder: rows, splits, the card's license, a damaged file", async () => {
  const table = (from: number) =>
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: "id", data: [`r${from}`, `r${from + 1}`], type: "STRING" },
          { name: "text", data: ["Alpha β", "Gamma"], type: "STRING" },
          { name: "score", data: [1.5, 2], type: "DOUBLE" },
        ],
      }),
    );
  await writeFiles(folder, {
    "README.md": "---\nlicense: cc-by-4.0\n---\n# A data set\n",
    "data/train-00000-of-00002.parquet": table(0),
    "data/train-00001-of-00002.parquet": table(2).subarray(0, 60),
    "data/test-00000-of-00001.parquet": table(4),
    "dataset_infos.json": "{}",
  });
  const items = await read({ type: "huggingface", split: "train" } as Omit<Source, "path">);
  expect(brief(items)).toEqual([
    ["huggingface:r0", "", "Alpha β"],
    ["huggingface:r1", "", "Gamma"],
    [expect.stringContaining("train-00001"), "read.corpus-bad-parquet", expect.stringContaining("cannot be read")],
  ]);
  expect("document" in items[0]! && items[0].document).toMatchObject({
    license: "CC-BY-4.0",
    redistributable: true,
    meta: { score: 1.5 },
  });
  await expect(read({ type: "huggingface", split: "dev" } as Omit<Source, "path">)).rejects.toMatchObject({
    code: "CORPUS_NO_SPLIT",
  });
});

test("HTML: main content with headings, lists, tables and exponents; menus and footers go", async () => {
  await writeFiles(folder, {
    "g.html": `<html lang="en-GB"><head><title>Gout | Site</title><link rel="license" href="https://creativecommons.org/licenses/by/4.0/">
<meta name="dcterms.issued" content="2019-04-30"></head><body><nav><a>Home</a></nav><div class="page has-sidebar"><main><h1>Gout</h1>
<p>Rest if count &lt; 10<sup>9</sup>/L.<sup>3,4</sup></p><ul><li>one<ul><li>nested</ul><li>two</ul>
<table><tr><th>Drug<th>Dose<tr><td>Colchicine<td>0.5&nbsp;mg</table></main></div><footer>About us</footer></body></html>`,
    "empty.html": "<html><body><script>x</script></body></html>",
  });
  const items = await read({ type: "html" });
  expect(brief(items)).toEqual([
    ["html:empty.html", "read.no-text", "the record has no text"],
    [
      "html:g.html",
      "Gout",
      "Gout\n\nRest if count < 10^9/L.[3,4]\n\n- one\n  - nested\n- two\n\nDrug | Dose\nColchicine | 0.5 mg",
    ],
  ]);
  expect("document" in items[1]! && items[1].document).toMatchObject({
    license: "CC-BY-4.0",
    published: "2019-04-30",
    language: "en",
    kind: "guideline",
  });
});

test("numbered lists keep the numbers that text refers to", () => {
  const steps = `<ol style="list-style-type: decimal;" start="4"><li>Offer a team-based approach:<ul><li>case manager</li></ul></li><li>Repeat step 4</li><li value="9">Refer</li></ol>`;
  expect(htmlToText(`<p>Management</p>${steps}<ol type="A"><li>mild</li><li>severe</li></ol>`)).toBe(
    "Management\n\n4. Offer a team-based approach:\n  - case manager\n5. Repeat step 4\n9. Refer\n\nA. mild\nB. severe",
  );
  expect(
    htmlToText(
      '<ol style="list-style: none"><li>bare</li></ol><ol><li><ol type="i"><li>x</li><li>y</li></ol></li></ol>',
    ),
  ).toBe("- bare\n\n  i. x\n  ii. y");
});

test("NGC summaries: HTML in attributes, fields by section, withdrawn stubs dropped", async () => {
  const field = (name: string, value: string) =>
    `<Field Name="${name}" Type="text"><FieldValue Value="${value}" /></Field>`;
  const summary = (
    recommendations: string,
  ) => `<Version><Section Name="General">${field("Guideline Title", "&lt;div&gt;Care of gout.&lt;/div&gt;")}</Section>
<Section Name="Recommendations">${recommendations}${field("Clinical Algorithm(s)", "None provided")}</Section>
<Section Name="Identifying Information and Availability">${field("Date Released", "2013 Dec 20")}${field("Copyright Statement", "No copyright restrictions apply.")}</Section></Version>`;
  await writeFiles(folder, {
    "a.xml": summary(
      field(
        "Major Recommendations",
        "&lt;p&gt;&lt;strong&gt;Acute attack&lt;/strong&gt;&lt;/p&gt;&lt;p&gt;Give &amp;lt;2 mg&lt;/p&gt;",
      ),
    ),
    "b.xml": summary(""),
    "c.xml": "<Version><Section>",
  });
  const items = await read({ type: "ngc" });
  expect(brief(items)).toEqual([
    [
      "ngc:a.xml",
      "Care of gout.",
      "Care of gout.\n\n# Recommendations\n\n## Major Recommendations\n\n### Acute attack\n\nGive <2 mg",
    ],
    ["ngc:b.xml", "read.no-recommendations", "the summary was withdrawn: it has no recommendations"],
    ["ngc:c.xml", "read.corpus-malformed-xml", expect.stringContaining("not well-formed XML")],
  ]);
  expect("document" in items[0]! && items[0].document).toMatchObject({
    published: "2013-12-20",
    redistributable: true,
    meta: { omitted: ["Date Released", "Copyright Statement"] },
  });
});

test("MedQuAD pages and CNXML modules", async () => {
  await writeFiles(folder, {
    "q.xml": `<Document id="1" source="GHR" url="https://example.org/x"><Focus>Scurvy</Focus><QAPairs>
<QAPair pid="1"><Question>What is (are) Scurvy ?</Question><Answer>A lack of vitamin C.   -  tired   -  sore</Answer></QAPair>
<QAPair pid="2"><Question>How many ?</Question><Answer></Answer></QAPair></QAPairs></Document>`,
    "m/index.cnxml": `<document xmlns="x"><title>Bone</title><metadata><md:content-id>m1</md:content-id></metadata><content>
<para>Bone is hard. <list><item>long</item><item>flat</item></list> It grows 10<sup>2</sup> times, with Ca<sup>2+</sup> and <emphasis>P</emphasis><sub>1</sub>.</para>
<section><title>Parts</title><figure><media alt="A femur."><image/></media><caption>The femur.</caption></figure>
<exercise><problem><para>Which?</para></problem><list list-type="enumerated" number-style="lower-alpha"><item>marrow</item><item>skin</item></list><solution><para>A</para></solution></exercise></section></content>
<glossary><definition><term>femur</term><meaning>thigh bone</meaning></definition></glossary></document>`,
  });
  expect(brief(await read({ type: "medquad" }))).toEqual([
    ["medquad:q.xml", "Scurvy", "Scurvy\n\n# What is (are) Scurvy?\n\nA lack of vitamin C.\n- tired\n- sore"],
  ]);
  expect(brief(await read({ type: "cnxml" }))).toEqual([
    [
      "cnxml:m1",
      "Bone",
      "Bone\n\nBone is hard.\n\n- long\n- flat\n\nIt grows 10² times, with Ca²⁺ and P1.\n\n# Parts\n\nThe femur.\nA femur.\n\nWhich?\n\na. marrow\nb. skin\n\nAnswer:\n\nA\n\n# Glossary\n\nfemur: thigh bone",
    ],
  ]);
});

test("PDF: columns, running heads, hyphens, headings; TEI in place of its PDF", async () => {
  const column = (x: number, lines: string[]) => lines.map((text, i) => ({ x, y: 650 - 14 * i, size: 10, text }));
  const left = [
    "Sepsis is a dangerous reaction of the body",
    "to an infection that needs early treat-",
    "ment in every hospital and every ward of",
    "the country, at all hours of every day and",
    "for all patients with a suspected focus of",
  ];
  const right = [
    "infection. Give 10-20 mg (max 40 mg) in the",
    "first hour and look for other causes when",
    "the fever stays. Take cultures before each",
    "change of drugs and measure the lactate as",
    "early as possible in the course of illness.",
  ];
  const page = (number: number, ...lines: Parameters<typeof makePdf>[0][number]) => [
    { x: 72, y: 770, size: 8, text: `Northfold Guideline Series ${number}` },
    ...lines,
    { x: 300, y: 30, size: 8, text: String(number) },
  ];
  const pdf = makePdf([
    page(
      1,
      { x: 72, y: 720, size: 20, text: "Early Care of Sepsis" },
      { x: 72, y: 680, size: 13, bold: true, text: "1 Background" },
      ...column(72, left),
      ...column(320, right),
    ),
    page(2, { x: 72, y: 700, size: 10, text: "The second page goes on with plain advice." }),
    page(3, { x: 72, y: 700, size: 10, text: "The third page ends the paper." }),
  ]);
  await writeFiles(folder, {
    "a.pdf": pdf,
    "b.pdf": "%PDF-1.4 broken",
    "c.pdf": pdf,
    "c.tei.xml": `<TEI><teiHeader><fileDesc><titleStmt><title>From GROBID</title></titleStmt></fileDesc></teiHeader><text><body><div><head n="2.1">Doses</head><p>Give 5 mg.</p></div></body></text></TEI>`,
    "d.pdf": makePdf([[]]),
  });
  const items = brief(await read({ type: "pdf" }));
  expect(items).toEqual([
    [
      "pdf:a",
      "Early Care of Sepsis",
      `Early Care of Sepsis\n\n# 1 Background\n\n${[...left, ...right].join(" ").replace("treat- ment", "treatment")} The second page goes on with plain advice. The third page ends the paper.`,
    ],
    ["pdf:b", "read.corpus-bad-pdf", expect.stringContaining("not a readable PDF")],
    ["c.pdf", "read.has-tei", "the TEI file beside it is read in its place"],
    ["pdf:c", "From GROBID", "From GROBID\n\n## 2.1 Doses\n\nGive 5 mg."],
    ["pdf:d", "read.corpus-pdf-no-text", "none of its 1 pages has text"],
  ]);
});

test("a limit takes so many documents", async () => {
  await writeFiles(folder, { "a.txt": "a b", "b.txt": "b c", "c.txt": "c d" });
  expect(await read({ type: "text", limit: 2 } as Omit<Source, "path">)).toHaveLength(2);
  expect(join(folder, "x")).toContain(folder);
});

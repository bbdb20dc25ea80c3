import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { Document, Drop } from "../document.ts";
import { type Accounting, countCharacters } from "../formatting/ledger.ts";
import { collect, testFolder, writeFiles } from "../testing.ts";
import { readS2Orc } from "./s2orc.ts";

const folder = mkdtempSync(join(tmpdir(), "meditron-s2orc-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
async function read(contents: Record<string, string | Buffer>) {
  const path = join(folder, String(files++));
  mkdirSync(path);
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(path, name), content);
  const documents: Document[] = [];
  const drops: Drop[] = [];
  for await (const item of readS2Orc({ name: "s2orc", path })) {
    if ("document" in item) documents.push(item.document);
    else drops.push(item.drop);
  }
  for (const document of documents) {
    const { charactersIn, kept, inserted, dropped } = document.meta.accounting as Accounting;
    expect(kept + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(charactersIn);
    expect(countCharacters(document.text) - inserted).toBe(kept);
  }
  return { documents, drops };
}

/** `{kind|id:text}` marks a span; offsets are in code points, as Semantic Scholar counts. */
function record(marked: string, extra: object = {}) {
  let text = "";
  const annotations: Record<string, object[]> = {};
  const open: { kind: string; id: string; start: number }[] = [];
  for (let i = 0; i < marked.length; ) {
    const start = /^\{(\w+)(?:\|([^:]*))?:/.exec(marked.slice(i, i + 40));
    if (start) {
      open.push({ kind: start[1]!, id: start[2] ?? "", start: [...text].length });
      i += start[0].length;
    } else if (marked[i] === "}") {
      const { kind, id, start: from } = open.pop()!;
      const attributes = kind === "sectionheader" ? { n: id } : kind.endsWith("ref") ? { ref_id: id } : { id };
      annotations[kind] ??= [];
      annotations[kind].push({ start: from, end: [...text].length, ...(id !== "" && { attributes }) });
      i++;
    } else text += marked[i++];
  }
  const encoded = Object.fromEntries(Object.entries(annotations).map(([kind, spans]) => [kind, JSON.stringify(spans)]));
  return JSON.stringify({
    corpusid: 7,
    externalids: { pubmed: "11", pubmedcentral: "22", doi: "10.1/x" },
    content: { text, annotations: { ...encoded, venue: null }, source: { oainfo: { license: "CCBY" } } },
    ...extra,
  });
}

const PAPER = `{title:On 𝛼-examples}
{author:{authorfirstname:Jane} {authorlastname:Roe}} University
{abstract:We looked. {bibref|b0:[1]}}
{sectionheader|1.:INTRODUCTION}
A (Figure {figureref|fig_0:3}) and (Table {tableref|:9}), DNA ({bibref|b0:Smith 2001}; {bibref|b1:Jones}).
{sectionheader|1.1.:DNA extraction}
Before. {formula:a = b}, see {bibref|:[7]}.
{formula:x = y}
{figure|fig_0:3
Figure 3 :
{figurecaption:Flow of the patients in the study. Then more.}}
• Text behind the figure stays.
{figure|tab_1:Table 1
{figurecaption:Doses}
a | b
1 | 2}
{bibentry|b0:[1] {bibauthorlastname:Smith}. {bibtitle:One two three four five six seven eight nine ten eleven twelve thirteen}.}
{bibentry|b1:[2] no title}`;

describe("records of the s2orc dataset", () => {
  test("the text that MEDITRON makes of them, without its losses", async () => {
    const { documents } = await read({ "20240101_000_part": `${record(PAPER)}\n` });
    expect(documents[0]).toMatchObject({
      id: "pmc:PMC22",
      kind: "paper",
      title: "On 𝛼-examples",
      license: "LicenseRef-CC-BY",
      redistributable: true,
    });
    expect(documents[0]!.text).toMatchInlineSnapshot(`
      "On 𝛼-examples

      # Abstract
      We looked. [bib_ref] One two three four five six seven eight nine ten eleven twelve..., Smith [/bib_ref]

      # Introduction
      A [fig_ref] Figure 3: Flow of the patients in the study [/fig_ref] and (Table 9), DNA ([bib_ref] One two three four five six seven eight nine ten eleven twelve..., Smith [/bib_ref]; Jones).

      ## DNA extraction
      Before. [formula] a = b [/formula], see.
      [formula] x = y [/formula]
      - Text behind the figure stays.
      [fig] Figure 3: Flow of the patients in the study. Then more. [/fig]
      [table] Table 1: Doses
      a | b
      1 | 2 [/table]"
    `);
    for (const [opening, closing] of ["()", "[]"])
      expect(documents[0]!.text.split(opening!).length).toBe(documents[0]!.text.split(closing!).length);
  });

  test("without a section number depth follows the names of main sections", async () => {
    const text = "{abstract:A.}\n{sectionheader|:Methods}\nB.\n{sectionheader|:Sample collection in the field}\nC.";
    const { documents } = await read({ "a.jsonl": record(text) });
    expect(documents[0]!.text).toBe("# Abstract\nA.\n\n# Methods\nB.\n\n## Sample collection in the field\nC.");
  });

  test("neither abstract nor header: nothing is taken for the title page", async () => {
    const { documents } = await read({ "a.jsonl": record("All of it.\nStays.", { title: "T" }) });
    expect(documents[0]!.text).toBe("T\n\nAll of it.\nStays.");
  });

  test("damaged records cost themselves only", async () => {
    const good = record("{abstract:A.}\nB.");
    const lines = [
      good,
      "{ no json",
      good.replace('\\"start\\":0', '\\"start\\":\\"'),
      JSON.stringify({ corpusid: 1, content: { text: null } }),
      JSON.stringify({ corpusid: 2, content: { text: "x", annotations: { abstract: { a: 1 } } } }),
      JSON.stringify({ hello: "world" }),
      "[]",
      good,
    ];
    const bytes = Buffer.concat([
      Buffer.from(`${lines.join("\n")}\n`),
      Buffer.from([0xff, 0xfe, 10]),
      Buffer.from(good),
    ]);
    const { documents, drops } = await read({ "a.jsonl.gz": gzipSync(bytes), "b.jsonl": "", "readme.md": "no part" });
    expect(documents.length).toBe(3);
    expect(
      drops.map(({ rule, reason }) => `${rule}: ${reason.replace(/ in JSON at.*| \(line.*/, "")}`),
    ).toMatchInlineSnapshot(`
      [
        "read.malformed: not valid JSON: Expected property name or '}'",
        "read.malformed: a record of the wrong shape: Expected ',' or '}' after property value",
        "read.no-text: the record has no text",
        "read.malformed: a record of the wrong shape: annotation abstract is no list",
        "read.no-text: neither an S2ORC record nor a CORD-19 paper: no content, no body_text",
        "read.no-text: neither an S2ORC record nor a CORD-19 paper: no content, no body_text",
        "read.not-utf8: bytes that are not UTF-8",
        "read.no-records: the file holds no record",
      ]
    `);
    const cut = gzipSync(bytes).subarray(0, 200);
    const cutRead = await read({ "a.jsonl.gz": cut });
    expect(cutRead.drops.at(-1)!.rule).toBe("read.cut-short");
  });
});

test("CORD-19 and the research releases: paragraphs with spans", async () => {
  const paper = {
    paper_id: "abc",
    metadata: { title: "On examples", authors: [{ last: "Roe" }] },
    abstract: [{ text: "We looked.", section: "Abstract", cite_spans: [], ref_spans: [] }],
    body_text: [
      {
        text: "As shown (1) in Fig. 2B.",
        section: "INTRODUCTION",
        cite_spans: [{ start: 9, end: 12, ref_id: "BIBREF0" }],
        ref_spans: [{ start: 21, end: 23, ref_id: "FIGREF0" }],
      },
      { text: "More.", section: "INTRODUCTION" },
      { text: "Deep.", section: "Details of things we did", cite_spans: null },
    ],
    back_matter: [{ text: "Thanks.", section: "Acknowledgements" }],
    bib_entries: { BIBREF0: { title: "A study", authors: [{ last: "Liu" }] } },
    ref_entries: {
      FIGREF0: { type: "figure", text: "Flow" },
      FIGREF1: { type: "figure", text: ": a map" },
      TABREF0: { type: "table", text: "Table 1. Doses" },
    },
  };
  const { documents, drops } = await read({ "abc.json": JSON.stringify(paper, null, 2) });
  expect(drops).toEqual([]);
  expect(documents[0]).toMatchObject({ id: "s2:abc", kind: "paper" });
  expect(documents[0]!.text).toBe(`On examples

# Abstract
We looked.

# Introduction
As shown [bib_ref] A study, Liu [/bib_ref] in [fig_ref] Figure 2B: Flow [/fig_ref].
More.

## Details of things we did
Deep.

# Acknowledgements
Thanks.
[fig] Figure 2: Flow [/fig]
[fig] Figure: a map [/fig]
[table] Table 1: Doses [/table]`);
});

test("abstracts and full texts joined with papers: title, ids, date, citations; what PubMed does not know goes", async () => {
  const lines = (records: object[]) => records.map((record) => JSON.stringify(record)).join("\n");
  const papers = Array.from({ length: 3000 }, (_, i) => ({
    corpusid: 7 * i + 1,
    externalids: {
      PubMed: i % 3 === 0 ? String(500 + i) : null,
      PubMedCentral: i % 5 === 0 ? String(90 + i) : null,
      DOI: `10.1/${i}`,
    },
    title: `Paper ${i}`,
    publicationdate: "2019-04-02",
    citationcount: i,
    journal: { name: "J Ex" },
    authors: [{ name: "Roe" }],
  }));
  const joined = await writeFiles(await testFolder(), {
    "papers/README.txt": "License",
    "papers/p0.gz": gzipSync(lines(papers.slice(0, 1000))),
    "papers/p1.gz": gzipSync(`${lines(papers.slice(1000))}\n{ broken`),
    "abstracts/a0": lines([
      { corpusid: 7 * 3 + 1, openaccessinfo: { externalids: { PubMedCentral: null } }, abstract: "Dose 3 mg, p < 0.05 [n = 4]." },
      { corpusid: 7 * 4 + 1, openaccessinfo: { externalids: {} }, abstract: "Physics." },
      { corpusid: 7 * 5 + 1, openaccessinfo: { externalids: {} }, abstract: "Dose 5 mg." },
    ]),
    "s2orc/f0": lines([
      { corpusid: 7 * 3 + 1, externalids: { pubmed: null }, content: { text: "Background\nText of three.", annotations: { title: null } } },
    ]),
  }); // biome-ignore format: records
  const read = (name: string) =>
    collect(readS2Orc({ name: "s2", path: join(joined, name), papers: join(joined, "papers") }));
  const abstracts = await read("abstracts");
  const facts = abstracts.map((item) =>
    "document" in item ? [item.document.id, item.document.text, item.document.published] : item.drop.rule,
  );
  expect(facts).toEqual([
    ["pmid:503", "Paper 3\nDose 3 mg, p < 0.05 [n = 4].", "2019-04-02"],
    "s2orc.not-in-pubmed",
    ["pmc:PMC95", "Paper 5\nDose 5 mg.", "2019-04-02"],
  ]);
  const [paper] = await read("s2orc");
  expect(paper).toMatchObject({
    document: { id: "pmid:503", title: "Paper 3", kind: "paper", meta: { corpusId: "22", pmid: "503", journal: "J Ex", citationCount: 3 } },
  }); // biome-ignore format: one object
  expect((paper as { document: { text: string } }).document.text).toMatch(/^Paper 3\n\n/);
});

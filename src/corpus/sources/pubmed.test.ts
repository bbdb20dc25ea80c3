import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { Document, Drop } from "../document.ts";
import { type PubMedOptions, readPubMed } from "./pubmed.ts";
import { medlineDate, withoutTranslationBrackets } from "./pubmed-record.ts";

const folder = mkdtempSync(join(tmpdir(), "meditron-pubmed-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
async function read(contents: Record<string, string | Buffer>, options: Partial<PubMedOptions> = {}) {
  const path = join(folder, String(files++));
  const { mkdirSync } = await import("node:fs");
  mkdirSync(path);
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(path, name), content);
  const documents: Document[] = [];
  const drops: Drop[] = [];
  for await (const item of readPubMed({ name: "pubmed", path, ...options })) {
    if ("document" in item) documents.push(item.document);
    else drops.push(item.drop);
  }
  return { documents, drops };
}

const set = (...records: string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "x.dtd">\n<PubmedArticleSet>\n${records.join("\n")}\n</PubmedArticleSet>\n`;

interface Made {
  pmid?: number;
  version?: number;
  revised?: string;
  title?: string;
  abstract?: string;
  article?: string;
  citation?: string;
}

const record = ({
  pmid = 1,
  version = 1,
  revised = "2020-05-06",
  title = "A title.",
  abstract = "<AbstractText>Text.</AbstractText>",
  article = "",
  citation = "",
}: Made = {}): string => {
  const [year, month, day] = revised.split("-");
  return `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="${version}">${pmid}</PMID><DateRevised><Year>${year}</Year><Month>${month}</Month><Day>${day}</Day></DateRevised><Article><Journal><JournalIssue><PubDate><Year>2019</Year><Month>Apr</Month></PubDate></JournalIssue><Title>Journal of Examples</Title></Journal><ArticleTitle>${title}</ArticleTitle>${abstract === "" ? "" : `<Abstract>${abstract}</Abstract>`}<Language>eng</Language>${article}</Article>${citation}</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId><ArticleId IdType="doi">10.1/x${pmid}</ArticleId><ArticleId IdType="pmc">PMC7</ArticleId></ArticleIdList><ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1/cited</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>`;
};

describe("what a citation says", () => {
  test("title, newline, abstract; ids, dates and vocabulary beside it", async () => {
    const mesh =
      '<MeshHeadingList><MeshHeading><DescriptorName MajorTopicYN="N">Asthma</DescriptorName><QualifierName MajorTopicYN="Y">drug therapy</QualifierName></MeshHeading><MeshHeading><DescriptorName MajorTopicYN="Y">Child</DescriptorName></MeshHeading></MeshHeadingList><KeywordList><Keyword>wheeze</Keyword></KeywordList>';
    const { documents } = await read({ "a.xml": set(record({ pmid: 77, citation: mesh })) });
    const [document] = documents;
    expect(document).toMatchObject({
      id: "pmid:77",
      source: "pubmed",
      kind: "abstract",
      title: "A title.",
      text: "A title.\nText.",
      url: "https://pubmed.ncbi.nlm.nih.gov/77/",
      license: "unknown",
      redistributable: false,
      published: "2019-04",
      language: "en",
      meta: {
        journal: "Journal of Examples",
        doi: "10.1/x77",
        pmc: "PMC7",
        mesh: ["Asthma/*drug therapy", "*Child"],
        keywords: ["wheeze"],
        revised: "2020-05-06",
        provenance: { file: "a.xml" },
      },
    });
  });

  test("markup becomes text without changing a number", async () => {
    const title =
      "Ca<sup>2+</sup>, 10<sup>-3</sup> and 10<sup>6.5</sup> in H<sub>2</sub>O: <i>E.&#160;coli</i> &amp; more";
    const abstract =
      "<AbstractText>m<sup>2</sup>, p&lt;0.05 and q&gt;3 <mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mrow><mml:mi>b</mml:mi><mml:mo>+</mml:mo><mml:mn>1</mml:mn></mml:mrow></mml:mfrac></mml:math>\n  10-20 mg (max 40)</AbstractText>";
    const { documents } = await read({ "a.xml": set(record({ title, abstract })) });
    expect(documents[0]!.text).toBe(
      "Ca²⁺, 10⁻³ and 10^6.5 in H2O: E. coli & more\nm², p<0.05 and q>3 a/(b + 1) 10-20 mg (max 40)",
    );
  });

  test("structured abstracts keep their labels, other abstracts and copyright stand beside", async () => {
    const abstract =
      '<AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Why.</AbstractText><AbstractText Label="UNLABELLED">How.</AbstractText><CopyrightInformation>© 2020 The Authors. CC BY 4.0.</CopyrightInformation>';
    const citation =
      '<OtherAbstract Type="Publisher" Language="spa"><AbstractText>Por qué.</AbstractText></OtherAbstract>';
    const { documents } = await read({ "a.xml": set(record({ abstract, citation })) });
    expect(documents[0]!.text).toBe("A title.\nBACKGROUND: Why.\nHow.");
    expect(documents[0]!).toMatchObject({ license: "CC-BY-4.0", redistributable: true });
    expect(documents[0]!.meta.otherAbstracts).toEqual([{ type: "Publisher", language: "spa", text: "Por qué." }]);
  });

  test("books are citations too", async () => {
    const book =
      '<PubmedBookArticle><BookDocument><PMID Version="1">5</PMID><Book><BookTitle>GeneExamples</BookTitle><PubDate><Year>2011</Year></PubDate></Book><ArticleTitle>A syndrome</ArticleTitle><Abstract><AbstractText Label="CLINICAL">Signs.</AbstractText></Abstract></BookDocument></PubmedBookArticle>';
    const { documents } = await read({ "a.xml": set(book) });
    expect(documents[0]).toMatchObject({ id: "pmid:5", text: "A syndrome\nCLINICAL: Signs.", published: "2011" });
  });

  test.each([
    ["2018 Nov 25", "2018-11-25"],
    ["1998 Dec-1999 Jan", "1998-12"],
    ["2000 Spring", "2000"],
    ["1975-1976", "1975"],
    ["no date", undefined],
  ])("MEDLINE's date %s", (text, iso) => expect(medlineDate(text)).toBe(iso));

  test("brackets of a translated title go, brackets of chemistry stay", () => {
    expect(withoutTranslationBrackets("[Feasibility of drainage].")).toBe("Feasibility of drainage.");
    expect(withoutTranslationBrackets("[Is it so?]")).toBe("Is it so?");
    expect(withoutTranslationBrackets("[13C]glucose and [15N]")).toBe("[13C]glucose and [15N]");
  });
});

describe("which citations become documents", () => {
  test("every record that does not has its reason", async () => {
    const retracted =
      "<PublicationTypeList><PublicationType>Retracted Publication</PublicationType></PublicationTypeList>";
    const notice =
      "<PublicationTypeList><PublicationType>Retraction of Publication</PublicationType></PublicationTypeList>";
    const retractionIn =
      '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J</RefSource></CommentsCorrections></CommentsCorrectionsList>';
    const { documents, drops } = await read({
      "a.xml": set(
        record({ pmid: 1 }),
        record({ pmid: 2, article: retracted }),
        record({ pmid: 3, article: notice }),
        record({ pmid: 4, citation: retractionIn }),
        record({ pmid: 5, abstract: "" }),
        record({ pmid: 6, abstract: "", title: "" }),
        record({ pmid: 7 }).replace(/<PMID[^>]*>7<\/PMID>/, ""),
      ),
    });
    expect(documents.map(({ id }) => id)).toEqual(["pmid:1"]);
    expect(drops.map(({ id, rule }) => [id.replace(/#\d+/, "#…"), rule])).toEqual([
      ["pmid:2", "pubmed.retracted"],
      ["pmid:3", "pubmed.retraction-notice"],
      ["pmid:4", "pubmed.retracted"],
      ["pmid:5", "pubmed.no-abstract"],
      ["pmid:6", "read.no-text"],
      ["a.xml#…", "pubmed.no-id"],
    ]);
    const kept = await read(
      { "a.xml": set(record({ abstract: "" }), record({ pmid: 2, article: retracted })) },
      { titlesOnly: true, retracted: "keep" },
    );
    expect(kept.documents.map(({ text }) => text)).toEqual(["A title.", "A title.\nText."]);
  });

  test("the newest version of a PMID wins, wherever it stands; deletions hold until it is published again", async () => {
    const { documents, drops } = await read({
      "n1.xml": set(
        record({ pmid: 1, revised: "2021-01-01", title: "newest of 1" }),
        record({ pmid: 2, version: 2, title: "version 2" }),
        record({ pmid: 3, title: "deleted" }),
        record({ pmid: 4, title: "deleted, then back" }),
      ),
      "n2.xml": set(
        record({ pmid: 1, revised: "2020-01-01", title: "older state in a later file" }),
        record({ pmid: 2, version: 1, revised: "2024-01-01", title: "version 1" }),
        '<DeleteCitation><PMID Version="1">3</PMID><PMID Version="1">4</PMID></DeleteCitation>',
      ),
      "n3.xml": set(
        record({ pmid: 4, title: "back" }),
        record({ pmid: 1, revised: "2021-01-01", title: "same date, later file" }),
      ),
    });
    expect(documents.map(({ id, title }) => [id, title])).toEqual([
      ["pmid:2", "version 2"],
      ["pmid:4", "back"],
      ["pmid:1", "same date, later file"],
    ]);
    expect(drops.map(({ id, rule }) => `${id} ${rule}`).sort()).toEqual([
      "pmid:1 pubmed.superseded",
      "pmid:1 pubmed.superseded",
      "pmid:2 pubmed.superseded",
      "pmid:3 pubmed.deleted",
      "pmid:4 pubmed.deleted",
    ]);
  });

  test("MEDLINE's tagged text is read beside the XML", async () => {
    const nbib =
      "\nPMID- 9\nOWN - NLM\nDP  - 2001 Feb\nTI  - [A title that goes\n      on].\nAB  - AIM: To see. UNLABELLED: More\n      of it.\nMH  - *Asthma\nPT  - Journal Article\n\nPMID- 10\nTI  - No abstract.\n";
    const { documents, drops } = await read({ "a.nbib": nbib, "b.xml": set(record({ pmid: 11 })) });
    expect(documents.map(({ id }) => id)).toEqual(["pmid:9", "pmid:11"]);
    expect(documents[0]).toMatchObject({
      text: "A title that goes on.\nAIM: To see. More of it.",
      published: "2001-02",
      meta: { mesh: ["*Asthma"] },
    });
    expect(drops.map(({ rule }) => rule)).toEqual(["pubmed.no-abstract"]);
  });
});

describe("damaged files: the damage is told with its place, the rest is read", () => {
  test("malformed records in the middle", async () => {
    const broken = record({ pmid: 2 }).replace("</ArticleTitle>", "</Title>");
    const unended = record({ pmid: 3 }).replace("</PubmedArticle>", "");
    const startless = record({ pmid: 4 }).replace("<PubmedArticle>", "<PubmedArt");
    const content = set(record({ pmid: 1 }), broken, unended, record({ pmid: 5 }), startless, record({ pmid: 6 }));
    const { documents, drops } = await read({ "a.xml": content });
    expect(documents.map(({ id }) => id)).toEqual(["pmid:1", "pmid:5", "pmid:6"]);
    expect(drops.map(({ rule, reason }) => `${rule}: ${reason}`)).toMatchInlineSnapshot(`
      [
        "read.malformed: malformed XML (PMID 2): </Title> where </ArticleTitle> is due",
        "read.malformed: <PubmedArticle> has no end tag before the next record starts",
        "read.malformed: 761 bytes outside of the records ("<PubmedArt<MedlineCitation Status=\\"MEDLI"): a damaged one",
      ]
    `);
    // The place is where the parser stumbled: at the end tag that does not fit.
    expect(Number(drops[0]!.where!.split("#")[1])).toBe(content.indexOf("A title.</Title>") + "A title.".length);
  });

  test("cut short, plain and gzip: the records before the cut are kept", async () => {
    const whole = set(
      ...Array.from({ length: 40 }, (_, i) =>
        record({ pmid: i + 1, abstract: `<AbstractText>${String(Math.sin(i)).repeat(40)}</AbstractText>` }),
      ),
    );
    const cut = await read({ "a.xml": whole.slice(0, whole.length - 700) });
    expect(cut.documents.length).toBe(39);
    expect(cut.drops.map(({ rule }) => rule)).toEqual(["read.cut-short"]);
    const packed = gzipSync(whole);
    const cutPacked = await read({ "a.xml.gz": packed.subarray(0, packed.length - 40) });
    expect(cutPacked.documents.length).toBeGreaterThan(30);
    expect(cutPacked.drops.map(({ rule }) => rule)).toEqual(["read.cut-short"]);
    expect((await read({ "a.xml.gz": packed })).documents.length).toBe(40);
  });

  test("what is no PubMed file at all", async () => {
    const { documents, drops } = await read({
      "a.xml": "",
      "b.xml": "<html><body>502 Bad Gateway</body></html>",
      "c.xml": '<?xml version="1.0"?><PubmedArticleSet></PubmedArticleSet>',
      "d.xml": set(record()),
    });
    expect(documents.length).toBe(1);
    expect(drops.map(({ id, reason }) => `${id} ${reason}`)).toEqual([
      "a.xml#0 the file is empty: nothing of PubMed to read",
      "b.xml#0 an HTML page: nothing of PubMed to read",
      "c.xml#0 no <PubmedArticle> in the file: nothing of PubMed to read",
    ]);
  });

  test("bytes that are not UTF-8 cost their record; a declared encoding is honoured", async () => {
    const latin1 = Buffer.from(
      set(record({ pmid: 1 }), record({ pmid: 2, title: "Ménière" }), record({ pmid: 3 })),
      "latin1",
    );
    const { documents, drops } = await read({ "a.xml": latin1 });
    expect(documents.map(({ id }) => id)).toEqual(["pmid:1", "pmid:3"]);
    expect(drops.map(({ rule }) => rule)).toEqual(["read.not-utf8"]);
    const declared = Buffer.from(latin1.toString("latin1").replace("utf-8", "ISO-8859-1"), "latin1");
    expect((await read({ "a.xml": declared })).documents[1]!.title).toBe("Ménière");
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(set(record()))]);
    expect((await read({ "a.xml": marked })).drops).toEqual([]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(set(record({ title: "Ménière" })), "utf16le")]);
    expect((await read({ "a.xml": utf16 })).documents[0]!.title).toBe("Ménière");
  });

  test("entity bombs, external entities, deep nesting and huge attributes stay harmless", async () => {
    const deep = record({ pmid: 2, title: `${"<i>".repeat(5000)}x${"</i>".repeat(5000)}` });
    const huge = record({ pmid: 3 }).replace("<Article>", `<Article PubModel="${"x".repeat(3_000_000)}">`);
    const { documents, drops } = await read({ "a.xml": set(record({ pmid: 1, title: "&xxe; &lol9;" }), deep, huge) });
    expect(documents.map(({ id }) => id)).toEqual(["pmid:1", "pmid:3"]);
    expect(documents[0]!.title).toBe("&xxe; &lol9;");
    expect(drops.map(({ rule }) => rule)).toEqual(["read.malformed"]);
  });

  test("a zip bomb ends where its ratio does", async () => {
    const bomb = gzipSync(
      Buffer.concat([Buffer.from(set(record()).replace("</PubmedArticleSet>", "")), Buffer.alloc(280 << 20, 32)]),
      { level: 5 },
    );
    const { documents, drops } = await read({ "a.xml.gz": bomb });
    expect(documents.length).toBe(1);
    expect(drops.map(({ rule }) => rule)).toEqual(["read.zip-bomb"]);
  }, 60_000);
});

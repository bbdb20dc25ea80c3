import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, describe, expect, test } from "vitest";
import type { Document, Drop } from "../document.ts";
import { type Accounting, countCharacters } from "../formatting/ledger.ts";
import { type JatsOptions, readJats } from "./jats.ts";
import { statedLicense } from "./license-statement.ts";

const folder = mkdtempSync(join(tmpdir(), "meditron-jats-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
async function read(contents: Record<string, string | Buffer>, options: Partial<JatsOptions> = {}) {
  const path = join(folder, String(files++));
  mkdirSync(path);
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(path, name), content);
  const documents: Document[] = [];
  const drops: Drop[] = [];
  for await (const item of readJats({ name: "pmc", path, ...options })) {
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

interface Made {
  body?: string;
  back?: string;
  front?: string;
  rest?: string;
  type?: string;
  permissions?: string;
}

const article = ({
  body = "",
  back = "",
  front = "",
  rest = "",
  type = "research-article",
  permissions = "",
}: Made): string =>
  `<article article-type="${type}" xml:lang="en" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML"><front><journal-meta><journal-title-group><journal-title>Journal of Examples</journal-title></journal-title-group></journal-meta><article-meta><article-id pub-id-type="pmc">123</article-id><article-id pub-id-type="pmid">456</article-id><article-id pub-id-type="doi">10.1/X</article-id><title-group><article-title>On <italic>examples</italic><xref ref-type="fn" rid="n1">*</xref></article-title></title-group><contrib-group><contrib contrib-type="author"><name><surname>Roe</surname><given-names>Jane</given-names></name></contrib></contrib-group><pub-date pub-type="epub"><day>3</day><month>2</month><year>2019</year></pub-date><pub-date pub-type="pmc-release"><year>2018</year></pub-date>${permissions}${front}</article-meta></front><body>${body}</body>${back === "" ? "" : `<back>${back}</back>`}${rest}</article>`;

const REFERENCES = `<ref-list><title>References</title>${[
  ["r1", "A trial of one drug", "Smith"],
  ["r2", "Two drugs compared", "Jones"],
  ["r3", "A very long title of a study that goes on and on beyond all measure and reason", "van den Berg"],
  ["r4", "Four", "Liu"],
]
  .map(
    ([id, title, name], i) =>
      `<ref id="${id}"><label>${i + 1}.</label><element-citation publication-type="journal"><person-group person-group-type="author"><name><surname>${name}</surname><given-names>A</given-names></name><name><surname>Other</surname></name></person-group><article-title>${title}.</article-title><source>J Ex</source><volume>1</volume></element-citation></ref>`,
  )
  .join("")}<ref id="r5"><label>5.</label><mixed-citation>Unstructured, 1999</mixed-citation></ref></ref-list>`;

const bodyOf = async (body: string, made: Made = {}): Promise<string> => {
  const { documents, drops } = await read({ "a.nxml": article({ body, back: REFERENCES, ...made }) });
  expect(drops).toEqual([]);
  return documents[0]!.text.replace(/^On examples\n\n/, "");
};

const cite = (id: string, text: string) => `<xref ref-type="bibr" rid="${id}">${text}</xref>`;

describe("the text of an article", () => {
  test("title, abstracts, sections by their true depth", async () => {
    const { documents } = await read({
      "a.nxml": article({
        front:
          '<abstract><sec><title>AIM</title><p>To see.</p></sec></abstract><abstract abstract-type="summary"><title>Author Summary</title><p>Plain words.</p></abstract><abstract abstract-type="graphical"><p>A picture.</p></abstract>',
        body: "<sec><label>1</label><title>MATERIALS AND METHODS</title><p>One.</p><sec><title>DNA EXTRACTION</title><sec><title>Role of mTOR</title><p>Two.</p></sec></sec></sec><p>Loose.</p>",
        back: "<ack><p>Thanks.</p></ack>",
      }),
    });
    expect(documents[0]).toMatchObject({
      id: "pmc:PMC123",
      kind: "paper",
      title: "On examples",
      published: "2019-02-03",
      language: "en",
    });
    expect(documents[0]!.text).toMatchInlineSnapshot(`
      "On examples

      # Abstract

      ## Aim
      To see.

      # Author Summary
      Plain words.

      # Materials and methods
      One.

      ## DNA EXTRACTION

      ### Role of mTOR
      Two.
      Loose.

      # Acknowledgments
      Thanks."
    `);
    expect((documents[0]!.meta.accounting as Accounting).dropped["abstract.graphical"]).toBe(9);
  });

  test("citations of every style", async () => {
    expect(
      await bodyOf(`<p>Seen [${cite("r1", "1")}, ${cite("r2", "2")}]. Not (${cite("r2", "Jones 2001")}).</p>`),
    ).toBe(
      "Seen [bib_ref] A trial of one drug, Smith [/bib_ref] [bib_ref] Two drugs compared, Jones [/bib_ref]. Not [bib_ref] Two drugs compared, Jones [/bib_ref].",
    );
    // Twelve words, then dots.
    expect(await bodyOf(`<p>Long.<sup>${cite("r3", "3")}</sup></p>`)).toBe(
      "Long. [bib_ref] A very long title of a study that goes on and on..., van den Berg [/bib_ref]",
    );
    const range =
      "[bib_ref] A trial of one drug, Smith [/bib_ref] [bib_ref] Two drugs compared, Jones [/bib_ref] [bib_ref] A very long title of a study that goes on and on..., van den Berg [/bib_ref]";
    expect(await bodyOf(`<p>Range [${cite("r1", "1")}–${cite("r3", "3")}], so.</p>`)).toBe(`Range ${range}, so.`);
    expect(await bodyOf(`<p>Range [${cite("r1", "1-3")}], so.</p>`)).toBe(`Range ${range}, so.`);
    expect(await bodyOf(`<p>Both ${cite("r1 r4", "1, 4")}.</p>`)).toBe(
      "Both [bib_ref] A trial of one drug, Smith [/bib_ref] [bib_ref] Four, Liu [/bib_ref].",
    );
    // Brackets that hold more than references stay, in pairs.
    expect(await bodyOf(`<p>Shown (see ${cite("r1", "1")}).</p>`)).toBe(
      "Shown (see [bib_ref] A trial of one drug, Smith [/bib_ref]).",
    );
  });

  test("a citation that resolves to nothing leaves no stump, unless it says something itself", async () => {
    expect(
      await bodyOf(`<p>Gone [${cite("r5", "5")}], ${cite("nowhere", "9")}. Kept (${cite("r5", "Roe, 1999")}).</p>`),
    ).toBe("Gone,. Kept (Roe, 1999).");
  });

  test("figures and tables: mentions in the text, blocks behind it, cells apart", async () => {
    const fig =
      '<fig id="f1"><label>Fig. 1.</label><caption><title>Flow of patients</title><p>Enrolled, <bold>n</bold> = 12.</p></caption><graphic xlink:href="x"><alt-text>An image</alt-text></graphic></fig>';
    const table =
      '<table-wrap id="t1"><label>Table 1</label><caption><p>Doses; all groups</p></caption><table><thead><tr><th rowspan="2">Drug</th><th colspan="2">Dose</th></tr><tr><th>mg</th><th>n</th></tr></thead><tbody><tr><td>A</td><td>1<xref ref-type="table-fn" rid="tf">2</xref></td><td>10<sup>3</sup></td></tr><tr><td/><td>3</td><td>4</td></tr></tbody></table><table-wrap-foot><fn id="tf"><label>2</label><p>Twice daily.</p></fn></table-wrap-foot></table-wrap>';
    const mention = (id: string, type: string, text: string) => `<xref ref-type="${type}" rid="${id}">${text}</xref>`;
    const body = `<p>See (${mention("f1", "fig", "Fig. 1A")}) and Figure ${mention("f1", "fig", "1")}B, not (Table ${mention("t1", "table", "1")}).${fig}</p><p>After.</p>`;
    const rest = `<floats-group>${table}</floats-group>`;
    expect(await bodyOf(body, { rest })).toMatchInlineSnapshot(`
      "See [fig_ref] Figure 1A: Flow of patients [/fig_ref] and [fig_ref] Figure 1B: Flow of patients [/fig_ref], not [fig_ref] Table 1: Doses; all groups [/fig_ref].
      After.
      [fig] Figure 1: Flow of patients. Enrolled, n = 12. [/fig]
      [table] Table 1: Doses; all groups
      Drug | Dose
      | mg | n
      A | 1² | 10³
      | 3 | 4
      2 Twice daily. [/table]"
    `);
    const { documents } = await read({ "a.nxml": article({ body, rest }) }, { tables: "caption" });
    expect(documents[0]!.text).toContain("[table] Table 1: Doses; all groups [/table]");
  });

  test("a table note's letter does not run into its cell; an address behind a caption leaves no second full stop", async () => {
    const text = await bodyOf(
      `<table-wrap id="t9"><label>Table 9</label><caption><p>Species tested.</p><p>DOI: <ext-link>http://dx.doi.org/10.1/x.004</ext-link></p><p>Source data.</p></caption><table><tr><td>Activities<xref ref-type="table-fn" rid="f1">a</xref> (U/mg)</td><td>12.3<xref ref-type="table-fn" rid="f2">1</xref></td></tr></table><table-wrap-foot><fn id="f1"><label>a</label><p>Mean.</p></fn></table-wrap-foot></table-wrap>`,
    );
    expect(text).toContain("Activitiesᵃ (U/mg) | 12.3¹");
    expect(text).not.toContain("..");
  });

  test("a note marked with # is no heading", async () => {
    const text = await bodyOf(
      `<p># Of the first year.</p><table-wrap id="t9"><label>Table 9</label><table><tr><td># visits</td><td>4#</td></tr></table><table-wrap-foot><fn><p><sup>#</sup> P &lt; 0.05</p></fn><fn><p>## Different from rest.</p></fn></table-wrap-foot></table-wrap>`,
    );
    expect(text).toContain(
      "#Of the first year.\n[table] Table 9\n#visits | 4#\n#P < 0.05\n##Different from rest. [/table]",
    );
  });

  test("formulas, lists, definitions, boxes, notes, supplements", async () => {
    const math =
      "<mml:math><mml:mi>p</mml:mi><mml:mo>&lt;</mml:mo><mml:msup><mml:mn>10</mml:mn><mml:mrow><mml:mo>-</mml:mo><mml:mn>3</mml:mn></mml:mrow></mml:msup></mml:math>";
    const body = `<p>With <inline-formula><alternatives><tex-math>\\documentclass{x}\\begin{document}$$x_i$$\\end{document}</tex-math>${math}</alternatives></inline-formula>-fold <disp-formula>${math}<label>(1)</label></disp-formula>noted<fn id="n"><p>A note.</p></fn>.</p><list list-type="order"><list-item><p>One</p><list list-type="bullet"><list-item><p>inner</p></list-item></list></list-item><list-item><label>(b)</label><p>Two</p></list-item></list><def-list><def-item><term>CI</term><def><p>confidence interval</p></def></def-item></def-list><boxed-text><caption><title>Box 1</title></caption><p>Inside.</p></boxed-text><supplementary-material id="s"><label>S1</label><caption><p>Data.</p></caption></supplementary-material><p>URL (<ext-link>https://example.org/a?b=1</ext-link>) gone; [fig] is no token.</p>`;
    expect(await bodyOf(body)).toMatchInlineSnapshot(`
      "With [formula] x_i [/formula]-fold
      [formula] p < 10^(-3) (1) [/formula]
      noted.
      A note.
      1. One
        - inner
      (b) Two
      - CI: confidence interval

      # Box 1
      Inside.
      S1. Data.
      URL gone; (fig) is no token."
    `);
  });

  test("sub-articles come behind, translations do not", async () => {
    const rest =
      '<sub-article article-type="decision-letter"><front-stub><title-group><article-title>Decision letter</article-title></title-group></front-stub><body><p>Revise.</p></body></sub-article><sub-article article-type="translation"><body><p>Encore.</p></body></sub-article>';
    expect(await bodyOf("<p>Text.</p>", { rest })).toBe("Text.\n\n# Decision letter\nRevise.");
    const { documents } = await read({ "a.nxml": article({ body: "<p>Text.</p>", rest }) }, { subArticles: "drop" });
    expect(documents[0]!.text).toBe("On examples\n\nText.");
  });
});

describe("what becomes of a file", () => {
  test("retractions and articles without text are dropped with the reason", async () => {
    const related = '<related-article related-article-type="retraction-forward"/>';
    const { documents, drops } = await read({
      "a.nxml": article({ body: "<p>x</p>", type: "retraction" }),
      "b.nxml": article({ body: "<p>x</p>", front: related }),
      "c.nxml": article({ body: "<p>x</p>" }).replace("On <italic>", "RETRACTED: On <italic>"),
      "d.nxml": article({}),
      "e.nxml": article({ front: "<abstract><p>Only this.</p></abstract>" }),
    });
    expect(drops.map(({ rule, id }) => `${id} ${rule}`)).toEqual([
      "pmc:PMC123 jats.retraction-notice",
      "pmc:PMC123 jats.retracted",
      "pmc:PMC123 jats.retracted",
      "pmc:PMC123 read.no-text",
    ]);
    expect(documents.map(({ kind, text }) => [kind, text])).toEqual([
      ["abstract", "On examples\n\n# Abstract\nOnly this."],
    ]);
  });

  test("malformed, cut, empty, HTML: the file and the offset; sets of articles go on", async () => {
    const good = article({ body: "<p>Good.</p>" });
    const bad = good.replace("</p>", "</q>");
    const bomb = `<!DOCTYPE article [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "${"&a;".repeat(1000)}"><!ENTITY c "${"&b;".repeat(1000)}"><!ENTITY x SYSTEM "file:///etc/passwd">]>${article({ body: "<p>&c;</p>" })}`;
    const external = `<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "why &#169;">]>${article({ body: "<p>&x; &y; &hellip;</p>" })}`;
    const { documents, drops } = await read({
      "a.xml": `<pmc-articleset>${good}${bad}${good}</pmc-articleset>`,
      "b.nxml": good.slice(0, -30),
      "c.nxml": "",
      "d.nxml": "<html><p>404</p></html>",
      "e.nxml": bomb,
      "f.nxml": external,
      "g.nxml.gz": gzipSync(good),
    });
    expect(documents.length).toBe(4);
    expect(documents[2]!.text).toBe("On examples\n\n&x; why © …");
    expect(
      drops.map(({ id, rule, reason }) => `${id.replace(/#[1-9]\d*/, "#…")} ${rule}: ${reason}`),
    ).toMatchInlineSnapshot(`
      [
        "a.xml#… read.malformed: malformed XML: </q> where </p> is due",
        "b.nxml#0 read.cut-short: the file ends inside a <article>",
        "c.nxml#0 read.no-records: the file is empty: nothing of JATS to read",
        "d.nxml#0 read.no-records: an HTML page: nothing of JATS to read",
        "e.nxml#… read.malformed: malformed XML: entities expand without end (an entity bomb)",
      ]
    `);
  });

  test("archives of the PMC Open Access subset", async () => {
    const archive = pack();
    archive.entry({ name: "PMC1/a.nxml" }, article({ body: "<p>From an archive.</p>" }));
    archive.entry({ name: "PMC1/figure.jpg" }, "no text");
    archive.entry({ name: "PMC2/b.nxml" }, article({ body: "<p>broken" }));
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk as Buffer);
    const packed = gzipSync(Buffer.concat(chunks));
    const { documents, drops } = await read({ "oa.tar.gz": packed });
    expect(documents.map(({ text, meta }) => [text, meta.provenance])).toEqual([
      ["On examples\n\nFrom an archive.", { file: "oa.tar.gz!PMC1/a.nxml", offset: 0 }],
    ]);
    expect(drops.map(({ rule }) => rule)).toEqual(["read.malformed"]);
    const cut = await read({ "oa.tar.gz": packed.subarray(0, packed.length >> 1) });
    expect(cut.drops.at(-1)!.rule).toBe("read.cut-short");
  });
});

describe("licenses by the article's own words", () => {
  test.each([
    ['xlink:href="http://creativecommons.org/licenses/by/4.0/" This article is open', "CC-BY-4.0", true],
    [
      "http://creativecommons.org/licenses/by/4.0/ The CC0 waiver (http://creativecommons.org/publicdomain/zero/1.0/) applies to the data",
      "CC-BY-4.0",
      true,
    ],
    [
      "http://creativecommons.org/licenses/by/3.0/ and Attribution-NonCommercial, see creativecommons.org/licenses/by-nc-sa/3.0/",
      "CC-BY-NC-SA-3.0",
      true,
    ],
    ["creativecommons.org/licenses/by-nc-nd/4.0", "CC-BY-NC-ND-4.0", false],
    [
      "under the terms of the Creative Commons Attribution License, which permits unrestricted use",
      "LicenseRef-CC-BY",
      true,
    ],
    ["Creative Commons Attribution-NonCommercial-NoDerivs 3.0 License", "CC-BY-NC-ND-3.0", false],
    ["distributed under CC BY-NC 4.0", "CC-BY-NC-4.0", true],
    ["CCBY", "LicenseRef-CC-BY", true],
    ["http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0", true],
    [
      "Creative Commons Public Domain declaration, which stipulates that, once placed in the public domain, this work",
      "LicenseRef-PublicDomain",
      true,
    ],
    ["Copyright 2002 by the authors. All rights reserved.", "unknown", false],
    ["", "unknown", false],
  ])("%s", (statement, id, redistributable) => expect(statedLicense(statement)).toEqual({ id, redistributable }));
});

/** PMC full-text articles as JATS XML: nested sections, citations, figures, tables, formulas, boxes, lists, licenses. */
import { appearsIn, type Paper, type Part, type Section } from "../papers.ts";
import { NOTICE, escapeXml as x } from "./xml.ts";

const LICENSES = {
  "CC-BY-4.0": ["http://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution License (CC BY 4.0)"],
  "CC0-1.0": [
    "http://creativecommons.org/publicdomain/zero/1.0/",
    "Creative Commons Zero public domain dedication (CC0 1.0)",
  ],
  "CC-BY-NC-4.0": [
    "http://creativecommons.org/licenses/by-nc/4.0/",
    "Creative Commons Attribution-NonCommercial License (CC BY-NC 4.0)",
  ],
} as const;

function part(p: Part): string {
  if (typeof p === "string") return x(p);
  if ("cite" in p) return `[<xref ref-type="bibr" rid="B${p.cite + 1}">${p.cite + 1}</xref>]`;
  if ("figure" in p) return `<xref ref-type="fig" rid="F${p.figure + 1}">Figure ${p.figure + 1}</xref>`;
  if ("table" in p) return `<xref ref-type="table" rid="T${p.table + 1}">Table ${p.table + 1}</xref>`;
  const mathMl = `<mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mrow><mml:mi>a</mml:mi><mml:mo>+</mml:mo><mml:mi>b</mml:mi></mml:mrow></mml:mfrac></mml:math>`;
  return `<inline-formula><alternatives><tex-math>${x(p.formula)}</tex-math>${mathMl}</alternatives></inline-formula>`;
}

function section(s: Section, id: string): string {
  const body = s.paragraphs.map((p) => `<p>${p.map(part).join("")}</p>`).join("\n");
  const list = s.bullets
    ? `<list list-type="bullet">${s.bullets.map((b) => `<list-item><p>${x(b)}</p></list-item>`).join("")}</list>`
    : "";
  const inner = (s.sections ?? []).map((child, i) => section(child, `${id}.${i + 1}`)).join("\n");
  return `<sec id="${id}"><title>${x(s.title)}</title>\n${body}${list}${inner}</sec>`;
}

function permissions(paper: Paper): string {
  if (paper.license === undefined) return "<permissions><copyright-year>2024</copyright-year></permissions>";
  const [url, name] = LICENSES[paper.license];
  return `<permissions><copyright-statement>&#x000a9; ${paper.year} The sample authors</copyright-statement><copyright-year>${paper.year}</copyright-year><license license-type="open-access" xlink:href="${url}"><license-p>This is an open access article distributed under the terms of the <ext-link ext-link-type="uri" xlink:href="${url}">${name}</ext-link>.</license-p></license></permissions>`;
}

export function renderArticle(paper: Paper): string {
  const box = `<boxed-text position="float"><caption><title>${paper.box.title}</title></caption><list list-type="bullet">${paper.box.items.map((i) => `<list-item><p>${x(i)}</p></list-item>`).join("")}</list></boxed-text>`;
  const figures = paper.figures.map(
    (f, i) =>
      `<fig id="F${i + 1}" position="float"><label>Figure ${i + 1}</label><caption><p>${x(f.caption)}</p></caption><graphic xlink:href="sample-${paper.number}-g${i + 1}"/></fig>`,
  );
  const tables = paper.tables.map((t, i) => {
    const row = (cells: string[], tag: string) => `<tr>${cells.map((c) => `<${tag}>${x(c)}</${tag}>`).join("")}</tr>`;
    return `<table-wrap id="T${i + 1}" position="float"><label>Table ${i + 1}</label><caption><p>${x(t.caption)}</p></caption><table frame="hsides" rules="groups"><thead>${row(t.header, "th")}</thead><tbody>${t.rows.map((r) => row(r, "td")).join("")}</tbody></table><table-wrap-foot><fn><p>Values as reported by the participating hospitals.</p></fn></table-wrap-foot></table-wrap>`;
  });
  const references = paper.references.map(
    (r, i) =>
      `<ref id="B${i + 1}"><label>${i + 1}</label><element-citation publication-type="journal"><person-group person-group-type="author">${r.authors.map((a) => `<name><surname>${a.last}</surname><given-names>${a.first.charAt(0)}</given-names></name>`).join("")}</person-group><article-title>${x(r.title)}</article-title><source>${x(r.journal)}</source><year>${r.year}</year><volume>${1 + (r.year % 40)}</volume><fpage>${10 + i * 7}</fpage><lpage>${15 + i * 7}</lpage></element-citation></ref>`,
  );
  const sections = paper.sections.map((s, i) => section(s, `S${i + 1}`));
  // Floats stand inside the results, as many publishers place them.
  sections[2] = sections[2]!.replace(/<\/sec>$/, `${tables.join("")}${figures.join("")}</sec>`);
  const retraction = paper.retracted
    ? `<related-article related-article-type="retraction-forward" id="d1" ext-link-type="pubmed" xlink:href="${paper.pmid + 1}"/>`
    : "";
  const articleType = paper.number % 4 === 0 ? "review-article" : "research-article";
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2 20190208//EN" "JATS-archivearticle1.dtd">
<!-- ${NOTICE} -->
<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" article-type="${articleType}" xml:lang="en"><front><journal-meta><journal-id journal-id-type="nlm-ta">${paper.journal.short}</journal-id><journal-title-group><journal-title>${paper.journal.title}</journal-title></journal-title-group><issn pub-type="epub">${paper.journal.issn}</issn><publisher><publisher-name>Sample World Press</publisher-name></publisher></journal-meta>
<article-meta><article-id pub-id-type="pmid">${paper.pmid}</article-id><article-id pub-id-type="pmc">${paper.pmcid.slice(3)}</article-id><article-id pub-id-type="doi">${paper.doi}</article-id><article-categories><subj-group subj-group-type="heading"><subject>Research Article</subject></subj-group></article-categories><title-group><article-title>${paper.retracted ? "RETRACTED: " : ""}${x(paper.title)}</article-title></title-group>
<contrib-group>${paper.authors.map((a) => `<contrib contrib-type="author"><name><surname>${a.last}</surname><given-names>${a.first}</given-names></name><xref ref-type="aff" rid="af1">1</xref></contrib>`).join("")}</contrib-group><aff id="af1"><label>1</label>${paper.authors[0]!.affiliation}</aff>
<pub-date pub-type="epub"><day>15</day><month>${paper.month}</month><year>${paper.year}</year></pub-date><volume>${paper.year - 2000}</volume><elocation-id>e${paper.number}</elocation-id>${permissions(paper)}${retraction}
<abstract>${paper.abstract.map((a) => `<sec><title>${a.label.charAt(0)}${a.label.slice(1).toLowerCase()}</title><p>${x(a.text)}</p></sec>`).join("")}</abstract><kwd-group>${paper.conditions.map((c) => `<kwd>${x(c.name)}</kwd>`).join("")}</kwd-group></article-meta></front>
<body>${box}
${sections.join("\n")}</body>
<back><ack><p>We thank the staff of the participating hospitals.</p></ack><ref-list><title>References</title>${references.join("\n")}</ref-list></back></article>
`;
}

/** Files `pmc/PMC*.xml`. */
export function renderJats(papers: readonly Paper[]): Map<string, string> {
  return new Map(papers.filter(appearsIn.jats).map((paper) => [`pmc/${paper.pmcid}.xml`, renderArticle(paper)]));
}

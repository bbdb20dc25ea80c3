/**
 * Invented text and records in the size and shape of real ones, for measuring: what a machine does with a thousand of them says
 * what it would do with a million. They mean nothing.
 */
import { counterRandom } from "../core/random.ts";

/** English function words between invented content words, so that language and filters take it for prose. */
const FUNCTION_WORDS =
  "the of and in to with for was were a by that on at from this is or as patients who had not be than".split(" ");
const SYLLABLES =
  "car dio pul mon re nal he pat ic neu ro gas tri der ma to lo gi ne phro vas cu lar en do cri on co".split(" ");
const CONTENT_WORDS = Array.from({ length: 8000 }, (_, i) =>
  Array.from({ length: 2 + (i % 3) }, (_, s) => SYLLABLES[counterRandom(11, 4 * i + s) % SYLLABLES.length]).join(""),
);

/** Words that no other text has in this order, the same for the same seed. */
export function inventedText(seed: number, words: number): string {
  const out: string[] = [];
  for (let i = 0; i < words; i++) {
    const draw = counterRandom(seed, i);
    const word =
      i % 2 === 0
        ? FUNCTION_WORDS[(draw >>> 8) % FUNCTION_WORDS.length]!
        : CONTENT_WORDS[(draw >>> 8) % CONTENT_WORDS.length]!;
    out.push(draw % 13 === 0 ? `${word}.` : draw % 29 === 0 ? `${draw % 97} mg` : word);
  }
  return out.join(" ");
}

/** A PubMed record with an abstract of 180 words. */
export function inventedCitation(i: number): string {
  const authors = Array.from(
    { length: 6 },
    (_, a) =>
      `<Author ValidYN="Y"><LastName>Roe${a}</LastName><ForeName>Jane</ForeName><Initials>J</Initials><AffiliationInfo><Affiliation>Department ${a}, Example University</Affiliation></AffiliationInfo></Author>`,
  ).join("");
  const mesh = Array.from(
    { length: 12 },
    (_, m) =>
      `<MeshHeading><DescriptorName UI="D${m}" MajorTopicYN="N">Heading ${m}</DescriptorName><QualifierName UI="Q${m}" MajorTopicYN="Y">drug therapy</QualifierName></MeshHeading>`,
  ).join("");
  const text = ["BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS"]
    .map((label, s) => `<AbstractText Label="${label}">${inventedText(4 * i + s, 45)}</AbstractText>`)
    .join("");
  const cited = Array.from(
    { length: 30 },
    (_, r) =>
      `<Reference><Citation>Roe J. Work ${r}. J Ex. 2001</Citation><ArticleIdList><ArticleId IdType="pubmed">${r + 1}</ArticleId></ArticleIdList></Reference>`,
  ).join("");
  return `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">${i + 1}</PMID><DateRevised><Year>2020</Year><Month>01</Month><Day>02</Day></DateRevised><Article PubModel="Print"><Journal><ISSN IssnType="Print">0000-0000</ISSN><JournalIssue CitedMedium="Print"><Volume>1</Volume><PubDate><Year>2019</Year><Month>Apr</Month></PubDate></JournalIssue><Title>Journal of Examples</Title></Journal><ArticleTitle>Dose ${i} of an invented drug in a trial</ArticleTitle><Abstract>${text}</Abstract><AuthorList CompleteYN="Y">${authors}</AuthorList><Language>eng</Language><PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList></Article><MedlineJournalInfo><MedlineTA>J Ex</MedlineTA></MedlineJournalInfo><MeshHeadingList>${mesh}</MeshHeadingList></MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">${i + 1}</ArticleId><ArticleId IdType="doi">10.1/x${i}</ArticleId></ArticleIdList><ReferenceList>${cited}</ReferenceList></PubmedData></PubmedArticle>`;
}

/** A JATS article of about 9,000 words with citations and a table. */
export function inventedArticle(i: number): string {
  const references = Array.from(
    { length: 40 },
    (_, r) =>
      `<ref id="r${r}"><label>${r + 1}</label><element-citation publication-type="journal"><person-group person-group-type="author"><name><surname>Roe${r}</surname><given-names>J</given-names></name></person-group><article-title>A study of invented things, part ${r}</article-title><source>J Ex</source><year>2001</year><volume>1</volume></element-citation></ref>`,
  ).join("");
  const paragraph = (p: number) =>
    `<p>${inventedText(1e6 * (i + 1) + 2 * p, 120)} <xref ref-type="bibr" rid="r${p % 40}">[${(p % 40) + 1}]</xref> ${inventedText(1e6 * (i + 1) + 2 * p + 1, 60)} (<xref ref-type="table" rid="t1">Table 1</xref>).</p>`;
  const sections = ["Introduction", "Methods", "Results", "Discussion"]
    .map(
      (title, s) =>
        `<sec><title>${title}</title>${Array.from({ length: 12 }, (_, p) => paragraph(s * 12 + p)).join("")}</sec>`,
    )
    .join("");
  const rows = Array.from(
    { length: 20 },
    (_, r) => `<tr>${Array.from({ length: 6 }, (_, c) => `<td>${r * c}</td>`).join("")}</tr>`,
  ).join("");
  return `<article article-type="research-article" xmlns:xlink="http://www.w3.org/1999/xlink"><front><journal-meta><journal-id journal-id-type="nlm-ta">J Ex</journal-id><journal-title-group><journal-title>Journal of Examples</journal-title></journal-title-group><issn pub-type="ppub">0000-0000</issn><publisher><publisher-name>Examples</publisher-name></publisher></journal-meta><article-meta><article-id pub-id-type="pmid">${i + 1}</article-id><article-id pub-id-type="pmc">${i + 1}</article-id><article-categories><subj-group><subject>Example</subject></subj-group></article-categories><title-group><article-title>Invented article ${i}</article-title></title-group><contrib-group><contrib contrib-type="author"><name><surname>Roe</surname><given-names>Jane</given-names></name><xref ref-type="aff" rid="a1">1</xref></contrib></contrib-group><aff id="a1">Example University</aff><pub-date pub-type="epub"><day>1</day><month>2</month><year>2019</year></pub-date><abstract><p>${inventedText(i, 150)}</p></abstract></article-meta></front><body>${sections}<table-wrap id="t1"><label>Table 1</label><caption><p>Doses</p></caption><table><tbody>${rows}</tbody></table></table-wrap></body><back><ref-list>${references}</ref-list></back></article>`;
}

/**
 * PubMed citations as the yearly baseline and one daily update file ship them: structured abstracts, MeSH, publication types,
 * and what readers of such files meet: records without abstract, other languages, a revision, a retraction, deletions and
 * one record that is not well-formed XML.
 */
import { RandomState } from "../../src/core/random.ts";
import { composeStatements, dealCases, dealStatements, pick, type Statement, tell } from "../compose.ts";
import { type Author, appearsIn, composeAuthors, composeFiller, type Paper } from "../papers.ts";
import { fill } from "../phrasings/fill.ts";
import { cases, vignettes } from "../phrasings/medicine.ts";
import { fillers, journals } from "../phrasings/paperwork.ts";
import type { Entity, World } from "../world.ts";
import { NOTICE, escapeXml as x } from "./xml.ts";

const ABSTRACTS_PER_CONDITION = 6;
/** Case series that tell of each condition, and cases in one. */
const CASE_SERIES_PER_CONDITION = 8;
const CASES_PER_SERIES = 5;
const FIRST_PMID = 38_000_001;

interface Citation {
  pmid: number;
  version: number;
  title: string;
  vernacularTitle?: string;
  language: string;
  sections: { label?: string; text: string; markup?: string }[];
  authors: Author[];
  journal: (typeof journals)[number];
  year: number;
  month: number;
  types: string[];
  mesh: string[];
  doi?: string;
  pmcid?: string;
}

export interface PubMedCounts {
  records: number;
  withoutAbstract: number;
  otherLanguages: number;
  revised: number;
  retracted: number;
  deleted: number;
  malformed: number;
  alsoFullText: number;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function renderCitation(c: Citation): string {
  const abstract =
    c.sections.length === 0
      ? ""
      : `<Abstract>${c.sections
          .map((s) => {
            const label = s.label
              ? ` Label="${s.label}" NlmCategory="${s.label === "CASE REPORT" ? "UNASSIGNED" : s.label}"`
              : "";
            return `<AbstractText${label}>${s.markup ?? x(s.text)}</AbstractText>`;
          })
          .join("")}<CopyrightInformation>${NOTICE}</CopyrightInformation></Abstract>`;
  const authors = c.authors
    .map(
      (a) =>
        `<Author ValidYN="Y"><LastName>${a.last}</LastName><ForeName>${a.first}</ForeName><Initials>${a.first.charAt(0)}</Initials><AffiliationInfo><Affiliation>${a.affiliation}.</Affiliation></AffiliationInfo></Author>`,
    )
    .join("");
  const ids = [
    `<ArticleId IdType="pubmed">${c.pmid}</ArticleId>`,
    c.pmcid ? `<ArticleId IdType="pmc">${c.pmcid}</ArticleId>` : "",
    c.doi ? `<ArticleId IdType="doi">${c.doi}</ArticleId>` : "",
  ].join("");
  const date = (tag: string, year: number) =>
    `<${tag}><Year>${year}</Year><Month>${String(c.month).padStart(2, "0")}</Month><Day>12</Day></${tag}>`;
  return `<PubmedArticle>
  <MedlineCitation Status="MEDLINE" Owner="NLM">
    <PMID Version="${c.version}">${c.pmid}</PMID>
    ${date("DateCompleted", c.year)}${date("DateRevised", c.year + c.version)}
    <Article PubModel="Print"><Journal><ISSN IssnType="Print">${c.journal.issn}</ISSN><JournalIssue CitedMedium="Print"><Volume>${c.year - 1990}</Volume><Issue>${c.month}</Issue><PubDate><Year>${c.year}</Year><Month>${MONTHS[c.month - 1]}</Month></PubDate></JournalIssue><Title>${c.journal.title}</Title><ISOAbbreviation>${c.journal.short}</ISOAbbreviation></Journal>
      <ArticleTitle>${x(c.title)}</ArticleTitle>
      <Pagination><MedlinePgn>${c.pmid % 900}-${(c.pmid % 900) + 6}</MedlinePgn></Pagination>
      ${abstract}
      <AuthorList CompleteYN="Y">${authors}</AuthorList>
      <Language>${c.language}</Language>
      <PublicationTypeList>${c.types.map((t) => `<PublicationType UI="D016428">${t}</PublicationType>`).join("")}</PublicationTypeList>${c.vernacularTitle ? `\n      <VernacularTitle>${x(c.vernacularTitle)}</VernacularTitle>` : ""}
    </Article>
    <MedlineJournalInfo><Country>Sample World</Country><MedlineTA>${c.journal.short}</MedlineTA></MedlineJournalInfo>
    <CitationSubset>IM</CitationSubset>
    <MeshHeadingList>${c.mesh.map((m) => `<MeshHeading><DescriptorName MajorTopicYN="N">${x(m)}</DescriptorName></MeshHeading>`).join("")}</MeshHeadingList>
  </MedlineCitation>
  <PubmedData><PublicationStatus>ppublish</PublicationStatus><ArticleIdList>${ids}</ArticleIdList></PubmedData>
</PubmedArticle>
`;
}

function renderSet(body: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<!-- ${NOTICE} -->
<PubmedArticleSet>
${body}</PubmedArticleSet>
`;
}

/** Markup as it occurs in real abstracts: italic symbols, superscripts, escaped comparison signs. */
function withMarkup(text: string): string {
  return x(text)
    .replace(/\(p = (0\.\d+)\)/, "(<i>p</i> = $1, limit &lt; 5 &#215; 10<sup>-2</sup>)")
    .replace(/p value below/, "<i>p</i> value below");
}

function composeCitation(
  entity: Entity,
  hand: Statement[],
  pmid: number,
  index: number,
  random: RandomState,
): Citation {
  const X = "this condition";
  const filler = (kind: keyof typeof fillers) => composeFiller(pick(random, fillers[kind]), X, random);
  const sentences = random.shuffle(hand.map((s) => s.text));
  const early = hand.filter((s) => s.attribute === "cause" || s.attribute === "specialty").map((s) => s.text);
  const late = sentences.filter((text) => !early.includes(text));
  const caseReport = index % 4 === 3;
  const labels = index % 3 !== 2;
  const middle = Math.ceil(late.length / 2);
  const sections = caseReport
    ? [
        { label: "BACKGROUND", text: [...early, late[0]].filter(Boolean).join(" ") },
        { label: "CASE REPORT", text: tell(entity, vignettes, random) },
        { label: "CONCLUSIONS", text: late.slice(1).join(" ") },
      ]
    : [
        { label: "BACKGROUND", text: early.join(" ") },
        { label: "METHODS", text: filler("methods") },
        {
          label: "RESULTS",
          text: [...(index % 3 === 0 ? [filler("results")] : []), ...late.slice(0, middle)].join(" "),
        },
        { label: "CONCLUSIONS", text: late.slice(middle).join(" ") },
      ];
  const filled = sections.filter((s) => s.text !== "");
  const title = fill(
    pick(random, [
      "{X}: {n} cases",
      "Diagnosis and outcome of {X} in {place}",
      "Confirming {X} in clinical practice",
      "{X} seen from {specialty}",
      "What we learned from {n} patients with {X}",
    ]),
    {
      X: entity.name,
      specialty: entity.group,
      n: String(random.integer(20, 800)),
      place: pick(random, ["a teaching hospital", "primary care", "a regional center"]),
    },
  );
  const year = 2012 + random.integer(0, 13);
  return {
    pmid,
    version: 1,
    title: `${title}.`,
    language: "eng",
    sections: (labels ? filled : [{ text: filled.map((s) => s.text).join(" ") }]).map((s) => ({
      ...s,
      markup: withMarkup(s.text),
    })),
    authors: composeAuthors(random),
    journal: pick(random, journals),
    year,
    month: random.integer(1, 13),
    types: caseReport ? ["Case Reports", "Journal Article"] : ["Journal Article"],
    mesh: ["Humans", fill("{X}", { X: entity.name })],
    doi: `10.5555/sample.abs.${pmid}`,
  };
}

const FOREIGN = [
  {
    language: "fre",
    title: (name: string) => `[Report on ${name}].`,
    vernacular: "Rapport clinique.",
    text: "Nous rapportons les cas de plusieurs malades vus dans notre service. Le diagnostic a été posé après un examen attentif, et le traitement a été bien toléré par la plupart des malades pendant le suivi.",
  },
  {
    language: "ger",
    title: (name: string) => `[Observations on ${name}].`,
    vernacular: "Klinische Beobachtungen.",
    text: "Wir berichten über mehrere Kranke, die in unserer Klinik behandelt wurden. Die Diagnose wurde nach einer sorgfältigen Untersuchung gestellt, und die Behandlung wurde von den meisten Kranken gut vertragen.",
  },
] as const;

function fromPaper(paper: Paper): Citation {
  return {
    pmid: paper.pmid,
    version: 1,
    title: `${paper.title}.`,
    language: "eng",
    sections: paper.abstract,
    authors: paper.authors,
    journal: paper.journal,
    year: paper.year,
    month: paper.month,
    types: [
      "Journal Article",
      ...(paper.retracted ? ["Retracted Publication"] : paper.number % 4 === 0 ? ["Review"] : []),
    ],
    mesh: ["Humans", ...paper.conditions.map((c) => c.name)],
    doi: paper.doi,
    pmcid: paper.pmcid,
  };
}

/** Short histories of patients who have nothing in common, each ending in the diagnosis. */
function composeCaseSeries(conditions: Entity[], pmid: number, random: RandomState): Citation {
  const histories = conditions.map((entity) => tell(entity, cases, random));
  return {
    ...composeCitation(conditions[0]!, [], pmid, 0, random),
    title: `${pick(random, ["Instructive cases", "Cases from the wards", "What the patients had", "Notes from the clinic"])}, part ${pmid % 1000}.`,
    sections: [{ text: histories.join(" ") }],
    types: ["Case Reports", "Journal Article"],
    mesh: ["Humans", "Diagnosis, Differential"],
  };
}

/** Files `pubmed/pubmed26n0001.xml` (baseline) and `pubmed26n0002.xml` (update), before compression. */
export function renderPubMed(
  world: World,
  papers: readonly Paper[],
): { files: Map<string, string>; counts: PubMedCounts } {
  const random = new RandomState(world.seed + 12);
  const documents = Math.max(2, Math.round(ABSTRACTS_PER_CONDITION * world.volume));
  let pmid = FIRST_PMID;
  const abstracts = world.conditions.flatMap((entity) => {
    const hands = dealStatements(composeStatements(entity, "abstract", world.volume, random), documents);
    return hands.map((hand, index) => composeCitation(entity, hand, pmid++, index, random));
  });
  const timesTold = Math.max(1, Math.round(CASE_SERIES_PER_CONDITION * world.volume));
  for (const conditions of dealCases(world.conditions, { times: timesTold, perCollection: CASES_PER_SERIES }, random))
    abstracts.push(composeCaseSeries(conditions, pmid++, random));
  random.shuffle(abstracts);
  const withPapers = papers.filter(appearsIn.pubmed).map(fromPaper);

  const others = world.conditions.filter((_, i) => i % 20 === 0);
  const letters = others.map(
    (entity): Citation => ({
      ...composeCitation(entity, [], pmid++, 0, random),
      title: fill("Comment on {X}.", { X: entity.name }),
      sections: [],
      types: ["Letter", "Comment"],
    }),
  );
  const foreign = others.map((entity, i): Citation => {
    const tongue = FOREIGN[i % FOREIGN.length]!;
    return {
      ...composeCitation(entity, [], pmid++, 0, random),
      title: tongue.title(entity.name),
      vernacularTitle: tongue.vernacular,
      language: tongue.language,
      sections: [{ text: tongue.text }],
    };
  });
  const baseline = [...abstracts, ...withPapers, ...letters, ...foreign];

  // The update: a revision of the first record, a deletion of the second's PMID, one damaged record, one new record.
  const revised: Citation = { ...abstracts[0]!, version: 2, title: abstracts[0]!.title.replace(/\.$/, " (revised).") };
  const fresh = composeCitation(world.conditions[1]!, [], pmid++, 0, random);
  const damaged = renderCitation({ ...fresh, pmid: pmid++ }).replace("<Language>", "<b>p < 0.05</Language><Language>");
  const added = renderCitation(composeCitation(world.conditions[2]!, [], pmid++, 0, random));
  const update = `${renderCitation(revised)}${damaged}${added}<DeleteCitation><PMID Version="1">${abstracts[1]!.pmid}</PMID></DeleteCitation>\n`;
  return {
    files: new Map([
      ["pubmed/pubmed26n0001.xml", renderSet(baseline.map(renderCitation).join(""))],
      ["pubmed/pubmed26n0002.xml", renderSet(update)],
    ]),
    counts: {
      records: baseline.length + 3,
      withoutAbstract: letters.length,
      otherLanguages: foreign.length,
      revised: 1,
      retracted: withPapers.filter((c) => c.types.includes("Retracted Publication")).length,
      deleted: 1,
      malformed: 1,
      alsoFullText: withPapers.length,
    },
  };
}

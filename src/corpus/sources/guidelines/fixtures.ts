/**
 * Small sites in the structure of the 16 real ones, for the adapters' tests: lists, pagination, articles, and around them what
 * each site has that is no article. All text is ours.
 */
import { makePdf } from "../../testing-pdf.ts";

export interface FixtureSite {
  /** By path and query. Strings are HTML. */
  files: Record<string, string | Buffer>;
  /** Of each article: the title, and what its text must hold. */
  articles: { title: string; has: string[] }[];
  /** What no text may hold. */
  lacks: string[];
}

const html = (title: string, body: string) =>
  `<!doctype html><html lang="en"><head><title>${title}</title></head><body><nav><a href="/">Home</a></nav>${body}<footer>Terms of use</footer></body></html>`;
const list = (links: Record<string, string>, cls = "") =>
  `<ul>${Object.entries(links)
    .map(([href, text]) => `<li><a ${cls && `class="${cls}"`} href="${href}">${text}</a></li>`)
    .join("")}</ul>`;
const pdf = (title: string, ...paragraphs: string[]) =>
  makePdf([
    [
      { x: 72, y: 740, size: 20, text: title },
      { x: 72, y: 690, size: 14, bold: true, text: "Introduction" },
      ...paragraphs.map((text, i) => ({ x: 72, y: 660 - 40 * i, size: 11, text })),
      { x: 72, y: 400, size: 14, bold: true, text: "Acknowledgements" },
      { x: 72, y: 370, size: 11, text: "We thank the panel." },
    ],
  ]);

const DOSE = "Give 10-20 mg (max 40 mg) daily if the count is < 0.5 x 10 to the 9.";

export const SITES: Record<string, FixtureSite> = {
  aafp: {
    files: {
      "/family-physician/patient-care/clinical-recommendations/recommendations-by-topic.html": html(
        "Topics",
        `<div class="aem-Grid">${list({ "/family-physician/patient-care/clinical-recommendations/recommendations-by-topic/asthma.html": "Asthma", "/about.html": "About" }, "adl-link")}</div>`,
      ),
      "/family-physician/patient-care/clinical-recommendations/recommendations-by-topic/asthma.html": html(
        "Asthma",
        list({
          "/family-physician/patient-care/clinical-recommendations/all-clinical-recommendations/asthma-guideline.html": "Guideline",
          "/family-physician/patient-care/clinical-recommendations/all-clinical-recommendations/asthma-policy.html": "Policy",
        }),
      ),
      "/family-physician/patient-care/clinical-recommendations/all-clinical-recommendations/asthma-guideline.html": html(
        "Managing Asthma | AAFP",
        `<div class="aem-Grid"><p>Share this</p><h2>Key Recommendations</h2><ul><li>${DOSE}</li><li>other causes first</li></ul><h2>References</h2><p>Doe 2001</p></div>`,
      ),
      "/family-physician/patient-care/clinical-recommendations/all-clinical-recommendations/asthma-policy.html": html(
        "Policy | AAFP",
        `<div class="aem-Grid"><p>The AAFP supports the work of others on this topic.</p></div>`,
      ),
    },
    articles: [{ title: "Managing Asthma", has: [DOSE, "other causes first"] }],
    lacks: ["Doe 2001", "Share this", "Terms of use"],
  },
  cco: {
    files: {
      "/wp-content/uploads/SPOR-guidelines.pdf": makePdf([[{ x: 72, y: 700, size: 11, text: "Guidelines of the provinces" }]], [
        "{origin}/cancercareontario/12",
        "{origin}/elsewhere/1",
      ]),
      "/cancercareontario/12": html("Breast cancer", `<h1>Breast Cancer Care</h1><a href="/files/12.pdf">PDF</a>`),
      "/files/12.pdf": pdf("Ignored title", DOSE),
    },
    articles: [{ title: "Breast Cancer Care", has: [DOSE, "# Introduction"] }],
    lacks: ["We thank"],
  },
  cdc: {
    files: {
      "/cbrowse?pid=cdc:100&parentId=cdc:100&maxResults=100&start=0": html(
        "Browse",
        `<div class="object-title"><a href="/view/cdc/1">First</a></div><a class="next" href="/cbrowse?pid=cdc:100&parentId=cdc:100&maxResults=100&start=100">Next</a>`,
      ),
      "/cbrowse?pid=cdc:100&parentId=cdc:100&maxResults=100&start=100": html("Browse", `<div class="object-title"><a href="/view/cdc/2">Second</a></div>`),
      "/view/cdc/1": html("x", `<h1>Measles Prevention</h1><div id="download-document"><a href="/view/cdc/1/cdc_1_DS1.pdf">Download</a></div>`),
      "/view/cdc/2": html("x", `<h1>Rabies Prevention</h1><div id="download-document"><a href="/view/cdc/2/cdc_2_DS1.pdf">Download</a></div>`),
      "/view/cdc/1/cdc_1_DS1.pdf": pdf("Measles", DOSE),
      "/view/cdc/2/cdc_2_DS1.pdf": pdf("Rabies", "Wash the wound with soap and water at once."),
    },
    articles: [
      { title: "Measles Prevention", has: [DOSE] },
      { title: "Rabies Prevention", has: ["Wash the wound"] },
    ],
    lacks: ["We thank"],
  },
  cma: {
    files: {
      "/cpg/homepage/browse-by/category/specialties/id/488": html(
        "Anesthesia",
        `<p><a href="/doc/1">View fulltext guideline</a> <a href="/doc/choosing-wisely">View fulltext guideline</a></p><ul class="pagination"><li class="active"><a>1</a></li><li><a href="/cpg/homepage/browse-by/category/specialties/id/488?page=2">2</a></li></ul>`,
      ),
      "/cpg/homepage/browse-by/category/specialties/id/488?page=2": html("Anesthesia", `<a href="/doc/2">View fulltext guideline</a>`),
      "/doc/1": html("x", `<main property="mainContentOfPage"><h1>Airway Care</h1><p>Menu of the page</p><h2>Overview</h2><p>${DOSE}</p><h2>References</h2><p>Doe 2001</p></main>`),
      "/doc/2": html("x", `<div id="main-content"><h1>Pain Relief</h1><h2>Preamble</h2><p>Use the lowest dose that works.</p><h2>Appendix A</h2><p>Members</p></div>`),
    },
    articles: [
      { title: "Airway Care", has: [DOSE, "# Overview"] },
      { title: "Pain Relief", has: ["lowest dose"] },
    ],
    lacks: ["Doe 2001", "Members", "Menu of the page"],
  },
  cps: {
    files: {
      "/wp-content/uploads/SPOR-guidelines.pdf": makePdf([[{ x: 72, y: 700, size: 11, text: "Guidelines" }]], ["{origin}/cps.ca/fever", "{origin}/other/1"]),
      "/cps.ca/fever": html(
        "Fever",
        `<div class="cell main-body"><h1>Fever in Infants</h1><p>Posted 2019</p><h3>Abstract</h3><p>${DOSE}</p><p>Look for other causes of fever.</p><p>Keywords: fever</p><h3>Acknowledgements</h3><p>We thank all.</p></div>`,
      ),
    },
    articles: [{ title: "Fever in Infants", has: [DOSE, "other causes of fever"] }],
    lacks: ["We thank", "Keywords"],
  },
  drugs: {
    files: {
      "/dosage/": html("Dosage", list({ "/dosage-a1.html": "A", "/dosage-b1.html": "B", "/news.html": "News" })),
      "/dosage-a1.html": html("A", list({ "/dosage/aspirol.html": "Aspirol" })),
      "/dosage-b1.html": html("B", list({ "/dosage/betalex.html": "Betalex", "/dosage/aspirol.html": "Aspirol" })),
      "/dosage/aspirol.html": html("x", `<div id="content"><h1>Aspirol Dosage</h1><p>Medically reviewed by nobody.</p><p>${DOSE}</p><h2>More about Aspirol</h2><p>Reviews</p></div>`),
      "/dosage/betalex.html": html("x", `<div id="content"><h1>Betalex Dosage</h1><p>5 mg (two tablets) at night</p></div>`),
    },
    articles: [
      { title: "Aspirol Dosage", has: ["(max 40 mg)"] },
      { title: "Betalex Dosage", has: ["5 mg (two tablets) at night"] },
    ],
    lacks: ["Reviews", "Medically reviewed"],
  },
  gc: {
    files: {
      "/guidelines/?t=guideline": html("G", `${list({ "/guideline/1234/": "Gout" })}<a class="next-page" href="/guidelines/?t=guideline&p=2">Next</a>`),
      "/guidelines/?t=guideline&p=2": html("G", list({ "/guideline/1235/": "Sepsis" })),
      "/guideline/1234/": html("x", `<h1>Gout</h1><div id="summary-nav"><p>Publication Date: 2020</p><h2>Document Objectives</h2><p>To treat gout well.</p><p>${DOSE}</p><p>Rest the joint for some days.</p><h2>Disclaimer</h2><p>None</p></div>`),
      "/guideline/1235/": html("x", `<h1>Sepsis</h1><div id="summary-nav"><h2>Document Objectives</h2><p>To find sepsis early.</p><p>Give antibiotics within one hour.</p><p>Take blood cultures first.</p></div>`),
    },
    articles: [
      { title: "Gout", has: [DOSE] },
      { title: "Sepsis", has: ["within one hour"] },
    ],
    lacks: ["Publication Date", "Disclaimer"],
  },
  icrc: { files: {}, articles: [{ title: "War Surgery", has: [DOSE] }], lacks: ["We thank"] }, // the archive is made by the test
  idsa: {
    files: {
      "/practice-guideline/alphabetical-guidelines/": html("A-Z", `<div class="body">${list({ "/practice-guideline/amb/": "Ambiguosis", "/practice-guideline/new/": "New", "/practice-guideline/x.pdf": "PDF" })}</div>`),
      "/practice-guideline/amb/": html("x", `<article><h1>Ambiguosis</h1><p>Published July 2020</p><h2>Executive Summary</h2><p>${DOSE}</p><p>Treat for 7 days.</p><p>Stop if afebrile.</p><p>Review at 48 hours.</p><p>Ask about travel.</p><h2>Notes</h2><p>Thanks</p></article>`),
      "/practice-guideline/new/": html("x", `<article><h1>New</h1><p>This new guideline is currently in development.</p></article>`),
    },
    articles: [{ title: "Ambiguosis", has: [DOSE, "Treat for 7 days."] }],
    lacks: ["Thanks", "Published July"],
  },
  magic: {
    files: {
      "/guidelines": html("G", list({ "/guideline/abc": "Stroke" })),
      "/guideline/abc": html("x", `<main><h1>Stroke</h1><h2>Abstract</h2><p>${DOSE}</p><p><b>Early treatment</b></p><p>Start within 4.5 hours.</p><h2>Disclosure</h2><p>Nobody was paid.</p></main>`),
    },
    articles: [{ title: "Stroke", has: [DOSE, "# Early treatment", "4.5 hours"] }],
    lacks: ["Nobody was paid"],
  },
  mayo: {
    files: {
      "/diseases-conditions/index?letter=A": html("A", `<div class="cmp-result-name"><a href="/diseases-conditions/acne/symptoms-causes/syc-1">Acne</a></div>`),
      "/diseases-conditions/index?letter=B": html("B", `<div class="cmp-result-name"></div>`),
      "/diseases-conditions/acne/symptoms-causes/syc-1": html("x", `<h1>Acne</h1><div id="access-nav"><a href="/diseases-conditions/acne/diagnosis-treatment/drc-1">Diagnosis &amp; treatment</a><a href="/diseases-conditions/acne/doctors/ddc-1">Doctors</a></div><div class="content"><h2>Symptoms</h2><p>Spots on the face.</p></div>`),
      "/diseases-conditions/acne/diagnosis-treatment/drc-1": html("x", `<h1>Acne</h1><div class="content"><h2>Treatment</h2><p>${DOSE}</p></div>`),
    },
    articles: [{ title: "Acne", has: ["Spots on the face.", "# Diagnosis & treatment", DOSE] }],
    lacks: ["Doctors"],
  },
  nice: {
    files: {
      "/guidance/published?ps=2500&ndt=Guidance": html("P", `<table><tr><td><a href="/guidance/ng1">Reflux</a></td></tr></table>`),
      "/guidance/ng1": html("x", `<h1>Reflux</h1><div class="lead"><p>This guideline covers reflux.</p></div><ul class="stacked-nav"><li><a href="/guidance/ng1/chapter/Recommendations">Recommendations</a></li><li><a href="/guidance/ng1/chapter/Update-information">Update information</a></li></ul>`),
      "/guidance/ng1/chapter/Recommendations": html("x", `<div class="chapter"><h3>Drugs</h3><p>${DOSE}</p></div>`),
      "/guidance/ng1/chapter/Update-information": html("x", `<div class="chapter"><p>Changed in 2019</p></div>`),
    },
    articles: [{ title: "Reflux", has: ["covers reflux", "# Recommendations", DOSE] }],
    lacks: ["Changed in 2019"],
  },
  rch: {
    files: {
      "/clinicalguide/about_rch_cpgs/welcome_to_the_clinical_practice_guidelines/": html("W", `<div id="tab-all">${list({ "/clinicalguide/guideline_index/Croup/": "Croup (see also stridor)" })}</div>`),
      "/clinicalguide/guideline_index/Croup/": html("x", `<h1>Croup (see also stridor)</h1><div class="widget-body"><p>Search</p><h3>Key points</h3><ol><li>${DOSE}<ul><li>oral route first</li></ul></li></ol><table><tr><td>Mild</td><td>0.15 mg/kg</td></tr></table><p>Last updated May 2020</p></div>`),
    },
    articles: [{ title: "Croup", has: [DOSE, "  - oral route first", "Mild | 0.15 mg/kg"] }],
    lacks: ["Last updated", "Search"],
  },
  spor: {
    files: {
      "/wp-content/uploads/SPOR-guidelines.pdf": makePdf([[{ x: 72, y: 700, size: 11, text: "Guidelines" }]], ["{origin}/files/hip.pdf", "{origin}/page.html"]),
      "/files/hip.pdf": pdf("Hip Fracture", DOSE),
    },
    articles: [{ title: "Hip Fracture", has: [DOSE] }],
    lacks: ["We thank"],
  },
  who: {
    files: {
      "/publications/i?publishingoffices=c09761c0-ab8e-4cfa-9744-99509c4d306b": html("P", `<a class="download-url" href="/files/malaria.pdf">Download</a><a class="next" href="/publications/i?page=2">Next</a>`),
      "/publications/i?page=2": html("P", `<a class="download-url" href="/files/tb.pdf">Download</a><a class="next" href="/publications/i?page=2">Next</a>`),
      "/files/malaria.pdf": pdf("Malaria", DOSE),
      "/files/tb.pdf": pdf("Tuberculosis", "Treat for six months."),
    },
    articles: [
      { title: "Malaria", has: [DOSE] },
      { title: "Tuberculosis", has: ["six months"] },
    ],
    lacks: ["We thank"],
  },
  wikidoc: {
    files: {
      "/index.php/Special:AllPages": html("All", `<div class="mw-allpages-nav"><a href="/index.php/Special:AllPages?from=B">Next page (B)</a></div><div class="mw-allpages-body">${list({ "/index.php/Anemia": "Anemia", "/index.php/Anaemia": "Anaemia" })}</div>`),
      "/index.php/Special:AllPages?from=B": html("All", `<div class="mw-allpages-body">${list({ "/index.php/Botulism": "Botulism" })}</div>`),
      "/index.php/Anemia": html("x", `<h1>Anemia</h1><div class="mw-parser-output"><p>Editor-In-Chief: A. Nobody</p><div id="toc">Contents</div><p>Anemia is a lack of red cells.</p><h2>Treatment</h2><p>${DOSE}</p><p>Look for other causes of bleeding.</p><h2>References</h2><p>Doe 2001</p></div>`),
      "/index.php/Anaemia": html("x", `<h1>Anaemia</h1><div class="mw-parser-output"><p>Redirect to: Anemia</p></div>`),
      "/index.php/Botulism": html("x", `<h1>Botulism</h1><div class="mw-parser-output"><p>Botulism weakens the muscles of face and throat.</p><p>Give the antitoxin early.</p><p>Watch the breathing closely.</p></div>`),
    },
    articles: [
      { title: "Anemia", has: [DOSE, "# Treatment"] },
      { title: "Botulism", has: ["antitoxin"] },
    ],
    lacks: ["Editor-In-Chief", "Doe 2001", "Contents"],
  },
}; // biome-ignore format: pages

/**
 * A static site of guidelines, to be crawled over HTTP or read as files: home, topic lists cut into pages, articles with
 * navigation, cookie banner, summary table and references; print copies that repeat articles; drafts that robots.txt forbids.
 */
import type { Guideline, GuidelineSection } from "../guidelines.ts";
import { slugOf } from "../world.ts";
import { NOTICE, escapeXml as x } from "./xml.ts";

const SITE = "Northfold Guideline Collaborative";
const LINKS_PER_PAGE = 10;
const PRINT_COPIES = 10;
const DRAFTS = 2;

function page(path: string, title: string, main: string, head = ""): string {
  const up = "../".repeat(path.split("/").length - 1);
  return `<!DOCTYPE html>
<html lang="en">
<!-- ${NOTICE} -->
<head><meta charset="utf-8"><title>${x(title)} | ${SITE}</title><meta name="viewport" content="width=device-width">${head}
<style>body{font-family:serif}</style><script>window.analytics = { page: "${path}" };</script></head>
<body>
<div class="cookie-banner" role="dialog">We use cookies to improve your experience. By continuing you accept our cookie policy. <button>Accept all</button></div>
<header><a href="${up}index.html">${SITE}</a>
<nav><ul><li><a href="${up}index.html">Home</a></li><li><a href="${up}about.html">About us</a></li><li><a href="${up}search.html">Search</a></li><li><a href="${up}drafts/index.html">Drafts</a></li></ul></nav></header>
<main>
${main}
</main>
<footer><p>Share this page: Email | Print</p><p>&copy; ${SITE}. Text under <a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>. ${NOTICE}</p></footer>
</body>
</html>
`;
}

function body({ layout, sentences }: GuidelineSection): string {
  switch (layout) {
    case "paragraph":
      return `<p>${x(sentences.join(" "))}</p>`;
    case "list":
      return `<ul>\n${sentences.map((text) => `<li>${x(text)}</li>`).join("\n")}\n</ul>`;
    case "questions":
      return sentences.map((text) => `<p>${x(text).replaceAll("\n", "<br>\n")}</p>`).join("\n");
  }
}

function article(guideline: Guideline): string {
  const sections = guideline.sections.map((section) => `<h2>${section.title}</h2>\n${body(section)}`);
  const table = guideline.table
    ? `<h2>Summary</h2>\n<table><caption>${x(guideline.table.caption)}</caption><tbody>\n${guideline.table.rows.map(([k, v]) => `<tr><th scope="row">${k}</th><td>${x(v)}</td></tr>`).join("\n")}\n</tbody></table>`
    : "";
  return `<article>
<h1>${x(guideline.title)}</h1>
<p class="meta">Published: <time datetime="${guideline.published}">${guideline.published}</time></p>
${sections.join("\n")}
${table}
<h2>References</h2>
<ul class="references">${guideline.references.map((r) => `<li>${x(r)}</li>`).join("")}</ul>
</article>`;
}

export interface SiteCounts {
  articles: number;
  printCopies: number;
  forbidden: number;
  listPages: number;
}

/** Files `guidelines-site/**`. */
export function renderGuidelineSite(guidelines: readonly Guideline[]): {
  files: Map<string, string>;
  counts: SiteCounts;
} {
  const files = new Map<string, string>();
  const put = (path: string, title: string, main: string, head?: string) =>
    files.set(`guidelines-site/${path}`, page(path, title, main, head));
  const link = (from: string, to: string, text: string) =>
    `<li><a href="${"../".repeat(from.split("/").length - 1)}${to}">${x(text)}</a></li>`;

  for (const guideline of guidelines) put(`${guideline.path}.html`, guideline.title, article(guideline));
  for (const guideline of guidelines.slice(0, PRINT_COPIES)) {
    const canonical = `<link rel="canonical" href="../${guideline.path}.html">`;
    put(`print/${slugOf(guideline.path)}.html`, guideline.title, article(guideline), canonical);
  }
  const drafts = guidelines.slice(-DRAFTS).map((guideline) => `drafts/${slugOf(guideline.path)}.html`);
  for (const path of drafts) {
    put(
      path,
      "Draft for consultation",
      "<h1>Draft for consultation</h1><p>This draft must not be quoted or indexed. It will be replaced.</p>",
    );
  }
  put(
    "drafts/index.html",
    "Drafts",
    `<h1>Drafts</h1><ul>${drafts.map((path) => link("drafts/index.html", path, "Draft for consultation")).join("")}</ul>`,
  );

  let listPages = 0;
  const groups = [...new Set(guidelines.map((g) => g.group))];
  for (const group of groups) {
    const members = guidelines.filter((g) => g.group === group);
    const pages = Math.ceil(members.length / LINKS_PER_PAGE);
    for (let p = 1; p <= pages; p++) {
      const path = `topics/${slugOf(group)}/${p === 1 ? "index" : `page-${p}`}.html`;
      const links = members
        .slice((p - 1) * LINKS_PER_PAGE, p * LINKS_PER_PAGE)
        .map((g) => link(path, `${g.path}.html`, g.title));
      const next = p < pages ? `<a rel="next" href="page-${p + 1}.html">Next page</a>` : "";
      const previous =
        p > 1 ? `<a rel="prev" href="${p === 2 ? "index" : `page-${p - 1}`}.html">Previous page</a>` : "";
      put(
        path,
        `Guidelines in ${group}`,
        `<h1>Guidelines in ${group}</h1>\n<ul class="listing">\n${links.join("\n")}\n</ul>\n<p class="pagination">${previous} Page ${p} of ${pages} ${next}</p>`,
      );
      listPages++;
    }
  }
  const printLinks = guidelines
    .slice(0, PRINT_COPIES)
    .map((g) => link("index.html", `print/${slugOf(g.path)}.html`, `Print: ${g.title}`));
  put(
    "index.html",
    "Home",
    `<h1>Guidelines by topic</h1>\n<ul>\n${groups.map((g) => link("index.html", `topics/${slugOf(g)}/index.html`, g)).join("\n")}\n</ul>\n<h2>Print versions</h2>\n<ul>${printLinks.join("")}</ul>`,
  );
  put("about.html", "About us", `<h1>About us</h1><p>${SITE} is an invented publisher. ${NOTICE}</p>`);
  put("search.html", "Search", `<h1>Search</h1><form action="search.html"><input name="q"></form>`);
  files.set("guidelines-site/robots.txt", `# ${NOTICE}\nUser-agent: *\nDisallow: /drafts/\nDisallow: /search.html\n`);
  return {
    files,
    counts: {
      articles: guidelines.length,
      printCopies: Math.min(PRINT_COPIES, guidelines.length),
      forbidden: drafts.length + 2,
      listPages,
    },
  };
}

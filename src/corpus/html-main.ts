/**
 * The main content of a page whose structure we do not know: what its author marked (`main`, `article`), else the smallest
 * element that holds most of the page's running text. Menus and widgets inside go by their link density, never by length:
 * a short line in a guideline may be a dose.
 */
import { type Element, isTag, isText, type ParentNode } from "domhandler";
import { getAttributeValue as attribute, findAll, findOne } from "domutils";
import { parseHtml, plainText, renderText } from "./html.ts";

export interface HtmlPage {
  title: string;
  text: string;
  url?: string | undefined;
  license?: string | undefined;
  published?: string | undefined;
  language?: string | undefined;
}

const CHROME = new Set(["nav", "footer", "aside", "header", "form"]);
const CHROME_ROLE = new Set(["navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar"]);
const CHROME_NAME =
  /(^|[\s_-])(nav|navbar|navigation|menu|breadcrumbs?|sidebar|share|sharing|social|cookies?|cookie-\w+|banner|advert\w*|ads?|pagination|pager|skip-?links?|toolbar|newsletter|subscribe)([\s_-]|$)/i;
/** Share of the text that the smallest element must hold to be taken for the content. */
const CONTENT_FRACTION = 0.7;
/** Share of a block's characters within links from which it is a menu. */
const MENU_LINK_FRACTION = 0.66;
const MENU_MIN_LINKS = 3;

/** Title, text and facts of a page. `text` starts with the title. */
export function readPage(html: string): HtmlPage {
  const page = parseHtml(html);
  const metas = new Map<string, string>();
  const links = new Map<string, string>();
  let language: string | undefined;
  for (const element of findAll((e) => e.name === "meta" || e.name === "link" || e.name === "html", page.children)) {
    if (element.name === "html") language = attribute(element, "lang")?.slice(0, 2).toLowerCase() || undefined;
    const key = (attribute(element, "name") ?? attribute(element, "property") ?? "").toLowerCase();
    const content = attribute(element, element.name === "meta" ? "content" : "href")?.trim();
    if (element.name === "meta" && key && content && !metas.has(key)) metas.set(key, content);
    const rel = attribute(element, "rel")?.toLowerCase();
    if (element.name === "link" && rel && content && !links.has(rel)) links.set(rel, content);
  }
  const licenseAnchor = findOne(
    (e) => e.name === "a" && (attribute(e, "rel") ?? "").split(/\s+/).includes("license"),
    page.children,
  );
  const root = mainContent(page);
  const title = pageTitle(page, metas);
  const body = renderText(root ? [root] : page.children, { skip: (element) => element !== root && isChrome(element) });
  const date = [
    "article:published_time",
    "citation_publication_date",
    "dcterms.issued",
    "dcterms.modified",
    "dc.date",
    "date",
  ]
    .map((key) => metas.get(key))
    .find((value) => value !== undefined);
  return {
    title,
    text: withTitle(title, body),
    url: links.get("canonical"),
    license:
      links.get("license") ??
      metas.get("license") ??
      metas.get("dcterms.license") ??
      metas.get("dcterms.rights") ??
      (licenseAnchor ? attribute(licenseAnchor, "href") : undefined),
    published: date && /^(\d{4}([-/]\d{2}){0,2})/.exec(date)?.[0].replaceAll("/", "-"),
    language,
  };
}

/** The title, a blank line, the body; the title once if the body opens with it (as a heading or not). */
export function withTitle(title: string, body: string): string {
  if (title === "" || body === "") return body;
  const opening = /^(?:#+ )?(.*)/.exec(body)?.[1]?.trim() ?? "";
  return opening.toLowerCase() === title.toLowerCase() ? body.replace(/^#+ /, "") : `${title}\n\n${body}`;
}

function pageTitle(page: ParentNode, metas: ReadonlyMap<string, string>): string {
  const clean = (text: string) => text.replace(/\s+/g, " ").trim();
  const headings = findAll((e) => e.name === "h1", page.children)
    .map((e) => clean(plainText(e)))
    .filter((t) => t !== "");
  const title = findOne((e) => e.name === "title", page.children);
  const stated = title ? clean(title.children.map((c) => (isText(c) ? c.data : "")).join("")) : "";
  if (headings.length === 1) return headings[0]!;
  const named = metas.get("og:title") ?? metas.get("citation_title") ?? metas.get("dc.title");
  if (named) return clean(named);
  // "Asthma in adults | Society of X": the part before the last bar is the page's own.
  return headings[0] ?? stated.replace(/\s+[|–—]\s+[^|–—]*$/, "");
}

/** The element that holds the content, or undefined for a page without body (a fragment: all of it is content). */
export function mainContent(page: ParentNode): Element | undefined {
  const body = findOne((e) => e.name === "body", page.children) ?? undefined;
  const scope = body ? [body] : page.children;
  const measures = measure(scope);
  const total = scope.reduce((sum, node) => sum + (isTag(node) ? (measures.get(node)?.text ?? 0) : 0), 0);
  const marked = findAll(
    (e) => e.name === "main" || attribute(e, "role") === "main" || attribute(e, "itemprop") === "articleBody",
    scope,
  );
  const articles = findAll((e) => e.name === "article", scope);
  for (const group of [marked, articles])
    if (group.length === 1 && (measures.get(group[0]!)?.text ?? 0) >= 0.3 * total && total > 0) return group[0];
  if (!body || total === 0) return body;
  let chosen = body;
  for (;;) {
    const child = chosen.children.find((c) => isTag(c) && (measures.get(c)?.text ?? 0) >= CONTENT_FRACTION * total) as
      | Element
      | undefined;
    if (!child || !/^(div|section|article|main|td|tr|tbody|table|center|form|body)$/.test(child.name)) return chosen;
    chosen = child;
  }
}

/** Running text (outside links and chrome) below each element. */
function measure(nodes: readonly (Element | ParentNode["children"][number])[]): Map<Element, { text: number }> {
  const measures = new Map<Element, { text: number }>();
  const order: Element[] = [];
  const stack = nodes.filter(isTag);
  for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
    order.push(element);
    measures.set(element, { text: 0 });
    if (isChrome(element) || element.name === "a") continue;
    for (const child of element.children) {
      if (isText(child)) measures.get(element)!.text += child.data.trim().length;
      else if (isTag(child)) stack.push(child);
    }
  }
  // Parents come before their children in `order`: backwards, each child is complete when it is added to its parent.
  for (let i = order.length - 1; i >= 0; i--) {
    const parent = order[i]!.parent;
    if (parent && isTag(parent) && !isChrome(order[i]!)) {
      const sum = measures.get(parent);
      if (sum) sum.text += measures.get(order[i]!)!.text;
    }
  }
  return measures;
}

/** Page furniture: navigation, banners, share buttons, cookie notes, menus of links. */
export function isChrome(element: Element): boolean {
  const { name } = element;
  if (name === "header") return !findOne((e) => e.name === "h1", element.children);
  if (CHROME.has(name) && !(name === "form" && findOne((e) => e.name === "p", element.children))) return true;
  if (CHROME_ROLE.has(attribute(element, "role") ?? "") || attribute(element, "aria-hidden") === "true") return true;
  if (/display:\s*none/i.test(attribute(element, "style") ?? "")) return true;
  if (name === "body" || name === "main" || name === "article") return false;
  const named = CHROME_NAME.test(attribute(element, "class") ?? "") || CHROME_NAME.test(attribute(element, "id") ?? "");
  // A name is a hint: "has-sidebar" may be the whole page, and "summary-nav" a guideline's summary.
  if (named && isSlight(element)) return true;
  return (name === "ul" || name === "ol") && isMenu(element);
}

const SLIGHT_CHARACTERS = 400;

/** Little running text outside of links, and no heading of the page. */
function isSlight(element: Element): boolean {
  if (findOne((e) => e.name === "h1", element.children)) return false;
  const inLinks = findAll((e) => e.name === "a", element.children).reduce(
    (sum, a) => sum + plainText(a).trim().length,
    0,
  );
  return plainText(element).replace(/\s+/g, " ").trim().length - inLinks < SLIGHT_CHARACTERS;
}

function isMenu(element: Element): boolean {
  const anchors = findAll((e) => e.name === "a", element.children);
  if (anchors.length < MENU_MIN_LINKS) return false;
  const inLinks = anchors.reduce((sum, anchor) => sum + plainText(anchor).trim().length, 0);
  const all = plainText(element).replace(/\s+/g, " ").trim().length;
  // Linked references or definitions are sentences; menu entries are a few words.
  return inLinks >= MENU_LINK_FRACTION * all && inLinks / anchors.length < 60;
}

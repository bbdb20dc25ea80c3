/**
 * The article tree of a JATS file: title, abstracts, body, back matter, floats wherever they stand, sub-articles. Every element
 * is either read or dropped with a reason, so that the characters of the file add up (formatting/ledger.ts).
 *
 * @see https://jats.nlm.nih.gov/archiving/ (NISO Z39.96), and the older NLM DTDs 2.x and 3.0 that PMC still serves
 */
import type { Article, ArticlePart, Block, Float, Inline, ListItem, Reference } from "../formatting/article.ts";
import { InlineBuilder } from "../formatting/inline-builder.ts";
import { Ledger } from "../formatting/ledger.ts";
import { type ListStyle, listMark } from "../formatting/list-mark.ts";
import { squeezeSpaces } from "../formatting/space.ts";
import { addInline, addInlineElement, formulaText, inlineContent, type JatsContext } from "./jats-inline.ts";
import { tableRows } from "./jats-table.ts";
import { attribute, child, childrenNamed, descendant, textOf, type XmlElement, type XmlExcerpt } from "./xml.ts";

export interface JatsArticle {
  article: Article;
  ledger: Ledger;
  /** All characters of the file's article, whatever becomes of them. */
  charactersIn: number;
  /** Characters in the body proper: none means that only an abstract is there. */
  bodyCharacters: number;
}

export interface JatsArticleOptions {
  /** Decision letters, author responses and the like: "keep" (default) or "drop". Translations are always dropped. */
  subArticles?: "keep" | "drop" | undefined;
}

export function jatsArticle(element: XmlElement, options: JatsArticleOptions = {}): JatsArticle {
  const ledger = new Ledger();
  const survey = surveyArticle(element);
  const context: JatsContext = { ledger, references: survey.references, floats: survey.floats, footnotes: [] };
  const reader = new JatsReader(context);
  const charactersIn = element.characters;
  const main: ArticlePart = { blocks: [], floats: [] };
  const parts = [main];
  let title: Inline[] = [];
  let bodyCharacters = 0;
  const later: XmlElement[] = [];
  for (const node of element.children) {
    if (typeof node === "string") {
      ledger.drop("stray-text", node);
      continue;
    }
    switch (node.name) {
      case "front":
        title = reader.front(node, main);
        break;
      case "body":
        bodyCharacters += node.characters;
        reader.blocks(node, main.blocks, main);
        break;
      case "back":
      case "floats-group":
      case "floats-wrap":
        reader.blocks(node, main.blocks, main);
        break;
      case "sub-article":
      case "response":
        later.push(node);
        break;
      default:
        ledger.drop(node.name, node.characters);
    }
  }
  main.blocks.push(...reader.endMatter);
  for (const node of later) {
    const type = attribute(node, "article-type") ?? attribute(node, "response-type") ?? node.name;
    if (options.subArticles === "drop" || type === "translation") ledger.drop(`${node.name}.${type}`, node.characters);
    else parts.push(reader.subArticle(node, type));
  }
  return { article: { title, parts, references: survey.references }, ledger, charactersIn, bodyCharacters };
}

// ── what can be referred to ──────────────────────────────────────────────────────────────────────────────────────────

interface Survey {
  references: Map<string, Reference>;
  floats: Map<string, string>;
}

const FLOATS = new Set(["fig", "table-wrap", "fig-group", "table-wrap-group"]);

function surveyArticle(article: XmlElement): Survey {
  const survey: Survey = { references: new Map(), floats: new Map() };
  const visit = (element: XmlElement, group: string[]) => {
    for (const node of element.children) {
      if (typeof node === "string") continue;
      const { children } = node;
      // Half of all elements hold one piece of text.
      if (children.length === 1 && typeof children[0] === "string" && !node.attributes.includes("id")) continue;
      if (node.name === "ref") addReferenceEntry(node, survey);
      else if (FLOATS.has(node.name)) {
        const id = attribute(node, "id") ?? "";
        const isGroup = node.name.endsWith("-group");
        if (isGroup) visit(node, id === "" ? group : [...group, id]);
        else {
          if (id !== "") for (const name of [id, ...group]) if (!survey.floats.has(name)) survey.floats.set(name, id);
          visit(node, []);
        }
      } else visit(node, group);
    }
  };
  visit(article, []);
  return survey;
}

const CITATIONS = ["element-citation", "mixed-citation", "citation", "nlm-citation"];
const TITLES = ["article-title", "chapter-title", "data-title", "part-title"];

/** All that `surveyArticle` reads of a bibliography; the rest of it is counted as dropped. */
export const BIBLIOGRAPHY: XmlExcerpt = {
  path: ["back", "ref-list"],
  kept: new Map<string, "element" | "text">([
    ...["ref", "person-group", "volume", ...CITATIONS, ...FLOATS].map((name) => [name, "element"] as const),
    ...["label", "source", "trans-title", "surname", "collab", "string-name", "institution", ...TITLES].map(
      (name) => [name, "text"] as const,
    ),
  ]),
};

function addReferenceEntry(ref: XmlElement, survey: Survey): void {
  const alternatives = child(ref, "citation-alternatives");
  const citations = [...ref.children, ...(alternatives?.children ?? [])].filter(
    (node): node is XmlElement => typeof node !== "string" && CITATIONS.includes(node.name),
  );
  // Several works under one number: the first with a title stands for them.
  const entries = citations.map(referenceEntry);
  const entry = entries.find(({ title, author }) => title !== "" && author !== "") ??
    entries[0] ?? { title: "", author: "" };
  const label = textOf(child(ref, "label") ?? child(citations[0], "label")).replace(/\D+/g, "");
  citations.forEach((citation, i) => {
    const id = attribute(citation, "id");
    if (id) {
      const { title, author } = entries[i]!;
      survey.references.set(id, { title, author, label: "" });
    }
  });
  const id = attribute(ref, "id");
  if (id) survey.references.set(id, { title: entry.title, author: entry.author, label });
}

function referenceEntry(citation: XmlElement): { title: string; author: string } {
  const type = attribute(citation, "publication-type") ?? attribute(citation, "citation-type") ?? "";
  let title = "";
  for (const name of TITLES) title ||= plain(descendant(citation, name));
  // Books and reports carry their title as the source; for a journal article that would be the journal.
  if (type !== "journal" || !child(citation, "volume")) title ||= plain(child(citation, "source"));
  title ||= plain(child(citation, "trans-title"));
  const people = childrenNamed(citation, "person-group");
  const authors = people.find((group) => attribute(group, "person-group-type") === "author") ?? people[0] ?? citation;
  const author =
    plain(descendant(authors, "surname")) ||
    plain(descendant(authors, "collab")) ||
    plain(descendant(authors, "string-name")) ||
    plain(descendant(citation, "surname")) ||
    plain(descendant(citation, "collab")) ||
    plain(descendant(citation, "institution"));
  return { title, author };
}

const plain = (element: XmlElement | undefined): string => squeezeSpaces(textOf(element)).trim();

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Footnotes of authors that say something about the study rather than about the person. */
const TELLING_NOTES = /conflict|coi|interest|financial|supported|disclosure|ethic|consent|data/i;
/** Abstracts that repeat the real one for a table of contents or a picture. */
const LESSER_ABSTRACTS = /^(toc|teaser|graphical|short|web-summary|precis|video|object)/i;

class JatsReader {
  readonly #context: JatsContext;
  readonly #ledger: Ledger;
  /** Sections from the front matter that belong behind the text: funding, interests. */
  readonly endMatter: Block[] = [];

  constructor(context: JatsContext) {
    this.#context = context;
    this.#ledger = context.ledger;
  }

  #drop(reason: string, element: XmlElement): void {
    this.#ledger.drop(reason, element.characters);
  }

  /** Heading that is ours, not the article's. */
  #ownHeading(text: string): Inline[] {
    this.#ledger.insert(text);
    return [text];
  }

  front(front: XmlElement, part: ArticlePart): Inline[] {
    let title: Inline[] = [];
    for (const node of front.children) {
      if (typeof node === "string") this.#ledger.drop("front.text", node);
      else if (node.name === "article-meta") title = this.#articleMeta(node, part);
      else if (node.name === "notes") this.blocks(node, this.endMatter, part);
      else this.#drop(`front.${node.name}`, node);
    }
    return title;
  }

  #articleMeta(meta: XmlElement, part: ArticlePart): Inline[] {
    let title: Inline[] = [];
    for (const node of meta.children) {
      if (typeof node === "string") this.#ledger.drop("front.text", node);
      else if (node.name === "title-group") title = this.#title(node);
      else if (node.name === "abstract") this.#abstract(node, part);
      else if (node.name === "funding-group") this.#funding(node, part);
      else if (node.name === "author-notes") this.#authorNotes(node, part);
      else this.#drop(`front.${node.name}`, node);
    }
    return title;
  }

  #title(group: XmlElement): Inline[] {
    const builder = new InlineBuilder();
    for (const node of group.children) {
      if (typeof node === "string") this.#ledger.drop("front.text", node);
      else if (node.name === "article-title") this.#titleText(node, builder);
      else if (node.name === "subtitle" && textOf(node).trim() !== "") {
        const ended = /[:.?!]\s*$/.test(builder.text);
        if (!ended) this.#ledger.insert(1);
        builder.endWith(ended ? " " : ": ");
        this.#titleText(node, builder);
      } else this.#drop(`front.${node.name}`, node);
    }
    return builder.finish();
  }

  /** Without the marks that tie it to author notes. */
  #titleText(element: XmlElement, builder: InlineBuilder): void {
    for (const node of element.children) {
      if (typeof node === "string") builder.add(node);
      else if (node.name === "xref" || node.name === "fn") this.#drop("front.title-note", node);
      else addInlineElement(node, builder, this.#context);
    }
  }

  #abstract(abstract: XmlElement, part: ArticlePart): void {
    const type = attribute(abstract, "abstract-type") ?? "";
    if (LESSER_ABSTRACTS.test(type)) {
      this.#drop(`abstract.${type}`, abstract);
      return;
    }
    const title = child(abstract, "title");
    const heading =
      title && textOf(title).trim() !== "" ? inlineContent(title, this.#context) : this.#ownHeading("Abstract");
    const section: Block = { type: "section", heading, blocks: [] };
    this.#children(abstract, section.blocks, part, title);
    if (section.blocks.length > 0) part.blocks.push(section);
    else for (const item of heading) this.#ledger.drop("empty-abstract", typeof item === "string" ? item : item.text);
  }

  #funding(group: XmlElement, part: ArticlePart): void {
    const section: Block = { type: "section", heading: [], blocks: [] };
    for (const node of group.children) {
      if (typeof node === "string") this.#ledger.drop("front.text", node);
      else if (node.name === "funding-statement") this.#paragraph(node, section.blocks, part);
      else this.#drop(`front.${node.name}`, node);
    }
    if (section.blocks.length === 0) return;
    section.heading = this.#ownHeading("Funding");
    this.endMatter.push(section);
  }

  #authorNotes(notes: XmlElement, part: ArticlePart): void {
    const section: Block = { type: "section", heading: [], blocks: [] };
    for (const node of notes.children) {
      if (typeof node === "string") this.#ledger.drop("front.author-notes", node);
      else if (node.name === "fn" && TELLING_NOTES.test(`${attribute(node, "fn-type") ?? ""}`))
        this.#footnote(node, section.blocks, part);
      else this.#drop("front.author-notes", node);
    }
    if (section.blocks.length === 0) return;
    section.heading = this.#ownHeading("Notes");
    this.endMatter.push(section);
  }

  subArticle(element: XmlElement, type: string): ArticlePart {
    const part: ArticlePart = { blocks: [], floats: [] };
    const section: Block = { type: "section", heading: [], blocks: [] };
    for (const node of element.children) {
      if (typeof node === "string") this.#ledger.drop("stray-text", node);
      else if (node.name === "front-stub" || node.name === "front") {
        const inner = node.name === "front" ? (child(node, "article-meta") ?? node) : node;
        if (inner !== node)
          for (const other of node.children)
            if (typeof other !== "string" && other !== inner) this.#drop("sub-article.front", other);
        for (const fact of inner.children) {
          if (typeof fact === "string") this.#ledger.drop("front.text", fact);
          else if (fact.name === "title-group") section.heading = this.#title(fact);
          else if (fact.name === "abstract") this.blocks(fact, section.blocks, part);
          else this.#drop("sub-article.front", fact);
        }
      } else if (node.name === "body" || node.name === "back" || node.name === "floats-group")
        this.blocks(node, section.blocks, part);
      else if (node.name === "sub-article" || node.name === "response") {
        const inner = this.subArticle(node, attribute(node, "article-type") ?? node.name);
        section.blocks.push(...inner.blocks);
        part.floats.push(...inner.floats);
      } else this.#drop(`sub-article.${node.name}`, node);
    }
    if (section.heading.length === 0) {
      const words = type.replaceAll("-", " ");
      section.heading = this.#ownHeading(words.slice(0, 1).toUpperCase() + words.slice(1));
    }
    part.blocks.push(section);
    return part;
  }

  /** The block elements in `element`, in order. */
  blocks(element: XmlElement, out: Block[], part: ArticlePart): void {
    this.#children(element, out, part, undefined);
  }

  #children(element: XmlElement, out: Block[], part: ArticlePart, without: XmlElement | undefined): void {
    /** Loose text and emphasis between blocks make a paragraph of their own. */
    let loose: InlineBuilder | undefined;
    const flush = () => {
      if (loose) out.push({ type: "paragraph", content: loose.finish() });
      loose = undefined;
    };
    for (const node of element.children) {
      if (node === without) continue;
      if (typeof node === "string") {
        if (loose) loose.add(node);
        else if (node.trim() !== "") {
          loose = new InlineBuilder();
          loose.add(node);
        }
      } else if (BLOCKS.has(node.name)) {
        flush();
        this.#block(node, out, part);
      } else {
        loose ??= new InlineBuilder();
        addInlineElement(node, loose, this.#context);
      }
    }
    flush();
    this.#placeFootnotes(out, part);
  }

  #block(element: XmlElement, out: Block[], part: ArticlePart): void {
    switch (element.name) {
      case "p":
      case "verse-line":
      case "preformat":
      case "code":
      case "title":
      case "subtitle":
      case "attrib":
      case "speaker":
      case "funding-statement":
        this.#paragraph(element, out, part);
        return;
      case "sec":
      case "ack":
      case "app":
      case "boxed-text":
      case "notes":
      case "glossary":
      case "fn-group":
      case "statement":
      case "trans-abstract":
        this.#section(element, out, part);
        return;
      case "list":
        this.#list(element, out, part, 0);
        return;
      case "def-list":
        this.#definitions(element, out, part);
        return;
      case "disp-formula": {
        const text = formulaText(element, this.#context);
        if (text !== "") out.push({ type: "formula", text });
        return;
      }
      case "fig":
        part.floats.push(this.#float(element, "figure"));
        return;
      case "table-wrap":
        part.floats.push(this.#float(element, "table"));
        return;
      case "fig-group":
      case "table-wrap-group":
        this.#floatGroup(element, out, part);
        return;
      case "table":
      case "array":
        part.floats.push({
          id: "",
          kind: "table",
          label: "",
          caption: [],
          rows: tableRows(element, this.#context),
          notes: [],
        });
        return;
      case "supplementary-material":
      case "chem-struct-wrap":
      case "media":
        this.#supplement(element, out, part);
        return;
      case "fn":
        this.#footnote(element, out, part);
        return;
      case "ref-list":
        this.#drop("references", element);
        return;
      case "bio":
      case "permissions":
      case "graphic":
      case "object-id":
      case "sec-meta":
      case "alt-text":
      case "long-desc":
      case "processing-meta":
        this.#drop(element.name, element);
        return;
      case "label":
        // Numbers of sections and boxes: the marks of depth say the same.
        this.#drop("section-label", element);
        return;
      default:
        // Containers without a look of their own: app-group, disp-quote, speech, question-wrap …
        this.blocks(element, out, part);
    }
  }

  #section(element: XmlElement, out: Block[], part: ArticlePart): void {
    const caption = child(element, "caption");
    const title = child(element, "title") ?? child(caption, "title");
    let heading: Inline[] = [];
    if (title) heading = inlineContent(title, this.#context);
    else if (element.name === "ack") heading = this.#ownHeading("Acknowledgments");
    else if (element.name === "app" || element.name === "boxed-text") {
      const label = child(element, "label");
      if (label) heading = inlineContent(label, this.#context);
    } else if (element.name === "fn-group") heading = this.#ownHeading("Footnotes");
    const labelled = !title && heading.length > 0 ? child(element, "label") : undefined;
    const section: Block = { type: "section", heading, blocks: [] };
    if (caption && title && child(element, "title") === undefined) {
      this.#childrenOfSection(element, section.blocks, part, caption, (inner) =>
        this.#children(caption, inner, part, title),
      );
    } else this.#children(element, section.blocks, part, title ?? labelled);
    if (section.blocks.length > 0 || title) out.push(section);
    else for (const item of heading) if (typeof item === "string") this.#ledger.insert(-countOf(item));
  }

  #childrenOfSection(
    element: XmlElement,
    out: Block[],
    part: ArticlePart,
    caption: XmlElement,
    readCaption: (out: Block[]) => void,
  ): void {
    readCaption(out);
    this.#children(element, out, part, caption);
  }

  #paragraph(element: XmlElement, out: Block[], part: ArticlePart): void {
    let builder = new InlineBuilder();
    const flush = () => {
      const content = builder.finish();
      if (content.some((item) => typeof item !== "string" || item.trim() !== ""))
        out.push({ type: "paragraph", content });
      builder = new InlineBuilder();
    };
    for (const node of element.children) {
      if (typeof node === "string") builder.add(node);
      else if (BLOCKS_IN_TEXT.has(node.name)) {
        flush();
        this.#block(node, out, part);
      } else addInlineElement(node, builder, this.#context);
    }
    flush();
    this.#placeFootnotes(out, part);
  }

  #placeFootnotes(out: Block[], part: ArticlePart): void {
    for (let note = this.#context.footnotes.shift(); note; note = this.#context.footnotes.shift())
      this.#footnote(note, out, part);
  }

  /** A note as a paragraph behind its mark. */
  #footnote(element: XmlElement, out: Block[], part: ArticlePart): void {
    const label = child(element, "label");
    const inner: Block[] = [];
    this.#children(element, inner, part, label);
    const first = inner[0];
    if (label && first?.type === "paragraph") first.content.unshift(...inlineContent(label, this.#context), " ");
    else if (label) this.#paragraph(label, out, part);
    out.push(...inner);
  }

  #list(element: XmlElement, out: Block[], part: ArticlePart, level: number): void {
    const items: ListItem[] = [];
    const type = attribute(element, "list-type") ?? "";
    let number = Number.parseInt(attribute(element, "start") ?? "1", 10) || 1;
    for (const node of element.children) {
      if (typeof node === "string") {
        if (node.trim() !== "") items.push({ label: this.#bullet(), blocks: [{ type: "paragraph", content: [node] }] });
      } else if (node.name === "list-item") {
        const label = child(node, "label");
        const written = label ? textOf(label).replace(/\s+/g, " ").trim() : "";
        let mark: string;
        if (/[\p{L}\p{N}]/u.test(written)) mark = written;
        else {
          if (label) this.#drop("list-bullet", label);
          mark = label ? "-" : listMark(LIST_STYLES[type], number);
          this.#ledger.insert(mark);
        }
        number++;
        const item: ListItem = { label: mark, blocks: [] };
        this.#children(node, item.blocks, part, label);
        items.push(item);
      } else if (node.name === "title" || node.name === "p") this.#paragraph(node, out, part);
      else if (node.name === "label") this.#drop("section-label", node);
      else if (node.name === "list") this.#list(node, out, part, level + 1);
      else {
        const item: ListItem = { label: this.#bullet(), blocks: [] };
        if (BLOCKS.has(node.name)) this.#block(node, item.blocks, part);
        else item.blocks.push({ type: "paragraph", content: inlineContent(node, this.#context) });
        items.push(item);
      }
    }
    out.push({ type: "list", items });
  }

  #bullet(): string {
    this.#ledger.insert(1);
    return "-";
  }

  #definitions(element: XmlElement, out: Block[], part: ArticlePart): void {
    const items: ListItem[] = [];
    for (const node of element.children) {
      if (typeof node === "string") {
        if (node.trim() !== "") items.push({ label: this.#bullet(), blocks: [{ type: "paragraph", content: [node] }] });
      } else if (node.name === "def-item") {
        const builder = new InlineBuilder();
        const item: ListItem = { label: this.#bullet(), blocks: [] };
        const definitions = childrenNamed(node, "def");
        for (const inner of node.children) {
          if (typeof inner === "string") builder.add(inner);
          else if (inner.name === "label") this.#drop("section-label", inner);
          else if (inner.name !== "def") {
            if (builder.text.trim() !== "") builder.add(" ");
            addInline(inner, builder, this.#context);
          }
        }
        const defined = builder.text.trim() !== "" || builder.items.length > 0;
        definitions.forEach((definition, i) => {
          const blocks: Block[] = [];
          this.#children(definition, blocks, part, undefined);
          const first = blocks[0];
          if (i === 0 && defined && first?.type === "paragraph") {
            if (!/[:–—-]\s*$/.test(builder.text)) {
              builder.endWith(": ");
              this.#ledger.insert(1);
            }
            const term = builder.finish();
            // Two strings side by side read as one where no reference stands between them.
            const [lead, ...others] = first.content;
            const last = term.at(-1);
            if (typeof last === "string" && typeof lead === "string")
              first.content = [...term.slice(0, -1), last + lead.trimStart(), ...others];
            else first.content = [...term, ...first.content];
          }
          item.blocks.push(...blocks);
        });
        const rest = builder.finish();
        if (item.blocks.length === 0 && rest.length > 0) item.blocks.push({ type: "paragraph", content: rest });
        else if (definitions.length > 0 && rest.length > 0 && item.blocks[0]?.type !== "paragraph")
          item.blocks.unshift({ type: "paragraph", content: rest });
        items.push(item);
      } else if (node.name === "def-list") {
        if (items.length > 0) out.push({ type: "list", items: items.splice(0) });
        this.#definitions(node, out, part);
      } else if (node.name === "label") this.#drop("section-label", node);
      else this.#paragraph(node, out, part);
    }
    if (items.length > 0) out.push({ type: "list", items });
  }

  // ── figures, tables, supplements ───────────────────────────────────────────────────────────────────────────────────

  #float(element: XmlElement, kind: "figure" | "table"): Float {
    const float: Float = { id: attribute(element, "id") ?? "", kind, label: "", caption: [], rows: [], notes: [] };
    const caption = new InlineBuilder();
    this.#floatContent(element, float, caption);
    float.caption = caption.finish();
    return float;
  }

  #floatContent(element: XmlElement, float: Float, caption: InlineBuilder): void {
    for (const node of element.children) {
      if (typeof node === "string") {
        if (node.trim() !== "") float.notes.push([node]);
        continue;
      }
      switch (node.name) {
        case "label":
          if (float.label === "") float.label = textOf(node);
          else float.notes.push(inlineContent(node, this.#context));
          break;
        case "caption":
        case "title":
        case "p":
          this.#caption(node, caption);
          break;
        case "alternatives":
        case "table-wrap-foot":
        case "fn-group":
          this.#floatContent(
            node,
            float,
            caption === undefined || node.name === "alternatives" ? caption : new NoteBuilder(float),
          );
          break;
        case "table":
        case "array":
          tableRows(node, this.#context, float.rows);
          break;
        case "fn": {
          const note = new InlineBuilder();
          for (const part of node.children) {
            if (typeof part === "string") note.add(part);
            else {
              addInlineElement(part, note, this.#context);
              note.add(" ");
            }
          }
          float.notes.push(note.finish());
          break;
        }
        case "graphic":
        case "media":
        case "object-id":
        case "alt-text":
        case "long-desc":
        case "permissions":
        case "ext-link":
          this.#drop(node.name, node);
          break;
        default:
          float.notes.push(inlineContent(node, this.#context));
      }
    }
    // Notes inside captions and cells belong to the float.
    for (let note = this.#context.footnotes.shift(); note; note = this.#context.footnotes.shift())
      float.notes.push(inlineContent(note, this.#context));
  }

  /** Title and paragraphs in one line; a title without full stop gets one, or it would run into the text. */
  #caption(element: XmlElement, builder: InlineBuilder): void {
    if (builder instanceof NoteBuilder) {
      builder.addNote(inlineContent(element, this.#context));
      return;
    }
    if (element.name !== "caption") {
      this.#separate(builder);
      addInline(element, builder, this.#context);
      return;
    }
    for (const node of element.children) {
      if (typeof node === "string") builder.add(node);
      else if (node.name === "title" || node.name === "p") {
        this.#separate(builder);
        addInline(node, builder, this.#context);
      } else addInlineElement(node, builder, this.#context);
    }
  }

  #separate(builder: InlineBuilder): void {
    const text = builder.text.trimEnd();
    if (text === "") return;
    // An address at the end goes later; what stands before it has its own full stop.
    const ended = /[.:;,?!)\]–—-]$|https?:\/\/\S+$/.test(text);
    if (!ended) this.#ledger.insert(1);
    builder.endWith(ended ? " " : ". ");
  }

  /** A group's own label and caption stand over its members. */
  #floatGroup(element: XmlElement, out: Block[], part: ArticlePart): void {
    const own = new InlineBuilder();
    for (const node of element.children) {
      if (typeof node === "string") own.add(node);
      else if (node.name === "label") own.add(`${textOf(node)} `);
      else if (node.name === "caption" || node.name === "title") this.#caption(node, own);
      else this.#block(node, out, part);
    }
    const caption = own.finish();
    if (caption.some((item) => typeof item !== "string" || item.trim() !== ""))
      out.push({ type: "paragraph", content: caption });
  }

  #supplement(element: XmlElement, out: Block[], part: ArticlePart): void {
    const builder = new InlineBuilder();
    const rest: Block[] = [];
    for (const node of element.children) {
      if (typeof node === "string") builder.add(node);
      else if (node.name === "label") {
        addInline(node, builder, this.#context);
        builder.endWith(" ");
      } else if (node.name === "caption") {
        const caption = new InlineBuilder();
        this.#caption(node, caption);
        this.#separate(builder);
        builder.addAll(caption.finish());
      } else if (
        node.name === "graphic" ||
        node.name === "object-id" ||
        node.name === "alt-text" ||
        node.name === "long-desc" ||
        node.name === "permissions"
      )
        this.#drop(node.name, node);
      else if (BLOCKS.has(node.name)) this.#block(node, rest, part);
      else {
        builder.add(" ");
        addInlineElement(node, builder, this.#context);
      }
    }
    const content = builder.finish();
    if (content.some((item) => typeof item !== "string" || item.trim() !== ""))
      out.push({ type: "paragraph", content });
    out.push(...rest);
    this.#placeFootnotes(out, part);
  }
}

/** Paragraphs of a table's foot go to its notes, not to its caption. */
class NoteBuilder extends InlineBuilder {
  readonly #float: Float;
  constructor(float: Float) {
    super();
    this.#float = float;
  }
  addNote(note: Inline[]): void {
    this.#float.notes.push(note);
  }
}

const countOf = (text: string): number => text.replace(/\s/g, "").length;

const LIST_STYLES: Readonly<Record<string, ListStyle>> = {
  order: "decimal",
  ordered: "decimal",
  number: "decimal",
  "alpha-lower": "lower-alpha",
  "alpha-upper": "upper-alpha",
  "roman-lower": "lower-roman",
  "roman-upper": "upper-roman",
};

/** Elements that end a line of running text wherever they stand. */
const BLOCKS_IN_TEXT = new Set([
  "p",
  "sec",
  "list",
  "def-list",
  "disp-formula",
  "disp-formula-group",
  "chem-struct-wrap",
  "fig",
  "fig-group",
  "table-wrap",
  "table-wrap-group",
  "table",
  "array",
  "boxed-text",
  "disp-quote",
  "verse-group",
  "speech",
  "statement",
  "supplementary-material",
  "media",
  "fn-group",
  "ref-list",
  "preformat",
  "code",
  "graphic",
  "question-wrap",
]);

/** Elements that stand between paragraphs, besides. */
const BLOCKS = new Set([
  ...BLOCKS_IN_TEXT,
  "title",
  "subtitle",
  "label",
  "ack",
  "app",
  "app-group",
  "notes",
  "glossary",
  "bio",
  "fn",
  "permissions",
  "object-id",
  "attrib",
  "sec-meta",
  "alt-text",
  "long-desc",
  "speaker",
  "verse-line",
  "funding-statement",
  "trans-abstract",
  "gloss-group",
  "sig-block",
  "processing-meta",
  "front-stub",
  "caption",
  "question",
  "answer",
]);

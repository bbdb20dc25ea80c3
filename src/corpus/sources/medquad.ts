/**
 * MedQuAD (Ben Abacha & Demner-Fushman 2019): question and answer pages of NIH websites. A document a page: the question as a
 * heading, the answer below. Pages whose answers were withdrawn for copyright (A.D.A.M., MedlinePlus) have none and are dropped.
 */
import type { SourceItem } from "../document.ts";
import { document, drop, makeDocument, type SourceOptions } from "./source.ts";
import { attribute, child, descendant, descendants, textOf } from "./xml.ts";
import { readXmlFiles } from "./xml-file.ts";

const LICENSE = "CC-BY-4.0";

export function readMedQuad(options: SourceOptions): AsyncGenerator<SourceItem> {
  return readXmlFiles(options, [".xml"], (root, file, id) => {
    const named = (name: string) => descendant(root, name) ?? descendant(root, name[0]!.toLowerCase() + name.slice(1));
    const title = oneLine(textOf(named("Focus") ?? named("doctitle")));
    const parts: string[] = [];
    let unanswered = 0;
    const pairs = descendants(root, "QAPair");
    for (const pair of pairs.length > 0 ? pairs : descendants(root, "pair")) {
      const question = oneLine(textOf(child(pair, "Question") ?? child(pair, "question")));
      const answer = answerText(textOf(child(pair, "Answer") ?? child(pair, "answer")));
      if (answer === "") unanswered++;
      else parts.push(`# ${question.replace(/[\s?]+$/, "?")}\n\n${answer}`);
    }
    if (parts.length === 0)
      return drop({
        id,
        source: options.name,
        rule: "read.no-text",
        reason: unanswered > 0 ? `none of its ${unanswered} questions has an answer` : "the page has no questions",
        where: file.path,
        ...(title && { title }),
      });
    const concepts = descendants(root, "CUI").map((cui) => textOf(cui).trim());
    return document(
      makeDocument(options, "other", {
        id,
        title,
        text: [title, ...parts].filter((part) => part !== "").join("\n\n"),
        license: options.license ?? LICENSE,
        url: attribute(root, "url"),
        language: "en",
        meta: {
          provenance: { file: file.relative },
          publisher: attribute(root, "source") ?? "",
          concepts: [...new Set(concepts)],
          unanswered,
        },
      }),
    );
  });
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/** Answers are one paragraph broken by indentation, with " - " or runs of blanks where the page had a list. */
function answerText(raw: string): string {
  return raw
    .replace(/\r\n?/g, "\n")
    .split(/\n[ \t]*\n+/)
    .map((paragraph) =>
      paragraph
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "")
        .join("\n")
        .replace(/\n(?![-•*])/g, " ")
        .replace(/[ \t]+(?:-|•)[ \t]{2,}/g, "\n- ")
        .replace(/([.:;?])[ \t]+-[ \t]+(?=\p{Lu})/gu, "$1\n- ")
        .replace(/[ \t]+/g, " "),
    )
    .filter((paragraph) => paragraph !== "")
    .join("\n\n")
    .trim();
}

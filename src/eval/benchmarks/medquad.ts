/**
 * Open questions with a reference answer: MedQuAD's XML pages of the NIH, or JSON Lines of {id, question, answer}.
 *
 * MedQuAD withholds some answers (pages removed for copyright); those questions are left out, as nothing can be compared.
 *
 * @see Ben Abacha & Demner-Fushman 2019, BMC Bioinformatics 20:511
 */
import { readFile } from "node:fs/promises";
import type { AnyNode } from "domhandler";
import { getElementsByTagName, textContent } from "domutils";
import { parseDocument } from "htmlparser2";
import { z } from "zod";
import { DataError } from "../../core/index.ts";
import { type Benchmark, type Item, makeBenchmark, makeSplit, type Split } from "./benchmark.ts";
import { commonKeys, type LoadContext, listFiles, resolvePath, settingsOf, splitFiles } from "./common.ts";
import { defined, optionalText, readSplit, textField } from "./items.ts";

export const medquadSchema = z.strictObject({ type: z.literal("medquad"), ...commonKeys });

export function parseMedquadXml(xml: string, file: string): Item[] {
  const document = parseDocument(xml, { xmlMode: true });
  const named = (parent: AnyNode, ...names: string[]) =>
    getElementsByTagName((name) => names.includes(name.toLowerCase()), parent);
  const [root] = named(document, "document", "doc", "diseasefile");
  if (!root)
    throw new DataError("EVAL_BAD_RECORD", {
      message: "no <Document>, <doc> or <DiseaseFile> element",
      where: file,
      remedy: "a MedQuAD page is <Document><QAPairs><QAPair><Question/><Answer/>...",
    });
  const [focus] = named(root, "focus", "doctitle-focus");
  const items: Item[] = [];
  for (const pair of named(root, "qapair", "pair")) {
    const [question] = named(pair, "question");
    const [answer] = named(pair, "answer");
    const reference = answer ? textContent(answer).trim() : "";
    if (!question || reference === "") continue;
    items.push({
      id: question.attribs.qid ?? `${root.attribs.id ?? root.attribs.docid ?? root.attribs.fid}-${pair.attribs.pid}`,
      question: textContent(question).trim(),
      options: [],
      answer: reference.replace(/\s+/g, " "),
      ...defined({ subject: question.attribs.qtype }),
      meta: defined({ focus: focus ? textContent(focus).trim() : undefined, source: root.attribs.source }),
    });
  }
  return items;
}

export async function loadMedquad(config: z.infer<typeof medquadSchema>, context: LoadContext): Promise<Benchmark> {
  const splits: Record<string, Split> = {};
  if (config.path !== undefined) {
    const folder = resolvePath(context, config.path);
    const files = (await listFiles(folder, context)).filter((file) => file.endsWith(".xml"));
    const items: Item[] = [];
    for (const file of files) {
      const path = `${folder}/${file}`;
      // Two collections of MedQuAD number their questions alike: the folder makes the id unique.
      const prefix = file.includes("/") ? `${file.split("/")[0]}/` : "";
      for (const item of parseMedquadXml(await readFile(path, "utf8"), path))
        items.push({ ...item, id: prefix + item.id });
    }
    splits.test = makeSplit(items, [folder]);
  }
  if (config.path === undefined || config.train || config.validation || config.test)
    for (const [split, paths] of Object.entries(await splitFiles(config, context, {})))
      splits[split] = await readSplit(paths, (row) => ({
        id: optionalText(row, "id", "qid") ?? String(row.index),
        question: textField(row, "question", "Question"),
        options: [],
        answer: textField(row, "answer", "Answer"),
        ...defined({ subject: optionalText(row, "subject", "qtype") }),
        meta: {},
      }));
  return makeBenchmark(
    {
      name: context.name,
      type: "medquad",
      family: "open",
      answerForm: "open",
      metric: "overlap",
      license: "CC-BY-4.0",
      homepage: "https://github.com/abachaa/MedQuAD",
      evaluationSplit: config.evaluationSplit ?? "test",
      ...settingsOf(config),
    },
    splits,
  );
}

/**
 * Scoring outputs that somebody else published: JSON Lines of { id, outputs: [text] } against a benchmark's gold answers,
 * by our strict parser and by the reading that medical retrieval benchmarks (MIRAGE) publish their scores with.
 *
 * That reading takes the first letter pattern it knows from the text after `"answer_choice": "` and calls an output without
 * one "A": a model is paid for silence as often as A is right. An item without any output counts as wrong.
 *
 * @see Xiong et al. 2024, arXiv:2402.13178
 */
import { readJsonLines } from "../../core/index.ts";
import type { Item } from "../benchmarks/benchmark.ts";
import { wilsonInterval } from "../statistics/index.ts";
import { extractStrict } from "./extract-strict.ts";

export interface PublishedOutput {
  id: string;
  outputs: string[];
}

export async function readPublishedOutputs(path: string): Promise<Map<string, string[]>> {
  const outputs = new Map<string, string[]>();
  for await (const { value } of readJsonLines<PublishedOutput>(path)) outputs.set(value.id, value.outputs);
  return outputs;
}

/** In the order they are tried. */
const letterPatterns = [
  /^\s*([A-D])$/,
  /^\s*([A-D]) or/,
  /^\s*([A-D]) and/,
  /^\s*([A-D])\//,
  /^\s*([A-D]),/,
  /[Oo]ption ([A-D])/,
  /:\s*([A-D])/,
  /^\s*([A-D])\./,
  /^\s*([A-D])"/,
  /^\s*([A-D]):/,
];

/** The letter under the published rule; "A" where nothing is recognised. */
export function publishedRuleLetter(output: string): string {
  const statement = output.split('"answer_choice": "').at(-1)!.trim();
  for (const pattern of letterPatterns) {
    const found = pattern.exec(statement);
    if (found) return found[1]!;
  }
  return "A";
}

export interface PublishedScore {
  total: number;
  /** Items without any output: wrong under both rules. */
  empty: number;
  published: number;
  strict: number;
  /** Outputs that state no answer under the strict parser. */
  unanswered: number;
  /** Outputs the two rules read differently. */
  disagreement: number;
  strictInterval: { low: number; high: number };
}

/** Counts of right answers. Items are all scored, whether an output exists or not. */
export function scorePublishedOutputs(
  items: readonly Item[],
  outputs: ReadonlyMap<string, readonly string[]>,
  form: "letter" | "word" = "letter",
): PublishedScore {
  const score = { total: items.length, empty: 0, published: 0, strict: 0, unanswered: 0, disagreement: 0 };
  for (const item of items) {
    const [output] = outputs.get(item.id) ?? [];
    if (output === undefined) {
      score.empty++;
      continue;
    }
    const published = publishedRuleLetter(output);
    const strict = extractStrict(output, item.options, form);
    if (published === item.answer) score.published++;
    if (strict === item.answer) score.strict++;
    if (strict === undefined) score.unanswered++;
    if (strict !== published) score.disagreement++;
  }
  return { ...score, strictInterval: wilsonInterval(score.strict, score.total) };
}

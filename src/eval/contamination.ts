/**
 * Two questions about leaked benchmarks.
 *
 * `findContamination`: which items did a training corpus hold? The corpus builder's own finder, for corpora built without it.
 * `findTaught`: which finetuning items are (nearly) test questions? The paper's rule (appendix B.5): the set of all 8-grams of
 * the scored questions; a training question is left out when at least 80% of its own are in it. A question of fewer than
 * eight words has no 8-gram and is compared whole.
 */
import { Decontaminator } from "../corpus/decontaminate.ts";
import type { Item } from "./benchmarks/benchmark.ts";

export interface ContaminationOptions {
  /** Words per n-gram. */
  words?: number;
  threshold?: number;
}

export interface ContaminationHit {
  item: string;
  document: string;
  /** Share of the question's n-grams in that document. */
  overlapFraction: number;
}

/** For each item hit, the document that holds most of it. Questions of fewer than five words are too common to judge. */
export async function findContamination(
  items: readonly Item[],
  documents: AsyncIterable<{ id: string; text: string }> | Iterable<{ id: string; text: string }>,
  { words = 8, threshold = 0.8 }: ContaminationOptions = {},
): Promise<ContaminationHit[]> {
  const finder = new Decontaminator(
    items.map(({ id, question }) => ({ benchmark: "", id, text: question })),
    { collisionWords: 13, overlapWords: words, overlapFraction: threshold },
  );
  const best = new Map<string, ContaminationHit>();
  for await (const { id, text } of documents)
    for (const { item: index, overlap } of finder.find(text)) {
      const item = items[index]!.id;
      if (overlap > (best.get(item)?.overlapFraction ?? 0))
        best.set(item, { item, document: id, overlapFraction: overlap });
    }
  return [...best.values()];
}

export interface TaughtItem {
  id: string;
  /** Share of the training question's n-grams that occur in scored questions. */
  overlapFraction: number;
}

export function findTaught(
  training: readonly Item[],
  scored: readonly Item[],
  { words: n = 8, threshold = 0.8 }: ContaminationOptions = {},
): TaughtItem[] {
  if (scored.length === 0) return [];
  const known = new Set(scored.flatMap(({ question }) => [...shingles(wordsOf(question), n)]));
  return training.flatMap(({ id, question }) => {
    const own = [...new Set(shingles(wordsOf(question), n))];
    const overlapFraction = own.filter((shingle) => known.has(shingle)).length / own.length;
    return overlapFraction >= threshold ? [{ id, overlapFraction }] : [];
  });
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Runs of n words; a shorter text is one run, marked as the whole of its question. */
function* shingles(words: string[], n: number): Generator<string> {
  if (words.length < n) yield `^${words.join(" ")}$`;
  for (let i = 0; i + n <= words.length; i++) yield words.slice(i, i + n).join(" ");
}

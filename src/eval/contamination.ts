/**
 * Which benchmark items did a training corpus hold? An item is hit when at least `threshold` of its question's n-grams occur in
 * one document (the paper's own check, appendix B.5: 8-grams, 80%, on words).
 *
 * Questions are few and documents many: the questions' n-grams are indexed, documents stream past once.
 */
import type { Item } from "./benchmarks/benchmark.ts";

export interface ContaminationHit {
  item: string;
  document: string;
  /** Share of the question's n-grams in that document. */
  overlapFraction: number;
}

export interface ContaminationOptions {
  /** Words per n-gram. */
  words?: number;
  threshold?: number;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function* shingles(words: string[], n: number): Generator<string> {
  for (let i = 0; i + n <= words.length; i++) yield words.slice(i, i + n).join(" ");
}

/** A question of fewer than n words is one n-gram of its own length. @returns for each item hit, the document that holds most of it. */
export async function findContamination(
  items: Iterable<Item>,
  documents: AsyncIterable<{ id: string; text: string }> | Iterable<{ id: string; text: string }>,
  { words: n = 8, threshold = 0.8 }: ContaminationOptions = {},
): Promise<ContaminationHit[]> {
  const owners = new Map<string, Set<string>>();
  const sizes = new Map<string, number>();
  const lengths = new Set<number>();
  for (const { id, question } of items) {
    const words = wordsOf(question);
    if (words.length === 0) continue;
    const length = Math.min(n, words.length);
    lengths.add(length);
    const own = new Set(shingles(words, length));
    sizes.set(id, own.size);
    for (const shingle of own) {
      const holders = owners.get(shingle);
      if (holders) holders.add(id);
      else owners.set(shingle, new Set([id]));
    }
  }
  const best = new Map<string, ContaminationHit>();
  for await (const document of documents) {
    const words = wordsOf(document.text);
    const found = new Map<string, number>();
    const seen = new Set<string>();
    for (const length of lengths)
      for (const shingle of shingles(words, length)) {
        const holders = owners.get(shingle);
        if (!holders || seen.has(shingle)) continue;
        seen.add(shingle);
        for (const id of holders) found.set(id, (found.get(id) ?? 0) + 1);
      }
    for (const [item, count] of found) {
      const overlapFraction = count / sizes.get(item)!;
      const before = best.get(item)?.overlapFraction ?? 0;
      if (overlapFraction >= threshold && overlapFraction > before)
        best.set(item, { item, document: document.id, overlapFraction });
    }
  }
  return [...best.values()];
}

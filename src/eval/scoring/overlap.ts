/** Overlap of an answer with a reference: token F1 (SQuAD) and ROUGE-L (Lin 2004). Coarse; a reader's judgement comes first. */

const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

const harmonic = (shared: number, a: number, b: number): number => (shared === 0 ? 0 : (2 * shared) / (a + b));

/** F1 of shared words, each counted as often as it occurs in both. */
export function tokenF1(output: string, reference: string): number {
  const [a, b] = [words(output), words(reference)];
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of a) {
    const count = left.get(word) ?? 0;
    if (count > 0) {
      shared++;
      left.set(word, count - 1);
    }
  }
  return harmonic(shared, a.length, b.length);
}

/** F1 of the longest common subsequence of words. */
export function rougeL(output: string, reference: string): number {
  const [a, b] = [words(output), words(reference)];
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j++) next[j + 1] = b[j] === word ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!);
    row = next;
  }
  return harmonic(row[b.length]!, a.length, b.length);
}

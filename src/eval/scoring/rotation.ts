/** Option-order sensitivity: the same question with its options moved round. A model that knows keeps to the text. */
import type { Item } from "../benchmarks/benchmark.ts";

/** Option texts move `places` down (the last to the top); letters stay in place and the gold letter follows its text. */
export function rotateOptions(item: Item, places: number): Item {
  const n = item.options.length;
  if (n === 0 || places % n === 0) return item;
  const options = item.options.map(({ letter }, i) => ({
    letter,
    text: item.options[(i - (places % n) + n) % n]!.text,
  }));
  const gold = item.options.findIndex(({ letter }) => letter === item.answer);
  return { ...item, options, answer: options[(gold + places) % n]!.letter };
}

/** The letter's position before rotation: what makes answers under different rotations comparable. */
export function unrotateLetter(letter: string, optionCount: number, places: number): number {
  return (letter.charCodeAt(0) - 65 - (places % optionCount) + optionCount) % optionCount;
}

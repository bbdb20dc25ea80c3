/** Too common to give anything away. */
const common = new Set(
  "after before from than that their then there these this those with without which what when".split(" "),
);

/**
 * Word stems that two texts share, for finding questions that could be answered by matching words: equal words of four
 * letters or more, the same first five letters ("cardiac", "cardiology"), or one word within another ("protein"
 * in "proteinuria").
 */
export function sharedWords(a: string, b: string): string[] {
  const words = (text: string) =>
    text
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((word) => word.length > 3 && !common.has(word));
  return words(a).filter((x) =>
    words(b).some(
      (y) =>
        x === y ||
        (x.length >= 5 && y.length >= 5 && x.slice(0, 5) === y.slice(0, 5)) ||
        (x.length >= 6 && y.includes(x)) ||
        (y.length >= 6 && x.includes(y)),
    ),
  );
}

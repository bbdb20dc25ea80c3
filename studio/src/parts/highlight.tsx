/** Text with the words of a query marked. Text stays text: nothing of it is read as markup. */
export function Highlight({ text, words }: { text: string; words: string }) {
  const list = words.match(/[\p{L}\p{N}]+/gu) ?? [];
  if (list.length === 0) return text;
  const last = list.at(-1)!;
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])((?:${list.join("|")})(?![\\p{L}\\p{N}])|${last}[\\p{L}\\p{N}]*)`,
    "giu",
  );
  return text.split(pattern).map((part, i) =>
    i % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in their order
      <mark key={i}>{part}</mark>
    ) : (
      part
    ),
  );
}

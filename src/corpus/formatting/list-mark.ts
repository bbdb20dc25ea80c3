/** Marks of list items: text refers to them ("see step 3", "Answer: B"), so a numbered list keeps its numbers. */

export type ListStyle = "decimal" | "lower-alpha" | "upper-alpha" | "lower-roman" | "upper-roman";

/** `-` for a list without numbers, else `3.`, `c.`, `C.`, `iii.` or `III.` @param number - 1-based. */
export function listMark(style: ListStyle | undefined, number: number): string {
  if (style === undefined) return "-";
  if (style === "decimal" || number < 1) return `${number}.`;
  const text = style.endsWith("roman") ? roman(number) : String.fromCharCode(65 + ((number - 1) % 26));
  return `${style.startsWith("lower") ? text.toLowerCase() : text}.`;
}

const ROMAN: readonly (readonly [number, string])[] = [
  [100, "C"],
  [90, "XC"],
  [50, "L"],
  [40, "XL"],
  [10, "X"],
  [9, "IX"],
  [5, "V"],
  [4, "IV"],
  [1, "I"],
];

function roman(number: number): string {
  let rest = number;
  let text = "";
  for (const [value, sign] of ROMAN) for (; rest >= value && text.length < 20; rest -= value) text += sign;
  return text;
}

/**
 * What of a text is gone and what came in its place, word by word (Myers 1986, the greedy algorithm): for showing a source beside
 * its cleaned text.
 */
import type { DiffPart } from "./studio-types.ts";

/** Beyond so many differing words the middle is shown as replaced: nobody reads such a comparison, and it costs D² memory. */
const MOST_EDITS = 3000;

export function diffTexts(before: string, after: string): DiffPart[] {
  const a = before.match(/\s+|[^\s]+/g) ?? [];
  const b = after.match(/\s+|[^\s]+/g) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const parts: DiffPart[] = [];
  push(parts, "same", a.slice(0, start).join(""));
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  for (const { kind, text } of editScript(left, right)) push(parts, kind, text);
  push(parts, "same", a.slice(a.length - end).join(""));
  return parts;
}

function push(parts: DiffPart[], kind: DiffPart["kind"], text: string): void {
  if (text === "") return;
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += text;
  else parts.push({ kind, text });
}

function editScript(a: string[], b: string[]): DiffPart[] {
  const whole: DiffPart[] = [
    { kind: "removed", text: a.join("") },
    { kind: "added", text: b.join("") },
  ];
  if (a.length === 0 || b.length === 0) return whole;
  const most = Math.min(a.length + b.length, MOST_EDITS);
  // furthest[k + d]: how far in `a` the best path with d edits comes on diagonal k.
  const rounds: Int32Array[] = [];
  let furthest = new Int32Array(3);
  for (let d = 0; d <= most; d++) {
    const next = new Int32Array(2 * d + 3);
    for (let k = -d; k <= d; k += 2) {
      const at = (diagonal: number) => (d === 0 ? 0 : furthest[diagonal + d]!);
      let x = d === 0 ? 0 : k === -d || (k !== d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      next[k + d + 1] = x;
      if (x >= a.length && y >= b.length) return trace(a, b, [...rounds, next], d);
    }
    rounds.push(next);
    furthest = next;
  }
  return whole;
}

/** Walks back through the rounds. */
function trace(a: string[], b: string[], rounds: Int32Array[], edits: number): DiffPart[] {
  const reversed: DiffPart[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = edits; d > 0; d--) {
    const before = rounds[d - 1]!;
    const at = (diagonal: number) => before[diagonal + d]!;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const previous = down ? k + 1 : k - 1;
    const fromX = at(previous);
    const fromY = fromX - previous;
    const [startX, startY] = down ? [fromX, fromY + 1] : [fromX + 1, fromY];
    while (x > startX && y > startY) {
      reversed.push({ kind: "same", text: a[--x]! });
      y--;
    }
    if (down) reversed.push({ kind: "added", text: b[--y]! });
    else reversed.push({ kind: "removed", text: a[--x]! });
  }
  while (x > 0 && y > 0) {
    reversed.push({ kind: "same", text: a[--x]! });
    y--;
  }
  return reversed.reverse();
}

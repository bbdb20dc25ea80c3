/** Added tokens are cut out of the text before anything else happens to it, so they are never split and never merged. */
import type { AddedToken } from "./tokenizer-json.ts";

/** A stretch of text, or the id of an added token. */
export type Piece = string | number;

/** Finds added tokens, the leftmost first and the longest of those (the original's rule). Undefined when there are none. */
export function addedTokenMatcher(
  tokens: readonly AddedToken[],
  contentOf: (token: AddedToken) => string = (token) => token.content,
): ((text: string) => Piece[]) | undefined {
  const byContent = new Map<string, AddedToken>();
  for (const token of tokens) if (contentOf(token) !== "") byContent.set(contentOf(token), token);
  if (byContent.size === 0) return undefined;
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    contents.map((content) => content.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"),
    "g",
  );
  return (text) => {
    const pieces: Piece[] = [];
    let end = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const token = byContent.get(match[0])!;
      let start = match.index;
      let stop = start + match[0].length;
      if (token.single_word && (WORD_END.test(text.slice(0, start)) || WORD_START.test(text.slice(stop)))) continue;
      if (token.lstrip) start = Math.max(end, start - TRAILING_SPACE.exec(text.slice(0, start))![0].length);
      if (token.rstrip) stop += LEADING_SPACE.exec(text.slice(stop))![0].length;
      if (start > end) pieces.push(text.slice(end, start));
      pieces.push(token.id);
      end = stop;
      pattern.lastIndex = Math.max(stop, pattern.lastIndex);
    }
    if (end < text.length) pieces.push(text.slice(end));
    return pieces;
  };
}

const WORD_END = /[\p{L}\p{N}_]$/u;
const WORD_START = /^[\p{L}\p{N}_]/u;
const TRAILING_SPACE = /\p{White_Space}*$/u;
const LEADING_SPACE = /^\p{White_Space}*/u;

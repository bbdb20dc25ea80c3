/**
 * Where the characters of an article went: kept, or dropped for a reason. White space does not count (layout is free to change);
 * everything else does, in UTF-16 units. For every article
 *
 *   characters in = characters kept + Σ dropped,    characters kept = characters out − inserted
 *
 * where `inserted` is what formatting adds (special tokens, titles of cited works, heading marks, cell separators). The two sides
 * are counted independently, input text nodes against output text, so a lost or doubled passage cannot balance.
 */
import { isLayout } from "./space.ts";

export interface Accounting {
  charactersIn: number;
  kept: number;
  inserted: number;
  /** By reason: "references", "front.contrib-group", "citation-label" ... */
  dropped: Record<string, number>;
}

export class Ledger {
  readonly dropped: Record<string, number> = {};
  inserted = 0;

  drop(reason: string, what: string | number): void {
    const count = typeof what === "number" ? what : countCharacters(what);
    if (count !== 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }

  insert(what: string | number): void {
    this.inserted += typeof what === "number" ? what : countCharacters(what);
  }

  /** `now` stands where `before` stood: the difference is booked. */
  replace(reason: string, before: string, now: string): void {
    const difference = countCharacters(now) - countCharacters(before);
    if (difference > 0) this.inserted += difference;
    else this.drop(reason, -difference);
  }

  close(charactersIn: number, text: string): Accounting {
    return {
      charactersIn,
      kept: countCharacters(text) - this.inserted,
      inserted: this.inserted,
      dropped: this.dropped,
    };
  }
}

/** UTF-16 units that are no layout (white space, controls, soft hyphens, zero-width spaces). */
export function countCharacters(text: string): number {
  let count = 0;
  if (text.length < LONG_TEXT) {
    for (let i = 0; i < text.length; i++) if (!isLayout(text.charCodeAt(i))) count++;
    return count;
  }
  // A long text has been put together from pieces, and looking into it one unit at a time is five times as slow as into a copy.
  const bytes = Buffer.from(text, "utf16le");
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, text.length);
  for (let i = 0; i < units.length; i++) {
    const code = units[i]!;
    if (code > 32 && (code < 0x7f || !isLayout(code))) count++;
  }
  return count;
}

const LONG_TEXT = 1 << 13;

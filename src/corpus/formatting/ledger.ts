/**
 * Where the characters of an article went: kept, or dropped for a reason. White space does not count (layout is free to change);
 * everything else does, in UTF-16 units. For every article
 *
 *   characters in = characters kept + Σ dropped,    characters kept = characters out − inserted
 *
 * where `inserted` is what formatting adds (special tokens, titles of cited works, heading marks, cell separators). The two sides
 * are counted independently, input text nodes against output text, so a lost or doubled passage cannot balance.
 */
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

/** UTF-16 units that are no white space, control, soft hyphen or zero-width space. */
export function countCharacters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 32 && (code < 0x7f || (code > 0xa0 && code !== 0xad && !(code >= 0x1680 && isSpace(code))))) count++;
  }
  return count;
}

function isSpace(code: number): boolean {
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200b) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x2060 ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

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
  /** A map: objects that get the same keys in many orders are slow. */
  readonly #dropped = new Map<string, number>();
  /** All that was dropped. */
  droppedCharacters = 0;
  inserted = 0;

  get dropped(): Record<string, number> {
    return Object.fromEntries(this.#dropped);
  }

  drop(reason: string, what: string | number): void {
    const count = typeof what === "number" ? what : countCharacters(what);
    if (count === 0) return;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
    this.droppedCharacters += count;
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

  /** @param text - The finished text, in UTF-8. */
  close(charactersIn: number, text: Uint8Array): Accounting {
    return {
      charactersIn,
      kept: countInBytes(text) - this.inserted,
      inserted: this.inserted,
      dropped: this.dropped,
    };
  }
}

/** UTF-16 units that are no layout (white space, controls, soft hyphens, zero-width spaces). */
export function countCharacters(text: string): number {
  if (text.length >= LONG_TEXT) return countInBytes(utf8(text));
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 32 && (code < 0x7f || !isLayout(code))) count++;
  }
  return count;
}

const LONG_TEXT = 1 << 13;
/** Units that a byte of UTF-8 stands for: those of its character at the first byte, none at the others. */
const UNITS = 3;
/** A first byte under which layout is found (U+0080–00BF, 1000, 2000, 3000, F000). */
const MAY_BE_LAYOUT = 4;
const MEANING = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80) return isLayout(byte) ? 0 : 1;
  const units = byte < 0xc0 ? 0 : byte < 0xf0 ? 1 : 2;
  return [0xc2, 0xe1, 0xe2, 0xe3, 0xef].includes(byte) ? units | MAY_BE_LAYOUT : units;
});
const encoder = new TextEncoder();
let scratch = new Uint8Array(1 << 16);

/**
 * A text in UTF-8, until the next call. A long text has been put together from pieces, and a look into a copy costs a fifth of a look
 * into it.
 */
export function utf8(text: string): Uint8Array {
  if (scratch.length < 3 * text.length) scratch = new Uint8Array(4 * text.length);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** `countCharacters` of UTF-8, from `start` to before `end`. */
export function countInBytes(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const meaning = MEANING[byte]!;
    count += meaning & UNITS;
    if (meaning >= MAY_BE_LAYOUT) {
      const code =
        byte === 0xc2 ? bytes[i + 1]! : ((byte & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f);
      if (isLayout(code)) count--;
    }
  }
  return count;
}

/**
 * Words that have been encoded before, found by their units in the text: no string is made for a word that is known. An open-addressed
 * table of 16 bytes a word, and one arena that holds the ids of each and behind them its units.
 */

const SLOTS = 1 << 18;
/** A table fuller than this is emptied. */
const MAX_WORDS = SLOTS / 2;
/** Longer words are not worth remembering: they rarely come twice. */
const MAX_UNITS = 64;
const MAX_IDS = 255;
/** Slots looked at for a word: texts made of words with one hash must not make a search of the whole table. */
const MAX_PROBES = 64;

export class WordCache {
  /** Of each slot: hash, 1 + place in the arena (0: free), units | ids << 8. */
  #table = new Int32Array(4 << 10);
  #mask = (1 << 10) - 1;
  #arena = new Int32Array(1 << 14);
  #arenaUnits = new Uint16Array(this.#arena.buffer);
  #used = 0;
  #words = 0;

  /** Adds the ids of the word `units[start..end)` to `ids`; false if it is not known. */
  push(units: Uint16Array, start: number, end: number, hash: number, ids: number[]): boolean {
    const table = this.#table;
    const length = end - start;
    for (let slot = hash & this.#mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & this.#mask, probes++) {
      const place = table[4 * slot + 1]!;
      if (place === 0) return false;
      if (table[4 * slot] !== hash) continue;
      const sizes = table[4 * slot + 2]!;
      if ((sizes & 0xff) !== length) continue;
      const from = place - 1;
      const to = from + (sizes >>> 8);
      let i = 0;
      for (let at = 2 * to; i < length && this.#arenaUnits[at + i] === units[start + i]; ) i++;
      if (i < length) continue;
      for (let at = from; at < to; at++) ids.push(this.#arena[at]!);
      return true;
    }
    return false;
  }

  set(units: Uint16Array, start: number, end: number, hash: number, ids: ArrayLike<number>): void {
    const length = end - start;
    if (length > MAX_UNITS || ids.length > MAX_IDS) return;
    if (this.#words === MAX_WORDS) this.#clear();
    else if (2 * this.#words >= this.#mask) this.#grow();
    const from = this.#used;
    const unitsAt = from + ids.length;
    this.#used = unitsAt + ((length + 1) >> 1);
    if (this.#used > this.#arena.length) {
      const larger = new Int32Array(2 * this.#arena.length);
      larger.set(this.#arena);
      this.#arena = larger;
      this.#arenaUnits = new Uint16Array(larger.buffer);
    }
    for (let i = 0; i < ids.length; i++) this.#arena[from + i] = ids[i]!;
    for (let i = 0; i < length; i++) this.#arenaUnits[2 * unitsAt + i] = units[start + i]!;
    this.#enter(hash, from + 1, length | (ids.length << 8));
    this.#words++;
  }

  #enter(hash: number, place: number, sizes: number): void {
    for (let slot = hash & this.#mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & this.#mask, probes++) {
      if (this.#table[4 * slot + 1] !== 0) continue;
      this.#table[4 * slot] = hash;
      this.#table[4 * slot + 1] = place;
      this.#table[4 * slot + 2] = sizes;
      return;
    }
  }

  #grow(): void {
    const before = this.#table;
    this.#table = new Int32Array(2 * before.length);
    this.#mask = 2 * this.#mask + 1;
    for (let at = 0; at < before.length; at += 4)
      if (before[at + 1] !== 0) this.#enter(before[at]!, before[at + 1]!, before[at + 2]!);
  }

  #clear(): void {
    this.#table.fill(0);
    this.#used = 0;
    this.#words = 0;
  }
}

/**
 * Which record of a PMID counts, over baseline and update files: the highest version, then the latest revision, then the last
 * position; a DeleteCitation removes everything before it. Eight bytes a PMID in pages, 300 MB for all of PubMed, no objects.
 */
const PAGE_BITS = 14;
const PAGE_SIZE = 1 << PAGE_BITS;
const DAY_MS = 86_400_000;

export class PubMedVersions {
  /** version << 16 | days since 1970 of the last revision */
  #stamps: (Uint32Array | undefined)[] = [];
  /** 1 + position of the record that counts; 0: none */
  #winners: (Uint32Array | undefined)[] = [];
  #deleted = new Map<number, number>();

  add(pmid: number, version: number, revised: string | undefined, position: number): void {
    const page = pmid >> PAGE_BITS;
    const slot = pmid & (PAGE_SIZE - 1);
    this.#stamps[page] ??= new Uint32Array(PAGE_SIZE);
    this.#winners[page] ??= new Uint32Array(PAGE_SIZE);
    const stamps = this.#stamps[page];
    const winners = this.#winners[page];
    const days = Math.max(0, Math.min(0xffff, Math.floor(Date.parse(revised ?? "1970-01-01") / DAY_MS) || 0));
    const stamp = Math.min(version, 0x7fff) * 0x10000 + days;
    if (winners[slot] !== 0 && stamp < stamps[slot]!) return;
    stamps[slot] = stamp;
    winners[slot] = position + 1;
  }

  delete(pmid: number, position: number): void {
    const winners = this.#winners[pmid >> PAGE_BITS];
    if (winners) winners[pmid & (PAGE_SIZE - 1)] = 0;
    this.#deleted.set(pmid, position);
  }

  /** What becomes of the record of this PMID at this position. */
  verdict(pmid: number, position: number): "current" | "superseded" | "deleted" {
    if (position < (this.#deleted.get(pmid) ?? -1)) return "deleted";
    return this.#winners[pmid >> PAGE_BITS]?.[pmid & (PAGE_SIZE - 1)] === position + 1 ? "current" : "superseded";
  }
}

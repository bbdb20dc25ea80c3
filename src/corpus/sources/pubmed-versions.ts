/**
 * Which record of a PMID counts, over baseline and update files: the highest version, then the latest revision, then the last
 * position; a DeleteCitation removes everything before it. Eight bytes a PMID in pages, 300 MB for all of PubMed, no objects.
 *
 * Parts of the files are scanned on several threads; their scans, merged in the order of the files, give the index, whose pages
 * are shared memory, so that all threads read the one.
 */
const PAGE_BITS = 14;
const PAGE_SIZE = 1 << PAGE_BITS;
const DAY_MS = 86_400_000;
const DELETED = 0xffffffff;
const ENTRY = 3;

/** What a part of the files says: of each record its PMID, stamp and place among the part's records. */
export interface VersionScan {
  /** pmid, stamp (or `DELETED`), position */
  entries: Uint32Array;
  records: number;
}

/** Collects a scan. */
export class VersionScanner {
  #entries = new Uint32Array(ENTRY << 10);
  #length = 0;
  /** Records seen so far: the position of the next one. */
  records = 0;

  #push(pmid: number, stamp: number): void {
    if (this.#length === this.#entries.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[this.#length++] = pmid;
    this.#entries[this.#length++] = stamp;
    this.#entries[this.#length++] = this.records;
  }

  record(pmid: number | undefined, version: number, revised: string | undefined): void {
    const days = Math.max(0, Math.min(0xffff, Math.floor(Date.parse(revised ?? "1970-01-01") / DAY_MS) || 0));
    // version << 16 | days since 1970 of the last revision
    if (pmid !== undefined) this.#push(pmid, Math.min(version, 0x7fff) * 0x10000 + days);
    this.records++;
  }

  deletion(pmid: number): void {
    this.#push(pmid, DELETED);
  }

  end(): VersionScan {
    return { entries: this.#entries.slice(0, this.#length), records: this.records };
  }
}

/** The index as it travels to another thread; its pages are not copied. */
export interface SharedVersions {
  winners: (Uint32Array | undefined)[];
  deleted: Map<number, number>;
}

export class PubMedVersions {
  #stamps: (Uint32Array | undefined)[] = [];
  /** 1 + position of the record that counts; 0: none */
  #winners: (Uint32Array | undefined)[] = [];
  #deleted = new Map<number, number>();
  /** Records merged so far: the position of the next part's first one. */
  records = 0;

  static of({ winners, deleted }: SharedVersions): PubMedVersions {
    const versions = new PubMedVersions();
    versions.#winners = winners;
    versions.#deleted = deleted;
    return versions;
  }

  /** Adds the next part. */
  merge({ entries, records }: VersionScan): void {
    const page = () => new Uint32Array(new SharedArrayBuffer(4 * PAGE_SIZE));
    for (let i = 0; i < entries.length; i += ENTRY) {
      const [pmid, stamp, position] = [entries[i]!, entries[i + 1]!, this.records + entries[i + 2]!];
      const [at, slot] = [pmid >> PAGE_BITS, pmid & (PAGE_SIZE - 1)];
      if (stamp === DELETED) {
        const winners = this.#winners[at];
        if (winners) winners[slot] = 0;
        this.#deleted.set(pmid, position);
        continue;
      }
      this.#stamps[at] ??= page();
      this.#winners[at] ??= page();
      const stamps = this.#stamps[at];
      const winners = this.#winners[at];
      if (winners[slot] !== 0 && stamp < stamps[slot]!) continue;
      stamps[slot] = stamp;
      winners[slot] = position + 1;
    }
    this.records += records;
  }

  share(): SharedVersions {
    return { winners: this.#winners, deleted: this.#deleted };
  }

  /** What becomes of the record of this PMID at this position. */
  verdict(pmid: number, position: number): "current" | "superseded" | "deleted" {
    if (position < (this.#deleted.get(pmid) ?? -1)) return "deleted";
    return this.#winners[pmid >> PAGE_BITS]?.[pmid & (PAGE_SIZE - 1)] === position + 1 ? "current" : "superseded";
  }
}

/**
 * Semantic Scholar's `papers` dataset as an index by corpus id: `s2orc` and `abstracts` know a paper by that number only, and its
 * title, PubMed id, date and citations stand here. Papers with a PubMed or PMC id are kept, as MEDITRON's join did, the facts
 * on disk and the index in shared memory: 21 bytes a paper, 800 MB for all of PubMed, once for all threads.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { rm } from "node:fs/promises";
import { AtomicFile } from "../../core/files.ts";
import type { Drop } from "../document.ts";
import { mix32 } from "../words.ts";
import { listFiles } from "./files.ts";
import { readJsonRecords } from "./json-records.ts";

/** What a document takes from its paper. */
export interface PaperFacts {
  title?: string;
  externalids?: Record<string, string | null>;
  publicationdate?: string;
  year?: number;
  venue?: string;
  journal?: string;
  citationcount?: number;
}

/** The index as it travels to another thread. */
export interface SharedPapers {
  /** corpusid, or 0 for a free slot; open addressing. */
  slots: Uint32Array;
  /** Slot → number of the paper. */
  numbers: Uint32Array;
  /** Of each paper's facts in the file; one more at the end. */
  offsets: Float64Array;
  file: string;
}

const PIECE_BYTES = 1 << 20;

export class PaperIndex {
  readonly shared: SharedPapers;
  #descriptor: number | undefined;

  constructor(shared: SharedPapers) {
    this.shared = shared;
  }

  get size(): number {
    return this.shared.offsets.length - 1;
  }

  /**
   * @param file - Where the facts are to be kept.
   * @param onProblem - Told of records that cannot be read.
   */
  static async build(folder: string, file: string, onProblem: (drop: Drop) => void = () => {}): Promise<PaperIndex> {
    const out = await AtomicFile.create(file);
    let ids = new Uint32Array(1024);
    let offsets = new Float64Array(1025);
    let count = 0;
    let pending = "";
    let bytes = 0;
    try {
      for (const part of await listFiles(folder, [])) {
        if (/(^|\/)README[^/]*$/i.test(part.relative)) continue;
        for await (const record of readJsonRecords(part, { name: "papers", path: folder })) {
          if ("drop" in record) {
            onProblem(record.drop);
            continue;
          }
          const facts = paperFacts(record.value);
          if (!facts) continue;
          if (count === ids.length) {
            const larger = [new Uint32Array(2 * count), new Float64Array(2 * count + 1)] as const;
            larger[0].set(ids);
            larger[1].set(offsets);
            [ids, offsets] = larger;
          }
          const line = JSON.stringify(facts.facts);
          ids[count] = facts.corpusid;
          bytes += Buffer.byteLength(line);
          offsets[++count] = bytes;
          pending += line;
          if (pending.length >= PIECE_BYTES) {
            await out.write(pending);
            pending = "";
          }
        }
      }
      await out.write(pending);
      await out.commit();
    } catch (error) {
      await out.abort();
      throw error;
    }
    const shared = sharedIndex(ids.subarray(0, count), offsets.subarray(0, count + 1), file);
    return new PaperIndex(shared);
  }

  find(corpusid: number): PaperFacts | undefined {
    const { slots, numbers, offsets, file } = this.shared;
    const mask = slots.length - 1;
    let slot = mix32(corpusid) & mask;
    while (slots[slot] !== corpusid) {
      if (slots[slot] === 0) return undefined;
      slot = (slot + 1) & mask;
    }
    const number = numbers[slot]!;
    const start = offsets[number]!;
    const bytes = Buffer.alloc(offsets[number + 1]! - start);
    this.#descriptor ??= openSync(file, "r");
    readSync(this.#descriptor, bytes, 0, bytes.length, start);
    return JSON.parse(bytes.toString("utf8")) as PaperFacts;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  async remove(): Promise<void> {
    this.close();
    await rm(this.shared.file, { force: true });
  }
}

function sharedIndex(ids: Uint32Array, offsets: Float64Array, file: string): SharedPapers {
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, 1.4 * ids.length)));
  const slots = new Uint32Array(new SharedArrayBuffer(4 * size));
  const numbers = new Uint32Array(new SharedArrayBuffer(4 * size));
  const shared = new Float64Array(new SharedArrayBuffer(8 * offsets.length));
  shared.set(offsets);
  for (const [number, corpusid] of ids.entries()) {
    let slot = mix32(corpusid) & (size - 1);
    while (slots[slot] !== 0 && slots[slot] !== corpusid) slot = (slot + 1) & (size - 1);
    slots[slot] = corpusid;
    numbers[slot] = number; // of a paper that is there twice the last one counts
  }
  return { slots, numbers, offsets: shared, file };
}

/** The facts of a record of `papers`, if PubMed or PMC knows it. */
function paperFacts(value: unknown): { corpusid: number; facts: PaperFacts } | undefined {
  const record = value as Record<string, unknown> | null;
  const ids = record?.externalids as Record<string, string | null> | null | undefined;
  const corpusid = Number(record?.corpusid);
  if (!record || !ids || !(corpusid > 0 && corpusid < 2 ** 32) || (!ids.PubMed && !ids.PubMedCentral)) return undefined;
  const { title, publicationdate, year, venue, citationcount } = record as PaperFacts;
  const journal = (record.journal as { name?: string } | null)?.name;
  const { PubMed = null, PubMedCentral = null, DOI = null } = ids;
  const facts = { title, externalids: { PubMed, PubMedCentral, DOI }, publicationdate, year, venue, citationcount };
  const stated = Object.entries({ ...facts, journal }).filter(([, fact]) => fact !== undefined && fact !== null);
  return { corpusid, facts: Object.fromEntries(stated) as PaperFacts };
}

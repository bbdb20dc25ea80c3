/**
 * A corpus as a DuckDB file: its documents as rows, and an inverted index of their words for full-text search (BM25, Robertson &
 * Zaragoza 2009). DuckDB's own full-text extension is a download, so the index is two tables and a query. The file is made once
 * from the shards, kept beside the runs, and made again when the manifest changes; documents can be read while their words are
 * still being indexed.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import { exists } from "../core/index.ts";
import type { DropRecord } from "../corpus/drop-log.ts";
import type { CorpusManifest } from "../corpus/index.ts";
import { HttpProblem } from "./problem.ts";
import { notFound } from "./studio-errors.ts";
import type { CorpusOverview, DocumentRow, DocumentView, Page } from "./studio-types.ts";

export interface DocumentQuery {
  /** Words; the last one also as the beginning of one. */
  search: string;
  filters: Partial<Record<DocumentFilter, string>>;
  offset: number;
  limit: number;
}

export const documentFilters = ["source", "kind", "license", "language", "year", "split"] as const;
export type DocumentFilter = (typeof documentFilters)[number];

const COLUMNS = `{id: 'VARCHAR', source: 'VARCHAR', kind: 'VARCHAR', title: 'VARCHAR', text: 'VARCHAR', url: 'VARCHAR',
  license: 'VARCHAR', redistributable: 'BOOLEAN', published: 'VARCHAR', retrieved: 'VARCHAR', language: 'VARCHAR',
  sha256: 'VARCHAR', meta: 'VARCHAR'}`;
const DROP_COLUMNS = `{id: 'VARCHAR', source: 'VARCHAR', rule: 'VARCHAR', value: 'VARCHAR', threshold: 'VARCHAR',
  reason: 'VARCHAR', "where": 'VARCHAR', title: 'VARCHAR', characters: 'BIGINT'}`;

/** A word is a run of letters and digits, in lower case and without accents: as in the index, so in the query. */
const WORDS = (text: string) => `regexp_extract_all(lower(strip_accents(${text})), '[\\p{L}\\p{N}]+')`;

const EXCERPT_CHARACTERS = 200;
const MAX_RECORD_BYTES = 256 << 20;
/** Words that begin like the last word of a query, at most: the most frequent ones. */
const PREFIX_WORDS = 40;
/** Of the tables below: catalogs of another one are made again. */
export const CATALOG_VERSION = "2";
const K1 = 1.2;
const B = 0.75;

export class Catalog {
  readonly #folder: string;
  readonly #file: string;
  readonly #manifest: CorpusManifest;
  #instance: DuckDBInstance | undefined;
  #state: CorpusOverview["index"];
  #building: Promise<void> | undefined;
  #problem: Error | undefined;
  #gate: Promise<void> = Promise.resolve();
  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * @param folder - The corpus folder with its shards.
   * @param file - Where the catalog is kept.
   */
  constructor(folder: string, file: string, manifest: CorpusManifest) {
    this.#folder = folder;
    this.#file = file;
    this.#manifest = manifest;
    const total = Object.values(manifest.splits).reduce((sum, { documents }) => sum + documents, 0);
    this.#state = { state: "reading", documents: 0, total };
  }

  get state(): CorpusOverview["index"] {
    return this.#state;
  }

  /** Opens the catalog, making it first where needed; returns as soon as documents can be listed. */
  async open(): Promise<void> {
    if (this.#instance) return;
    this.#building ??= this.#open();
    await this.#building;
    if (this.#problem) throw this.#problem;
  }

  /** Resolves when words can be searched. */
  indexed: Promise<void> = Promise.resolve();

  async #open(): Promise<void> {
    try {
      const { total } = this.#state;
      if (await exists(this.#file)) {
        this.#instance = await connect(this.#file, { access_mode: "READ_ONLY" });
        this.#state = { state: "ready", documents: total, total };
        return;
      }
      await mkdir(dirname(this.#file), { recursive: true });
      const building = `${this.#file}.${process.pid}.building`;
      await rm(building, { force: true });
      const instance = await connect(building);
      await withConnection(instance, (connection) => this.#readDocuments(connection));
      this.#instance = instance;
      this.#state = { state: "indexing", documents: total, total };
      this.indexed = this.#index(instance, building);
    } catch (error) {
      this.#problem = error as Error;
      this.#state = { ...this.#state, state: "failed", message: (error as Error).message };
    }
  }

  async #readDocuments(connection: DuckDBConnection): Promise<void> {
    const files = this.#manifest.shards.map(({ file }) => join(this.#folder, file));
    const read = (list: string[], columns: string) =>
      `read_json([${list.map(quote).join(", ")}], format = 'newline_delimited', compression = 'zstd', filename = true,
        maximum_object_size = ${MAX_RECORD_BYTES}, columns = ${columns})`;
    if (files.length === 0) throw notFound("document in this corpus");
    await connection.run(`
      CREATE TABLE documents AS
      SELECT id, source, kind, title, license, language, published, published[1:4] AS year, url, redistributable, retrieved, sha256,
        regexp_extract(filename, '([^/\\\\]+)$', 1) AS shard, regexp_extract(filename, '([a-z]+)-[0-9]{5}\\.jsonl\\.zst$', 1) AS split,
        length(text)::INTEGER AS characters, text[1:${EXCERPT_CHARACTERS}] AS excerpt, meta, text
      FROM ${read(files, COLUMNS)}`);
    const drops = join(this.#folder, this.#manifest.drops.file);
    await connection.run(`CREATE TABLE drops AS SELECT * EXCLUDE (filename) FROM ${read([drops], DROP_COLUMNS)}`);
  }

  async #index(instance: DuckDBInstance, building: string): Promise<void> {
    try {
      await withConnection(instance, async (connection) => {
        // BM25 = Σ idf · impact over the words of a query. The impact of a word in a document needs no query, so it is stored:
        //   impact = tf · (k1 + 1) / (tf + k1 · (1 − b + b · length / mean length))      lengths in characters, which are known
        await connection.run(`
          CREATE TABLE postings AS
          SELECT word, document, (count(*) * ${K1 + 1} / (count(*) + ${K1} * (1 - ${B} + ${B} * length)))::FLOAT AS impact
          FROM (SELECT rowid::INTEGER AS document, characters / greatest(1, avg(characters) OVER ()) AS length,
              unnest(${WORDS("title || ' ' || text")}) AS word FROM documents)
          WHERE length(word) <= 64
          GROUP BY word, document, length ORDER BY word, document`);
        await connection.run(
          "CREATE TABLE words AS SELECT word, count(*) AS documents FROM postings GROUP BY word ORDER BY word",
        );
        await connection.run("CHECKPOINT");
      });
      // Under its final name it is whole, and others may read it at the same time. Queries wait for the change of files.
      this.#gate = (async () => {
        await Promise.allSettled(this.#underWay);
        instance.closeSync();
        await rename(building, this.#file);
        this.#instance = await connect(this.#file, { access_mode: "READ_ONLY" });
      })();
      await this.#gate;
      this.#state = { ...this.#state, state: "ready" };
    } catch (error) {
      this.#state = { ...this.#state, state: "failed", message: (error as Error).message };
    }
  }

  async documents(query: DocumentQuery): Promise<Page<DocumentRow>> {
    await this.open();
    const { offset, limit } = query;
    const conditions: string[] = [];
    const values: DuckDBValue[] = [];
    for (const name of documentFilters) {
      const value = query.filters[name];
      if (value === undefined) continue;
      // "-" stands for what the source does not state.
      values.push(value === "-" ? "" : value);
      conditions.push(`${name} = $${values.length}`);
    }
    const words = wordsOf(query.search);
    if (words.length > 0) return this.#search(words, conditions, values, offset, limit);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    const [count] = await this.#rows(`SELECT count(*)::INTEGER AS total FROM documents ${where}`, values);
    const page =
      conditions.length === 0
        ? `rowid BETWEEN ${offset} AND ${offset + limit - 1}`
        : `rowid IN (SELECT rowid FROM documents ${where} ORDER BY rowid LIMIT ${limit} OFFSET ${offset})`;
    const rows = await this.#rows(
      `SELECT rowid::INTEGER AS number, ${LISTED}, excerpt FROM documents WHERE ${page} ORDER BY rowid`,
      conditions.length === 0 ? [] : values,
    );
    return { total: Number(count!.total), offset, rows: rows as unknown as DocumentRow[] };
  }

  async #search(
    words: string[],
    conditions: string[],
    values: DuckDBValue[],
    offset: number,
    limit: number,
  ): Promise<Page<DocumentRow>> {
    if (this.#state.state !== "ready")
      throw new HttpProblem(
        503,
        "still_indexing",
        "the words of this corpus are still being indexed; documents can be read already",
        { retryAfter: 5 },
      );
    const groups = await this.#expand(words);
    if (groups.some((group) => group.length === 0)) return { total: 0, offset, rows: [] };
    const filter =
      conditions.length > 0 ? `AND document IN (SELECT rowid FROM documents WHERE ${conditions.join(" AND ")})` : "";
    const found = groups.flat();
    // One word needs no sum: its documents are the postings themselves. Of several all must occur, each in one of its forms.
    const hits =
      found.length === 1
        ? `SELECT document, ${found[0]!.idf} * impact AS score FROM postings WHERE word = ${quote(found[0]!.word)} ${filter}`
        : `SELECT document, sum(idf * impact) AS score FROM postings JOIN terms USING (word)
           WHERE postings.word IN (${found.map(({ word }) => quote(word)).join(", ")}) ${filter}
           GROUP BY document HAVING bit_count(bit_or(part)) = ${groups.length}`;
    const terms = groups.flatMap((group, i) =>
      group.map(({ word, idf }) => `(${quote(word)}, ${1 << i}, ${idf}::DOUBLE)`),
    );
    const rows = await this.#rows(
      `WITH terms(word, part, idf) AS (VALUES ${terms.join(", ")}),
        hits AS MATERIALIZED (${hits}),
        page AS (SELECT document, score FROM hits ORDER BY score DESC, document LIMIT ${limit} OFFSET ${offset})
      SELECT page.document AS number, (SELECT count(*) FROM hits)::INTEGER AS total, page.score, ${LISTED}, text
      FROM page JOIN documents ON documents.rowid = page.document ORDER BY page.score DESC, page.document`,
      values,
    );
    const all = new Set(found.map(({ word }) => word));
    return {
      total: Number(rows[0]?.total ?? 0),
      offset,
      rows: rows.map(({ text, total: _, ...row }) => ({
        ...row,
        excerpt: excerptOf(String(text), all),
      })) as unknown as DocumentRow[],
    };
  }

  /** The index's words for each word of the query: itself, and for the last one those that begin with it. */
  async #expand(words: string[]): Promise<{ word: string; idf: number }[][]> {
    const idf = "ln(1 + (of_all - documents + 0.5) / (documents + 0.5))";
    const from = `SELECT word, ${idf} AS idf FROM words, (SELECT count(*) AS of_all FROM documents)`;
    const groups: { word: string; idf: number }[][] = [];
    for (const [i, word] of words.entries()) {
      const isLast = i === words.length - 1 && word.length > 1;
      const rows = await this.#rows(
        isLast
          ? `${from} WHERE word >= $1 AND word < $1 || '\u{10ffff}' ORDER BY word = $1 DESC, documents DESC LIMIT ${PREFIX_WORDS}`
          : `${from} WHERE word = $1`,
        [word],
      );
      groups.push(rows.map((row) => ({ word: String(row.word), idf: Number(row.idf) })));
    }
    return groups;
  }

  async document(number: number): Promise<DocumentView> {
    await this.open();
    const [row] = await this.#rows(
      `SELECT rowid::INTEGER AS number, ${LISTED}, url, redistributable, retrieved, sha256, shard, meta, text FROM documents WHERE rowid = ${number}`,
    );
    if (!row) throw notFound(`document ${number}`);
    return { ...row, meta: JSON.parse(String(row.meta)) as Record<string, unknown> } as unknown as DocumentView;
  }

  /** The row of a document by its id (a hit of contamination, a sample of a rule). */
  async find(id: string): Promise<number> {
    await this.open();
    const [row] = await this.#rows("SELECT rowid::INTEGER AS number FROM documents WHERE id = $1 LIMIT 1", [id]);
    if (!row) throw notFound(`document ${JSON.stringify(id.slice(0, 80))} in this corpus`);
    return Number(row.number);
  }

  async drops(query: { rule: string; search: string; offset: number; limit: number }): Promise<Page<DropRecord>> {
    await this.open();
    const conditions: string[] = ["true"];
    const values: DuckDBValue[] = [];
    if (query.rule !== "") conditions.push(`rule = $${values.push(query.rule)}`);
    if (query.search !== "") {
      const at = values.push(query.search.toLowerCase());
      conditions.push(
        `(contains(lower(title), $${at}) OR contains(lower(id), $${at}) OR contains(lower(reason), $${at}))`,
      );
    }
    const where = conditions.join(" AND ");
    const [count] = await this.#rows(`SELECT count(*)::INTEGER AS total FROM drops WHERE ${where}`, values);
    const rows = await this.#rows(
      `SELECT * FROM drops WHERE ${where} ORDER BY rowid LIMIT ${query.limit} OFFSET ${query.offset}`,
      values,
    );
    return {
      total: Number(count!.total),
      offset: query.offset,
      rows: rows.map((row) => ({ ...row, characters: Number(row.characters) })) as unknown as DropRecord[],
    };
  }

  async #rows(sql: string, values: DuckDBValue[] = []): Promise<Record<string, unknown>[]> {
    await this.#gate;
    const query = withConnection(this.#instance!, async (connection) =>
      (await connection.runAndReadAll(sql, values)).getRowObjectsJS(),
    );
    this.#underWay.add(query);
    try {
      return await query;
    } finally {
      this.#underWay.delete(query);
    }
  }

  close(): void {
    this.#instance?.closeSync();
  }
}

const LISTED = "id, title, source, kind, license, language, published, split, characters";

/** Nothing is fetched: extensions that are not built in stay away. */
function connect(path: string, options: Record<string, string> = {}): Promise<DuckDBInstance> {
  return DuckDBInstance.create(path, {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    ...options,
  });
}

async function withConnection<T>(
  instance: DuckDBInstance,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const connection = await instance.connect();
  try {
    return await use(connection);
  } finally {
    connection.closeSync();
  }
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The words of a query as the index has them. */
export function wordsOf(query: string): string[] {
  const plain = query.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  return [...new Set(plain.match(/[\p{L}\p{N}]+/gu) ?? [])].slice(0, 16);
}

/** The text around the first of these words. */
export function excerptOf(text: string, words: ReadonlySet<string>): string {
  for (const match of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!words.has(match[0].toLowerCase().normalize("NFD").replace(/\p{M}/gu, ""))) continue;
    const start = Math.max(0, match.index - 60);
    const cut = start === 0 ? 0 : text.indexOf(" ", start) + 1;
    return `${cut > 0 ? "… " : ""}${text.slice(cut, cut + EXCERPT_CHARACTERS)}`.replace(/\s+/g, " ");
  }
  return text.slice(0, EXCERPT_CHARACTERS).replace(/\s+/g, " ");
}

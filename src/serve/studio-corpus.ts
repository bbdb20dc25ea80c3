/** Corpora of a run: composition, drops, the documents, and each cleaned text beside its source. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { exists, readJson } from "../core/index.ts";
import { cleanDocument } from "../corpus/clean.ts";
import type { DropRecord } from "../corpus/drop-log.ts";
import { type ContaminationReport, type Document, type Drop, loadManifest, MANIFEST } from "../corpus/index.ts";
import { nameSource, readSource } from "../corpus/sources/index.ts";
import { CATALOG_VERSION, Catalog, type DocumentQuery } from "./studio-catalog.ts";
import { notFound } from "./studio-errors.ts";
import { childFolder } from "./studio-files.ts";
import type { StudioRuns } from "./studio-runs.ts";
import type { CorpusOverview, DocumentRow, DocumentView, Page, SourceView } from "./studio-types.ts";
import { diffTexts } from "./text-diff.ts";

/** A source file is read until its record is found; a very long one is given up. */
const SOURCE_MS = 20_000;

export class StudioCorpus {
  readonly #runs: StudioRuns;
  readonly #catalogs = new Map<string, { hash: string; catalog: Catalog }>();

  constructor(runs: StudioRuns) {
    this.#runs = runs;
  }

  async overview(run: string, corpus: string): Promise<CorpusOverview> {
    const folder = await this.#folder(run, corpus);
    const manifest = await loadManifest(folder);
    const report = async <T>(name: string) => {
      const path = join(folder, name);
      return (await exists(path)) ? readJson<T>(path) : undefined;
    };
    const cleaning = await report<NonNullable<CorpusOverview["cleaning"]>>("cleaning.json");
    const contamination = await report<ContaminationReport>("contamination.json");
    const datasheet = join(folder, "datasheet.md");
    const catalog = await this.#catalog(run, corpus);
    void catalog.open().catch(() => {});
    return {
      name: corpus,
      manifest,
      ...(cleaning ? { cleaning } : {}),
      ...(contamination ? { contamination: { ...contamination, hits: contamination.hits.slice(0, 200) } } : {}),
      ...((await exists(datasheet)) ? { datasheet: await readFile(datasheet, "utf8") } : {}),
      index: catalog.state,
    };
  }

  async documents(run: string, corpus: string, query: DocumentQuery): Promise<Page<DocumentRow>> {
    return (await this.#catalog(run, corpus)).documents(query);
  }

  async document(run: string, corpus: string, number: number): Promise<DocumentView> {
    return (await this.#catalog(run, corpus)).document(number);
  }

  async find(run: string, corpus: string, id: string): Promise<number> {
    return (await this.#catalog(run, corpus)).find(id);
  }

  async drops(
    run: string,
    corpus: string,
    query: { rule: string; search: string; offset: number; limit: number },
  ): Promise<Page<DropRecord>> {
    return (await this.#catalog(run, corpus)).drops(query);
  }

  /** The record as it was read, with what cleaning took out. @throws not_found when its file is gone or has changed. */
  async source(run: string, corpus: string, number: number): Promise<SourceView> {
    const document = await this.document(run, corpus, number);
    const { recipe } = await this.#runs.recipe(run);
    const config = recipe.corpora?.[corpus];
    const source = config?.sources.map(nameSource).find(({ name }) => name === document.source);
    const provenance = document.meta.provenance as { file?: string; line?: number; offset?: number } | undefined;
    if (!config || !source) throw notFound(`source "${document.source}" in the recipe of this run`);
    let narrowed = source;
    let place = "path" in source ? source.path : source.type;
    if (
      "path" in source &&
      provenance?.file !== undefined &&
      (await stat(source.path).catch(() => undefined))?.isDirectory()
    ) {
      const relative = normalize(provenance.file);
      // A corpus from elsewhere names any file it likes.
      if (relative.startsWith("..") || relative.startsWith(sep)) throw notFound("source file of this document");
      place = join(source.path, relative);
      narrowed = { ...source, path: place };
    }
    if (provenance?.line !== undefined) place += `:${provenance.line}`;
    else if (provenance?.offset !== undefined) place += `#${provenance.offset}`;
    const original = await findRecord(narrowed, document, provenance);
    if (!original)
      throw notFound(`record of "${document.id}" in ${place}: the source has changed since, or is too long to search`);
    const changes = new Map<string, { rule: string; count: number; characters: number }>();
    if (config.stages.clean !== false)
      cleanDocument(
        original,
        config.stages.clean.rules as Parameters<typeof cleanDocument>[1],
        (rule, before, after) => {
          const change = changes.get(rule) ?? { rule, count: 0, characters: 0 };
          change.count++;
          change.characters += before.length - after.length;
          changes.set(rule, change);
        },
      );
    return { place, parts: diffTexts(original.text, document.text), changes: [...changes.values()] };
  }

  async #folder(run: string, corpus: string): Promise<string> {
    const folder = await childFolder(join(await this.#runs.directory(run), "corpus"), corpus, "corpus");
    if (!(await exists(join(folder, MANIFEST)))) throw notFound(`finished corpus "${corpus}" in this run yet`);
    return folder;
  }

  async #catalog(run: string, corpus: string): Promise<Catalog> {
    const folder = await this.#folder(run, corpus);
    const bytes = await readFile(join(folder, MANIFEST));
    const hash = createHash("sha256").update(CATALOG_VERSION).update(bytes).digest("hex").slice(0, 16);
    const key = `${run}/${corpus}`;
    const known = this.#catalogs.get(key);
    if (known?.hash === hash) return known.catalog;
    known?.catalog.close();
    const file = join(this.#runs.root, ".studio", `${run}.${corpus}.${hash}.duckdb`);
    const catalog = new Catalog(folder, file, await loadManifest(folder));
    this.#catalogs.set(key, { hash, catalog });
    return catalog;
  }

  close(): void {
    for (const { catalog } of this.#catalogs.values()) catalog.close();
  }
}

/** The document as its source gives it, before any stage. Read from one file its id may lack the folder: then its place decides. */
async function findRecord(
  source: Parameters<typeof readSource>[0],
  wanted: { id: string },
  provenance: { line?: number; offset?: number } | undefined,
): Promise<Document | undefined> {
  const deadline = performance.now() + SOURCE_MS;
  const only: Document[] = [];
  for await (const item of readSource(source) as AsyncIterable<{ document: Document } | { drop: Drop }>) {
    if (performance.now() > deadline) return undefined;
    if (!("document" in item)) continue;
    const { document } = item;
    if (document.id === wanted.id) return document;
    const place = document.meta.provenance as { line?: number; offset?: number } | undefined;
    const hasPlace = provenance?.line !== undefined || provenance?.offset !== undefined;
    if (hasPlace && place?.line === provenance?.line && place?.offset === provenance?.offset) return document;
    if (only.length < 2) only.push(document);
  }
  return only.length === 1 ? only[0] : undefined;
}

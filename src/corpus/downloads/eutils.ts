/**
 * PubMed and PMC by search: NCBI's E-utilities, esearch and efetch, into a folder of XML that the `pubmed` and `jats` sources read.
 *
 *   folder/  search.json { query, database, date, ids } · efetch-000000.xml.gz ...
 *
 * A search shows its first 9,999 records at most. A larger one is cut into ranges of ids until each is small enough, so any
 * number of records can be had, each once. The list of ids is kept: an interrupted download goes on with the same one.
 *
 * @see https://www.ncbi.nlm.nih.gov/books/NBK25497/ (3 requests a second, 10 with a key)
 */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ConfigError, DataError } from "../../core/errors.ts";
import { exists, readJson, writeFileAtomic, writeJsonAtomic } from "../../core/files.ts";
import { PacedClient, readBody, type ServiceOptions, Unsuccessful } from "./paced-client.ts";

export interface EutilsOptions extends ServiceOptions {
  /** PubMed's query language, as in its search box. */
  query: string;
  /** "pubmed" for citations and abstracts, "pmc" for open full texts. */
  database?: "pubmed" | "pmc" | undefined;
  folder: string;
  apiKey?: string | undefined;
  /** NCBI asks for an address to write to before it blocks a program. */
  email?: string | undefined;
  /** Take the first so many ids, in order of id. */
  limit?: number | undefined;
  /** Records a request. Default 200 citations, 20 full texts. */
  batch?: number | undefined;
  /** Told how many records there are and how many are done. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface EutilsDownload {
  folder: string;
  records: number;
  /** Ids that efetch does not know any more, or not as full text. */
  missing: string[];
  files: number;
}

const BASE_URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils";
const SEARCH_LIMIT = 9999;
/** The largest id asked for; PMIDs are at 42 million in 2026, PMC ids at 13 million. */
const MAX_ID = 2 ** 31 - 1;
const MAX_ANSWER_BYTES = 512 << 20;
/** 1/3 and 1/10 of a second, and a little for clocks that differ. */
const PAUSE_MS = 350;
const PAUSE_WITH_KEY_MS = 110;

/** What the folder holds, so that a later call goes on. */
interface SearchState {
  database: string;
  query: string;
  /** ISO date of the search. */
  date: string;
  batch: number;
  ids: string[];
}

/** Searches and fetches, or goes on with a download that was interrupted. A finished one is returned as it is. */
export async function downloadEntrez(options: EutilsOptions): Promise<EutilsDownload> {
  const service = new Entrez(options);
  const state = await searchState(options, service);
  const files = Math.ceil(state.ids.length / state.batch);
  const missing: string[] = [];
  for (let i = 0; i < files; i++) {
    options.signal?.throwIfAborted();
    const ids = state.ids.slice(i * state.batch, (i + 1) * state.batch);
    const path = join(options.folder, `efetch-${String(i).padStart(6, "0")}.xml.gz`);
    const missingPath = path.replace(/\.xml\.gz$/, ".missing.json");
    if (!(await exists(path))) {
      const fetched = await service.fetch(ids);
      if (fetched.missing.length > 0) await writeJsonAtomic(missingPath, fetched.missing);
      await writeFileAtomic(path, gzipSync(fetched.xml));
    }
    if (await exists(missingPath)) missing.push(...(await readJson<string[]>(missingPath)));
    options.onProgress?.(Math.min(state.ids.length, (i + 1) * state.batch), state.ids.length);
  }
  return { folder: options.folder, records: state.ids.length - missing.length, missing, files };
}

async function searchState(options: EutilsOptions, service: Entrez): Promise<SearchState> {
  const { query, database = "pubmed", limit } = options;
  const batch = options.batch ?? (database === "pmc" ? 20 : 200);
  const path = join(options.folder, "search.json");
  if (await exists(path)) {
    const state = await readJson<SearchState>(path);
    if (state.query === query && state.database === database) return state;
    throw new ConfigError("CORPUS_OTHER_SEARCH", {
      message: `the folder holds the download of another search: ${JSON.stringify(state.query)} in ${state.database}`,
      where: options.folder,
      remedy: "name another folder, or remove this one",
    });
  }
  const ids = await service.search(query, limit);
  const state = { database, query, date: new Date().toISOString().slice(0, 10), batch, ids };
  await writeJsonAtomic(path, state);
  return state;
}

class Entrez {
  readonly #options: EutilsOptions;
  readonly #client: PacedClient;
  readonly #database: string;

  constructor(options: EutilsOptions) {
    this.#options = options;
    this.#client = new PacedClient(options);
    this.#database = options.database ?? "pubmed";
  }

  #ask(program: string, form: Record<string, string>): Promise<Response> {
    const { apiKey, email, baseUrl = BASE_URL, pauseMs } = this.#options;
    return this.#client.once(`${baseUrl}/${program}`, {
      pauseMs: pauseMs ?? (apiKey ? PAUSE_WITH_KEY_MS : PAUSE_MS),
      form: {
        db: this.#database,
        ...form,
        tool: "meditron",
        ...(email && { email }),
        ...(apiKey && { api_key: apiKey }),
      },
    });
  }

  /** All ids that a query finds, in order. */
  async search(query: string, limit = Number.POSITIVE_INFINITY): Promise<string[]> {
    const ids = new Set<number>();
    const pending: [number, number][] = [[1, MAX_ID]];
    for (let range = pending.shift(); range && ids.size < limit; range = pending.shift()) {
      this.#options.signal?.throwIfAborted();
      const [from, to] = range;
      const all = from === 1 && to === MAX_ID;
      const { count, found, problem } = await this.#search(all ? query : `(${query}) AND ${from}:${to}[uid]`);
      if (all && count === 0)
        throw new ConfigError("CORPUS_NOTHING_FOUND", {
          message: `the search ${JSON.stringify(query)} finds nothing in ${this.#database}${problem ? ` (${problem})` : ""}`,
          where: "query",
          remedy: "try it in the search box of https://pubmed.ncbi.nlm.nih.gov",
        });
      if (count <= found.length) for (const id of found) ids.add(id);
      else if (to > from) {
        const middle = Math.floor((from + to) / 2);
        pending.unshift([from, middle], [middle + 1, to]);
      }
    }
    return [...ids]
      .sort((a, b) => a - b)
      .slice(0, limit)
      .map(String);
  }

  async #search(term: string): Promise<{ count: number; found: number[]; problem: string }> {
    return this.#client.retry(`${this.#database} search`, async () => {
      const response = await this.#ask("esearch.fcgi", { term, retmode: "json", retmax: String(SEARCH_LIMIT) });
      const text = await textOf(response);
      if (!response.ok) throw refusal(response, text, this.#options.apiKey);
      const answer = jsonOf(text) as {
        esearchresult?: {
          ERROR?: string;
          count?: string;
          idlist?: string[];
          errorlist?: Record<string, string[]>;
        };
      };
      const result = answer?.esearchresult;
      // The service's own failures come with status 200.
      if (!result || result.ERROR !== undefined || result.count === undefined)
        throw new Unsuccessful(`the search fails (${(result?.ERROR ?? text).slice(0, 200)})`);
      const problem = Object.entries(result.errorlist ?? {})
        .filter(([, list]) => list.length > 0)
        .map(([name, list]) => `${name}: ${list.join(", ")}`)
        .join("; ");
      return { count: Number(result.count), found: (result.idlist ?? []).map(Number), problem };
    });
  }

  /** Records of these ids as one XML file, and the ids that it lacks. */
  async fetch(ids: readonly string[]): Promise<{ xml: string; missing: string[] }> {
    const root = this.#database === "pmc" ? "pmc-articleset" : "PubmedArticleSet";
    return this.#client.retry(`${this.#database} fetch of ${ids[0]} to ${ids.at(-1)}`, async () => {
      const response = await this.#ask("efetch.fcgi", { id: ids.join(","), retmode: "xml" });
      const xml = await textOf(response);
      if (!response.ok) throw refusal(response, xml, this.#options.apiKey);
      // Errors and answers that were cut come with status 200, too.
      if (!xml.trimEnd().endsWith(`</${root}>`))
        throw new Unsuccessful(`the answer is no whole ${root} (${JSON.stringify(xml.trimEnd().slice(-80))})`);
      const pattern =
        this.#database === "pmc"
          ? /<article-id pub-id-type="(?:pmc|pmcid|pmcaid|pmc-uid)">(?:PMC)?(\d+)</g
          : /<(?:MedlineCitation|BookDocument)\b[^>]*>\s*<PMID[^>]*>\s*(\d+)\s*</g;
      const there = new Set(Array.from(xml.matchAll(pattern), (match) => match[1]!));
      const missing = ids.filter((id) => !there.has(id));
      if (missing.length === ids.length && there.size === 0 && /<ERROR>/i.test(xml))
        throw new Unsuccessful("the service answers with an error in place of records");
      return { xml, missing };
    });
  }
}

const textOf = async (response: Response): Promise<string> =>
  (await readBody(response, MAX_ANSWER_BYTES))?.toString("utf8") ?? "";

/** 429 and 5xx are tried again; 400 says what is wrong with the request. */
function refusal(response: Response, text: string, apiKey: string | undefined): Error {
  if (response.status === 429 || response.status >= 500) return Unsuccessful.answer(response);
  const said = (jsonOf(text) as { error?: string } | undefined)?.error ?? text.slice(0, 200);
  return new DataError("CORPUS_ENTREZ_REFUSES", {
    message: `NCBI answers ${response.status}: ${apiKey ? said.replaceAll(apiKey, "<key>") : said}`,
    where: "E-utilities",
    remedy: /api.?key/i.test(said) ? "check the API key (NCBI_API_KEY)" : "check the query",
  });
}

function jsonOf(text: string): unknown {
  try {
    // NCBI puts bare line breaks and tabs into strings of error answers.
    return JSON.parse(text.replace(/[\n\r\t]+/g, " "));
  } catch {
    return undefined;
  }
}

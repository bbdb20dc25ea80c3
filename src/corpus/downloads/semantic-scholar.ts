/**
 * Semantic Scholar's datasets (papers, abstracts, s2orc) of one release, into folders that the `s2orc` source reads.
 *
 *   folder/  release.json { release, date } · papers/ README.txt, <parts as the service names them> · s2orc/ ... · abstracts/ ...
 *
 * The datasets are built anew all the time, so a folder belongs to one release from its first call on. Links are signed and
 * expire within hours: they are asked for again when they do. A part is written beside its name until it is whole; a broken
 * connection or a killed process goes on at the byte where it stopped.
 *
 * @see https://api.semanticscholar.org/api-docs/datasets
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConfigError, DataError, fromSystemError } from "../../core/errors.ts";
import { exists, readJson, writeFileAtomic, writeJsonAtomic } from "../../core/files.ts";
import { PacedClient, type ServiceOptions, Unsuccessful, withoutQuery } from "./paced-client.ts";

export const S2_DATASETS = ["papers", "abstracts", "s2orc"] as const;
export type S2Dataset = (typeof S2_DATASETS)[number];

export interface S2DownloadOptions extends ServiceOptions {
  folder: string;
  datasets: readonly S2Dataset[];
  /** A release id such as "2023-11-07". Default: the newest one, and from then on the folder's. */
  release?: string | undefined;
  apiKey: string;
  /** Parts of each dataset to take at most: for trials. */
  limit?: number | undefined;
  /** Told the bytes that came. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface S2Download {
  folder: string;
  release: string;
  datasets: Record<string, { parts: number; bytes: number }>;
}

const BASE_URL = "https://api.semanticscholar.org/datasets/v1";
/** The service gives a key one request a second. */
const PAUSE_MS = 1100;

/** Downloads, or goes on with a download that was interrupted. */
export async function downloadSemanticScholar(options: S2DownloadOptions): Promise<S2Download> {
  const service = new Datasets(options);
  const release = await pinnedRelease(options, service);
  const datasets: S2Download["datasets"] = {};
  for (const dataset of options.datasets) {
    const folder = join(options.folder, dataset);
    await mkdir(folder, { recursive: true });
    const links = await service.links(release, dataset);
    await writeFileAtomic(join(folder, "README.txt"), links.readme);
    const names = [...links.files.keys()].sort().slice(0, options.limit);
    let bytes = 0;
    for (const name of names) {
      const path = join(folder, name);
      if (!(await exists(path))) await service.download(release, dataset, name, path);
      bytes += (await stat(path)).size;
    }
    datasets[dataset] = { parts: names.length, bytes };
  }
  return { folder: options.folder, release, datasets };
}

async function pinnedRelease(options: S2DownloadOptions, service: Datasets): Promise<string> {
  const path = join(options.folder, "release.json");
  if (await exists(path)) {
    const { release } = await readJson<{ release: string }>(path);
    if (options.release === undefined || options.release === release) return release;
    throw new ConfigError("CORPUS_OTHER_RELEASE", {
      message: `the folder holds release ${release}, not ${options.release}`,
      where: options.folder,
      remedy: "name another folder: parts of two releases do not fit together",
    });
  }
  const release = await service.release(options.release ?? "latest");
  await writeJsonAtomic(path, { release, date: new Date().toISOString().slice(0, 10) });
  return release;
}

interface Links {
  /** Name of a part → its signed address. */
  files: Map<string, string>;
  readme: string;
}

class Datasets {
  readonly #options: S2DownloadOptions;
  readonly #client: PacedClient;
  /** Of the dataset asked for last. */
  #links: { dataset: string; links: Links } | undefined;

  constructor(options: S2DownloadOptions) {
    this.#options = options;
    this.#client = new PacedClient(options);
  }

  async #ask(path: string): Promise<Record<string, unknown>> {
    const { apiKey, baseUrl = BASE_URL, pauseMs = PAUSE_MS } = this.#options;
    const where = `${baseUrl}/${path}`;
    const { status, body } = await this.#client.request(
      where,
      { pauseMs, headers: { "x-api-key": apiKey, accept: "application/json" } },
      64 << 20,
    );
    const text = body?.toString("utf8") ?? "";
    if (status === 200) return JSON.parse(text) as Record<string, unknown>;
    throw new DataError("CORPUS_S2_REFUSES", {
      message: `Semantic Scholar answers ${status}${text ? `: ${text.slice(0, 200)}` : ""}`,
      where,
      remedy:
        status === 401 || status === 403
          ? "check the API key (S2_API_KEY); keys are given at https://www.semanticscholar.org/product/api"
          : status === 404
            ? `no such release or dataset: ${baseUrl}/release lists the releases`
            : "try again later",
    });
  }

  async release(id: string): Promise<string> {
    return String((await this.#ask(`release/${encodeURIComponent(id)}`)).release_id);
  }

  async links(release: string, dataset: string): Promise<Links> {
    const { files = [], README = "" } = (await this.#ask(
      `release/${encodeURIComponent(release)}/dataset/${dataset}`,
    )) as { files?: string[]; README?: string };
    if (files.length === 0)
      throw new DataError("CORPUS_S2_REFUSES", {
        message: `release ${release} has no files of "${dataset}"`,
        where: "Semantic Scholar",
        remedy: "take another release",
      });
    const links = { files: new Map(files.map((url) => [basename(new URL(url).pathname), url])), readme: README };
    this.#links = { dataset, links };
    return links;
  }

  /** One part, from wherever an earlier try ended. */
  async download(release: string, dataset: string, name: string, path: string): Promise<void> {
    const partial = `${path}.partial`;
    await this.#client.retry(`${dataset}/${name}`, async () => {
      const known = this.#links?.dataset === dataset ? this.#links.links : await this.links(release, dataset);
      const url = known.files.get(name);
      if (url === undefined)
        throw new DataError("CORPUS_S2_REFUSES", {
          message: `release ${release} has no part ${name} of "${dataset}" any more`,
          where: "Semantic Scholar",
          remedy: "remove the folder and download another release",
        });
      const from = (await exists(partial)) ? (await stat(partial)).size : 0;
      const response = await this.#client.once(url, {
        pauseMs: 0,
        headers: { "accept-encoding": "identity", ...(from > 0 && { range: `bytes=${from}-` }) },
      });
      // S3 answers 400 or 403 for a link that has expired.
      if (response.status === 403 || response.status === 400) {
        await response.body?.cancel();
        this.#links = undefined;
        throw new Unsuccessful(`the link to ${dataset}/${name} is refused (${response.status})`);
      }
      if (response.status === 416) {
        // The file is whole already, or is not the one that was begun.
        await response.body?.cancel();
        const size = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
        if (size === undefined || Number(size) !== from) {
          await rm(partial, { force: true });
          throw new Unsuccessful("the part that was begun is longer than the one there is");
        }
      } else if (response.status !== 200 && response.status !== 206) {
        await response.body?.cancel();
        throw Unsuccessful.answer(response);
      } else await this.#append(response, partial, response.status === 206 ? from : 0);
      await verify(partial, response, () => rm(partial, { force: true }));
      await rename(partial, path);
    });
  }

  /** Writes the body behind byte `from` of the file; what was written stays when the connection breaks. */
  async #append(response: Response, partial: string, from: number): Promise<void> {
    const file = await open(partial, from === 0 ? "w" : "r+").catch((error: unknown) => {
      throw fromSystemError(error, partial, "writing a download");
    });
    let at = from;
    try {
      for await (const chunk of response.body ?? []) {
        const bytes = chunk as Uint8Array;
        await file.write(bytes, 0, bytes.length, at).catch((error: unknown) => {
          throw fromSystemError(error, partial, "writing a download");
        });
        at += bytes.length;
        this.#options.onBytes?.(bytes.length);
      }
      await file.sync();
    } catch (error) {
      if (error instanceof DataError || error instanceof ConfigError || this.#options.signal?.aborted) throw error;
      if ((error as { code?: string }).code?.startsWith("IO_")) throw error;
      throw Unsuccessful.network(error);
    } finally {
      await file.close();
    }
    const expected = Number(response.headers.get("content-length") ?? at - from);
    if (at - from !== expected) throw new Unsuccessful(`${at - from} of ${expected} bytes came`);
  }
}

/** S3's ETag of a file that was not uploaded in pieces is its MD5. A whole file that differs is fetched anew. */
async function verify(path: string, response: Response, remove: () => Promise<void>): Promise<void> {
  const md5 = /^"?([0-9a-f]{32})"?$/.exec(response.headers.get("etag") ?? "")?.[1];
  if (md5 === undefined) return;
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  if (hash.digest("hex") === md5) return;
  await remove();
  throw new Unsuccessful(`${withoutQuery(basename(path))} is not the file that was sent (its MD5 differs)`);
}

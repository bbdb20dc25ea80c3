import { resolve } from "node:path";
import { ConfigError, formatBytes, formatCount, startProgress } from "../../core/index.ts";
import { downloadEntrez } from "../../corpus/downloads/eutils.ts";
import { downloadSemanticScholar, S2_DATASETS, type S2Dataset } from "../../corpus/downloads/semantic-scholar.ts";
import { ADAPTERS } from "../../corpus/sources/guidelines/adapters.ts";
import { readGuidelineSite } from "../../corpus/sources/guidelines/site.ts";
import { renderTable } from "../../run/table.ts";
import { type Command, UsageError } from "../command.ts";

type Run = Parameters<Command["run"]>[0];

export const corpusFetch: Command = {
  name: "corpus fetch",
  summary: "get sources: PubMed and PMC by search, Semantic Scholar's datasets, guideline sites",
  description: [
    "Keeps to each service's pace and to robots.txt; interrupted, it goes on where it was. Keys come from the environment:",
    "NCBI_API_KEY (10 requests a second in place of 3), S2_API_KEY (needed for Semantic Scholar). Read a site's terms before you",
    "train on it: most guidelines may not be redistributed. Without a source, lists the guideline sites.",
  ].join("\n"),
  positionals: [
    {
      name: "source",
      description: "pubmed, pmc, semantic-scholar, a built-in guideline site, or a YAML file of selectors",
      required: false,
    },
  ],
  options: {
    out: { type: "path", description: "folder for what is fetched; default: cache/<source>" },
    query: { type: "text", description: "pubmed, pmc: what to search for, as in PubMed's search box" },
    email: { type: "text", description: "pubmed, pmc: whom NCBI may write to" },
    datasets: {
      type: "text",
      description: "semantic-scholar: which datasets",
      default: S2_DATASETS.join(","),
    },
    release: { type: "text", value: "id", description: "semantic-scholar: release id; default: the newest one" },
    limit: { type: "count", value: "n", description: "at most so many records, parts of a dataset, or pages" },
    "base-url": { type: "text", value: "url", description: "ask this address in place of the source's own (a mirror)" },
    delay: { type: "count", value: "ms", description: "sites: pause between two requests", default: 2000 },
    "dry-run": { type: "flag", description: "say what would be fetched; send no request" },
  },
  examples: [
    {
      command: 'meditron corpus fetch pubmed --query "malaria[mesh] AND 2023[dp]" --out pubmed/malaria',
      does: "citations as XML, for a source of type pubmed",
    },
    { command: "meditron corpus fetch who --limit 20", does: "the first pages of a guideline site, into cache/who" },
  ],
  async run(given) {
    const [source] = given.positionals;
    if (source === undefined) return listSites(given.values.flag("json"));
    if (source === "pubmed" || source === "pmc") return fetchEntrez(source, given);
    if (source === "semantic-scholar") return fetchSemanticScholar(given);
    return fetchSite(source, given);
  },
};

function print(json: boolean, value: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

async function fetchEntrez(database: "pubmed" | "pmc", { values, signal }: Run): Promise<void> {
  const query = values.text("query");
  if (query === undefined)
    throw new UsageError("CLI_USAGE", {
      message: `${database} needs --query`,
      where: "meditron corpus fetch",
      remedy: 'for example --query "malaria[mesh] AND 2023[dp]"',
    });
  const folder = resolve(values.text("out") ?? `cache/${database}`);
  if (values.flag("dry-run"))
    return print(false, {}, `would search ${database} for ${JSON.stringify(query)} into ${folder}`);
  let progress: ReturnType<typeof startProgress> | undefined;
  let shown = 0;
  const download = await downloadEntrez({
    database,
    query,
    folder,
    email: values.text("email"),
    apiKey: process.env.NCBI_API_KEY,
    limit: values.number("limit"),
    baseUrl: values.text("base-url"),
    signal,
    onProgress(done, total) {
      progress ??= startProgress({ label: `fetch ${database}`, unit: "records", total });
      progress.add(done - shown);
      shown = done;
    },
  });
  progress?.end();
  const { records, missing } = download;
  const type = database === "pmc" ? "jats" : "pubmed";
  print(
    values.flag("json"),
    download,
    `${folder}: ${formatCount(records)} records${missing.length > 0 ? `, ${formatCount(missing.length)} that the service does not give` : ""}\n` +
      `read it with { type: ${type}, path: ${folder} }`,
  );
}

async function fetchSemanticScholar({ values, signal }: Run): Promise<void> {
  const datasets = values.text("datasets")!.split(",");
  const unknown = datasets.find((name) => !S2_DATASETS.includes(name as S2Dataset));
  if (unknown !== undefined)
    throw new UsageError("CLI_USAGE", {
      message: `no dataset is called "${unknown}"`,
      where: "--datasets",
      remedy: `datasets: ${S2_DATASETS.join(", ")}`,
    });
  const folder = resolve(values.text("out") ?? "cache/semantic-scholar");
  const release = values.text("release");
  if (values.flag("dry-run"))
    return print(false, {}, `would download ${datasets.join(", ")} of release ${release ?? "latest"} into ${folder}`);
  const apiKey = process.env.S2_API_KEY;
  if (!apiKey)
    throw new ConfigError("CORPUS_NO_KEY", {
      message: "Semantic Scholar gives its datasets to holders of a key only",
      where: "S2_API_KEY",
      remedy: "ask for one at https://www.semanticscholar.org/product/api and set S2_API_KEY",
    });
  const progress = startProgress({ label: "fetch semantic-scholar", unit: "MB" });
  const download = await downloadSemanticScholar({
    folder,
    datasets: datasets as S2Dataset[],
    release,
    apiKey,
    limit: values.number("limit"),
    baseUrl: values.text("base-url"),
    signal,
    onBytes: (bytes) => progress.add(bytes / 1e6),
  });
  progress.end();
  const lines = Object.entries(download.datasets).map(
    ([name, { parts, bytes }]) => `  ${name}: ${formatCount(parts)} parts, ${formatBytes(bytes)}`,
  );
  const use = `{ type: s2orc, path: ${folder}/s2orc, papers: ${folder}/papers }`;
  print(
    values.flag("json"),
    download,
    `${folder}: release ${download.release}\n${lines.join("\n")}\nread it with ${use}`,
  );
}

function listSites(json: boolean): void {
  const rows = ADAPTERS.map(({ tag, name, country, license, origin }) => [
    tag,
    name,
    country ?? "",
    license ?? "unknown",
    origin,
  ]);
  const columns = ["site", "name", "country", "license", "address"].map((title) => ({ title }));
  print(json, ADAPTERS, renderTable(columns, rows));
}

async function fetchSite(adapter: string, { values, signal }: Run): Promise<void> {
  const name = adapter.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
  const isFile = /\.ya?ml$/.test(adapter);
  const site = ADAPTERS.find(({ tag }) => tag === adapter);
  if (!site && !isFile)
    throw new UsageError("CLI_USAGE", {
      message: `no source is called "${adapter}"`,
      where: "meditron corpus fetch",
      remedy: `pubmed, pmc, semantic-scholar; sites: ${ADAPTERS.map(({ tag }) => tag).join(", ")}; or name a YAML file`,
    });
  const cache = resolve(values.text("out") ?? `cache/${name}`);
  if (values.flag("dry-run"))
    return print(false, {}, `would crawl ${values.text("base-url") ?? site?.origin ?? adapter} into ${cache}`);
  const progress = startProgress({ label: `fetch ${name}`, unit: "articles", total: values.number("limit") });
  const counts = { articles: 0, leftOut: 0 };
  const source = {
    name,
    adapter: isFile ? resolve(adapter) : adapter,
    cache,
    baseUrl: values.text("base-url"),
    maxPages: values.number("limit"),
    delayMs: values.number("delay"),
  };
  for await (const item of readGuidelineSite(source, signal)) {
    if ("document" in item) counts.articles++;
    else counts.leftOut++;
    progress.add(1);
  }
  progress.end();
  print(
    values.flag("json"),
    { cache, ...counts },
    `${cache}: ${formatCount(counts.articles)} articles, ${formatCount(counts.leftOut)} pages left out\n` +
      `read it with { type: guideline-site, adapter: ${adapter}, cache: ${cache}, offline: true }`,
  );
}

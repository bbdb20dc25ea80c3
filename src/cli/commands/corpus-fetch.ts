import { resolve } from "node:path";
import { formatCount, startProgress } from "../../core/index.ts";
import { ADAPTERS } from "../../corpus/sources/guidelines/adapters.ts";
import { readGuidelineSite } from "../../corpus/sources/guidelines/site.ts";
import { renderTable } from "../../run/table.ts";
import { type Command, UsageError } from "../command.ts";

export const corpusFetch: Command = {
  name: "corpus fetch",
  summary: "crawl a guideline site into a cache that corpus build reads offline",
  description: [
    "Keeps to robots.txt and pauses between requests. An interrupted crawl goes on where it was. Read a site's terms before you",
    "train on it: most guidelines may not be redistributed. Without a site, lists the built-in ones.",
  ].join("\n"),
  positionals: [
    { name: "site", description: "a built-in adapter, or a YAML file of selectors of your own", required: false },
  ],
  options: {
    cache: { type: "path", description: "folder for the pages; default: cache/<site>" },
    "base-url": { type: "text", value: "url", description: "crawl this address in place of the site's own (a mirror)" },
    "max-pages": { type: "count", value: "pages", description: "stop after so many pages" },
    delay: { type: "count", value: "ms", description: "pause between two requests, in milliseconds", default: 2000 },
    "dry-run": { type: "flag", description: "say what would be crawled; send no request" },
  },
  examples: [
    { command: "meditron corpus fetch", does: "which sites are known" },
    { command: "meditron corpus fetch who --max-pages 20", does: "the first pages of one, into cache/who" },
  ],
  async run({ positionals, values, signal }) {
    const json = values.flag("json");
    const [adapter] = positionals;
    if (adapter === undefined) {
      const rows = ADAPTERS.map(({ tag, name, country, license, origin }) => [
        tag,
        name,
        country ?? "",
        license ?? "unknown",
        origin,
      ]);
      const columns = ["site", "name", "country", "license", "address"].map((title) => ({ title }));
      process.stdout.write(json ? `${JSON.stringify(ADAPTERS)}\n` : `${renderTable(columns, rows)}\n`);
      return;
    }
    const name = adapter.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
    const isFile = /\.ya?ml$/.test(adapter);
    const site = ADAPTERS.find(({ tag }) => tag === adapter);
    if (!site && !isFile)
      throw new UsageError("CLI_USAGE", {
        message: `no built-in site is called "${adapter}"`,
        where: "meditron corpus fetch",
        remedy: `sites: ${ADAPTERS.map(({ tag }) => tag).join(", ")}; or name a YAML file`,
      });
    const cache = resolve(values.text("cache") ?? `cache/${name}`);
    if (values.flag("dry-run")) {
      process.stdout.write(`would crawl ${values.text("base-url") ?? site?.origin ?? adapter} into ${cache}\n`);
      return;
    }
    const progress = startProgress({ label: `fetch ${name}`, unit: "articles", total: values.number("max-pages") });
    const counts = { articles: 0, leftOut: 0 };
    for await (const item of readGuidelineSite(
      {
        name,
        adapter: isFile ? resolve(adapter) : adapter,
        cache,
        baseUrl: values.text("base-url"),
        maxPages: values.number("max-pages"),
        delayMs: values.number("delay"),
      },
      signal,
    )) {
      if ("document" in item) counts.articles++;
      else counts.leftOut++;
      progress.add(1);
    }
    progress.end();
    process.stdout.write(
      json
        ? `${JSON.stringify({ cache, ...counts })}\n`
        : `${cache}: ${formatCount(counts.articles)} articles, ${formatCount(counts.leftOut)} pages left out\n` +
            `read it with { type: guideline-site, adapter: ${adapter}, cache: ${cache}, offline: true }\n`,
    );
  },
};

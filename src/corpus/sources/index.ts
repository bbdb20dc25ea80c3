/** The reader of each source type. Readers are loaded when a recipe names them: a corpus of text needs no PDF engine. */
import type { SourceConfig } from "../config.ts";
import type { SourceItem } from "../document.ts";
import type { FileRange } from "./files.ts";
import type { SharedVersions } from "./pubmed-versions.ts";
import type { SharedPapers } from "./s2-papers.ts";

/** A source as the configuration gives it, with its name filled in. */
export type NamedSource = SourceConfig & { name: string };

export function nameSource(source: SourceConfig): NamedSource {
  const fallback =
    source.type === "guideline-site" ? source.adapter.replace(/^.*\//, "").replace(/\.ya?ml$/, "") : source.type;
  return { ...source, name: source.name ?? fallback };
}

/** What of a source is to be read, when it is not the whole. */
export interface PartOptions {
  files?: FileRange | undefined;
  /** PubMed: the versions of all files. */
  index?: { shared: SharedVersions; start: number } | undefined;
  /** Semantic Scholar: the papers that records are joined with. */
  paperIndex?: SharedPapers | undefined;
}

/** Sources whose files can be read on several threads: each is a folder of files that do not depend on each other. */
export function canBeParted(source: NamedSource): source is NamedSource & { path: string } {
  return source.type !== "guideline-site" && source.limit === undefined;
}

/** All items of a source (or of a part of it), in an order that does not depend on anything but its files. */
export async function* readSource(
  source: NamedSource,
  { signal, ...part }: PartOptions & { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<SourceItem> {
  let documents = 0;
  for await (const item of await open({ ...source, ...part }, signal)) {
    signal?.throwIfAborted();
    yield item;
    if ("document" in item && ++documents === source.limit) return;
  }
}

async function open(source: NamedSource & PartOptions, signal?: AbortSignal): Promise<AsyncIterable<SourceItem>> {
  switch (source.type) {
    case "text":
      return (await import("./text.ts")).readTextFiles(source);
    case "html":
      return (await import("./html.ts")).readHtml(source);
    case "jsonl":
      return (await import("./jsonl.ts")).readJsonl(source);
    case "parquet":
      return (await import("./parquet.ts")).readParquet(source);
    case "huggingface":
      return (await import("./huggingface.ts")).readHuggingFace(source);
    case "ngc":
      return (await import("./ngc.ts")).readNgc(source);
    case "medquad":
      return (await import("./medquad.ts")).readMedQuad(source);
    case "cnxml":
      return (await import("./cnxml.ts")).readCnxml(source);
    case "pubmed":
      return (await import("./pubmed.ts")).readPubMed(source);
    case "guideline-site":
      return (await import("./guidelines/site.ts")).readGuidelineSite(source, signal);
    case "pdf":
      return (await import("./pdf.ts")).readPdf(source);
    case "jats":
      return (await import("./jats.ts")).readJats(source);
    case "s2orc":
    case "cord19":
      return (await import("./s2orc.ts")).readS2Orc(source);
    default:
      return source satisfies never;
  }
}

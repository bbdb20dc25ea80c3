/**
 * A folder in the layout of the Hugging Face hub (a downloaded dataset repository): data files named for their split, the license
 * in the card's front matter. Reads Parquet and JSON Lines; a split is what the file names say (`train-00000-of-00002.parquet`).
 */
import { join } from "node:path";
import { parse } from "yaml";
import { ConfigError } from "../../core/errors.ts";
import { exists } from "../../core/files.ts";
import type { SourceItem } from "../document.ts";
import { listFiles, within } from "./files.ts";
import { readJsonlFile } from "./jsonl.ts";
import { readParquetFile } from "./parquet.ts";
import type { RecordOptions } from "./records.ts";
import { readText } from "./source.ts";

export interface HuggingFaceOptions extends RecordOptions {
  /** All splits when left out. */
  split?: string | undefined;
}

export async function* readHuggingFace(options: HuggingFaceOptions): AsyncGenerator<SourceItem> {
  const all = await listFiles(options.path, []);
  const data = all.filter(
    ({ relative }) => DATA_FILE.test(relative) && !/(^|\/)(dataset_infos?|state|dataset_dict)\.json$/.test(relative),
  );
  if (data.length === 0) {
    const arrow = all.find(({ relative }) => relative.endsWith(".arrow"));
    throw new ConfigError("CORPUS_NO_FILES", {
      message: `no Parquet or JSON Lines file in the folder${arrow ? `, only Arrow (${arrow.relative})` : ""}`,
      where: options.path,
      remedy: arrow
        ? 'write the data set as Parquet: datasets.load_from_disk("...").to_parquet("train.parquet")'
        : "check the path, or the source's type",
    });
  }
  const { split } = options;
  const files = split === undefined ? data : data.filter(({ relative }) => splitPattern(split).test(relative));
  if (files.length === 0)
    throw new ConfigError("CORPUS_NO_SPLIT", {
      message: `no data files of split "${split}"`,
      where: options.path,
      remedy: `the files are: ${data
        .slice(0, 5)
        .map((file) => file.relative)
        .join(", ")}`,
    });
  const withLicense = { ...options, license: options.license ?? (await cardLicense(options.path)) };
  for (const file of within(files, options.files))
    yield* file.relative.endsWith(".parquet") ? readParquetFile(file, withLicense) : readJsonlFile(file, withLicense);
}

const DATA_FILE = /\.(parquet|(jsonl|ndjson|json)(\.gz|\.zst)?)$/i;

const splitPattern = (split: string) =>
  new RegExp(`(^|[/._-])${split.replace(/[.*+?^${}()|[\\]\\\\]/g, "\\$&")}([/._-]|$)`);

/** `license:` of the dataset card. */
async function cardLicense(path: string): Promise<string | undefined> {
  const card = join(path, "README.md");
  if (!(await exists(card))) return undefined;
  const front = /^---\n([\s\S]*?)\n---/.exec(await readText(card))?.[1];
  if (!front) return undefined;
  try {
    const license = (parse(front) as { license?: unknown } | null)?.license;
    const first = Array.isArray(license) ? license[0] : license;
    return typeof first === "string" ? first : undefined;
  } catch {
    return undefined; // a card that is not YAML states no license that we can read
  }
}

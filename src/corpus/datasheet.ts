/** A datasheet of a corpus (Gebru et al. 2021, arXiv:1803.09010) in Markdown: what is in it, from where, under which license, what went. */
import { join } from "node:path";
import { exists, readJson, writeFileAtomic } from "../core/files.ts";
import { formatBytes, formatCount, formatPercent } from "../core/units.ts";
import type { CleaningSummary } from "./clean.ts";
import type { CorpusConfig } from "./config.ts";
import type { ContaminationReport } from "./decontaminate.ts";
import { type CorpusManifest, type Counts, loadManifest } from "./shards.ts";

export const DATASHEET = "datasheet.md";

export interface DatasheetDetails {
  config: CorpusConfig;
  cleaning?: CleaningSummary | undefined;
  contamination?: ContaminationReport | undefined;
  /** By split, where the corpus was tokenized. */
  tokens?: Readonly<Record<string, SplitTokens>> | undefined;
}

/** What the datasheet says of a split's tokens; the counts of a token set's own manifest. */
export interface SplitTokens {
  tokens: number;
  tokenizer: { sha256: string; vocabSize: number; endOfDocument: string };
  bySource: Readonly<Record<string, { tokens: number }>>;
  byLicense: Readonly<Record<string, { tokens: number }>>;
}

/** @returns Markdown. The same corpus gives the same text: nothing in it depends on when or where it was built. */
export function datasheet(
  manifest: CorpusManifest,
  { config, cleaning, contamination, tokens }: DatasheetDetails,
): string {
  const { splits } = manifest;
  const all = Object.values(splits);
  const documents = all.reduce((sum, counts) => sum + counts.documents, 0);
  const bytes = all.reduce((sum, counts) => sum + counts.textBytes, 0);
  const sum = (key: "bySource" | "byKind" | "byLicense" | "byLanguage" | "byYear") =>
    merge(all.map((counts) => counts[key]));
  const redistributable = all.reduce((total, counts) => total + counts.redistributable, 0);
  const share = (count: number) => formatPercent(documents === 0 ? 0 : count / documents);
  const parts = [
    "# Datasheet",
    `${formatCount(documents)} documents, ${formatBytes(bytes)} of text, built by ${manifest.tool} ` +
      `(configuration ${manifest.recipeHash.slice(0, 12)}, seed ${manifest.seed}).`,
    "## Splits",
    table(
      ["split", "documents", "text"],
      Object.entries(splits).map(([name, c]: [string, Counts]) => [
        name,
        formatCount(c.documents),
        formatBytes(c.textBytes),
      ]),
    ),
    "## Sources",
    table(
      ["source", "type", "documents", "share"],
      config.sources.map((source) => {
        const name = source.name ?? source.type;
        const count = sum("bySource")[name] ?? 0;
        return [name, source.type, formatCount(count), share(count)];
      }),
    ),
    "## Kinds",
    counts("kind", sum("byKind"), share),
    "## Licenses",
    `${formatCount(redistributable)} documents (${share(redistributable)}) may be passed on under their license; ` +
      (redistributable === documents
        ? "the corpus may be published, with each document's license."
        : "the corpus as a whole may not be published (build it with `only: redistributable` for one that may)."),
    counts("license", sum("byLicense"), share),
    "## Languages",
    counts("language", sum("byLanguage"), share),
    "## Years of publication",
    counts("year", sum("byYear"), share),
    ...(tokens ? tokenTables(tokens) : []),
    "## What was read and what was left out",
    table(
      ["stage", "in", "out", "dropped", "copies added"],
      manifest.stages.map((s) => [s.stage, ...[s.in, s.out, s.dropped, s.added].map(formatCount)]),
    ),
    manifest.drops.total === 0
      ? "Nothing was dropped."
      : `${formatCount(manifest.drops.total)} records were dropped; each stands in \`${manifest.drops.file}\` with its reason.`,
    ...(manifest.drops.total === 0
      ? []
      : [
          table(
            ["rule", "records"],
            Object.entries(manifest.drops.byRule).map(([r, n]) => [r, formatCount(n)]),
          ),
        ]),
  ];
  if (cleaning && cleaning.rules.length > 0)
    parts.push(
      "## Cleaning",
      `${formatCount(cleaning.charactersIn)} characters in, ${formatCount(cleaning.charactersOut)} out.`,
      table(
        ["rule", "documents", "changes", "characters removed"],
        cleaning.rules.map((r) => [
          r.rule,
          formatCount(r.documents),
          formatCount(r.removals),
          formatCount(r.characters),
        ]),
      ),
    );
  if (contamination)
    parts.push(
      "## Contamination",
      `Compared with ${formatCount(contamination.items)} benchmark items (${formatCount(contamination.tooShort)} too short to judge): ` +
        `${formatCount(contamination.documents)} documents hold items, and were ${config.stages.decontaminate?.action === "report" ? "kept" : "dropped"}.`,
      table(
        ["benchmark", "items", "hit"],
        Object.entries(contamination.byBenchmark).map(([name, b]) => [name, formatCount(b.items), formatCount(b.hit)]),
      ),
    );
  return `${parts.join("\n\n")}\n`;
}

function counts(name: string, values: Record<string, number>, share: (count: number) => string): string {
  const rows = Object.entries(values).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return table(
    [name, "documents", "share"],
    rows.map(([key, count]) => [key || "not stated", formatCount(count), share(count)]),
  );
}

/** Adds its tokens to the datasheet of a corpus that is built. */
export async function addTokensToDatasheet(
  directory: string,
  config: CorpusConfig,
  tokens: DatasheetDetails["tokens"],
): Promise<void> {
  const detail = async <T>(file: string) => {
    const path = join(directory, file);
    return (await exists(path)) ? readJson<T>(path) : undefined;
  };
  const details = {
    config,
    cleaning: await detail<CleaningSummary>("cleaning.json"),
    contamination: await detail<ContaminationReport>("contamination.json"),
    tokens,
  };
  await writeFileAtomic(join(directory, DATASHEET), datasheet(await loadManifest(directory), details));
}

/** Tokens of each split by source and by license, and what counted them. */
export function tokenTables(splits: Readonly<Record<string, SplitTokens>>): string[] {
  const sets = Object.entries(splits);
  const tokenizer = sets[0]?.[1].tokenizer;
  if (!tokenizer) return [];
  const by = (name: string, key: "bySource" | "byLicense") => {
    const keys = [...new Set(sets.flatMap(([, set]) => Object.keys(set[key])))].sort();
    return table(
      [name, ...sets.map(([split]) => split)],
      keys.map((one) => [one, ...sets.map(([, set]) => formatCount(set[key][one]?.tokens ?? 0))]),
    );
  };
  return [
    "## Tokens",
    `${sets.map(([split, { tokens }]) => `${formatCount(tokens)} of ${split}`).join(", ")}, counted with a tokenizer of ` +
      `${formatCount(tokenizer.vocabSize)} entries (SHA-256 ${tokenizer.sha256.slice(0, 12)}); every document ends with ${tokenizer.endOfDocument}.`,
    by("source", "bySource"),
    by("license", "byLicense"),
  ];
}

function merge(records: Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** What is behind `meditron corpus inspect`: samples, drops by rule, the cleaning audit, and the accounts checked again from the files. */
import { join } from "node:path";
import { ConfigError } from "../core/errors.ts";
import { exists, readJson } from "../core/files.ts";
import { sha256 } from "../core/hash.ts";
import { formatCount } from "../core/units.ts";
import { checkAccounts } from "./accounting.ts";
import type { CleaningSummary } from "./clean.ts";
import type { ContaminationReport } from "./decontaminate.ts";
import type { Document, Drop } from "./document.ts";
import { readDrops } from "./drop-log.ts";
import type { FilterPreview } from "./filter.ts";
import { type CorpusManifest, loadManifest, readShards } from "./shards.ts";

/** Documents chosen by a hash of their ids: the same ones each time, spread over the whole corpus. */
export async function sampleDocuments(
  directory: string,
  count: number,
  options: { seed?: number; accept?: (document: Document) => boolean } = {},
): Promise<Document[]> {
  const sample: { order: string; document: Document }[] = [];
  for await (const document of readShards(directory)) {
    if (options.accept && !options.accept(document)) continue;
    const order = sha256(`${options.seed ?? 0}:${document.id}`);
    if (sample.length === count && order >= sample.at(-1)!.order) continue;
    sample.push({ order, document });
    sample.sort((a, b) => (a.order < b.order ? -1 : 1));
    if (sample.length > count) sample.pop();
  }
  return sample.map(({ document }) => document);
}

export interface DroppedByRule {
  rule: string;
  count: number;
  samples: Drop[];
}

/** The drop log by rule, most frequent first, with the first samples of each. */
export async function dropsByRule(directory: string, samples = 5): Promise<DroppedByRule[]> {
  const { drops } = await loadManifest(directory);
  const rules = new Map<string, DroppedByRule>();
  for await (const drop of readDrops(join(directory, drops.file))) {
    const entry = rules.get(drop.rule) ?? { rule: drop.rule, count: 0, samples: [] };
    entry.count++;
    if (entry.samples.length < samples) entry.samples.push(drop);
    rules.set(drop.rule, entry);
  }
  return [...rules.values()].sort((a, b) => b.count - a.count || (a.rule < b.rule ? -1 : 1));
}

/** What cleaning removed, rule by rule, with samples (`corpus inspect --diff`). */
export async function cleaningAudit(directory: string): Promise<CleaningSummary> {
  const path = join(directory, "cleaning.json");
  if (!(await exists(path)))
    throw new ConfigError("CORPUS_NO_AUDIT", {
      message: "this corpus was built without cleaning",
      where: directory,
      remedy: "build it with `stages.clean`",
    });
  return readJson<CleaningSummary>(path);
}

/** The audit as text: each rule with its counts and, line by line, what stood there and what stands there now. */
export function formatCleaningAudit(audit: CleaningSummary, samples = 5): string {
  const share = audit.charactersIn === 0 ? 0 : (audit.charactersIn - audit.charactersOut) / audit.charactersIn;
  // Marks that a terminal does not show are what some rules remove: they are written as their code points.
  const show = (text: string) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
  const head = `${formatCount(audit.charactersIn)} characters in, ${formatCount(audit.charactersOut)} out (${(100 * share).toFixed(2)}% less)`;
  const rules = audit.rules.map((rule) => {
    const title = `${rule.rule}: ${formatCount(rule.removals)} changes in ${formatCount(rule.documents)} documents, ${formatCount(rule.characters)} characters less`;
    const lines = rule.samples
      .slice(0, samples)
      .map(({ id, before, after }) => `  ${id}\n    - ${show(before)}\n    + ${show(after)}`);
    return [title, ...lines].join("\n");
  });
  return [head, ...rules].join("\n\n");
}

/** What filters would remove, as text: each rule with its count, and the first documents it would take. */
export function formatFilterPreview({ documents, dropped, rules }: FilterPreview): string {
  const share = (count: number) => `${((100 * count) / Math.max(1, documents)).toFixed(1)}%`;
  const parts = rules.map(({ rule, documents: count, onlyByThis, samples }) =>
    [
      `${rule}: ${formatCount(count)} documents (${share(count)}), ${formatCount(onlyByThis)} of them by no other rule`,
      ...samples.map(({ id, reason, title }) => `  ${id}: ${reason}${title ? ` (${title})` : ""}`),
    ].join("\n"),
  );
  return [`${formatCount(dropped)} of ${formatCount(documents)} documents (${share(dropped)}) would go`, ...parts].join(
    "\n\n",
  );
}

/** The contamination report as text: each benchmark, then each item with the documents that hold it. */
export function formatContamination(report: ContaminationReport): string {
  const benchmarks = Object.entries(report.byBenchmark).map(
    ([name, { items, hit }]) => `${name}: ${hit} of ${items} items hit`,
  );
  const byItem = new Map<string, string[]>();
  for (const { benchmark, item, document, source, rule, overlap } of report.hits) {
    const documents = byItem.get(`${benchmark} ${item}`) ?? [];
    documents.push(`  ${document} (${source}): ${rule}, ${(100 * overlap).toFixed(0)}% of its 8-grams`);
    byItem.set(`${benchmark} ${item}`, documents);
  }
  const items = [...byItem].map(([item, documents]) => [item, ...documents].join("\n"));
  return [
    `${report.documents} documents hold items (${report.tooShort} items are too short to judge)`,
    benchmarks.join("\n"),
    ...items,
  ].join("\n\n");
}

/** Which benchmark items were hit by which documents, or undefined if the corpus was not compared with any. */
export async function contamination(directory: string): Promise<ContaminationReport | undefined> {
  const path = join(directory, "contamination.json");
  return (await exists(path)) ? readJson<ContaminationReport>(path) : undefined;
}

/**
 * Counts documents and drops from the files themselves and compares them with the manifest.
 * @throws {DataError} CORPUS_UNACCOUNTED if a record is in neither, or a shard is not what the manifest says.
 */
export async function verifyCorpus(
  directory: string,
): Promise<{ manifest: CorpusManifest; documents: number; drops: number }> {
  const manifest = await loadManifest(directory);
  let documents = 0;
  for await (const _ of readShards(directory, { verify: true })) documents++;
  let drops = 0;
  for await (const _ of readDrops(join(directory, manifest.drops.file))) drops++;
  const added = manifest.stages.reduce((sum, stage) => sum + stage.added, 0);
  checkAccounts([
    ...manifest.stages,
    { stage: "whole build", in: manifest.stages[0]?.in ?? 0, out: documents, dropped: drops, added },
  ]);
  return { manifest, documents, drops };
}

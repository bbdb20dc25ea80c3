/**
 * The first half of a build, one part of a source at a time: read, clean, judge, and stage what is left in the work folder, with
 * the features that deduplication needs. A part's folder is whole once `done.json` stands in it; until then it is made again.
 *
 *   work/00-pubmed-0003/  documents.jsonl.zst · facts.jsonl.zst · features.bin · drops.jsonl.zst · contamination.jsonl.zst · done.json
 *
 * A staged document is a line of documents.jsonl.zst, its record as it will stand in a shard, and one of facts.jsonl.zst, what is
 * counted of it: the second half of the build seldom looks into a record.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../core/errors.ts";
import { exists, readJson, writeJsonAtomic } from "../core/files.ts";
import { checkAccounts, type StageCount } from "./accounting.ts";
import { CleaningAudit, type CleaningSummary } from "./clean.ts";
import type { CorpusConfig } from "./config.ts";
import { type BenchmarkItem, contaminatedDrop, type DecontaminateOptions, Decontaminator } from "./decontaminate.ts";
import type { Document, Drop } from "./document.ts";
import { DropLog } from "./drop-log.ts";
import { type FeatureOptions, FeatureWriter } from "./features.ts";
import { brokenLimits, filterProfiles } from "./filter.ts";
import { formatRecord, type RecordFacts, recordFacts } from "./shards.ts";
import { type NamedSource, type PartOptions, readSource } from "./sources/index.ts";
import { readByteLines, ZstdLines } from "./zstd-lines.ts";

export interface StagedSource {
  /** Hash of all that the outcome depends on. */
  key: string;
  source: string;
  documents: number;
  stages: StageCount[];
  dropsByRule: Record<string, number>;
  cleaning?: CleaningSummary;
  contaminatedItems: number;
}

export interface IngestOptions {
  directory: string;
  key: string;
  signal?: AbortSignal | undefined;
  onDocuments?: ((count: number) => void) | undefined;
  benchmarkItems?: readonly BenchmarkItem[] | undefined;
  part?: PartOptions | undefined;
}

/** A judgement on one document: the document (changed or not), or why it goes. */
type Step = (document: Document) => Document | Drop;
const isDrop = (value: Document | Drop): value is Drop => "rule" in value;

const PROGRESS_EVERY = 64;
const STAGED = "documents.jsonl.zst";
const FACTS = "facts.jsonl.zst";

/** What is counted of a staged document, and where in its source it stands. */
export type StagedFacts = RecordFacts & { place: string };

const parseFacts = (line: Buffer) => JSON.parse(line.toString("utf8")) as StagedFacts;

/** Facts of a part's documents, those that are wanted by their place in it. */
export async function* readStagedFacts(
  directory: string,
  wanted: (index: number) => boolean,
): AsyncGenerator<{ index: number; facts: StagedFacts }> {
  let index = 0;
  for await (const lines of readByteLines(join(directory, FACTS)))
    for (const line of lines) {
      if (wanted(index)) yield { index, facts: parseFacts(line) };
      index++;
    }
}

/** Documents of a part as they were staged, some at a time; their records are valid until the next are asked for. */
export async function* readStaged(directory: string): AsyncGenerator<{ facts: StagedFacts; record: Buffer }[]> {
  const lines = readByteLines(join(directory, FACTS));
  let facts: Iterator<StagedFacts> = [][Symbol.iterator]();
  for await (const records of readByteLines(join(directory, STAGED))) {
    const staged: { facts: StagedFacts; record: Buffer }[] = [];
    for (const record of records) {
      let next = facts.next();
      if (next.done) {
        facts = ((await lines.next()).value as Buffer[]).map(parseFacts)[Symbol.iterator]();
        next = facts.next();
      }
      staged.push({ facts: next.value as StagedFacts, record });
    }
    yield staged;
  }
}

/** "file.xml:120" where a document's provenance says so. */
function place({ meta }: Document): string {
  const provenance = meta.provenance as { file?: string; line?: number; offset?: number } | undefined;
  if (!provenance?.file) return "";
  const at = provenance.line ?? provenance.offset;
  return `${provenance.file}${at === undefined ? "" : `:${at}`}`;
}

/** The features a configuration asks for. */
export function featureOptions(config: CorpusConfig): FeatureOptions {
  const { deduplicate } = config.stages;
  return deduplicate === false
    ? { near: false, titleMinWords: Number.POSITIVE_INFINITY }
    : { near: deduplicate.near, titleMinWords: deduplicate.titleMinWords };
}

/** Reads one source, or a part of one, into its folder, unless it stands there already, whole and made from the same inputs. */
export async function ingest(source: NamedSource, config: CorpusConfig, options: IngestOptions): Promise<StagedSource> {
  const donePath = join(options.directory, "done.json");
  if (await exists(donePath)) {
    const done = await readJson<StagedSource>(donePath);
    if (done.key === options.key) {
      options.onDocuments?.(done.documents);
      return done;
    }
  }
  await rm(options.directory, { recursive: true, force: true });
  const documents = await ZstdLines.create(join(options.directory, STAGED), { level: 1 });
  const facts = await ZstdLines.create(join(options.directory, FACTS), { level: 1 });
  const features = await FeatureWriter.create(join(options.directory, "features.bin"), featureOptions(config));
  const drops = await DropLog.create(join(options.directory, "drops.jsonl.zst"));
  const contamination = await ZstdLines.create(join(options.directory, "contamination.jsonl.zst"), { level: 1 });
  try {
    const audit = new CleaningAudit();
    const steps = await makeSteps(config, audit, contamination, options.benchmarkItems);
    const counts = steps.map(({ stage }): StageCount => ({ stage, in: 0, out: 0, dropped: 0, added: 0 }));
    const reading: StageCount = { stage: "read", in: 0, out: 0, dropped: 0, added: 0 };
    let unreported = 0;
    items: for await (const item of readSource(source, { ...options.part, signal: options.signal })) {
      reading.in++;
      if (++unreported === PROGRESS_EVERY) {
        options.onDocuments?.(unreported);
        unreported = 0;
      }
      const problem = "drop" in item ? item.drop : malformed(item.document);
      if (problem) {
        reading.dropped++;
        await drops.write(problem);
        continue;
      }
      reading.out++;
      let document = (item as { document: Document }).document;
      for (const [index, { step }] of steps.entries()) {
        const count = counts[index]!;
        count.in++;
        const result = step(document);
        if (isDrop(result)) {
          count.dropped++;
          await drops.write(result);
          continue items;
        }
        count.out++;
        document = result;
      }
      await documents.write(formatRecord(document));
      await facts.write(JSON.stringify({ ...recordFacts(document), place: place(document) } satisfies StagedFacts));
      await features.write(document);
    }
    options.onDocuments?.(unreported);
    const stages = [reading, ...counts];
    checkAccounts(stages);
    const done: StagedSource = {
      key: options.key,
      source: source.name,
      documents: documents.lines,
      stages,
      dropsByRule: drops.byRule,
      ...(config.stages.clean !== false && { cleaning: audit.summary() }),
      contaminatedItems: contamination.lines,
    };
    const dropped = stages.reduce((sum, stage) => sum + stage.dropped, 0);
    if (drops.count !== dropped || reading.in !== documents.lines + dropped)
      throw new DataError("CORPUS_UNACCOUNTED", {
        message: `${reading.in} records were read, ${documents.lines} staged, ${drops.count} are in the drop log`,
        where: `source ${source.name}`,
        remedy: "this is a bug: please report it with the recipe; no corpus was written",
      });
    await documents.commit();
    await facts.commit();
    await features.commit();
    await drops.commit();
    await contamination.commit();
    await writeJsonAtomic(donePath, done);
    return done;
  } catch (error) {
    await Promise.allSettled([
      documents.abort(),
      facts.abort(),
      features.abort(),
      drops.abort(),
      contamination.abort(),
    ]);
    throw error;
  }
}

const decontaminators = new WeakMap<readonly BenchmarkItem[], Decontaminator>();

/** The tables of a build's items are made once a thread, not once a part. */
function decontaminatorOf(items: readonly BenchmarkItem[], options: DecontaminateOptions): Decontaminator {
  const made = decontaminators.get(items) ?? new Decontaminator(items, options);
  decontaminators.set(items, made);
  return made;
}

async function makeSteps(
  config: CorpusConfig,
  audit: CleaningAudit,
  contamination: ZstdLines,
  items: readonly BenchmarkItem[] = [],
): Promise<{ stage: string; step: Step }[]> {
  const { clean, language, filter, decontaminate, deidentify } = config.stages;
  const steps: { stage: string; step: Step }[] = [];
  if (config.only === "redistributable")
    steps.push({
      stage: "license",
      step: (document) =>
        document.redistributable
          ? document
          : goes(
              document,
              "license.not-redistributable",
              `its license (${document.license}) does not allow passing it on`,
            ),
    });
  if (deidentify) {
    const { deidentifyText } = await import("./deidentify.ts");
    const { withText } = await import("./document.ts");
    steps.push({
      stage: "deidentify",
      step: (document) =>
        deidentify.kinds.includes(document.kind) ? withText(document, deidentifyText(document.text).text) : document,
    });
  }
  if (clean !== false)
    steps.push({
      stage: "clean",
      step: (document) => {
        const cleaned = audit.clean(document, clean.rules as Parameters<CleaningAudit["clean"]>[1]);
        return cleaned.text.trim() === "" ? goes(document, "clean.empty", "nothing is left after cleaning") : cleaned;
      },
    });
  if (language) {
    const { checkLanguage } = await import("./language.ts");
    steps.push({
      stage: "language",
      step: (document) => (language.kinds.includes(document.kind) ? checkLanguage(document, language) : document),
    });
  }
  if (filter) {
    const profiles = filterProfiles(filter as Parameters<typeof filterProfiles>[0]);
    steps.push({ stage: "filter", step: (document) => brokenLimits(document, profiles[document.kind])[0] ?? document });
  }
  if (decontaminate) {
    const decontaminator = decontaminatorOf(items, decontaminate);
    steps.push({
      stage: "decontaminate",
      step: (document) => {
        const hits = decontaminator.check(document);
        for (const hit of hits) void contamination.write(JSON.stringify(hit));
        return hits.length > 0 && decontaminate.action === "drop"
          ? contaminatedDrop(document, hits, decontaminate)
          : document;
      },
    });
  }
  return steps;
}

/** A record that became no proper document. */
function malformed(document: Document): Drop | undefined {
  if (document.id === "") return goes(document, "read.no-id", "the record has no id");
  if (document.text.trim() === "") return goes(document, "read.no-text", "the record has no text");
  return undefined;
}

function goes(document: Document, rule: string, reason: string): Drop {
  return {
    id: document.id,
    source: document.source,
    rule,
    reason,
    title: document.title,
    characters: document.text.length,
  };
}

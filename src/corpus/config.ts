/** What a recipe says under `corpora:`: sources, stages, split. Unknown keys are errors; every problem is reported at once. */
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "../core/errors.ts";
import { CLEANING_RULES } from "./clean.ts";
import { spdxLicense } from "./licenses.ts";

const kind = z.enum(["guideline", "abstract", "paper", "replay", "other"]);
const fraction = z.number().min(0).max(1);
const perKind = <T extends z.ZodType>(value: T) =>
  z.strictObject({
    guideline: value.optional(),
    abstract: value.optional(),
    paper: value.optional(),
    replay: value.optional(),
    other: value.optional(),
  });

// ── sources ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const common = {
  /** Shown in ids, counts and reports. Defaults to the type. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/, "use lower-case letters, digits, '.', '_' and '-'")
    .optional(),
  kind: kind.optional(),
  /** SPDX id, for sources whose records state none. */
  license: z
    .string()
    .refine((stated) => stated === "unknown" || spdxLicense(stated) !== "unknown", {
      error: ({ input }) =>
        `${JSON.stringify(input)} is no license that we know; expected an SPDX id such as "CC-BY-4.0", "public domain", "unknown", or "LicenseRef-..." for one of your own`,
    })
    .optional(),
  redistributable: z.boolean().optional(),
  /** ISO date on which the files were obtained. */
  retrieved: z
    .string()
    .regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, "use an ISO date such as 2024-05-31")
    .optional(),
  /** Documents to take at most: for trials. */
  limit: z.int().positive().optional(),
};
const folder = { ...common, path: z.string().min(1) };
const fields = z.strictObject({
  text: z.string().optional(),
  id: z.string().optional(),
  title: z.string().optional(),
  url: z.string().optional(),
  license: z.string().optional(),
  published: z.string().optional(),
  language: z.string().optional(),
});

export const sourceConfigSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("text"),
    ...folder,
    documentPer: z.enum(["file", "section"]).optional(),
    extensions: z.array(z.string().startsWith(".")).optional(),
  }),
  z.strictObject({ type: z.literal("jsonl"), ...folder, fields: fields.optional() }),
  z.strictObject({ type: z.literal("parquet"), ...folder, fields: fields.optional() }),
  z.strictObject({
    type: z.literal("huggingface"),
    ...folder,
    fields: fields.optional(),
    split: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("html"), ...folder }),
  z.strictObject({
    type: z.literal("guideline-site"),
    ...common,
    /** One of the built-in adapters ("who", "nice" ...), or a YAML file of selectors. */
    adapter: z.string().min(1),
    /** Where the crawl keeps its pages: an interrupted crawl goes on from there, a finished one is read offline. */
    cache: z.string().min(1),
    /** Crawl this address in place of the adapter's own (a mirror, a local copy). */
    baseUrl: z.url().optional(),
    /** Read the cache only; no request leaves the machine. */
    offline: z.boolean().optional(),
    delayMs: z.int().min(0).optional(),
    maxPages: z.int().positive().optional(),
  }),
  z.strictObject({ type: z.literal("ngc"), ...folder }),
  z.strictObject({ type: z.literal("cnxml"), ...folder }),
  z.strictObject({ type: z.literal("medquad"), ...folder }),
  z.strictObject({ type: z.literal("pdf"), ...folder }),
  z.strictObject({
    type: z.literal("pubmed"),
    ...folder,
    /** "newest" honours updates and deletions, and reads the files twice; "all" is for a baseline alone. */
    versions: z.enum(["newest", "all"]).optional(),
    /** Keep citations without abstract as their title alone. */
    titlesOnly: z.boolean().optional(),
    retracted: z.enum(["drop", "keep"]).optional(),
  }),
  z.strictObject({ type: z.literal("jats"), ...folder, retracted: z.enum(["drop", "keep"]).optional() }),
  z.strictObject({
    type: z.literal("s2orc"),
    ...folder,
    /** Folder of the `papers` dataset of the same release: titles, ids, dates, citations; what PubMed does not know goes. */
    papers: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("cord19"), ...folder }),
]);

export type SourceConfig = z.infer<typeof sourceConfigSchema>;

// ── stages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const cleanRules = z.array(z.enum([...new Set(CLEANING_RULES.map((rule) => rule.name))] as [string, ...string[]]));

const NEAR = { shingleWords: 5, bands: 14, rowsPerBand: 8, minSimilarity: 0.75 };

/** Limits of the quality filter; a limit that is left out is not applied. */
export const filterProfileSchema = z.strictObject({
  minWords: z.int().min(0).optional(),
  maxWords: z.int().positive().optional(),
  minMeanWordLength: z.number().positive().optional(),
  maxMeanWordLength: z.number().positive().optional(),
  minAlphabeticFraction: fraction.optional(),
  maxSymbolFraction: fraction.optional(),
  maxDuplicateLineFraction: fraction.optional(),
  maxDuplicateParagraphFraction: fraction.optional(),
  maxTopBigramFraction: fraction.optional(),
  maxDuplicateTenGramFraction: fraction.optional(),
  maxEllipsisLineFraction: fraction.optional(),
  maxReplacementFraction: fraction.optional(),
  minStopWords: z.int().min(0).optional(),
});

export type FilterProfile = z.infer<typeof filterProfileSchema>;

export const stagesConfigSchema = z.strictObject({
  /** Rules by kind in place of the defaults; `false` switches cleaning off. */
  clean: z.union([z.literal(false), z.strictObject({ rules: perKind(cleanRules).optional() })]).default({}),
  /** Keep these languages only. */
  language: z
    .strictObject({
      keep: z
        .array(z.string().regex(/^[a-z]{2,3}$/))
        .min(1)
        .default(["en"]),
      /** Kinds the rule applies to. */
      kinds: z.array(kind).default(["guideline", "abstract", "paper", "other"]),
      /** A source's own statement decides, without looking at the text. */
      trustStated: z.boolean().default(false),
    })
    .optional(),
  /** Limits by kind, on top of the default profiles; `{}` takes the defaults as they are. */
  filter: perKind(filterProfileSchema).optional(),
  deduplicate: z
    .union([
      z.literal(false),
      z.strictObject({
        title: z.boolean().default(true),
        /** Titles of fewer words ("Introduction") say nothing. */
        titleMinWords: z.int().min(1).default(5),
        near: z
          .union([
            z.literal(false),
            z.strictObject({
              shingleWords: z.int().min(1).max(20).default(5),
              bands: z.int().min(1).max(64).default(14),
              rowsPerBand: z.int().min(1).max(32).default(8),
              /**
               * Documents that share a band are compared again by all their minima: two guidelines with the same chapter on
               * methods share bands at a Jaccard similarity of 0.5. 0 takes every shared band for a duplicate, as web pipelines do.
               */
              minSimilarity: fraction.default(0.75),
            }),
          ])
          .default(NEAR),
        /** Memory for keys before they go to disk. */
        memoryBytes: z
          .int()
          .min(1 << 20)
          .default(512 << 20),
      }),
    ])
    .default({
      title: true,
      titleMinWords: 5,
      near: NEAR,
      memoryBytes: 512 << 20,
    }),
  decontaminate: z
    .strictObject({
      /** Names of the recipe's benchmarks, or JSON Lines files with `text` (and `id`, `benchmark`). */
      benchmarks: z.array(z.string()).min(1),
      action: z.enum(["drop", "report"]).default("drop"),
      /** An item is hit if a document holds any n-gram of it of this many words ... */
      collisionWords: z.int().min(5).max(50).default(13),
      /** ... or this share of its 8-grams (SPEC 1f). */
      overlapWords: z.int().min(3).max(20).default(8),
      overlapFraction: fraction.default(0.8),
    })
    .optional(),
  /** Removes names, dates, ids and contacts from clinical text. Off unless asked for. */
  deidentify: z.strictObject({ kinds: z.array(kind).default(["other"]) }).optional(),
  /** Quality upsampling of PubMed papers and abstracts (SPEC 1b.6), an ablation of the paper. */
  upsample: z
    .strictObject({
      upfold: z.number().min(0).default(1),
      seed: z.int().min(0).default(42),
      referenceDate: z
        .string()
        .regex(/^\d{4}-\d{2}-\d{2}$/)
        .default("2023-07-15"),
      /** A file with one journal name a line, scored 1 (the paper: 423 journals that UpToDate's authors read). */
      journals: z.string().optional(),
      /** Folder of PubMed XML: publication types and MeSH of documents whose own source states none (S2ORC, PMC), by PMID. */
      citations: z.string().optional(),
    })
    .optional(),
});

export type StagesConfig = z.infer<typeof stagesConfigSchema>;

export const corpusConfigSchema = z.strictObject({
  sources: z.array(sourceConfigSchema).min(1, "a corpus needs at least one source"),
  stages: stagesConfigSchema.default(() => stagesConfigSchema.parse({})),
  /** Share of documents held out for validation: one number, or one a kind (MEDITRON: 5% guidelines, 3% papers and abstracts, 0 replay). */
  validationFraction: z.union([fraction, perKind(fraction)]).default({}),
  seed: z.int().min(0).default(1234),
  only: z.enum(["all", "redistributable"]).default("all"),
  /** Of uncompressed records, about: a shard ends with the document that passes it. */
  shardBytes: z
    .int()
    .min(1024)
    .default(256 << 20),
});

/** A corpus as a recipe gives it. */
export type CorpusConfigInput = z.input<typeof corpusConfigSchema>;
/** A corpus with all defaults filled in. */
export type CorpusConfig = z.output<typeof corpusConfigSchema>;

/**
 * Checks a corpus configuration.
 * @throws {ConfigError} CORPUS_BAD_CONFIG listing every problem with its key.
 */
export function parseCorpusConfig(value: unknown, where = "corpus"): CorpusConfig {
  const parsed = corpusConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const key = issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
    return `${key.replace(/^\./, "") || "(top)"}: ${issue.message}`;
  });
  throw new ConfigError("CORPUS_BAD_CONFIG", {
    message: problems.length === 1 ? problems[0]! : `${problems.length} problems\n  ${problems.join("\n  ")}`,
    where,
    remedy: "see docs/guide for the keys of a corpus and their values",
    fields: { problems },
  });
}

/** The configuration with all paths absolute. @param base - The folder that relative paths start from (the recipe's). */
export function resolvePaths(config: CorpusConfig, base: string): CorpusConfig {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(base, path));
  const { upsample } = config.stages;
  return {
    ...config,
    stages: {
      ...config.stages,
      ...(upsample && {
        upsample: {
          ...upsample,
          ...(upsample.journals !== undefined && { journals: absolute(upsample.journals) }),
          ...(upsample.citations !== undefined && { citations: absolute(upsample.citations) }),
        },
      }),
    },
    sources: config.sources.map((source) =>
      source.type === "guideline-site"
        ? {
            ...source,
            cache: absolute(source.cache),
            adapter: /\.ya?ml$/.test(source.adapter) ? absolute(source.adapter) : source.adapter,
          }
        : {
            ...source,
            path: absolute(source.path),
            ...("papers" in source && source.papers !== undefined && { papers: absolute(source.papers) }),
          },
    ),
  };
}

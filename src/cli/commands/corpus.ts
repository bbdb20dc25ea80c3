import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import { ConfigError, formatBytes, formatCount, fromSystemError } from "../../core/index.ts";
import { addTokensToDatasheet } from "../../corpus/datasheet.ts";
import { previewFilters } from "../../corpus/filter.ts";
import {
  type CorpusConfig,
  type CorpusManifest,
  corpusConfigSchema,
  type Drop,
  loadManifest,
  readDrops,
  readShards,
  resolvePaths,
} from "../../corpus/index.ts";
import {
  cleaningAudit,
  contamination,
  formatCleaningAudit,
  formatContamination,
  formatFilterPreview,
} from "../../corpus/inspect.ts";
import { nameSource } from "../../corpus/sources/index.ts";
import { loadRecipe } from "../../run/load-recipe.ts";
import { check, locate, problemsError } from "../../run/problems.ts";
import { benchmarkItems, buildCorpusWithProgress } from "../../run/stages/corpus.ts";
import { tokenizeSplits } from "../../run/stages/tokens.ts";
import { renderTable } from "../../run/table.ts";
import type { Command } from "../command.ts";
import { namedTokenizer, tokenOptions } from "./tokenize.ts";

export const corpusBuild: Command = {
  name: "corpus build",
  summary: "sources to cleaned, deduplicated document shards with manifest and drop log",
  description: [
    "The file holds what stands under one name of `corpora:` in a recipe: sources, stages, validationFraction. Relative paths",
    "start at the file's folder. Run again after an interruption, it goes on; with nothing changed, it returns at once.",
  ].join("\n"),
  positionals: [{ name: "corpus.yaml", description: "sources and stages of one corpus" }],
  options: {
    out: { type: "path", required: true, description: "folder for the shards" },
    benchmarks: {
      type: "path",
      value: "recipe.yaml",
      description: "a recipe whose benchmarks `decontaminate` may name (or all of them: [all])",
    },
    only: {
      type: "text",
      value: "which",
      description: "all, or redistributable: only what may be published; default: what the file says",
    },
    tokenizer: {
      type: "path",
      description:
        "also write token files, <out>/tokens, and count them in the datasheet: a tokenizer.json or its folder",
    },
    ...tokenOptions,
    threads: { type: "count", value: "n", description: "threads that read sources; default: one a core" },
    "dry-run": { type: "flag", description: "check the settings; read nothing" },
  },
  examples: [
    {
      command: "meditron corpus build my-corpus.yaml --out corpora/mine",
      does: "build a corpus from files of your own",
    },
    {
      command: "meditron corpus build my-corpus.yaml --out corpora/open --only redistributable --tokenizer llama/",
      does: "a corpus that may be published, tokenized, with its datasheet",
    },
  ],
  async run({ positionals, values, signal }) {
    const config = await loadCorpusConfig(positionals[0]!);
    const only = values.text("only");
    if (only !== undefined) {
      if (only !== "all" && only !== "redistributable")
        throw new ConfigError("CLI_USAGE", {
          message: `--only "${only}" is not known`,
          where: "meditron corpus build",
          remedy: "all or redistributable",
        });
      config.only = only;
    }
    const directory = resolve(values.text("out")!);
    const tokenizerPath = values.text("tokenizer");
    const tokenizer = tokenizerPath === undefined ? undefined : await namedTokenizer(tokenizerPath, values);
    if (values.flag("dry-run")) {
      process.stdout.write(
        `${positionals[0]}: valid, ${config.sources.length} sources; shards would go to ${directory}\n`,
      );
      return;
    }
    const recipeFile = values.text("benchmarks");
    const recipe = recipeFile && (await loadRecipe(recipeFile, { runs: "runs", missingPaths: "list" })).recipe;
    const manifest = await buildCorpusWithProgress(basename(directory), config, {
      directory,
      ...(recipe && { benchmarks: await benchmarkItems(config, recipe, dirname(resolve(recipeFile))) }),
      signal,
      threads: values.number("threads"),
    });
    await warnOfEmptySources(config, manifest, directory);
    if (tokenizer) {
      const sets = await tokenizeSplits(manifest, tokenizer, {
        label: `${basename(directory)} tokens`,
        from: directory,
        to: join(directory, "tokens"),
        signal,
      });
      await addTokensToDatasheet(directory, config, sets);
    }
    printManifest(manifest, directory, values.flag("json"));
  },
};

/** A source without a single document is a mistake in the settings more often than not: say so, with the first reason. */
async function warnOfEmptySources(config: CorpusConfig, manifest: CorpusManifest, directory: string): Promise<void> {
  const splits = Object.values(manifest.splits);
  const empty = new Map<string, Drop | undefined>();
  for (const { name } of config.sources.map(nameSource))
    if (!splits.some(({ bySource }) => bySource[name])) empty.set(name, undefined);
  if (empty.size === 0) return;
  for await (const drop of readDrops(join(directory, manifest.drops.file)))
    if (empty.has(drop.source) && !empty.get(drop.source)) empty.set(drop.source, drop);
  for (const [name, drop] of empty)
    process.stderr.write(
      `no document came from the source "${name}"${drop ? `; the first record left out: ${drop.id}: ${drop.reason} (${drop.rule})` : ": it holds no record"}\n`,
    );
}

export const corpusInspect: Command = {
  name: "corpus inspect",
  summary: "what a corpus holds: counts by source and license, drops by rule, documents",
  positionals: [{ name: "folder", description: "a folder that corpus build or a run wrote" }],
  options: {
    document: { type: "text", value: "id", description: "print this document, or why it was dropped" },
    drops: { type: "text", value: "rule", description: "list what this rule left out" },
    sample: { type: "count", value: "n", description: "print the first n documents" },
    diff: { type: "flag", description: "what cleaning removed, rule by rule, with samples" },
    preview: {
      type: "path",
      value: "corpus.yaml",
      description: "what this file's filter limits would remove of the corpus, before they are applied",
    },
    contamination: { type: "flag", description: "which benchmark items were hit by which documents" },
    verify: { type: "flag", description: "compare every shard with the manifest's hash and count" },
  },
  examples: [
    { command: "meditron corpus inspect runs/demo/corpus/medical", does: "the manifest as tables" },
    {
      command: "meditron corpus inspect runs/demo/corpus/medical --document pmid:9200048",
      does: "one document, or the rule that left it out",
    },
  ],
  async run({ positionals, values }) {
    const directory = resolve(positionals[0]!);
    const manifest = await loadManifest(directory);
    const json = values.flag("json");
    const write = (value: unknown, text: string) => process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    const wanted = values.text("document");
    if (wanted !== undefined) {
      for await (const document of readShards(directory))
        if (document.id === wanted) {
          const { text, ...facts } = document;
          return void write(document, `${JSON.stringify(facts, null, 2)}\n\n${text}`);
        }
      for await (const drop of readDrops(resolve(directory, manifest.drops.file)))
        if (drop.id === wanted) return void write(drop, JSON.stringify(drop, null, 2));
      throw new ConfigError("CORPUS_NO_DOCUMENT", {
        message: `no document and no drop has the id "${wanted}"`,
        where: directory,
        remedy: "ids look like pmid:123, pmc:PMC123 or <source>:<hash>; --sample 3 shows some",
      });
    }
    const rule = values.text("drops");
    if (rule !== undefined) {
      const rules = Object.keys(manifest.drops.byRule);
      if (!rules.includes(rule))
        throw new ConfigError("CORPUS_NO_RULE", {
          message: `no document was dropped by a rule "${rule}"`,
          where: directory,
          remedy: rules.length > 0 ? `rules that dropped some: ${rules.join(", ")}` : "nothing was dropped",
        });
      for await (const drop of readDrops(resolve(directory, manifest.drops.file)))
        if (drop.rule === rule) write(drop, `${drop.id}: ${drop.reason}${drop.title ? ` (${drop.title})` : ""}`);
      return;
    }
    if (values.flag("diff")) {
      const audit = await cleaningAudit(directory);
      return void write(audit, formatCleaningAudit(audit));
    }
    const limits = values.text("preview");
    if (limits !== undefined) {
      const { stages } = await loadCorpusConfig(limits);
      const preview = await previewFilters(
        readShards(directory),
        stages.filter as Parameters<typeof previewFilters>[1],
      );
      return void write(preview, formatFilterPreview(preview));
    }
    if (values.flag("contamination")) {
      const report = await contamination(directory);
      if (!report)
        throw new ConfigError("CORPUS_NOT_COMPARED", {
          message: "this corpus was compared with no benchmark",
          where: directory,
          remedy: "build it with `stages.decontaminate`",
        });
      return void write(report, formatContamination(report));
    }
    const sample = values.number("sample");
    if (sample !== undefined) {
      let shown = 0;
      for await (const document of readShards(directory)) {
        if (shown++ >= sample) break;
        write(document, `── ${document.id} (${document.source}, ${document.license})\n${document.text}\n`);
      }
      return;
    }
    if (values.flag("verify")) for await (const _ of readShards(directory, { verify: true }));
    printManifest(manifest, directory, json);
    if (values.flag("verify") && !json) process.stdout.write("\nevery shard is what the manifest says\n");
  },
};

async function loadCorpusConfig(file: string) {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fromSystemError(error, file, "reading the corpus settings");
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const broken = document.errors[0];
  if (broken)
    throw new ConfigError("RECIPE_YAML", {
      message: `not valid YAML: ${broken.message.split("\n")[0]}`,
      where: file,
      remedy: "correct the line",
    });
  const checked = check(corpusConfigSchema, document.toJS() ?? {});
  if (checked.value) return resolvePaths(checked.value, dirname(resolve(file)));
  const root = isNode(document.contents) ? document.contents : null;
  throw problemsError(
    "CORPUS_BAD_CONFIG",
    file,
    checked.problems.map((problem) => ({ ...problem, place: locate(root, problem.path, lines) })),
  );
}

function printManifest(manifest: CorpusManifest, directory: string, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(manifest)}\n`);
    return;
  }
  const splits = Object.entries(manifest.splits);
  const by = (title: string, key: "bySource" | "byKind" | "byLicense") => {
    const names = [...new Set(splits.flatMap(([, split]) => Object.keys(split[key])))].sort();
    return renderTable(
      [{ title }, ...splits.map(([split]) => ({ title: split, align: "right" as const }))],
      names.map((name) => [name || "not stated", ...splits.map(([, split]) => formatCount(split[key][name] ?? 0))]),
    );
  };
  const parts = [
    `${directory}\n${splits.map(([split, { documents, textBytes }]) => `${split}: ${formatCount(documents)} documents, ${formatBytes(textBytes)} of text`).join("\n")}`,
    by("source", "bySource"),
    by("kind", "byKind"),
    by("license", "byLicense"),
  ];
  const drops = Object.entries(manifest.drops.byRule);
  if (drops.length > 0)
    parts.push(
      renderTable(
        [{ title: "left out by rule" }, { title: "documents", align: "right" }],
        drops.map(([rule, n]) => [rule, formatCount(n)]),
      ),
    );
  const stages = manifest.stages.map(({ stage, in: entered, out, dropped, added }) => [
    stage,
    ...[entered, added, out, dropped].map(formatCount),
  ]);
  parts.push(
    renderTable(
      [{ title: "stage" }, ...["in", "added", "out", "dropped"].map((title) => ({ title, align: "right" as const }))],
      stages,
    ),
  );
  process.stdout.write(`${parts.join("\n\n")}\n`);
}

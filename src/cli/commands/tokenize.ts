import { basename, join, resolve } from "node:path";
import {
  CancelledError,
  ConfigError,
  DataError,
  exists,
  formatBytes,
  formatCount,
  startProgress,
} from "../../core/index.ts";
import { type Document, loadManifest, MANIFEST, readShards } from "../../corpus/index.ts";
import { nameSource, readSource } from "../../corpus/sources/index.ts";
import { loadTokenizer, type TokenManifest, tokenizeDocuments, tokenizeShards } from "../../tokens/index.ts";
import type { Command } from "../command.ts";

/** Of every command that tokenizes. */
export const tokenOptions = {
  "special-tokens": { type: "text", description: "tokens to add: none, meditron or meditron-chat", default: "none" },
  "end-of-document": {
    type: "text",
    value: "token",
    description: "ends every document; default: the tokenizer's own",
  },
} satisfies Command["options"];

/** The tokenizer of `--tokenizer`, with what `tokenOptions` say. */
export async function namedTokenizer(path: string, values: Parameters<Command["run"]>[0]["values"]) {
  const special = values.text("special-tokens")!;
  if (special !== "none" && special !== "meditron" && special !== "meditron-chat")
    throw new ConfigError("CLI_USAGE", {
      message: `--special-tokens "${special}" is not known`,
      remedy: "none, meditron or meditron-chat",
    });
  const end = values.text("end-of-document");
  return loadTokenizer(path, { specialTokens: special, ...(end === undefined ? {} : { endOfDocument: end }) });
}

export const tokenize: Command = {
  name: "tokenize",
  summary: "documents to Megatron token files (.bin and .idx)",
  description: [
    "Takes corpus folders (their training split, or --split), .jsonl files with a `text` in each line (plain, .gz or .zst), and",
    "text files, each of them one document. Every document ends with the tokenizer's end-of-document token.",
  ].join("\n"),
  positionals: [{ name: "input", description: "corpus folders, .jsonl or text files", variadic: true }],
  options: {
    tokenizer: {
      type: "path",
      required: true,
      description: "a Hugging Face tokenizer.json, or the folder that holds it",
    },
    out: {
      type: "path",
      value: "prefix",
      required: true,
      description: "writes prefix.bin, prefix.idx, prefix.tokens.json",
    },
    split: { type: "text", description: "split of corpus folders: train or validation", default: "train" },
    ...tokenOptions,
    threads: { type: "count", value: "n", description: "encoding threads; default: one a core" },
  },
  examples: [
    {
      command: "meditron tokenize --tokenizer tokenizer.json --out tokens/train corpora/mine",
      does: "the training split of a corpus",
    },
    {
      command:
        "meditron tokenize --tokenizer llama/ --special-tokens meditron --end-of-document '<EOD>' --out tokens/gap a.jsonl.gz b.jsonl.gz",
      does: "JSON Lines files, with MEDITRON's tokens",
    },
  ],
  async run({ positionals, values, signal }) {
    const split = values.text("split")!;
    const tokenizer = await namedTokenizer(values.text("tokenizer")!, values);
    const prefix = resolve(values.text("out")!);
    const threads = values.number("threads");
    const progress = startProgress({ label: `tokenize ${basename(prefix)}`, unit: "documents" });
    const options = { signal, progress, ...(threads ? { threads } : {}) };
    const inputs = positionals.map((path) => resolve(path));
    const shards = await shardsOf(inputs, split);
    const manifest = shards
      ? await tokenizeShards(shards, tokenizer, prefix, options)
      : await tokenizeDocuments(readInputs(inputs, split, signal), tokenizer, prefix, options);
    progress.end();
    print(manifest, prefix, values.flag("json"));
  },
};

/** All shards when every input is a corpus folder; then an interrupted run goes on at the last whole shard. */
async function shardsOf(inputs: string[], split: string): Promise<string[] | undefined> {
  const shards: string[] = [];
  for (const input of inputs) {
    if (!(await exists(join(input, MANIFEST)))) return undefined;
    const manifest = await loadManifest(input);
    const found = manifest.shards.filter((shard) => shard.split === split);
    if (found.length === 0)
      throw new ConfigError("CORPUS_NO_SPLIT", {
        message: `the corpus has no split "${split}"`,
        where: input,
        remedy: `splits: ${Object.keys(manifest.splits).join(", ")}`,
      });
    shards.push(...found.map(({ file }) => join(input, file)));
  }
  return shards;
}

/** Documents of mixed inputs. A record that cannot be read ends the work: there is no drop log here to keep it in. */
async function* readInputs(inputs: string[], split: string, signal: AbortSignal): AsyncGenerator<Document> {
  for (const input of inputs) {
    if (await exists(join(input, MANIFEST))) {
      await shardsOf([input], split); // says which splits there are when this one is missing
      for await (const document of readShards(input, { split: split === "validation" ? "validation" : "train" })) {
        if (signal.aborted) throw new CancelledError();
        yield document;
      }
      continue;
    }
    const type = /\.jsonl(\.gz|\.zst)?$/.test(input) ? "jsonl" : "text";
    for await (const item of readSource(nameSource({ type, path: input, name: "file" }), { signal })) {
      if (signal.aborted) throw new CancelledError();
      if ("document" in item) yield item.document;
      else
        throw new DataError("TOKENS_BAD_RECORD", {
          message: item.drop.reason,
          where: item.drop.where ?? item.drop.id,
          remedy:
            "repair or remove the record, or build a corpus first (meditron corpus build), which keeps such records in its drop log",
        });
    }
  }
}

function print(manifest: TokenManifest, prefix: string, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ prefix, ...manifest })}\n`);
    return;
  }
  const { documents, tokens, textBytes, tokenizer, files } = manifest;
  process.stdout.write(
    `${prefix}.bin and .idx: ${formatCount(tokens)} tokens of ${formatCount(documents)} documents (${formatBytes(files.bin.bytes)})\n` +
      `${(textBytes / Math.max(1, tokens)).toFixed(2)} bytes of text a token; every document ends with ${tokenizer.endOfDocument} (${tokenizer.endOfDocumentId})\n`,
  );
}

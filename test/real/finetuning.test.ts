/** Finetuning sets in the formats in which they are published: real questions, each read the same from every format. */
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import {
  type Benchmark,
  type BenchmarkConfig,
  benchmarkConfigSchema,
  loadBenchmark,
} from "../../src/eval/benchmarks/index.ts";
import { findTaught, finetuningMessages } from "../../src/eval/index.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { finetuningExamples } from "../../src/train/index.ts";
import { realData } from "./data.ts";

const folder = realData("benchmarks");
const tokenizerFile = realData("tokenizers/llama2.tokenizer.json");
const at = mkdtempSync(join(tmpdir(), "meditron-real-sft-"));
const file = (name: string) => join(at, name);
const load = (config: object): Promise<Benchmark> =>
  loadBenchmark(benchmarkConfigSchema.parse(config) as BenchmarkConfig, { name: "real", directory: folder! });

/** Rows as the hub keeps them: nested columns and all. */
async function writeParquet(rows: object[], name: string): Promise<string> {
  const lines = file(`${name}.rows.jsonl`);
  writeFileSync(lines, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const connection = await (await DuckDBInstance.create()).connect();
  const read = `read_json('${lines}', format = 'newline_delimited', sample_size = -1, maximum_object_size = 100000000)`;
  await connection.run(`COPY (SELECT * FROM ${read}) TO '${file(name)}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  return file(name);
}

const readLines = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.skipIf(!folder || !tokenizerFile)("finetuning sets (needs ../shared/data)", () => {
  test("MedMCQA: JSON Lines, compressed, Parquet and CSV hold the same questions, answers and explanations", async () => {
    const source = `${folder}/medmcqa/dev.json`;
    const rows = readLines(source);
    await pipeline([readFileSync(source)], createGzip(), createWriteStream(file("train.jsonl.gz")));
    const columns = ["id", "question", "opa", "opb", "opc", "opd", "cop", "exp", "subject_name", "topic_name"];
    const cell = (value: unknown) => `"${String(value ?? "").replaceAll('"', '""')}"`;
    const csv = rows.map((row) => columns.map((name) => cell(row[name])).join(","));
    writeFileSync(file("train.csv"), [columns.join(","), ...csv].join("\n"));
    const sets = await Promise.all(
      [source, file("train.jsonl.gz"), await writeParquet(rows, "train.parquet"), file("train.csv")].map((train) =>
        load({ type: "medmcqa", train, validation: source }),
      ),
    );
    const [first] = sets.map((set) => set.splits.train!);
    expect(first!.items).toHaveLength(rows.length);
    for (const { splits } of sets) {
      expect(splits.train!.sha256).toBe(first!.sha256);
      // CSV has no null: an empty explanation is none.
      expect(splits.train!.items.map(({ explanation }) => explanation)).toEqual(
        first!.items.map(({ explanation }) => explanation),
      );
    }
    // `exp` of dev.json by hand: present, not blank, not "None".
    const explained = rows.filter(({ exp }) => typeof exp === "string" && !/^\s*(none\.?)?\s*$/i.test(exp)).length;
    expect(finetuningMessages(sets[0]!, first!.items, { chainOfThought: true })).toHaveLength(explained);
  });

  test("PubMedQA: the object keyed by PMID and the hub's nested Parquet; the long answer is the reasoning", async () => {
    const source = `${folder}/pubmedqa/test_set.json`;
    interface Raw {
      QUESTION: string;
      CONTEXTS: string[];
      LABELS: string[];
      LONG_ANSWER: string;
      final_decision: string;
    }
    const raw = JSON.parse(readFileSync(source, "utf8")) as Record<string, Raw>;
    const rows = Object.entries(raw).map(([pubid, { QUESTION, CONTEXTS, LABELS, LONG_ANSWER, final_decision }]) => ({
      pubid: Number(pubid),
      question: QUESTION,
      context: { contexts: CONTEXTS, labels: LABELS, meshes: [] as string[] },
      long_answer: LONG_ANSWER,
      final_decision,
    }));
    const hub = await load({ type: "pubmedqa", train: await writeParquet(rows, "pqa.parquet"), test: source });
    const byId = (set: Benchmark) =>
      Object.fromEntries((set.splits.train ?? set.splits.test!).items.map((item) => [item.id, item]));
    const own = byId(await load({ type: "pubmedqa", test: source }));
    for (const [id, { question, context, answer, explanation }] of Object.entries(byId(hub)))
      expect({ question, context, answer, explanation }).toEqual({
        question: own[id]!.question,
        context: own[id]!.context,
        answer: own[id]!.answer,
        explanation: own[id]!.explanation,
      });
    const [message] = finetuningMessages(hub, hub.splits.train!.items, { chainOfThought: true });
    expect(message!.answer).toMatch(/\.\nThe answer is: (yes|no|maybe) ###$/);
    // Every one of these is a test question: none may be learnt.
    expect(findTaught(hub.splits.train!.items, hub.items)).toHaveLength(rows.length);
  });

  test("MedQA: tokens, mask and length of every example, with Llama-2's tokenizer", async () => {
    const source = "medqa/phrases_no_exclude_test.jsonl";
    const set = await load({ type: "medqa", options: 4, train: source, test: source });
    const hub = await writeParquet(readLines(`${folder}/${source}`), "medqa.parquet");
    const nested = await load({ type: "medqa", options: 4, train: hub, test: hub });
    expect(nested.splits.train!.sha256).toBe(set.splits.train!.sha256);
    const tokenizer = await loadTokenizer(tokenizerFile!, { specialTokens: "meditron-chat" });
    const items = set.splits.train!.items.slice(0, 100);
    const messages = finetuningMessages(set, items);
    const examples = finetuningExamples(messages, tokenizer, { sequenceLength: 2048 });
    expect(examples).toHaveLength(items.length);
    const answer = (letter: string) => tokenizer.encode(`<|im_start|>answer\n${letter}<|im_end|>\n`);
    for (const [i, { tokens, weights }] of examples.entries()) {
      const learnt = tokens.filter((_, k) => weights[k] === 1);
      expect(learnt).toEqual(answer(items[i]!.answer));
      expect(tokens.slice(-learnt.length)).toEqual(learnt);
    }
    // Cut to a quarter of the window, not one answer loses a token.
    for (const { tokens } of finetuningExamples(messages, tokenizer, { sequenceLength: 128 }))
      expect(["A", "B", "C", "D"].map((letter) => answer(letter).join())).toContain(
        tokens.slice(-answer("A").length).join(),
      );
  });
});

/**
 * Items a second of 5-shot multiple choice: `evaluate(..., format: "lm-eval")` on the embedded engine, and EleutherAI's
 * lm-evaluation-harness with its `hf` model, on the same weights, items and CPU. The two take turns; the harness gets the
 * fastest of several batch sizes, and is charged only for its scoring calls, while ours are whole evaluations, files written.
 *
 *   npm run bench -- eval [--quick] [--items=48] [--agreement] [--json] [mmlu-anatomy] [medqa-4] [medmcqa] [pubmedqa]
 *
 * Before anything is timed, prompts must be equal byte for byte, log-likelihoods of every option within 1e-3 nats, and accuracies
 * the same: on 50 items a task with a model small enough for that (all that --agreement does), and on the timed ones. Items are
 * real ones of ../shared/data, spread over each file. PubMedQA takes the harness a second an item: --items=24 ends in some minutes.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Item } from "../src/eval/benchmarks/index.ts";
import {
  type Benchmark,
  evaluate,
  type ItemRecord,
  loadBenchmark,
  type Option,
  readRecords,
} from "../src/eval/index.ts";
import { loadEmbedded } from "../src/providers/embedded.ts";
import type { LanguageModel } from "../src/providers/language-model.ts";
import { missingPeer, TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

const shots = 5;
const data = join(repository, "../shared/data");
/** A 15M-parameter Llama; weights are random but not flat, so that options differ. */
const shape = {
  hidden_size: 288,
  num_hidden_layers: 6,
  num_attention_heads: 6,
  num_key_value_heads: 6,
  intermediate_size: 768,
  max_position_embeddings: 4096,
  initializer_range: 0.06,
  tie_word_embeddings: true,
};
/** For agreement alone: the harness takes most of its time for the vocabulary's logits, whatever the model. */
const smallShape = {
  ...shape,
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 176,
};

interface Case {
  name: string;
  benchmark: Benchmark;
  /** The harness's own task. */
  config: string;
  /** An item in the columns of the harness's data set. */
  row(item: Item): object;
}

const gold = (item: Item) => item.options.findIndex(({ letter }) => letter === item.answer);
const texts = (options: Option[]) => options.map(({ text }) => text);

export const run: Bench = async ({ quick, args }) => {
  const missing = missingPeer() ?? harnessMissing();
  if (missing) return { subject: "eval", unit: "items/s", results: [], notes: [missing] };
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-eval-"));
  const peer = new TorchProcess("lm-evaluation-harness", "./lm_eval_harness.py", {
    HF_DATASETS_CACHE: join(folder, "hf"),
  });
  const ask = async (command: Record<string, unknown>) => {
    const answer = await peer.ask(command);
    if (typeof answer.error === "string") throw new Error(`lm-evaluation-harness: ${answer.error}`);
    return answer;
  };
  const threads = availableParallelism();
  const items = Number(args.find((arg) => arg.startsWith("--items="))?.slice("--items=".length)) || undefined;
  const named = args.filter((arg) => !arg.startsWith("-"));
  /** The same model and items on both sides. */
  const open = async (label: string, config: object, count: number) => {
    const cases = (await loadCases(count)).filter(({ name }) => named.length === 0 || named.includes(name));
    const directory = join(folder, label);
    const tokenizer = `${data}/tokenizers/llama2.tokenizer.json`;
    await ask({ do: "make-model", directory, tokenizer, config, seed: 1 });
    const tasks = cases.map(({ name, benchmark, row, config }) => {
      const write = (part: string, items: Item[]) => {
        const path = join(folder, `${label}-${name}-${part}.jsonl`);
        writeFileSync(path, items.map((item) => `${JSON.stringify(row(item))}\n`).join(""));
        return path;
      };
      const demonstrations = write("demonstrations", benchmark.splits.train!.items);
      return { name, config, items: write("items", benchmark.items), demonstrations };
    });
    const { version } = await ask({ do: "load", directory, tasks, threads });
    return { cases, version: String(version), model: await loadEmbedded({ directory, precision: "f32", threads }) };
  };
  try {
    const notes: string[] = [];
    const small = await open("small", smallShape, items ?? (quick ? 20 : 50));
    for (const { name, benchmark } of small.cases) {
      const ours = await answer(small.model, benchmark, join(folder, `agreement-${name}`));
      const theirs = await ask({ do: "evaluate", task: name, shots, batchSize: 1 });
      const largest = agree(name, ours, theirs).toExponential(1);
      const accuracy = `${Math.round(ours.accuracy * benchmark.items.length)} of ${benchmark.items.length} right on both sides`;
      notes.push(`${name}: prompts equal, log-likelihoods of every option within ${largest} nats, ${accuracy}`);
    }
    await small.model.close();
    if (args.includes("--agreement")) return { subject: "eval", unit: "items/s", results: [], notes };

    const { cases, model, version } = await open("timed", shape, items ?? (quick ? 16 : 48));
    const results: BenchResult[] = [];
    for (const one of cases) results.push(await compare(one, model, ask, folder, quick, version));
    await model.close();
    notes.push(
      `timed: ${shape.num_hidden_layers} layers of ${shape.hidden_size}, Llama-2 tokenizer, float32, ${shots} shots, ${threads} threads`,
    );
    return { subject: "eval", unit: "items/s", results, notes };
  } finally {
    peer.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** One whole evaluation of ours, files and all. */
async function answer(model: LanguageModel, benchmark: Benchmark, directory: string) {
  const startMs = performance.now();
  const summary = await evaluate(model, benchmark, { directory, format: "lm-eval", shots, seeds: [1234] });
  const seconds = (performance.now() - startMs) / 1000;
  const path = join(directory, `option-log-likelihood-${shots}-shot-lm-eval`, "items.jsonl");
  return { seconds, accuracy: summary.accuracy!, records: (await readRecords<ItemRecord>(path)).records };
}

type Ask = (command: Record<string, unknown>) => Promise<Record<string, unknown>>;

async function compare(
  { name, benchmark }: Case,
  model: LanguageModel,
  ask: Ask,
  folder: string,
  quick: boolean,
  version: string,
): Promise<BenchResult> {
  const count = benchmark.items.length;
  let turn = 0;
  const ourTurn = () => answer(model, benchmark, join(folder, `ours-${name}-${turn++}`));
  const peerTurn = (batchSize: number) => ask({ do: "evaluate", task: name, shots, batchSize });

  const first = await ourTurn();
  const sizes = quick ? [1, 8] : [1, 4, 8];
  const trials: { batchSize: number; seconds: number }[] = [];
  const ours: number[] = [first.seconds];
  let largest = 0;
  for (const batchSize of sizes) {
    const answer = await peerTurn(batchSize);
    trials.push({ batchSize, seconds: answer.seconds as number });
    largest = Math.max(largest, agree(name, first, answer));
    ours.push((await ourTurn()).seconds);
  }
  const { batchSize, seconds } = trials.sort((a, b) => a.seconds - b.seconds)[0]!;
  const theirs: number[] = [seconds];
  for (let i = 0; i < (quick ? 1 : 2); i++) {
    ours.push((await ourTurn()).seconds);
    theirs.push((await peerTurn(batchSize)).seconds as number);
  }
  // The fastest of equally many turns of each: on a shared machine the others measure the neighbours.
  const [mine, its] = [Math.min(...ours.slice(-theirs.length)), Math.min(...theirs)];
  return {
    case: name,
    ours: count / mine,
    peer: count / its,
    peerName: `lm-eval ${version}, batch ${batchSize}`,
    ratio: its / mine,
    items: count,
    "largest difference": largest.toExponential(1),
    accuracy: first.accuracy,
  };
}

/** @returns the largest difference of a log-likelihood. @throws when prompts, likelihoods or accuracies do not agree. */
function agree(
  name: string,
  ours: { accuracy: number; records: ItemRecord[] },
  theirs: Record<string, unknown>,
): number {
  const samples = theirs.samples as { logLikelihoods: number[]; prompt: string }[];
  let largest = 0;
  for (const [i, { prompt, logLikelihoods }] of ours.records.entries()) {
    const sample = samples[i]!;
    if (prompt !== sample.prompt)
      throw new Error(
        `${name}, item ${i}: prompts differ\n${JSON.stringify(prompt)}\n${JSON.stringify(sample.prompt)}`,
      );
    for (const [k, score] of Object.values(logLikelihoods!).entries())
      largest = Math.max(largest, Math.abs(score.logLikelihood - sample.logLikelihoods[k]!));
  }
  if (largest > 1e-3) throw new Error(`${name}: log-likelihoods differ by ${largest} nats`);
  if (Math.abs((theirs.accuracy as number) - ours.accuracy) > 1e-9)
    throw new Error(`${name}: accuracy ${ours.accuracy}, the harness says ${theirs.accuracy}`);
  return largest;
}

function harnessMissing(): string | undefined {
  const packages = join(repository, ".venv/lib");
  const found = ["python3.10", "python3.11", "python3.12", "python3.13"].some((python) =>
    existsSync(join(packages, python, "site-packages", "lm_eval")),
  );
  if (!found)
    return `lm-evaluation-harness is not in .venv (.venv/bin/pip install "lm_eval[hf]"): nothing to compare with`;
  return existsSync(data) ? undefined : "needs the real items and the tokenizer of ../shared/data";
}

async function loadCases(count: number): Promise<Case[]> {
  const load = (config: object) => loadBenchmark(config as never, { name: "bench", directory: `${data}/benchmarks` });
  const spread = (items: Item[], n: number) =>
    Array.from({ length: n }, (_, i) => items[Math.floor((i * items.length) / n)]!);
  /** Demonstrations and test items from the same split; files may be sorted by answer. */
  const cut = (benchmark: Benchmark): Benchmark => {
    const split = benchmark.splits[benchmark.evaluationSplit]!;
    const picked = spread(split.items, shots + count);
    const shown = spread(picked, shots);
    const items = picked.filter((item) => !shown.includes(item));
    const splits = { train: { ...split, items: shown }, [benchmark.evaluationSplit]: { ...split, items } };
    return { ...benchmark, splits, items };
  };
  return [
    {
      name: "mmlu-anatomy",
      benchmark: cut(await load({ type: "mmlu", path: "mmlu", subjects: ["anatomy"], paperSubset: false })),
      config: "mmlu/default/mmlu_anatomy.yaml",
      row: (item) => ({ question: item.question, choices: texts(item.options), answer: gold(item) }),
    },
    {
      name: "medqa-4",
      benchmark: cut(await load({ type: "medqa", options: 4, test: "medqa/phrases_no_exclude_test.jsonl" })),
      config: "medqa/medqa.yaml",
      row: (item) => ({
        sent1: item.question,
        sent2: "",
        ...Object.fromEntries(texts(item.options).map((text, i) => [`ending${i}`, text])),
        label: gold(item),
      }),
    },
    {
      name: "medmcqa",
      benchmark: cut(await load({ type: "medmcqa", validation: "medmcqa/dev.json" })),
      config: "medmcqa/medmcqa.yaml",
      row: (item) => {
        const [opa, opb, opc, opd] = texts(item.options);
        return { question: item.question, opa, opb, opc, opd, cop: gold(item) };
      },
    },
    {
      name: "pubmedqa",
      benchmark: cut(await load({ type: "pubmedqa", test: "pubmedqa/test_set.json", setting: "reasoning-required" })),
      config: "pubmedqa/pubmedqa.yaml",
      row: (item) => ({
        QUESTION: item.question,
        CONTEXTS: item.context!.split("\n"),
        final_decision: item.options[gold(item)]!.text,
      }),
    },
  ];
}

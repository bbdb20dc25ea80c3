/** For tests: a folder of runs whose corpus was really built, from documents that try to be more than text. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { RandomState } from "../core/index.ts";
import { DropLog } from "../corpus/drop-log.ts";
import { buildCorpus, MANIFEST, parseCorpusConfig } from "../corpus/index.ts";
import { ShardWriter } from "../corpus/shards.ts";

export const HOSTILE = '<script>document.title = "owned"</script><img src=x onerror="document.title=\'owned\'">';

const lines = (values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

/** @returns the folder; its run "hostile" has a corpus, a training and two evaluations. */
export async function makeRuns(): Promise<string> {
  const runs = mkdtempSync(join(tmpdir(), "meditron-studio-"));
  const run = join(runs, "hostile");
  const sources = join(runs, "..", `${runs.split("/").at(-1)}-sources`);
  for (const folder of [run, sources]) mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(sources, "notes.jsonl"),
    lines([
      {
        id: "plain",
        title: "Gout",
        text: "Gout is confirmed by urate crystals. • Rest the joint.\n\n\n\nSee https://example.org/gout for more.",
      },
      {
        id: "hostile",
        title: HOSTILE,
        text: `Anaemia ${HOSTILE} is measured by haemoglobin. <a href="javascript:alert(1)">more</a>`,
        url: "javascript:alert(1)",
      },
      { id: "umlaut", title: "Ödem", text: "Ein Ödem entsteht durch Flüssigkeit im Gewebe. Crème is a salve." },
    ]),
  );
  const corpus = parseCorpusConfig({
    sources: [{ type: "jsonl", name: "notes", kind: "other", path: sources, license: "CC0-1.0" }],
  });
  await buildCorpus(corpus, { directory: join(run, "corpus", "notes"), threads: 1 });

  const time = "2026-01-01T00:00:00.000Z";
  const stages = ["corpus.notes", "train.small", "eval.small.quiz", "eval.better.quiz"];
  writeFileSync(
    join(run, "recipe.yaml"),
    stringify({
      name: "hostile",
      description: HOSTILE,
      seed: 1,
      corpora: { notes: corpus },
      train: { small: {} },
      report: {},
    }),
  );
  writeFileSync(
    join(run, "events.jsonl"),
    lines([
      { event: "run-start", time, run: "hostile", recipe: "", version: "0.1.0", stages },
      ...stages.map((stage) => ({ event: "stage-end", time, stage, inputs: "", seconds: 1, counts: { items: 1 } })),
      { event: "run-end", time, seconds: 4 },
    ]),
  );
  mkdirSync(join(run, "train", "small"), { recursive: true });
  writeFileSync(join(run, "train", "small", "events.jsonl"), trainingLines(1, 5000));
  for (const [model, right] of [
    ["small", 3],
    ["better", 7],
  ] as const) {
    const folder = join(run, "eval", model, "quiz", "greedy");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "items.jsonl"), lines(Array.from({ length: 10 }, (_, i) => itemRecord(i, i < right))));
  }
  return runs;
}

/** Steps of a training whose loss falls, with one spike at step 2500. */
export function trainingLines(from: number, to: number): string {
  return lines(
    Array.from({ length: to - from + 1 }, (_, i) => ({
      event: "step-end",
      time: "2026-01-01T00:00:00.000Z",
      step: from + i,
      loss: from + i === 2500 ? 50 : 10 / Math.sqrt(from + i),
      gradNorm: 1,
      learningRate: 1e-3,
      samples: (from + i) * 4,
      tokens: 100,
      tokensPerSecond: 1000,
    })),
  );
}

export function itemRecord(i: number, isRight: boolean) {
  return {
    key: `key-${i}`,
    id: `item-${i}`,
    seed: 1,
    rotation: 0,
    subject: i % 2 === 0 ? "cardiology" : "neurology",
    prompt: `Choose.\nQuestion: What is ${HOSTILE} number ${i}?\n\nOptions:\nA. one\nB. two\nThe answer is:`,
    gold: "A",
    predictions: { strict: isRight ? "A" : "B", lenient: "A" },
    correct: { strict: isRight, lenient: true },
    outputs: [isRight ? "A" : `B ${HOSTILE}`],
    generatedTokens: 1,
    milliseconds: 1,
  };
}

// ── large ones ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const SOURCES = ["pubmed", "pmc", "guidelines", "textbooks"];
const LICENSES = ["CC-BY-4.0", "CC0-1.0", "unknown"];

/** A corpus of so many documents: 32 to 96 words from 30,000, drawn by Zipf's law as words of a language are. */
export async function writeLargeCorpus(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const random = new RandomState(1);
  const phrases = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 8 }, () => `w${Math.floor(30_000 ** random.random()) - 1}`).join(" "),
  );
  const writer = new ShardWriter(folder, "train", 256 << 20);
  for (let i = 0; i < count; i++) {
    const length = 4 + Math.floor(random.random() * 9);
    const words = Array.from({ length }, () => phrases[Math.floor(random.random() * phrases.length)]!);
    await writer.write({
      id: `doc:${i}`,
      source: SOURCES[i % 4]!,
      kind: "abstract",
      title: `Document ${i}`,
      text: words.join(" "),
      license: LICENSES[i % 3]!,
      redistributable: i % 3 !== 2,
      published: String(1990 + (i % 35)),
      language: "en",
      sha256: "",
      meta: { number: i },
    });
  }
  const { shards, counts } = await writer.end();
  const drops = await DropLog.create(join(folder, "drops.jsonl.zst"));
  await drops.write({ id: "x", source: "pubmed", rule: "read.no-text", reason: "the record has no text" });
  await drops.commit();
  const stages = [{ stage: "read", in: count + 1, out: count, dropped: 1, added: 0 }];
  const manifest = {
    format: "meditron-corpus",
    version: 1,
    tool: "bench",
    recipeHash: "",
    seed: 1,
    shards,
    splits: { train: counts },
    drops: { total: 1, byRule: { "read.no-text": 1 }, file: "drops.jsonl.zst" },
    stages,
    reports: [],
  };
  writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest));
}

/** A run of two evaluations of so many items, and a training of 200,000 steps. Its corpus "all" holds one item. */
export function writeLargeRun(folder: string, items: number): void {
  writeFileSync(join(folder, "recipe.yaml"), "name: large\n");
  writeFileSync(join(folder, "events.jsonl"), "");
  for (const [model, share] of [
    ["small", 0.4],
    ["better", 0.41],
  ] as const) {
    const at = join(folder, "eval", model, "quiz", "greedy");
    mkdirSync(at, { recursive: true });
    const random = new RandomState(2);
    writeFileSync(
      join(at, "items.jsonl"),
      Array.from({ length: items }, (_, i) => `${JSON.stringify(itemRecord(i, random.random() < share))}\n`).join(""),
    );
  }
  const corpus = join(folder, "corpus", "all");
  if (existsSync(corpus)) {
    const hit = { document: "doc:7", benchmark: "quiz", item: "item-5", rule: "collision", overlap: 1 };
    const report = { items, tooShort: 0, documents: 1, byBenchmark: { quiz: { items, hit: 1 } }, hits: [hit] };
    writeFileSync(join(corpus, "contamination.json"), JSON.stringify(report));
  }
  const steps = join(folder, "train", "long");
  mkdirSync(steps, { recursive: true });
  const step = (i: number) =>
    `{"event":"step-end","time":"2026-01-01T00:00:00.000Z","step":${i},"loss":${10 / Math.sqrt(i)},"gradNorm":1.25,"learningRate":0.0003,"samples":${i * 64},"tokens":65536,"tokensPerSecond":41900.5}\n`;
  writeFileSync(join(steps, "events.jsonl"), Array.from({ length: 200_000 }, (_, i) => step(i + 1)).join(""));
}

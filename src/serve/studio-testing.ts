/** For tests: a folder of runs whose corpus was really built, from documents that try to be more than text. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { buildCorpus, parseCorpusConfig } from "../corpus/index.ts";

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

import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NgramModel } from "../../test/support/ngram-model.ts";
import { readJson } from "../core/index.ts";
import { type Benchmark, type Item, loadBenchmark } from "./benchmarks/index.ts";
import { type EvaluateOptions, evaluate } from "./evaluate.ts";
import { questionMessage } from "./prompts/index.ts";
import { buildPrompt } from "./prompts/prompt.ts";
import type { ItemRecord } from "./record.ts";
import { readRecords } from "./record-log.ts";
import { evaluateConfigSchema, settingsLabel } from "./settings.ts";
import type { Summary } from "./summary.ts";

const facts = [
  ["Which drug thins the blood?", ["warfarin", "insulin", "aspirin", "codeine"], "A"],
  ["Which hormone lowers glucose?", ["cortisol", "insulin", "adrenaline", "glucagon"], "B"],
  ["Which organ makes bile?", ["spleen", "kidney", "liver", "heart"], "C"],
  ["Which vitamin prevents scurvy?", ["A", "B12", "D", "C"], "D"],
] as const;

const folder = () => mkdtempSync(join(tmpdir(), "meditron-eval-"));

/** 24 questions: each fact six times under a number, so that ids and prompts differ. */
async function benchmark(): Promise<Benchmark> {
  const at = folder();
  const lines = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const [question, texts, answer] = facts[i % 4]!;
      const options = Object.fromEntries(texts.map((text, k) => ["ABCD"[k], text]));
      const line = {
        id: `q${i}`,
        question: `(${i}) ${question}`,
        options,
        answer,
        explanation: `It is so.`,
        subject: `s${i % 2}`,
      };
      return JSON.stringify(line);
    }).join("\n");
  writeFileSync(join(at, "test.jsonl"), lines(24));
  writeFileSync(join(at, "train.jsonl"), lines(8));
  return loadBenchmark({ type: "multiple-choice", path: at, license: "CC0-1.0" }, { name: "facts", directory: "/" });
}

const promptOf = (set: Benchmark, item: Item) =>
  buildPrompt(set, item, [], { format: "meditron", chat: "none", chainOfThought: false }).text;

/** A model that has read half of the questions with their answers. */
function model(set: Benchmark): NgramModel {
  const read = set.items.filter((_, i) => i % 4 < 2).map((item) => `${promptOf(set, item)} ${item.answer}\n\n`);
  return new NgramModel(read.join(""), { order: 60 });
}

test("a model that has read the answers is right, one that has not is not: accuracy, interval, baseline", async () => {
  const set = await benchmark();
  const summary = await evaluate(model(set), set, { directory: folder() });
  // Facts 0 and 1 were read (12 items right); the other questions end alike, so the model repeats A or B and is wrong.
  expect(summary.scores.restricted).toMatchObject({ correct: 12, total: 24, accuracy: 0.5, unanswered: 0 });
  // Wilson: p = 0.5, n = 24, z = 1.96 -> (0.5 + 0.08003 ± 1.96·sqrt(0.25/24 + 0.0016676)) / 1.16006
  expect(summary.interval!.low).toBeCloseTo(0.3143, 3);
  expect(summary.interval!.high).toBeCloseTo(0.6857, 3);
  expect(summary.baseline).toMatchObject({ majorityAccuracy: 0.25, chance: 0.25 });
  expect(summary.aboveBaseline).toBe(true);
  expect(Object.keys(summary.scores.restricted!.subjects)).toEqual(["s0", "s1"]);
});

test("cloze form: a model that knows facts but no letters; mutual information undoes the likelihood of a text by itself", async () => {
  const set = await benchmark();
  // It has read each fact twice, but "insulin" everywhere: three times after each question and often without one.
  const read = set.items.slice(0, 4).map((item) => {
    const cloze = { format: "meditron", chat: "none", chainOfThought: false, options: "hidden" } as const;
    const { text } = buildPrompt(set, item, [], cloze);
    const answer = item.options.find(({ letter }) => letter === item.answer)!.text;
    return `${text} ${answer}\n\n`.repeat(2) + `${text} insulin\n\n`.repeat(3);
  });
  const lm = new NgramModel(`${read.join("")}${"The answer is: insulin\n".repeat(40)}`, { order: 24 });
  const at = folder();
  const summary = await evaluate(lm, set, {
    directory: at,
    solver: "option-text-log-likelihood",
    options: "hidden",
    normalization: "pmi",
  });
  const { records } = await readRecords<ItemRecord>(join(at, "option-text-log-likelihood-cloze", "items.jsonl"));
  expect(records[0]!.prompt).not.toContain("Options:");
  const { logLikelihoods } = records[0]!;
  const [alone] = await lm.logLikelihoods([{ context: "The answer is:", continuation: " insulin" }]);
  expect(logLikelihoods!.B!.unconditional).toBe(alone!.logLikelihood);
  expect(summary.rule).toBe("pmi");
  // Facts 0 and 1 offer insulin: it wins both by its likelihood, and only the one it answers by what the question adds.
  const right = (rule: string) => records.slice(0, 4).map(({ correct }) => correct[rule]);
  expect(right("raw")).toEqual([false, true, true, true]);
  expect(right("pmi")).toEqual([true, true, true, true]);
  expect(summary.accuracy).toBe(summary.scores.pmi!.accuracy);

  const greedy = await evaluate(lm, set, { directory: at, solver: "greedy", options: "hidden" });
  expect(greedy.scores.strict!.unanswered).toBeLessThan(24);
  for (const settings of [{ solver: "option-log-likelihood" }, { solver: "greedy", answer: "letter" }] as const)
    await expect(evaluate(lm, set, { directory: at, options: "hidden", ...settings })).rejects.toMatchObject({
      code: "EVAL_HIDDEN_LETTERS",
    });
});

test("greedy text agrees with the top token, and both parsers are kept", async () => {
  const set = await benchmark();
  const at = folder();
  const lm = model(set);
  const likelihood = await evaluate(lm, set, { directory: at });
  const text = await evaluate(lm, set, { directory: at, solver: "greedy" });
  expect(text.scores.strict!.accuracy).toBe(likelihood.scores["top-token"]!.accuracy);
  const { records } = await readRecords<ItemRecord>(join(at, "greedy", "items.jsonl"));
  expect(records[0]).toMatchObject({
    id: "q0",
    gold: "A",
    outputs: [" A"],
    predictions: { strict: "A", lenient: "A" },
  });
  expect(text.parserDisagreement).toBeGreaterThanOrEqual(0);
});

test("a log cut inside a line, or with lines of another model, is continued without losing a finished item", async () => {
  const set = await benchmark();
  const at = folder();
  const whole = await evaluate(model(set), set, { directory: at });
  const path = join(at, "option-log-likelihood", "items.jsonl");
  const before = readFileSync(path, "utf8");
  truncateSync(path, before.indexOf("\n", before.length / 2) + 40);
  const kept = readFileSync(path, "utf8").split("\n").length - 1;
  const again = model(set);
  const resumed: number[] = [];
  const summary = await evaluate(again, set, { directory: at, onProgress: (p) => resumed.push(p.resumed) });
  expect(resumed[0]).toBe(kept);
  expect(again.answered).toBe((24 - kept) * 4);
  expect(summary.scores).toEqual(whole.scores);
  const untimed = (text: string) => text.replace(/"milliseconds":[\d.]+/g, "");
  expect(untimed(readFileSync(path, "utf8"))).toBe(untimed(before));

  const other = new NgramModel("Another model altogether. ", { order: 3 });
  await evaluate(other, set, { directory: at });
  expect(other.answered).toBe(24 * 4);
});

test("stopped by a signal it keeps what is finished; the cache spares a second run", async () => {
  const set = await benchmark();
  const at = folder();
  const cache = folder();
  const stop = new AbortController();
  const first = evaluate(model(set), set, {
    directory: at,
    cache,
    signal: stop.signal,
    onProgress: ({ done }) => done === 5 && stop.abort(),
  });
  await expect(first).rejects.toMatchObject({ code: "RUN_CANCELLED" });
  const { records } = await readRecords<ItemRecord>(join(at, "option-log-likelihood", "items.jsonl"));
  expect(records.length).toBeGreaterThanOrEqual(5);
  await evaluate(model(set), set, { directory: at, cache });
  const third = model(set);
  await evaluate(third, set, { directory: folder(), cache });
  expect(third.answered).toBe(0);
});

test("few shots with three seeds: demonstrations, seed spread, no item its own example", async () => {
  const set = await benchmark();
  const at = folder();
  const summary = await evaluate(model(set), set, { directory: at, shots: 2 });
  expect(summary.scores.restricted!.perSeed.map(({ seed }) => seed)).toEqual([1234, 432, 32]);
  expect(summary.scores.restricted!.total).toBe(72);
  const { records } = await readRecords<ItemRecord>(join(at, "option-log-likelihood-2-shot", "items.jsonl"));
  expect(new Set(records.map(({ seed, demonstrations }) => `${seed}:${demonstrations}`)).size).toBe(3);
  expect(records[0]!.prompt).toMatch(/The answer is: [A-D]\n\nQuestion: .*The answer is:$/s);
});

test("rotated options: the letters stay, the gold moves, a position-blind model is found out", async () => {
  const set = await benchmark();
  const alwaysA = new NgramModel("The answer is: A\n\n".repeat(20), { order: 16 });
  const summary = await evaluate(alwaysA, set, { directory: folder(), rotations: 3 });
  expect(summary.rotation!.perRotation.map(({ accuracy }) => accuracy)).toEqual([0.25, 0.25, 0.25, 0.25]);
  expect(summary.rotation!.consistent).toBe(0);
  expect(summary.scores.restricted!.total).toBe(24);
});

test("self-consistency: votes are kept, seeded, and drawn no further than needed", async () => {
  const set = await benchmark();
  const chains = set.items.map(
    (item) =>
      `${promptOf(set, item).replace("The answer is:", "Let's think step by step.")}\nSurely.\nThe answer is: ${item.answer} ###\n`,
  );
  const lm = new NgramModel(chains.join(""), { order: 100 });
  const at = folder();
  const options = {
    directory: at,
    solver: "self-consistency",
    seeds: [7],
    temperature: 0.5,
    maxTokens: 60,
  } satisfies EvaluateOptions;
  const first = await evaluate(lm, set, options);
  expect(first.scores.strict!.accuracy).toBeGreaterThan(0.9);
  const { records } = await readRecords<ItemRecord>(
    join(at, "self-consistency-temperature-0.5-60-tokens", "items.jsonl"),
  );
  expect(records.some(({ votes }) => votes!.length === 3)).toBe(true);
  expect(records.every(({ votes, outputs }) => votes!.length === outputs!.length && votes!.length <= 5)).toBe(true);
  const second = await evaluate(lm, set, { ...options, directory: folder() });
  expect(second.scores).toEqual(first.scores);
});

test("without demonstrations, sampling solvers are asked under every seed and greedy ones once", async () => {
  const set = await benchmark();
  const lm = model(set);
  const drawn: number[] = [];
  const generate = lm.generate.bind(lm);
  lm.generate = (requests, options) => {
    for (const { seed = 0, n = 1, temperature } of requests.slice(0, 1))
      if (temperature! > 0) drawn.push(...Array.from({ length: n }, (_, k) => seed + k));
    return generate(requests, options);
  };
  const seeds = [1, 2, 3];
  const at = folder();
  const sampled = await evaluate(lm, set, { directory: at, solver: "self-consistency", seeds, maxTokens: 8 });
  expect(sampled.scores.strict!.perSeed.map(({ seed }) => seed)).toEqual(seeds);
  expect(sampled.scores.strict!.total).toBe(3 * set.items.length);
  // Neighbouring seeds have no sample in common: five of each were drawn.
  expect(new Set(drawn).size).toBe(15);
  const greedy = await evaluate(lm, set, { directory: at, solver: "greedy", seeds, maxTokens: 8 });
  expect(greedy.scores.strict!.total).toBe(set.items.length);
});

test("contaminated items are counted apart", async () => {
  const set = await benchmark();
  const summary = await evaluate(model(set), set, {
    directory: folder(),
    contaminated: set.items.filter((_, i) => i % 4 < 2).map(({ id }) => id),
  });
  expect(summary.contamination).toMatchObject({
    items: 12,
    contaminated: { accuracy: 1, total: 12 },
    clean: { accuracy: 0, total: 12 },
  });
});

test("a model without log-likelihoods is refused before the run, with the solvers that work", async () => {
  const set = await benchmark();
  const lm = Object.assign(model(set), {
    capabilities: { logLikelihoods: false, generate: true, contextTokens: 4096 },
  });
  await expect(evaluate(lm, set, { directory: folder() })).rejects.toMatchObject({
    code: "EVAL_UNSUPPORTED",
    remedy: "solvers that work: greedy, chain-of-thought, self-consistency",
  });
});

test("summary.json is what evaluate returns", async () => {
  const set = await benchmark();
  const at = folder();
  const summary = await evaluate(model(set), set, { directory: at, chat: "chatml" });
  expect(await readJson<Summary>(join(at, "option-log-likelihood-chatml", "summary.json"))).toEqual(summary);
  const { records } = await readRecords<ItemRecord>(join(at, "option-log-likelihood-chatml", "items.jsonl"));
  expect(records[0]!.prompt).toBe(
    `<|im_start|>question\n${questionMessage(set, set.items[0]!)}<|im_end|>\n<|im_start|>answer\n`,
  );
});

test("what is asked in other words is kept in another folder", () => {
  const label = (settings: object) => settingsLabel(evaluateConfigSchema.parse({ solver: "greedy", ...settings }));
  const labels = [{}, { chat: "chatml" }, { chat: "chatml", cue: "answer" }, { chat: "chatml", answer: "text" }].map(
    label,
  );
  expect(new Set(labels).size).toBe(labels.length);
  // without messages the cue ends the prompt either way
  expect(label({ cue: "answer" })).toBe(label({}));
});

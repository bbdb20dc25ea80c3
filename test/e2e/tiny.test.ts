/** The main job from one command: raw sources in, report out. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { loadManifest } from "../../src/corpus/index.ts";
import { papersOf, runOf, SAFETY_ADVISORY } from "../../src/run/index.ts";
import { loadChatFormat } from "../../src/serve/chat-format.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { listCheckpoints } from "../../src/train/index.ts";
import { cli, eventsOf, type Finished, killAll, TINY } from "./cli.ts";

let runs: string;
let finished: Finished;
beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), "meditron-tiny-"));
  finished = await cli("run", TINY, "--runs", runs, "--json");
}, 600_000);
afterAll(async () => {
  killAll();
  await rm(runs, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const at = (...parts: string[]) => join(runs, "tiny", ...parts);

test("it ends well, with one JSON object on stdout and the progress on stderr", () => {
  expect(finished.code, finished.stderr).toBe(0);
  const summary = JSON.parse(finished.stdout);
  expect(summary.scores.map((s: { model: string; solver: string }) => `${s.model} ${s.solver}`)).toEqual([
    "base option-log-likelihood",
    "base greedy-6-tokens",
    "finetuned option-log-likelihood",
    "finetuned greedy-6-tokens",
    "continued option-log-likelihood",
  ]);
  expect(finished.stderr).toMatch(/✓ corpus\.medical: [\d,]+ records, [\d,]+ dropped, [\d,]+ train, [\d,]+ validation/);
});

test("every record is accounted for: in = kept + dropped with a reason", async () => {
  for (const corpus of ["general", "medical"]) {
    const { stages, splits, drops } = await loadManifest(at("corpus", corpus));
    const kept = Object.values(splits).reduce((sum, { documents }) => sum + documents, 0);
    expect(stages[0]!.in, corpus).toBe(kept + drops.total);
  }
});

test("continued pretraining lowers the loss on held-out medical text below the base model's", () => {
  const last = (training: string) =>
    eventsOf(at()).findLast(
      (event) => event.event === "validation-end" && event.stage === `train.${training}` && event.name === "medical",
    );
  const [base, continued] = [last("base"), last("continued")];
  expect(base).toMatchObject({ step: 30 });
  // 30 steps of 1,024 tokens: measured 6.5 → 5.8 nats; a third of that difference is far above rounding.
  expect((base as { loss: number }).loss - (continued as { loss: number }).loss).toBeGreaterThan(0.2);
});

test("every interval holds its accuracy, and the summary agrees with the items", async () => {
  const { scores } = JSON.parse(await readFile(at("summary.json"), "utf8"));
  for (const { accuracy, low, high, items } of scores) {
    expect(low).toBeLessThanOrEqual(accuracy);
    expect(high).toBeGreaterThanOrEqual(accuracy);
    expect(items).toBe(24);
  }
  const lines = readFileSync(at("eval", "base", "medical", "option-log-likelihood", "items.jsonl"), "utf8")
    .trim()
    .split("\n");
  const right = lines.filter((line) => Object.values(JSON.parse(line).correct)[0]).length;
  expect(scores[0].accuracy).toBeCloseTo(right / 24, 12);
});

test("every kind of claim comes out as an effect with its interval, from files that are there", async () => {
  const { claims, curves } = JSON.parse(await readFile(at("summary.json"), "utf8"));
  expect(claims.map(({ claim, kind }: { claim: string; kind: string }) => `${claim}: ${kind}`)).toEqual([
    "knowledge: accuracy",
    "held-out: accuracy",
    "writing: accuracy",
    "text: perplexity",
    "replay: retained",
    "curve: curve",
  ]);
  const byName = Object.fromEntries(claims.map((claim: { claim: string }) => [claim.claim, claim]));
  // the curve's claim is about the very points that are plotted
  const plotted = byName.curve.values.map(({ value }: { value: number }) => value);
  expect(byName.curve.effect).toBeCloseTo(plotted.at(-1) - plotted[0], 10);
  for (const { claim, effect, low, high, threshold, holds, computedFrom, note } of claims) {
    if (effect === null) expect(note).toContain("nothing was forgotten");
    // A share of forgetting has no lower end where some resamples forget nothing.
    if (claim === "replay" && low === null) continue;
    expect(low, claim).toBeLessThanOrEqual(effect);
    expect(high, claim).toBeGreaterThanOrEqual(effect);
    expect(holds, claim).toBe(effect >= threshold && (threshold > 0 ? low > 0 : low >= threshold));
    for (const file of computedFrom) expect(existsSync(at(file)), file).toBe(true);
  }
  // Written next to the accuracies that the table shows.
  const { scores } = JSON.parse(await readFile(at("summary.json"), "utf8"));
  const accuracy = (model: string) =>
    scores.find(
      (one: { model: string; solver: string }) => one.model === model && one.solver === "option-log-likelihood",
    ).accuracy;
  expect(byName.knowledge.effect).toBeCloseTo(accuracy("continued") - accuracy("base"), 12);
  expect(byName["held-out"].n).toBeLessThan(24);
  expect(byName.text).toMatchObject({ holds: true, n: 12 });
  expect(curves[0].points.map(({ step }: { step: number }) => step)).toEqual([0, 10, 20, 30]);
  expect(curves[0].points.at(-1).tokens).toBe(30 * 8 * 128);
  expect(existsSync(at("train", "continued", "kept", "step-0000010", "trainer"))).toBe(false);
});

test("a finetuned checkpoint carries the chat template: it renders the prompt that was trained on", async () => {
  const [newest] = await listCheckpoints(at("train/finetuned"));
  const chat = await loadChatFormat(newest!.path);
  expect(chat.source).toBe("tokenizer_config.json");
  const tokenizer = await loadTokenizer(newest!.path);
  const [first] = (await readFile(at("train/finetuned/examples-train.jsonl"), "utf8")).split("\n");
  const { tokens, weights } = JSON.parse(first!) as { tokens: number[]; weights: number[] };
  const [answerAt, header] = [weights.indexOf(1), "<|im_start|>answer\n"];
  const trained = tokenizer.decode(tokens.slice(0, answerAt)) + header;
  expect(tokenizer.decode(tokens.slice(answerAt))).toMatch(header);
  const content = /^<\|im_start\|>question\n(.*)<\|im_end\|>\n/s.exec(trained)![1]!;
  expect(chat.render([{ role: "user", content }])).toBe(trained);
  const [base] = await listCheckpoints(at("train/base"));
  expect((await loadChatFormat(base!.path)).source).toBe("none");

  // `meditron eval` asks each model as it was taught, unless told otherwise.
  const questions = at("sources/benchmarks/medical-test.jsonl");
  const models = ["--model", `tuned=${newest!.path}`, "--model", `base=${base!.path}`];
  const asked = await cli(
    "eval",
    ...models,
    "--benchmark",
    questions,
    "--limit",
    "4",
    "--out",
    at("by-hand"),
    "--json",
  );
  expect(asked.code, asked.stderr).toBe(0);
  const chats = JSON.parse(asked.stdout).summaries.map(({ settings }: { settings: { chat: string } }) => settings.chat);
  expect(chats).toEqual(["chatml", "none"]);
  // The question is put as finetuning put it, options and cue included: the same prompts as in the run.
  const promptsIn = async (folder: string) => {
    const [evaluated] = (await readdir(folder)).filter((name) => name.startsWith("option-log-likelihood"));
    const lines = (await readFile(join(folder, evaluated!, "items.jsonl"), "utf8")).trim().split("\n");
    return new Map(lines.map((line) => JSON.parse(line)).map(({ id, prompt }) => [id, prompt]));
  };
  const inRun = await promptsIn(at("eval/finetuned/medical"));
  const byHand = await promptsIn(at("by-hand/tuned"));
  expect(byHand.size).toBe(4);
  for (const [id, prompt] of byHand) if (inRun.has(id)) expect(prompt).toEqual(inRun.get(id));
  expect([...byHand.keys()].some((id) => inRun.has(id))).toBe(true);
});

test("a model card and a datasheet lie beside every model, and say where it comes from", async () => {
  const [newest] = await listCheckpoints(at("train", "finetuned"));
  const card = await readFile(join(newest!.path, "README.md"), "utf8");
  const [, front] = /^---\n([\s\S]*?)\n---\n/.exec(card)!;
  const { scores } = JSON.parse(await readFile(at("summary.json"), "utf8"));
  const greedy = scores.find(
    ({ model, solver }: { model: string; solver: string }) => model === "finetuned" && solver.startsWith("greedy"),
  );
  expect(parse(front!)).toMatchObject({
    language: ["en"],
    license: "other",
    library_name: "transformers",
    "model-index": [{ name: "tiny-finetuned", results: [{ dataset: { name: "medical" } }] }],
  });
  expect(card).toContain(SAFETY_ADVISORY);
  expect(card).toContain(
    "**base** (pretrained from scratch) → **continued** (continued pretraining) → **finetuned** (finetuned on medical)",
  );
  expect(card).toContain(`| medical | greedy-6-tokens | ${(100 * greedy.accuracy).toFixed(1)}% |`);
  const datasheet = await readFile(join(newest!.path, "DATASHEET.md"), "utf8");
  const { splits } = await loadManifest(at("corpus", "general"));
  const documents = Object.values(splits).reduce((sum, split) => sum + split.documents, 0);
  expect(datasheet).toContain(`## Corpus: general\n\n${documents.toLocaleString("en-US")} documents`);
  expect(await runOf(newest!.path)).toEqual({ directory: at(), model: "finetuned" });
  // What `export` writes is the same, and a folder of no run still gets its advisory.
  expect((await papersOf(newest!.path)).card).toBe(card);
  expect((await papersOf(at("tokenizer"))).card).toContain(SAFETY_ADVISORY);
});

test("the report stands alone: no request leaves it, every link inside it leads somewhere", () => {
  const page = readFileSync(at("report.html"), "utf8");
  expect(page).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)=/);
  expect(page).not.toMatch(/url\(|@import/);
  const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, href]) => href!);
  expect(links.length).toBeGreaterThan(8);
  for (const href of links)
    if (href.startsWith("#")) expect(page).toContain(`id="${href.slice(1)}"`);
    else expect(existsSync(at(href)), href).toBe(true);
});

test("the resolved recipe in the run directory is a recipe", async () => {
  const again = await cli("plan", at("recipe.yaml"), "--runs", runs, "--json");
  expect(again.code, again.stderr).toBe(0);
  const { stages } = JSON.parse(again.stdout);
  expect(new Set(stages.map(({ state }: { state: string }) => state))).toEqual(new Set(["finished before"]));
});

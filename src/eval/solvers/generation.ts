/**
 * Answering in text.
 *
 * greedy            the model's own continuation after "The answer is:".
 * chain-of-thought  "Let's think step by step.", then the answer is read off the end.
 * self-consistency  k sampled chains; the most frequent answer wins (Wang et al. 2022, arXiv:2203.11171).
 *
 * Every output is read by both parsers. Stated rules of the vote: an output without an answer does not vote; of equally
 * frequent answers the one sampled first wins; with no valid vote the item has no answer. Sampling stops as soon as the
 * samples left cannot change the winner, which changes no result.
 */
import type { GenerateRequest, Generation, LanguageModel } from "../../providers/language-model.ts";
import { answerStyle, stopsOf } from "../prompts/index.ts";
import { extractLenient, extractNearest } from "../scoring/extract-lenient.ts";
import { extractStrict } from "../scoring/extract-strict.ts";
import { type SolveContext, type Solver, sampleSeed, type Task } from "./solver.ts";

/** An answer ends at a blank line or where the model starts the next question. */
const directStops = ["\n\n", "###", "Question:"];
/** A chain of thought has paragraphs: only the paper's mark and the next question end it. */
const reasoningStops = ["###", "\n\nQuestion:"];

function requestFor(task: Task, context: SolveContext, chainOfThought: boolean): GenerateRequest {
  const { settings, model, benchmark } = context;
  const room = model.capabilities.contextTokens - (task.prompt.promptTokens ?? 0);
  const open = benchmark.answerForm === "open";
  const own = chainOfThought ? reasoningStops : open ? ["Question:"] : directStops;
  return {
    prompt: task.prompt.text,
    maxTokens: Math.max(1, Math.min(settings.maxTokens, room)),
    temperature: 0,
    stop: [...own, ...stopsOf(settings.chat)],
  };
}

async function generateEach(
  model: LanguageModel,
  requests: GenerateRequest[],
  signal: AbortSignal | undefined,
  onGenerated: (index: number, generations: Generation[]) => void,
): Promise<void> {
  const arrived = new Set<number>();
  const take = (index: number, generations: Generation[]) => {
    if (arrived.has(index)) return;
    arrived.add(index);
    onGenerated(index, generations);
  };
  const results = await model.generate(requests, { ...(signal ? { signal } : {}), onDone: take });
  for (const [index, generations] of results.entries()) take(index, generations);
}

function readers(context: SolveContext, chainOfThought: boolean) {
  const form = context.benchmark.answerForm === "word" ? "word" : "letter";
  if (form === "letter" && answerStyle(context.settings) === "text")
    return {
      strict: (output: string, { item }: Task) => extractStrict(output, item.options, "text") ?? null,
      lenient: (output: string, { item }: Task) => extractNearest(output, item.options) ?? null,
    };
  return {
    strict: (output: string, { item }: Task) => extractStrict(output, item.options, form) ?? null,
    lenient: (output: string, { item }: Task) =>
      extractLenient(output, item.options, { form, fewShot: context.settings.shots > 0, chainOfThought }) ?? null,
  };
}

function singleAnswer(name: "greedy" | "chain-of-thought", chainOfThought: boolean, maxTokens: number): Solver {
  return {
    name,
    requires: "generate",
    chainOfThought,
    isSampled: false,
    rules: ["strict", "lenient"],
    maxTokens,
    solve(tasks, context) {
      const { strict, lenient } = readers(context, chainOfThought);
      const requests = tasks.map((task) => requestFor(task, context, chainOfThought));
      return generateEach(context.model, requests, context.signal, (index, [generation]) => {
        const task = tasks[index]!;
        const output = generation?.text ?? "";
        context.onSolved(index, {
          predictions:
            task.item.options.length === 0 ? {} : { strict: strict(output, task), lenient: lenient(output, task) },
          outputs: [output],
          generatedTokens: generation?.tokens.length ?? 0,
        });
      });
    },
  };
}

export const greedy = singleAnswer("greedy", false, 16);
export const chainOfThought = singleAnswer("chain-of-thought", true, 1024);

/** The winner of a vote, by the rules at the head of this file. */
export function majority(votes: readonly (string | null)[]): string | null {
  const counts = new Map<string, number>();
  for (const vote of votes) if (vote !== null) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  let winner: string | null = null;
  // A Map keeps insertion order: of equal counts the one sampled first stays.
  for (const [vote, count] of counts) if (winner === null || count > counts.get(winner)!) winner = vote;
  return winner;
}

/** Whether `remaining` further votes can change the majority. */
export function isDecided(votes: readonly (string | null)[], remaining: number): boolean {
  if (remaining === 0) return true;
  const winner = majority(votes);
  if (winner === null) return false;
  const count = (letter: string) => votes.filter((vote) => vote === letter).length;
  const others = [...new Set(votes)].filter((vote): vote is string => vote !== null && vote !== winner);
  // A rival that could draw level wins the tie only if it was sampled before the winner.
  const first = (letter: string) => votes.indexOf(letter);
  return (
    others.every((rival) => count(rival) + remaining < count(winner) + (first(rival) > first(winner) ? 1 : 0)) &&
    remaining < count(winner) + 1
  );
}

export const selfConsistency: Solver = {
  name: "self-consistency",
  requires: "generate",
  chainOfThought: true,
  isSampled: true,
  rules: ["strict", "lenient"],
  maxTokens: 1024,
  async solve(tasks, context) {
    const { samples, temperature, seed } = context.settings;
    const { strict, lenient } = readers(context, true);
    const drawn = tasks.map(() => ({ outputs: [] as string[], votes: [] as (string | null)[], tokens: 0 }));
    let open = [...tasks.keys()];
    // First wave: as few samples as could decide anything; then one at a time for those still open.
    for (let from = 0; open.length > 0; ) {
      const n = from === 0 ? Math.floor(samples / 2) + 1 : 1;
      const still: number[] = [];
      const wave = open;
      const requests = wave.map((index) => ({
        ...requestFor(tasks[index]!, context, true),
        temperature,
        seed: sampleSeed(seed, from),
        n,
      }));
      await generateEach(context.model, requests, context.signal, (position, generations) => {
        const index = wave[position]!;
        const record = drawn[index]!;
        for (const { text, tokens } of generations) {
          record.outputs.push(text);
          record.votes.push(strict(text, tasks[index]!));
          record.tokens += tokens.length;
        }
        if (!isDecided(record.votes, samples - record.votes.length)) {
          still.push(index);
          return;
        }
        context.onSolved(index, {
          predictions: {
            strict: majority(record.votes),
            lenient: majority(record.outputs.map((output) => lenient(output, tasks[index]!))),
          },
          outputs: record.outputs,
          votes: record.votes,
          generatedTokens: record.tokens,
        });
      });
      open = still.sort((a, b) => a - b);
      from += n;
    }
  },
};

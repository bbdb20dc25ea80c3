/** Whether llama.cpp computes from the GGUF what we compute from the model directory: token ids, logits, greedy text. */

import { KeyValueCache, type Llama, loadModel } from "../model/index.ts";
import { loadKernels } from "../native/index.ts";
import { importReader } from "../providers/gguf.ts";
import { loadTokenizer } from "../tokens/tokenizer.ts";
import { exportPrompts } from "./prompts.ts";

export interface GgufComparison {
  prompts: number;
  /** Prompts that both split into the same tokens. */
  sameTokens: number;
  /** Prompts with the same greedy continuation, token by token. */
  sameGreedy: number;
  /** Over every position and every token of the vocabulary. */
  maxLogitDifference: number;
  /** Standard deviation of our logits, to judge the difference by. */
  logitDeviation: number;
  /** Smallest lead of the first choice over the second where the greedy texts part: a lead below the difference is a tie. */
  closestLead: number | null;
}

/**
 * @param options.newTokens - greedy tokens for each prompt.
 * @throws {ConfigError} GGUF_NOT_INSTALLED; {NativeError} GGUF_NOT_LOADED.
 */
export async function compareGguf(
  directory: string,
  path: string,
  options: { prompts?: string[]; newTokens?: number } = {},
): Promise<GgufComparison> {
  const { prompts = exportPrompts, newTokens = 32 } = options;
  const tokenizer = await loadTokenizer(directory);
  const ours = await loadModel(directory, { kernels: await loadKernels(), precision: "f32", trainable: false });
  const { getLlama } = await importReader();
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  try {
    const longest = Math.max(...prompts.map((prompt) => tokenizer.encode(prompt).length)) + newTokens + 1;
    const context = await model.createContext({ contextSize: longest, sequences: 1, threads: 1, batchSize: longest });
    const sequence = context.getSequence();
    const result: GgufComparison = {
      prompts: prompts.length,
      sameTokens: 0,
      sameGreedy: 0,
      maxLogitDifference: 0,
      logitDeviation: 0,
      closestLead: null,
    };
    const [vocab, ends] = [tokenizer.vocabSize, new Set([tokenizer.endOfDocumentId, ...ours.config.endOfTextIds])];
    const spread = { sum: 0, squares: 0, count: 0 };
    for (const prompt of prompts) {
      const ids = tokenizer.encode(prompt);
      if (model.tokenize(prompt, true).join() === ids.join()) result.sameTokens++;
      const text = [...ids];
      let isSame = true;
      for (let step = 0; step < newTokens; step++) {
        const from = step === 0 ? 0 : text.length - 1;
        if (step === 0) await sequence.eraseContextTokenRanges([{ start: 0, end: sequence.contextTokens.length }]);
        const outputs = await sequence.controlledEvaluate(
          text.slice(from).map((token) => [token, { generateNext: { logits: true } }]),
        );
        const mine = logitsOf(ours, text).slice(from);
        for (const [i, logits] of mine.entries()) {
          const theirs = outputs[i]!.next.logits!;
          for (let v = 0; v < vocab; v++) {
            const x = logits[v]!;
            spread.sum += x;
            spread.squares += x * x;
            spread.count++;
            result.maxLogitDifference = Math.max(result.maxLogitDifference, Math.abs(x - theirs.get(v)!));
          }
        }
        const best = argmax((v) => mine.at(-1)![v]!, vocab);
        const last = outputs.at(-1)!.next.logits!;
        if (argmax((v) => last.get(v)!, vocab) !== best) {
          isSame = false;
          const second = argmax((v) => (v === best ? Number.NEGATIVE_INFINITY : mine.at(-1)![v]!), vocab);
          const lead = mine.at(-1)![best]! - mine.at(-1)![second]!;
          result.closestLead = Math.min(result.closestLead ?? Number.POSITIVE_INFINITY, lead);
          break;
        }
        if (ends.has(best)) break;
        text.push(best);
      }
      if (isSame) result.sameGreedy++;
    }
    const mean = spread.sum / spread.count;
    result.logitDeviation = Math.sqrt(spread.squares / spread.count - mean * mean);
    return result;
  } finally {
    await model.dispose();
    await llama.dispose();
  }
}

/** Logits after every token, computed afresh: nothing that is kept between calls can hide a difference. */
function logitsOf(model: Llama, tokens: number[]): Float32Array[] {
  const cache = new KeyValueCache(model, { slots: 1, maxTokens: Math.max(tokens.length, 64) });
  const rows = tokens.map((_, i) => i);
  cache.forward({ kind: "reading", slot: rows.map(() => 0), position: rows, token: tokens });
  return cache.logits(rows);
}

function argmax(value: (v: number) => number, count: number): number {
  let best = 0;
  for (let v = 1; v < count; v++) if (value(v) > value(best)) best = v;
  return best;
}

/**
 * Prompts that fit the context window and keep the question. What goes first: demonstrations, the last drawn first; then the
 * beginning of the context; then the beginning of the question's stem. Options and the last sentences always stay.
 */
import { DataError } from "../../core/index.ts";
import type { Tokenizer } from "../../tokens/types.ts";
import type { Benchmark, Item } from "../benchmarks/benchmark.ts";
import { buildPrompt, type Prompt, type PromptSettings } from "./prompt.ts";

export interface FittedPrompt extends Prompt {
  /** Undefined without a tokenizer (an endpoint that hides it): then nothing is cut here. */
  promptTokens?: number;
  /** What was cut, absent when nothing was. */
  truncated?: { demonstrations: number; contextCharacters: number; questionCharacters: number };
}

/**
 * @param budgetTokens - Context window less the tokens kept for the answer.
 * @throws {DataError} EVAL_PROMPT_TOO_LONG when not even the options fit.
 */
export function fitPrompt(
  benchmark: Benchmark,
  item: Item,
  demonstrations: readonly Item[],
  settings: PromptSettings,
  tokenizer: Tokenizer | undefined,
  budgetTokens: number,
): FittedPrompt {
  const whole = buildPrompt(benchmark, item, demonstrations, settings);
  if (!tokenizer) return whole;
  const count = (prompt: Prompt) => tokenizer.encode(prompt.text).length;
  const wholeTokens = count(whole);
  if (wholeTokens <= budgetTokens) return { ...whole, promptTokens: wholeTokens };

  const cut = { demonstrations: 0, contextCharacters: 0, questionCharacters: 0 };
  const attempt = (shorter: Item): FittedPrompt | undefined => {
    const kept = demonstrations.slice(0, demonstrations.length - cut.demonstrations);
    const prompt = buildPrompt(benchmark, shorter, kept, settings);
    const promptTokens = count(prompt);
    return promptTokens <= budgetTokens ? { ...prompt, promptTokens, truncated: { ...cut } } : undefined;
  };
  while (cut.demonstrations < demonstrations.length) {
    cut.demonstrations++;
    const fitted = attempt(item);
    if (fitted) return fitted;
  }
  let shorter = item;
  for (const field of ["context", "question"] as const) {
    const text = item[field];
    if (!text) continue;
    const key = `${field}Characters` as const;
    // The shortest cut that fits: token counts fall (nearly) steadily with characters, so halving finds it in ~15 encodings.
    let low = 1;
    let high = text.length;
    let best: FittedPrompt | undefined;
    while (low <= high) {
      const middle = (low + high) >> 1;
      cut[key] = middle;
      const fitted = attempt({ ...shorter, [field]: text.slice(middle) });
      if (fitted) {
        best = fitted;
        high = middle - 1;
      } else low = middle + 1;
    }
    if (best) return best;
    cut[key] = text.length;
    shorter = { ...shorter, [field]: "" };
  }
  throw new DataError("EVAL_PROMPT_TOO_LONG", {
    message: `the prompt needs ${wholeTokens} tokens and even without question text exceeds the ${budgetTokens} available`,
    where: `${benchmark.name}, item ${item.id}`,
    remedy: "use a model with a longer context, or a shorter instruction",
  });
}

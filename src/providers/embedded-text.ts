/** Where text and tokens meet: continuation boundaries, ends and stop strings. */
import type { Choice } from "../model/index.ts";
import type { Tokenizer } from "../tokens/types.ts";
import type { LogLikelihoodRequest, TokenPosition } from "./language-model.ts";

/**
 * lm-evaluation-harness's rule: spaces at the end of the context belong to the continuation (tokenizers join a space with the word
 * after it), and the continuation's tokens are those of the whole beyond the context's own. An empty context is the end-of-document
 * token: what a document begins after in training.
 */
export function splitContinuation(
  tokenizer: Pick<Tokenizer, "encode" | "endOfDocumentId">,
  request: LogLikelihoodRequest,
): { context: number[]; continuation: number[] } {
  const before = request.context.trimEnd();
  const spaces = request.context.slice(before.length);
  const whole = tokenizer.encode(before + spaces + request.continuation);
  const context = tokenizer.encode(before);
  const continuation = whole.slice(context.length);
  return context.length > 0
    ? { context: whole.slice(0, context.length), continuation }
    : { context: [tokenizer.endOfDocumentId], continuation };
}

/** Tokens that end an answer, by the tokenizer and by the model's config. */
export function endIdsOf(tokenizer: Pick<Tokenizer, "endOfDocumentId">, configured: number[]): ReadonlySet<number> {
  return new Set([tokenizer.endOfDocumentId, ...configured]);
}

/**
 * Output ends before the first stop string. Stop strings may be special tokens (`<|im_end|>`), which the text itself leaves out.
 */
export function stopRule(tokenizer: Pick<Tokenizer, "decode">, stop: string[]) {
  const longest = Math.max(0, ...stop.map((text) => text.length));
  const firstStop = (text: string) => {
    const found = stop.map((string) => text.indexOf(string)).filter((at) => at !== -1);
    return found.length > 0 ? Math.min(...found) : -1;
  };
  // A token decodes to at least one byte, a character takes up to four: the newest stop lies within so many tokens.
  const tail = 4 * longest + 4;
  return {
    isStopped: longest > 0 ? (output: number[]) => firstStop(tokenizer.decode(output.slice(-tail))) !== -1 : undefined,
    /** The text before the stop, and the tokens it takes. */
    cut(output: number[]): { text: string; tokens: number[] } {
      const at = longest > 0 ? firstStop(tokenizer.decode(output)) : -1;
      const plain = (tokens: number[]) => tokenizer.decode(tokens, { skipSpecialTokens: true });
      if (at === -1) return { text: plain(output), tokens: output };
      let count = output.length;
      while (count > 0 && tokenizer.decode(output.slice(0, count - 1)).length >= at) count--;
      const tokens = output.slice(0, count);
      const text = plain(tokens);
      const end = firstStop(text);
      // The last token may reach beyond the stop's beginning ("answer.\n" with stop "\n").
      const surplus = tokenizer.decode(tokens).length - at;
      return { text: end !== -1 ? text.slice(0, end) : text.slice(0, text.length - Math.max(0, surplus)), tokens };
    },
  };
}

/**
 * Text that can be shown while tokens still come. A piece is held back while it may change: an unfinished character (half of an emoji
 * decodes to U+FFFD), the beginning of what may become a stop string. Together the pieces are the finished text.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #stop: string[];
  #tokens: number[] = [];
  /** Tokens from here on are decoded again, the ones up to `#written` as context: some tokenizers drop a first space. */
  #from = 0;
  #written = 0;
  #held = "";
  #sent = "";

  constructor(tokenizer: Pick<Tokenizer, "decode">, stop: string[]) {
    this.#tokenizer = tokenizer;
    this.#stop = stop;
  }

  /** @returns what is safe to show after one more token. */
  push(token: number): string {
    this.#tokens.push(token);
    const before = this.#decode(this.#from, this.#written);
    const now = this.#decode(this.#from, this.#tokens.length);
    if (now.endsWith("\uFFFD") || now.length < before.length) return "";
    this.#from = this.#written;
    this.#written = this.#tokens.length;
    this.#held += now.slice(before.length);
    const safe = this.#held.length - this.#mayBeStop();
    const piece = this.#held.slice(0, safe);
    this.#held = this.#held.slice(safe);
    this.#sent += piece;
    return piece;
  }

  /** @returns the rest of the finished text. */
  end(text: string): string {
    return text.slice(this.#sent.length);
  }

  /** Characters at the end of what is held that a stop string may begin with, or all from a whole stop string on. */
  #mayBeStop(): number {
    const held = this.#held;
    let most = 0;
    for (const stop of this.#stop) {
      if (stop === "") continue;
      const at = held.indexOf(stop);
      if (at !== -1) most = Math.max(most, held.length - at);
      for (let length = Math.min(stop.length - 1, held.length); length > most; length--)
        if (held.endsWith(stop.slice(0, length))) most = length;
    }
    return most;
  }

  #decode(from: number, to: number): string {
    return from === to ? "" : this.#tokenizer.decode(this.#tokens.slice(from, to), { skipSpecialTokens: true });
  }
}

export interface ScoredToken {
  token: number;
  logLikelihood: number | null;
  top: Choice[];
}

export function scoredTokens(tokens: number[], logLikelihoods: ArrayLike<number>, top: Choice[][]): ScoredToken[] {
  return tokens.map((token, i) => ({ token, logLikelihood: logLikelihoods[i]!, top: top[i] ?? [] }));
}

/**
 * Tokens with the text that each adds where it stands: together they are the text. An alternative's text is what it would have added.
 * A character's text comes with its last token.
 */
export function positionsOf(tokenizer: Pick<Tokenizer, "decode">, scored: ScoredToken[]): TokenPosition[] {
  const tokens = scored.map(({ token }) => token);
  let [from, written] = [0, 0];
  return scored.map(({ token, logLikelihood, top }, i) => {
    const before = tokenizer.decode(tokens.slice(from, written));
    const adds = (next: number) => {
      const now = tokenizer.decode([...tokens.slice(from, i), next]);
      return now.endsWith("\uFFFD") ? "" : now.slice(before.length);
    };
    const alternatives = top.map((choice) => ({ ...choice, text: adds(choice.token) }));
    const text = adds(token);
    if (text !== "") [from, written] = [written, i + 1];
    return { token, text, logLikelihood, top: alternatives };
  });
}

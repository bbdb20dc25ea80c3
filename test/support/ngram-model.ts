/**
 * A real, tiny, deterministic language model for tests of evaluation: an n-gram model over characters with Witten-Bell
 * interpolation, trained on the text that the test gives it. Its probabilities are true ones (they sum to 1), so what holds
 * for it holds for any LanguageModel.
 */
import { CancelledError, counterRandom, sha256 } from "../../src/core/index.ts";
import type {
  GenerateRequest,
  Generation,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
} from "../../src/providers/language-model.ts";
import type { Tokenizer } from "../../src/tokens/types.ts";

const end = "\u0003";

interface Counts {
  total: number;
  next: Map<string, number>;
}

export class NgramModel implements LanguageModel {
  readonly name: string;
  readonly id: string;
  readonly capabilities = { logLikelihoods: true, generate: true, contextTokens: 4096 };
  readonly tokenizer: Tokenizer;
  readonly #order: number;
  readonly #alphabet: string[];
  readonly #counts = new Map<string, Counts>();
  /** Requests answered, for tests that count work. */
  answered = 0;

  constructor(text: string, options: { order?: number; name?: string; alphabet?: string } = {}) {
    this.#order = options.order ?? 6;
    this.name = options.name ?? `ngram-${this.#order}`;
    this.id = `ngram:${sha256(`${this.#order}|${text}`)}`;
    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
    this.#alphabet = [...new Set([...text, ...printable, "\n", ...(options.alphabet ?? ""), end])].sort();
    const characters = [...text, end];
    for (let at = 0; at < characters.length; at++)
      for (let length = 0; length < this.#order && length <= at; length++) {
        const context = characters.slice(at - length, at).join("");
        const counts = this.#counts.get(context) ?? { total: 0, next: new Map() };
        counts.total++;
        counts.next.set(characters[at]!, (counts.next.get(characters[at]!) ?? 0) + 1);
        this.#counts.set(context, counts);
      }
    this.tokenizer = characterTokenizer(this.#alphabet, this.id);
  }

  /** Shape [alphabet]. P_wb(c | h) = (n(h,c) + T(h) · P(c | h')) / (N(h) + T(h)), uniform below the empty context. */
  distribution(context: string): Float64Array {
    const characters = [...context].slice(-(this.#order - 1));
    let p = new Float64Array(this.#alphabet.length).fill(1 / this.#alphabet.length);
    for (let length = 0; length <= characters.length; length++) {
      const counts = this.#counts.get(characters.slice(characters.length - length).join(""));
      if (!counts) break;
      const kinds = counts.next.size;
      p = p.map((below, i) => ((counts.next.get(this.#alphabet[i]!) ?? 0) + kinds * below) / (counts.total + kinds));
    }
    return p;
  }

  async logLikelihoods(
    requests: LogLikelihoodRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: LogLikelihood) => void } = {},
  ): Promise<LogLikelihood[]> {
    const results: LogLikelihood[] = [];
    for (const [index, { context, continuation }] of requests.entries()) {
      if (index % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (options.signal?.aborted) throw new CancelledError();
      let isGreedy = true;
      let seen = context;
      const each: number[] = [];
      for (const character of continuation) {
        const p = this.distribution(seen);
        const mine = p[this.#alphabet.indexOf(character)] ?? 1e-12;
        if (p.some((other) => other > mine)) isGreedy = false;
        each.push(Math.log(mine));
        seen += character;
      }
      this.answered++;
      const result = {
        logLikelihood: each.reduce((a, b) => a + b, 0),
        tokenLogLikelihoods: Float64Array.from(each),
        tokens: this.tokenizer.encode(continuation),
        bytes: Buffer.byteLength(continuation),
        isGreedy,
      };
      results.push(result);
      options.onDone?.(index, result);
    }
    return results;
  }

  async generate(
    requests: GenerateRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: Generation[]) => void } = {},
  ): Promise<Generation[][]> {
    const results: Generation[][] = [];
    for (const [index, request] of requests.entries()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (options.signal?.aborted) throw new CancelledError();
      const samples = Array.from({ length: request.n ?? 1 }, (_, k) => this.#sample(request, (request.seed ?? 0) + k));
      this.answered++;
      results.push(samples);
      options.onDone?.(index, samples);
    }
    return results;
  }

  #sample({ prompt, maxTokens, temperature = 0, stop = [] }: GenerateRequest, seed: number): Generation {
    let text = "";
    let logLikelihood = 0;
    let finish: Generation["finish"] = "length";
    for (let n = 0; n < maxTokens; n++) {
      const p = this.distribution(prompt + text);
      let chosen = p.reduce((top, value, i) => (value > p[top]! ? i : top), 0);
      if (temperature > 0) {
        const weights = p.map((value) => value ** (1 / temperature));
        let left = (counterRandom(seed, n) / 2 ** 32) * weights.reduce((a, b) => a + b, 0);
        chosen = weights.findIndex((weight) => {
          left -= weight;
          return left <= 0;
        });
      }
      logLikelihood += Math.log(p[chosen]!);
      const character = this.#alphabet[chosen]!;
      if (character === end) {
        finish = "end-of-text";
        break;
      }
      text += character;
      const hit = stop.find((mark) => text.endsWith(mark));
      if (hit !== undefined) {
        text = text.slice(0, -hit.length);
        finish = "stop";
        break;
      }
    }
    return { text, tokens: this.tokenizer.encode(text), logLikelihood, finish };
  }

  async close(): Promise<void> {}
}

function characterTokenizer(alphabet: string[], sha: string): Tokenizer {
  const ids = new Map(alphabet.map((character, id) => [character, id]));
  return {
    vocabSize: alphabet.length,
    sha256: sha,
    endOfDocumentId: ids.get(end)!,
    endOfDocumentToken: end,
    padId: ids.get(end)!,
    encode: (text) => [...text].map((character) => ids.get(character) ?? 0),
    encodeBatch: async (texts) => texts.map((text) => Int32Array.from([...text], (c) => ids.get(c) ?? 0)),
    decode: (tokens) => Array.from(tokens, (id) => alphabet[id] ?? "").join(""),
    idOf: (token) => ids.get(token),
    tokenOf: (id) => alphabet[id],
    save: async () => {
      throw new Error("a test model has no tokenizer files");
    },
  };
}

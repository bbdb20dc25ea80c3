/**
 * Training a byte-level BPE: count words, then join the most frequent pair of neighbours again and again.
 * Deterministic: pairs of equal count are joined in the order of their ids, and the order of the texts does not matter.
 *
 * Words are cut by Llama-3's rule: contractions, runs of letters, at most three digits, punctuation, white space.
 *
 * @see Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019 (byte level)
 */

import { Tokenizer as NativeTokenizer } from "tokenizers";
import { ConfigError, counterRandom } from "../core/index.ts";
import { addedTokenMatcher } from "./added-tokens.ts";
import { BYTE_CHARACTERS, toByteCharacters } from "./byte-level.ts";
import { compileSplit, wellFormed } from "./splitting.ts";
import { createTokenizer } from "./tokenizer.ts";
import { type Component, specialToken, type TokenizerJson } from "./tokenizer-json.ts";
import type { Tokenizer } from "./types.ts";

const WORD_RULE =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export interface TrainTokenizerOptions {
  /** Tokens in all: 256 bytes, merges, end of text, padding and special tokens. */
  vocabSize: number;
  /** Added behind the merges, in order. */
  specialTokens?: readonly string[];
  endOfText?: string;
  pad?: string;
  /** Share of the texts to look at, drawn by `seed`. Default 1. */
  sampleFraction?: number;
  seed?: number;
  /** A pair must occur this often to be joined. */
  minCount?: number;
}

/**
 * Trains a tokenizer. `save` writes what transformers' AutoTokenizer loads.
 *
 * @throws {ConfigError} TOKENIZER_VOCAB_TOO_SMALL when bytes and special tokens alone exceed `vocabSize`;
 *   TOKENIZER_TOO_LITTLE_TEXT when the text has too few different words for it.
 */
export async function trainTokenizer(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainTokenizerOptions,
): Promise<Tokenizer> {
  const { vocabSize, sampleFraction = 1, seed = 0, minCount = 2 } = options;
  const endOfText = options.endOfText ?? "<|end_of_text|>";
  const pad = options.pad ?? "<|pad|>";
  const special = [...new Set([endOfText, pad, ...(options.specialTokens ?? [])])];
  const newTokens = vocabSize - BYTE_CHARACTERS.length - special.length;
  if (newTokens < 0)
    throw new ConfigError("TOKENIZER_VOCAB_TOO_SMALL", {
      message: `vocabSize ${vocabSize} leaves no room: 256 bytes and ${special.length} special tokens are needed`,
      where: "vocabSize",
      remedy: `take at least ${BYTE_CHARACTERS.length + special.length}`,
    });

  const words = await countWords(texts, special, sampleFraction, seed);
  const learned = learnMerges(words, newTokens, minCount);
  const found = learned.tokens.length - BYTE_CHARACTERS.length;
  if (found < newTokens)
    throw new ConfigError("TOKENIZER_TOO_LITTLE_TEXT", {
      message: `the text gives only ${found} joined tokens that occur ${minCount} times, ${newTokens} were asked for`,
      where: "vocabSize",
      remedy: `give more text, or take a vocabSize of ${vocabSize - newTokens + found}`,
    });

  const base = learned.tokens.length;
  const added = special.map((content, i) => specialToken(base + i, content));
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(learned.tokens.map((token, id) => [token, id])),
      merges: learned.merges,
    },
  } satisfies TokenizerJson & Record<string, unknown>;
  return createTokenizer(`${JSON.stringify(json, null, 2)}\n`, {
    where: "trained tokenizer",
    config: { eos_token: endOfText, pad_token: pad },
  });
}

const preTokenizer: Component = {
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: WORD_RULE }, behavior: "Isolated", invert: false },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
};

/** Words in byte-level characters with their counts, special tokens left out. */
async function countWords(
  texts: AsyncIterable<string> | Iterable<string>,
  special: readonly string[],
  sampleFraction: number,
  seed: number,
): Promise<Map<string, number>> {
  const empty = { type: "BPE", vocab: {}, merges: [] };
  const native = NativeTokenizer.fromString(
    JSON.stringify({ version: "1.0", pre_tokenizer: preTokenizer, model: empty }),
  );
  const split = compileSplit(preTokenizer, native.getPreTokenizer(), () => false);
  const cut = addedTokenMatcher(special.map((content, id) => specialToken(id, content)))!;
  const plain = new Map<string, number>();
  const mapped = new Map<string, number>();
  let index = 0;
  for await (const text of texts) {
    if (sampleFraction < 1 && counterRandom(seed, index++) / 2 ** 32 >= sampleFraction) continue;
    for (const piece of cut(wellFormed(text))) {
      if (typeof piece === "number") continue;
      const pieces = split(piece, false);
      const counts = pieces.form === "bytes" ? plain : mapped;
      for (const word of pieces.form === "runs" ? [pieces.text] : pieces.words)
        counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  for (const [word, count] of plain) {
    const key = toByteCharacters(word);
    mapped.set(key, (mapped.get(key) ?? 0) + count);
  }
  return mapped;
}

interface Learned {
  /** Token of each id: 256 bytes first, in byte order, then one a merge. */
  tokens: string[];
  merges: [string, string][];
}

function learnMerges(counts: Map<string, number>, newTokens: number, minCount: number): Learned {
  const tokens = [...BYTE_CHARACTERS];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const merges: [string, string][] = [];
  // Sorted, so that the order in which words were met leaves no trace.
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const words = sorted.map(([word]) => Array.from(word, (character) => idOf.get(character)!));
  const frequency = Float64Array.from(sorted, ([, count]) => count);

  const BASE = 2 ** 26;
  const pairCount = new Map<number, number>();
  const pairWords = new Map<number, Set<number>>();
  const change = (left: number, right: number, word: number, by: number): void => {
    const pair = left * BASE + right;
    pairCount.set(pair, (pairCount.get(pair) ?? 0) + by);
    if (by < 0) return;
    const set = pairWords.get(pair);
    if (set) set.add(word);
    else pairWords.set(pair, new Set([word]));
  };
  words.forEach((symbols, word) => {
    for (let i = 0; i + 1 < symbols.length; i++) change(symbols[i]!, symbols[i + 1]!, word, frequency[word]!);
  });
  const heap = new PairHeap();
  for (const [pair, count] of pairCount) heap.push(pair, count);

  while (tokens.length < BYTE_CHARACTERS.length + newTokens) {
    const top = heap.pop();
    if (!top || top.count < minCount) break;
    const current = pairCount.get(top.pair) ?? 0;
    if (current !== top.count) {
      // Counts fall while merging: put the pair back where it belongs now.
      if (current >= minCount) heap.push(top.pair, current);
      continue;
    }
    const right = top.pair % BASE;
    const left = (top.pair - right) / BASE;
    const joined = tokens[left]! + tokens[right]!;
    // Two ways to spell one token ("a"+"bc", "ab"+"c"): the second merge leads to the id that exists.
    const id = idOf.get(joined) ?? tokens.push(joined) - 1;
    idOf.set(joined, id);
    merges.push([tokens[left]!, tokens[right]!]);
    const grown = new Set<number>();
    for (const word of pairWords.get(top.pair)!) {
      const symbols = words[word]!;
      const count = frequency[word]!;
      for (let i = 0; i + 1 < symbols.length; i++) {
        if (symbols[i] !== left || symbols[i + 1] !== right) continue;
        if (i > 0) {
          change(symbols[i - 1]!, left, word, -count);
          change(symbols[i - 1]!, id, word, count);
          grown.add(symbols[i - 1]! * BASE + id);
        }
        if (i + 2 < symbols.length) {
          change(right, symbols[i + 2]!, word, -count);
          change(id, symbols[i + 2]!, word, count);
          grown.add(id * BASE + symbols[i + 2]!);
        }
        symbols.splice(i, 2, id);
      }
    }
    pairCount.delete(top.pair);
    pairWords.delete(top.pair);
    for (const pair of grown) heap.push(pair, pairCount.get(pair) ?? 0);
  }
  return { tokens, merges };
}

/** Largest count first, then smallest pair. */
class PairHeap {
  readonly #pairs: number[] = [];
  readonly #counts: number[] = [];

  #before(a: number, b: number): boolean {
    return this.#counts[a]! !== this.#counts[b]!
      ? this.#counts[a]! > this.#counts[b]!
      : this.#pairs[a]! < this.#pairs[b]!;
  }

  #swap(a: number, b: number): void {
    [this.#pairs[a], this.#pairs[b]] = [this.#pairs[b]!, this.#pairs[a]!];
    [this.#counts[a], this.#counts[b]] = [this.#counts[b]!, this.#counts[a]!];
  }

  push(pair: number, count: number): void {
    let i = this.#pairs.push(pair) - 1;
    this.#counts.push(count);
    for (let parent = (i - 1) >> 1; i > 0 && this.#before(i, parent); i = parent, parent = (i - 1) >> 1)
      this.#swap(i, parent);
  }

  pop(): { pair: number; count: number } | undefined {
    const n = this.#pairs.length - 1;
    if (n < 0) return undefined;
    this.#swap(0, n);
    const top = { pair: this.#pairs.pop()!, count: this.#counts.pop()! };
    for (let i = 0; ; ) {
      let best = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < n && this.#before(child, best)) best = child;
      if (best === i) return top;
      this.#swap(i, best);
      i = best;
    }
  }
}

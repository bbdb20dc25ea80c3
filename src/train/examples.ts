/** Finetuning examples as training windows: one a window and padded, or several packed with document masks. */
import { ConfigError, DataError, RandomState, readJsonLines } from "../core/index.ts";
import type { SampleSource } from "../tokens/index.ts";

/** One line of an examples file. `weights[i]` is the loss weight of predicting `tokens[i]`. */
export interface Example {
  tokens: number[];
  weights: number[];
}

/** Examples end to end in typed arrays: example i is `starts[i] .. starts[i+1]`. */
export interface Examples {
  tokens: Int32Array;
  weights: Float32Array;
  starts: Uint32Array;
}

/**
 * Loads an examples file.
 * @throws {DataError} TRAIN_BAD_EXAMPLE naming the line: lengths that differ, too long, or nothing to learn.
 */
export async function loadExamples(path: string, sequenceLength: number): Promise<Examples> {
  const tokens: number[][] = [];
  const weights: number[][] = [];
  let total = 0;
  for await (const { value, line } of readJsonLines<Example>(path)) {
    const problem = problemOf(value, sequenceLength);
    if (problem)
      throw new DataError("TRAIN_BAD_EXAMPLE", {
        message: problem,
        where: `${path}:${line.number}`,
        remedy: "make the file again with the sequence length of the job",
      });
    tokens.push(value.tokens);
    weights.push(value.weights);
    total += value.tokens.length;
  }
  if (tokens.length === 0)
    throw new ConfigError("TRAIN_NO_EXAMPLES", {
      message: "the file has no examples",
      where: path,
      remedy: "check how it was made",
    });
  const examples: Examples = {
    tokens: new Int32Array(total),
    weights: new Float32Array(total),
    starts: new Uint32Array(tokens.length + 1),
  };
  for (const [i, ids] of tokens.entries()) {
    const start = examples.starts[i]!;
    examples.tokens.set(ids, start);
    examples.weights.set(weights[i]!, start);
    examples.starts[i + 1] = start + ids.length;
  }
  return examples;
}

function problemOf({ tokens, weights }: Partial<Example>, sequenceLength: number): string | undefined {
  if (!Array.isArray(tokens) || !Array.isArray(weights)) return "expected { tokens: number[], weights: number[] }";
  if (tokens.length !== weights.length) return `${tokens.length} tokens but ${weights.length} weights`;
  if (tokens.length > sequenceLength + 1)
    return `${tokens.length} tokens do not fit the sequence length ${sequenceLength} (plus the last label)`;
  const isBad = (x: unknown) => typeof x !== "number" || !Number.isFinite(x) || x < 0;
  const bad = tokens.findIndex((id) => isBad(id) || !Number.isInteger(id));
  if (bad >= 0) return `token ${bad} is ${JSON.stringify(tokens[bad])}`;
  const badWeight = weights.findIndex(isBad);
  if (badWeight >= 0) return `weight ${badWeight} is ${JSON.stringify(weights[badWeight])}`;
  if (!weights.some((weight, i) => i > 0 && weight > 0)) return "no token has a weight above 0: nothing to learn";
  return undefined;
}

export interface ExampleOptions {
  sequenceLength: number;
  seed: number;
  padId: number;
  layout: "padded" | "packed";
  /** Windows needed, in as many epochs as that takes; each epoch is a fresh permutation. Default: one pass. */
  samples?: number;
  /** False keeps the file's order (validation). */
  shuffle?: boolean;
}

export class ExampleSamples implements SampleSource {
  readonly length: number;
  readonly sequenceLength: number;
  readonly #examples: Examples;
  readonly #padId: number;
  /** Examples in training order, and where each window starts in it. */
  readonly #order: Int32Array;
  readonly #windows: Uint32Array;

  constructor(examples: Examples, options: ExampleOptions) {
    const { sequenceLength, seed, padId, layout, shuffle = true } = options;
    this.#examples = examples;
    this.#padId = padId;
    this.sequenceLength = sequenceLength;
    const count = examples.starts.length - 1;
    const wanted = options.samples ?? (layout === "padded" ? count : 1);
    const order: Int32Array[] = [];
    const windows: number[] = [];
    for (let epoch = 0; windows.length < wanted; epoch++) {
      // Each epoch has its own generator, so its order does not depend on how many epochs there are.
      const permutation = shuffle
        ? new RandomState((seed + epoch) >>> 0).permutation(count)
        : Int32Array.from({ length: count }, (_, i) => i);
      order.push(permutation);
      const first = epoch * count;
      let filled = Number.POSITIVE_INFINITY;
      for (let i = 0; i < count; i++) {
        const example = permutation[i]!;
        const length = examples.starts[example + 1]! - examples.starts[example]!;
        // A window never crosses an epoch, so that each epoch sees each example once.
        if (layout === "padded" || filled + length > sequenceLength + 1) {
          windows.push(first + i);
          filled = 0;
        }
        filled += length;
      }
    }
    this.#order = new Int32Array(order.length * count);
    for (const [epoch, permutation] of order.entries()) this.#order.set(permutation, epoch * count);
    this.length = windows.length;
    this.#windows = Uint32Array.from([...windows, this.#order.length]);
  }

  sample(index: number): Int32Array {
    const window = new Int32Array(this.sequenceLength + 1).fill(this.#padId);
    for (const { start, end, at } of this.#parts(index)) window.set(this.#examples.tokens.subarray(start, end), at);
    return window;
  }

  weights(index: number): Float32Array {
    const weights = new Float32Array(this.sequenceLength);
    for (const { start, end, at } of this.#parts(index)) {
      // The first token of an example is nobody's label: in a packed window its context would be another example.
      weights.set(this.#examples.weights.subarray(start + 1, end), at);
    }
    return weights;
  }

  documents(index: number): Int32Array {
    const documents = new Int32Array(this.sequenceLength);
    let document = 0;
    for (const { at } of this.#parts(index)) documents.fill(document++, at);
    return documents;
  }

  *#parts(index: number): Generator<{ start: number; end: number; at: number }> {
    const first = this.#windows[index];
    const last = this.#windows[index + 1];
    if (first === undefined || last === undefined)
      throw new ConfigError("TOKENS_OUT_OF_RANGE", { message: `sample ${index} of ${this.length}` });
    let at = 0;
    for (let i = first; i < last; i++) {
      const example = this.#order[i]!;
      const [start, end] = [this.#examples.starts[example]!, this.#examples.starts[example + 1]!];
      yield { start, end, at };
      at += end - start;
    }
  }
}

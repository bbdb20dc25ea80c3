/**
 * Megatron's GPTDataset, bit for bit: shuffle the documents, lay them end to end, cut windows that overlap by one token, and
 * shuffle the windows. A run's data position is then one integer, whatever the engine, batch size or number of devices.
 *
 *   documents  tile(0 … S-1, E epochs), shuffled; when the last epoch is used for less than 80%, it is shuffled by itself
 *   samples    row k = (index into documents, token offset) where window k starts; window k ends one token behind row k+1
 *   shuffle    order in which windows are trained on (same split of the last epoch)
 *
 * All from one numpy RandomState(seed), in this order.
 *
 * @see Megatron-LM, megatron/core/datasets/gpt_dataset.py and helpers.cpp
 */
import { ConfigError, RandomState } from "../core/index.ts";
import type { IndexedDataset } from "./indexed-dataset.ts";
import type { SampleSource } from "./types.ts";

/** Below this share of an epoch's windows, the last epoch is shuffled by itself. */
const FULL_EPOCH_FRACTION = 0.8;

export interface SampleOrder {
  epochs: number;
  /** Sequence ids in training order. */
  documents: Int32Array;
  /** [samples + 1, 2]: index into `documents`, token offset. */
  rows: Int32Array;
  /** Window of each sample number. */
  shuffle: Uint32Array;
}

export interface SampleOrderOptions {
  /** Input tokens of a window. */
  sequenceLength: number;
  /** Windows wanted; as many epochs as that takes. Default: one epoch. */
  samples?: number | undefined;
  seed: number;
}

/**
 * The three index arrays.
 * @param lengths - Tokens of each sequence. Shape [S].
 * @throws {ConfigError} TOKENS_TOO_FEW when not even one window can be cut.
 */
export function buildSampleOrder(lengths: Int32Array, options: SampleOrderOptions): SampleOrder {
  const { sequenceLength, samples, seed } = options;
  let epochTokens = 0;
  for (const length of lengths) epochTokens += length;
  const windows = (epochs: number) => Math.floor((epochs * epochTokens - 1) / sequenceLength);
  if (epochTokens === 0 || (samples === undefined && windows(1) < 1))
    throw new ConfigError("TOKENS_TOO_FEW", {
      message: `${epochTokens} tokens do not fill one window of ${sequenceLength} + 1`,
      where: "sequenceLength",
      remedy: "tokenize more text or shorten the sequence",
    });
  const epochs = samples === undefined ? 1 : Math.max(1, Math.ceil((samples * sequenceLength + 1) / epochTokens));

  // Windows before the last epoch, and whether that one is shuffled apart.
  const firstPart = epochs > 1 ? windows(epochs - 1) : 0;
  const separate =
    epochs > 1 && samples !== undefined && samples - firstPart < Math.floor(FULL_EPOCH_FRACTION * windows(1));

  const random = new RandomState(seed);
  const sequences = lengths.length;
  if (sequences * epochs > 2 ** 31 - 1)
    throw new ConfigError("TOKENS_TOO_MANY", {
      message: `${sequences} documents in ${epochs} epochs exceed 2^31 positions`,
      where: "steps",
      remedy: "train fewer epochs, or split the set",
    });
  const documents = new Int32Array(sequences * epochs);
  for (let i = 0; i < documents.length; i++) documents[i] = i % sequences;
  if (separate) {
    random.shuffle(documents.subarray(0, sequences * (epochs - 1)));
    random.shuffle(documents.subarray(sequences * (epochs - 1)));
  } else random.shuffle(documents);

  const total = windows(epochs);
  const rows = cutWindows(lengths, documents, total, sequenceLength);

  const shuffle = new Uint32Array(total);
  for (let i = 0; i < total; i++) shuffle[i] = i;
  if (separate) {
    random.shuffle(shuffle.subarray(0, firstPart));
    random.shuffle(shuffle.subarray(firstPart));
  } else random.shuffle(shuffle);
  return { epochs, documents, rows, shuffle };
}

/** Where each window starts. The last token of a window is the first of the next. */
function cutWindows(lengths: Int32Array, documents: Int32Array, total: number, sequenceLength: number): Int32Array {
  const rows = new Int32Array(2 * (total + 1));
  let document = 0;
  let offset = 0;
  for (let row = 1; row <= total; row++) {
    // Stop on the window's last token, which the next window starts with.
    let remaining = sequenceLength;
    for (;;) {
      const left = lengths[documents[document]!]! - offset;
      // A window that ends with its document's last token leaves the offset on that token.
      if (remaining < left) {
        offset += remaining;
        break;
      }
      remaining -= left;
      document++;
      offset = 0;
    }
    rows[2 * row] = document;
    rows[2 * row + 1] = offset;
  }
  return rows;
}

/** Windows of one token set in Megatron's order. */
export class GptDataset implements SampleSource {
  readonly length: number;
  readonly sequenceLength: number;
  readonly order: SampleOrder;
  readonly #tokens: IndexedDataset;

  constructor(tokens: IndexedDataset, options: SampleOrderOptions) {
    this.#tokens = tokens;
    this.sequenceLength = options.sequenceLength;
    this.order = buildSampleOrder(tokens.lengths, options);
    this.length = this.order.shuffle.length;
  }

  sample(index: number): Int32Array {
    const window = new Int32Array(this.sequenceLength + 1);
    let at = 0;
    for (const part of this.#parts(index)) {
      this.#tokens.read(part.sequence, part.offset, part.length, window, at);
      at += part.length;
    }
    return window;
  }

  /** Which document of the window each input position belongs to: 0, 1, 2 … */
  documents(index: number): Int32Array {
    const ids = new Int32Array(this.sequenceLength);
    let at = 0;
    let document = 0;
    for (const part of this.#parts(index)) {
      ids.fill(document++, at, Math.min(at + part.length, ids.length));
      at += part.length;
    }
    return ids;
  }

  /** Sequences of the token set that a window was cut from: the way from a training step back to its documents. */
  sequences(index: number): number[] {
    return Array.from(this.#parts(index), (part) => part.sequence);
  }

  *#parts(index: number): Generator<{ sequence: number; offset: number; length: number }> {
    const { shuffle, rows, documents } = this.order;
    const window = shuffle[index];
    if (window === undefined)
      throw new ConfigError("TOKENS_OUT_OF_RANGE", {
        message: `sample ${index} of ${this.length}`,
        where: this.#tokens.prefix,
      });
    let offset = rows[2 * window + 1]!;
    let needed = this.sequenceLength + 1;
    for (let position = rows[2 * window]!; needed > 0; position++) {
      const sequence = documents[position]!;
      const length = Math.min(this.#tokens.lengths[sequence]! - offset, needed);
      if (length > 0) yield { sequence, offset, length };
      needed -= length;
      offset = 0;
    }
  }

  close(): void {
    this.#tokens.close();
  }
}

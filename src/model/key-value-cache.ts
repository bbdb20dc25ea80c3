/**
 * Inference over a key/value cache: every row of a call is one token of some sequence at some position, prompts and single
 * continuing tokens side by side (continuous batching; Yu et al. 2022, Orca). A slot holds one sequence; what it has computed stays
 * valid until overwritten, so a sequence that begins the same way takes over or copies the common part.
 */
import type { Floats, Storage } from "../native/kernels.ts";
import { hiddenStates } from "./llama.ts";
import type { Llama } from "./model.ts";
import type { Batch } from "./ops.ts";
import { Tape } from "./tape.ts";
import { bytesOf, type Tensor, viewOf } from "./tensor.ts";

/** Tokens to compute in one call: row n is `token[n]` of slot `slot[n]` at `position[n]`. */
export interface Rows {
  slot: number[];
  position: number[];
  token: number[];
}

interface Graph {
  tape: Tape;
  batch: Batch;
  slots: Int32Array;
  hidden: Tensor;
  bytes: number;
}

const KEPT_GRAPHS = 128;

export class KeyValueCache {
  readonly slots: number;
  readonly maxTokens: number;
  #model: Llama;
  /** [slots, 2, kvHeads, maxTokens, headSize] of each layer. */
  #layers: Storage[];
  #graphs = new Map<number, Graph>();
  #arena = new ArrayBuffer(0);
  /** Hidden states of the last call, [rows, channels]. */
  #hidden: Tensor | undefined;

  constructor(model: Llama, options: { slots: number; maxTokens: number }) {
    const { config, kernels, numbers } = model;
    this.#model = model;
    this.slots = options.slots;
    this.maxTokens = options.maxTokens;
    model.ensurePositions(options.maxTokens);
    const length = this.slots * 2 * config.kvHeads * this.maxTokens * config.headSize;
    this.#layers = Array.from({ length: config.layers }, () =>
      viewOf(numbers.activations, kernels.allocate(length * bytesOf(numbers.activations)), 0, length),
    );
  }

  /** Runs the rows through the model; positions of one slot must come in order, after those computed before. */
  forward(rows: Rows): void {
    const count = rows.token.length;
    const graph = this.#graphs.get(count) ?? this.#record(count);
    this.#graphs.delete(count);
    this.#graphs.set(count, graph);
    if (this.#graphs.size > KEPT_GRAPHS) this.#graphs.delete(this.#graphs.keys().next().value!);
    graph.batch.tokens.set(rows.token);
    graph.batch.positions.set(rows.position);
    graph.slots.set(rows.slot);
    if (this.#arena.byteLength < graph.bytes) this.#arena = this.#model.kernels.allocate(graph.bytes);
    graph.tape.bind(this.#arena);
    graph.tape.run();
    this.#hidden = graph.hidden;
  }

  /** Logits of some rows of the last call. Shape [rows.length, vocab]. */
  logits(rows: number[]): Float32Array {
    const { config, kernels, weights, precision } = this.#model;
    const out = new Float32Array(rows.length * config.vocabSize);
    kernels.gemm(out, this.#gather(rows), weights.head.data, {
      m: rows.length,
      n: config.vocabSize,
      k: config.channels,
      transposeB: true,
      precision,
    });
    return out;
  }

  /** Nats of a target after each of some rows of the last call, and whether it was the first choice; logits are not kept. */
  score(rows: number[], targets: number[]): { nats: Floats; best: Int32Array } {
    const { config, kernels, weights, precision } = this.#model;
    const nats = new Float32Array(rows.length);
    const best = new Int32Array(rows.length);
    const shape = { rows: rows.length, channels: config.channels, vocab: config.vocabSize, precision, best };
    const ones = new Float32Array(rows.length).fill(1);
    kernels.headCrossEntropy(nats, this.#gather(rows), weights.head.data, Int32Array.from(targets), ones, shape);
    return { nats, best };
  }

  /** Copies the first `tokens` positions of slot `from` to slot `to`. */
  copy(from: number, to: number, tokens: number): void {
    const { kvHeads, headSize } = this.#model.config;
    const head = this.maxTokens * headSize;
    const slot = 2 * kvHeads * head;
    for (const cache of this.#layers) {
      for (let at = 0; at < slot; at += head) {
        const begin = from * slot + at;
        cache.copyWithin(to * slot + at, begin, begin + tokens * headSize);
      }
    }
  }

  /** Rows of the hidden states; the embedding kernel is a gather. */
  #gather(rows: number[]): Storage {
    const { channels, type, data } = this.#hidden!;
    const out = viewOf(type, new ArrayBuffer(rows.length * channels * bytesOf(type)), 0, rows.length * channels);
    this.#model.kernels.embedding(out, Int32Array.from(rows), data, rows.length, channels);
    return out;
  }

  #record(rows: number): Graph {
    const model = this.#model;
    const { kernels: K, numbers, precision, config } = model;
    const { heads, kvHeads, headSize } = config;
    const tape = new Tape(K, { numbers, precision, gradients: false });
    const slots = new Int32Array(rows);
    const batch: Batch = {
      tokens: new Int32Array(rows),
      targets: EMPTY_IDS,
      weights: EMPTY,
      positions: new Int32Array(rows),
      documents: undefined,
      scale: 0,
      losses: EMPTY,
      best: undefined,
    };
    const hidden = hiddenStates(tape, model, batch, rows, (qkv, layer) => {
      const o = tape.tensor(rows, heads * headSize, numbers.activations);
      const window = config.windows[layer];
      const options = {
        rows,
        heads,
        kvHeads,
        headSize,
        maxTokens: this.maxTokens,
        sequence: slots,
        position: batch.positions,
      };
      tape.record({ writes: [o], reads: [qkv], effect: true }, () =>
        K.cachedAttention(o.data, qkv.data, this.#layers[layer]!, {
          ...options,
          ...(window === undefined ? {} : { window }),
        }),
      );
      return o;
    });
    // Read after the schedule ends, so nothing may take its place.
    tape.record({ reads: [hidden], effect: true }, () => {});
    return { tape, batch, slots, hidden, bytes: tape.plan() };
  }
}

const EMPTY = new Float32Array(0);
const EMPTY_IDS = new Int32Array(0);

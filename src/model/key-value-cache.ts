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

/**
 * Tokens to compute in one call: row n is `token[n]` of slot `slot[n]` at `position[n]`.
 *
 * Rows that each continue a sequence by one token ("writing") and rows of prompts ("reading") go in calls of their own: kernels have
 * faster ways for few rows, which sum in another order. Kept apart, and prompts padded to more than few rows, a row's bits depend on
 * its own sequence alone: same request, same output, whatever else is in the batch and whatever was shared.
 */
export interface Rows {
  kind: "reading" | "writing";
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
  /** Where the tensors lie now, and what runs them there. */
  bound?: { arena: ArrayBuffer; run: () => void };
}

const KEPT_GRAPHS = 128;

export class KeyValueCache {
  readonly slots: number;
  #maxTokens: number;
  #model: Llama;
  /** [slots + 1, 2, kvHeads, maxTokens, headSize] of each layer. */
  #layers: Storage[];
  #graphs = new Map<string, Graph>();
  /** Rows that prompts are padded to, in a slot of their own behind the others. */
  #leastRows: number;
  #arena = new ArrayBuffer(0);
  /** Hidden states of the last call, [rows, channels]. */
  #hidden: Tensor | undefined;

  constructor(model: Llama, options: { slots: number; maxTokens: number }) {
    this.#model = model;
    this.slots = options.slots;
    this.#maxTokens = options.maxTokens;
    model.ensurePositions(options.maxTokens);
    this.#leastRows = Math.min((model.kernels.fewRows ?? 0) + 1, options.maxTokens);
    this.#layers = Array.from({ length: model.config.layers }, () => this.#allocateLayer());
  }

  /** Longest sequence of a slot. */
  get maxTokens(): number {
    return this.#maxTokens;
  }

  /** Makes room for longer sequences; what the slots hold stays. */
  grow(maxTokens: number): void {
    const { headSize } = this.#model.config;
    const [from, to] = [this.#maxTokens * headSize, maxTokens * headSize];
    this.#model.ensurePositions(maxTokens);
    this.#maxTokens = maxTokens;
    this.#leastRows = Math.min((this.#model.kernels.fewRows ?? 0) + 1, maxTokens);
    // Layer by layer: only one is held twice at any time.
    for (const [layer, old] of this.#layers.entries()) {
      const next = this.#allocateLayer();
      for (let i = 0; i * from < old.length; i++) next.set(old.subarray(i * from, (i + 1) * from), i * to);
      this.#layers[layer] = next;
    }
    this.#graphs.clear();
  }

  #allocateLayer(): Storage {
    const { config, kernels, numbers } = this.#model;
    const length = (this.slots + 1) * 2 * config.kvHeads * this.#maxTokens * config.headSize;
    return viewOf(numbers.activations, kernels.allocate(length * bytesOf(numbers.activations)), 0, length);
  }

  /** Runs the rows through the model; positions of one slot must come in order, after those computed before. */
  forward(rows: Rows): void {
    const { kind } = rows;
    const count = kind === "reading" ? Math.max(rows.token.length, this.#leastRows) : rows.token.length;
    const key = `${kind} ${count}`;
    const graph = this.#graphs.get(key) ?? this.#record(count, kind);
    this.#graphs.delete(key);
    this.#graphs.set(key, graph);
    if (this.#graphs.size > KEPT_GRAPHS) this.#graphs.delete(this.#graphs.keys().next().value!);
    graph.batch.tokens.set(rows.token);
    graph.batch.positions.set(rows.position);
    graph.slots.set(rows.slot);
    for (let n = rows.token.length; n < count; n++) {
      graph.batch.tokens[n] = 0;
      graph.batch.positions[n] = n - rows.token.length;
      graph.slots[n] = this.slots;
    }
    if (this.#arena.byteLength < graph.bytes) this.#arena = this.#model.kernels.allocate(graph.bytes);
    graph.bound = graph.bound?.arena === this.#arena ? graph.bound : this.#bind(graph);
    graph.bound.run();
    this.#hidden = graph.hidden;
  }

  #bind({ tape }: Graph): { arena: ArrayBuffer; run: () => void } {
    const run = () => tape.run();
    tape.bind(this.#arena);
    return { arena: this.#arena, run: this.#model.kernels.record?.(run) ?? run };
  }

  /** Logits of some rows of the last call, each [vocab]. */
  logits(rows: number[]): Float32Array[] {
    const { config, kernels, weights, precision } = this.#model;
    const { vocabSize: V, channels } = config;
    const most = kernels.fewRows ?? rows.length;
    const logits: Float32Array[] = [];
    for (let at = 0; at < rows.length; at += most) {
      const group = rows.slice(at, at + most);
      const out = new Float32Array(group.length * V);
      const shape = { m: group.length, n: V, k: channels, transposeB: true, precision };
      kernels.gemm(out, this.#gather(group), weights.head.data, shape);
      for (const i of group.keys()) logits.push(out.subarray(i * V, (i + 1) * V));
    }
    return logits;
  }

  /** Nats of a target after each of some rows of the last call, and whether it was the first choice; logits are not kept. */
  score(rows: number[], targets: number[]): { nats: Floats; best: Int32Array } {
    const { config, kernels, weights, precision } = this.#model;
    // As with prompts: padded by repeating a row, so that few rows take the way of many.
    const count = Math.max(rows.length, (kernels.fewRows ?? 0) + 1);
    const padded = <T>(values: T[]) => Array.from({ length: count }, (_, n) => values[Math.min(n, values.length - 1)]!);
    const nats = new Float32Array(count);
    const best = new Int32Array(count);
    const shape = { rows: count, channels: config.channels, vocab: config.vocabSize, precision, best };
    const ones = new Float32Array(count).fill(1);
    kernels.headCrossEntropy(
      nats,
      this.#gather(padded(rows)),
      weights.head.data,
      Int32Array.from(padded(targets)),
      ones,
      shape,
    );
    return { nats: nats.subarray(0, rows.length), best: best.subarray(0, rows.length) };
  }

  /** Copies the first `tokens` positions of slot `from` to slot `to`. */
  copy(from: number, to: number, tokens: number): void {
    const { kvHeads, headSize } = this.#model.config;
    const head = this.#maxTokens * headSize;
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

  #record(rows: number, kind: Rows["kind"]): Graph {
    const model = this.#model;
    const { kernels: K, numbers, precision, config } = model;
    const { heads, kvHeads, headSize } = config;
    const tape = new Tape(K, { numbers, precision, gradients: false });
    const slots = new Int32Array(rows);
    const continuing = kind === "writing" ? rows : 0;
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
        maxTokens: this.#maxTokens,
        sequence: slots,
        position: batch.positions,
      };
      tape.record({ writes: [o], reads: [qkv], effect: true }, () =>
        K.cachedAttention(o.data, qkv.data, this.#layers[layer]!, {
          ...options,
          continuing,
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

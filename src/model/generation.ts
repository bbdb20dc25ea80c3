/**
 * Generating and scoring many sequences at once.
 *
 * Every step takes all sequences that are writing one token further, and reads on in the prompts that are waiting (continuous
 * batching), so long and short requests keep the products large. A request starts from the slot whose tokens agree with its own the longest: a
 * few-shot prompt, or the question shared by several options, is computed once. While that common part is still being computed by
 * another request, it waits.
 */
import { DataError } from "../core/index.ts";
import { KeyValueCache, type Rows } from "./key-value-cache.ts";
import type { Llama } from "./model.ts";
import { type Choice, chooseToken, likeliest, logLikelihoodOf, type SamplingSettings, uniformOf } from "./sampling.ts";

/** Scores tokens[from..] given all before them; from ≥ 1. */
export interface ScoreJob {
  kind: "score";
  tokens: number[];
  from: number;
  /** Where one token is scored: others to score in its place. The options of a question are read once for all. */
  instead?: number[];
  /** So many of the likeliest tokens are reported for each scored position. Default 0. */
  top?: number;
  onDone(result: { logLikelihoods: Float64Array; isGreedy: boolean; top: Choice[][]; instead: Instead[] }): void;
}

export interface Instead {
  logLikelihood: number;
  isGreedy: boolean;
}

export interface GenerateJob extends SamplingSettings {
  kind: "generate";
  /** The prompt, at least one token. */
  tokens: number[];
  maxTokens: number;
  seed: number;
  /** Ends without being part of the output. */
  endIds: ReadonlySet<number>;
  /** Asked after every token: whether the output so far ends the sequence (a stop string appeared). */
  isStopped?: (output: number[]) => boolean;
  /** Told of every token of the output as it is chosen, before `isStopped` and `onDone`. */
  onToken?: (token: number) => void;
  /** Log-likelihoods are wanted, and so many of the likeliest tokens for each written one. Default: neither. */
  top?: number;
  onDone(result: {
    tokens: number[];
    /** With `top`. */
    logLikelihoods: number[];
    top: Choice[][];
    /** With `top`: the end token, which is no part of the output. */
    end: (Choice & { top: Choice[] }) | undefined;
    finish: "stop" | "length" | "end-of-text";
  }): void;
}

export type Job = ScoreJob | GenerateJob;

export interface SchedulerOptions {
  /** Sequences computed side by side. Default 16. */
  slots?: number;
  /** Longest sequence, prompt and output together. Default: the model's context. */
  maxTokens?: number;
  /** Rows of one call to the model while others wait for their next token. Default 256; twice as many where nobody does. */
  rowsPerCall?: number;
}

/** A common beginning shorter than this is computed again rather than waited for. */
const WORTH_WAITING_TOKENS = 8;
/** Waiting jobs looked at in one step, for one that can start. */
const LOOK_AHEAD_JOBS = 64;
const CACHE_STEP_TOKENS = 16;
/** A cache that must grow under way grows by at least this factor, since its content is copied. */
const CACHE_GROWTH = 1.5;

interface Active {
  job: Job;
  slot: number;
  /** Prompt and what was generated. */
  tokens: number[];
  /** Positions in the cache. */
  computed: number;
  /** Nats of scored tokens, or of generated ones. */
  logLikelihoods: number[];
  isGreedy: boolean;
  /** The likeliest tokens of each position in `logLikelihoods`, where asked for. */
  top: Choice[][];
  /** Of the tokens scored in place of the last one. */
  instead: Instead[];
}

/** A token whose likelihood is read off a row. */
interface Scored {
  sequence: Active;
  row: number;
  target: number;
  isInstead: boolean;
}

interface Call {
  rows: Rows;
  plan: { sequence: Active; firstRow: number; count: number }[];
}

export class Scheduler {
  readonly maxTokens: number;
  #model: Llama;
  #rowsPerCall: number;
  #slotCount: number;
  #cache: KeyValueCache | undefined;
  /** What each slot holds: tokens in the cache, also after its sequence ended. */
  #held: number[][];
  #active: (Active | undefined)[];
  #waiting: Job[] = [];

  constructor(model: Llama, options: SchedulerOptions = {}) {
    this.#model = model;
    this.#slotCount = options.slots ?? 16;
    this.maxTokens = Math.min(options.maxTokens ?? model.config.contextTokens, model.config.contextTokens);
    this.#rowsPerCall = options.rowsPerCall ?? 256;
    this.#held = Array.from({ length: this.#slotCount }, () => []);
    this.#active = Array(this.#slotCount).fill(undefined);
  }

  /** @throws {DataError} MODEL_CONTEXT if the job cannot fit the context. */
  add(job: Job): void {
    // The last scored token is predicted, not read; a prompt leaves room for at least one token.
    const room = this.maxTokens + (job.kind === "score" ? 1 : -1);
    if (job.tokens.length === 0 || (job.kind === "score" && (job.from < 1 || job.from > job.tokens.length))) {
      throw new DataError("MODEL_EMPTY_PROMPT", {
        message: "there is no token to start from",
        remedy: "start empty prompts with the end-of-document token",
      });
    }
    if (job.tokens.length > room) {
      throw new DataError("MODEL_CONTEXT", {
        message: `the request takes ${job.tokens.length} tokens; the model's context has room for ${room}`,
        remedy: "shorten the prompt, or use fewer examples",
      });
    }
    if (job.kind === "score" && job.from === job.tokens.length) {
      job.onDone({ logLikelihoods: new Float64Array(0), isGreedy: true, top: [], instead: [] });
    } else if (job.kind === "generate" && job.maxTokens <= 0) {
      job.onDone({ tokens: [], logLikelihoods: [], top: [], end: undefined, finish: "length" });
    } else {
      this.#waiting.push(job);
    }
  }

  /** Cache positions that a job may take. */
  #extent(job: Job): number {
    return job.kind === "score" ? job.tokens.length - 1 : Math.min(this.maxTokens, job.tokens.length + job.maxTokens);
  }

  /** Forgets the jobs that `isCancelled` picks; their `onDone` is never called. */
  cancel(isCancelled: (job: Job) => boolean): void {
    this.#waiting = this.#waiting.filter((job) => !isCancelled(job));
    this.#active = this.#active.map((sequence) => (sequence && isCancelled(sequence.job) ? undefined : sequence));
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#active.every((sequence) => sequence === undefined);
  }

  /** A call to the model for what is being written and one for prompts. Finished jobs are reported through their `onDone`. */
  step(): void {
    const cache = this.#cacheForWaiting();
    this.#admit(cache);
    for (const call of this.#nextCalls()) this.#run(cache, call);
  }

  #run(cache: KeyValueCache, { rows, plan }: Call): void {
    cache.forward(rows);
    const scored: Scored[] = [];
    const sampled: { sequence: Active; row: number }[] = [];
    for (const { sequence, firstRow, count } of plan) {
      const first = sequence.computed;
      sequence.computed += count;
      const { job } = sequence;
      // Only prompts are shared: what was written one by one rounds differently, and sharing must not change a bit.
      this.#held[sequence.slot] = job.tokens.slice(0, sequence.computed);
      if (job.kind === "score") {
        for (let i = 0; i < count; i++) {
          const at = first + i + 1;
          if (at < job.from || at >= job.tokens.length) continue;
          const row = firstRow + i;
          scored.push({ sequence, row, target: job.tokens[at]!, isInstead: false });
          for (const target of job.instead ?? []) scored.push({ sequence, row, target, isInstead: true });
        }
      } else if (sequence.computed === sequence.tokens.length) {
        sampled.push({ sequence, row: firstRow + count - 1 });
      }
    }
    this.#score(scored);
    this.#sample(sampled);
    for (const { sequence } of plan) if (sequence.job.kind === "score") this.#finishScore(sequence, sequence.job);
  }

  #score(all: Scored[]): void {
    // With alternatives, the target's own log-likelihood comes from the same logits as theirs, so that equal tokens have equal numbers.
    for (const { sequence, row, target } of all) {
      const { top } = sequence.job;
      if (!top) continue;
      const logits = this.#cache!.logits([row])[0]!;
      sequence.top.push(likeliest(logits, top));
      sequence.logLikelihoods.push(logLikelihoodOf(logits, target));
      if (sequence.top.at(-1)![0]!.token !== target) sequence.isGreedy = false;
    }
    const scored = all.filter(({ sequence }) => !sequence.job.top);
    if (scored.length === 0) return;
    const targets = scored.map(({ target }) => target);
    const { nats, best } = this.#cache!.score(
      scored.map(({ row }) => row),
      targets,
    );
    for (const [i, { sequence, target, isInstead }] of scored.entries()) {
      const isGreedy = best[i] === target;
      if (isInstead) {
        sequence.instead.push({ logLikelihood: -nats[i]!, isGreedy });
        continue;
      }
      sequence.logLikelihoods.push(-nats[i]!);
      if (!isGreedy) sequence.isGreedy = false;
    }
  }

  #finishScore(sequence: Active, job: ScoreJob): void {
    if (sequence.logLikelihoods.length < job.tokens.length - job.from) return;
    this.#active[sequence.slot] = undefined;
    const { isGreedy, top, instead } = sequence;
    job.onDone({ logLikelihoods: Float64Array.from(sequence.logLikelihoods), isGreedy, top, instead });
  }

  #sample(sampled: { sequence: Active; row: number }[]): void {
    if (sampled.length === 0) return;
    const logits = this.#cache!.logits(sampled.map(({ row }) => row));
    for (const [i, { sequence }] of sampled.entries()) {
      const job = sequence.job as GenerateJob;
      const written = sequence.tokens.length - job.tokens.length;
      const row = logits[i]!;
      const token = chooseToken(row, job, uniformOf(job.seed, written));
      const isEnd = job.endIds.has(token);
      if (!isEnd) sequence.tokens.push(token);
      let about: (Choice & { top: Choice[] }) | undefined;
      if (job.top !== undefined) {
        about = { token, logLikelihood: logLikelihoodOf(row, token), top: likeliest(row, job.top) };
        if (!isEnd) {
          sequence.logLikelihoods.push(about.logLikelihood);
          sequence.top.push(about.top);
        }
      }
      if (isEnd) {
        this.#finishGenerate(sequence, job, "end-of-text", about);
        continue;
      }
      job.onToken?.(token);
      const isFull = written + 1 >= job.maxTokens || sequence.tokens.length >= this.maxTokens;
      if (job.isStopped?.(sequence.tokens.slice(job.tokens.length))) this.#finishGenerate(sequence, job, "stop");
      else if (isFull) this.#finishGenerate(sequence, job, "length");
    }
  }

  #finishGenerate(
    sequence: Active,
    job: GenerateJob,
    finish: "stop" | "length" | "end-of-text",
    end?: Choice & { top: Choice[] },
  ): void {
    this.#active[sequence.slot] = undefined;
    const tokens = sequence.tokens.slice(job.tokens.length);
    job.onDone({ tokens, logLikelihoods: sequence.logLikelihoods, top: sequence.top, end, finish });
  }

  /** Gives free slots to waiting jobs, in order, except those worth keeping back until their beginning is computed. */
  #admit(cache: KeyValueCache): void {
    const later: Job[] = [];
    for (const [i, job] of this.#waiting.entries()) {
      if (i === LOOK_AHEAD_JOBS || !this.#active.includes(undefined)) {
        later.push(...this.#waiting.slice(i));
        break;
      }
      // The last token runs in any case: its logits are wanted. For scoring, so do all that predict a scored token.
      const reusable = (job.kind === "score" ? job.from : job.tokens.length) - 1;
      const held = this.#held.map((tokens) => Math.min(commonLength(tokens, job.tokens), reusable));
      const source = held.indexOf(Math.max(...held));
      const shared = held[source]!;
      const underway = this.#active.some(
        (sequence) =>
          sequence !== undefined &&
          sequence.computed < sequence.job.tokens.length &&
          Math.min(commonLength(sequence.job.tokens, job.tokens), reusable) > shared + WORTH_WAITING_TOKENS,
      );
      if (underway) {
        later.push(job);
        continue;
      }
      this.#start(cache, job, source, shared);
    }
    this.#waiting = later;
  }

  #start(cache: KeyValueCache, job: Job, source: number, shared: number): void {
    // Taking over the source itself saves a copy, unless others may want what it holds beyond the shared part.
    const free = this.#active.flatMap((sequence, slot) => (sequence ? [] : [slot]));
    const slot = this.#leastUseful(free, source);
    if (slot !== source && shared > 0) cache.copy(source, slot, shared);
    this.#held[slot] = job.tokens.slice(0, shared);
    this.#active[slot] = {
      job,
      slot,
      tokens: [...job.tokens],
      computed: shared,
      logLikelihoods: [],
      isGreedy: true,
      top: [],
      instead: [],
    };
  }

  /** The free slot holding the fewest tokens; the source only if nothing else is free. */
  #leastUseful(free: number[], source: number): number {
    const others = free.filter((slot) => slot !== source);
    const by = (a: number, b: number) => this.#held[a]!.length - this.#held[b]!.length || a - b;
    return others.toSorted(by)[0] ?? source;
  }

  /** One row for every sequence that is writing, and rows of prompts in slot order until their call is full. */
  #nextCalls(): Call[] {
    const active = this.#active.filter((sequence) => sequence !== undefined);
    const isWriting = ({ computed, job }: Active) => computed >= job.tokens.length;
    const most = Math.min(this.#model.kernels.fewRows ?? Number.POSITIVE_INFINITY, this.#slotCount);
    const writing = active.filter(isWriting);
    const calls: Call[] = [];
    for (let at = 0; at < writing.length; at += most)
      calls.push(callFor("writing", writing.slice(at, at + most), most));
    calls.push(
      callFor(
        "reading",
        active.filter((sequence) => !isWriting(sequence)),
        writing.length > 0 ? this.#rowsPerCall : 2 * this.#rowsPerCall,
      ),
    );
    return calls.filter(({ plan }) => plan.length > 0);
  }

  /** The cache is as long as the jobs need, not as the context allows. It grows with what it holds, so nobody waits for others to end. */
  #cacheForWaiting(): KeyValueCache {
    const longest = this.#waiting.reduce((most, job) => Math.max(most, this.#extent(job)), 1);
    const old = this.#cache;
    if (old && longest <= old.maxTokens) return old;
    const wanted = Math.max(longest, (old?.maxTokens ?? 0) * CACHE_GROWTH);
    const maxTokens = Math.min(this.maxTokens, Math.ceil(wanted / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS);
    if (old) old.grow(maxTokens);
    else this.#cache = new KeyValueCache(this.#model, { slots: this.#slotCount, maxTokens });
    return this.#cache!;
  }
}

function callFor(kind: Rows["kind"], sequences: Active[], mostRows: number): Call {
  const rows: Rows = { kind, slot: [], position: [], token: [] };
  const plan: Call["plan"] = [];
  for (const sequence of sequences) {
    const count = Math.min(lastNeeded(sequence) - sequence.computed, mostRows - rows.token.length);
    if (count <= 0) continue;
    plan.push({ sequence, firstRow: rows.token.length, count });
    for (let i = 0; i < count; i++) {
      rows.slot.push(sequence.slot);
      rows.position.push(sequence.computed + i);
      rows.token.push(sequence.tokens[sequence.computed + i]!);
    }
  }
  return { rows, plan };
}

/** Positions to compute: scoring does not need what follows the last token. */
function lastNeeded({ job, tokens }: Active): number {
  return job.kind === "score" ? tokens.length - 1 : tokens.length;
}

function commonLength(a: number[], b: number[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return length;
}

/**
 * GGUF files (quantised models of llama.cpp) through node-llama-cpp, which is loaded only when a GGUF is asked for: with its
 * binaries for every GPU it is larger than all of Meditron, so installing it is the user's choice.
 *
 * Requests take turns on a fixed number of sequences (one, unless asked for more), which llama.cpp computes in common batches; a
 * request takes the free sequence that begins most like it, and what they share stays computed.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import { CancelledError, ConfigError, DataError, exists, fromSystemError, NativeError } from "../core/index.ts";
import { stopRule, TextStream } from "./embedded-text.ts";
import type {
  Capabilities,
  GenerateRequest,
  Generation,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
} from "./language-model.ts";

/** The part of node-llama-cpp (version 3) that is used here. */
interface Llama {
  loadModel(options: { modelPath: string; gpuLayers?: number | "auto" }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}
interface LlamaModel {
  readonly trainContextSize: number;
  readonly fileInfo: { readonly metadata: { readonly tokenizer?: { readonly chat_template?: string } } };
  readonly tokens: {
    readonly bos: number | null;
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  tokenize(text: string, specialTokens?: boolean): number[];
  detokenize(tokens: readonly number[], specialTokens?: boolean): string;
  isEogToken(token: number): boolean;
  createContext(options: {
    contextSize: number;
    sequences: number;
    threads: number;
    batchSize: number;
  }): Promise<LlamaContext>;
  dispose(): Promise<void>;
}
interface LlamaContext {
  getSequence(): LlamaSequence;
}
type Evaluated = undefined | { next: { logits?: Map<number, number> } };
interface LlamaSequence {
  readonly contextTokens: number[];
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  controlledEvaluate(input: (number | [number, { generateNext: { logits: true } }])[]): Promise<Evaluated[]>;
  evaluate(
    tokens: number[],
    options: { temperature: number; topK?: number; topP?: number; minP?: number; seed?: number },
  ): AsyncGenerator<number>;
}

export interface GgufSettings {
  path: string;
  name?: string;
  /** Default: what the model was trained with, at most 4096. */
  contextTokens?: number;
  gpuLayers?: number | "auto";
  threads?: number;
  /** Sequences computed side by side. Default 1. */
  slots?: number;
  /** What to do with a prompt longer than the context: keep its end and say so in the result, or refuse. Default "truncate". */
  overflow?: "truncate" | "refuse";
}

/**
 * @throws {ConfigError} GGUF_NOT_INSTALLED with the command that installs the reader; IO_NOT_FOUND for a missing file.
 * @throws {NativeError} GGUF_NOT_LOADED when llama.cpp refuses the file.
 */
export async function loadGguf(settings: GgufSettings): Promise<LanguageModel & { readonly chat: GgufChat }> {
  const path = resolve(settings.path);
  if (!(await exists(path)))
    throw new ConfigError("IO_NOT_FOUND", { message: "no such file", where: path, remedy: "check the path" });
  const { getLlama } = await importReader();
  await checkHead(path);
  let llama: Llama;
  let model: LlamaModel;
  try {
    llama = await getLlama({ gpu: settings.gpuLayers === 0 ? false : "auto", build: "never", logLevel: "error" });
    model = await llama.loadModel({ modelPath: path, gpuLayers: settings.gpuLayers ?? "auto" });
  } catch (cause) {
    throw new NativeError("GGUF_NOT_LOADED", {
      message: `llama.cpp cannot load this file: ${(cause as Error).message}`,
      where: path,
      remedy: "check that it is a complete GGUF of a text model and that it fits in memory",
      cause,
    });
  }
  const contextTokens = settings.contextTokens ?? Math.min(model.trainContextSize, 4096);
  const { slots = 1 } = settings;
  const context = await model.createContext({
    contextSize: contextTokens,
    sequences: slots,
    threads: settings.threads ?? availableParallelism(),
    batchSize: 512,
  });
  const id = `gguf:${await fingerprint(path)}:${contextTokens}`;
  const sequences = Array.from({ length: slots }, () => context.getSequence());
  const about = { name: settings.name ?? basename(path, ".gguf"), id, contextTokens };
  return new GgufModel(llama, model, sequences, about, settings.overflow ?? "truncate");
}

/** Loads node-llama-cpp. @throws {ConfigError} GGUF_NOT_INSTALLED. */
export async function importReader(): Promise<{ getLlama(options: object): Promise<Llama> }> {
  // Held in a variable so that neither the compiler nor a bundler looks for a package that need not be there.
  const reader = "node-llama-cpp";
  try {
    return (await import(reader)) as { getLlama(options: object): Promise<Llama> };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new ConfigError("GGUF_NOT_INSTALLED", {
      message: "reading GGUF files needs node-llama-cpp, which is not installed",
      remedy:
        "npm install node-llama-cpp@3 (about 30 MB on the CPU, more with GPUs), or serve the file with llama.cpp and name its endpoint",
      cause,
    });
  }
}

/**
 * The reader tries for minutes to make sense of a file of another kind, so its first bytes are looked at here.
 * @throws {NativeError} GGUF_NOT_LOADED.
 */
async function checkHead(path: string): Promise<void> {
  const head = Buffer.alloc(8);
  const file = await open(path, "r").catch((error) => {
    throw fromSystemError(error, path, "reading a GGUF file");
  });
  try {
    await file.read(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
  const version = head.readUInt32LE(4);
  if (head.toString("latin1", 0, 4) === "GGUF" && version >= 1 && version <= 3) return;
  throw new NativeError("GGUF_NOT_LOADED", {
    message: "this file does not begin as a GGUF does",
    where: path,
    remedy: "name the .gguf file of a text model, whole and of version 1 to 3",
  });
}

/** SHA-256 over size, head and tail: files of many gigabytes are not read whole to tell them apart. */
async function fingerprint(path: string): Promise<string> {
  const part = 1 << 22;
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const hash = createHash("sha256").update(String(size));
      for (const position of [0, Math.max(0, size - part)]) {
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(Math.min(part, size)),
          0,
          Math.min(part, size),
          position,
        );
        hash.update(buffer.subarray(0, bytesRead));
      }
      return hash.digest("hex");
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fromSystemError(error, path, "reading a GGUF file");
  }
}

/** How a GGUF says that messages are laid out. */
export interface GgufChat {
  template: string | undefined;
  /** Under the names of tokenizer_config.json. */
  specialTokens: { bos_token: string; eos_token: string };
}

class GgufModel implements LanguageModel {
  readonly name: string;
  readonly id: string;
  readonly capabilities: Capabilities;
  readonly chat: GgufChat;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #overflow: "truncate" | "refuse";
  readonly #slots: number;
  readonly #free: LlamaSequence[];
  #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    llama: Llama,
    model: LlamaModel,
    sequences: LlamaSequence[],
    about: { name: string; id: string; contextTokens: number },
    overflow: "truncate" | "refuse",
  ) {
    this.#llama = llama;
    this.#model = model;
    this.#slots = sequences.length;
    this.#free = sequences;
    this.#overflow = overflow;
    this.name = about.name;
    this.id = about.id;
    this.capabilities = { logLikelihoods: true, generate: true, streams: true, contextTokens: about.contextTokens };
    const { bosString, eosString } = model.tokens;
    const template = model.fileInfo.metadata.tokenizer?.chat_template;
    this.chat = { template, specialTokens: { bos_token: bosString ?? "", eos_token: eosString ?? "" } };
  }

  logLikelihoods(
    requests: LogLikelihoodRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: LogLikelihood) => void } = {},
  ): Promise<LogLikelihood[]> {
    return this.#inTurn(requests, options, (request) => this.#score(request));
  }

  generate(
    requests: GenerateRequest[],
    options: {
      signal?: AbortSignal;
      onDone?: (index: number, result: Generation[]) => void;
      onText?: (index: number, sample: number, text: string) => void;
    } = {},
  ): Promise<Generation[][]> {
    const { signal, onText } = options;
    return this.#inTurn(requests, options, (request, index) =>
      Promise.all(
        Array.from({ length: request.n ?? 1 }, (_, k) =>
          this.#sample(request, k, signal, onText && ((text) => onText(index, k, text))),
        ),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#model.dispose();
    await this.#llama.dispose();
  }

  /** In the order of requests; as many at once as there are sequences. */
  #inTurn<Request, Result>(
    requests: readonly Request[],
    { signal, onDone }: { signal?: AbortSignal; onDone?: (index: number, result: Result) => void },
    answer: (request: Request, index: number) => Promise<Result>,
  ): Promise<Result[]> {
    const results: Result[] = [];
    let next = 0;
    let hasFailed = false;
    const work = async () => {
      for (let index = next++; index < requests.length && !hasFailed; index = next++) {
        if (signal?.aborted) throw new CancelledError();
        results[index] = await answer(requests[index]!, index);
        onDone?.(index, results[index]!);
      }
    };
    const workers = Array.from({ length: this.#slots }, () =>
      work().catch((error) => {
        hasFailed = true;
        throw error;
      }),
    );
    const run = Promise.all(workers).then(() => results);
    this.#running.add(run);
    run.catch(() => {}).finally(() => this.#running.delete(run));
    return run;
  }

  /** Gives `use` the free sequence that begins most like `tokens`, with how many tokens of that it holds (always short of the last). */
  async #onSequence<T>(
    tokens: readonly number[],
    use: (sequence: LlamaSequence, kept: number) => Promise<T>,
  ): Promise<T> {
    while (this.#free.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const shared = this.#free.map(({ contextTokens }) => commonLength(contextTokens, tokens.slice(0, -1)));
    const best = shared.indexOf(Math.max(...shared));
    const [sequence] = this.#free.splice(best, 1) as [LlamaSequence];
    try {
      const { length } = sequence.contextTokens;
      const kept = shared[best]!;
      if (length > kept) await sequence.eraseContextTokenRanges([{ start: kept, end: length }]);
      return await use(sequence, kept);
    } finally {
      this.#free.push(sequence);
      this.#waiting.shift()?.();
    }
  }

  #encode(text: string): number[] {
    const tokens = this.#model.tokenize(text, true);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return shouldPrependBosToken && bos !== null ? [bos, ...tokens] : tokens;
  }

  /** The harness's rule: white space at the context's end belongs to the continuation; split at the context's own tokens. */
  async #score({ context, continuation }: LogLikelihoodRequest): Promise<LogLikelihood> {
    const before = this.#encode(context.trimEnd());
    const limit = this.capabilities.contextTokens;
    let whole = this.#encode(context + continuation);
    const count = whole.length - before.length;
    if (whole.length > limit) whole = whole.slice(whole.length - limit);
    const first = whole.length - count;
    const { outputs, kept } = await this.#onSequence(whole.slice(0, first), async (sequence, kept) => ({
      kept,
      outputs: await sequence.controlledEvaluate(
        whole
          .slice(kept, -1)
          .map((token, i) => (kept + i >= first - 1 ? [token, { generateNext: { logits: true } }] : token)),
      ),
    }));
    const each: number[] = [];
    let isGreedy = true;
    for (const [i, token] of whole.slice(first).entries()) {
      const logits = outputs[first - 1 + i - kept]!.next.logits!;
      let highest = Number.NEGATIVE_INFINITY;
      for (const logit of logits.values()) if (logit > highest) highest = logit;
      let sum = 0;
      for (const logit of logits.values()) sum += Math.exp(logit - highest);
      const own = logits.get(token)!;
      each.push(own - highest - Math.log(sum));
      if (own < highest) isGreedy = false;
    }
    return {
      logLikelihood: each.reduce((a, b) => a + b, 0),
      tokenLogLikelihoods: Float64Array.from(each),
      tokens: whole.slice(first),
      bytes: Buffer.byteLength(continuation),
      isGreedy,
    };
  }

  async #sample(
    request: GenerateRequest,
    k: number,
    signal: AbortSignal | undefined,
    onText: ((text: string) => void) | undefined,
  ): Promise<Generation> {
    const { prompt, temperature = 0, topP, topK, seed = 0, stop = [] } = request;
    const { contextTokens } = this.capabilities;
    const whole = this.#encode(prompt);
    // Room for the answer, but never at the price of more than half of the prompt's. Who refuses long prompts wants them whole, and an answer as long as fits.
    const after = this.#overflow === "refuse" ? 1 : Math.min(request.maxTokens, contextTokens >> 1);
    const cut = Math.max(0, whole.length + after - contextTokens);
    if (cut > 0 && this.#overflow === "refuse")
      throw new DataError("MODEL_CONTEXT", {
        message: `the prompt has ${whole.length} tokens; the context holds ${contextTokens}`,
        remedy: "shorten the prompt",
      });
    const tokens = whole.slice(cut);
    const maxTokens = Math.min(request.maxTokens, contextTokens - tokens.length);
    const drawn: number[] = [];
    let finish: Generation["finish"] = "length";
    const decode = (ids: ArrayLike<number>) => this.#model.detokenize(Array.from(ids), true);
    const rule = stopRule({ decode }, stop);
    const stream = onText && new TextStream({ decode }, stop);
    const options = {
      temperature,
      seed: seed + k,
      minP: 0,
      ...(topP === undefined ? {} : { topP }),
      ...(topK === undefined ? {} : { topK }),
    };
    await this.#onSequence(tokens, async (sequence, kept) => {
      if (signal?.aborted) throw new CancelledError();
      if (maxTokens <= 0) return;
      for await (const token of sequence.evaluate(tokens.slice(kept), options)) {
        if (signal?.aborted) throw new CancelledError();
        if (this.#model.isEogToken(token)) {
          finish = "end-of-text";
          break;
        }
        drawn.push(token);
        const piece = stream?.push(token);
        if (piece) onText?.(piece);
        if (rule.isStopped?.(drawn)) {
          finish = "stop";
          break;
        }
        if (drawn.length >= maxTokens) break;
      }
    });
    const { text, tokens: kept } = rule.cut(drawn);
    const rest = stream?.end(text);
    if (rest) onText?.(rest);
    const about = { promptTokens: tokens.length, ...(cut > 0 ? { truncatedTokens: cut } : {}) };
    return { text, tokens: kept, finish, ...about };
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let same = 0;
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++;
  return same;
}

/**
 * GGUF files (quantised models of llama.cpp) through node-llama-cpp, which is loaded only when a GGUF is asked for: with its
 * binaries for every GPU it is larger than all of Meditron, so installing it is the user's choice.
 *
 * Requests are scored one after another on one sequence; what a prompt shares with the one before stays computed.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import { CancelledError, ConfigError, exists, fromSystemError, NativeError } from "../core/index.ts";
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
  readonly tokens: { readonly bos: number | null; readonly shouldPrependBosToken: boolean };
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
}

/**
 * @throws {ConfigError} GGUF_NOT_INSTALLED with the command that installs the reader; IO_NOT_FOUND for a missing file.
 * @throws {NativeError} GGUF_NOT_LOADED when llama.cpp refuses the file.
 */
export async function loadGguf(settings: GgufSettings): Promise<LanguageModel> {
  const path = resolve(settings.path);
  if (!(await exists(path)))
    throw new ConfigError("IO_NOT_FOUND", { message: "no such file", where: path, remedy: "check the path" });
  const { getLlama } = await importReader();
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
  const context = await model.createContext({
    contextSize: contextTokens,
    sequences: 1,
    threads: settings.threads ?? availableParallelism(),
    batchSize: 512,
  });
  const id = `gguf:${await fingerprint(path)}:${contextTokens}`;
  return new GgufModel(
    llama,
    model,
    context.getSequence(),
    settings.name ?? basename(path, ".gguf"),
    id,
    contextTokens,
  );
}

async function importReader(): Promise<{ getLlama(options: object): Promise<Llama> }> {
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

class GgufModel implements LanguageModel {
  readonly name: string;
  readonly id: string;
  readonly capabilities: Capabilities;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #sequence: LlamaSequence;
  /** Calls wait for one another: there is one sequence. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    llama: Llama,
    model: LlamaModel,
    sequence: LlamaSequence,
    name: string,
    id: string,
    contextTokens: number,
  ) {
    this.#llama = llama;
    this.#model = model;
    this.#sequence = sequence;
    this.name = name;
    this.id = id;
    this.capabilities = { logLikelihoods: true, generate: true, contextTokens };
  }

  logLikelihoods(
    requests: LogLikelihoodRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: LogLikelihood) => void } = {},
  ): Promise<LogLikelihood[]> {
    return this.#inTurn(requests, options, (request) => this.#score(request));
  }

  generate(
    requests: GenerateRequest[],
    options: { signal?: AbortSignal; onDone?: (index: number, result: Generation[]) => void } = {},
  ): Promise<Generation[][]> {
    return this.#inTurn(requests, options, async (request) => {
      const samples: Generation[] = [];
      for (let k = 0; k < (request.n ?? 1); k++) samples.push(await this.#sample(request, k, options.signal));
      return samples;
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#model.dispose();
    await this.#llama.dispose();
  }

  #inTurn<Request, Result>(
    requests: readonly Request[],
    { signal, onDone }: { signal?: AbortSignal; onDone?: (index: number, result: Result) => void },
    answer: (request: Request) => Promise<Result>,
  ): Promise<Result[]> {
    const run = this.#last
      .catch(() => {})
      .then(async () => {
        const results: Result[] = [];
        for (const [index, request] of requests.entries()) {
          if (signal?.aborted) throw new CancelledError();
          const result = await answer(request);
          results.push(result);
          onDone?.(index, result);
        }
        return results;
      });
    this.#last = run;
    return run;
  }

  #encode(text: string): number[] {
    const tokens = this.#model.tokenize(text, true);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return shouldPrependBosToken && bos !== null ? [bos, ...tokens] : tokens;
  }

  /** Keeps what the sequence already holds of `tokens` (always short of the last: its logits are needed). */
  async #keepPrefix(tokens: readonly number[]): Promise<number> {
    const held = this.#sequence.contextTokens;
    let same = 0;
    while (same < Math.min(held.length, tokens.length - 1) && held[same] === tokens[same]) same++;
    if (held.length > same) await this.#sequence.eraseContextTokenRanges([{ start: same, end: held.length }]);
    return same;
  }

  /** The harness's rule: white space at the context's end belongs to the continuation; split at the context's own tokens. */
  async #score({ context, continuation }: LogLikelihoodRequest): Promise<LogLikelihood> {
    const before = this.#encode(context.trimEnd());
    const limit = this.capabilities.contextTokens;
    let whole = this.#encode(context + continuation);
    const count = whole.length - before.length;
    if (whole.length > limit) whole = whole.slice(whole.length - limit);
    const first = whole.length - count;
    const kept = await this.#keepPrefix(whole.slice(0, first));
    const outputs = await this.#sequence.controlledEvaluate(
      whole
        .slice(kept, -1)
        .map((token, i) => (kept + i >= first - 1 ? [token, { generateNext: { logits: true } }] : token)),
    );
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

  async #sample(request: GenerateRequest, k: number, signal: AbortSignal | undefined): Promise<Generation> {
    const { prompt, maxTokens, temperature = 0, topP, topK, seed = 0, stop = [] } = request;
    const room = this.capabilities.contextTokens - maxTokens;
    const tokens = this.#encode(prompt).slice(-Math.max(1, room));
    const kept = await this.#keepPrefix(tokens);
    const drawn: number[] = [];
    let finish: Generation["finish"] = "length";
    let text = "";
    const options = {
      temperature,
      seed: seed + k,
      minP: 0,
      ...(topP === undefined ? {} : { topP }),
      ...(topK === undefined ? {} : { topK }),
    };
    for await (const token of this.#sequence.evaluate(tokens.slice(kept), options)) {
      if (signal?.aborted) throw new CancelledError();
      if (this.#model.isEogToken(token)) {
        finish = "end-of-text";
        break;
      }
      drawn.push(token);
      text = this.#model.detokenize(drawn, true);
      const ends = stop.map((mark) => text.indexOf(mark)).filter((at) => at >= 0);
      if (ends.length > 0) {
        text = text.slice(0, Math.min(...ends));
        finish = "stop";
        break;
      }
      if (drawn.length >= maxTokens) break;
    }
    return { text, tokens: drawn, finish };
  }
}

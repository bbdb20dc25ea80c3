/**
 * A model directory as a LanguageModel, computed by the embedded engine in a thread of its own: the caller's event loop stays free,
 * and requests of several callers share the same batches.
 */
import { basename, dirname, resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { CancelledError, NativeError, startWorker, unpackError } from "../core/index.ts";
import { loadTokenizer } from "../tokens/tokenizer.ts";
import type { Tokenizer } from "../tokens/types.ts";
import type { EmbeddedInfo, EmbeddedSettings, FromWorker, ToWorker } from "./embedded-protocol.ts";
import type {
  Capabilities,
  GenerateRequest,
  Generation,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
} from "./language-model.ts";

export type { EmbeddedSettings } from "./embedded-protocol.ts";

interface Call {
  results: unknown[];
  missing: number;
  onDone: ((index: number, result: never) => void) | undefined;
  onText: GenerateOptions["onText"];
  resolve(results: unknown[]): void;
  reject(error: Error): void;
}

interface CallOptions<T> {
  signal?: AbortSignal;
  onDone?: (index: number, result: T) => void;
}

interface GenerateOptions extends CallOptions<Generation[]> {
  onText?: ((index: number, sample: number, text: string) => void) | undefined;
}

/**
 * Loads a model directory into a thread.
 * @param settings.name - short name for tables. Default: the directory's.
 * @throws {ConfigError} @throws {DataError} as `loadModel` and `loadTokenizer`.
 */
export async function loadEmbedded(
  settings: EmbeddedSettings & { name?: string },
): Promise<LanguageModel & { readonly info: EmbeddedInfo }> {
  const { name, ...rest } = settings;
  const options = rest.endOfDocument === undefined ? {} : { endOfDocument: rest.endOfDocument };
  const tokenizer = await loadTokenizer(rest.directory, options);
  const worker = startWorker(new URL("./embedded-worker.ts", import.meta.url), { workerData: rest });
  const info = await new Promise<EmbeddedInfo>((accept, reject) => {
    worker.once("error", reject);
    worker.once("message", ([message]: [FromWorker]) => {
      if (message.type === "ready") accept(message.info);
      else if (message.type === "failed") reject(unpackError(message.error));
    });
  }).catch(async (error) => {
    await worker.terminate();
    throw error;
  });
  return new EmbeddedModel(worker, info, tokenizer, name ?? nameOf(rest.directory));
}

/** `checkpoints/step-0000100` says little alone: the run's name comes along. */
function nameOf(directory: string): string {
  const path = resolve(directory);
  const name = basename(path);
  return name.startsWith("step-") ? `${basename(dirname(dirname(path)))}/${name}` : name;
}

class EmbeddedModel implements LanguageModel {
  readonly name: string;
  readonly id: string;
  readonly info: EmbeddedInfo;
  readonly tokenizer: Tokenizer;
  readonly capabilities: Capabilities;
  #worker: Worker;
  #calls = new Map<number, Call>();
  #nextCall = 1;
  #failure: Error | undefined;

  constructor(worker: Worker, info: EmbeddedInfo, tokenizer: Tokenizer, name: string) {
    this.#worker = worker;
    this.info = info;
    this.id = info.id;
    this.name = name;
    this.tokenizer = tokenizer;
    this.capabilities = {
      logLikelihoods: true,
      generate: true,
      streams: true,
      logProbs: true,
      contextTokens: info.contextTokens,
    };
    worker.on("message", (messages: FromWorker[]) => {
      for (const message of messages) this.#receive(message);
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", (code) => {
      const message = `the model's thread ended with code ${code}`;
      this.#fail(new NativeError("MODEL_THREAD_ENDED", { message, remedy: "load the model again" }));
    });
    // An idle model does not keep the process alive; a call does.
    worker.unref();
  }

  logLikelihoods(requests: LogLikelihoodRequest[], options: CallOptions<LogLikelihood> = {}): Promise<LogLikelihood[]> {
    return this.#call<LogLikelihood>((call) => ({ type: "score", call, requests }), requests.length, options);
  }

  generate(requests: GenerateRequest[], options: GenerateOptions = {}): Promise<Generation[][]> {
    const streams = options.onText !== undefined;
    return this.#call<Generation[]>(
      (call) => ({ type: "generate", call, requests, streams }),
      requests.length,
      options,
    );
  }

  async close(): Promise<void> {
    this.#fail(new CancelledError("the model was closed"));
    await this.#worker.terminate();
  }

  #call<T>(
    message: (call: number) => ToWorker,
    count: number,
    options: CallOptions<T> & Pick<GenerateOptions, "onText">,
  ): Promise<T[]> {
    const { signal, onDone, onText } = options;
    if (this.#failure) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(new CancelledError());
    if (count === 0) return Promise.resolve([]);
    const id = this.#nextCall++;
    return new Promise<T[]>((accept, reject) => {
      const cancel = () => {
        this.#worker.postMessage({ type: "cancel", call: id } satisfies ToWorker);
        this.#end(id)?.reject(new CancelledError());
      };
      signal?.addEventListener("abort", cancel, { once: true });
      const forget = () => signal?.removeEventListener("abort", cancel);
      this.#calls.set(id, {
        results: new Array(count),
        missing: count,
        onDone: onDone as Call["onDone"],
        onText,
        resolve: (results) => {
          forget();
          accept(results as T[]);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      this.#worker.ref();
      this.#worker.postMessage(message(id));
    });
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "written":
        this.#calls.get(message.call)?.onText?.(message.index, message.sample, message.text);
        return;
      case "scored":
      case "generated": {
        const call = this.#calls.get(message.call);
        if (!call) return; // cancelled meanwhile
        call.results[message.index] = message.result;
        call.missing--;
        call.onDone?.(message.index, message.result as never);
        if (call.missing === 0) this.#end(message.call)?.resolve(call.results);
        return;
      }
      case "failed":
        if (message.call === undefined) this.#fail(unpackError(message.error));
        else this.#end(message.call)?.reject(unpackError(message.error));
        return;
      case "ready":
        return;
      default:
        message satisfies never;
    }
  }

  #end(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#worker.unref();
    return call;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const id of [...this.#calls.keys()]) this.#end(id)?.reject(this.#failure);
  }
}

/** The embedded model's thread: text to tokens, tokens through the scheduler, results back as they finish. */
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { canonicalJson, DataError, exists, packError, sha256, sha256File } from "../core/index.ts";
import {
  type Job,
  loadConfig,
  loadModel,
  type Numbers,
  SafetensorsReader,
  Scheduler,
  weightFileNames,
} from "../model/index.ts";
import type { Kernels } from "../native/kernels.ts";
import { loadTokenizer, requireFits } from "../tokens/tokenizer.ts";
import type { Tokenizer } from "../tokens/types.ts";
import type { EmbeddedInfo, EmbeddedSettings, FromWorker, ToWorker } from "./embedded-protocol.ts";
import {
  endIdsOf,
  positionsOf,
  type ScoredToken,
  scoredTokens,
  splitContinuation,
  stopRule,
  TextStream,
} from "./embedded-text.ts";
import type { GenerateRequest, Generation, LogLikelihoodRequest } from "./language-model.ts";

const settings = workerData as EmbeddedSettings;
const port = parentPort!;
/** What one step has to say goes out together: a message of its own for each token costs more than the token. */
const outbox: FromWorker[] = [];
const send = (message: FromWorker) => void outbox.push(message);
function flush(): void {
  if (outbox.length > 0) port.postMessage(outbox.splice(0));
}

async function start(): Promise<void> {
  const { directory, slots, overflow = "truncate", endOfDocument } = settings;
  const kernels = await kernelsFor(settings);
  // Not bfloat16 where hardware has it: scores would depend on the processor.
  const precision = settings.precision ?? "f32";
  const tokenizer = await loadTokenizer(directory, endOfDocument === undefined ? {} : { endOfDocument });
  const numbers = precision === "f32" ? await storedNumbers(directory) : {};
  const model = await loadModel(directory, { kernels, precision, trainable: false, ...numbers });
  requireFits(tokenizer, model.config.vocabSize, directory);
  const limits = {
    ...(slots === undefined ? {} : { slots }),
    ...(settings.contextTokens === undefined ? {} : { maxTokens: settings.contextTokens }),
  };
  const scheduler = new Scheduler(model, limits);
  const endIds = endIdsOf(tokenizer, model.config.endOfTextIds);
  const server = new Server(scheduler, tokenizer, endIds, overflow);
  port.on("message", (message: ToWorker) => server.receive(message));
  const info: EmbeddedInfo = {
    id: await identity(directory, tokenizer, precision),
    contextTokens: scheduler.maxTokens,
    vocabSize: model.config.vocabSize,
    kernels: kernels.description,
  };
  send({ type: "ready", info });
  flush();
}

async function kernelsFor({ kernels, threads }: EmbeddedSettings): Promise<Kernels> {
  if (kernels === "reference") return (await import("../native/reference.ts")).referenceKernels();
  const { loadKernels } = await import("../native/index.ts");
  return loadKernels(threads === undefined ? {} : { threads });
}

/** Weights that were given away in bfloat16 stay so in memory, half the size: every product still is the float32 one, bit for bit. */
async function storedNumbers(directory: string): Promise<{ numbers?: Numbers }> {
  await loadConfig(directory); // a mistake in it is named first
  const reader = await SafetensorsReader.open(directory);
  const { isBfloat16 } = reader;
  await reader.close();
  return isBfloat16 ? { numbers: { weights: "bf16", activations: "f32", sums: "f32" } } : {};
}

async function identity(directory: string, tokenizer: Tokenizer, precision: string): Promise<string> {
  const files = ["config.json", ...(await weightFileNames(directory))];
  const present = [];
  for (const file of files) {
    const path = join(directory, file);
    if (await exists(path)) present.push([file, await sha256File(path)]);
  }
  return sha256(canonicalJson({ files: present, tokenizer: tokenizer.sha256, precision }));
}

class Server {
  #scheduler: Scheduler;
  #tokenizer: Tokenizer;
  #endIds: ReadonlySet<number>;
  #overflow: "truncate" | "refuse";
  /** Call of each job, to cancel by. */
  #callOf = new WeakMap<Job, number>();
  #isRunning = false;

  constructor(
    scheduler: Scheduler,
    tokenizer: Tokenizer,
    endIds: ReadonlySet<number>,
    overflow: "truncate" | "refuse",
  ) {
    this.#scheduler = scheduler;
    this.#tokenizer = tokenizer;
    this.#endIds = endIds;
    this.#overflow = overflow;
  }

  receive(message: ToWorker): void {
    if (message.type === "cancel") {
      this.#cancel(message.call);
      return;
    }
    try {
      if (message.type === "score") this.#score(message.call, message.requests);
      else
        for (const [index, request] of message.requests.entries())
          this.#generate(message.call, index, request, message.streams);
    } catch (error) {
      this.#cancel(message.call);
      send({ type: "failed", call: message.call, error: packError(error) });
    }
    flush();
    if (!this.#isRunning) void this.#run();
  }

  /** Steps until nothing is left, letting messages in between (new calls join, cancelled ones leave). */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (!this.#scheduler.isIdle) {
        this.#scheduler.step();
        flush();
        await new Promise((next) => setImmediate(next));
      }
    } catch (error) {
      send({ type: "failed", call: undefined, error: packError(error) });
    } finally {
      this.#isRunning = false;
      flush();
    }
  }

  #cancel(call: number): void {
    this.#scheduler.cancel((job) => this.#callOf.get(job) === call);
  }

  #add(call: number, job: Job): void {
    this.#callOf.set(job, call);
    this.#scheduler.add(job);
  }

  /** Neighbours that differ in their last token alone, as the letters of a question's options do, are one job. */
  #score(call: number, requests: LogLikelihoodRequest[]): void {
    const split = requests.map((request) => this.#splitAndFit(request));
    for (let first = 0, end = 0; first < split.length; first = end) {
      const { tokens, continuation } = split[first]!;
      const [one, ...others] = continuation;
      const isSame = (other: (typeof split)[number] | undefined) =>
        one !== undefined &&
        others.length === 0 &&
        other?.continuation.length === 1 &&
        other.tokens.length === tokens.length &&
        other.tokens.every((token, i) => token === tokens[i]);
      end = first + 1;
      while (isSame(split[end])) end++;
      const group = split.slice(first, end);
      const reply = (k: number, tokenLogLikelihoods: Float64Array, isGreedy: boolean) => {
        const { continuation, cut, bytes } = group[k]!;
        const logLikelihood = tokenLogLikelihoods.reduce((sum, nats) => sum + nats, 0);
        const result = { logLikelihood, tokenLogLikelihoods, tokens: continuation, bytes, isGreedy };
        const index = first + k;
        send({ type: "scored", call, index, result: cut > 0 ? { ...result, truncatedTokens: cut } : result });
      };
      this.#add(call, {
        kind: "score",
        tokens: [...tokens, ...continuation],
        from: tokens.length,
        instead: group.slice(1).map((other) => other.continuation[0]!),
        onDone: ({ logLikelihoods, isGreedy, instead }) => {
          reply(0, logLikelihoods, isGreedy);
          for (const [i, other] of instead.entries())
            reply(i + 1, Float64Array.of(other.logLikelihood), other.isGreedy);
        },
      });
    }
  }

  #splitAndFit(request: LogLikelihoodRequest) {
    const { context, continuation } = splitContinuation(this.#tokenizer, request);
    // The last token is predicted, not read, so one more fits than the context holds.
    const { tokens, cut } = this.#fit(context, continuation.length, this.#scheduler.maxTokens + 1);
    return { tokens, continuation, cut, bytes: Buffer.byteLength(request.continuation) };
  }

  #generate(call: number, index: number, request: GenerateRequest, streams: boolean): void {
    const { maxTokens, temperature = 0, topP = 1, topK = 0, stop = [], seed = 0, n = 1, logProbs, echo } = request;
    const encoded = request.promptIds ?? this.#tokenizer.encode(request.prompt);
    const whole = encoded.length > 0 ? encoded : [this.#tokenizer.endOfDocumentId];
    // Room for the answer, but never at the price of more than half of the prompt's. One token more fits where nothing is written.
    const { maxTokens: context } = this.#scheduler;
    const after = maxTokens > 0 ? Math.min(maxTokens, context >> 1) : 0;
    const { tokens, cut } = this.#fit(whole, after, maxTokens > 0 ? context : context + 1);
    const rule = stopRule(this.#tokenizer, stop);
    const results: Generation[] = [];
    const written: ScoredToken[][] = [];
    const wantsPrompt = logProbs !== undefined && echo === true && encoded.length > 0;
    let prompt: ScoredToken[] = [];
    let missing = n + (wantsPrompt ? 1 : 0);
    const finish = () => {
      if (--missing > 0) return;
      if (logProbs !== undefined)
        for (const [k, result] of results.entries())
          result.positions = positionsOf(this.#tokenizer, [...prompt, ...written[k]!]);
      send({ type: "generated", call, index, result: results });
    };
    if (wantsPrompt) {
      this.#add(call, {
        kind: "score",
        tokens,
        from: 1,
        top: logProbs,
        onDone: ({ logLikelihoods, top }) => {
          const first = { token: tokens[0]!, logLikelihood: null, top: [] };
          prompt = [first, ...scoredTokens(tokens.slice(1), logLikelihoods, top)];
          finish();
        },
      });
    }
    for (let k = 0; k < n; k++) {
      const stream = streams ? new TextStream(this.#tokenizer, stop) : undefined;
      const write = (piece: string) => {
        if (piece !== "") send({ type: "written", call, index, sample: k, text: piece });
      };
      this.#add(call, {
        kind: "generate",
        tokens,
        maxTokens,
        temperature,
        topP,
        topK,
        seed: seed + k,
        endIds: this.#endIds,
        ...(logProbs === undefined ? {} : { top: logProbs }),
        ...(rule.isStopped ? { isStopped: rule.isStopped } : {}),
        ...(stream ? { onToken: (token: number) => write(stream.push(token)) } : {}),
        onDone: (output) => {
          const { text, tokens: kept } = rule.cut(output.tokens);
          if (stream) write(stream.end(text));
          const nats = output.logLikelihoods.slice(0, kept.length);
          results[k] = {
            text,
            tokens: kept,
            ...(logProbs === undefined ? {} : { logLikelihood: nats.reduce((sum, one) => sum + one, 0) }),
            finish: output.finish,
            promptTokens: tokens.length,
            ...(cut > 0 ? { truncatedTokens: cut } : {}),
          };
          // The end token is a position of its own, as other servers report it.
          const end = output.end ? [output.end] : [];
          written[k] = [...scoredTokens(kept, output.logLikelihoods, output.top), ...end];
          finish();
        },
      });
    }
    if (missing === 0) send({ type: "generated", call, index, result: [] });
  }

  /** Keeps the end of `context` so that `after` more tokens fit into `room`. */
  #fit(context: number[], after: number, room: number): { tokens: number[]; cut: number } {
    const cut = Math.max(0, context.length + after - room);
    if (cut > 0 && (this.#overflow === "refuse" || cut >= context.length)) {
      throw new DataError("MODEL_CONTEXT", {
        message: `the request takes ${context.length} + ${after} tokens; the model's context has room for ${room}`,
        remedy: "shorten the prompt, or use fewer examples",
      });
    }
    return { tokens: context.slice(cut), cut };
  }
}

// Last, so that the class above exists.
try {
  await start();
} catch (error) {
  send({ type: "failed", call: undefined, error: packError(error) });
  flush();
}

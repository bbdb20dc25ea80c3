/**
 * The torch engine: checks the job, writes it down for the worker, starts torchrun and passes on what it reports.
 *
 *   launch.json         what the worker reads (worker/settings.py)
 *   events.jsonl        the run's events, as the embedded engine writes them
 *   performance.jsonl   speed, utilisation and memory of each step; preflight
 *   worker.log          what torchrun and the processes say
 */
import { spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CancelledError,
  ConfigError,
  type MeditronError,
  RetryableError,
  unpackError,
  writeJsonAtomic,
} from "../../core/index.ts";
import { loadConfig, memoryPlan } from "../../model/index.ts";
import { loadTokenizer } from "../../tokens/index.ts";
import { listCheckpoints, loadState } from "../checkpoint.ts";
import { modelIdentity, openData } from "../data.ts";
import { type NewEvent, TrainEventLog } from "../events.ts";
import { type JobIdentity, jobIdentity, requireSameJob } from "../identity.ts";
import type { TrainEvent, TrainJob } from "../job.ts";
import type { TrainResult } from "../trainer.ts";
import type { EngineOptions } from "./embedded.ts";
import { checkLayout, parseTorchSettings, type TorchSettings } from "./torch-settings.ts";
import {
  findPython,
  packageFolder,
  processesOf,
  processesPerNode,
  TORCHRUN_ENVIRONMENT,
  torchrunArguments,
} from "./torchrun.ts";

/** In the job's directory: asks the worker to stop after its step. */
export const STOP_FILE = ".stop";
/** In the job's directory: what a worker that Slurm or Kubernetes started has reported. */
export const WORKER_EVENTS = "worker-events.jsonl";

/** What `worker/train.py` reads. */
export interface Launch {
  job: TrainJob & { torch: TorchSettings };
  vocabSize: number;
  padId: number;
  /** Tokens that end a generated answer. */
  endIds: number[];
  identity: JobIdentity;
}

interface PreparedLaunch {
  launch: Launch;
  launchFile: string;
  /** UTF-8 bytes a token stands for in each validation set that says so. */
  bytesPerToken: Map<string, number>;
}

/** Checks everything that can be checked without PyTorch and writes `launch.json`. @throws {ConfigError} {DataError} */
export async function prepareTorchLaunch(job: TrainJob): Promise<PreparedLaunch> {
  const settings = parseTorchSettings(job);
  checkJob(job);
  checkLayout(job, settings, processesOf(settings));
  const tokenizer = await loadTokenizer(job.tokenizer);
  const model = await modelIdentity(job.model);
  // One sample is enough to open and check every file.
  const data = await openData(job, 1, tokenizer.padId);
  data.close();
  const identity = jobIdentity(sameNumbers(job, settings), {
    data: data.fingerprint,
    tokenizer: tokenizer.sha256,
    model,
  });
  const [newest] = await listCheckpoints(job.directory);
  if (newest) requireSameJob((await loadState(newest.path)).identity, identity, job.directory);
  const endOfMessage = job.data.kind === "finetuning" ? tokenizer.idOf("<|im_end|>") : undefined;
  const launch: Launch = {
    job: { ...job, torch: settings },
    vocabSize: tokenizer.vocabSize,
    padId: tokenizer.padId,
    endIds: [...(endOfMessage === undefined ? [] : [endOfMessage]), tokenizer.endOfDocumentId],
    identity,
  };
  await mkdir(job.directory, { recursive: true });
  const launchFile = join(job.directory, "launch.json");
  await writeJsonAtomic(launchFile, launch);
  const bytesPerToken = new Map(
    data.validation.flatMap(({ name, bytesPerToken: bytes }) => (bytes === undefined ? [] : [[name, bytes]])),
  );
  return { launch, launchFile, bytesPerToken };
}

/** The job without what changes no number here: how it is laid out over processes. */
function sameNumbers(job: TrainJob, { fp8, masters }: TorchSettings): TrainJob {
  return { ...job, microBatchSize: 1, recompute: false, torch: { fp8, masters } };
}

function checkJob(job: TrainJob): void {
  const problems: string[] = [];
  if (job.globalBatchSize % job.microBatchSize !== 0)
    problems.push(`microBatchSize ${job.microBatchSize} does not divide globalBatchSize ${job.globalBatchSize}`);
  if (job.schedule.minLearningRate > job.schedule.peakLearningRate)
    problems.push(`schedule.minLearningRate is above the peak`);
  if (problems.length > 0)
    throw new ConfigError("TRAIN_BAD_JOB", {
      message: problems.join("; "),
      where: job.name,
      remedy: "correct the settings",
    });
}

/** Trains on this machine. The same promise as `trainEmbedded`. @throws {RetryableError} TRAIN_WORKER_DIED */
export async function trainTorch(job: TrainJob, options: EngineOptions = {}): Promise<TrainResult> {
  const { launch, launchFile, bytesPerToken } = await prepareTorchLaunch(job);
  const settings = launch.job.torch;
  if (settings.nodes > 1) return takeOver(job, options);
  const python = findPython(settings);
  const stopFile = join(job.directory, STOP_FILE);
  await rm(stopFile, { force: true });

  const log = new TrainEventLog(join(job.directory, "events.jsonl"), options.onEvent);
  const receiver = new Receiver(job, log, bytesPerToken);
  const started = performance.now();
  try {
    const args = torchrunArguments(
      { nodes: 1, processesPerNode: processesPerNode(settings), maxRestarts: settings.maxRestarts },
      join(packageFolder(), "worker", "train.py"),
      launchFile,
    );
    const exit = await runWorker(python, args, {
      log: join(job.directory, "worker.log"),
      onLine: (line) => receiver.receive(line),
      onAbort: () => writeFile(stopFile, ""),
      signal: options.signal,
    });
    if (receiver.failure) throw receiver.failure;
    if (receiver.cancelledAt !== undefined)
      throw new CancelledError(
        `training stopped at step ${receiver.cancelledAt} of ${job.steps}`,
        "run the same command again: it goes on from there",
      );
    if (exit !== 0 || receiver.end === undefined) throw await workerDied(job, exit);
  } finally {
    await rm(stopFile, { force: true });
    await receiver.close();
    log.sync();
    log.close();
  }
  return resultOf(job, receiver, (performance.now() - started) / 1000);
}

/** A job of several machines is started by Slurm or Kubernetes; what they have finished counts as trained here. */
async function takeOver(job: TrainJob, options: EngineOptions): Promise<TrainResult> {
  const [newest] = await listCheckpoints(job.directory);
  if (newest?.step !== job.steps)
    throw new ConfigError("TRAIN_MANY_NODES", {
      message: `the job asks for ${parseTorchSettings(job).nodes} nodes; training starts on this machine alone`,
      where: "torch.nodes",
      remedy: `meditron launch ${join(job.directory, "job.json")} --slurm --submit (or --kubernetes); when it has ended, the same command goes on from there`,
    });
  const receiver = await collectTorchEvents(job, options.onEvent);
  return resultOf(job, receiver, receiver.seconds);
}

async function resultOf(job: TrainJob, receiver: Receiver, seconds: number): Promise<TrainResult> {
  const [newest] = await listCheckpoints(job.directory);
  const config = await loadConfig(job.model);
  return {
    step: receiver.end!.step,
    loss: receiver.end!.loss,
    modelDirectory: newest!.path,
    resumedFromStep: receiver.resumedFromStep,
    seconds,
    parameters: receiver.parameters,
    // Of the whole model on one device; `planCluster` says what each GPU of a layout holds.
    memory: memoryPlan(config, {
      precision: job.precision,
      microBatchSize: job.microBatchSize,
      sequenceLength: job.sequenceLength,
      trainable: job.lora ?? "all",
      recompute: job.recompute,
      optimizerStates: job.optimizer.states,
    }),
    validation: receiver.validation,
  };
}

/**
 * Takes what the worker wrote under Slurm or Kubernetes (`worker-events.jsonl`) into the run's own files, as if it had run here. May
 * be called while the job runs, and again: the events are made anew each time.
 *
 * @throws {ConfigError} TRAIN_NOT_STARTED when the job has reported nothing yet.
 */
export async function collectTorchEvents(
  job: TrainJob,
  onEvent: (event: TrainEvent) => void = () => {},
): Promise<Receiver> {
  const { bytesPerToken } = await prepareTorchLaunch(job);
  const path = join(job.directory, WORKER_EVENTS);
  const text = await readFile(path, "utf8").catch(() => {
    throw new ConfigError("TRAIN_NOT_STARTED", {
      message: "the job has reported nothing yet",
      where: path,
      remedy: "wait until Slurm or Kubernetes has started it (squeue, kubectl get pods)",
    });
  });
  await rm(join(job.directory, "performance.jsonl"), { force: true });
  const log = new TrainEventLog(join(job.directory, "events.jsonl"), onEvent);
  try {
    log.truncate(0);
    const receiver = new Receiver(job, log, bytesPerToken);
    for (const line of text.split("\n")) if (isWhole(line)) receiver.receive(line);
    await receiver.close();
    return receiver;
  } finally {
    log.close();
  }
}

/** Whether a line is an event: a process that is killed, or still writing, leaves half a line. */
function isWhole(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Starts torchrun and reads its lines. @returns the exit code (128 + n for a signal, as shells count). */
function runWorker(
  python: string,
  args: string[],
  options: {
    log: string;
    onLine: (line: string) => void;
    onAbort: () => Promise<void>;
    signal: AbortSignal | undefined;
  },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    const worker = spawn(python, args, {
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: Ctrl-C in a terminal goes to the whole group, and would end the workers before they have saved.
      detached: true,
      // One thread a process unless the job says otherwise: several processes share the cores.
      env: { OMP_NUM_THREADS: "1", ...process.env, ...TORCHRUN_ENVIRONMENT },
    });
    const file = createWriteStream(options.log, { flags: "a" });
    worker.stderr.pipe(file, { end: false });
    // When this process is told to go at once, the worker still saves.
    const leave = () => worker.kill("SIGTERM");
    process.once("exit", leave);
    const abort = () => void options.onAbort().catch(reject);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    let problem: unknown;
    createInterface({ input: worker.stdout }).on("line", (line) => {
      try {
        if (line.startsWith("{")) options.onLine(line);
        else file.write(`${line}\n`);
      } catch (error) {
        problem ??= error;
        worker.kill("SIGTERM");
      }
    });
    worker.on("error", reject);
    worker.on("close", (code) => {
      signal?.removeEventListener("abort", abort);
      process.off("exit", leave);
      file.end();
      if (problem) reject(problem);
      else resolve(code ?? 143);
    });
  });
}

async function workerDied(job: TrainJob, exit: number): Promise<MeditronError> {
  const path = join(job.directory, "worker.log");
  const lines = (await readFile(path, "utf8").catch(() => "")).trimEnd().split("\n");
  // The last line of a Python traceback says what happened; torchrun's own report comes behind it.
  const reason = lines.findLast(
    (line) =>
      /^\s*(\[rank\d+\]:\s*)?\w+(\.\w+)*(Error|Exception|Interrupt)\b/.test(line) && !line.includes("ChildFailedError"),
  );
  return new RetryableError("TRAIN_WORKER_DIED", {
    message: `the PyTorch worker ended with exit code ${exit}${reason ? `: ${reason.trim()}` : ""}`,
    where: path,
    remedy: "read the end of that file; the same command goes on from the newest checkpoint",
    fields: { exit },
  });
}

type WorkerEvent =
  | NewEvent
  | { event: "rewind"; step: number; isRollback: boolean }
  | { event: "performance" | "preflight-end" };

/** Takes the worker's lines into the run's files. */
export class Receiver {
  readonly #job: TrainJob;
  readonly #log: TrainEventLog;
  readonly #bytesPerToken: Map<string, number>;
  #performance: Promise<unknown> = Promise.resolve();
  failure: Error | undefined;
  cancelledAt: number | undefined;
  end: { step: number; loss: number } | undefined;
  seconds = 0;
  resumedFromStep = 0;
  parameters = 0;
  readonly validation: Record<string, number> = {};

  constructor(job: TrainJob, log: TrainEventLog, bytesPerToken: Map<string, number>) {
    this.#job = job;
    this.#log = log;
    this.#bytesPerToken = bytesPerToken;
  }

  receive(line: string): void {
    const event = JSON.parse(line) as WorkerEvent & { kind?: string; remedy?: string };
    switch (event.event) {
      case "rewind":
        rewind(this.#log, event.step, event.isRollback);
        return;
      case "performance":
      case "preflight-end":
        this.#performance = this.#performance.then(() =>
          appendFile(join(this.#job.directory, "performance.jsonl"), `${line}\n`),
        );
        return;
      case "train-start":
        this.resumedFromStep = event.resumedFromStep;
        this.parameters = event.parameters;
        this.#log.emit(event, event.resumedFromStep === 0);
        return;
      case "validation-end": {
        this.validation[event.name] = event.loss;
        const bytes = this.#bytesPerToken.get(event.name);
        this.#log.emit(bytes === undefined ? event : { ...event, bitsPerByte: event.loss / Math.LN2 / bytes });
        return;
      }
      case "train-failed": {
        const { kind, remedy, ...known } = event;
        const { code, message, step } = known;
        this.failure ??= unpackError({
          name: kind ?? "RetryableError",
          code,
          message,
          where: `${this.#job.name}, step ${step}`,
          remedy,
          fields: { step },
          stack: undefined,
        });
        this.#log.emit(known);
        return;
      }
      case "train-cancelled":
        this.cancelledAt = event.step;
        this.#log.emit(event);
        return;
      case "train-end":
        this.end = { step: event.step, loss: event.loss };
        this.seconds = event.seconds;
        this.#log.emit(event);
        return;
      default:
        this.#log.emit(event);
        return;
    }
  }

  async close(): Promise<void> {
    await this.#performance;
  }
}

/**
 * Forgets the events behind `step`, which the run is about to repeat. A checkpoint is reported when it is written, some steps after
 * it was taken, so what belongs to earlier steps may stand behind later ones: it stays, and so do the rollbacks that led here.
 */
function rewind(log: TrainEventLog, step: number, isRollback: boolean): void {
  let bytes = 0;
  for (const line of readFileSync(log.path, "utf8").split("\n")) {
    if (line === "" || isForgotten(line, step, isRollback)) break;
    bytes += Buffer.byteLength(line) + 1;
  }
  for (const line of log.truncate(bytes)) {
    if (isForgotten(line, step, isRollback)) continue;
    log.emit(JSON.parse(line) as TrainEvent);
  }
}

function isForgotten(line: string, step: number, isRollback: boolean): boolean {
  let event: TrainEvent;
  try {
    event = JSON.parse(line) as TrainEvent;
  } catch {
    return true; // half a line of a process that was killed
  }
  switch (event.event) {
    case "train-start":
      return step === 0 && !isRollback;
    case "train-end":
    case "train-cancelled":
    case "train-failed":
      return true;
    case "loss-spike":
      return event.action === "warned" && event.step > step;
    default:
      return event.step > step;
  }
}

/** Training curves: every step of a training in memory as columns, thinned to what a screen can show. */
import { join } from "node:path";
import { exists, readJson } from "../core/index.ts";
import { loadConfig } from "../model/index.ts";
import type { CheckpointSamples } from "../run/stages/checkpoint-samples.ts";
import type { TrainEvent, TrainJob } from "../train/job.ts";
import { GPUS } from "../train/plan/cluster.ts";
import { flopPerToken } from "../train/plan/work.ts";
import { LogTail, parseLine } from "./log-tail.ts";
import { childFolder, listFolders } from "./studio-files.ts";
import type { StudioRuns } from "./studio-runs.ts";
import type { StageState, TrainingCurve } from "./studio-types.ts";

type Columns = Pick<TrainingCurve, "step" | "loss" | "learningRate" | "gradNorm" | "tokensPerSecond" | "samples">;
const emptyColumns = (): Columns => ({
  step: [],
  loss: [],
  learningRate: [],
  gradNorm: [],
  tokensPerSecond: [],
  samples: [],
});

/** One training's events, read further each time. */
class Series {
  columns = emptyColumns();
  validation = new Map<string, TrainingCurve["validation"][number]>();
  checkpoints: { step: number; seconds: number }[] = [];
  spikes: TrainingCurve["spikes"] = [];
  start: Extract<TrainEvent, { event: "train-start" }> | undefined;
  readonly #tail: LogTail;
  #busy: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#tail = new LogTail(path);
  }

  refresh(): Promise<void> {
    this.#busy = this.#busy.then(() =>
      this.#tail.read(
        (line) => this.#take(line),
        () => {
          this.columns = emptyColumns();
          this.validation.clear();
          this.checkpoints = [];
          this.spikes = [];
        },
      ),
    );
    return this.#busy;
  }

  #take(line: string): void {
    const event = parseLine<TrainEvent>(line);
    switch (event?.event) {
      case "train-start":
        this.start = event;
        break;
      case "step-end": {
        const { columns } = this;
        columns.step.push(event.step);
        columns.loss.push(event.loss);
        columns.learningRate.push(event.learningRate);
        columns.gradNorm.push(event.gradNorm);
        columns.tokensPerSecond.push(Math.round(event.tokensPerSecond));
        columns.samples.push(event.samples);
        break;
      }
      case "validation-end": {
        const set = this.validation.get(event.name) ?? { name: event.name, step: [], loss: [], bitsPerByte: [] };
        set.step.push(event.step);
        set.loss.push(event.loss);
        set.bitsPerByte.push(event.bitsPerByte ?? null);
        this.validation.set(event.name, set);
        break;
      }
      case "checkpoint-saved":
        this.checkpoints.push({ step: event.step, seconds: event.seconds });
        break;
      case "loss-spike":
        this.spikes.push({ step: event.step, loss: event.loss, zScore: event.zScore, action: event.action });
        break;
    }
  }
}

export class StudioTraining {
  readonly #runs: StudioRuns;
  readonly #series = new Map<string, Series>();

  constructor(runs: StudioRuns) {
    this.#runs = runs;
  }

  /** @param points - Steps to keep, about; all of them when there are fewer. */
  async curve(run: string, training: string, points: number): Promise<TrainingCurve> {
    const directory = await this.#runs.directory(run);
    const folder = await childFolder(join(directory, "train"), training, "training");
    const key = `${run}/${training}`;
    let series = this.#series.get(key);
    if (!series) {
      series = new Series(join(folder, "events.jsonl"));
      this.#series.set(key, series);
    }
    await series.refresh();
    const jobPath = join(folder, "job.json");
    const job = (await exists(jobPath)) ? await readJson<TrainJob>(jobPath) : undefined;
    const { stages } = await this.#runs.detail(run);
    const state: StageState = stages.find(({ id }) => id === `train.${training}`)?.state ?? "waiting";
    const { columns, start } = series;
    const kept = thinRows(columns.loss, points);
    const pick = (values: number[]) => kept.map((row) => values[row]!);
    const saved = await listFolders(join(folder, "checkpoints"));
    const work = await trainedWork(folder, job);
    const peak = peakFlops(start?.kernels);
    const tokensPerSecond = pick(columns.tokensPerSecond);
    return {
      run,
      training,
      state,
      ...(start ? { parameters: start.parameters, kernels: start.kernels } : {}),
      steps: columns.step.at(-1) ?? 0,
      ...(job
        ? {
            stepsPlanned: job.steps,
            tokensPerStep: job.sequenceLength * job.globalBatchSize,
            engine: job.engine,
            precision: job.precision,
          }
        : {}),
      thinned: kept.length < columns.step.length,
      step: pick(columns.step),
      loss: pick(columns.loss),
      learningRate: pick(columns.learningRate),
      gradNorm: pick(columns.gradNorm),
      tokensPerSecond,
      samples: pick(columns.samples),
      ...(work === undefined ? {} : { flopPerToken: work }),
      ...(peak === undefined ? {} : { peakFlops: peak }),
      validation: [...series.validation.values()],
      checkpoints: series.checkpoints.map((checkpoint) => ({
        ...checkpoint,
        kept: saved.includes(`step-${String(checkpoint.step).padStart(7, "0")}`),
      })),
      spikes: series.spikes,
      samplesGenerated: await loadSamples(join(folder, "samples.jsonl")),
    };
  }
}

/** FLOP of one trained token by torchtitan's convention, from the model that was trained. */
async function trainedWork(folder: string, job: TrainJob | undefined): Promise<number | undefined> {
  if (!job) return undefined;
  const [newest] = (await listFolders(join(folder, "checkpoints"))).reverse();
  const model = newest === undefined ? job.model : join(folder, "checkpoints", newest);
  try {
    const config = await loadConfig(model);
    return flopPerToken(config, job.sequenceLength).attention;
  } catch {
    return undefined; // a model that lies elsewhere by now
  }
}

/** The bf16 peak of all devices, where `train-start` names devices that the planner knows ("torch 2.9, 8 x NVIDIA H100 ..."). */
function peakFlops(kernels: string | undefined): number | undefined {
  const devices = /(\d+) x ([^,]+)/.exec(kernels ?? "");
  if (!devices) return undefined;
  const gpu = Object.values(GPUS).find(({ name }) => devices[2]!.includes(name.split("-")[0]!));
  return gpu && Number(devices[1]) * gpu.bf16Flops;
}

async function loadSamples(path: string): Promise<CheckpointSamples[]> {
  const samples: CheckpointSamples[] = [];
  await new LogTail(path).read((line) => {
    const value = parseLine<CheckpointSamples>(line);
    if (value) samples.push(value);
  });
  return samples.sort((a, b) => a.step - b.step);
}

/** Rows to draw: in each of points / 2 buckets the lowest and the highest value, so that no spike is lost; always both ends. */
export function thinRows(values: readonly number[], points: number): number[] {
  const rows = values.length;
  if (rows <= points || points < 4) return values.map((_, row) => row);
  const buckets = Math.floor((points - 2) / 2);
  const kept = new Set([0, rows - 1]);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * rows) / buckets);
    const to = Math.floor(((bucket + 1) * rows) / buckets);
    let [lowest, highest] = [from, from];
    for (let row = from; row < to; row++) {
      if (values[row]! < values[lowest]!) lowest = row;
      // A NaN is what one looks for: it counts as the highest.
      if (!(values[row]! <= values[highest]!)) highest = row;
    }
    kept.add(lowest).add(highest);
  }
  return [...kept].sort((a, b) => a - b);
}

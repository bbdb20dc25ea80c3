import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import {
  CancelledError,
  ConfigError,
  formatBytes,
  formatCount,
  formatDuration,
  fromSystemError,
} from "../../core/index.ts";
import { loadConfig, memoryPlan } from "../../model/index.ts";
import { check, locate, problemsError } from "../../run/problems.ts";
import { trainWithProgress } from "../../run/stages/training.ts";
import { formatMemoryPlan, type TrainJob, trainJobSchema } from "../../train/index.ts";
import type { Command } from "../command.ts";

export const train: Command = {
  name: "train",
  summary: "run one training job: pretraining on token files, or finetuning on examples",
  description: [
    "The job is the JSON (or YAML) that every run writes as train/<name>/job.json: model, tokenizer, data, schedule. Relative",
    "paths start at the job file's folder. A directory that holds checkpoints of the same job is resumed.",
  ].join("\n"),
  positionals: [{ name: "job", description: "a training job, .json or .yaml" }],
  options: {
    directory: { type: "path", description: "folder for checkpoints and events, in place of the job's" },
    steps: { type: "count", value: "steps", description: "stop after this many steps, in place of the job's" },
    threads: { type: "count", value: "n", description: "threads of the kernels; changes no result" },
    "dry-run": { type: "flag", description: "check the job and print parameters and memory" },
  },
  examples: [
    {
      command: "meditron train runs/demo/train/continued/job.json --directory trial",
      does: "a job of a run, again, elsewhere",
    },
    { command: "meditron train my-job.yaml --dry-run", does: "check a job of your own and see the memory it needs" },
  ],
  async run({ positionals, values, signal, commandLine }) {
    const job = await loadJob(positionals[0]!);
    const directory = values.text("directory");
    if (directory) job.directory = resolve(directory);
    const steps = values.number("steps");
    if (steps) job.steps = steps;
    const threads = values.number("threads");
    if (threads) job.threads = threads;
    const json = values.flag("json");
    if (values.flag("dry-run")) {
      const plan = memoryPlan(await loadConfig(job.model), {
        precision: job.precision,
        microBatchSize: job.microBatchSize,
        sequenceLength: job.sequenceLength,
        trainable: job.lora ?? "all",
        recompute: job.recompute,
        optimizerStates: job.optimizer.states,
      });
      const tokens = job.steps * job.globalBatchSize * job.sequenceLength;
      process.stdout.write(
        json
          ? `${JSON.stringify({ job, memory: plan, tokens })}\n`
          : `${job.name}: ${formatCount(plan.parameters)} parameters, ${formatCount(plan.trainableParameters)} of them train\n` +
              `${formatCount(job.steps)} steps of ${formatCount(job.globalBatchSize * job.sequenceLength)} tokens: ${formatCount(tokens)} tokens\n` +
              `memory ${formatBytes(plan.total)}: ${formatMemoryPlan(plan)}\n`,
      );
      return;
    }
    const result = await trainWithProgress(job, signal).catch((error) => {
      throw error instanceof CancelledError ? new CancelledError(error.message, `resume with: ${commandLine}`) : error;
    });
    process.stdout.write(
      json
        ? `${JSON.stringify(result)}\n`
        : `${result.modelDirectory}\n${formatCount(result.step)} steps in ${formatDuration(result.seconds)}, loss ${result.loss.toFixed(4)}${Object.entries(
            result.validation,
          )
            .map(([name, loss]) => `, ${name} ${loss.toFixed(4)} (perplexity ${Math.exp(loss).toFixed(2)})`)
            .join("")}\n`,
    );
  },
};

/** @throws {ConfigError} TRAIN_BAD_JOB with every problem and its place. */
export async function loadJob(file: string): Promise<TrainJob> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fromSystemError(error, file, "reading the training job");
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true }); // JSON is YAML
  const broken = document.errors[0];
  if (broken)
    throw new ConfigError("TRAIN_BAD_JOB", {
      message: `neither JSON nor YAML: ${broken.message.split("\n")[0]}`,
      where: file,
      remedy: "correct the line",
    });
  const { value: job, problems } = check(trainJobSchema, document.toJS() ?? {});
  if (!job) {
    const root = isNode(document.contents) ? document.contents : null;
    const placed = problems.map((problem) => ({ ...problem, place: locate(root, problem.path, lines) }));
    throw problemsError("TRAIN_BAD_JOB", file, placed);
  }
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(dirname(file), path));
  const { data } = job;
  return {
    ...job,
    directory: absolute(job.directory),
    model: absolute(job.model),
    tokenizer: absolute(job.tokenizer),
    data:
      data.kind === "pretraining"
        ? {
            ...data,
            sets: data.sets.map((set) => ({ ...set, prefix: absolute(set.prefix) })),
            validation: data.validation.map((set) => ({ ...set, prefix: absolute(set.prefix) })),
          }
        : {
            ...data,
            examples: absolute(data.examples),
            validation: data.validation.map((set) => ({ ...set, examples: absolute(set.examples) })),
          },
  };
}

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ConfigError, fromSystemError, writeFileAtomic } from "../../core/index.ts";
import {
  collectTorchEvents,
  formatDryRun,
  type Launch,
  packageFolder,
  prepareTorchLaunch,
  progressPrinter,
  renderPyTorchJob,
  renderSbatch,
  runDryRun,
  type TrainJob,
  workerPython,
} from "../../train/index.ts";
import { type Command, UsageError, type Values } from "../command.ts";
import { loadJob } from "./train.ts";

export const launch: Command = {
  name: "launch",
  summary: "start a training of many machines under Slurm or Kubernetes, or try its layout on none",
  description: [
    "The job is the one that `train` takes, with engine: torch and its nodes, processesPerNode and layout. The script or manifest is",
    "written into the job's directory, which all machines must see under the same path, like everything that the job names.",
    "Stopped by Slurm or Kubernetes, the job saves and goes on from there. --collect takes what it has reported so far into the run.",
  ].join("\n"),
  positionals: [{ name: "job", description: "a training job, .json or .yaml: runs/<run>/train/<name>/job.json" }],
  options: {
    slurm: { type: "flag", description: "write launch.sbatch" },
    kubernetes: { type: "flag", description: "write launch.yaml, a PyTorchJob of Kubeflow's training operator" },
    submit: { type: "flag", description: "and hand it to sbatch or kubectl" },
    "dry-run": {
      type: "flag",
      description: "run a step of each pipeline rank without memory or network: shapes, bytes on each GPU",
    },
    collect: { type: "flag", description: "bring what a submitted job has reported into events.jsonl, and print it" },
    time: { type: "text", value: "limit", description: "Slurm: time limit, as in 2-00:00:00" },
    partition: { type: "text", description: "Slurm: partition" },
    account: { type: "text", description: "Slurm: account" },
    setup: {
      type: "text",
      value: "line",
      multiple: true,
      description: "Slurm: a line before the start: modules, NCCL",
    },
    cpus: { type: "count", description: "CPU cores on each machine" },
    memory: { type: "text", value: "quantity", description: "Kubernetes: memory of each pod, as in 512Gi" },
    image: { type: "text", description: "Kubernetes: image with PyTorch and this package's worker folder" },
    worker: { type: "path", description: "Kubernetes: that folder", default: "/opt/meditron/worker" },
    namespace: { type: "text", description: "Kubernetes: namespace" },
    volume: { type: "text", value: "claim:path", description: "Kubernetes: a volume claim that all pods mount there" },
  },
  examples: [
    {
      command: "meditron launch runs/gap/train/continued/job.json --slurm --time 2-00:00:00 --submit",
      does: "put a training into Slurm's queue",
    },
    {
      command: "meditron launch my-job.yaml --kubernetes --image registry.example/meditron:0.1 --volume runs:/data",
      does: "write a manifest for Kubernetes, to look at first",
    },
  ],
  async run({ positionals, values, signal }) {
    const kinds = ["slurm", "kubernetes", "dry-run", "collect"].filter((name) => values.flag(name));
    if (kinds.length !== 1)
      throw new UsageError("CLI_USAGE", {
        message: "give one of --slurm, --kubernetes, --dry-run and --collect",
        where: "meditron launch",
        remedy: "meditron launch --help",
      });
    const job = await loadJob(positionals[0]!);
    if (job.engine !== "torch")
      throw new ConfigError("TRAIN_BAD_LAUNCH", {
        message: "the job trains on the embedded engine, in this process",
        where: positionals[0],
        remedy: "set engine: torch, or use `meditron train`",
      });
    const print = (result: unknown, text: string) =>
      void process.stdout.write(values.flag("json") ? `${JSON.stringify(result)}\n` : `${text}\n`);

    if (kinds[0] === "collect") {
      const say = progressPrinter(job, (line) => !values.flag("quiet") && process.stderr.write(`${line}\n`));
      const { end } = await collectTorchEvents(job, say);
      print(
        { step: end?.step, finished: end !== undefined },
        end ? `finished at step ${end.step}` : "still on its way",
      );
      return;
    }
    const prepared = await prepareTorchLaunch(job);
    if (kinds[0] === "dry-run") {
      const result = await runDryRun(prepared, { signal });
      print(result, formatDryRun(result));
      return;
    }
    requireProcesses(prepared.launch);
    const file = kinds[0] === "slurm" ? "launch.sbatch" : "launch.yaml";
    const path = join(job.directory, file);
    await writeFileAtomic(path, kinds[0] === "slurm" ? sbatch(prepared, values) : manifest(prepared, values));
    const command = kinds[0] === "slurm" ? ["sbatch", "--parsable", path] : ["kubectl", "apply", "--filename", path];
    if (!values.flag("submit")) {
      print({ path, command }, `${path}\nsubmit it with: ${command.join(" ")}`);
      return;
    }
    const answer = submit(command);
    print({ path, command, answer }, `${path}\n${command[0]} answered: ${answer}`);
  },
};

interface Prepared {
  launch: Launch;
  launchFile: string;
}

/** What this machine has says nothing about the machines that will train. */
function requireProcesses({ job }: Launch): void {
  if (job.torch.processesPerNode !== null) return;
  throw new ConfigError("TRAIN_BAD_LAUNCH", {
    message: "the job does not say how many processes each machine runs",
    where: "torch.processesPerNode",
    remedy: "set it to the GPUs of one machine",
  });
}

function sbatch({ launch, launchFile }: Prepared, values: Values): string {
  const { job } = launch;
  const { nodes, processesPerNode, maxRestarts, device } = job.torch;
  const optional = {
    timeLimit: values.text("time"),
    partition: values.text("partition"),
    account: values.text("account"),
  };
  return renderSbatch({
    name: job.name,
    launchFile,
    directory: job.directory,
    worker: join(packageFolder(), "worker", "train.py"),
    python: workerPython(job.torch),
    nodes,
    gpusPerNode: device === "cpu" ? 0 : processesPerNode!,
    processesPerNode: processesPerNode!,
    maxRestarts,
    cpusPerNode: values.number("cpus"),
    setup: values.list("setup"),
    ...optional,
  });
}

function manifest({ launch, launchFile }: Prepared, values: Values): string {
  const { job } = launch;
  const { nodes, processesPerNode, maxRestarts, device } = job.torch;
  const image = values.text("image");
  const [claim, path] = values.text("volume")?.split(/:(.*)/) ?? [];
  if (!image || !claim || !path?.startsWith("/"))
    throw new UsageError("CLI_USAGE", {
      message: "--kubernetes needs --image and --volume claim:/path",
      where: "meditron launch",
      remedy: "meditron launch --help",
    });
  requireInside(job, path);
  return renderPyTorchJob({
    name: job.name,
    namespace: values.text("namespace"),
    image,
    directory: job.directory,
    launchFile,
    worker: `${values.text("worker")}/train.py`,
    nodes,
    gpusPerNode: device === "cpu" ? 0 : processesPerNode!,
    processesPerNode: processesPerNode!,
    maxRestarts,
    cpus: values.number("cpus"),
    memory: values.text("memory"),
    volume: { claim, path },
  });
}

/** Pods see the volume and nothing else of this machine. */
function requireInside(job: TrainJob, volume: string): void {
  const data =
    job.data.kind === "pretraining"
      ? [...job.data.sets, ...job.data.validation].map(({ prefix }) => prefix)
      : [job.data.examples, ...job.data.validation.map(({ examples }) => examples)];
  const root = volume.endsWith("/") ? volume : `${volume}/`;
  const outside = [job.directory, job.model, job.tokenizer, ...data].filter((path) => !path.startsWith(root));
  if (outside.length === 0) return;
  throw new ConfigError("TRAIN_BAD_LAUNCH", {
    message: `the pods will not see ${[...new Set(outside)].join(", ")}`,
    where: `--volume, mounted at ${volume}`,
    remedy: "mount the shared volume on this machine under the same path, and keep the run in it",
  });
}

function submit([program, ...args]: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program!, args, { encoding: "utf8" });
  if (error) throw fromSystemError(error, program!, "submitting the job");
  if (status === 0) return stdout.trim();
  throw new ConfigError("TRAIN_NOT_SUBMITTED", {
    message: `${program} refused the job: ${stderr.trim()}`,
    where: args.at(-1),
    remedy: "correct what it names; the file is written and can be submitted by hand",
  });
}

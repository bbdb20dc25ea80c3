/** A Slurm batch script for a prepared job: one torchrun a node, meeting at the first. */
import { ConfigError } from "../../core/index.ts";
import { STOP_FILE, WORKER_EVENTS } from "../engines/torch.ts";
import { TORCHRUN_ENVIRONMENT, torchrunArguments } from "../engines/torchrun.ts";

export interface SlurmOptions {
  name: string;
  /** Absolute paths that all nodes see. */
  launchFile: string;
  worker: string;
  python: string;
  directory: string;
  nodes: number;
  /** 0 asks for no GPUs: processes then run on CPUs. */
  gpusPerNode: number;
  processesPerNode: number;
  maxRestarts: number;
  /** Slurm's format: "2-00:00:00". */
  timeLimit?: string | undefined;
  partition?: string | undefined;
  account?: string | undefined;
  cpusPerNode?: number | undefined;
  /** Lines before the start: modules, containers, NCCL's variables. */
  setup?: readonly string[];
}

/** Seconds before the time limit at which training is asked to stop and save; less when the limit itself is short. */
const STOP_EARLY_SECONDS = 600;
const STOP_EARLY_FRACTION = 0.25;

/**
 * The script. Slurm's signal goes to the script alone, which asks the worker to stop through a file: the step is finished, a
 * checkpoint written, and the job put into the queue again when the time was up.
 */
export function renderSbatch(options: SlurmOptions): string {
  const { name, launchFile, worker, python, directory, nodes, gpusPerNode, timeLimit, partition, account } = options;
  const directive = (key: string, value: string | number | undefined) =>
    value === undefined ? [] : [`#SBATCH --${key}=${checked(key, String(value))}`];
  const args = torchrunArguments(
    { ...options, rendezvous: '"$HEAD:$PORT"', rendezvousId: '"$SLURM_JOB_ID"' },
    quoted(worker),
    quoted(launchFile),
  );
  return `${[
    "#!/bin/bash",
    ...directive("job-name", name),
    ...directive("nodes", nodes),
    ...directive("ntasks-per-node", 1),
    ...(gpusPerNode > 0 ? directive("gpus-per-node", gpusPerNode) : []),
    ...directive("cpus-per-task", options.cpusPerNode),
    ...directive("time", timeLimit),
    ...directive("partition", partition),
    ...directive("account", account),
    ...directive("output", `${directory}/slurm-%j.log`),
    "#SBATCH --open-mode=append",
    "#SBATCH --requeue",
    `#SBATCH --signal=B:USR1@${stopEarlySeconds(timeLimit)}`,
    "",
    "set -u",
    ...(options.setup ?? []),
    ...Object.entries(TORCHRUN_ENVIRONMENT).map(([name, value]) => `export ${name}=${value}`),
    `STOP=${quoted(`${directory}/${STOP_FILE}`)}`,
    `export MEDITRON_EVENTS=${quoted(`${directory}/${WORKER_EVENTS}`)}`,
    'rm -f "$STOP"',
    "# The first machine, under the address by which Slurm itself reaches it.",
    'FIRST=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
    `HEAD=$(scontrol show node "$FIRST" | sed -n 's/.*NodeAddr=\\([^ ]*\\).*/\\1/p')`,
    "PORT=$((20000 + SLURM_JOB_ID % 20000))",
    "",
    "# Time is nearly up, or the job is pre-empted: finish the step, save, and queue again.",
    "AGAIN=0",
    `trap 'touch "$STOP"; AGAIN=1' USR1 TERM`,
    "",
    `srun --kill-on-bad-exit=1 ${quoted(python)} ${args.join(" ")} &`,
    "WORKER=$!",
    "# A signal ends the first wait, not the worker.",
    'until wait "$WORKER"; STATUS=$?; ! kill -0 "$WORKER" 2> /dev/null; do :; done',
    "# What another try would meet again ends the worker without an error, so that torchrun lets it be; the job has failed.",
    'if tail -n 1 "$MEDITRON_EVENTS" | grep -q \'"event": "train-failed"\'; then exit 1; fi',
    'if tail -n 1 "$MEDITRON_EVENTS" | grep -q \'"event": "train-end"\'; then exit 0; fi',
    'if [ "$AGAIN" = 1 ] && [ "$STATUS" = 0 ]; then scontrol requeue "$SLURM_JOB_ID"; fi',
    'exit "$STATUS"',
  ].join("\n")}\n`;
}

/** @param limit - Slurm's "minutes", "minutes:seconds", "hours:minutes:seconds", "days-hours", "days-hours:minutes" or with seconds. */
function stopEarlySeconds(limit: string | undefined): number {
  const match = limit === undefined ? null : /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(limit);
  if (!match) return STOP_EARLY_SECONDS;
  const [days, first, second, third] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  // Without days, the last of one or two numbers is not hours.
  const seconds =
    match[1] !== undefined || match[4] !== undefined
      ? days * 86_400 + first * 3600 + second * 60 + third
      : first * 60 + second;
  return Math.max(1, Math.min(STOP_EARLY_SECONDS, Math.floor(STOP_EARLY_FRACTION * seconds)));
}

function checked(key: string, value: string): string {
  if (!/[\n"'`$\\]/.test(value)) return value;
  throw new ConfigError("TRAIN_BAD_LAUNCH", {
    message: `${JSON.stringify(value)} cannot stand in a Slurm directive`,
    where: `--${key}`,
    remedy: "use letters, digits, dots, dashes and slashes",
  });
}

/** One word for the shell. */
function quoted(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

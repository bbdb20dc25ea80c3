/** The command line that starts the worker: on this machine, or as one of many under Slurm and Kubernetes. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../core/index.ts";
import { layoutSize, type TorchSettings } from "./torch-settings.ts";

/** Folder that holds `worker/train.py`: above this file, in the source tree and in the built package alike. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "worker", "train.py"))) {
    if (folder === dirname(folder))
      throw new ConfigError("TRAIN_NO_TORCH", {
        message: "the package has no worker/train.py",
        remedy: "install meditron again: the file belongs to it",
      });
    folder = dirname(folder);
  }
  return folder;
}

/** The Python that the job names, or this machine's. */
export function workerPython(settings: Pick<TorchSettings, "python">): string {
  const own = join(packageFolder(), ".venv", "bin", "python");
  return settings.python ?? process.env.MEDITRON_PYTHON ?? (existsSync(own) ? own : "python3");
}

/** @throws {ConfigError} TRAIN_NO_TORCH when that Python has no PyTorch. */
export function findPython(settings: Pick<TorchSettings, "python">): string {
  const python = workerPython(settings);
  const probe = spawnSync(python, [
    "-c",
    "import importlib.util as u; assert u.find_spec('torch') and u.find_spec('safetensors')",
  ]);
  if (probe.status === 0) return python;
  throw new ConfigError("TRAIN_NO_TORCH", {
    message: `${probe.error ? "no such program" : "this Python has no torch and safetensors"}`,
    where: python,
    remedy: "npm run setup:torch makes .venv with PyTorch; or name another Python in torch.python or MEDITRON_PYTHON",
  });
}

/** GPUs that the driver shows, 0 where there is none. */
export function countGpus(): number {
  const { status, stdout } = spawnSync("nvidia-smi", ["-L"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n").filter((line) => line.startsWith("GPU ")).length : 0;
}

export function processesPerNode(settings: TorchSettings): number {
  if (settings.processesPerNode !== null) return settings.processesPerNode;
  const gpus = settings.device === "cpu" ? 0 : countGpus();
  return gpus > 0 ? gpus : Math.ceil(layoutSize(settings.layout) / settings.nodes);
}

/** Processes of a whole job, on all its machines. */
export const processesOf = (settings: TorchSettings): number => settings.nodes * processesPerNode(settings);

/** For torchrun and, through it, for every process. */
export const TORCHRUN_ENVIRONMENT: Record<string, string> = {
  PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True",
  // Processes would otherwise meet in torchrun's own store, which keeps the addresses of those that died: after a restart gloo
  // connects to them and fails (seen in 2.13). So each attempt gets a store of its own.
  TORCH_DISABLE_SHARE_RDZV_TCP_STORE: "1",
  // Asked to go (SIGTERM), the workers finish their step and save; torchrun would end them after 30 seconds.
  TORCH_ELASTIC_SHUTDOWN_TIMEOUT: "600",
};

export interface TorchrunOptions {
  nodes: number;
  processesPerNode: number;
  maxRestarts: number;
  /** host:port where the nodes meet; without it, this machine alone. */
  rendezvous?: string;
  /** Separates several jobs at one meeting point. */
  rendezvousId?: string;
}

/** Arguments for `python`. */
export function torchrunArguments(options: TorchrunOptions, worker: string, launchFile: string): string[] {
  const { nodes, rendezvous, rendezvousId } = options;
  const meeting =
    rendezvous === undefined
      ? ["--standalone"]
      : [
          ...["--rdzv-backend", "c10d", "--rdzv-endpoint", rendezvous],
          ...(rendezvousId === undefined ? [] : ["--rdzv-id", rendezvousId]),
        ];
  return [
    ...["-m", "torch.distributed.run", "--nnodes", String(nodes)],
    ...["--nproc-per-node", String(options.processesPerNode), "--max-restarts", String(options.maxRestarts)],
    ...meeting,
    worker,
    launchFile,
  ];
}

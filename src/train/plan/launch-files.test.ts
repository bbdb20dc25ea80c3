import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderPyTorchJob } from "./kubernetes.ts";
import { renderSbatch } from "./slurm.ts";

const slurm = {
  name: "continued",
  launchFile: "/data/runs/my run/launch.json",
  worker: "/opt/meditron/worker/train.py",
  python: "/opt/meditron/.venv/bin/python",
  directory: "/data/runs/my-run",
  nodes: 16,
  gpusPerNode: 8,
  processesPerNode: 8,
  maxRestarts: 3,
  timeLimit: "2-00:00:00",
};

describe("Slurm", () => {
  it("writes a script that bash accepts", () => {
    const script = renderSbatch(slurm);
    expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    expect(script).toContain("#SBATCH --nodes=16\n#SBATCH --ntasks-per-node=1\n#SBATCH --gpus-per-node=8\n");
    expect(script).toContain("'/data/runs/my run/launch.json'");
  });

  it("runs: the worker gets its arguments, a signal makes the stop file and queues the job again", () => {
    // Stand-ins for Slurm's programs; the script itself is the one that sbatch would run.
    const directory = mkdtempSync(join(tmpdir(), "meditron-slurm-"));
    const script = renderSbatch({ ...slurm, directory, python: "python", setup: [standIns(directory)] });
    const run = spawnSync("bash", ["-c", script], {
      encoding: "utf8",
      timeout: 20_000,
      env: { ...process.env, SLURM_JOB_ID: "7", SLURM_JOB_NODELIST: "n" },
    });
    const called = readFileSync(join(directory, "called"), "utf8");
    const hasStopFile = existsSync(join(directory, ".stop"));
    rmSync(directory, { recursive: true });
    expect(called).toContain(
      "--nnodes 16 --nproc-per-node 8 --max-restarts 3 --rdzv-backend c10d --rdzv-endpoint host1.example:20007 --rdzv-id 7 /opt/meditron/worker/train.py /data/runs/my run/launch.json",
    );
    expect(run.stdout).toContain("requeue 7");
    expect(hasStopFile).toBe(true);
    expect(run.status).toBe(0);
  });

  it("asks for the stop early enough, whatever the limit", () => {
    const signal = (timeLimit: string) => /--signal=(\S+)/.exec(renderSbatch({ ...slurm, timeLimit }))![1];
    expect(signal("2-00:00:00")).toBe("B:USR1@600");
    // A quarter of 20 minutes, of 20 minutes and 40 seconds, of 4 minutes, of half a day.
    expect(signal("20")).toBe("B:USR1@300");
    expect(signal("20:40")).toBe("B:USR1@310");
    expect(signal("0:04:00")).toBe("B:USR1@60");
    expect(signal("0-12")).toBe("B:USR1@600");
  });

  it("refuses what would end a directive", () => {
    expect(() => renderSbatch({ ...slurm, name: "a\n#SBATCH --uid=0" })).toThrow(/cannot stand in a Slurm directive/);
  });
});

const standIns = (directory: string) => `
scontrol() {
  case "$1 $2" in
    "show hostnames") printf 'host1\\nhost2\\n' ;;
    "show node") echo "   NodeAddr=$3.example NodeHostName=$3 Version=22.05" ;;
    *) echo "$@" ;;
  esac
}
srun() { echo "$@" > "${directory}/called"; kill -USR1 $$; while [ ! -e "${directory}/.stop" ]; do sleep 0.1; done; }`;

describe("Kubernetes", () => {
  const options = {
    name: "continued",
    image: "registry.example/meditron:0.1",
    directory: "/run",
    launchFile: "/run/launch.json",
    worker: "/opt/meditron/worker/train.py",
    nodes: 4,
    gpusPerNode: 8,
    processesPerNode: 8,
    maxRestarts: 3,
    volume: { claim: "runs", path: "/run" },
  };

  it("writes a PyTorchJob of the training operator's v1 schema", () => {
    const job = parse(renderPyTorchJob(options));
    expect(job).toMatchObject({
      apiVersion: "kubeflow.org/v1",
      kind: "PyTorchJob",
      metadata: { name: "continued" },
      spec: {
        nprocPerNode: "8",
        elasticPolicy: { rdzvBackend: "c10d", minReplicas: 4, maxReplicas: 4, maxRestarts: 3 },
        pytorchReplicaSpecs: { Worker: { replicas: 4, restartPolicy: "OnFailure" } },
      },
    });
    const [container] = job.spec.pytorchReplicaSpecs.Worker.template.spec.containers;
    expect(container).toMatchObject({ name: "pytorch", resources: { limits: { "nvidia.com/gpu": "8" } } });
    // Every mount has its volume.
    const volumes = job.spec.pytorchReplicaSpecs.Worker.template.spec.volumes.map(({ name }: { name: string }) => name);
    expect(container.volumeMounts.map(({ name }: { name: string }) => name)).toEqual(volumes);
  });

  it("refuses a name that Kubernetes would refuse", () => {
    for (const name of ["My_Run", "7b-continued", "a".repeat(64)])
      expect(() => renderPyTorchJob({ ...options, name })).toThrow(/no Kubernetes name/);
  });
});

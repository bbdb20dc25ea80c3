/** `meditron launch --kubernetes`: the manifest against the training operator's and Kubernetes' own schemas, as their clients carry them. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { main } from "../../src/cli/main.ts";
import { writeJsonAtomic } from "../../src/core/index.ts";
import { missingTorch } from "../parity/python.ts";
import { tinyJob, writeTinyData } from "../support/tiny-job.ts";
import { PYTHON, ROOT } from "./support.ts";

function missingModels(): string | undefined {
  const found = spawnSync(PYTHON, ["-c", "import kubeflow.training"]).status === 0;
  return found ? undefined : "no kubeflow-training; pip install -r test/requirements.txt";
}
const reason = missingTorch() ?? missingModels();

describe.skipIf(reason)(`PyTorchJob${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "meditron-kubernetes-"));
    await writeTinyData(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const problemsOf = (manifest: unknown): string[] => {
    const { stdout, stderr } = spawnSync(PYTHON, [join(ROOT, "test/torch/check_manifest.py")], {
      input: JSON.stringify(manifest),
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    return JSON.parse(stdout) as string[];
  };

  /** Writes the job and its manifest. @returns [exit code, the manifest's path, stderr]. */
  async function launch(
    name: string,
    changes: Record<string, unknown>,
    ...words: string[]
  ): Promise<[number, string, string]> {
    const directory = join(folder, name);
    const job = tinyJob(folder, { name, directory, engine: "torch", ...changes });
    await writeJsonAtomic(join(directory, "job.json"), job);
    const said: string[] = [];
    const spies = [
      vi.spyOn(process.stdout, "write").mockReturnValue(true),
      vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0),
    ];
    const code = await main(["launch", join(directory, "job.json"), "--kubernetes", ...words]);
    for (const spy of spies) spy.mockRestore();
    return [code, join(directory, "launch.yaml"), said.join("")];
  }

  it("fits the schemas in every member", async () => {
    const torch = { nodes: 4, processesPerNode: 2, device: "cuda", maxRestarts: 3 };
    const words = [
      "--image",
      "registry.example/meditron:0.1",
      "--namespace",
      "ml",
      "--cpus",
      "64",
      "--memory",
      "512Gi",
    ];
    const [code, path] = await launch("gpus", { torch, microBatchSize: 1 }, ...words, "--volume", `runs:${folder}`);
    expect(code).toBe(0);
    const manifest = parse(readFileSync(path, "utf8"));
    expect(problemsOf(manifest)).toEqual([]);
    // The check itself: a member that does not exist, one that is missing, one of another type.
    manifest.spec.elasticPolicy.minReplica = 1;
    manifest.spec.pytorchReplicaSpecs.Worker.replicas = "4";
    delete manifest.spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].volumeMounts[0].mountPath;
    expect(problemsOf(manifest)).toHaveLength(3);
  });

  it("refuses what the pods would not see", async () => {
    const torch = { nodes: 4, processesPerNode: 2, device: "cuda" };
    const words = ["--image", "i", "--volume", "runs:/elsewhere"];
    const [code, , said] = await launch("unseen", { torch, microBatchSize: 1 }, ...words);
    expect(code).toBe(1);
    expect(said).toContain(
      `TRAIN_BAD_LAUNCH at --volume, mounted at /elsewhere: the pods will not see ${folder}/unseen, `,
    );
  });

  it("refuses a layout that does not come out even before anything waits in a queue", async () => {
    const torch = { nodes: 3, processesPerNode: 2, device: "cuda", layout: { tensor: 4 } };
    const [code, , said] = await launch("uneven", { torch }, "--image", "i", "--volume", `runs:${folder}`);
    expect(code).toBe(1);
    expect(said).toContain("pipeline 1 x replicate 1 x shard rest x tensor 4 does not make 6 processes");
  });
});

/** A PyTorchJob for Kubeflow's training operator: one pod a node, meeting over c10d, restarted when one dies. */
import { stringify } from "yaml";
import { ConfigError } from "../../core/index.ts";
import { WORKER_EVENTS } from "../engines/torch.ts";
import { TORCHRUN_ENVIRONMENT } from "../engines/torchrun.ts";

export interface PyTorchJobOptions {
  /** Lower-case letters, digits and dashes (a DNS label). */
  name: string;
  namespace?: string | undefined;
  /** Image with PyTorch and this package's worker folder. */
  image: string;
  /** Paths inside the containers: the job's directory, its launch file, the worker's program. */
  directory: string;
  launchFile: string;
  worker: string;
  nodes: number;
  gpusPerNode: number;
  processesPerNode: number;
  maxRestarts: number;
  cpus?: number | undefined;
  memory?: string | undefined;
  /** A claim that all pods share, and where it is mounted. */
  volume: { claim: string; path: string };
}

/** RFC 1035, as the operator asks for. */
const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The manifest, YAML. @throws {ConfigError} TRAIN_BAD_LAUNCH for a name that Kubernetes refuses. */
export function renderPyTorchJob(options: PyTorchJobOptions): string {
  return stringify(pyTorchJob(options), { lineWidth: 0 });
}

export function pyTorchJob(options: PyTorchJobOptions): Record<string, unknown> {
  const { name, namespace, image, nodes, gpusPerNode, processesPerNode, maxRestarts, volume } = options;
  if (!DNS_LABEL.test(name))
    throw new ConfigError("TRAIN_BAD_LAUNCH", {
      message: `${JSON.stringify(name)} is no Kubernetes name`,
      where: "name",
      remedy:
        "use at most 63 lower-case letters, digits and dashes, beginning with a letter and ending with a letter or digit",
    });
  const resources = {
    ...(gpusPerNode > 0 && { "nvidia.com/gpu": String(gpusPerNode) }),
    ...(options.cpus !== undefined && { cpu: String(options.cpus) }),
    ...(options.memory !== undefined && { memory: options.memory }),
  };
  const pod = {
    spec: {
      containers: [
        {
          // The operator looks for a container of this name.
          name: "pytorch",
          image,
          // It sets PET_* variables, which torchrun reads as its own options.
          command: ["python", "-m", "torch.distributed.run", options.worker, options.launchFile],
          env: Object.entries({
            ...TORCHRUN_ENVIRONMENT,
            MEDITRON_EVENTS: `${options.directory}/${WORKER_EVENTS}`,
          }).map(([key, value]) => ({ name: key, value })),
          ...(Object.keys(resources).length > 0 && { resources: { limits: resources } }),
          volumeMounts: [
            { name: "run", mountPath: volume.path },
            // Containers get 64 MiB of shared memory by default: collectives inside a machine need more.
            { name: "shared-memory", mountPath: "/dev/shm" },
          ],
        },
      ],
      // Time for the step and the checkpoint when the pod is asked to go.
      terminationGracePeriodSeconds: 600,
      volumes: [
        { name: "run", persistentVolumeClaim: { claimName: volume.claim } },
        { name: "shared-memory", emptyDir: { medium: "Memory" } },
      ],
    },
  };
  return {
    apiVersion: "kubeflow.org/v1",
    kind: "PyTorchJob",
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: {
      nprocPerNode: String(processesPerNode),
      elasticPolicy: { rdzvBackend: "c10d", minReplicas: nodes, maxReplicas: nodes, maxRestarts },
      runPolicy: { cleanPodPolicy: "None" },
      pytorchReplicaSpecs: { Worker: { replicas: nodes, restartPolicy: "OnFailure", template: pod } },
    },
  };
}

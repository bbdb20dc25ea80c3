/** A step of a job on GPUs that are not there (worker/dry_run.py): are its shapes right, and what does each GPU hold? */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { CancelledError, ConfigError, formatBytes, formatCount } from "../../core/index.ts";
import type { Launch } from "./torch.ts";
import { findPython, packageFolder } from "./torchrun.ts";

/** What one rank of a pipeline stage holds. Sizes are bytes. */
export interface DryRank {
  rank: number;
  layers: number[];
  /** Numbers of the model on this GPU. */
  parameters: number;
  microBatches: number;
  weights: number;
  gradients: number;
  moments: number;
  /** The most that was there at once: all of these, gathered weights, activations, buffers. */
  peak: number;
  seconds: number;
}

/**
 * @param options.pipelineRanks - Those to try; the first, the second and the last where none is named.
 * @throws {ConfigError} TRAIN_DRY_RUN with what PyTorch says about a shape or layout.
 */
export async function runDryRun(
  prepared: { launch: Launch; launchFile: string },
  options: { signal?: AbortSignal; pipelineRanks?: number[] } = {},
): Promise<DryRank[]> {
  const { signal, pipelineRanks = [] } = options;
  const python = findPython(prepared.launch.job.torch);
  const script = join(packageFolder(), "worker", "dry_run.py");
  try {
    const { stdout } = await promisify(execFile)(
      python,
      ["-W", "ignore", script, prepared.launchFile, ...pipelineRanks.map(String)],
      {
        maxBuffer: 64 << 20,
        ...(signal && { signal }),
      },
    );
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as DryRank);
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("the dry run was stopped", "run the same command again");
    const lines = ((error as { stderr?: string }).stderr ?? String(error)).trimEnd().split("\n");
    throw new ConfigError("TRAIN_DRY_RUN", {
      message: lines.findLast((line) => /^\w*(\.\w+)*Error: /.test(line)) ?? lines.at(-1)!,
      where: prepared.launchFile,
      remedy: "change torch.layout or the sizes it cuts",
      fields: { stderr: lines.slice(-50).join("\n") },
    });
  }
}

export function formatDryRun(ranks: readonly DryRank[]): string {
  return ranks
    .map(({ rank, layers, parameters, weights, gradients, moments, peak }) => {
      const rest = peak - weights - gradients - moments;
      return (
        `rank ${rank}, layers ${layers[0]} to ${layers.at(-1)}: ${formatCount(parameters)} parameters; ${formatBytes(peak)} at most ` +
        `(weights ${formatBytes(weights)}, gradients ${formatBytes(gradients)}, moments ${formatBytes(moments)}, gathered weights and activations ${formatBytes(rest)})`
      );
    })
    .join("\n");
}

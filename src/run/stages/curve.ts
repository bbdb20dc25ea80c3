/** `curve.<model>.<benchmark>`: accuracy by tokens seen, asked at the checkpoints that the training kept on its way. */
import { dirname, join } from "node:path";
import { writeJsonAtomic } from "../../core/index.ts";
import { loadBenchmark } from "../../eval/index.ts";
import { checkpointName, readTrainEvents } from "../../train/index.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import { type KeptCheckpoint, listKept } from "../kept.ts";
import type { LoadedRecipe } from "../load-recipe.ts";
import type { followedPairs } from "../recipe.ts";
import { filesOf } from "./corpus.ts";
import { evaluateWithProgress, labelOf, settingsOfBlock, solverLabelOf } from "./evaluation.ts";
import { loadModelAt, modelDirectory } from "./training.ts";

export interface CurvePoint {
  step: number;
  /** Target tokens that this training had seen. */
  tokens: number;
  accuracy: number;
  /** 95% interval (Wilson). */
  low: number;
  high: number;
  items: number;
}

/** points.json */
export interface Curve {
  model: string;
  benchmark: string;
  solver: string;
  /** Folder of the answers under each step's. */
  label: string;
  points: CurvePoint[];
}

export function curveStage(pair: ReturnType<typeof followedPairs>[number], { recipe, file }: LoadedRecipe): Stage {
  const { model, benchmark: benchmarkName, block, how } = pair;
  const config = recipe.benchmarks[benchmarkName]!;
  const settings = settingsOfBlock(block, how.solver, model, recipe);
  const folder = folders.curve(model, benchmarkName);
  const limit = Math.min(how.limit, config.limit ?? Number.POSITIVE_INFINITY);
  const origin = recipe.train[model]!.from;
  return {
    id: `curve.${model}.${benchmarkName}`,
    needs: [...(recipe.prepare.length > 0 ? ["prepare"] : []), `train.${model}`],
    settings: { benchmark: config, settings, limit },
    files: filesOf(config),
    folder,
    products: [join(folder, "points.json")],
    async run({ directory, signal }) {
      const benchmark = await loadBenchmark({ ...config, limit }, { name: benchmarkName, directory: dirname(file) });
      const checkpoints: KeptCheckpoint[] = await listKept(join(directory, folders.kept(model)));
      // The model it started from is the first point, where there is one.
      if (typeof origin === "string")
        checkpoints.unshift({ step: 0, path: await modelDirectory(origin, recipe, directory) });
      const events = await readTrainEvents(join(directory, folders.training(model), "events.jsonl"));
      const points: CurvePoint[] = [];
      for (const { step, path } of checkpoints) {
        const languageModel = await loadModelAt(path, `${model} at step ${step}`, recipe);
        try {
          const summary = await evaluateWithProgress(languageModel, benchmark, {
            ...settings,
            directory: join(directory, folder, checkpointName(step)),
            signal,
          });
          const seen = events.reduce(
            (n, one) => n + (one.event === "step-end" && one.step <= step ? one.tokens : 0),
            0,
          );
          const { low, high } = summary.interval ?? { low: 0, high: 1 };
          points.push({
            step,
            tokens: seen,
            accuracy: summary.accuracy ?? 0,
            low,
            high,
            items: summary.benchmark.items,
          });
        } finally {
          await languageModel.close();
        }
      }
      const curve: Curve = {
        model,
        benchmark: benchmarkName,
        solver: solverLabelOf(settings),
        label: labelOf(settings),
        points,
      };
      await writeJsonAtomic(join(directory, folder, "points.json"), curve);
      return { counts: { points: points.length, items: benchmark.items.length }, product: points };
    },
  };
}

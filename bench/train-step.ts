/** Our whole training step at one of the benchmark's shapes: forward, backward, clipping, AdamW. */
import { counterRandom } from "../src/core/index.ts";
import { initializeModel, type MemoryPlan, memoryPlan } from "../src/model/index.ts";
import type { Kernels, Precision } from "../src/native/kernels.ts";
import { trainJobSchema } from "../src/train/index.ts";
import { AdamW } from "../src/train/optimizer.ts";
import { configOf, type Shape } from "./shapes.ts";

export interface TrainingStep {
  /** One step over the whole batch, in micro-batches of `micro` sequences. @returns nats a token. */
  run(micro: number): number;
  plan(micro: number): MemoryPlan;
}

export function trainingStep(shape: Shape, kernels: Kernels, precision: Precision): TrainingStep {
  const config = configOf(shape);
  const model = initializeModel(config, { kernels, precision, seed: 1 });
  const optimizer = new AdamW(model.trainable, trainJobSchema.shape.optimizer.parse({}), kernels, 1);
  const { batch, sequenceLength: T, vocab } = shape;
  const ids = Int32Array.from({ length: batch * (T + 1) }, (_, i) => counterRandom(1, i) % vocab);
  let stepNumber = 0;
  return {
    run(micro) {
      model.zeroGradients();
      let nats = 0;
      for (let at = 0; at < batch; at += micro) {
        const tokens = new Int32Array(micro * T);
        const targets = new Int32Array(micro * T);
        for (let row = 0; row < micro; row++) {
          const start = (at + row) * (T + 1);
          tokens.set(ids.subarray(start, start + T), row * T);
          targets.set(ids.subarray(start + 1, start + T + 1), row * T);
        }
        nats += model.lossAndGradients({ batch: micro, tokens, targets, scale: 1 / (batch * T) }).loss;
      }
      optimizer.step(++stepNumber, 3e-4, optimizer.gradNorm());
      return nats / (batch * T);
    },
    plan: (micro) => memoryPlan(config, { precision, microBatchSize: micro, sequenceLength: T }),
  };
}

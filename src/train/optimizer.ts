/** AdamW over a model's trainable parameters, with clipping by the global gradient norm. Moments are float32, or bf16 rounded stochastically. */
import { counterRandom, DataError } from "../core/index.ts";
import { type Parameter, SafetensorsReader, type SavedTensor, writeSafetensors } from "../model/index.ts";
import type { Floats, Kernels, Storage } from "../native/kernels.ts";
import type { Optimizer } from "./job.ts";

interface Moments {
  parameter: Parameter & { grad: Floats };
  first: Storage;
  second: Storage;
  roundingSeed: number;
}

const FILE = "optimizer";

export class AdamW {
  readonly #kernels: Kernels;
  readonly #settings: Optimizer;
  readonly #moments: Moments[];

  /** @param seed - Of stochastic rounding; each parameter gets a stream of its own. */
  constructor(parameters: readonly Parameter[], settings: Optimizer, kernels: Kernels, seed: number) {
    this.#kernels = kernels;
    this.#settings = settings;
    this.#moments = parameters.map((parameter, i) => {
      const length = parameter.rows * parameter.channels;
      const allocate = (): Storage =>
        settings.states === "bf16"
          ? new Uint16Array(kernels.allocate(2 * length), 0, length)
          : new Float32Array(kernels.allocate(4 * length), 0, length);
      return {
        parameter: parameter as Moments["parameter"],
        first: allocate(),
        second: allocate(),
        roundingSeed: counterRandom(seed, i),
      };
    });
  }

  /** Euclidean norm of all gradients together. */
  gradNorm(): number {
    let squares = 0;
    for (const { parameter } of this.#moments) squares += this.#kernels.sumSquares(parameter.grad);
    return Math.sqrt(squares);
  }

  /** One update from the accumulated gradients. @param step - Counted from 1. */
  step(step: number, learningRate: number, gradNorm: number): void {
    const { beta1, beta2, epsilon, weightDecay, gradClip } = this.#settings;
    // As torch.nn.utils.clip_grad_norm_ scales.
    const gradScale = gradClip === null ? 1 : Math.min(1, gradClip / (gradNorm + 1e-6));
    for (const { parameter, first, second, roundingSeed } of this.#moments)
      this.#kernels.adamw(parameter.data as Floats, parameter.grad, first, second, {
        step,
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay: parameter.decay ? weightDecay : 0,
        gradScale,
        roundingSeed,
      });
  }

  reset(): void {
    for (const { first, second } of this.#moments) {
      this.#kernels.fill(first, 0);
      this.#kernels.fill(second, 0);
    }
  }

  async save(directory: string): Promise<void> {
    await writeSafetensors(directory, this.#tensors(), {
      dtype: this.#settings.states,
      stem: FILE,
      shardBytes: Number.POSITIVE_INFINITY,
    });
  }

  /** @throws {DataError} TRAIN_BAD_CHECKPOINT if a moment is missing or has another shape. */
  async load(directory: string): Promise<void> {
    await readTensors(directory, `${FILE}.safetensors`, this.#tensors());
  }

  #tensors(): SavedTensor[] {
    return this.#moments.flatMap(({ parameter: { name, rows, channels }, first, second }) => [
      { name: `first.${name}`, shape: [rows, channels], data: first },
      { name: `second.${name}`, shape: [rows, channels], data: second },
    ]);
  }
}

/** Fills `tensors` from one safetensors file, which must hold exactly them. */
export async function readTensors(directory: string, file: string, tensors: readonly SavedTensor[]): Promise<void> {
  const reader = await SafetensorsReader.open(directory, file);
  try {
    for (const { name, shape, data } of tensors) {
      const found = reader.shape(name);
      if (found?.join() !== shape.join())
        throw new DataError("TRAIN_BAD_CHECKPOINT", {
          message: `${name} is ${found ? `[${found}]` : "missing"}, expected [${shape}]`,
          where: `${directory}/${file}`,
          remedy: "remove this checkpoint to resume from the one before it",
        });
      await reader.read(name, data);
    }
  } finally {
    await reader.close();
  }
}

/**
 * The tape: a schedule of kernel calls recorded once for a shape and run every step.
 *
 * Operations (`ops.ts`) record what they compute and, when asked, how to differentiate it. `backward()` then appends the gradient
 * calls to the same schedule, last operation first. Because the whole schedule is known before it runs, `plan()` drops calls whose
 * results nobody reads, finds when each activation is born and dies, and packs them into one arena: a step allocates nothing, and
 * the memory is known from the config alone. Recomputing a block is recording it twice: the first copy dies young.
 */
import type { Kernels, Precision } from "../native/kernels.ts";
import { bytesOf, type Numbers, type NumberType, type Tensor, viewOf } from "./tensor.ts";

interface Step {
  reads: Tensor[];
  writes: Tensor[];
  /** Changes something outside the arena (a parameter's gradient, the losses), so it always runs. */
  effect: boolean;
  run: () => void;
}

const EMPTY = new Float32Array(0);
/** Kernels like whole cache lines. */
const ALIGNMENT = 64;

export class Tape {
  readonly kernels: Kernels;
  readonly numbers: Numbers;
  readonly precision: Precision;
  #recordsGradients: boolean;
  #steps: Step[] = [];
  #backward: (() => void)[] = [];
  #offsets = new Map<Tensor, number>();

  constructor(kernels: Kernels, options: { numbers: Numbers; precision: Precision; gradients: boolean }) {
    this.kernels = kernels;
    this.numbers = options.numbers;
    this.precision = options.precision;
    this.#recordsGradients = options.gradients;
  }

  /** Whether operations must keep what their gradients will need. */
  get recordsGradients(): boolean {
    return this.#recordsGradients;
  }

  tensor(rows: number, channels: number, type: NumberType): Tensor {
    return { rows, channels, type, data: EMPTY, differentiable: false, gradient: undefined, keep: false };
  }

  record(step: { reads?: Tensor[]; writes?: Tensor[]; effect?: boolean }, run: () => void): void {
    this.#steps.push({ reads: step.reads ?? [], writes: step.writes ?? [], effect: step.effect ?? false, run });
  }

  /** Registers how to record the gradient of what was just recorded; called in reverse order by `backward`. */
  onBackward(recordGradient: () => void): void {
    if (this.#recordsGradients) this.#backward.push(recordGradient);
  }

  backward(): void {
    for (let record = this.#backward.pop(); record; record = this.#backward.pop()) record();
  }

  /** Where the gradient of `x` goes: a new tensor to overwrite, or the one that others have begun to add to. */
  gradientOf(x: Tensor): { gradient: Tensor; accumulate: boolean } {
    const accumulate = x.gradient !== undefined;
    x.gradient ??= this.tensor(x.rows, x.channels, x.type);
    return { gradient: x.gradient, accumulate };
  }

  /** y = f(x), keeping only x: everything inside is computed again when its gradient is due. */
  recompute(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
    if (!this.#recordsGradients) return f(x);
    x.keep = true;
    this.#recordsGradients = false;
    const y = f(x);
    this.#recordsGradients = true;
    y.differentiable = true;
    this.onBackward(() => {
      const outer = this.#backward;
      this.#backward = [];
      const again = f(x);
      again.gradient = y.gradient;
      this.backward();
      this.#backward = outer;
    });
    return y;
  }

  /** Drops dead calls and lays every tensor out. @returns bytes of arena that `bind` needs. */
  plan(): number {
    this.#steps = liveSteps(this.#steps);
    const { offsets, bytes } = layOut(lifetimes(this.#steps));
    this.#offsets = offsets;
    return bytes;
  }

  /** Points every tensor into `arena`. */
  bind(arena: ArrayBuffer): void {
    for (const [tensor, offset] of this.#offsets) {
      tensor.data = viewOf(tensor.type, arena, offset, tensor.rows * tensor.channels);
    }
  }

  run(): void {
    for (const step of this.#steps) step.run();
  }
}

function liveSteps(steps: Step[]): Step[] {
  const needed = new Set<Tensor>();
  const live: Step[] = [];
  for (const step of steps.toReversed()) {
    if (!step.effect && !step.writes.some((tensor) => needed.has(tensor))) continue;
    for (const tensor of step.reads) needed.add(tensor);
    live.push(step);
  }
  return live.reverse();
}

interface Lifetime {
  tensor: Tensor;
  first: number;
  last: number;
  bytes: number;
}

function lifetimes(steps: Step[]): Lifetime[] {
  const found = new Map<Tensor, Lifetime>();
  for (const [at, step] of steps.entries()) {
    for (const tensor of [...step.writes, ...step.reads]) {
      const life = found.get(tensor);
      const bytes = Math.ceil((tensor.rows * tensor.channels * bytesOf(tensor.type)) / ALIGNMENT) * ALIGNMENT;
      if (life) life.last = at;
      else found.set(tensor, { tensor, first: at, last: at, bytes });
    }
  }
  return [...found.values()];
}

/** Greedy by size: the largest first, each at the lowest offset free during its whole life. */
function layOut(lives: Lifetime[]): { offsets: Map<Tensor, number>; bytes: number } {
  const offsets = new Map<Tensor, number>();
  const placed: (Lifetime & { offset: number })[] = [];
  let total = 0;
  for (const life of lives.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    let offset = 0;
    for (const other of placed) {
      if (other.last < life.first || life.last < other.first) continue;
      if (offset + life.bytes <= other.offset) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    const at = placed.findIndex((other) => other.offset > offset);
    placed.splice(at === -1 ? placed.length : at, 0, { ...life, offset });
    offsets.set(life.tensor, offset);
    total = Math.max(total, offset + life.bytes);
  }
  return { offsets, bytes: total };
}

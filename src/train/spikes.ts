/**
 * Loss spikes: a value far above what the last steps showed, by a robust z-score.
 *
 *   z = (x − median) / (1.4826 · MAD)      over the last `window` accepted steps, of loss and of gradient norm
 *
 * Median and MAD (median absolute deviation) are not moved by the spike itself, and 1.4826 · MAD is the standard deviation of
 * normal noise. What to do about it is the job's policy; this file only measures, so it is the same on every run.
 */

/** Fewer steps than this say too little about what is usual. */
const MIN_HISTORY = 16;
const MAD_TO_DEVIATION = 1.4826;
/** A loss that hardly varies must not make every ripple a spike: deviations below this share of the median do not count. */
const MIN_DEVIATION_FRACTION = 0.01;

export interface SpikeHistory {
  loss: number[];
  gradNorm: number[];
}

export class SpikeDetector {
  readonly #window: number;
  readonly #history: SpikeHistory;

  constructor(window: number, history: SpikeHistory = { loss: [], gradNorm: [] }) {
    this.#window = window;
    this.#history = { loss: [...history.loss], gradNorm: [...history.gradNorm] };
  }

  /** The larger z-score of the two; infinite when either is not a number, 0 while there is too little history. */
  score(loss: number, gradNorm: number): number {
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) return Number.POSITIVE_INFINITY;
    return Math.max(robustZScore(loss, this.#history.loss), robustZScore(gradNorm, this.#history.gradNorm));
  }

  /** Takes a step into the history. */
  accept(loss: number, gradNorm: number): void {
    for (const [values, value] of [
      [this.#history.loss, loss],
      [this.#history.gradNorm, gradNorm],
    ] as const) {
      values.push(value);
      if (values.length > this.#window) values.shift();
    }
  }

  /** For the checkpoint. */
  get history(): SpikeHistory {
    return { loss: [...this.#history.loss], gradNorm: [...this.#history.gradNorm] };
  }
}

/** @param history - Earlier values, any order. @returns 0 with fewer than 16 of them. */
export function robustZScore(value: number, history: readonly number[]): number {
  if (history.length < MIN_HISTORY) return 0;
  const center = median(history);
  const spread = median(history.map((x) => Math.abs(x - center))) * MAD_TO_DEVIATION;
  return (value - center) / Math.max(spread, MIN_DEVIATION_FRACTION * Math.abs(center), Number.MIN_VALUE);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Half-open ranges of global sample numbers that are never trained on. */
export type SkippedSamples = [from: number, to: number][];

/** The first `count` sample numbers from `from` on that are not skipped. */
export function nextSamples(from: number, count: number, skipped: SkippedSamples): number[] {
  const samples: number[] = [];
  for (let sample = from; samples.length < count; sample++) {
    const range = skipped.find(([low, high]) => sample >= low && sample < high);
    if (range) sample = range[1] - 1;
    else samples.push(sample);
  }
  return samples;
}

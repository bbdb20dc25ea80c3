/**
 * Random numbers that others can repeat.
 *
 * `RandomState` is numpy's legacy generator (MT19937), draw for draw: Megatron's document and sample order hangs on it.
 * `counterRandom` has no state: the n-th number of a stream by (seed, n), for anything that must not depend on order or threads.
 *
 * @see Matsumoto & Nishimura 1998; numpy/random/mtrand/randomkit.c
 */

const N = 624;
const M = 397;

export class RandomState {
  #state = new Uint32Array(N);
  #index = N;
  #spareGaussian: number | undefined;

  /** @param seed - Integer in [0, 2^32), as `numpy.random.RandomState(seed)`. */
  constructor(seed: number) {
    this.#state[0] = seed >>> 0;
    for (let i = 1; i < N; i++) {
      const previous = this.#state[i - 1]! ^ (this.#state[i - 1]! >>> 30);
      this.#state[i] = (Math.imul(1812433253, previous) + i) >>> 0;
    }
  }

  /** Uniform 32-bit integer. */
  uint32(): number {
    if (this.#index === N) this.#twist();
    let y = this.#state[this.#index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const s = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (s[i]! & 0x80000000) | (s[(i + 1) % N]! & 0x7fffffff);
      s[i] = s[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }

  /** Uniform in [0, 1) with 53 bits, as `random_sample()`. */
  random(): number {
    const a = this.uint32() >>> 5;
    const b = this.uint32() >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  }

  /** Uniform integer in [0, max], numpy's `rk_interval`: masked rejection on 32 bits (64 above). */
  interval(max: number): number {
    if (max === 0) return 0;
    if (max > 0xffffffff) {
      const mask = 2 ** Math.ceil(Math.log2(max + 1)) - 1;
      const highMask = Math.floor(mask / 2 ** 32);
      for (;;) {
        const value = (this.uint32() & highMask) * 2 ** 32 + this.uint32();
        if (value <= max) return value;
      }
    }
    let mask = max;
    mask |= mask >>> 1;
    mask |= mask >>> 2;
    mask |= mask >>> 4;
    mask |= mask >>> 8;
    mask |= mask >>> 16;
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** Integer in [low, high) by masked rejection (same distribution as `randint`; not its exact draw sequence for all dtypes). */
  integer(low: number, high: number): number {
    return low + this.interval(high - low - 1);
  }

  /** Standard normal by the polar method, numpy's legacy `rk_gauss` draw for draw. */
  normal(): number {
    if (this.#spareGaussian !== undefined) {
      const spare = this.#spareGaussian;
      this.#spareGaussian = undefined;
      return spare;
    }
    for (;;) {
      const x1 = 2 * this.random() - 1;
      const x2 = 2 * this.random() - 1;
      const r2 = x1 * x1 + x2 * x2;
      if (r2 >= 1 || r2 === 0) continue;
      const f = Math.sqrt((-2 * Math.log(r2)) / r2);
      this.#spareGaussian = f * x1;
      return f * x2;
    }
  }

  /** Shuffles in place, as `RandomState.shuffle` does on a 1-d array. @returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.interval(i);
      const swap = array[i];
      array[i] = array[j];
      array[j] = swap;
    }
    return array;
  }

  /** `arange(n)` shuffled. */
  permutation(n: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}

/** The `index`-th 32-bit number of stream `seed`: two rounds of a strong integer mix, no state. */
export function counterRandom(seed: number, index: number): number {
  let h = (seed >>> 0) ^ Math.imul(index | 0, 0x9e3779b1) ^ Math.imul(Math.floor(index / 2 ** 32) | 0, 0x85ebca6b);
  for (let round = 0; round < 2; round++) {
    h ^= h >>> 16;
    h = Math.imul(h, 0x7feb352d);
    h ^= h >>> 15;
    h = Math.imul(h, 0x846ca68b);
    h ^= h >>> 16;
    h = (h + 0x6d2b79f5) | 0;
  }
  return h >>> 0;
}

/**
 * `numpy.random.default_rng(seed).permutation(n)`: the order in which Hugging Face `datasets` shuffles a split, and so which
 * training questions become the paper's demonstrations for seeds 1234, 432 and 32.
 *
 * SeedSequence spreads the seed over 256 bits, PCG64 (XSL-RR) draws, Fisher-Yates shuffles.
 *
 * @see O'Neill 2014 (PCG); numpy NEP 19
 */

const mask64 = (1n << 64n) - 1n;
const mask128 = (1n << 128n) - 1n;
const multiplier = 0x2360ed051fc65da44385df649fccf645n;

/** SeedSequence(seed).generate_state(8): eight 32-bit words. */
function seedWords(seed: number): number[] {
  let a = 0x43b0d7e5;
  const hash = (value: number): number => {
    let x = (value ^ a) >>> 0;
    a = Math.imul(a, 0x931e8875) >>> 0;
    x = Math.imul(x, a) >>> 0;
    return (x ^ (x >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number): number => {
    const z = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (z ^ (z >>> 16)) >>> 0;
  };
  const pool = [seed >>> 0, 0, 0, 0].map(hash);
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to]!, hash(pool[from]!));
  let b = 0x8b51f9dd;
  return Array.from({ length: 8 }, (_, i) => {
    let x = (pool[i % 4]! ^ b) >>> 0;
    b = Math.imul(b, 0x58f38ded) >>> 0;
    x = Math.imul(x, b) >>> 0;
    return (x ^ (x >>> 16)) >>> 0;
  });
}

/** @param seed - Integer in [0, 2^32). @returns 0..length-1 in numpy's order. */
export function numpyPermutation(seed: number, length: number): Int32Array {
  const words = seedWords(seed).map(BigInt);
  const word64 = (i: number) => words[2 * i]! | (words[2 * i + 1]! << 32n);
  const increment = ((((word64(2) << 64n) | word64(3)) << 1n) | 1n) & mask128;
  let state = 0n;
  const step = () => {
    state = (state * multiplier + increment) & mask128;
  };
  step();
  state = (state + ((word64(0) << 64n) | word64(1))) & mask128;
  step();

  let spare: number | undefined;
  const next32 = (): number => {
    if (spare !== undefined) {
      const high = spare;
      spare = undefined;
      return high;
    }
    step();
    const folded = ((state >> 64n) ^ state) & mask64;
    const rotation = state >> 122n;
    const drawn = ((folded >> rotation) | (folded << (64n - rotation))) & mask64;
    spare = Number(drawn >> 32n);
    return Number(drawn & 0xffffffffn);
  };
  // numpy's shuffle bounds by masked rejection, unlike its integers(), which multiplies (Lemire).
  const upTo = (max: number): number => {
    const mask = 2 ** (32 - Math.clz32(max)) - 1;
    for (;;) {
      const drawn = (next32() & mask) >>> 0;
      if (drawn <= max) return drawn;
    }
  };
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = upTo(i);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}

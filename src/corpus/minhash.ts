/**
 * MinHash with banding (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3): two texts whose word shingles have
 * Jaccard similarity s share at least one of b bands of r minima with probability 1 − (1 − s^r)^b; 14 × 8 on 5-word shingles
 * puts the steep part at s ≈ 0.72. Unlike web pipelines we keep numbers as they are: texts that differ in doses are different.
 *
 * The i-th hash of a shingle h is a_i·h + b_i mod 2³² with odd a_i on an already mixed h; the inner loop (112 of them for each
 * shingle) is WebAssembly SIMD, four at a time, assembled in `minhash-wasm.ts`; `minimaReference` is the same thing by eye.
 */
import { counterRandom } from "../core/random.ts";
import { minhashWasm } from "./minhash-wasm.ts";
import { mix32, ngramHashes, WordBuffer } from "./words.ts";

export interface MinHashOptions {
  shingleWords: number;
  bands: number;
  rowsPerBand: number;
}

export const MINHASH_DEFAULTS: Readonly<MinHashOptions> = { shingleWords: 5, bands: 14, rowsPerBand: 8 };

const SEED = 0x5eed;

/** Computes the band keys of texts, with buffers used again from text to text. */
export class MinHasher {
  readonly options: Readonly<MinHashOptions>;
  #multipliers: Uint32Array;
  #offsets: Uint32Array;
  #minima: (shingles: Uint32Array, count: number) => Uint32Array;
  #words = new WordBuffer();
  #shingles = new Uint32Array(1 << 14);
  #keys: Uint32Array;
  #latest: Uint32Array = new Uint32Array();

  constructor(options: MinHashOptions = MINHASH_DEFAULTS) {
    this.options = options;
    const hashes = options.bands * options.rowsPerBand;
    this.#multipliers = Uint32Array.from({ length: hashes }, (_, i) => (counterRandom(SEED, 2 * i) | 1) >>> 0);
    this.#offsets = Uint32Array.from({ length: hashes }, (_, i) => counterRandom(SEED, 2 * i + 1));
    this.#keys = new Uint32Array(2 * options.bands);
    this.#minima =
      minhashWasm(this.#multipliers, this.#offsets) ??
      ((s, n) => minimaReference(s, n, this.#multipliers, this.#offsets));
  }

  /**
   * Band keys of a text: two 32-bit halves a band. A text shorter than one shingle has its words as its only shingle.
   * @returns a buffer that the next call overwrites, or undefined for a text without words.
   */
  bandKeys(text: string): Uint32Array | undefined {
    const words = this.#words.scan(text);
    if (words === 0) return undefined;
    if (this.#shingles.length < words) this.#shingles = new Uint32Array(2 * words);
    const { bands, rowsPerBand } = this.options;
    const n = Math.min(this.options.shingleWords, words);
    const count = ngramHashes(this.#words, n, this.#shingles);
    const minima = this.#minima(this.#shingles, count);
    this.#latest = minima;
    for (let band = 0; band < bands; band++) {
      let high = mix32(band + 1);
      let low = mix32(band ^ 0x2545f491);
      for (let row = 0; row < rowsPerBand; row++) {
        const minimum = minima[band * rowsPerBand + row]!;
        high = mix32(Math.imul(high, 31) + minimum);
        low = (Math.imul(low ^ minimum, 0x9e3779b1) + (low >>> 16)) >>> 0;
      }
      this.#keys[2 * band] = high;
      this.#keys[2 * band + 1] = mix32(low);
    }
    return this.#keys;
  }

  /** The low byte of each minimum of the text that `bandKeys` saw last: enough to estimate a similarity (Li & König 2010). */
  sketch(out: Uint8Array): void {
    for (let i = 0; i < out.length; i++) out[i] = this.#latest[i]! & 0xff;
  }

  /** The minima themselves (a copy), to estimate a similarity. */
  signature(text: string): Uint32Array {
    const words = this.#words.scan(text);
    if (this.#shingles.length < words) this.#shingles = new Uint32Array(2 * words);
    const count =
      words === 0 ? 0 : ngramHashes(this.#words, Math.min(this.options.shingleWords, words), this.#shingles);
    return this.#minima(this.#shingles, count).slice();
  }
}

/** minima[i] = min over shingles h of (a_i·h + b_i) mod 2³², in plain TypeScript. */
export function minimaReference(
  shingles: Uint32Array,
  count: number,
  multipliers: Uint32Array,
  offsets: Uint32Array,
): Uint32Array {
  const minima = new Uint32Array(multipliers.length).fill(0xffffffff);
  for (let i = 0; i < multipliers.length; i++) {
    const a = multipliers[i]!;
    const b = offsets[i]!;
    let minimum = 0xffffffff;
    for (let s = 0; s < count; s++) {
      const hash = (Math.imul(a, shingles[s]!) + b) >>> 0;
      if (hash < minimum) minimum = hash;
    }
    minima[i] = minimum;
  }
  return minima;
}

/** Share of equal minima: an estimate of the Jaccard similarity, with standard error sqrt(s(1 − s)/length). */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}

/** Jaccard similarity estimated from two sketches: equal bytes, less those that are equal by chance (1 in 256). */
export function sketchSimilarity(a: Uint8Array, b: Uint8Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return Math.max(0, (equal / a.length - 1 / 256) / (1 - 1 / 256));
}

/**
 * The inner loop of MinHash as a WebAssembly module of 128-bit SIMD instructions, assembled here byte by byte: small enough to
 * read, and no binary in the repository. For each group of eight hash functions two registers of minima stay in place while
 * all shingles pass by, so a step is one splat, two multiplications, two additions and two unsigned minima.
 *
 *   minima(count, groups):  for g in groups: m = ~0; for s in shingles[0..count): m = min_u(m, a_g·s + b_g); out[g] = m
 *
 * Memory: [0, 4H) multipliers, [4H, 8H) offsets, [8H, 12H) minima, [12H, …) shingles; H = hashes, a multiple of 8.
 */

const I32 = 0x7f;
const V128 = 0x7b;
const LANES = 8;

const uleb = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
};
const sleb = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
};
const section = (id: number, body: number[]): number[] => [id, ...uleb(body.length), ...body];
const simd = (opcode: number, ...operands: number[]): number[] => [0xfd, ...uleb(opcode), ...operands];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const constant = (value: number) => [0x41, ...sleb(value)];
const ADD = 0x6a;
const load = (offset: number) => simd(0x00, 4, ...uleb(offset));
const store = (offset: number) => simd(0x0b, 4, ...uleb(offset));
const load32 = [0x28, 2, 0];
const SPLAT = simd(0x11);
const V_ADD = simd(0xae);
const V_MUL = simd(0xb5);
const V_MIN_U = simd(0xb7);
const ALL_ONES = simd(0x0c, ...new Array<number>(16).fill(0xff));

/** What we use of `WebAssembly`, which TypeScript knows only with the browser's library. */
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
interface WebAssemblyApi {
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): number };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, object>>,
  ) => { exports: Record<string, unknown> };
}

function assemble(hashes: number): Uint8Array {
  // Parameters: count, groups. Locals: base (byte offset of the group), at, end, then v128 a0 a1 b0 b1 m0 m1 s.
  const [count, groups, base, at, end, a0, a1, b0, b1, m0, m1, s] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
  const offsets = 4 * hashes;
  const minima = 8 * hashes;
  const shingles = 12 * hashes;
  const update = (m: number, a: number, b: number) => [
    ...get(m), ...get(a), ...get(s), ...V_MUL, ...get(b), ...V_ADD, ...V_MIN_U, ...set(m),
  ]; // biome-ignore format: one instruction after the other
  const code = [
    ...constant(shingles), ...get(count), 0x41, 2, 0x74, ADD, ...set(end), // end = shingles + (count << 2)
    0x03, 0x40, // loop over groups
    ...get(base), ...load(0), ...set(a0), ...get(base), ...load(16), ...set(a1),
    ...get(base), ...load(offsets), ...set(b0), ...get(base), ...load(offsets + 16), ...set(b1),
    ...ALL_ONES, ...tee(m0), ...set(m1),
    ...constant(shingles), ...set(at),
    0x02, 0x40, 0x03, 0x40, // block, loop over shingles
    ...get(at), ...get(end), 0x4f, 0x0d, 1, // at >= end: leave
    ...get(at), ...load32, ...SPLAT, ...set(s),
    ...update(m0, a0, b0), ...update(m1, a1, b1),
    ...get(at), ...constant(4), ADD, ...set(at),
    0x0c, 0, 0x0b, 0x0b, // again; end of loop and block
    ...get(base), ...get(m0), ...store(minima), ...get(base), ...get(m1), ...store(minima + 16),
    ...get(base), ...constant(4 * LANES), ADD, ...set(base),
    ...get(groups), ...constant(1), 0x6b, ...tee(groups), 0x0d, 0, // more groups: again
    0x0b, 0x0b,
  ]; // biome-ignore format: a line a step
  const body = [2, 3, I32, 7, V128, ...code];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 2, I32, I32, 0]), // type: (i32, i32) -> ()
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]), // import memory "e"."m", at least one page
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), // export function "f"
    ...section(10, [1, ...uleb(body.length), ...body]),
  ]); // biome-ignore format: a line a section
}

/** @returns the minima of shingles under the given hash functions, or undefined where SIMD or the shape does not allow it. */
export function minhashWasm(
  multipliers: Uint32Array,
  offsets: Uint32Array,
): ((shingles: Uint32Array, count: number) => Uint32Array) | undefined {
  const hashes = multipliers.length;
  if (hashes % LANES !== 0) return undefined;
  const memory = new Memory({ initial: 4 });
  let run: (count: number, groups: number) => void;
  try {
    const instance = new Instance(new Module(assemble(hashes)), { e: { m: memory } });
    run = instance.exports.f as typeof run;
  } catch {
    return undefined; // a CPU without 128-bit SIMD: the plain loop gives the same minima
  }
  return (shingles, count) => {
    const needed = 12 * hashes + 4 * count;
    if (needed > memory.buffer.byteLength) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / 65536));
    const words = new Uint32Array(memory.buffer);
    words.set(multipliers, 0);
    words.set(offsets, hashes);
    words.set(shingles.subarray(0, count), 3 * hashes);
    run(count, hashes / LANES);
    return words.subarray(2 * hashes, 3 * hashes);
  };
}

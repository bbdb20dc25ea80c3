/**
 * bfloat16: the upper half of a float32, rounded to nearest, ties to even. Kept as bits in a Uint16Array.
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bits of the bfloat16 nearest to `value`. NaN stays NaN, whatever its payload. */
export function toBfloat16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return float[0]!;
}

/** `value` as a bfloat16 would hold it. */
export function roundBfloat16(value: number): number {
  return fromBfloat16(toBfloat16(value));
}

/**
 * Rounds up or down with probability in proportion to the distance, so that small updates are kept on average.
 * @param noise - Uniform 16-bit integer. The upper half of (float32 bits + noise) is the result.
 */
export function toBfloat16Stochastic(value: number, noise: number): number {
  float[0] = value;
  const word = bits[0]!;
  if ((word & 0x7f800000) === 0x7f800000) return toBfloat16(value);
  return ((word + (noise & 0xffff)) >>> 16) & 0xffff;
}

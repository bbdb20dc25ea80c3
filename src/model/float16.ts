/** IEEE half precision, only to read and write files: 1 sign, 5 exponent, 10 mantissa bits. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** Nearest half, ties to even; too large becomes infinity. */
export function toFloat16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = Math.abs(float[0]!);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Spacing of halves around the value: 2^-24 below the smallest normal, 2^(e-10) above. Scaling by it is exact in float64.
  const exponent = Math.max(((word >>> 23) & 0xff) - 127, -14);
  const steps = roundHalfEven(magnitude / 2 ** (exponent - 10));
  // Adding steps to the exponent field carries into it by itself when the mantissa overflows.
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

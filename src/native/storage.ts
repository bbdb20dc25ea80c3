/** Reading and writing the numbers of a tensor, whichever of the three storages holds them. */
import { fromBfloat16, roundBfloat16, toBfloat16 } from "./bfloat16.ts";
import type { Floats, Precision, Storage } from "./kernels.ts";

/** The numbers of a storage: itself, or bfloat16 decoded. With precision "bf16", rounded to what a product would see. */
export function read(x: Storage, precision: Precision = "f32"): Floats {
  if (x instanceof Uint16Array) return Float64Array.from(x, fromBfloat16);
  return precision === "bf16" ? Float64Array.from(x, roundBfloat16) : x;
}

/** Runs `body` on the numbers of `y` and stores what it leaves there. */
export function update(y: Storage, body: (y: Floats) => void): void {
  const numbers = read(y);
  body(numbers);
  if (y instanceof Uint16Array) for (let i = 0; i < y.length; i++) y[i] = toBfloat16(numbers[i]!);
}

/** Tensors of the embedded engine: rows of numbers in an arena (activations) or in a parameter store (weights). */
import type { Floats, Storage } from "../native/kernels.ts";

export type NumberType = "f32" | "bf16" | "f64";

const BYTES = { f32: 4, bf16: 2, f64: 8 } as const;

/** Which number type each kind of tensor has. Products take `activations`; sums over many terms stay in `sums`. */
export interface Numbers {
  weights: NumberType;
  activations: NumberType;
  sums: "f32" | "f64";
}

/** An activation. Its memory is assigned when the whole schedule is known (`Tape.plan`), so `data` is valid only while it runs. */
export interface Tensor {
  readonly rows: number;
  readonly channels: number;
  readonly type: NumberType;
  data: Storage;
  /** Whether any trainable parameter stands behind it. */
  differentiable: boolean;
  /** Recorded by the backward pass; may be shared along the residual stream. */
  gradient: Tensor | undefined;
  /** Must survive in-place operations (inputs of recomputed blocks). */
  keep: boolean;
}

/** A weight matrix [rows, channels] or vector [1, channels]. Fused matrices hold several of the file's tensors as row ranges. */
export interface Parameter {
  /** Hugging Face's name with the fused part in braces: `model.layers.0.self_attn.{q,k,v}_proj.weight`. */
  readonly name: string;
  readonly rows: number;
  readonly channels: number;
  /** Whether weight decay applies: matrices yes, norms and biases no. */
  readonly decay: boolean;
  /** The file's tensors, in row order. */
  readonly parts: readonly { name: string; rows: number; shape: number[] }[];
  readonly type: NumberType;
  data: Storage;
  /** Absent when frozen. Micro-batches add to it. */
  grad: Floats | undefined;
}

export function bytesOf(type: NumberType): number {
  return BYTES[type];
}

/** A view of `length` numbers at a byte offset. */
export function viewOf(type: NumberType, buffer: ArrayBuffer, byteOffset: number, length: number): Storage {
  switch (type) {
    case "f32":
      return new Float32Array(buffer, byteOffset, length);
    case "bf16":
      return new Uint16Array(buffer, byteOffset, length);
    case "f64":
      return new Float64Array(buffer, byteOffset, length);
    default:
      return type satisfies never;
  }
}

/** The storage as floats; kernels that sum need no other. */
export function floats(x: Storage): Floats {
  if (x instanceof Uint16Array) throw new TypeError("expected float32 or float64 numbers, got bfloat16");
  return x;
}

/**
 * GGUF, the file of llama.cpp: a head of named values, a table of tensors, then the numbers, each tensor at a multiple of 32 bytes.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { AtomicFile } from "../core/index.ts";
import { toBfloat16 } from "../native/bfloat16.ts";
import { toFloat16 } from "./float16.ts";

/** A value of the head, with the type that llama.cpp expects to find. */
export type GgufValue =
  | { type: "string"; value: string }
  | { type: "uint32" | "int32" | "float32"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "strings"; value: string[] }
  | { type: "int32s"; value: number[] }
  | { type: "float32s"; value: number[] };

export type GgufType = "f32" | "f16" | "bf16" | "q8_0";

export interface GgufTensor {
  name: string;
  /** Rows first, as in a model directory; the file lists sizes the other way round. */
  shape: number[];
  type: GgufType;
  /** Its numbers, asked for when they are written. */
  read(): Promise<Float32Array>;
}

const VERSION = 3;
const ALIGNMENT = 32;
const VALUE_TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
/** ggml's own numbers for types of tensors. */
const TENSOR_TYPE: Record<GgufType, number> = { f32: 0, f16: 1, q8_0: 8, bf16: 30 };
/** Numbers that share one scale in Q8_0, and the bytes they take: a half, and a byte each. */
export const Q8_BLOCK = 32;
const Q8_BLOCK_BYTES = 2 + Q8_BLOCK;

/** Writes a whole file or none. */
export async function writeGguf(path: string, head: Map<string, GgufValue>, tensors: GgufTensor[]): Promise<void> {
  const file = await AtomicFile.create(path);
  try {
    const parts = new Parts();
    parts.bytes(Buffer.from("GGUF"));
    parts.uint32(VERSION);
    parts.uint64(tensors.length);
    parts.uint64(head.size);
    for (const [name, value] of head) {
      parts.text(name);
      parts.value(value);
    }
    let offset = 0;
    for (const { name, shape, type } of tensors) {
      parts.text(name);
      parts.uint32(shape.length);
      for (const size of shape.toReversed()) parts.uint64(size);
      parts.uint32(TENSOR_TYPE[type]);
      parts.uint64(offset);
      offset += align(bytesOf(type, count(shape)));
    }
    const header = parts.join();
    await file.write(Buffer.concat([header, Buffer.alloc(align(header.length) - header.length)]));
    for (const { shape, type, read } of tensors) {
      const bytes = encode(await read(), type);
      await file.write(Buffer.concat([bytes, Buffer.alloc(align(bytes.length) - bytes.length)]));
      if (bytes.length !== bytesOf(type, count(shape)))
        throw new Error("a tensor has other numbers than its shape says");
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

const count = (shape: number[]) => shape.reduce((product, n) => product * n, 1);
const align = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function bytesOf(type: GgufType, numbers: number): number {
  switch (type) {
    case "f32":
      return 4 * numbers;
    case "f16":
    case "bf16":
      return 2 * numbers;
    case "q8_0":
      return (numbers / Q8_BLOCK) * Q8_BLOCK_BYTES;
  }
}

export function encode(numbers: Float32Array, type: GgufType): Buffer {
  switch (type) {
    case "f32":
      return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    case "f16":
    case "bf16": {
      const to = type === "f16" ? toFloat16 : toBfloat16;
      const halves = Uint16Array.from(numbers, to);
      return Buffer.from(halves.buffer);
    }
    case "q8_0":
      return encodeQ8(numbers);
  }
}

/**
 * Blocks of 32 numbers x ≈ d·q with d = max|x| / 127 as a half and q a signed byte; ties away from zero, as ggml rounds.
 */
function encodeQ8(numbers: Float32Array): Buffer {
  const blocks = numbers.length / Q8_BLOCK;
  const bytes = Buffer.alloc(blocks * Q8_BLOCK_BYTES);
  for (let block = 0; block < blocks; block++) {
    const from = block * Q8_BLOCK;
    let most = 0;
    for (let i = from; i < from + Q8_BLOCK; i++) most = Math.max(most, Math.abs(numbers[i]!));
    const d = Math.fround(most / 127);
    // The quotient is by the exact scale, not by the half that is kept: ggml's own choice.
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const at = block * Q8_BLOCK_BYTES;
    bytes.writeUInt16LE(toFloat16(d), at);
    for (let i = 0; i < Q8_BLOCK; i++) {
      const scaled = Math.fround(numbers[from + i]! * inverse);
      bytes.writeInt8(Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5), at + 2 + i);
    }
  }
  return bytes;
}

/** Little-endian bytes, joined at the end. */
class Parts {
  #parts: Buffer[] = [];

  bytes(bytes: Buffer): void {
    this.#parts.push(bytes);
  }
  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#parts.push(bytes);
  }
  int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.#parts.push(bytes);
  }
  float32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#parts.push(bytes);
  }
  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.#parts.push(bytes);
  }
  text(value: string): void {
    const bytes = Buffer.from(value);
    this.uint64(bytes.length);
    this.#parts.push(bytes);
  }
  value(value: GgufValue): void {
    switch (value.type) {
      case "string":
        this.uint32(VALUE_TYPE.string);
        this.text(value.value);
        return;
      case "uint32":
      case "int32":
      case "float32":
        this.uint32(VALUE_TYPE[value.type]);
        this[value.type](value.value);
        return;
      case "bool":
        this.uint32(VALUE_TYPE.bool);
        this.bytes(Buffer.from([value.value ? 1 : 0]));
        return;
      case "strings":
        this.#array("string", value.value.length);
        for (const text of value.value) this.text(text);
        return;
      case "int32s":
        this.#array("int32", value.value.length);
        for (const number of value.value) this.int32(number);
        return;
      case "float32s":
        this.#array("float32", value.value.length);
        for (const number of value.value) this.float32(number);
        return;
      default:
        value satisfies never;
    }
  }
  #array(type: "string" | "int32" | "float32", length: number): void {
    this.uint32(VALUE_TYPE.array);
    this.uint32(VALUE_TYPE[type]);
    this.uint64(length);
  }
  join(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

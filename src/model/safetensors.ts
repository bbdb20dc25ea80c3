/**
 * safetensors: 8 bytes of header length, a JSON header { name: { dtype, shape, data_offsets } }, then the numbers, little-endian.
 * Large models are cut into shards with `model.safetensors.index.json` saying which file holds which tensor.
 * Reading is lazy: opening checks every header, and only the rows asked for are read.
 *
 * @see https://huggingface.co/docs/safetensors
 */
import { type FileHandle, open } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  AtomicFile,
  ConfigError,
  DataError,
  exists,
  fromSystemError,
  readJson,
  writeJsonAtomic,
} from "../core/index.ts";
import { fromBfloat16, toBfloat16 } from "../native/bfloat16.ts";
import type { Storage } from "../native/kernels.ts";
import { fromFloat16, toFloat16 } from "./float16.ts";

export type FileType = "F32" | "F16" | "BF16";
export type SaveType = "f32" | "bf16" | "f16";

const FILE_TYPE = { f32: "F32", bf16: "BF16", f16: "F16" } as const;
const FILE_BYTES: Record<FileType, number> = { F32: 4, F16: 2, BF16: 2 };
const HEADER_LIMIT_BYTES = 100e6;
const CHUNK_NUMBERS = 1 << 20;
const INDEX = "model.safetensors.index.json";
const REMEDY = "the file is damaged or cut short: fetch or export it again";

interface Entry {
  file: string;
  type: FileType;
  shape: number[];
  /** Absolute position in the file. */
  begin: number;
}

/** The tensors of a model directory, over all its shards. */
export class SafetensorsReader {
  #entries: Map<string, Entry>;
  #handles: Map<string, FileHandle>;

  private constructor(entries: Map<string, Entry>, handles: Map<string, FileHandle>) {
    this.#entries = entries;
    this.#handles = handles;
  }

  /**
   * Opens `model.safetensors`, the shards of an index, or one named file, and checks the headers against the file sizes.
   * @throws {ConfigError} MODEL_NO_WEIGHTS if there are none. @throws {DataError} MODEL_BAD_SAFETENSORS naming file and tensor.
   */
  static async open(directory: string, file = "model.safetensors"): Promise<SafetensorsReader> {
    const handles = new Map<string, FileHandle>();
    try {
      const files = await weightFiles(directory, file);
      const entries = new Map<string, Entry>();
      for (const [path, expected] of files) {
        const handle = await openFile(path);
        handles.set(path, handle);
        const found = await readHeader(handle, path);
        for (const name of expected ?? found.keys()) {
          const entry = found.get(name);
          if (!entry) throw bad(path, `tensor ${name} is missing, but ${INDEX} places it here`);
          entries.set(name, entry);
        }
      }
      return new SafetensorsReader(entries, handles);
    } catch (error) {
      await Promise.all([...handles.values()].map((handle) => handle.close()));
      throw error;
    }
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  shape(name: string): number[] | undefined {
    return this.#entries.get(name)?.shape;
  }

  /** Whether all numbers are bfloat16: kept so in memory they lose nothing. */
  get isBfloat16(): boolean {
    return [...this.#entries.values()].every(({ type }) => type === "BF16");
  }

  file(name: string): string | undefined {
    return this.#entries.get(name)?.file;
  }

  /** Reads numbers `from .. from + out.length` of a tensor, converted to the storage of `out`. */
  async read(name: string, out: Storage, from = 0): Promise<void> {
    const entry = this.#entries.get(name)!;
    const size = FILE_BYTES[entry.type];
    const bytes = Buffer.allocUnsafe(Math.min(out.length, CHUNK_NUMBERS) * size);
    for (let at = 0; at < out.length; at += CHUNK_NUMBERS) {
      const count = Math.min(CHUNK_NUMBERS, out.length - at);
      const chunk = bytes.subarray(0, count * size);
      await readExactly(this.#handles.get(entry.file)!, chunk, entry.begin + (from + at) * size, entry.file);
      decode(out.subarray(at, at + count), chunk, entry.type);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
  }
}

/** Names of the files that hold a model directory's weights. @throws as `SafetensorsReader.open`. */
export async function weightFileNames(directory: string): Promise<string[]> {
  return [...(await weightFiles(directory, "model.safetensors")).keys()].map((path) => basename(path)).sort();
}

/** A tensor to save: its numbers are asked for in row order, so the whole is never copied. */
export interface SavedTensor {
  name: string;
  shape: number[];
  data: Storage;
}

/**
 * Writes `model.safetensors`, or shards of at most `shardBytes` with an index. Every file is whole or absent.
 * @returns names of the files written.
 */
export async function writeSafetensors(
  directory: string,
  tensors: SavedTensor[],
  options: { dtype: SaveType; shardBytes?: number; stem?: string },
): Promise<string[]> {
  const { dtype, shardBytes = 5e9, stem = "model" } = options;
  const size = FILE_BYTES[FILE_TYPE[dtype]];
  const shards: SavedTensor[][] = [[]];
  let filled = 0;
  for (const tensor of tensors) {
    const bytes = tensor.data.length * size;
    if (filled > 0 && filled + bytes > shardBytes) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)!.push(tensor);
    filled += bytes;
  }
  const number = (n: number) => String(n).padStart(5, "0");
  const names = shards.map((_, i) =>
    shards.length === 1 ? `${stem}.safetensors` : `${stem}-${number(i + 1)}-of-${number(shards.length)}.safetensors`,
  );
  for (const [i, shard] of shards.entries()) await writeShard(join(directory, names[i]!), shard, dtype);
  if (shards.length > 1) {
    const map = shards.flatMap((shard, i) => shard.map((tensor) => [tensor.name, names[i]!] as const));
    const total = tensors.reduce((sum, tensor) => sum + tensor.data.length * size, 0);
    await writeJsonAtomic(join(directory, INDEX), {
      metadata: { total_size: total },
      weight_map: Object.fromEntries(map),
    });
  }
  return names;
}

async function writeShard(path: string, tensors: SavedTensor[], dtype: SaveType): Promise<void> {
  const type = FILE_TYPE[dtype];
  const size = FILE_BYTES[type];
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: type, shape, data_offsets: [end, end + data.length * size] };
    end += data.length * size;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await AtomicFile.create(path);
  try {
    await file.write(length);
    await file.write(text);
    for (const { data } of tensors) {
      for (let at = 0; at < data.length; at += CHUNK_NUMBERS) {
        await file.write(encode(data.subarray(at, at + CHUNK_NUMBERS), type));
      }
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

// --- opening ---------------------------------------------------------------------------------------------------------------

/** Files to open, each with the tensors that the index expects there (all of them without an index). */
async function weightFiles(directory: string, file: string): Promise<Map<string, string[] | undefined>> {
  if (await exists(join(directory, file))) return new Map([[join(directory, file), undefined]]);
  const indexPath = join(directory, INDEX);
  if (!(await exists(indexPath))) {
    throw new ConfigError("MODEL_NO_WEIGHTS", {
      message: `neither ${file} nor ${INDEX} is there`,
      where: directory,
      remedy: "give a Hugging Face model directory with safetensors (convert pytorch_model.bin with save_pretrained)",
    });
  }
  const { weight_map: map } = await readJson<{ weight_map?: Record<string, unknown> }>(indexPath);
  if (typeof map !== "object" || map === null) throw bad(indexPath, "has no weight_map");
  const files = new Map<string, string[]>();
  for (const [tensor, name] of Object.entries(map)) {
    if (typeof name !== "string" || /[\\/]/.test(name))
      throw bad(indexPath, `places ${tensor} in ${JSON.stringify(name)}`);
    const path = join(directory, name);
    files.set(path, [...(files.get(path) ?? []), tensor]);
  }
  return files;
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw fromSystemError(error, path, "opening weights");
  }
}

async function readHeader(handle: FileHandle, path: string): Promise<Map<string, Entry>> {
  const fileBytes = (await handle.stat()).size;
  if (fileBytes < 8) throw bad(path, `is ${fileBytes} bytes long; the header length alone takes 8`);
  const prefix = Buffer.alloc(8);
  await readExactly(handle, prefix, 0, path);
  const headerBytes = Number(prefix.readBigUInt64LE());
  if (headerBytes > HEADER_LIMIT_BYTES || 8 + headerBytes > fileBytes) {
    throw bad(path, `announces a header of ${headerBytes} bytes in a file of ${fileBytes}`);
  }
  const text = Buffer.alloc(headerBytes);
  await readExactly(handle, text, 8, path);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text.toString("utf8"));
  } catch (error) {
    throw bad(path, `has a header that is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== "object" || header === null) throw bad(path, "has a header that is not an object");
  const entries = new Map<string, Entry>();
  const spans: { name: string; begin: number; end: number }[] = [];
  const dataBytes = fileBytes - 8 - headerBytes;
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { type, shape, begin, end } = parseEntry(value, name, path);
    if (end > dataBytes)
      throw bad(path, `tensor ${name} ends at byte ${end} of the data, but only ${dataBytes} are there`);
    spans.push({ name, begin, end });
    entries.set(name, { file: path, type, shape, begin: 8 + headerBytes + begin });
  }
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const span of spans) {
    if (span.begin !== end) {
      const what = span.begin < end ? "overlaps the tensor before it" : "leaves a gap before it";
      throw bad(path, `tensor ${span.name} ${what}: begins at byte ${span.begin}, expected ${end}`);
    }
    end = span.end;
  }
  if (end !== dataBytes) throw bad(path, `holds ${dataBytes} bytes of data, but its tensors take ${end}`);
  return entries;
}

function parseEntry(value: unknown, name: string, path: string) {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !(dtype in FILE_BYTES)) {
    throw bad(path, `tensor ${name} has dtype ${JSON.stringify(dtype)}; expected F32, F16 or BF16`);
  }
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw bad(path, `tensor ${name} has shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad(path, `tensor ${name} has data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const type = dtype as FileType;
  const expected = shape.reduce((product, n) => product * n, FILE_BYTES[type]);
  if (end - begin !== expected) {
    throw bad(path, `tensor ${name} ${type} [${shape}] takes ${expected} bytes, but its offsets span ${end - begin}`);
  }
  return { type, shape: shape as number[], begin, end };
}

async function readExactly(handle: FileHandle, into: Buffer, position: number, path: string): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw bad(path, `ends at byte ${position + done}; expected ${into.length - done} more`);
    done += bytesRead;
  }
}

function bad(where: string, message: string): DataError {
  return new DataError("MODEL_BAD_SAFETENSORS", { message, where, remedy: REMEDY });
}

// --- conversion ------------------------------------------------------------------------------------------------------------

function decode(out: Storage, bytes: Buffer, type: FileType): void {
  if (type === "F32") {
    const words = out instanceof Float32Array ? out : new Float32Array(out.length);
    Buffer.from(words.buffer, words.byteOffset, words.byteLength).set(bytes);
    if (out instanceof Uint16Array) for (let i = 0; i < out.length; i++) out[i] = toBfloat16(words[i]!);
    else if (out !== words) out.set(words);
    return;
  }
  const halves = new Uint16Array(out.length);
  Buffer.from(halves.buffer).set(bytes);
  if (type === "BF16") {
    if (out instanceof Uint16Array) out.set(halves);
    else for (let i = 0; i < out.length; i++) out[i] = fromBfloat16(halves[i]!);
  } else if (out instanceof Uint16Array) {
    for (let i = 0; i < out.length; i++) out[i] = toBfloat16(fromFloat16(halves[i]!));
  } else {
    for (let i = 0; i < out.length; i++) out[i] = fromFloat16(halves[i]!);
  }
}

function encode(data: Storage, type: FileType): Uint8Array {
  const isHalf = data instanceof Uint16Array;
  const at = (i: number) => (isHalf ? fromBfloat16(data[i]!) : data[i]!);
  if (type === "F32") {
    const out = data instanceof Float32Array ? data : Float32Array.from({ length: data.length }, (_, i) => at(i));
    return new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  }
  const out = new Uint16Array(data.length);
  if (type === "BF16" && isHalf) out.set(data);
  else if (type === "BF16") for (let i = 0; i < out.length; i++) out[i] = toBfloat16(data[i]!);
  else for (let i = 0; i < out.length; i++) out[i] = toFloat16(at(i));
  return new Uint8Array(out.buffer);
}

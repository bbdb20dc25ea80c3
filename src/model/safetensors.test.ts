import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomArray } from "../../test/support/gradients.ts";
import { TINY_CONFIGS } from "../../test/support/tiny-models.ts";
import { roundBfloat16 } from "../native/bfloat16.ts";
import { referenceKernels } from "../native/reference.ts";
import { parseConfig } from "./config.ts";
import { fromFloat16, toFloat16 } from "./float16.ts";
import { initializeModel, loadModel } from "./model.ts";
import { SafetensorsReader, writeSafetensors } from "./safetensors.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meditron-safetensors-"));
  path = join(directory, "model.safetensors");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const values = Float32Array.from(randomArray(60, 1));
const tensors = () => [
  { name: "a", shape: [6, 5], data: values.subarray(0, 30) },
  { name: "b", shape: [30], data: values.subarray(30) },
];

/** A file with this header, and data of this many bytes. */
function craft(header: unknown, dataBytes: number, announced?: number): void {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(announced ?? text.length));
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error) => `${error.name} ${error.code}: ${error.message}`.replaceAll(directory, "<dir>"),
  );

describe("round trips", () => {
  for (const [dtype, round] of [
    ["f32", (x: number) => x],
    ["bf16", roundBfloat16],
    ["f16", (x: number) => fromFloat16(toFloat16(x))],
  ] as const) {
    it(`keeps ${dtype} exactly, whole and by rows`, async () => {
      await writeSafetensors(directory, tensors(), { dtype });
      const reader = await SafetensorsReader.open(directory);
      expect(reader.names).toEqual(["a", "b"]);
      expect(reader.shape("a")).toEqual([6, 5]);
      const rows = new Float32Array(10);
      await reader.read("a", rows, 15);
      expect([...rows]).toEqual([...values.subarray(15, 25)].map(round));
      await reader.close();
    });
  }

  it("shards by size, with an index that says where", async () => {
    const files = await writeSafetensors(directory, tensors(), { dtype: "f32", shardBytes: 150 });
    expect(files).toEqual(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]);
    const reader = await SafetensorsReader.open(directory);
    const b = new Float32Array(30);
    await reader.read("b", b);
    expect(b).toEqual(values.subarray(30));
    await reader.close();
    expect(readdirSync(directory).some((file) => file.endsWith(".partial"))).toBe(false);
  });

  it("half precision is IEEE's: every half and the ties between", () => {
    for (let half = 0; half < 65536; half++) {
      const value = fromFloat16(half);
      if (!Number.isNaN(value)) expect(toFloat16(value)).toBe(half);
    }
    expect(fromFloat16(toFloat16(1 + 2 ** -11))).toBe(1);
    expect(fromFloat16(toFloat16(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(fromFloat16(toFloat16(65520))).toBe(Number.POSITIVE_INFINITY);
    expect(fromFloat16(toFloat16(2 ** -25))).toBe(0);
    expect(fromFloat16(toFloat16(1.5 * 2 ** -24))).toBe(2 ** -23);
  });
});

describe("damaged files", () => {
  const open = () => failure(SafetensorsReader.open(directory));

  it("cut short: in the length, the header, the data", async () => {
    await writeSafetensors(directory, tensors(), { dtype: "f32" });
    const { length } = readFileSync(path);
    truncateSync(path, length - 1);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: tensor b ends at byte 240 of the data, but only 239 are there"`,
    );
    truncateSync(path, 50);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: announces a header of 152 bytes in a file of 50"`,
    );
    truncateSync(path, 5);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: is 5 bytes long; the header length alone takes 8"`,
    );
  });

  it("lying headers", async () => {
    const entry = (begin: number, end: number, extra = {}) => ({
      dtype: "F32",
      shape: [2],
      data_offsets: [begin, end],
      ...extra,
    });
    craft({ a: entry(0, 8), b: entry(4, 12) }, 12);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: tensor b overlaps the tensor before it: begins at byte 4, expected 8"`,
    );
    craft({ a: entry(0, 8), b: entry(12, 20) }, 20);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: tensor b leaves a gap before it: begins at byte 12, expected 8"`,
    );
    craft({ a: entry(0, 8, { shape: [3] }) }, 8);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: tensor a F32 [3] takes 12 bytes, but its offsets span 8"`,
    );
    craft({ a: entry(0, 8, { dtype: "I64" }) }, 8);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: tensor a has dtype "I64"; expected F32, F16 or BF16"`,
    );
    craft({ a: entry(0, 8) }, 9);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: holds 9 bytes of data, but its tensors take 8"`,
    );
    craft({ a: entry(-8, 0) }, 8);
    expect(await open()).toMatchInlineSnapshot(`"DataError MODEL_BAD_SAFETENSORS: tensor a has data_offsets [-8,0]"`);
    craft("{not json", 8);
    expect(await open()).toContain("has a header that is not JSON");
    craft("{}", 0, 2 ** 60);
    expect(await open()).toMatchInlineSnapshot(
      `"DataError MODEL_BAD_SAFETENSORS: announces a header of 1152921504606847000 bytes in a file of 10"`,
    );
  });

  it("an index that points nowhere", async () => {
    expect(await open()).toMatchInlineSnapshot(
      `"ConfigError MODEL_NO_WEIGHTS: neither model.safetensors nor model.safetensors.index.json is there"`,
    );
    writeFileSync(
      join(directory, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "gone.safetensors" } }),
    );
    expect(await open()).toMatchInlineSnapshot(`"ConfigError IO_NOT_FOUND: no such file or folder (opening weights)"`);
    writeFileSync(
      join(directory, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "../up.safetensors" } }),
    );
    expect(await open()).toMatchInlineSnapshot(`"DataError MODEL_BAD_SAFETENSORS: places a in "../up.safetensors""`);
  });
});

describe("weights that do not belong to the config", () => {
  const options = { kernels: referenceKernels(), precision: "f32" as const };
  const save = (family: string) =>
    initializeModel(parseConfig(TINY_CONFIGS[family]), options).save(directory, { dtype: "f32" });
  const change = (fields: Record<string, unknown>) => {
    const file = join(directory, "config.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...fields }));
  };

  it("are refused by tensor, with what was expected", async () => {
    await save("llama-2");
    change({ intermediate_size: 25 });
    expect(await failure(loadModel(directory, options))).toMatchInlineSnapshot(
      `"DataError MODEL_TENSOR: tensor model.layers.0.mlp.gate_proj.weight has shape [24,16]; config.json asks for [25,16]"`,
    );
    change({ intermediate_size: 24, attention_bias: true });
    expect(await failure(loadModel(directory, options))).toMatchInlineSnapshot(
      `"DataError MODEL_TENSOR: tensor model.layers.0.self_attn.q_proj.bias [16] is missing"`,
    );
    change({ attention_bias: false, num_hidden_layers: 1 });
    expect(await failure(loadModel(directory, options))).toMatchInlineSnapshot(
      `"DataError MODEL_TENSOR: config.json has no place for 9 tensors of the file: model.layers.1.input_layernorm.weight, model.layers.1.self_attn.q_proj.weight, model.layers.1.self_attn.k_proj.weight …"`,
    );
    change({ num_hidden_layers: 2, vocab_size: 36 });
    expect(await failure(loadModel(directory, options))).toMatchInlineSnapshot(
      `"DataError MODEL_TENSOR: tensor model.embed_tokens.weight has shape [37,16]; config.json asks for [36,16]"`,
    );
  });
});

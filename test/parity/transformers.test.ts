/**
 * The same weights and batches in transformers and here: logits, loss, every gradient, 20 steps of AdamW; files both ways.
 * On the reference kernels and, where the addon is built, on the native ones.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Llama, type LoraSettings, loadModel, SafetensorsReader } from "../../src/model/index.ts";
import { referenceKernels } from "../../src/native/reference.ts";
import { relativeError } from "../support/gradients.ts";
import { IMPLEMENTATIONS } from "../support/kernels.ts";
import { TINY_CONFIGS } from "../support/tiny-models.ts";
import { missingTorch, runPython } from "./python.ts";

interface Expected {
  batch: [number[], number[], number[]];
  loss: number;
  batches: [number[], number[], number[]][];
  curve: number[];
  norms: number[];
  learning_rates: number[];
  clip: number;
  weight_decay: number;
  betas: [number, number];
  epsilon: number;
}

const BATCH = 3;
const LORA: LoraSettings = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"] };
const slug = (name: string) => name.replaceAll(/[^a-z0-9.]+/g, "-");
const CASES = [
  ...Object.entries(TINY_CONFIGS).map(([name, config]) => ({
    name: slug(name),
    config,
    lora: undefined,
    shard: "5GB",
  })),
  { name: "sharded", config: TINY_CONFIGS["llama-2"]!, lora: undefined, shard: "4KB" },
  { name: "lora", config: TINY_CONFIGS["llama-2"]!, lora: LORA, shard: "5GB" },
];

const folder = mkdtempSync(join(tmpdir(), "meditron-parity-"));
const reason = missingTorch();

describe.skipIf(reason)(`parity with transformers${reason ? ` (skipped: ${reason})` : ""}`, () => {
  beforeAll(() => {
    const cases = CASES.map(({ lora, ...rest }) => (lora ? { ...rest, lora } : rest));
    writeFileSync(join(folder, "cases.json"), JSON.stringify(cases));
    runPython("make_expected.py", folder);
  }, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const [kind, kernels] of IMPLEMENTATIONS) {
    for (const { name, lora } of CASES) {
      const load = async () => {
        const model = await loadModel(join(folder, name, "model"), {
          kernels,
          precision: "f32",
          ...(lora ? { lora } : {}),
        });
        if (lora) {
          for (const p of model.trainable) p.data.set(await expectedTensor(name, p.name));
        }
        return model;
      };

      it(`${name}: logits, loss and every gradient (${kind})`, async () => {
        const model = await load();
        const expected = readExpected(name);
        const [tokens, targets] = expected.batch.map((ids) => Int32Array.from(ids));
        const weights = expected.batch[2];
        const ours = model.logits({ batch: BATCH, tokens: tokens! });
        const theirs = await expectedTensor(name, "logits");
        expect(largestDifference(ours, theirs)).toBeLessThan(1e-4);

        model.zeroGradients();
        const scale = 1 / weights.reduce((sum, w) => sum + w, 0);
        const { loss } = model.lossAndGradients({ batch: BATCH, tokens: tokens!, targets: targets!, weights, scale });
        expect(Math.abs(loss * scale - expected.loss)).toBeLessThan(1e-4 * expected.loss);
        for (const [gradientName, gradient] of gradients(model)) {
          const reference = await expectedTensor(name, `grad.${gradientName}`);
          expect(relativeError(gradient, reference), gradientName).toBeLessThan(1e-4);
        }
      });

      it(`${name}: 20 steps of AdamW (${kind})`, async () => {
        const model = await load();
        const expected = readExpected(name);
        const states = model.trainable.map(
          (p) => [new Float32Array(p.data.length), new Float32Array(p.data.length)] as const,
        );
        for (const [i, [tokens, targets, weights]] of expected.batches.entries()) {
          model.zeroGradients();
          const scale = 1 / weights.length;
          const result = model.lossAndGradients({
            batch: BATCH,
            tokens: Int32Array.from(tokens),
            targets: Int32Array.from(targets),
            weights,
            scale,
          });
          const norm = Math.sqrt(model.trainable.reduce((sum, p) => sum + kernels.sumSquares(p.grad!), 0));
          expect(Math.abs(result.loss * scale - expected.curve[i]!), `loss of step ${i + 1}`).toBeLessThan(1e-3);
          expect(Math.abs(norm / expected.norms[i]! - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-2);
          for (const [k, p] of model.trainable.entries()) {
            kernels.adamw(p.data as Float32Array, p.grad!, states[k]![0], states[k]![1], {
              step: i + 1,
              learningRate: expected.learning_rates[i]!,
              beta1: expected.betas[0],
              beta2: expected.betas[1],
              epsilon: expected.epsilon,
              weightDecay: p.decay ? expected.weight_decay : 0,
              gradScale: Math.min(1, expected.clip / (norm + 1e-6)),
            });
          }
        }
        // The curve must have moved, or agreeing on it says nothing.
        expect(expected.curve.at(-1)!).toBeLessThan(expected.curve[0]! - 0.2);
      });
    }
  }

  it("transformers loads what we save, to the same logits", async () => {
    const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 37);
    const requests = [];
    const ours = new Map<string, Float32Array>();
    for (const { name, lora } of CASES) {
      const model = await loadModel(join(folder, name, "model"), {
        kernels: referenceKernels(),
        precision: "f32",
        ...(lora ? { lora } : {}),
      });
      if (lora) for (const p of model.trainable) p.data.set(await expectedTensor(name, p.name));
      const directory = join(folder, name, "ours");
      await model.save(directory, { dtype: "f32", ...(name === "sharded" ? { shardBytes: 6000 } : {}) });
      ours.set(name, Float32Array.from(model.logits({ batch: 2, tokens })));
      requests.push({
        directory,
        tokens: [[...tokens.slice(0, 12)], [...tokens.slice(12)]],
        output: join(directory, "logits.safetensors"),
      });
    }
    writeFileSync(join(folder, "requests.json"), JSON.stringify(requests));
    runPython("load_ours.py", folder);
    for (const { name } of CASES) {
      const theirs = await readTensor(join(folder, name, "ours"), "logits.safetensors", "logits");
      expect(largestDifference(ours.get(name)!, theirs), name).toBeLessThan(1e-4);
    }
  });

  it("saving and loading again changes no bit, and keeps every field of the config", async () => {
    for (const { name } of CASES.filter((c) => !c.lora)) {
      const options = { kernels: referenceKernels(), precision: "f32" as const };
      const model = await loadModel(join(folder, name, "model"), options);
      const again = join(folder, name, "again");
      await model.save(again, { dtype: "f32" });
      const reloaded = await loadModel(again, options);
      for (const [i, p] of model.parameters.entries()) expect(reloaded.parameters[i]!.data, p.name).toEqual(p.data);
      const read = (directory: string) => JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
      expect(read(again)).toEqual(read(join(folder, name, "model")));
    }
  });

  it("would notice a wrong rotary base", async () => {
    const wrong = join(folder, "wrong");
    cpSync(join(folder, "llama-2", "model"), wrong, { recursive: true });
    const config = JSON.parse(readFileSync(join(wrong, "config.json"), "utf8"));
    config.rope_parameters.rope_theta = 9000;
    writeFileSync(join(wrong, "config.json"), JSON.stringify(config));
    const model = await loadModel(wrong, { kernels: referenceKernels(), precision: "f32" });
    const logits = model.logits({ batch: BATCH, tokens: Int32Array.from(readExpected("llama-2").batch[0]) });
    expect(largestDifference(logits, await expectedTensor("llama-2", "logits"))).toBeGreaterThan(1e-3);
  });
});

function readExpected(name: string): Expected {
  return JSON.parse(readFileSync(join(folder, name, "expected.json"), "utf8")) as Expected;
}

async function readTensor(directory: string, file: string, name: string): Promise<Float32Array> {
  const reader = await SafetensorsReader.open(directory, file);
  const out = new Float32Array(reader.shape(name)!.reduce((product, n) => product * n, 1));
  await reader.read(name, out);
  await reader.close();
  return out;
}

function expectedTensor(name: string, tensor: string): Promise<Float32Array> {
  return readTensor(join(folder, name), "expected.safetensors", tensor);
}

/** Every gradient under the file's names. */
function gradients(model: Llama): [string, ArrayLike<number>][] {
  return model.trainable.flatMap((p) => {
    let at = 0;
    return p.parts.map(({ name, shape }): [string, ArrayLike<number>] => {
      const from = at;
      at += shape.reduce((product, n) => product * n, 1);
      return [name, p.grad!.subarray(from, at)];
    });
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

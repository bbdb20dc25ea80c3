/** Real trained weights: a llama2.c checkpoint with the logits and the greedy story that its own program produced. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, type SavedTensor, Scheduler, writeSafetensors } from "../../src/model/index.ts";
import { IMPLEMENTATIONS } from "../support/kernels.ts";
import { realData } from "./data.ts";

const data = realData("tiny-llama-weights");

interface Golden {
  greedy: number[];
  logits_pos0_first16: number[];
}

/**
 * llama2.c's first format: seven int32 (dim, hidden, layers, heads, kv heads, vocab, context), then float32 matrices, each kind for
 * all layers together. Its rotary pairs are neighbours (2i, 2i+1); Hugging Face's are halves (i, i + D/2), so q and k rows move.
 */
async function convert(checkpoint: string, directory: string): Promise<void> {
  const bytes = readFileSync(checkpoint);
  const [dim, hidden, layers, heads, kvHeads, vocab, context] = Array.from({ length: 7 }, (_, i) =>
    bytes.readInt32LE(4 * i),
  ) as [number, number, number, number, number, number, number];
  const D = dim / heads;
  let at = 28;
  const take = (rows: number, columns?: number) => {
    const shape = columns === undefined ? [rows] : [rows, columns];
    const length = rows * (columns ?? 1);
    const numbers = Float32Array.from({ length }, (_, i) => bytes.readFloatLE(at + 4 * i));
    at += 4 * length;
    return { shape, data: numbers };
  };
  const halves = ({ shape, data }: { shape: number[]; data: Float32Array }) => {
    const moved = new Float32Array(data.length);
    for (let row = 0; row < shape[0]!; row++) {
      const [head, i] = [Math.floor(row / D), row % D];
      const to = head * D + (i % 2 === 0 ? i / 2 : D / 2 + (i - 1) / 2);
      moved.set(data.subarray(row * dim, (row + 1) * dim), to * dim);
    }
    return { shape, data: moved };
  };
  const tensors: SavedTensor[] = [{ name: "model.embed_tokens.weight", ...take(vocab, dim) }];
  const perLayer = (name: string, read: () => { shape: number[]; data: Float32Array }) => {
    for (let layer = 0; layer < layers; layer++)
      tensors.push({ name: `model.layers.${layer}.${name}.weight`, ...read() });
  };
  perLayer("input_layernorm", () => take(dim));
  perLayer("self_attn.q_proj", () => halves(take(dim, dim)));
  perLayer("self_attn.k_proj", () => halves(take(kvHeads * D, dim)));
  perLayer("self_attn.v_proj", () => take(kvHeads * D, dim));
  perLayer("self_attn.o_proj", () => take(dim, dim));
  perLayer("post_attention_layernorm", () => take(dim));
  perLayer("mlp.gate_proj", () => take(hidden, dim));
  perLayer("mlp.down_proj", () => take(dim, hidden));
  perLayer("mlp.up_proj", () => take(hidden, dim));
  tensors.push({ name: "model.norm.weight", ...take(dim) });
  await writeSafetensors(directory, tensors, { dtype: "f32" });
  writeFileSync(
    join(directory, "config.json"),
    JSON.stringify({
      model_type: "llama",
      hidden_size: dim,
      intermediate_size: hidden,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      vocab_size: vocab,
      max_position_embeddings: context,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
    }),
  );
}

describe.skipIf(!data)(`a real llama2.c model${data ? "" : " (skipped: no ../shared/data/tiny-llama-weights)"}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "meditron-llama2c-"));
  beforeAll(() => convert(join(data!, "aidreams260K.bin"), directory));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const golden = () => JSON.parse(readFileSync(join(data!, "aidreams260K.golden.json"), "utf8")) as Golden;

  for (const [kind, kernels] of IMPLEMENTATIONS) {
    it(`has the golden logits after its first token (${kind})`, async () => {
      const model = await loadModel(directory, { kernels, precision: "f32", trainable: false });
      const logits = model.logits({ batch: 1, tokens: Int32Array.of(1) });
      // The golden file prints six decimals.
      for (const [i, expected] of golden().logits_pos0_first16.entries()) expect(logits[i]).toBeCloseTo(expected, 4);
    });

    it(`writes the golden story, greedily, from the cache (${kind})`, async () => {
      const model = await loadModel(directory, { kernels, precision: "f32", trainable: false });
      const scheduler = new Scheduler(model, { slots: 1 });
      const { greedy } = golden();
      let story: number[] = [];
      scheduler.add({
        kind: "generate",
        tokens: [1],
        maxTokens: greedy.length,
        temperature: 0,
        topP: 1,
        topK: 0,
        seed: 0,
        endIds: new Set(),
        onDone: ({ tokens }) => {
          story = tokens;
        },
      });
      while (!scheduler.isIdle) scheduler.step();
      expect(story).toEqual(greedy);
    });
  }
});

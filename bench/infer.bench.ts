/**
 * Tokens a second of inference with a key/value cache: reading a prompt (prefill) and writing on from it (decode). Ours and PyTorch take turns.
 *
 *   npm run bench -- infer [--quick] [--json] [mini] [15m] [60m] [110m] [--alone]
 *
 * Decoding one sequence reads every weight once a token: its floor is the time to read as many bytes, measured in the same run over a buffer
 * of that size (small models rest in a cache, so their floor is the cache's). `shareOfFloor` is floor time / our time.
 */
import { availableParallelism } from "node:os";
import { counterRandom } from "../src/core/index.ts";
import { initializeModel, KeyValueCache, type Llama, type Rows } from "../src/model/index.ts";
import { loadKernels } from "../src/native/index.ts";
import type { Kernels } from "../src/native/kernels.ts";
import { missingPeer, TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { chosenShapes, configOf, median, type Shape, VARIANTS, type Variant, variantName } from "./shapes.ts";

const NEW_TOKENS = 32;
/** Rows of one reading call, as the scheduler's. */
const ROWS_PER_CALL = 256;

interface Times {
  prefill: number[];
  decode: number[];
}

export const run: Bench = async ({ quick, args }) => {
  const missing = args.includes("--alone") ? "ours alone, as asked (--alone)" : missingPeer();
  const kernels = loadKernels();
  const results: BenchResult[] = [];
  const notes = missing ? [missing] : [];
  for (const [name, shape] of chosenShapes(args, quick)) {
    const promptTokens = Math.min(shape.sequenceLength, 256);
    // As `serve --precision bf16` loads it where the processor has such products; else as a model stored in bfloat16 is loaded.
    const model = initializeModel(configOf(shape, promptTokens + NEW_TOKENS), {
      kernels,
      ...(kernels.hasBf16
        ? { precision: "bf16" }
        : { precision: "f32", numbers: { weights: "bf16", activations: "f32", sums: "f32" } }),
      trainable: false,
      seed: 1,
    });
    const bytes = model.weights.all.reduce((sum, { data }) => sum + data.byteLength, 0);
    const floor = readSeconds(kernels, bytes);
    for (const batch of [1, 16]) {
      const settings = { config: shape, batch, promptTokens, newTokens: NEW_TOKENS, threads: availableParallelism() };
      const ours = oursOf(model, batch, promptTokens);
      ours();
      const peers = missing ? [] : await fastestPeers(settings, quick, notes);
      const ourTimes: Times = { prefill: [], decode: [] };
      const peerTimes = peers.map((): Times => ({ prefill: [], decode: [] }));
      const floors: number[] = [];
      for (let turn = 0; turn < (quick ? 3 : 5); turn++) {
        add(ourTimes, ours());
        floors.push(floor());
        for (const [i, peer] of peers.entries()) {
          const answer = (await peer.process.ask({ do: "steps", count: 1 })) as unknown as Times;
          add(peerTimes[i]!, answer);
        }
      }
      for (const { process } of peers) process.close();
      for (const kind of ["prefill", "decode"] as const) {
        const tokens = kind === "prefill" ? batch * promptTokens : batch;
        const seconds = median(ourTimes[kind]);
        const best = peers
          .map(({ process }, i) => ({ name: process.name, speed: tokens / median(peerTimes[i]![kind]) }))
          .sort((a, b) => b.speed - a.speed)[0];
        results.push({
          case: `${name} ${kind} batch ${batch}`,
          ours: tokens / seconds,
          ...(kind === "decode" && batch === 1 && { shareOfFloor: median(floors) / seconds }),
          ...(kind === "decode" && batch === 1 && { floorGBs: bytes / median(floors) / 1e9 }),
          ...(kind === "prefill" && { gflops: (flopsPerToken(shape) * tokens) / seconds / 1e9 }),
          ...(best && {
            peer: best.speed,
            peerName: `PyTorch ${best.name}`,
            ratio: tokens / seconds / best.speed,
          }),
        });
      }
    }
  }
  notes.push(`${kernels.description}; weights in bfloat16, prompt of 256 tokens, ${NEW_TOKENS} written, greedy`);
  return { subject: "infer", unit: "tokens/s", results, notes };
};

function add(to: Times, more: Times): void {
  to.prefill.push(...(more.prefill ?? []));
  to.decode.push(...(more.decode ?? []));
}

/** One prompt a slot, read in calls as the scheduler makes them, then greedy tokens for all at once. */
function oursOf(model: Llama, batch: number, promptTokens: number): () => Times {
  const cache = new KeyValueCache(model, { slots: batch, maxTokens: promptTokens + NEW_TOKENS });
  const { vocabSize } = model.config;
  const slots = Array.from({ length: batch }, (_, slot) => slot);
  const prompts = slots.map((slot) =>
    Array.from({ length: promptTokens }, (_, i) => counterRandom(slot, i) % vocabSize),
  );
  const argmax = (logits: Float32Array) => {
    let best = 0;
    for (let v = 1; v < logits.length; v++) if (logits[v]! > logits[best]!) best = v;
    return best;
  };
  return () => {
    const start = performance.now();
    const next: number[] = [];
    for (const slot of slots) {
      for (let at = 0; at < promptTokens; at += ROWS_PER_CALL) {
        const token = prompts[slot]!.slice(at, at + ROWS_PER_CALL);
        const rows: Rows = {
          kind: "reading",
          slot: token.map(() => slot),
          position: token.map((_, i) => at + i),
          token,
        };
        cache.forward(rows);
        if (at + token.length === promptTokens) next[slot] = argmax(cache.logits([token.length - 1])[0]!);
      }
    }
    const middle = performance.now();
    for (let n = 0; n < NEW_TOKENS; n++) {
      const position = slots.map(() => promptTokens + n);
      cache.forward({ kind: "writing", slot: slots, position, token: next });
      for (const [slot, logits] of cache.logits(slots).entries()) next[slot] = argmax(logits);
    }
    const end = performance.now();
    return { prefill: [(middle - start) / 1000], decode: [(end - middle) / NEW_TOKENS / 1000] };
  };
}

/** Seconds to read `bytes` once on all threads: sums over a buffer of that size. */
function readSeconds(kernels: Kernels, bytes: number): () => number {
  const buffer = new Float32Array(kernels.allocate(Math.ceil(bytes / 4) * 4));
  buffer.fill(1);
  return () => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      kernels.sumSquares(buffer);
      best = Math.min(best, performance.now() - start);
    }
    return best / 1000;
  };
}

interface Peer {
  process: TorchProcess;
  times: Times;
}

/** Tries every variant once; keeps the fastest in prefill and the fastest in decode. */
async function fastestPeers(settings: Record<string, unknown>, quick: boolean, notes: string[]): Promise<Peer[]> {
  const found: Peer[] = [];
  for (const variant of VARIANTS.filter(
    ({ implementation, mode }) => !quick || (implementation === "module" && mode === "eager"),
  )) {
    const peer = await prepare(variant, settings);
    if ("error" in peer) notes.push(`PyTorch ${variantName(variant)} does not run here: ${peer.error}`);
    else found.push(peer);
    const best = (kind: keyof Times) =>
      found.toSorted((a, b) => Math.min(...a.times[kind]) - Math.min(...b.times[kind]))[0];
    const kept = new Set([best("prefill"), best("decode")]);
    for (const peer of found) if (!kept.has(peer)) peer.process.close();
    found.splice(0, found.length, ...found.filter((peer) => kept.has(peer)));
  }
  return found;
}

async function prepare(variant: Variant, settings: Record<string, unknown>): Promise<Peer | { error: unknown }> {
  const process = new TorchProcess(variantName(variant), "torch_infer.py");
  const ready = await process.ask({ do: "prepare", ...settings, ...variant });
  const timed = ready.error ? ready : await process.ask({ do: "steps", count: 1 });
  if (timed.error) {
    process.close();
    return { error: timed.error };
  }
  return { process, times: timed as unknown as Times };
}

/** 2 · matrix parameters (the head for one row only) + causal attention. */
function flopsPerToken({ dim, layers, ffn, heads, kvHeads, sequenceLength }: Shape): number {
  const attention = 2 * dim * dim + 2 * dim * ((dim / heads) * kvHeads);
  return 2 * layers * (attention + 3 * dim * ffn) + 2 * layers * Math.min(sequenceLength, 256) * dim;
}

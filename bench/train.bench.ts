/**
 * Tokens a second of a whole training step: forward, backward, clipping, AdamW. Ours and PyTorch's best variant take turns.
 *
 *   npm run bench -- train [--quick] [--json] [60m] [110m] [--alone]
 *
 * PyTorch's variants are {hand-written module, transformers} x {eager, compile} x {float32, bf16 autocast}, with fused AdamW. All
 * are timed once; the fastest ones then run interleaved with ours. Where jemalloc is installed, a tuned PyTorch runs as well.
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { counterRandom } from "../src/core/index.ts";
import { initializeModel, memoryPlan, parseConfig } from "../src/model/index.ts";
import { loadKernels } from "../src/native/index.ts";
import { trainJobSchema } from "../src/train/index.ts";
import { AdamW } from "../src/train/optimizer.ts";
import { missingPeer, TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";

interface Shape {
  dim: number;
  layers: number;
  heads: number;
  kvHeads: number;
  ffn: number;
  vocab: number;
  sequenceLength: number;
  batch: number;
}

const SHAPES: Record<string, Shape> = {
  mini: { dim: 256, layers: 6, heads: 8, kvHeads: 8, ffn: 688, vocab: 4096, sequenceLength: 256, batch: 16 },
  "15m": { dim: 288, layers: 6, heads: 6, kvHeads: 6, ffn: 768, vocab: 32000, sequenceLength: 256, batch: 8 },
  "60m": { dim: 512, layers: 8, heads: 8, kvHeads: 8, ffn: 1376, vocab: 32000, sequenceLength: 512, batch: 4 },
  "110m": { dim: 768, layers: 12, heads: 12, kvHeads: 12, ffn: 2048, vocab: 32000, sequenceLength: 1024, batch: 1 },
};
const VARIANTS = ["module", "transformers"].flatMap((implementation) =>
  ["eager", "compile"].flatMap((mode) => ["f32", "bf16"].map((dtype) => ({ implementation, mode, dtype }))),
);
/** A turn of one side lasts about this long. */
const TURN_SECONDS = 1.5;

export const run: Bench = async ({ quick, args }) => {
  const names = ["mini", ...(quick ? [] : ["15m"]), ...["60m", "110m"].filter((name) => args.includes(name))];
  const missing = args.includes("--alone") ? "ours alone, as asked (--alone)" : missingPeer();
  const results: BenchResult[] = [];
  const notes = missing ? [missing] : [];
  for (const name of names) {
    const shape = SHAPES[name]!;
    const ours = oursOf(shape);
    const peers = missing ? [] : await fastestPeers(shape, quick, notes);
    const turns = quick ? 3 : 7;
    const ourSeconds: number[] = [];
    const peerSeconds = peers.map((): number[] => []);
    for (let turn = 0; turn < turns; turn++) {
      ourSeconds.push(...stepSeconds(ours.step));
      for (const [i, peer] of peers.entries()) {
        const count = Math.max(1, Math.round(TURN_SECONDS / peer.seconds));
        const answer = await peer.process.ask({ do: "steps", count });
        peerSeconds[i]!.push(...((answer.seconds as number[] | undefined) ?? []));
      }
    }
    for (const { process } of peers) process.close();

    const tokens = shape.batch * shape.sequenceLength;
    const speed = (seconds: number[]) => tokens / median(seconds);
    const speeds = peers.map(({ process, isTuned }, i) => ({
      name: process.name,
      isTuned,
      speed: speed(peerSeconds[i]!),
    }));
    const best = (isTuned: boolean) =>
      speeds.filter((peer) => peer.isTuned === isTuned).sort((a, b) => b.speed - a.speed)[0];
    const [stock, tuned] = [best(false), best(true)];
    results.push({
      case: name,
      ours: speed(ourSeconds),
      oursBest: tokens / Math.min(...ourSeconds),
      microBatch: ours.microBatch,
      gflops: (speed(ourSeconds) * flopsPerToken(shape)) / 1e9,
      planMiB: ours.planBytes / 2 ** 20,
      ...(stock && { peer: stock.speed, peerName: `PyTorch ${stock.name}`, ratio: speed(ourSeconds) / stock.speed }),
      ...(tuned && { tunedPeer: tuned.speed, tunedRatio: speed(ourSeconds) / tuned.speed }),
    });
  }
  notes.push(`${loadKernels().description}; ours accumulates micro-batches, PyTorch computes the batch at once`);
  return { subject: "train", unit: "tokens/s", results, notes };
};

/** Our step at the micro-batch that is fastest on this machine. The loss of a first step is checked: ln(vocab) within 5%. */
function oursOf(shape: Shape) {
  const kernels = loadKernels();
  const config = parseConfig({
    model_type: "llama",
    hidden_size: shape.dim,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    intermediate_size: shape.ffn,
    vocab_size: shape.vocab,
    max_position_embeddings: shape.sequenceLength,
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
    tie_word_embeddings: true,
  });
  const model = initializeModel(config, { kernels, precision: "bf16", seed: 1 });
  const settings = trainJobSchema.shape.optimizer.parse({});
  const optimizer = new AdamW(model.trainable, settings, kernels, 1);
  const { batch, sequenceLength: T, vocab } = shape;
  const ids = Int32Array.from({ length: batch * (T + 1) }, (_, i) => counterRandom(1, i) % vocab);
  let stepNumber = 0;
  const stepWith = (micro: number): number => {
    model.zeroGradients();
    let nats = 0;
    for (let at = 0; at < batch; at += micro) {
      const tokens = new Int32Array(micro * T);
      const targets = new Int32Array(micro * T);
      for (let row = 0; row < micro; row++) {
        const start = (at + row) * (T + 1);
        tokens.set(ids.subarray(start, start + T), row * T);
        targets.set(ids.subarray(start + 1, start + T + 1), row * T);
      }
      nats += model.lossAndGradients({ batch: micro, tokens, targets, scale: 1 / (batch * T) }).loss;
    }
    optimizer.step(++stepNumber, 3e-4, optimizer.gradNorm());
    return nats / (batch * T);
  };
  const first = stepWith(Math.min(2, batch));
  if (!(Math.abs(first / Math.log(vocab) - 1) < 0.05))
    throw new Error(`first loss ${first}, expected about ${Math.log(vocab)}`);
  const timed = [1, 2, 4, 8]
    .filter((micro) => micro <= batch)
    .map((micro) => {
      stepWith(micro);
      const start = performance.now();
      stepWith(micro);
      return { micro, ms: performance.now() - start };
    });
  const { micro } = timed.sort((a, b) => a.ms - b.ms)[0]!;
  const planBytes = memoryPlan(config, { precision: "bf16", microBatchSize: micro, sequenceLength: T }).total;
  return { step: () => stepWith(micro), microBatch: micro, planBytes };
}

function stepSeconds(step: () => void): number[] {
  const seconds: number[] = [];
  for (const end = performance.now() + TURN_SECONDS * 1000; performance.now() < end; ) {
    const start = performance.now();
    step();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

interface Peer {
  process: TorchProcess;
  seconds: number;
  isTuned: boolean;
}

/** Times every variant by itself and keeps the two fastest alive (and the tuned form of the first). */
async function fastestPeers(shape: Shape, quick: boolean, notes: string[]): Promise<Peer[]> {
  const found: (Peer & { variant: (typeof VARIANTS)[number] })[] = [];
  for (const variant of VARIANTS.filter(
    ({ implementation, dtype }) => !quick || (implementation === "module" && dtype === "bf16"),
  )) {
    const peer = await prepare(variant, shape, {});
    if ("error" in peer) notes.push(`PyTorch ${Object.values(variant).join(" ")} does not run here: ${peer.error}`);
    else found.push({ ...peer, variant, isTuned: false });
    found.sort((a, b) => a.seconds - b.seconds);
    for (const { process } of found.splice(2)) process.close();
  }
  const jemalloc = jemallocPath();
  if (!jemalloc || !found[0]) return found;
  const tuned = await prepare(found[0].variant, shape, {
    LD_PRELOAD: jemalloc,
    MALLOC_CONF: "thp:always,metadata_thp:auto",
    MKL_ENABLE_INSTRUCTIONS: "AVX512",
  });
  return "error" in tuned ? found : [...found, { ...tuned, isTuned: true }];
}

async function prepare(
  variant: (typeof VARIANTS)[number],
  shape: Shape,
  environment: Record<string, string>,
): Promise<{ process: TorchProcess; seconds: number } | { error: unknown }> {
  const name = `${variant.implementation} ${variant.mode} ${variant.dtype}`;
  const process = new TorchProcess(name, "torch_train.py", environment);
  const ready = await process.ask({ do: "prepare", config: shape, threads: availableParallelism(), ...variant });
  const timed = ready.error ? ready : await process.ask({ do: "steps", count: 2 });
  if (timed.error) {
    process.close();
    return { error: timed.error };
  }
  return { process, seconds: Math.min(...(timed.seconds as number[])) };
}

function jemallocPath(): string | undefined {
  try {
    const libraries = execFileSync("ldconfig", ["-p"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /libjemalloc\.so\S* .*=> (\S+)/.exec(libraries)?.[1];
  } catch {
    return undefined;
  }
}

/** 6 · matrix parameters + 6 · layers · T · dim (causal attention: half of 12), forward and backward. */
function flopsPerToken({ dim, layers, ffn, vocab, heads, kvHeads, sequenceLength }: Shape): number {
  const attention = 2 * dim * dim + 2 * dim * ((dim / heads) * kvHeads);
  const matrices = layers * (attention + 3 * dim * ffn) + vocab * dim;
  return 6 * matrices + 6 * layers * sequenceLength * dim;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

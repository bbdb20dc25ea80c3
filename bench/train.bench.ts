/**
 * Tokens a second of a whole training step: forward, backward, clipping, AdamW. Ours and PyTorch's best variant take turns.
 *
 *   npm run bench -- train [--quick] [--json] [mini] [15m] [60m] [110m] [--alone]
 *
 * PyTorch's variants are {hand-written module, transformers} x {eager, compile} x {float32, bf16 autocast, f16 autocast}, with fused
 * AdamW. All are timed once; the fastest ones then run interleaved with ours. Where jemalloc is installed, a tuned PyTorch runs as well.
 * --quick times the compiled module in float32 and bf16 only, which have been the fastest everywhere.
 *
 * `shareOfPeak` is our floating-point rate over that of multiply-adds on registers, measured between our steps; `ratioAtPeak` is the ratio
 * that a step at 100% of that peak would have: no engine of that precision on this machine can exceed it.
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { loadKernels, measurePeak } from "../src/native/index.ts";
import type { Precision } from "../src/native/kernels.ts";
import { missingPeer, TorchProcess } from "./peers/torch-process.ts";
import type { Bench, BenchResult } from "./report.ts";
import { chosenShapes, median, type Shape, VARIANTS, type Variant, variantName } from "./shapes.ts";
import { trainingStep } from "./train-step.ts";

/** A turn of one side lasts about this long. */
const TURN_SECONDS = 1.5;

export const run: Bench = async ({ quick, args }) => {
  const missing = args.includes("--alone") ? "ours alone, as asked (--alone)" : missingPeer();
  const results: BenchResult[] = [];
  const notes = missing ? [missing] : [];
  const precision: Precision = loadKernels().hasBf16 ? "bf16" : "f32";
  for (const [name, shape] of chosenShapes(args, quick)) {
    const ours = oursOf(shape, precision);
    const peers = missing ? [] : await fastestPeers(shape, quick, notes);
    const turns = quick ? 3 : 7;
    const ourSeconds: number[] = [];
    const peaks: number[] = [];
    const peerSeconds = peers.map((): number[] => []);
    for (let turn = 0; turn < turns; turn++) {
      ourSeconds.push(...stepSeconds(ours.step));
      peaks.push(measurePeak(precision, 20));
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
    const flops = speed(ourSeconds) * flopsPerToken(shape);
    const atPeak = median(peaks) / flopsPerToken(shape);
    results.push({
      case: name,
      ours: speed(ourSeconds),
      oursBest: tokens / Math.min(...ourSeconds),
      microBatch: ours.microBatch,
      gflops: flops / 1e9,
      shareOfPeak: flops / median(peaks),
      planMiB: ours.planBytes / 2 ** 20,
      ...(stock && { peer: stock.speed, peerName: `PyTorch ${stock.name}`, ratio: speed(ourSeconds) / stock.speed }),
      ...(stock && { ratioAtPeak: atPeak / stock.speed }),
      ...(tuned && { tunedPeer: tuned.speed, tunedRatio: speed(ourSeconds) / tuned.speed }),
    });
  }
  notes.push(
    `${loadKernels().description}, ${precision}; ours accumulates micro-batches, PyTorch computes the batch at once`,
  );
  return { subject: "train", unit: "tokens/s", results, notes };
};

/** Our step at the micro-batch that is fastest on this machine. The loss of a first step is checked: ln(vocab) within 5%. */
function oursOf(shape: Shape, precision: Precision) {
  const step = trainingStep(shape, loadKernels(), precision);
  const { batch, vocab } = shape;
  const first = step.run(Math.min(2, batch));
  if (!(Math.abs(first / Math.log(vocab) - 1) < 0.05))
    throw new Error(`first loss ${first}, expected about ${Math.log(vocab)}`);
  const choices = [1, 2, 4, 8]
    .filter((micro) => micro <= batch)
    .map((micro) => ({ micro, ms: Number.POSITIVE_INFINITY }));
  // The best of a few, in turns: a neighbour's moment of load decides nothing.
  for (let turn = 0; turn < 4; turn++) {
    for (const choice of choices) {
      const start = performance.now();
      step.run(choice.micro);
      choice.ms = Math.min(choice.ms, performance.now() - start);
    }
  }
  const { micro } = choices.sort((a, b) => a.ms - b.ms)[0]!;
  return { step: () => step.run(micro), microBatch: micro, planBytes: step.plan(micro).total };
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
  const found: (Peer & { variant: Variant })[] = [];
  for (const variant of VARIANTS.filter(
    ({ implementation, mode, dtype }) =>
      !quick || (implementation === "module" && mode === "compile" && dtype !== "f16"),
  )) {
    const peer = await prepare(variant, shape, {});
    if ("error" in peer) notes.push(`PyTorch ${variantName(variant)} does not run here: ${peer.error}`);
    else found.push({ ...peer, variant, isTuned: false });
    found.sort((a, b) => a.seconds - b.seconds);
    for (const { process } of found.splice(2)) process.close();
  }
  const jemalloc = jemallocPath();
  if (!jemalloc || !found[0]) return found;
  const tuned = await prepare(found[0].variant, shape, {
    LD_PRELOAD: jemalloc,
    MALLOC_CONF: "thp:always,metadata_thp:auto",
    ...(loadKernels().description.includes("avx512") && { MKL_ENABLE_INSTRUCTIONS: "AVX512" }),
  });
  return "error" in tuned ? found : [...found, { ...tuned, isTuned: true }];
}

async function prepare(
  variant: Variant,
  shape: Shape,
  environment: Record<string, string>,
): Promise<{ process: TorchProcess; seconds: number } | { error: unknown }> {
  const process = new TorchProcess(variantName(variant), "torch_train.py", environment);
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

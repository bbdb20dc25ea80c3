/**
 * The C++ addon as `Kernels`: options are spread into positions here, so that a call costs about a microsecond, and every length and id
 * is checked on the other side. What does not fit comes back as a ShapeError in the words of this interface.
 */
import { NativeError, ShapeError } from "../core/index.ts";
import type { Kernels } from "./kernels.ts";

/** The addon's own functions (native/bindings/addon.cpp). */
export interface Addon {
  describe(): {
    isa: string;
    hasBf16: boolean;
    threads: number;
    defaultThreads: number;
    builds: Record<string, boolean>;
  };
  /** @returns false when the CPU cannot run that build. */
  select(isa: string): boolean;
  threads(n: number): void;
  /** Register-only multiply-adds on all threads. @returns floating-point operations done. */
  peak(iterations: number, bf16: boolean): number;
  allocate(bytes: number): ArrayBuffer;
  [kernel: string]: (...args: never[]) => unknown;
}

type Loose = Record<string, (...args: unknown[]) => unknown>;

/** `call`, with what the addon throws turned into our errors. */
function guarded(call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    try {
      return call(...args);
    } catch (cause) {
      const code = (cause as { code?: string }).code;
      const message = (cause as Error).message;
      if (code === "NATIVE_ARGUMENT") {
        throw new ShapeError("NATIVE_ARGUMENT", { message, remedy: "fix the call: nothing has been computed", cause });
      }
      if (code === "NATIVE_OUT_OF_MEMORY") {
        throw new NativeError("NATIVE_OUT_OF_MEMORY", {
          message,
          remedy: "use a smaller model, batch or context, or a machine with more memory",
          cause,
        });
      }
      throw cause;
    }
  };
}

/** kThinRows of native/kernels/gemm.cpp. */
const FEW_ROWS = 32;

export function nativeKernels(addon: Addon): Kernels {
  const native = Object.fromEntries(
    Object.entries(addon).map(([name, call]) => [name, guarded(call as (...args: unknown[]) => unknown)]),
  ) as Loose;
  const call = (name: string) => native[name]!;
  const [gemm, rmsnorm, rmsnormBackward, rope] = [call("gemm"), call("rmsnorm"), call("rmsnormBackward"), call("rope")];
  const [attention, attentionBackward, cachedAttention] = [
    call("attention"),
    call("attentionBackward"),
    call("cachedAttention"),
  ];
  const [headCrossEntropy, adamw] = [call("headCrossEntropy"), call("adamw")];
  const { isa, hasBf16, threads } = addon.describe();

  return {
    description: `native ${isa}, ${threads} thread${threads === 1 ? "" : "s"}`,
    hasBf16,
    fewRows: FEW_ROWS,
    record: (calls) => guarded(call("record")(calls) as () => unknown) as () => void,
    allocate: call("allocate") as Kernels["allocate"],

    gemm(c, a, b, o) {
      const { m, n, k, transposeA = false, transposeB = false } = o;
      const { lda = transposeA ? m : k, ldb = transposeB ? k : n, ldc = n } = o;
      const bf16 = o.precision === "bf16";
      gemm(c, a, b, m, n, k, transposeA, transposeB, o.accumulate ?? false, bf16, lda, ldb, ldc, o.alpha ?? 1);
    },
    addBias: call("addBias") as Kernels["addBias"],
    addBiasBackward: call("addBiasBackward") as Kernels["addBiasBackward"],
    embedding: call("embedding") as Kernels["embedding"],
    embeddingBackward: call("embeddingBackward") as Kernels["embeddingBackward"],

    rmsnorm(y, r, x, w, { rows, channels, epsilon, groups = 1, ...strides }) {
      const { strideX = channels * groups, strideY = channels * groups } = strides;
      rmsnorm(y, r, x, w, rows, channels, epsilon, groups, strideX, strideY);
    },
    rmsnormBackward(dx, dw, dy, x, w, r, { rows, channels, epsilon, groups = 1, accumulate, ...strides }) {
      const { strideX = channels * groups, strideY = channels * groups } = strides;
      rmsnormBackward(dx, dw, dy, x, w, r, rows, channels, epsilon, groups, strideX, strideY, accumulate);
    },
    rope(qkv, { cos, sin, positions }, rows, rotatedHeads, headSize, stride, direction) {
      rope(qkv, cos, sin, positions, rows, rotatedHeads, headSize, stride, direction);
    },

    attention(o, lse, qkv, s) {
      const bf16 = s.precision === "bf16";
      attention(o, lse, qkv, s.batch, s.tokens, s.heads, s.kvHeads, s.headSize, s.window ?? 0, s.documents, bf16);
    },
    attentionBackward(dqkv, dO, qkv, o, lse, s) {
      const { batch, tokens, heads, kvHeads, headSize, window = 0, documents } = s;
      const bf16 = s.precision === "bf16";
      attentionBackward(dqkv, dO, qkv, o, lse, batch, tokens, heads, kvHeads, headSize, window, documents, bf16);
    },
    cachedAttention(o, qkv, cache, s) {
      const { rows, heads, kvHeads, headSize, maxTokens, sequence, position, window = 0, continuing = -1 } = s;
      cachedAttention(o, qkv, cache, rows, heads, kvHeads, headSize, maxTokens, sequence, position, window, continuing);
    },

    swiglu: call("swiglu") as Kernels["swiglu"],
    swigluBackward: call("swigluBackward") as Kernels["swigluBackward"],

    headCrossEntropy(loss, hidden, head, targets, weights, o) {
      const { rows, channels, vocab, gradient, best } = o;
      const bf16 = o.precision === "bf16";
      const { dHidden, dHead, scale = 0 } = gradient ?? {};
      headCrossEntropy(loss, hidden, head, targets, weights, rows, channels, vocab, bf16, best, dHidden, dHead, scale);
    },

    sumSquares: call("sumSquares") as Kernels["sumSquares"],
    adamw(p, g, m, v, o) {
      const { step, learningRate, beta1, beta2, epsilon, weightDecay, gradScale, roundingSeed = 0 } = o;
      adamw(p, g, m, v, step, learningRate, beta1, beta2, epsilon, weightDecay, gradScale, roundingSeed);
    },
    scaleAdd: call("scaleAdd") as Kernels["scaleAdd"],
    fill: call("fill") as Kernels["fill"],
  };
}

/**
 * Chooses the kernels: the C++ addon where it was built and the CPU can run it, else the TypeScript reference.
 *
 * The environment overrides the choice: MEDITRON_KERNELS (auto, native, reference), MEDITRON_ISA (portable, avx2, avx512, avx512bf16) and
 * MEDITRON_THREADS.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, NativeError } from "../core/index.ts";
import { type Addon, nativeKernels } from "./addon.ts";
import type { Kernels } from "./kernels.ts";
import { referenceKernels } from "./reference.ts";

export { fromBfloat16, toBfloat16 } from "./bfloat16.ts";
export type * from "./kernels.ts";
export { referenceKernels } from "./reference.ts";

export interface LoadOptions {
  /** "auto" falls back to the reference kernels when the addon is missing. Default: MEDITRON_KERNELS, else "auto". */
  implementation?: "auto" | "native" | "reference";
  /** Threads of the addon, for all of this process. Default: MEDITRON_THREADS, else the physical cores this process may use. */
  threads?: number;
  /** Build of the kernels, for all of this process. Default: MEDITRON_ISA, else the best one the CPU can run. */
  isa?: string;
}

export interface NativeDescription {
  available: boolean;
  /** Where the addon is, or where it was looked for. */
  path: string;
  /** Why it is not available, and what to do. */
  problem?: string;
  remedy?: string;
  isa?: string;
  hasBf16?: boolean;
  threads?: number;
  /** Physical cores that this process may use. */
  defaultThreads?: number;
  /** Each build in the binary, and whether this CPU can run it. */
  builds?: Record<string, boolean>;
}

/** build/ stands beside package.json, above both src/native/ and dist/src/native/. MEDITRON_ADDON names another binary (sanitizers). */
function addonPath(): string {
  if (process.env.MEDITRON_ADDON) return process.env.MEDITRON_ADDON;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, "build", "Release", "meditron.node");
}

const REBUILD = "build it with `npm run build:native` (needs a C++20 compiler, make and Python 3)";

let cached: Addon | undefined;

function loadAddon(): Addon {
  if (cached) return cached;
  const path = addonPath();
  if (!existsSync(path)) {
    throw new NativeError("NATIVE_MISSING", {
      message: "the native kernels are not built",
      where: path,
      remedy: REBUILD,
    });
  }
  try {
    cached = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new NativeError("NATIVE_LOAD", {
      message: `the native kernels cannot be loaded: ${(cause as Error).message}`,
      where: path,
      remedy: `${REBUILD}; it must be built on this system, with this version of Node`,
      cause,
    });
  }
  return cached;
}

function pickIsa(addon: Addon, isa: string): void {
  if (addon.select(isa)) return;
  const { builds } = addon.describe();
  const known = Object.keys(builds);
  const usable = known.filter((name) => builds[name]);
  throw new NativeError("NATIVE_ISA", {
    message: known.includes(isa)
      ? `this CPU cannot run the ${isa} kernels`
      : `there is no build of the kernels named "${isa}"`,
    remedy: `set MEDITRON_ISA to one of: ${usable.join(", ")}; or leave it out for the best of them`,
  });
}

function threadCount(value: number | string): number {
  const threads = Number(value);
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads;
  throw new ConfigError("NATIVE_THREADS", {
    message: `the number of threads is ${JSON.stringify(value)}`,
    where: "MEDITRON_THREADS or `threads`",
    remedy: "give a whole number from 1 to 256, or leave it out for one thread a core",
  });
}

/**
 * The kernels to compute with.
 * @throws {NativeError} NATIVE_MISSING, NATIVE_LOAD: "native" was asked for and is not there. NATIVE_ISA: the CPU cannot run the build.
 * @throws {ConfigError} NATIVE_THREADS, NATIVE_IMPLEMENTATION: a value that is none of the possible ones.
 */
export function loadKernels(options: LoadOptions = {}): Kernels {
  const implementation = options.implementation ?? process.env.MEDITRON_KERNELS ?? "auto";
  if (!["auto", "native", "reference"].includes(implementation)) {
    throw new ConfigError("NATIVE_IMPLEMENTATION", {
      message: `there are no kernels named "${implementation}"`,
      where: "MEDITRON_KERNELS or `implementation`",
      remedy: "use auto, native or reference",
    });
  }
  if (implementation === "reference") return referenceKernels();
  let addon: Addon;
  try {
    addon = loadAddon();
  } catch (error) {
    if (implementation === "auto" && error instanceof NativeError) return referenceKernels();
    throw error;
  }
  const isa = options.isa ?? process.env.MEDITRON_ISA;
  if (isa) pickIsa(addon, isa);
  const threads = options.threads ?? process.env.MEDITRON_THREADS;
  if (threads !== undefined && threads !== "") addon.threads(threadCount(threads));
  return nativeKernels(addon);
}

/** What `meditron doctor` says about the addon. Never throws. */
export function describeNative(): NativeDescription {
  const path = addonPath();
  try {
    return { available: true, path, ...loadAddon().describe() };
  } catch (error) {
    const { message, remedy } = error as NativeError;
    return { available: false, path, problem: message, ...(remedy === undefined ? {} : { remedy }) };
  }
}

/** Floating-point operations a second of multiply-adds on registers: what no product can exceed. For benchmarks. */
export function measurePeak(precision: "f32" | "bf16", milliseconds = 50): number {
  const addon = loadAddon();
  let iterations = 1000;
  for (;;) {
    const start = performance.now();
    const operations = addon.peak(iterations, precision === "bf16");
    const elapsed = performance.now() - start;
    if (elapsed >= milliseconds) return (operations / elapsed) * 1000;
    iterations *= 4;
  }
}

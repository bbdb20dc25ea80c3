import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatBytes, formatError, freeBytes } from "../../core/index.ts";
import { PACKAGE_ROOT, VERSION } from "../../core/version.ts";
import { renderTable } from "../../run/table.ts";
import type { Command } from "../command.ts";

/** What one look at the machine found. */
export interface Finding {
  what: string;
  state: "ok" | "note" | "problem";
  found: string;
  /** What to do about it, when there is something to do. */
  remedy?: string;
}

export const doctor: Command = {
  name: "doctor",
  summary: "is this machine ready? what is found, and what to do where something is missing",
  description: "Exits with 1 when something that training needs is missing.",
  examples: [
    { command: "meditron doctor", does: "a table of what was found" },
    { command: "meditron doctor --json", does: "the same for machines, for a bug report" },
  ],
  async run({ values }) {
    const findings = await examine();
    if (values.flag("json")) process.stdout.write(`${JSON.stringify({ version: VERSION, findings }, null, 2)}\n`);
    else {
      const mark = { ok: "✓", note: "·", problem: "✗" };
      const rows = findings.map(({ what, state, found }) => [mark[state], what, found]);
      process.stdout.write(`${renderTable([{ title: "" }, { title: "what" }, { title: "found" }], rows)}\n`);
      for (const { what, remedy } of findings) if (remedy) process.stdout.write(`\n${what}\n  → ${remedy}\n`);
    }
    if (findings.some(({ state }) => state === "problem")) process.exitCode = 1;
  },
};

/** Looks at everything; a look that fails is a finding itself. */
export async function examine(): Promise<Finding[]> {
  const looks = [nodeVersion, processor, kernels, memory, disk, compiler, torch];
  const findings: Finding[] = [];
  for (const look of looks)
    findings.push(
      await look().catch(
        (error): Finding => ({ what: look.name, state: "problem", found: formatError(error).split("\n")[0]! }),
      ),
    );
  return findings;
}

async function nodeVersion(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  return {
    what: "Node.js",
    state: enough ? "ok" : "problem",
    found: `${process.version} ${process.platform} ${process.arch}`,
    ...(enough ? {} : { remedy: "install Node 20.19 or newer" }),
  };
}

/** Features the kernels are built for, by the kernel's names in /proc/cpuinfo. */
const FEATURES = ["avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "asimd", "bf16", "sve"];

async function processor(): Promise<Finding> {
  const info = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1]?.split(" "));
  const features = FEATURES.filter((name) => flags.has(name));
  const model = cpus()[0]?.model.trim() || "unknown";
  return {
    what: "processor",
    state: "ok",
    found: `${model}, ${availableParallelism()} threads${features.length > 0 ? ` (${features.join(" ")})` : ""}`,
  };
}

async function kernels(): Promise<Finding> {
  const { describeNative } = await import("../../native/index.ts");
  const { available, isa, hasBf16, threads, problem, remedy } = describeNative();
  if (!available)
    return {
      what: "native kernels",
      state: "problem",
      found: problem ?? "not loaded; the slow reference kernels are used instead",
      ...(remedy ? { remedy } : {}),
    };
  return {
    what: "native kernels",
    state: "ok",
    found: `${isa}, ${threads} threads, bfloat16 ${hasBf16 ? "in hardware" : "emulated"}`,
  };
}

async function memory(): Promise<Finding> {
  const total = totalmem();
  const small = total < 4 * 2 ** 30;
  return {
    what: "memory",
    state: small ? "note" : "ok",
    found: `${formatBytes(freemem())} free of ${formatBytes(total)}`,
    ...(small ? { remedy: "the demo needs about 3 GiB; smaller batches need less (microBatchSize)" } : {}),
  };
}

async function disk(): Promise<Finding> {
  const free = await freeBytes("runs");
  const small = free < 5 * 2 ** 30;
  return {
    what: "disk (./runs)",
    state: small ? "note" : "ok",
    found: `${formatBytes(free)} free`,
    ...(small ? { remedy: "the demo needs about 1 GiB; put runs elsewhere with --runs" } : {}),
  };
}

async function compiler(): Promise<Finding> {
  for (const name of [process.env.CXX, "c++", "g++", "clang++"]) {
    const version = name ? await output(name, ["--version"]) : undefined;
    if (version) return { what: "C++ compiler", state: "ok", found: version.split("\n")[0]! };
  }
  return {
    what: "C++ compiler",
    state: "note",
    found: "none",
    remedy: "needed only to build the kernels: apt-get install g++ make python3 (or xcode-select --install)",
  };
}

async function torch(): Promise<Finding> {
  const python = join(PACKAGE_ROOT, ".venv", "bin", "python");
  const program = existsSync(python) ? python : "python3";
  const version = await output(program, [
    "-c",
    "import torch; print(torch.__version__, 'with', torch.cuda.device_count(), 'GPUs')",
  ]);
  if (version) return { what: "PyTorch", state: "ok", found: version.trim() };
  return {
    what: "PyTorch",
    state: "note",
    found: "none (optional)",
    remedy: "only the torch engine and the parity tests need it: npm run setup:torch",
  };
}

async function output(program: string, words: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, words, { timeout: 60_000 })).stdout;
  } catch {
    return undefined;
  }
}

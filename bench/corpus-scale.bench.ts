/**
 * How a build grows: invented abstracts, 10³ to 10⁵ (or as many as `--documents 1000000` says), through all stages (cleaning,
 * language, filter, near duplicates, decontamination against 20,000 items), each build in a process of its own. Time should grow
 * with the documents, memory should not, and two threads should take half the time of one and write the same bytes.
 *
 *   npm run bench -- corpus-scale [--quick] [--json] [--documents 1000000] [--threads 1]
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compress } from "zstd-napi";
import { counterRandom } from "../src/core/random.ts";
import { inventedText } from "../src/corpus/invented.ts";
import type { Bench, BenchResult } from "./report.ts";

const DOCUMENTS_A_FILE = 20_000;
/** Of a document that is nearly an earlier one, in a hundred. */
const NEAR_PERCENT = 3;

interface Figures {
  documents: number;
  drops: Record<string, number>;
  megabytes: number;
  total: number;
  /** All threads together. */
  cpu: number;
  seconds: Record<"read" | "deduplicate" | "write", number>;
  sha256: string;
}

export const run: Bench = async ({ quick, args }) => {
  const notes: string[] = [];
  const pinning = await promisify(execFile)("taskset", ["-c", "0", "true"]).then(
    () => true,
    () => false,
  );
  notes.push(pinning ? "each build has as many cores as threads" : "no taskset here: builds take what cores they find");
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-scale-"));
  const asked = Number(args[args.indexOf("--documents") + 1]);
  const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
  if (args.includes("--documents")) sizes.splice(0, sizes.length, asked);
  const threads = args.includes("--threads")
    ? [Number(args[args.indexOf("--threads") + 1])]
    : availableParallelism() > 1
      ? [1, 2]
      : [1];
  try {
    const items = join(folder, "items.jsonl");
    writeFileSync(
      items,
      Array.from(
        { length: 20_000 },
        (_, i) => `${JSON.stringify({ id: `q${i}`, text: inventedText(1e9 + i, 40) })}\n`,
      ).join(""),
    );
    const results: BenchResult[] = [];
    let written = 0;
    for (const size of sizes) {
      const source = join(folder, "source");
      written = writeSource(source, written, size);
      const build = async (threads: number): Promise<Figures> => {
        const directory = join(folder, `out-${threads}`);
        const config = {
          sources: [{ type: "jsonl", name: "invented", path: source, kind: "abstract", license: "CC0-1.0" }],
          stages: { language: {}, filter: {}, decontaminate: { benchmarks: [items], action: "drop" } },
        };
        const child = fileURLToPath(new URL("./peers/build-corpus.js", import.meta.url));
        // As many cores as threads: one thread's collector and compressor would else borrow the core that the second thread works on.
        const cores = pinning ? ["taskset", "-c", threads === 1 ? "0" : `0-${threads - 1}`] : [];
        const call = [...cores, process.execPath, child, JSON.stringify({ config, directory, threads })];
        const { stdout } = await promisify(execFile)(call[0]!, call.slice(1));
        rmSync(directory, { recursive: true, force: true });
        return JSON.parse(stdout) as Figures;
      };
      // Numbers of threads take turns; each counts by its fastest build: a neighbour's load is none of ours.
      const turns = size > 100_000 || threads.length === 1 ? 1 : quick ? 2 : 4;
      const fastest = new Map<number, Figures>();
      for (let turn = 0; turn < turns; turn++) {
        for (const count of turn % 2 === 0 ? threads : threads.toReversed()) {
          const figures = await build(count);
          if (figures.total < (fastest.get(count)?.total ?? Number.POSITIVE_INFINITY)) fastest.set(count, figures);
        }
      }
      const builds = threads.map((count): [number, Figures] => [count, fastest.get(count)!]);
      const one = builds[0]![1];
      for (const [count, figures] of builds) {
        if (figures.sha256 !== one.sha256) throw new Error(`${count} threads wrote other bytes than ${builds[0]![0]}`);
        results.push({
          case: `${size.toLocaleString("en-US")} documents, ${count} ${count === 1 ? "thread" : "threads"}, documents/s`,
          ours: size / figures.total,
          seconds: figures.total,
          cpuSeconds: figures.cpu,
          cpuMicrosecondsADocument: (1e6 * figures.cpu) / size,
          read: figures.seconds.read,
          deduplicate: figures.seconds.deduplicate,
          write: figures.seconds.write,
          peakMegabytes: Math.round(figures.megabytes),
          ...(figures !== one && { timesOneThread: one.total / figures.total }),
        });
      }
      notes.push(
        `${size.toLocaleString("en-US")} documents: ${one.documents} kept, dropped ${JSON.stringify(one.drops)}`,
      );
    }
    const last = results.filter((result) => result.case.includes(`, ${threads[0]} thread`));
    if (last.length > 1)
      notes.push(
        `CPU time grows as documents to the power ${(Math.log(Number(last.at(-1)!.cpuSeconds) / Number(last.at(-2)!.cpuSeconds)) / Math.log(sizes.at(-1)! / sizes.at(-2)!)).toFixed(2)} over the last step`,
      );
    return { subject: "corpus-scale", unit: "documents/s", results, notes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Adds files until the source holds `size` documents. @returns that size. */
function writeSource(source: string, from: number, size: number): number {
  mkdirSync(source, { recursive: true });
  for (let start = from; start < size; ) {
    const end = Math.min(size, start + DOCUMENTS_A_FILE);
    const lines: string[] = [];
    for (let i = start; i < end; i++) {
      const copies = i > 100 && counterRandom(7, i) % 100 < NEAR_PERCENT;
      const text = copies ? `${inventedText(i - 100, 178)} indeed` : inventedText(i, 180);
      lines.push(`${JSON.stringify({ id: `d${i}`, title: `Invented abstract ${i}`, text })}\n`);
    }
    const name = `part-${String(start).padStart(8, "0")}.jsonl.zst`;
    writeFileSync(join(source, name), compress(Buffer.from(lines.join("")), { compressionLevel: 1 }));
    start = end;
  }
  return size;
}

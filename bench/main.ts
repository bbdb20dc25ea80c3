/** `npm run bench -- <subject> [--json] [--quick]`: runs one benchmark; with --json the last line of stdout is one JSON object. */
import type { Bench, BenchReport } from "./report.ts";

const subjects: Record<string, () => Promise<{ run: Bench }>> = {
  kernels: () => import("./kernels.bench.ts"),
  train: () => import("./train.bench.ts"),
  infer: () => import("./infer.bench.ts"),
  memory: () => import("./memory.bench.ts"),
  soak: () => import("./soak.bench.ts"),
  "train-options": () => import("./train-options.bench.ts"),
  eval: () => import("./eval.bench.ts"),
  corpus: () => import("./corpus.bench.ts"),
  studio: () => import("./studio.bench.ts"),
  serve: () => import("./serve.bench.ts"),
  "serve-load": () => import("./serve-load.bench.ts"),
  "corpus-sources": () => import("./corpus-sources.bench.ts"),
  "corpus-stages": () => import("./corpus-stages.bench.ts"),
  "corpus-tokens": () => import("./corpus-tokens.bench.ts"),
  "corpus-scale": () => import("./corpus-scale.bench.ts"),
};

function table(report: BenchReport): string {
  const number = (value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(4)).toLocaleString("en-US") : String(value ?? "");
  const columns = [...new Set(report.results.flatMap((result) => Object.keys(result)))];
  const rows = [columns, ...report.results.map((result) => columns.map((column) => number(result[column])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "))
    .join("\n");
}

const [subject, ...args] = process.argv.slice(2);
const load = subject === undefined ? undefined : subjects[subject];
if (!load) {
  process.stderr.write(
    `usage: npm run bench -- <subject> [--json] [--quick]\nsubjects: ${Object.keys(subjects).join(", ")}\n`,
  );
  process.exit(2);
}
const json = args.includes("--json");
const report = await (await load()).run({ json, quick: args.includes("--quick"), args });
if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
else
  process.stdout.write(
    `${report.subject} (${report.unit})\n${table(report)}\n${(report.notes ?? []).map((note) => `- ${note}\n`).join("")}`,
  );

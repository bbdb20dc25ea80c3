/** Writes docs/errors.md from the source: `node docs/generate-errors.mjs`. The test in test/api holds the two together. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const kinds = {
  ConfigError: "change a setting or an argument",
  DataError: "skip or repair the record or file",
  ShapeError: "fix the call: arguments do not fit each other",
  NumericError: "look at the step and the tensor it names",
  NativeError: "rebuild the addon, or use the reference kernels",
  RetryableError: "wait and try again; finished work is kept",
  CancelledError: "nothing: you asked it to stop",
};

/** Every `new XError("CODE", { message: ... })` of the source: code → class and first message. */
export function collectCodes() {
  const codes = new Map([["RUN_CANCELLED", { kind: "CancelledError", message: "stopped on request" }]]);
  const files = readdirSync(new URL("src", root), { recursive: true, encoding: "utf8" }).sort();
  for (const file of files.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))) {
    const text = readFileSync(new URL(`src/${file}`, root), "utf8");
    const pattern = /(?:new\s+(\w+Error)\(\s*)?["'`]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)["'`],\s*\{\s*(?:message:\s*(?:`([^`]*)`|"([^"]*)"))?/g;
    for (const [, kind, code, template, plain] of text.matchAll(pattern)) {
      const known = codes.get(code) ?? {};
      codes.set(code, { kind: known.kind ?? kind, message: known.message ?? plain ?? template });
    }
  }
  return new Map([...codes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const say = (message) => (message ?? "").replace(/\$\{[^`]*?\}/g, "…").replace(/\$\{.*$/, "…").replace(/\|/g, "\\|").replace(/\s+/g, " ");
  const lines = [
    "# Error codes",
    "",
    "Made by `node docs/generate-errors.mjs`. An error prints its code, the place, what is wrong and what to do. The class says what helps:",
    "",
    ...Object.entries(kinds).map(([kind, help]) => `- **${kind}**: ${help}`),
    "",
    "| code | class | says |",
    "|---|---|---|",
    ...[...collectCodes()].map(([code, { kind, message }]) => `| \`${code}\` | ${kind ?? ""} | ${say(message)} |`),
    "",
  ];
  writeFileSync(new URL("docs/errors.md", root), lines.join("\n"));
}

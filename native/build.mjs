// Builds the native addon: `npm ci` runs this as the install script, `npm run build:native [-- --force] [-- --sanitize]` by hand.
//
// A machine without a compiler must still install: failing to build prints what to do and exits 0, and the engine falls back to
// the slow reference kernels. (By hand, with --force or --sanitize, failing is a failure.) Unchanged sources are not built again.
//
// --sanitize [TESTS...] builds beside it, in build/Debug, with AddressSanitizer and UndefinedBehaviorSanitizer, and runs the kernel tests (or
// those named) on it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sanitize = process.argv.includes("--sanitize");
const tests = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const force = sanitize || process.argv.includes("--force");
const build = join(root, "build");
const addon = join(build, sanitize ? "Debug" : "Release", "meditron.node");
const stamp = join(build, "meditron.stamp");

/** Everything the binary depends on: sources, settings, and the Node it was made for. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch} ${sanitize}`);
  const files = ["kernels", "bindings"].flatMap((folder) =>
    readdirSync(join(root, "native", folder))
      .sort()
      .map((name) => join(root, "native", folder, name)),
  );
  for (const file of [join(root, "binding.gyp"), ...files]) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest("hex");
}

/** Node's headers, when they were installed beside it: then nothing needs to be fetched. */
function headers() {
  const prefix = join(dirname(process.execPath), "..");
  return existsSync(join(prefix, "include", "node", "node_api.h")) ? [`--nodedir=${prefix}`] : [];
}

/** Whether the compiler knows AVX512-FP16 (GCC 12, Clang 14 and later do). */
function knowsFp16() {
  const [compiler = "g++", ...flags] = (process.env.CXX ?? "g++").split(" ");
  const { status } = spawnSync(compiler, [...flags, "-mavx512fp16", "-x", "c++", "-E", "-"], { input: "" });
  return status === 0;
}

const wanted = fingerprint();
if (!force && existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
  console.log("meditron: native kernels are up to date");
  process.exit(0);
}

const started = performance.now();
const gyp = createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
const result = spawnSync(
  process.execPath,
  // Without --force only what changed is compiled.
  [
    gyp,
    ...(force && !sanitize ? ["rebuild"] : ["configure", "build"]),
    sanitize ? "--debug" : "--release",
    ...headers(),
    `--jobs=${availableParallelism()}`,
    `--fp16=${process.arch === "x64" && knowsFp16() ? 1 : 0}`, // an option that node-gyp does not know becomes a variable
  ],
  { cwd: root, encoding: "utf8", maxBuffer: 64 << 20 },
);
const output = `${result.stdout ?? ""}${result.stderr ?? ""}`;
mkdirSync(build, { recursive: true });
writeFileSync(join(build, "native-build.log"), output);

if (result.status === 0 && existsSync(addon)) {
  const warnings = output.split("\n").filter((line) => /native\/.*warning:/.test(line));
  for (const warning of warnings) console.log(warning);
  if (!sanitize) writeFileSync(stamp, wanted);
  console.log(`meditron: native kernels built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
} else {
  const lines = output.trim().split("\n");
  const shown = lines.filter((line) => /error|not found|ERR!/i.test(line)).slice(0, 12);
  console.error(`meditron: the native kernels could not be built; the reference kernels (about 1000x slower) will be used.
${(shown.length > 0 ? shown : lines.slice(-12)).map((line) => `  ${line}`).join("\n")}
  -> install a C++20 compiler, make and Python 3 (Debian, Ubuntu: apt install build-essential python3), then: npm run build:native
     the whole output is in ${join(build, "native-build.log")}`);
  process.exit(force ? 1 : 0);
}

if (sanitize) {
  // Node itself is not instrumented, so the sanitizer's library has to come first; leaks would all be Node's.
  const library = spawnSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).stdout.trim();
  const test = spawnSync(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...(tests.length > 0 ? tests : ["src/native"]), "--pool=forks", "--testTimeout=600000"], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      LD_PRELOAD: library,
      ASAN_OPTIONS: "detect_leaks=0",
      UBSAN_OPTIONS: "print_stacktrace=1",
      MEDITRON_ADDON: addon,
    },
  });
  process.exit(test.status ?? 1);
}

/**
 * Time to the first token and tokens a second of chat-like streams at 1, 8 and 32 clients: `meditron serve` and llama.cpp's server
 * answer the same prompts with the same weights (ours bfloat16 or float32 as the CPU offers; theirs the BF16 and F16 files that
 * `meditron export` makes of them, the faster of the two counts). The servers take turns, each idle while the other answers.
 *
 *   npm run bench -- serve [--quick] [--json] [--clients 1,8,32] [--threads N]
 *
 * The clients run on the same machine, so one core is left to them and to HTTP, for both servers alike, as `meditron serve` does by
 * itself.
 *
 * llama.cpp's server is the one of the environment variable LLAMA_SERVER (a binary), or of the xllamacpp wheel in .venv (whose
 * build stops at AVX2). Before anything is timed, greedy answers must agree.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { counterRandom } from "../src/core/index.ts";
import { exportGguf } from "../src/export/gguf.ts";
import { initializeModel, parseConfig } from "../src/model/index.ts";
import { loadKernels } from "../src/native/index.ts";
import { trainTokenizer } from "../src/tokens/train-bpe.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

const PYTHON = join(repository, ".venv", "bin", "python");
const CONTEXT = 512;
const SLOTS = 32;
const NEW_TOKENS = 64;
/** A Llama of 7M parameters. Its texts mean nothing; its work is that of a trained one. */
const shape = {
  model_type: "llama",
  hidden_size: 288,
  num_hidden_layers: 6,
  num_attention_heads: 6,
  num_key_value_heads: 6,
  intermediate_size: 768,
  max_position_embeddings: CONTEXT,
  rms_norm_eps: 1e-5,
  initializer_range: 0.06,
  tie_word_embeddings: true,
};

/** Forty invented words of three syllables, about a hundred tokens, other ones for every client and turn: nothing can be shared. */
function promptOf(seed: number): string {
  const syllable = (i: number) => {
    const draw = counterRandom(seed, i);
    return "bcdfglmnprstv"[draw % 13]! + "aeiou"[(draw >>> 8) % 5]!;
  };
  return Array.from({ length: 40 }, (_, i) => syllable(3 * i) + syllable(3 * i + 1) + syllable(3 * i + 2)).join(" ");
}

interface Server {
  name: string;
  url: string;
  model: string;
  process: ChildProcess;
}

interface Turn {
  firstTokenMs: number[];
  tokensPerSecond: number;
}

export const run: Bench = async ({ quick, args }) => {
  const folder = mkdtempSync(join(tmpdir(), "meditron-bench-serve-"));
  const servers: Server[] = [];
  const notes: string[] = [];
  const endServers = () => {
    for (const { process } of servers) process.kill("SIGKILL");
  };
  process.once("exit", endServers);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  try {
    const directory = await makeModel(join(folder, "model"));
    const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
    const threads = option("--threads") ?? String(Math.max(1, availableParallelism() - 1));
    servers.push(await startOurs(directory, threads));
    const command = peerCommand(threads);
    if (command) {
      for (const type of ["bf16", "f16"] as const) {
        const { path } = await exportGguf(directory, join(folder, `${type}.gguf`), { type, name: "bench" });
        servers.push(await startPeer(command, path, type));
      }
      notes.push(`llama.cpp: ${command.about}`);
    } else notes.push("no llama.cpp server (LLAMA_SERVER, or pip install xllamacpp into .venv): ours alone");
    notes.push(await agreement(servers));
    const cases = (option("--clients") ?? "1,8,32").split(",").map(Number);
    const results: BenchResult[] = [];
    for (const clients of cases) results.push(...(await measure(servers, clients, quick ? 1 : 3)));
    notes.push(
      `${loadKernels().description.split(",")[0]}; ${threads} of ${availableParallelism()} threads each; ${NEW_TOKENS} tokens an answer, prompts of about 100`,
    );
    return { subject: "serve", unit: "tokens/s, and 1/ms to the first token", results, notes };
  } finally {
    endServers();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** One warm-up and `turns` measured turns of every server, in turn. */
async function measure(servers: Server[], clients: number, turns: number): Promise<BenchResult[]> {
  const measured = servers.map((): Turn[] => []);
  // One client alone finishes too soon to time: several answers in a row.
  const rounds = clients === 1 ? 4 : 1;
  for (let turn = -1; turn < turns; turn++) {
    for (const [i, server] of servers.entries()) {
      const result = await askAll(server, clients, rounds, 1000 * (turn + 2) + 100 * i);
      if (turn >= 0) measured[i]!.push(result);
    }
  }
  const speeds = measured.map((all) => median(all.map(({ tokensPerSecond }) => tokensPerSecond)));
  const firsts = measured.map((all) => median(all.flatMap(({ firstTokenMs }) => firstTokenMs)));
  const best = (values: number[], better: (a: number, b: number) => boolean) =>
    values.reduce((best, value, i) => (i > 1 && better(value, values[best]!) ? i : best), 1);
  const plural = clients === 1 ? "client" : "clients";
  const speed: BenchResult = { case: `${clients} ${plural}: tokens/s`, ours: speeds[0]! };
  const first: BenchResult = { case: `${clients} ${plural}: first token, ms`, ours: firsts[0]! };
  if (servers.length > 1) {
    const fast = best(speeds, (a, b) => a > b);
    Object.assign(speed, { peer: speeds[fast], peerName: servers[fast]!.name, ratio: speeds[0]! / speeds[fast]! });
    const early = best(firsts, (a, b) => a < b);
    Object.assign(first, { peer: firsts[early], peerName: servers[early]!.name, ratio: firsts[early]! / firsts[0]! });
  }
  return [speed, first];
}

async function askAll(server: Server, clients: number, rounds: number, seed: number): Promise<Turn> {
  const firstTokenMs: number[] = [];
  let tokens = 0;
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const answer = await stream(server, promptOf(seed + 50_000 * round + client));
        firstTokenMs.push(answer.firstTokenMs);
        tokens += answer.tokens;
      }),
    );
  }
  return { firstTokenMs, tokensPerSecond: tokens / ((performance.now() - startMs) / 1000) };
}

interface Answer {
  firstTokenMs: number;
  tokens: number;
  text: string;
}

function stream(server: Server, prompt: string): Promise<Answer> {
  const body = JSON.stringify({
    model: server.model,
    prompt,
    max_tokens: NEW_TOKENS,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
    // llama.cpp's own: nothing of an earlier turn is kept, as nothing of ours can be.
    cache_prompt: false,
  });
  const startMs = performance.now();
  // A connection each: one that is kept may be closed by its server just as it is used again.
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request(`${server.url}/v1/completions`, { method: "POST", agent: false, headers }, (answer) => {
      const result: Answer = { firstTokenMs: 0, tokens: 0, text: "" };
      let rest = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        const lines = (rest + part).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (!line.startsWith("data: {")) continue;
          const event = JSON.parse(line.slice(6)) as {
            choices?: { text?: string }[];
            usage?: { completion_tokens?: number } | null;
          };
          const piece = event.choices?.[0]?.text ?? "";
          if (piece !== "") result.firstTokenMs ||= performance.now() - startMs;
          result.text += piece;
          result.tokens = event.usage?.completion_tokens ?? result.tokens;
        }
      });
      answer.on("error", reject).on("end", () => {
        if (answer.statusCode === 200 && result.tokens === NEW_TOKENS) resolve(result);
        else reject(new Error(`${server.name} answered ${answer.statusCode} with ${result.tokens} tokens ${rest}`));
      });
    });
    call.on("error", reject).end(body);
  });
}

/** Greedy answers of all servers to eight prompts. Half precisions round differently, so beginnings are compared. */
async function agreement(servers: Server[]): Promise<string> {
  const characters = 20;
  const texts = await Promise.all(
    servers.map((server) => Promise.all(Array.from({ length: 8 }, (_, i) => stream(server, promptOf(i + 1))))),
  );
  const same = texts
    .slice(1)
    .map(
      (theirs) =>
        theirs.filter(({ text }, i) => text.slice(0, characters) === texts[0]![i]!.text.slice(0, characters)).length,
    );
  if (same.some((count) => count < 4)) throw new Error(`greedy answers differ: ${same} of 8 begin alike`);
  return servers.length > 1 ? `greedy answers begin alike (${characters} characters) in ${same.join(", ")} of 8` : "";
}

async function makeModel(directory: string): Promise<string> {
  const text = Array.from({ length: 400 }, (_, i) => promptOf(i)).join("\n");
  const tokenizer = await trainTokenizer([text], { vocabSize: 4096 });
  const config = parseConfig({ ...shape, vocab_size: tokenizer.vocabSize });
  const model = initializeModel(config, { kernels: loadKernels(), precision: "f32", seed: 3 });
  // The end token is never the likeliest, so that every answer has as many tokens.
  const { data, channels } = model.weights.head;
  data.fill(0, tokenizer.endOfDocumentId * channels, (tokenizer.endOfDocumentId + 1) * channels);
  await model.save(directory, { dtype: "bf16" });
  await tokenizer.save(directory);
  return directory;
}

async function startOurs(directory: string, threads: string): Promise<Server> {
  const main = join(repository, "dist", "src", "cli", "main.js");
  const child = spawn(
    process.execPath,
    [
      main,
      "serve",
      `bench=${directory}`,
      "--port",
      "0",
      "--slots",
      String(SLOTS),
      "--threads",
      threads,
      "--requests-per-minute",
      "0",
      "--json",
      "--quiet",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const { url } = JSON.parse(await firstLine(child)) as { url: string };
  return { name: "meditron", url, model: "bench", process: child };
}

interface PeerCommand {
  about: string;
  start(path: string, port: number): ChildProcess;
}

function peerCommand(threads: string): PeerCommand | undefined {
  const binary = process.env.LLAMA_SERVER;
  if (binary)
    return {
      about: "the binary of LLAMA_SERVER",
      start: (path, port) =>
        spawn(
          binary,
          [
            "-m",
            path,
            "--port",
            String(port),
            "-np",
            String(SLOTS),
            "-c",
            String(SLOTS * CONTEXT),
            "-t",
            threads,
            "-tb",
            threads,
            "--no-webui",
          ],
          { stdio: ["ignore", "ignore", "ignore"] },
        ),
    };
  if (!existsSync(PYTHON)) return undefined;
  try {
    execFileSync(PYTHON, ["-c", "import xllamacpp"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return {
    about: "xllamacpp's wheel (AVX2)",
    start: (path) =>
      spawn(
        PYTHON,
        [join(repository, "bench", "peers", "llama_server.py"), path, String(SLOTS), String(CONTEXT), threads],
        {
          stdio: ["ignore", "pipe", "ignore"],
        },
      ),
  };
}

let nextPort = 18_480;

async function startPeer(command: PeerCommand, path: string, type: string): Promise<Server> {
  const port = nextPort++;
  const child = command.start(path, port);
  const url = child.stdout ? await firstLine(child) : `http://127.0.0.1:${port}`;
  for (;;) {
    const isReady = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return { name: `llama.cpp ${type}`, url, model: "bench", process: child };
    if (child.exitCode !== null) throw new Error(`llama.cpp's server ended with code ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) if (line.includes("http")) return line;
  throw new Error("the server ended before it was ready");
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * What a server bears: rounds of a thousand requests at once (streams and whole answers; some clients leave in the middle, some read
 * slowly), its memory after each, then a stop while streams are under way.
 *
 *   npm run bench -- serve-load [--quick] [--json] [--rounds 5] [--requests 1000]
 *
 * Every answer is checked: whole ones have their usage, streams end in [DONE], nobody is forgotten in flight.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeTestModel } from "../src/serve/test-model.ts";
import type { Bench, BenchResult } from "./report.ts";
import { repository } from "./root.ts";

/** A server that kept a few kilobytes of every request would end within some rounds. */
const HEAP_MIB = 70;

type Kind = "whole" | "stream" | "leaves" | "slow";

export const run: Bench = async ({ quick, args }) => {
  const option = (name: string, otherwise: number) =>
    args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
  const rounds = option("--rounds", quick ? 3 : 5);
  const requests = option("--requests", quick ? 200 : 1000);
  const directory = await makeTestModel({ contextTokens: 512 });
  const { child, url } = await start(directory, requests);
  const results: BenchResult[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const startMs = performance.now();
      const kinds = Array.from(
        { length: requests },
        (_, i): Kind => (i % 10 === 0 ? "leaves" : i % 20 === 5 ? "slow" : i % 2 === 0 ? "stream" : "whole"),
      );
      const ended = await Promise.all(kinds.map((kind, i) => ask(url, kind, requests * round + i, 24)));
      const seconds = (performance.now() - startMs) / 1000;
      const after = await settled(url);
      results.push({
        case: `round ${round}`,
        ours: after.process_resident_memory_bytes! / 2 ** 20,
        answered: ended.filter((how) => how === "answered").length,
        left: ended.filter((how) => how === "left").length,
        seconds,
        cancelled: after.meditron_cancelled_total ?? 0,
      });
    }
    const stop = await stopUnderWay(child, url);
    const [first, last] = [results[0]!.ours, results.at(-1)!.ours];
    return {
      subject: "serve-load",
      unit: "resident MiB after a round",
      results,
      notes: [
        `a heap of ${HEAP_MIB} MiB at most; from round 1 to round ${rounds}: ${first.toFixed(1)} to ${last.toFixed(1)} MiB (${((last / first - 1) * 100).toFixed(1)}%)`,
        `SIGTERM with ${stop.streams} streams under way: ${stop.whole} ended whole, exit code ${stop.code} after ${stop.seconds.toFixed(2)} s, a new client was ${stop.newcomer}`,
      ],
    };
  } finally {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
};

async function start(directory: string, queue: number): Promise<{ child: ChildProcess; url: string }> {
  const main = join(repository, "dist", "src", "cli", "main.js");
  const limits = ["--queue", String(queue), "--requests-per-minute", "0", "--slots", "32"];
  const child = spawn(
    process.execPath,
    [main, "serve", `load=${directory}`, "--port", "0", "--json", "--quiet", ...limits],
    // A small heap and few arenas of malloc: both grow to what they may, whether it is used or not, and would hide what is kept.
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        MALLOC_ARENA_MAX: "2",
        NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB} --max-semi-space-size=4`,
      },
    },
  );
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith("{")) return { child, url: (JSON.parse(line) as { url: string }).url };
  }
  throw new Error("the server ended before it was ready");
}

/** @returns how it ended, when it ended as it should. */
function ask(url: string, kind: Kind, seed: number, tokens: number, onFirst = () => {}): Promise<"answered" | "left"> {
  const stream = kind !== "whole";
  const body = JSON.stringify({
    model: "load",
    prompt: `the patient ${seed}`,
    max_tokens: tokens,
    temperature: 1,
    seed,
    stream,
  });
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request(`${url}/v1/completions`, { method: "POST", agent: false, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        if (text === "") onFirst();
        text += part;
        if (kind === "leaves") {
          answer.destroy();
          resolve("left");
        } else if (kind === "slow") {
          answer.pause();
          setTimeout(() => answer.resume(), 50);
        }
      });
      answer.on("error", reject).on("end", () => {
        const isWhole =
          answer.statusCode === 200 && (stream ? text.endsWith("data: [DONE]\n\n") : text.includes('"usage"'));
        if (isWhole) resolve("answered");
        else reject(new Error(`${kind}: ${answer.statusCode} ${text.slice(-200)}`));
      });
    });
    call.on("error", (error) => (kind === "leaves" ? resolve("left") : reject(error))).end(body);
  });
}

/** The server's figures once nothing is under way. @throws when a request is never given up. */
async function settled(url: string): Promise<Record<string, number>> {
  for (let i = 0; i < 100; i++) {
    await sleep(100);
    const text = await (await fetch(`${url}/metrics`)).text();
    const figures = Object.fromEntries(
      [...text.matchAll(/^(\w+) ([\d.e+]+)$/gm)].map(([, name, value]) => [name!, Number(value)]),
    );
    if (i >= 5 && figures.meditron_in_flight === 0) return figures;
  }
  throw new Error("requests are still in flight after ten seconds");
}

async function stopUnderWay(child: ChildProcess, url: string) {
  const streams = 16;
  let begun = 0;
  const answers = Array.from({ length: streams }, (_, i) => ask(url, "stream", i, 400, () => begun++));
  while (begun < streams) await sleep(1);
  const exit = once(child, "exit");
  const startMs = performance.now();
  child.kill("SIGTERM");
  // The signal takes a moment to arrive.
  let newcomer = "answered 200";
  for (let i = 0; i < 100 && newcomer === "answered 200"; i++) {
    await sleep(5);
    newcomer = await fetch(`${url}/v1/models`).then(
      (answer) => `answered ${answer.status}`,
      () => "refused",
    );
  }
  const whole = (await Promise.allSettled(answers)).filter(({ status }) => status === "fulfilled").length;
  const [code] = (await exit) as [number];
  return { streams, whole, code, seconds: (performance.now() - startMs) / 1000, newcomer };
}

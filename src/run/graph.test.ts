import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CancelledError, writeFileAtomic } from "../core/index.ts";
import { readEvents } from "./events.ts";
import { type GraphOptions, runGraph, type Stage } from "./graph.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "meditron-graph-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** a → b → c; `b` writes half of a's number, rounded down, so that its product can stay when a's changes. */
function stages(source: string, settings: { b?: number } = {}, ran: string[] = []): Stage[] {
  const write = async (name: string, value: number) => {
    ran.push(name);
    await writeFileAtomic(join(directory, name, "value"), String(value));
    return { counts: { value }, product: value };
  };
  const read = async (name: string) => Number(await readFile(join(directory, name, "value"), "utf8"));
  return [
    {
      id: "a",
      needs: [],
      settings: {},
      files: [source],
      folder: "a",
      run: async () => write("a", Number(await readFile(source, "utf8"))),
    },
    {
      id: "b",
      needs: ["a"],
      settings: { divisor: settings.b ?? 2 },
      folder: "b",
      products: ["b/value"],
      run: async () => write("b", Math.floor((await read("a")) / (settings.b ?? 2))),
    },
    { id: "c", needs: ["b"], settings: {}, folder: "c", run: async () => write("c", (await read("b")) + 1) },
  ];
}

async function runAll(list: Stage[], options: Partial<GraphOptions> = {}): Promise<void> {
  await runGraph(list, { directory, signal: new AbortController().signal, ...options });
}

test("a stage runs again only when its settings, its files or what it needs changed", async () => {
  const source = join(directory, "source.txt");
  await writeFile(source, "10");
  const ran: string[] = [];
  const again = async (settings = {}) => {
    ran.length = 0;
    await runAll(stages(source, settings, ran));
    return [...ran];
  };
  expect(await again()).toEqual(["a", "b", "c"]);
  expect(await again()).toEqual([]);
  expect(await again({ b: 3 })).toEqual(["b", "c"]); // 10/2 = 5, 10/3 = 3
  await writeFile(source, "11");
  expect(await again({ b: 3 })).toEqual(["a", "b"]); // 11/3 = 3 as before: c has nothing new to read
  await rm(join(directory, "b", "value"));
  expect(await again({ b: 3 })).toEqual(["b"]); // its product was deleted
});

test("a stage that failed or was stopped runs again, knowing that it resumes; changed inputs empty its folder", async () => {
  const source = join(directory, "source.txt");
  await writeFile(source, "10");
  const seen: boolean[] = [];
  const [first] = stages(source);
  const stopping = (divisor: number): Stage => ({
    id: "b",
    needs: ["a"],
    settings: { divisor },
    folder: "b",
    async run({ resumed }) {
      seen.push(resumed);
      await writeFileAtomic(join(directory, "b", `half-${divisor}`), "");
      throw new CancelledError();
    },
  });
  for (const divisor of [2, 2, 3])
    await expect(runAll([first!, stopping(divisor)])).rejects.toBeInstanceOf(CancelledError);
  expect(seen).toEqual([false, true, false]);
  await expect(readFile(join(directory, "b", "half-2"))).rejects.toThrow("ENOENT");
  const events = await readEvents(directory);
  expect(events.map(({ event }) => event)).toEqual([
    ...["stage-start", "stage-end", "stage-start", "run-cancelled"],
    ...["stage-skip", "stage-start", "run-cancelled"],
    ...["stage-skip", "stage-start", "run-cancelled"],
  ]);
});

test("--only runs a stage with what it needs, and names the stages when there is none of that name", async () => {
  const source = join(directory, "source.txt");
  await writeFile(source, "10");
  const ran: string[] = [];
  await runAll(stages(source, {}, ran), { only: ["b"] });
  expect(ran).toEqual(["a", "b"]);
  await expect(runAll(stages(source), { only: ["d"] })).rejects.toThrow('the recipe has no stage "d"');
});

test("half a line at the end of events.jsonl is no obstacle", async () => {
  const source = join(directory, "source.txt");
  await writeFile(source, "10");
  await writeFile(join(directory, "events.jsonl"), '{"event":"run-start","ti');
  await runAll(stages(source));
  expect((await readEvents(directory)).map(({ event }) => event).slice(0, 2)).toEqual(["stage-start", "stage-end"]);
});

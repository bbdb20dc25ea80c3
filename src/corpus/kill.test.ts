import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256File } from "../core/files.ts";
import { buildCorpus } from "./build.ts";
import { parseCorpusConfig } from "./config.ts";
import { prose, testFolder, writeFiles } from "./testing.ts";

const SCRIPT = `
import { buildCorpus } from ${JSON.stringify(new URL("./build.ts", import.meta.url).href)};
import { parseCorpusConfig } from ${JSON.stringify(new URL("./config.ts", import.meta.url).href)};
const { config, directory } = JSON.parse(process.argv[2]);
await buildCorpus(parseCorpusConfig(config), { directory, onProgress: ({ stage, documents }) => console.log(stage, documents) });
console.log("done");
`;

test("killed in each stage and started again, a build ends with the same bytes", { timeout: 240_000 }, async () => {
  const folder = await testFolder();
  const notes: Record<string, string> = { "build.mts": SCRIPT };
  for (let i = 0; i < 300; i++) notes[`a/n${i}.txt`] = prose(i % 280, 120);
  for (let i = 0; i < 300; i++) notes[`b/n${i}.txt`] = `${prose(i, 118)} and more`;
  await writeFiles(folder, notes);
  const config = {
    sources: ["a", "b"].map((name) => ({
      type: "text" as const,
      name,
      path: join(folder, name),
      kind: "other" as const,
    })),
    shardBytes: 50_000,
  };
  const hashes = async (directory: string) => {
    const files = (await readdir(directory)).filter((file) => !file.startsWith(".")).sort();
    return Promise.all(files.map(async (file) => [file, await sha256File(join(directory, file))]));
  };
  await buildCorpus(parseCorpusConfig(config), { directory: join(folder, "whole") });

  const directory = join(folder, "killed");
  /** Runs the build in a process of its own and kills it at the first line that starts so. */
  const runUntil = (line: string) =>
    new Promise<string | null>((resolve) => {
      const arguments_ = ["--import", "tsx", join(folder, "build.mts"), JSON.stringify({ config, directory })];
      const child = spawn(process.execPath, arguments_, {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout.on("data", (data: Buffer) => {
        if (
          data
            .toString()
            .split("\n")
            .some((text) => text.startsWith(line))
        )
          child.kill("SIGKILL");
      });
      child.on("close", (_code, signal) => resolve(signal));
    });
  for (const line of ["read 64", "read 4", "deduplicate", "write 0", "write 256"])
    expect(await runUntil(line)).toBe("SIGKILL");
  expect(await readdir(directory)).not.toContain("manifest.json");
  await runUntil("never");
  expect(await hashes(directory)).toEqual(await hashes(join(folder, "whole")));
});

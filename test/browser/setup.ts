/** Before all browser tests: a finished run, one that goes on, one with very many rows, and the Studio that shows them. */
import { rmSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { killAll, newRunsFolder, ROOT, reasonToSkip, startCli, startStudio } from "./studio-process.ts";

declare module "vitest" {
  export interface ProvidedContext {
    studio: { url: string; runs: string; documents: number; items: number; hostile: string };
  }
}

const TINY = join(ROOT, "test", "e2e", "tiny.yaml");
/** More than a list's scroll bar can be high (virtual-list.tsx); STUDIO_DOCUMENTS=1000000 takes two minutes more. */
const DOCUMENTS = Number(process.env.STUDIO_DOCUMENTS ?? 120_000);
const ITEMS = 100_000;

export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  if (reasonToSkip) {
    console.log(`The Studio is not tested in the browser: ${reasonToSkip}.`);
    return undefined;
  }
  const { HOSTILE, writeLargeCorpus, writeLargeRun } = await import("../../src/serve/studio-testing.ts");
  const runs = newRunsFolder();
  const end = () => {
    killAll();
    rmSync(runs, { recursive: true, force: true });
  };
  try {
    const set = (...settings: string[]) => settings.flatMap((setting) => ["--set", setting]);
    const solvers =
      "[option-log-likelihood, { solver: greedy, maxTokens: 6 }, { solver: self-consistency, samples: 3, maxTokens: 8 }]";
    const samples = "train.base.samples={ prompts: [The patient], maxTokens: 8 }";
    const finished = startCli("run", TINY, "--runs", runs, ...set(samples, `evaluate[0].solvers=${solvers}`));
    await writeLargeCorpus(join(runs, "large", "corpus", "all"), DOCUMENTS);
    writeLargeRun(join(runs, "large"), ITEMS);
    if ((await finished.finished) !== 0) throw new Error(finished.output());
    // Long enough to go on through all tests, behind them in line for the cores; ended with them.
    const live = startCli(
      ...["run", TINY, "--runs", runs, "--name", "live"],
      ...set("train.base.steps=100000", "train.base.checkpointEverySteps=50000"),
    );
    setPriority(live.child.pid!, 10);
    const { url } = await startStudio(runs);
    project.provide("studio", { url, runs, documents: DOCUMENTS, items: ITEMS, hostile: HOSTILE });
    return end;
  } catch (error) {
    end();
    throw error;
  }
}

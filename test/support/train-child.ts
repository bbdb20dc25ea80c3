/** A training in a process of its own, to be killed: node --import tsx train-child.ts job.json. One line a step on stdout; Ctrl-C stops it cleanly. */
import { readFileSync } from "node:fs";
import { formatError, MeditronError } from "../../src/core/index.ts";
import { train } from "../../src/train/index.ts";

const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
try {
  await train(JSON.parse(readFileSync(process.argv[2]!, "utf8")), {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.event === "step-end") process.stdout.write(`${event.step}\n`);
    },
  });
} catch (error) {
  process.stderr.write(`${formatError(error)}\n`);
  process.exit(error instanceof MeditronError && error.code === "RUN_CANCELLED" ? 130 : 1);
}

/** A process of its own that evaluates an n-gram model on a benchmark file, slowly enough to be killed: `<benchmark.jsonl> <directory>`. */
import { setTimeout as sleep } from "node:timers/promises";
import { evaluate, loadBenchmark } from "../../src/eval/index.ts";
import type { LogLikelihoodRequest } from "../../src/providers/language-model.ts";
import { NgramModel } from "./ngram-model.ts";

const [file, directory] = process.argv.slice(2);
const benchmark = await loadBenchmark(
  { type: "multiple-choice", test: file!, license: "CC0-1.0" },
  { name: "kill", directory: "/" },
);

class Unhurried extends NgramModel {
  override logLikelihoods(requests: LogLikelihoodRequest[], options: Parameters<NgramModel["logLikelihoods"]>[1] = {}) {
    return (async () => {
      const results = [];
      for (const [index, request] of requests.entries()) {
        await sleep(1);
        const [result] = await super.logLikelihoods([request]);
        options.onDone?.(index, result!);
        results.push(result!);
      }
      return results;
    })();
  }
}

const summary = await evaluate(new Unhurried("The answer is: B. The answer is: C. ".repeat(4)), benchmark, {
  directory: directory!,
});
process.stdout.write(`${JSON.stringify(summary.scores)}\n`);

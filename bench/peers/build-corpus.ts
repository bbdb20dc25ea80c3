/** One corpus build in a process of its own, so that its memory is its own: settings as JSON in the first argument, figures on stdout. */
import { buildCorpus } from "../../src/corpus/build.ts";
import { parseCorpusConfig } from "../../src/corpus/config.ts";

const { config, directory, threads } = JSON.parse(process.argv[2]!) as {
  config: unknown;
  directory: string;
  threads: number;
};
const seconds = { read: 0, deduplicate: 0, write: 0 };
const started = performance.now();
let since = started;
let stage: keyof typeof seconds = "read";
const turn = (next: keyof typeof seconds) => {
  seconds[stage] += (performance.now() - since) / 1000;
  since = performance.now();
  stage = next;
};
const manifest = await buildCorpus(parseCorpusConfig(config), {
  directory,
  threads,
  onProgress: (progress) => {
    if (progress.stage !== stage) turn(progress.stage);
  },
});
turn("write");
const documents = Object.values(manifest.splits).reduce((sum, split) => sum + split.documents, 0);
const bytes = manifest.shards.reduce((sum, shard) => sum + shard.bytes, 0);
const megabytes = process.resourceUsage().maxRSS / 1024;
const total = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage();
const cpu = (user + system) / 1e6;
const sha256 = manifest.shards.map((shard) => shard.sha256).join();
process.stdout.write(
  `${JSON.stringify({ documents, drops: manifest.drops.byRule, bytes, megabytes, total, cpu, seconds, sha256 })}\n`,
);

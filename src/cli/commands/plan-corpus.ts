import { formatBytes, formatCount } from "../../core/index.ts";
import { GAP_REPLAY, projectCorpus } from "../../corpus/projection.ts";
import { renderTable } from "../../run/table.ts";
import type { Command } from "../command.ts";

export const planCorpus: Command = {
  name: "plan corpus",
  summary: "how long GAP-Replay, or a part of it, would take to build, and how much disk",
  description: [
    "Sends some hundred invented records of each kind through all stages on this machine (about twenty seconds), and multiplies.",
    "Downloading is not in it. Sizes default to those of the paper's corpus.",
  ].join("\n"),
  options: {
    cores: { type: "count", value: "n", description: "of the machine that is to build; default: this one's" },
    citations: { type: "count", value: "n", description: "PubMed records", default: GAP_REPLAY.citations },
    articles: { type: "count", value: "n", description: "full-text articles", default: GAP_REPLAY.articles },
    guidelines: { type: "count", value: "n", description: "guidelines", default: GAP_REPLAY.guidelines },
    replay: { type: "count", value: "n", description: "replay documents", default: GAP_REPLAY.replay },
    tokens: { type: "count", value: "n", description: "tokens in all", default: GAP_REPLAY.tokens },
  },
  examples: [
    { command: "meditron plan corpus --cores 16", does: "the paper's corpus on a 16-core machine" },
    {
      command: "meditron plan corpus --citations 1000000 --articles 0 --guidelines 0 --replay 0 --tokens 300000000",
      does: "a million abstracts",
    },
  ],
  async run({ values }) {
    const count = (name: string) => values.number(name)!;
    const size = {
      citations: count("citations"),
      articles: count("articles"),
      guidelines: count("guidelines"),
      replay: count("replay"),
      tokens: count("tokens"),
    };
    const plan = await projectCorpus(size, values.number("cores"));
    if (values.flag("json")) {
      process.stdout.write(`${JSON.stringify(plan)}\n`);
      return;
    }
    const right = (title: string) => ({ title, align: "right" as const });
    const rows = plan.kinds.map((kind) => [
      kind.kind,
      formatCount(kind.documents),
      kind.readMicroseconds.toFixed(0),
      kind.deduplicateMicroseconds.toFixed(0),
      kind.writeMicroseconds.toFixed(0),
    ]);
    const hours = (value: number) => `${value.toFixed(1)} h`;
    process.stdout.write(
      `${renderTable(
        [
          { title: "kind" },
          right("records"),
          right("read, clean, judge (µs)"),
          right("deduplicate (µs)"),
          right("write (µs)"),
        ],
        rows,
      )}\n\n` +
        `${hours(plan.hours)} on ${plan.cores} cores: reading ${hours(plan.readHours)}, deduplicating ${hours(plan.deduplicateHours)}, writing ${hours(plan.writeHours)} (the last two on one thread)\n` +
        `disk: shards ${formatBytes(plan.shardBytes)}, ${formatBytes(plan.workBytes)} more while building, token files ${formatBytes(plan.tokenBytes)}\n`,
    );
  },
};

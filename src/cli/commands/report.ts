import { join, resolve } from "node:path";
import { perplexities } from "../../run/report/data.ts";
import { writeReport } from "../../run/report/index.ts";
import { accuracyTable, perplexityTable } from "../../run/results.ts";
import type { Command } from "../command.ts";

export const report: Command = {
  name: "report",
  summary: "write the report of a run directory again, finished or not",
  positionals: [{ name: "run", description: "a run directory, such as runs/demo" }],
  examples: [
    { command: "meditron report runs/demo", does: "report.html from what is there by now" },
    { command: "meditron report runs/demo --json", does: "the figures for another program" },
  ],
  async run({ positionals, values }) {
    const directory = resolve(positionals[0]!);
    const data = await writeReport(directory);
    if (values.flag("json")) {
      process.stdout.write(
        `${JSON.stringify({ report: join(directory, "report.html"), scores: data.scores, baselines: data.baselines, perplexity: perplexities(data) })}\n`,
      );
      return;
    }
    if (perplexities(data).length > 0) process.stdout.write(`${perplexityTable(data)}\n\n`);
    if (data.scores.length > 0) process.stdout.write(`${accuracyTable(data.scores, data.baselines)}\n\n`);
    process.stdout.write(`report: ${join(directory, "report.html")}\n`);
  },
};

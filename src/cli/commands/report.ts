import { join, resolve } from "node:path";
import { readJson } from "../../core/index.ts";
import { writeReport } from "../../run/report/index.ts";
import { resultTables } from "../../run/results.ts";
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
      process.stdout.write(`${JSON.stringify(await readJson(join(directory, "summary.json")))}\n`);
      return;
    }
    process.stdout.write(`${[...resultTables(data), `report: ${join(directory, "report.html")}`].join("\n\n")}\n`);
  },
};

import { join } from "node:path";
import { CancelledError, formatBytes, formatCount, formatDuration, readJson } from "../../core/index.ts";
import { PACKAGE_ROOT } from "../../core/version.ts";
import { loadRecipe } from "../../run/load-recipe.ts";
import { loadReport } from "../../run/report/index.ts";
import { resultTables } from "../../run/results.ts";
import { runRecipe } from "../../run/run.ts";
import type { Command, Invocation, Option } from "../command.ts";
import { printPlan } from "./plan.ts";

const options: Record<string, Option> = {
  set: {
    type: "text",
    value: "key=value",
    multiple: true,
    description: "change a setting of the recipe, as in --set train.base.steps=100",
  },
  runs: { type: "path", description: "folder of all run directories", default: "runs" },
  name: { type: "text", description: "name of this run, in place of the recipe's" },
  only: { type: "text", value: "stage", multiple: true, description: "run this stage and what it needs, no others" },
  "dry-run": { type: "flag", description: "check the recipe and print its plan; nothing is started" },
};

export const run: Command = {
  name: "run",
  summary: "run a recipe from raw sources to the report; again resumes it",
  description: [
    "Finished stages whose settings and inputs have not changed are skipped. A run that was stopped or killed goes on",
    "where it was when the same command is given again, and ends with the same bytes.",
  ].join("\n"),
  positionals: [{ name: "recipe", description: "a YAML file; recipes/demo.yaml is the one to read first" }],
  options,
  examples: [
    { command: "meditron run recipes/demo.yaml", does: "the demo, on sources that it makes itself" },
    {
      command: "meditron run my.yaml --name trial --set train.continued.steps=200",
      does: "a shorter trial of your own recipe, in runs/trial",
    },
  ],
  run: (invocation) => start(invocation.positionals[0]!, invocation),
};

export const demo: Command = {
  name: "demo",
  summary: "run recipes/demo.yaml: the whole line on invented sources, in minutes",
  options,
  examples: [
    { command: "meditron demo", does: "the whole line; the report is runs/demo/report.html" },
    { command: "meditron demo --dry-run", does: "what it would do, and how long it takes" },
  ],
  run: (invocation) => start(join(PACKAGE_ROOT, "recipes", "demo.yaml"), invocation),
};

async function start(file: string, { values, signal, commandLine }: Invocation): Promise<void> {
  const dryRun = values.flag("dry-run");
  const loaded = await loadRecipe(file, {
    set: values.list("set"),
    runs: values.text("runs")!,
    name: values.text("name"),
    missingPaths: dryRun ? "list" : "refuse",
  });
  if (dryRun) return printPlan(loaded, values.flag("json"));
  const say = (line: string) => {
    if (!values.flag("quiet")) process.stderr.write(`${line}\n`);
  };
  say(`run ${loaded.recipe.name} in ${loaded.directory}`);
  const startMs = performance.now();
  try {
    await runRecipe(loaded, {
      signal,
      commandLine,
      only: values.list("only").length > 0 ? values.list("only") : undefined,
      onStage(stage, state, record) {
        const counts = Object.entries(record.counts ?? {})
          .map(([what, count]) => (what === "bytes" ? formatBytes(count) : `${formatCount(count)} ${spaced(what)}`))
          .join(", ");
        if (state === "skipped") say(`✓ ${stage.id}: up to date${counts && ` (${counts})`}`);
        else if (state === "finished") say(`✓ ${stage.id}: ${counts} in ${formatDuration(record.seconds ?? 0)}`);
        else say(`▸ ${stage.id}${state === "resumed" ? ": resuming" : ""}`);
      },
    });
  } catch (error) {
    if (error instanceof CancelledError)
      throw new CancelledError("stopped; everything finished so far is kept", `resume with: ${commandLine}`);
    throw error;
  }
  say(`done in ${formatDuration((performance.now() - startMs) / 1000)}`);
  if (values.list("only").length === 0 || values.list("only").includes("report"))
    await printResults(loaded.directory, values.flag("json"));
}

async function printResults(directory: string, json: boolean): Promise<void> {
  if (json) {
    process.stdout.write(`${JSON.stringify(await readJson(join(directory, "summary.json")))}\n`);
    return;
  }
  const parts = [...resultTables(await loadReport(directory)), `report: ${join(directory, "report.html")}`];
  process.stdout.write(`${parts.join("\n\n")}\n`);
}

/** "validationTokens" → "validation tokens" */
const spaced = (name: string) => name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

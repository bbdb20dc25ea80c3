import { formatBytes, formatCount } from "../../core/index.ts";
import { type LoadedRecipe, loadRecipe } from "../../run/load-recipe.ts";
import { planRecipe } from "../../run/plan.ts";
import { renderTable } from "../../run/table.ts";
import type { Command } from "../command.ts";

export const plan: Command = {
  name: "plan",
  summary: "what a recipe would do: documents, tokens, steps and memory; nothing is started",
  description: [
    "Token counts are measured where the run directory has them, and otherwise estimated as a quarter of the sources' bytes.",
    "Paths that do not exist are listed, so that a recipe for another machine can be planned on this one.",
  ].join("\n"),
  positionals: [{ name: "recipe", description: "a YAML file" }],
  options: {
    set: { type: "text", value: "key=value", multiple: true, description: "change a setting of the recipe" },
    runs: { type: "path", description: "folder of all run directories", default: "runs" },
    name: { type: "text", description: "name of the run, in place of the recipe's" },
  },
  examples: [
    { command: "meditron plan recipes/gap-replay-7b.yaml", does: "steps and memory of the paper's 7B run" },
    {
      command: "meditron plan my.yaml --set train.continued.globalBatchSize=256",
      does: "the same question with another batch size",
    },
  ],
  async run({ positionals, values }) {
    const loaded = await loadRecipe(positionals[0]!, {
      set: values.list("set"),
      runs: values.text("runs")!,
      name: values.text("name"),
      missingPaths: "list",
    });
    await printPlan(loaded, values.flag("json"));
  },
};

/** Prints the plan of a recipe on stdout. */
export async function printPlan(loaded: LoadedRecipe, json: boolean): Promise<void> {
  const found = await planRecipe(loaded);
  if (json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const parts = [`recipe ${found.name}: valid\nrun directory ${found.directory}`];
  parts.push(found.stages.map(({ id, state }) => `  ${state.padEnd(15)}  ${id}`).join("\n"));
  const sources = found.corpora.flatMap(({ name, sources: list }) =>
    list.map(({ type, path, files, bytes }) => [
      name,
      type,
      files === undefined ? "not there yet" : formatCount(files),
      bytes === undefined ? "" : formatBytes(bytes),
      path,
    ]),
  );
  if (sources.length > 0)
    parts.push(
      renderTable(
        [
          { title: "corpus" },
          { title: "source" },
          { title: "files", align: "right" },
          { title: "size", align: "right" },
          { title: "path" },
        ],
        sources,
      ),
    );
  const tokens = found.corpora.filter((corpus) => corpus.tokens !== undefined);
  if (tokens.length > 0)
    parts.push(
      tokens
        .map(
          ({ name, tokens: n, measured }) => `${name}: ${measured ? "" : "about "}${formatCount(n!)} training tokens`,
        )
        .join("\n"),
    );
  const unknown = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? "?" : format(value);
  if (found.trainings.length > 0)
    parts.push(
      renderTable(
        [
          { title: "training" },
          { title: "engine" },
          { title: "parameters", align: "right" },
          { title: "tokens/step", align: "right" },
          { title: "steps", align: "right" },
          { title: "tokens", align: "right" },
          { title: "memory", align: "right" },
          { title: "work", align: "right" },
        ],
        found.trainings.map((training) => [
          training.name,
          training.engine,
          unknown(training.parameters, formatCount),
          formatCount(training.tokensPerStep),
          unknown(training.steps, formatCount),
          unknown(training.tokens, formatCount),
          unknown(training.memory?.total, formatBytes),
          unknown(training.flop, (flop) => `${(flop / 1e12).toPrecision(3)} TFLOP`),
        ]),
      ),
    );
  if (found.missing.length > 0)
    parts.push(
      `not on this machine (a run would stop before it starts)\n${found.missing.map(({ key, path }) => `  ${key}: ${path}`).join("\n")}`,
    );
  process.stdout.write(`${parts.join("\n\n")}\n`);
}

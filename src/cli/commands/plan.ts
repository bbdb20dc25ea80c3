import { formatBytes, formatCount } from "../../core/index.ts";
import { parseConfig } from "../../model/index.ts";
import { type LoadedRecipe, loadRecipe } from "../../run/load-recipe.ts";
import { configJson, planRecipe } from "../../run/plan.ts";
import { renderTable } from "../../run/table.ts";
import { type ClusterPlan, formatPlan, type PlanRequest, planCluster, torchSettingsSchema } from "../../train/index.ts";
import { clusterOf, clusterOptions, layoutOf, plannedModel, softwareOf } from "../cluster-plan.ts";
import { type Command, UsageError, type Values } from "../command.ts";

export const plan: Command = {
  name: "plan",
  summary: "what a recipe would do: documents, tokens, steps, memory; with --gpu, layout, days and cost on a cluster",
  description: [
    "Nothing is started. Token counts are measured where the run directory has them, and otherwise estimated as a quarter of the",
    "sources' bytes. Paths that do not exist are listed, so that a recipe for another machine can be planned on this one.",
    "With --gpu: the fastest layout that fits, its memory by GPU, tokens/s, days, GPU-hours, cost and CO2 of each training.",
  ].join("\n"),
  positionals: [{ name: "recipe", description: "a YAML file; with --gpu and --model none is needed", required: false }],
  options: {
    set: { type: "text", value: "key=value", multiple: true, description: "change a setting of the recipe" },
    runs: { type: "path", description: "folder of all run directories", default: "runs" },
    name: { type: "text", description: "name of the run, in place of the recipe's" },
    ...clusterOptions,
  },
  examples: [
    {
      command: "meditron plan recipes/gap-replay-7b.yaml --set train.meditron-7b.globalBatchSize=256",
      does: "steps and memory of the paper's 7B run, with another batch size",
    },
    {
      command: "meditron plan --model llama-2-70b --tokens 48.2e9 --gpu H100 --nodes 16 --usd 2.5",
      does: "the best layout for 70B on 128 H100s, with days and cost",
    },
  ],
  async run({ positionals, values }) {
    if (positionals[0] === undefined) return planModel(values);
    const loaded = await loadRecipe(positionals[0]!, {
      set: values.list("set"),
      runs: values.text("runs")!,
      name: values.text("name"),
      missingPaths: "list",
    });
    if (values.text("gpu") === undefined) await printPlan(loaded, values.flag("json"));
    else await planTrainings(loaded, values);
  },
};

/** A model, tokens and a cluster, without a recipe. */
async function planModel(values: Values): Promise<void> {
  const [model, tokens] = [values.text("model"), values.number("tokens")];
  if (values.text("gpu") === undefined || model === undefined || tokens === undefined)
    throw new UsageError("CLI_USAGE", {
      message: "give a recipe, or --gpu, --model and --tokens",
      where: "meditron plan",
      remedy: "meditron plan --help",
    });
  const request: PlanRequest = {
    ...softwareOf(values),
    config: await plannedModel(model),
    tokens,
    cluster: clusterOf(values, 1),
    layout: layoutOf(values.text("layout")),
    sequenceLength: values.number("sequence")!,
    globalBatchSize: values.number("batch")!,
  };
  printCluster(values, { [model]: planCluster(request) });
}

/** Each training of a recipe on the cluster. */
async function planTrainings(loaded: LoadedRecipe, values: Values): Promise<void> {
  const found = await planRecipe(loaded);
  const plans: Record<string, ClusterPlan> = {};
  for (const [name, training] of Object.entries(loaded.recipe.train)) {
    const model = values.text("model");
    const json = await configJson(training, loaded.recipe);
    const tokens = values.number("tokens") ?? found.trainings.find((one) => one.name === name)?.tokens;
    if ((!json && model === undefined) || tokens === undefined) {
      const unknown = tokens === undefined ? "how many tokens it sees: --tokens" : "the shape of its model: --model";
      process.stderr.write(`${name}: not planned; say ${unknown}\n`);
      continue;
    }
    const torch = torchSettingsSchema.parse(training.torch ?? {});
    plans[name] = planCluster({
      ...softwareOf(values),
      config: model === undefined ? parseConfig(json!, `train.${name}.from`) : await plannedModel(model),
      tokens,
      cluster: clusterOf(values, torch.nodes),
      layout: layoutOf(values.text("layout")),
      sequenceLength: training.sequenceLength,
      globalBatchSize: training.globalBatchSize,
    });
  }
  printCluster(values, plans);
}

function printCluster(values: Values, plans: Record<string, ClusterPlan>): void {
  const text = Object.entries(plans).map(([name, found]) => `${name}: ${formatPlan(found, values.text("gpu")!)}`);
  process.stdout.write(values.flag("json") ? `${JSON.stringify(plans, null, 2)}\n` : `${text.join("\n\n")}\n`);
}

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

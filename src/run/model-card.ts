/**
 * The two papers that travel with a model: the card (README.md, with the front matter that Hugging Face reads) and the datasheet of what
 * it was trained on (DATASHEET.md). Both are written from the run directory alone; a model that comes from no run gets a card of what
 * its own files say.
 *
 * @see Mitchell et al. 2019, Model Cards for Model Reporting, arXiv:1810.03993; Gebru et al. 2021, Datasheets for Datasets, arXiv:1803.09010
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { exists, formatCount, formatDuration, formatPercent, readJson, writeFileAtomic } from "../core/index.ts";
import { tokenTables } from "../corpus/datasheet.ts";
import { chatMlRoles } from "../eval/prompts/index.ts";
import { listCheckpoints } from "../train/index.ts";
import { folders } from "./folders.ts";
import { footprintOf, formatEnergy } from "./footprint.ts";
import type { Recipe, Training } from "./recipe.ts";
import type { ReportData, TrainingView } from "./report/data.ts";
import { loadReport } from "./report/load.ts";
import { formatEffect, formatEffectInterval } from "./results.ts";
import { loadTokenSets } from "./stages/tokens.ts";

/**
 * Stands at the head of every card and beside every answer. It follows the advisory that MEDITRON's authors publish with theirs.
 * @see https://huggingface.co/epfl-llm/meditron-7b
 */
export const SAFETY_ADVISORY =
  "This model encodes medical knowledge, but it is not adapted to deliver it appropriately, safely, or within professional actionable " +
  "constraints. Its answers may be wrong, outdated, or biased. Do not use it for diagnosis, treatment or any other clinical decision " +
  "without extensive alignment to the use case and testing, including randomized controlled trials in real-world practice.";

export interface ModelPapers {
  /** README.md */
  card: string;
  /** DATASHEET.md; undefined where the model comes from no run. */
  datasheet?: string;
}

/** Names under which the papers lie in a model directory. */
export const CARD_FILE = "README.md";
export const DATASHEET_FILE = "DATASHEET.md";

/** The papers of any model directory: from the run that trained it, or from its own files. */
export async function papersOf(modelDirectory: string): Promise<ModelPapers> {
  const run = await runOf(modelDirectory);
  if (!run) return { card: await bareCard(modelDirectory) };
  return papersOfRun(await loadReport(run.directory), run.model, modelDirectory);
}

/** Writes both papers into a folder. @returns their paths. */
export async function writePapers({ card, datasheet }: ModelPapers, folder: string): Promise<string[]> {
  const files: [string, string][] = [[CARD_FILE, card]];
  if (datasheet !== undefined) files.push([DATASHEET_FILE, datasheet]);
  for (const [name, text] of files) await writeFileAtomic(join(folder, name), text);
  return files.map(([name]) => join(folder, name));
}

/** The run directory that trained a model and its name there: `<run>/train/<name>/{checkpoints,kept}/step-N`, or a folder of these. */
export async function runOf(modelDirectory: string): Promise<{ directory: string; model: string } | undefined> {
  let at = resolve(modelDirectory);
  for (let up = 0; up < 4; up++, at = dirname(at)) {
    const directory = dirname(dirname(at));
    if (basename(dirname(at)) === "train" && (await exists(join(directory, "recipe.yaml"))))
      return { directory, model: basename(at) };
  }
  return undefined;
}

/** Writes the papers beside the last checkpoint of every training of a run. */
export async function writeRunPapers(data: ReportData): Promise<void> {
  for (const { name } of data.trainings) {
    const [newest] = await listCheckpoints(join(data.directory, folders.training(name)));
    if (newest) await writePapers(await papersOfRun(data, name, newest.path), newest.path);
  }
}

/** The papers of one model of a run. @param modelDirectory - Where its config.json lies. */
export async function papersOfRun(data: ReportData, model: string, modelDirectory: string): Promise<ModelPapers> {
  return {
    card: await runCard(data, model, modelDirectory),
    datasheet: await runDatasheet(data, model),
  };
}

// ── The card ──

async function runCard(data: ReportData, model: string, modelDirectory: string): Promise<string> {
  const { recipe, provenance } = data;
  const lineage = lineageOf(model, recipe);
  const card = recipe.card ?? {};
  const config = await readConfig(modelDirectory);
  const scores = data.scores.filter((score) => score.model === model);
  const finetune = lineage.findLast(({ training }) => training.finetune)?.training.finetune;
  const chat = finetune && (finetune.chat ?? "chatml"); // runs of before the choice had but one
  const front = {
    language: languagesOf(data, lineage),
    ...licenseFields(card.license),
    library_name: "transformers",
    pipeline_tag: "text-generation",
    ...baseModelOf(lineage[0]!.training, recipe),
    tags: [
      "medical",
      "meditron",
      ...(lineage.length > 1 ? ["continued-pretraining"] : []),
      ...(chat ? ["finetuned"] : []),
    ],
    ...(scores.length > 0 ? { "model-index": [modelIndex(data, model)] } : {}),
  };
  const claims = data.claims.filter(
    ({ effect, values }) => effect !== null && values.some(({ name }) => name.split(",")[0] === withoutAt(model)),
  );
  const seconds = data.stages
    .filter(({ id }) => lineage.some(({ name }) => id === `train.${name}`))
    .reduce((sum, stage) => sum + stage.seconds, 0);
  const footprint = footprintOf(seconds, provenance.host, recipe.footprint);
  return document(front, [
    `# ${model}, of the run ${data.name}`,
    data.description ?? "",
    `> **Safety advisory.** ${SAFETY_ADVISORY}`,
    "## The model",
    table(
      ["", ""],
      architectureRows(
        config,
        data.trainings.find(({ name }) => name === model),
      ),
    ),
    `How it came about: ${lineage.map(({ name, training }) => `**${name}** (${howTrained(training)})`).join(" → ")}.`,
    "## Intended use",
    card.intendedUse ??
      "Research on adapting language models to medicine: comparing corpora, mixtures, schedules and evaluations. It is meant to be read and questioned by people who can judge its answers.",
    "Out of scope: advice to patients, decisions about a patient's care, triage, coding for reimbursement, and any use in which nobody checks the answer.",
    "## How to ask it",
    howToAsk(chat),
    "## Training",
    table(
      ["stage", "data", "steps", "tokens", "sequence", "batch", "peak rate", "precision", "engine"],
      lineage.map(({ name, training }) => trainingRow(name, training, data)),
    ),
    `Trained in ${formatDuration(seconds)} on ${provenance.host.cores} cores (${provenance.host.cpu}). Energy, estimated from the time (${footprint.basis}): ` +
      `${formatEnergy(footprint.kilowattHours)}${footprint.carbonKg === undefined ? "" : `, ${footprint.carbonKg.toPrecision(2)} kg CO2`}. ` +
      `What it read is described in [${DATASHEET_FILE}](${DATASHEET_FILE}).`,
    "## Evaluation",
    scores.length === 0
      ? "This model was not evaluated in its run."
      : table(
          ["benchmark", "solver", "accuracy", "95% interval", "questions", "guessing", "most frequent answer"],
          scores.map((score) => {
            const baseline = data.baselines.find(({ benchmark }) => benchmark === score.benchmark);
            return [
              score.benchmark,
              score.solver,
              formatPercent(score.accuracy),
              `${formatPercent(score.low)} to ${formatPercent(score.high)}`,
              formatCount(score.items),
              baseline ? formatPercent(baseline.chance) : "",
              baseline ? formatPercent(baseline.majority) : "",
            ];
          }),
        ),
    ...perplexityLines(data, model),
    ...(claims.length === 0
      ? []
      : [
          "What the run was to show about it:",
          table(
            ["claim", "effect", "95% interval", "threshold", "holds"],
            claims.map((claim) => [
              claim.statement,
              formatEffect(claim.effect, claim.unit),
              formatEffectInterval(claim),
              formatEffect(claim.threshold, claim.unit),
              claim.holds ? "yes" : "no",
            ]),
          ),
        ]),
    "## Limitations and risks",
    list([
      ...limitations(data, model, lineage),
      ...(card.limitations === undefined ? [] : [card.limitations]),
      "It may repeat errors and biases of its sources, state doses, contraindications or references that do not exist, and sound sure of them.",
      "Multiple-choice accuracy does not measure whether an answer is safe to act on.",
    ]),
    "## Repeat it",
    list([
      `meditron ${provenance.meditron}${provenance.commit ? `, commit ${provenance.commit}` : ""}, Node.js ${provenance.node}`,
      `SHA-256 of the resolved recipe: \`${provenance.recipe.sha256}\``,
      `\`${provenance.starts.at(-1)?.commandLine ?? `meditron run ${basename(provenance.recipe.file)}`}\``,
    ]),
    ...(card.contact === undefined ? [] : ["## Contact", card.contact]),
    "## Method",
    "The method is that of MEDITRON (Chen et al. 2023, *MEDITRON-70B: Scaling Medical Pretraining for Large Language Models*, arXiv:2311.16079), of which this is no release.",
  ]);
}

/** The card of a model directory that comes from no run of ours. */
async function bareCard(modelDirectory: string): Promise<string> {
  const config = await readConfig(modelDirectory);
  const front = {
    ...licenseFields(undefined),
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: ["medical"],
  };
  return document(front, [
    `# ${basename(resolve(modelDirectory))}`,
    `> **Safety advisory.** ${SAFETY_ADVISORY}`,
    "## The model",
    table(["", ""], architectureRows(config)),
    "Where it comes from, what it was trained on and how well it answers is not recorded beside its weights. State it here before you give the model away.",
  ]);
}

// ── The datasheet ──

async function runDatasheet(data: ReportData, model: string): Promise<string> {
  const { recipe } = data;
  const lineage = lineageOf(model, recipe);
  const corpora = [...new Set(lineage.flatMap(({ training }) => (training.data ?? []).map(({ corpus }) => corpus)))];
  const examples = lineage.flatMap(({ name, training }) => (training.finetune ? [{ name, ...training.finetune }] : []));
  const parts = [
    `# Datasheet: what ${model} was trained on`,
    `Run ${data.name}, ${data.provenance.starts.at(-1)?.time.slice(0, 10) ?? ""}. The questions are those of Gebru et al. (2021); every figure was counted while the corpus was built.`,
    "## Motivation",
    data.description ?? `Text to train the models of the recipe ${data.name}.`,
    "## Who trained on what",
    table(
      ["training", "data", "tokens seen"],
      lineage.map(({ name, training }) => [name, dataOf(training), formatCount(tokensSeen(data, name))]),
    ),
  ];
  for (const corpus of corpora) {
    const path = join(data.directory, folders.corpus(corpus), "datasheet.md");
    const text = (await exists(path)) ? await readFile(path, "utf8") : "# Datasheet\n\nNot built yet.";
    // The corpus' own datasheet, one level deeper.
    parts.push(
      text
        .trim()
        .replace(/^# Datasheet/, `# Corpus: ${corpus}`)
        .replaceAll(/^#/gm, "##"),
      ...tokenTables(await loadTokenSets(data.directory, corpus)).map((part) => part.replace(/^#/, "##")),
    );
  }
  if (examples.length > 0)
    parts.push(
      "## Finetuning examples",
      table(
        ["training", "benchmark", "split", "examples", "questions", "answers"],
        examples.map(({ name, benchmark, split, chainOfThought, options, answer }) => [
          name,
          benchmark,
          split,
          formatCount(data.stages.find(({ id }) => id === `train.${name}`)?.counts.examples ?? 0),
          options === "hidden" ? "without options" : "with options",
          `${chainOfThought ? "explanation, then " : ""}${answer === "text" || (answer === undefined && options === "hidden") ? "text" : "letter"}`,
        ]),
      ),
    );
  parts.push(
    "## Collection and preprocessing",
    `Sources were read, cleaned, filtered, deduplicated and split by the stages counted above; each record that was left out stands in the corpus' \`drops.jsonl.zst\` with rule, measured value and threshold. ${decontamination(recipe, corpora)}`,
    "## Personal data",
    "The sources are published or invented texts; nobody was asked for consent beyond the license of each document. Published case reports may describe persons. Patient records have no place in a corpus.",
    "## Uses",
    "Training and studying language models. Not a source of medical facts: documents may be outdated, retracted since, or wrong.",
    "## Distribution and maintenance",
    "Each document keeps its own license (tables above); those without the right to be passed on may be used to train, not be published. The corpus is rebuilt, byte for byte, by running the recipe on the same sources.",
  );
  return `${parts.join("\n\n")}\n`;
}

// ── Facts ──

interface Ancestor {
  name: string;
  training: Training;
}

/** The trainings behind a model, first to last. */
export function lineageOf(model: string, recipe: Pick<Recipe, "train">): Ancestor[] {
  const training = recipe.train[model];
  if (!training) return [];
  const before = typeof training.from === "string" ? lineageOf(training.from, recipe) : [];
  return [...before, { name: model, training }];
}

const withoutAt = (model: string) => model.replace(/@\d+$/, "");

const tokensSeen = (data: ReportData, name: string): number =>
  (data.trainings.find((one) => one.name === name)?.events ?? []).reduce(
    (sum, event) => sum + (event.event === "step-end" ? event.tokens : 0),
    0,
  );

async function readConfig(modelDirectory: string): Promise<Record<string, unknown>> {
  const path = join(modelDirectory, "config.json");
  return (await exists(path)) ? readJson<Record<string, unknown>>(path) : {};
}

function architectureRows(config: Record<string, unknown>, training?: TrainingView): string[][] {
  const start = training?.events.find((event) => event.event === "train-start");
  const rows: [string, unknown][] = [
    ["architecture", [config.architectures].flat()[0] ?? config.model_type],
    ["parameters", start && formatCount(start.parameters)],
    [
      "layers · width · feed-forward",
      [config.num_hidden_layers, config.hidden_size, config.intermediate_size].join(" · "),
    ],
    [
      "heads (key/value)",
      `${String(config.num_attention_heads)} (${String(config.num_key_value_heads ?? config.num_attention_heads)})`,
    ],
    ["vocabulary", typeof config.vocab_size === "number" ? formatCount(config.vocab_size) : undefined],
    [
      "context",
      typeof config.max_position_embeddings === "number"
        ? `${formatCount(config.max_position_embeddings)} tokens`
        : undefined,
    ],
    ["weights", config.dtype ?? config.torch_dtype],
  ];
  return rows.flatMap(([what, value]) => (value === undefined ? [] : [[what, String(value)]]));
}

const howTrained = ({ finetune, from }: Training): string =>
  finetune
    ? `finetuned on ${finetune.benchmark}`
    : typeof from === "object" && "config" in from
      ? "pretrained from scratch"
      : "continued pretraining";

const dataOf = ({ data, finetune }: Training): string =>
  finetune
    ? `${finetune.benchmark}, ${finetune.split} split`
    : (data ?? []).map(({ corpus, weight }) => (weight === undefined ? corpus : `${corpus} × ${weight}`)).join(", ");

function trainingRow(name: string, training: Training, data: ReportData): string[] {
  const stage = data.stages.find(({ id }) => id === `train.${name}`);
  return [
    name,
    dataOf(training),
    formatCount(stage?.counts.steps ?? 0),
    formatCount(tokensSeen(data, name)),
    formatCount(training.sequenceLength),
    formatCount(training.globalBatchSize),
    `${training.schedule.peakLearningRate.toExponential(1)}, ${training.schedule.shape}`,
    training.precision + (training.lora ? `, LoRA ${training.lora.rank}` : ""),
    training.engine,
  ];
}

function perplexityLines(data: ReportData, model: string): string[] {
  const events = data.trainings.find(({ name }) => name === model)?.events ?? [];
  const last = new Map<string, number>();
  for (const event of events) if (event.event === "validation-end") last.set(event.name, event.perplexity);
  if (last.size === 0) return [];
  return [
    `Perplexity on held-out text: ${[...last].map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ")}.`,
  ];
}

/** What the figures of the run themselves warn of. */
function limitations(data: ReportData, model: string, lineage: Ancestor[]): string[] {
  const found: string[] = [];
  const unproven = new Map<string, string[]>();
  for (const score of data.scores.filter((one) => one.model === model)) {
    const baseline = data.baselines.find(({ benchmark }) => benchmark === score.benchmark);
    if (baseline && score.low <= Math.max(baseline.chance, baseline.majority))
      unproven.set(score.benchmark, [...(unproven.get(score.benchmark) ?? []), score.solver]);
  }
  for (const [benchmark, solvers] of unproven)
    found.push(
      `On ${benchmark} it is not shown to be better than guessing or always giving one answer (asked by ${solvers.join(", ")}).`,
    );
  const years = corporaOf(data, lineage).flatMap(({ manifest }) =>
    Object.values(manifest.splits).flatMap(({ byYear }) => Object.keys(byYear).filter((year) => year !== "")),
  );
  const newest = years.sort().at(-1);
  if (newest !== undefined) found.push(`It has read nothing published after ${newest}.`);
  const languages = languagesOf(data, lineage);
  if (languages.length > 0) found.push(`It has read ${languages.map(languageName).join(", ")} only.`);
  return found;
}

const corporaOf = (data: ReportData, lineage: Ancestor[]) =>
  data.corpora.filter(({ name }) =>
    lineage.some(({ training }) => training.data?.some(({ corpus }) => corpus === name)),
  );

const languagesOf = (data: ReportData, lineage: Ancestor[]): string[] => [
  ...new Set(
    corporaOf(data, lineage).flatMap(({ manifest }) =>
      Object.values(manifest.splits).flatMap(({ byLanguage }) => Object.keys(byLanguage).filter((one) => one !== "")),
    ),
  ),
];

const languageName = (tag: string): string => new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;

function decontamination(recipe: Recipe, corpora: string[]): string {
  const benchmarks = new Set(
    corpora.flatMap((corpus) => recipe.corpora[corpus]?.stages.decontaminate?.benchmarks ?? []),
  );
  return benchmarks.size === 0
    ? "No benchmark's questions were looked for in it."
    : `The questions of ${[...benchmarks].join(" and ")} were looked for in it, and what holds them was left out.`;
}

function baseModelOf(first: Training, recipe: Recipe): { base_model?: string } {
  const { from } = first;
  const given = typeof from === "string" ? recipe.models[from] : from;
  const path = given && "path" in given ? given.path : undefined;
  return path === undefined ? {} : { base_model: basename(path) };
}

/** Hugging Face's license ids are lower case; a license of its own needs a name. */
const licenseFields = (license: string | undefined): Record<string, string> =>
  license === undefined ? { license: "other", license_name: "not-stated" } : { license: license.toLowerCase() };

function modelIndex(data: ReportData, model: string) {
  const scores = data.scores.filter((score) => score.model === model);
  return {
    name: `${data.name}-${model}`,
    results: [...new Set(scores.map(({ benchmark }) => benchmark))].map((benchmark) => ({
      task: { type: "text-generation", name: "multiple-choice questions" },
      dataset: { name: benchmark, type: benchmark },
      metrics: scores
        .filter((score) => score.benchmark === benchmark)
        .map(({ solver, items, accuracy }) => ({
          type: "accuracy",
          name: `accuracy, ${solver}, ${items} questions`,
          value: Number((100 * accuracy).toFixed(2)),
        })),
    })),
  };
}

/** @param chat - Layout of the messages that the model was finetuned on; undefined for a base model. */
function howToAsk(chat: keyof typeof chatMlRoles | undefined): string {
  const prompt = chat
    ? `It was finetuned on ChatML messages: \`<|im_start|>${chatMlRoles[chat].question}\`, the question, \`<|im_end|>\`, \`<|im_start|>${chatMlRoles[chat].answer}\`. The tokenizer's chat template writes them; bare text is off its path.`
    : "It is a base model: it continues text and follows no instructions. Give it the beginning of what you want to read.";
  return `${prompt}

\`\`\`bash
${chat ? `meditron generate --model . --chat ${chat} --prompt "What is the first-line treatment of gout?"` : 'meditron generate --model . --prompt "The first-line treatment of"'}
\`\`\`

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
\`\`\``;
}

// ── Markdown ──

const document = (front: object, parts: string[]): string =>
  `---\n${stringify(front, { lineWidth: 0 })}---\n\n${parts.filter((part) => part !== "").join("\n\n")}\n`;

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

const list = (points: string[]) => points.map((point) => `- ${point}`).join("\n");

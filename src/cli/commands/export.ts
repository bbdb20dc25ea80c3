import { basename, dirname, resolve } from "node:path";
import { ConfigError } from "../../core/index.ts";
import { compareGguf, exportAdapter, exportFolder, exportGguf, ggufTypes } from "../../export/index.ts";
import type { Command } from "../command.ts";

const formats = ["huggingface", "gguf", "adapter"] as const;
const dtypes = ["f32", "bf16", "f16"] as const;

export const exportModel: Command = {
  name: "export",
  summary: "a model to share: Hugging Face folder, GGUF file, or LoRA adapters",
  description: [
    "huggingface  a folder with weights, tokenizer, model card (README.md) and datasheet, without the trainer's state",
    "gguf         one file for llama.cpp; --compare runs both engines on 20 prompts and says how far they differ",
    "adapter      the adapters of a LoRA training alone, as PEFT reads them",
  ].join("\n"),
  positionals: [{ name: "model", description: "a model directory, for example a checkpoint" }],
  options: {
    format: { type: "text", description: formats.join(", "), default: "huggingface" },
    out: { type: "path", required: true, description: "folder, or file for gguf, to write" },
    type: {
      type: "text",
      description: `numbers of the weights. gguf: ${ggufTypes.join(", ")} (default f16). huggingface: ${dtypes.join(", ")} (default: as they are)`,
    },
    base: { type: "text", value: "name", description: "adapter: where others find the base model" },
    compare: { type: "flag", description: "gguf: compare with llama.cpp (needs node-llama-cpp)" },
  },
  examples: [
    {
      command: "meditron export runs/demo/train/finetuned/checkpoints/step-0000200 --out my-model",
      does: "a folder ready for the Hub",
    },
    {
      command: "meditron export my-model --format gguf --type q8_0 --out my-model-q8_0.gguf --compare",
      does: "a quantised file for llama.cpp, compared with the original",
    },
  ],
  async run({ positionals, values }) {
    const model = resolve(positionals[0]!);
    const out = resolve(values.text("out")!);
    const type = values.text("type");
    const format = choose("format", formats, values.text("format")!);
    const say = (result: object, text: string) =>
      process.stdout.write(values.flag("json") ? `${JSON.stringify(result)}\n` : `${text}\n`);
    switch (format) {
      case "huggingface": {
        const dtype = type === undefined ? undefined : choose("type", dtypes, type);
        const result = await exportFolder(model, out, { dtype });
        return void say(result, `${out}: ${result.files.join(", ")}`);
      }
      case "adapter": {
        const result = await exportAdapter(model, out, { baseModel: values.text("base") });
        return void say(
          result,
          `${out}: ${result.files.join(", ")} (base model ${result.baseModel ?? "not named: --base"})`,
        );
      }
      case "gguf": {
        const name = nameOf(model);
        const result = await exportGguf(model, out, { type: choose("type", ggufTypes, type ?? "f16"), name });
        const comparison = values.flag("compare") ? await compareGguf(model, out) : undefined;
        const lines = [
          `${out}: ${result.tensors} tensors, context ${result.contextTokens} tokens`,
          ...(result.keptF16 > 0 ? [`${result.keptF16} matrices stay f16: their rows do not divide by 32`] : []),
        ];
        if (comparison) {
          const { prompts, sameTokens, sameGreedy, maxLogitDifference, logitDeviation } = comparison;
          lines.push(
            `against llama.cpp on ${prompts} prompts: same tokens ${sameTokens}, same greedy text ${sameGreedy}, largest logit difference ${maxLogitDifference.toPrecision(3)} (logits vary by ${logitDeviation.toPrecision(3)})`,
          );
        }
        return void say({ ...result, ...(comparison ? { comparison } : {}) }, lines.join("\n"));
      }
    }
  },
};

function choose<const T extends string>(option: string, known: readonly T[], given: string): T {
  const found = known.find((one) => one === given);
  if (found !== undefined) return found;
  throw new ConfigError("CLI_USAGE", {
    message: `--${option} "${given}" is not known`,
    where: "meditron export",
    remedy: known.join(", "),
  });
}

/** A checkpoint is called after its training. */
function nameOf(directory: string): string {
  const name = basename(directory);
  return name.startsWith("step-") ? basename(dirname(dirname(directory))) : name;
}

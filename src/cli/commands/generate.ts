import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError, fromSystemError } from "../../core/index.ts";
import { applyChatTemplate, chatTemplates, stopsOf } from "../../eval/index.ts";
import { loadEmbedded } from "../../providers/embedded.ts";
import type { Command } from "../command.ts";

export const generate: Command = {
  name: "generate",
  summary: "let a model continue a prompt",
  description:
    "Prompts come from --prompt, from --file, or from standard input. Not medical advice, whatever the model says.",
  options: {
    model: { type: "path", required: true, description: "a Hugging Face model directory" },
    prompt: { type: "text", value: "text", multiple: true, description: "text to continue" },
    file: { type: "path", description: "file that holds the prompt" },
    chat: { type: "text", description: `what stands around the prompt: ${chatTemplates.join(", ")}`, default: "none" },
    "max-tokens": { type: "count", value: "tokens", description: "most tokens to write", default: 128 },
    temperature: { type: "number", value: "t", description: "0 takes the likeliest token each time", default: 0 },
    "top-p": {
      type: "number",
      value: "p",
      description: "draw from the likeliest tokens that hold this share",
      default: 1,
    },
    n: { type: "count", value: "n", description: "outputs for each prompt (with a temperature)", default: 1 },
    seed: { type: "count", value: "seed", description: "same seed, same text", default: 0 },
    stop: { type: "text", multiple: true, description: "end before this text" },
  },
  examples: [
    {
      command: 'meditron generate --model my-model --prompt "The first-line treatment of scabies is"',
      does: "continue a sentence",
    },
    {
      command:
        'meditron generate --model runs/demo/train/finetuned/checkpoints/step-0000200 --chat chatml --prompt "What confirms gout?"',
      does: "ask a model that was finetuned here",
    },
  ],
  async run({ values, signal }) {
    const chat = chatTemplates.find((one) => one === values.text("chat"));
    if (!chat)
      throw new ConfigError("CLI_USAGE", {
        message: `--chat "${values.text("chat")}" is not known`,
        where: "meditron generate",
        remedy: chatTemplates.join(", "),
      });
    const prompts = await readPrompts(values.list("prompt"), values.text("file"));
    const model = await loadEmbedded({ directory: resolve(values.text("model")!) });
    try {
      const sampling = {
        maxTokens: values.number("max-tokens")!,
        temperature: values.number("temperature")!,
        topP: values.number("top-p")!,
        n: Math.max(1, values.number("n")!),
        seed: values.number("seed")!,
        stop: [...stopsOf(chat), ...values.list("stop")],
      };
      const outputs = await model.generate(
        prompts.map((prompt) => ({ prompt: applyChatTemplate(chat, prompt), ...sampling })),
        { signal },
      );
      for (const [i, generations] of outputs.entries())
        for (const { text, tokens, finish, logLikelihood } of generations)
          process.stdout.write(
            values.flag("json")
              ? `${JSON.stringify({ prompt: prompts[i], text, tokens: tokens.length, finish, logLikelihood })}\n`
              : `${text}\n`,
          );
    } finally {
      await model.close();
    }
  },
};

async function readPrompts(prompts: string[], file: string | undefined): Promise<string[]> {
  if (file !== undefined) {
    const text = await readFile(file, "utf8").catch((error) => {
      throw fromSystemError(error, file, "reading the prompt");
    });
    return [...prompts, text];
  }
  if (prompts.length > 0) return prompts;
  if (process.stdin.isTTY)
    throw new ConfigError("CLI_USAGE", {
      message: "no prompt",
      where: "meditron generate",
      remedy: "give --prompt, --file, or text on standard input",
    });
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return [text];
}

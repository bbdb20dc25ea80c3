/**
 * Messages to one prompt. The model directory's own chat template (Jinja, as transformers reads it) comes first; a GGUF carries one
 * too. A model without one was trained on plain text: the messages then stand one after another, and the answer goes on from there.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { ConfigError, exists, readJson } from "../core/index.ts";
import { applyChatTemplate, type ChatTemplate, stopsOf } from "../eval/index.ts";
import { HttpProblem } from "./problem.ts";

export interface Message {
  role: string;
  content: string;
  name?: string | undefined;
}

export interface ChatFormat {
  /** "chat_template.jinja", "tokenizer_config.json", "gguf", a name of ours, or "none". */
  source: string;
  render(messages: Message[]): string;
  /** Texts that end an answer beside the model's own end tokens. */
  stop: string[];
}

export const plainChat: ChatFormat = {
  source: "none",
  render: (messages) => messages.map(({ content }) => content).join("\n\n"),
  stop: [],
};

/** One of the layouts that evaluation knows. System messages and earlier turns stand before the last question. */
export function namedChat(name: ChatTemplate): ChatFormat {
  return {
    source: name,
    render: (messages) => applyChatTemplate(name, messages.map(({ content }) => content).join("\n\n")),
    stop: stopsOf(name),
  };
}

/** @throws {ConfigError} CHAT_TEMPLATE_MALFORMED when the directory has a template that cannot be read. */
export async function loadChatFormat(directory: string): Promise<ChatFormat> {
  const configPath = join(directory, "tokenizer_config.json");
  const config = (await exists(configPath)) ? await readJson<Record<string, unknown>>(configPath) : {};
  const file = join(directory, "chat_template.jinja");
  if (await exists(file)) return jinjaChat(await readFile(file, "utf8"), config, "chat_template.jinja", file);
  const text = templateText(config.chat_template);
  return text === undefined ? plainChat : jinjaChat(text, config, "tokenizer_config.json", configPath);
}

/**
 * @param config - special tokens by their names in tokenizer_config.json (`bos_token`, `eos_token` ...).
 * @param where - for the error.
 */
export function jinjaChat(text: string, config: Record<string, unknown>, source: string, where: string): ChatFormat {
  let template: Template;
  try {
    template = new Template(text);
  } catch (cause) {
    throw new ConfigError("CHAT_TEMPLATE_MALFORMED", {
      message: `the chat template is no Jinja that can be read: ${(cause as Error).message}`,
      where,
      remedy: "repair it, or remove it and name a layout with --chat",
      cause,
    });
  }
  const special: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    const content = typeof value === "string" ? value : (value as { content?: unknown } | null)?.content;
    if (name.endsWith("_token") && typeof content === "string") special[name] = content;
  }
  return {
    source,
    render(messages) {
      try {
        return template.render({ bos_token: "", eos_token: "", ...special, messages, add_generation_prompt: true });
      } catch (error) {
        // Templates refuse what they cannot lay out (a system message, two user messages in a row) by raising.
        throw new HttpProblem(400, "chat_template", `the model's chat template: ${(error as Error).message}`, {
          param: "messages",
        });
      }
    },
    // ChatML's end mark may not be the tokenizer's end token.
    stop: text.includes("<|im_end|>") ? ["<|im_end|>"] : [],
  };
}

/** One template, or several by name. */
function templateText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((one) => one?.name === "default") ?? value[0];
  return typeof named?.template === "string" ? named.template : undefined;
}

/** `name=target` of the command line, opened: a model directory, a GGUF file, or an endpoint. */
import { basename, resolve } from "node:path";
import type { ChatTemplate } from "../eval/index.ts";
import { loadEmbedded, loadGguf } from "../providers/index.ts";
import { SAFETY_ADVISORY } from "../run/model-card.ts";
import { readModelCard, type ServedCard } from "./card.ts";
import { jinjaChat, loadChatFormat, namedChat, plainChat } from "./chat-format.ts";
import { parseGateway } from "./gateway.ts";
import type { ServedModel } from "./served-model.ts";

export interface ServedSpec {
  /** Default: the directory's or file's name, or the model's name on its server. */
  id?: string | undefined;
  /** A model directory, a .gguf file, or http(s)://host/v1#model. */
  target: string;
  /** In place of the model's own chat template. */
  chat?: ChatTemplate | undefined;
  precision?: "f32" | "bf16" | undefined;
  /** Sequences computed side by side. */
  slots?: number | undefined;
  contextTokens?: number | undefined;
  /** Environment variable with an endpoint's key. */
  apiKeyVariable?: string | undefined;
}

const DEFAULT_SLOTS = 16;

/** @throws {ConfigError} for a target that cannot be opened, with what is wrong. */
export async function openServed(spec: ServedSpec): Promise<ServedModel> {
  const { target, chat, precision, slots, contextTokens } = spec;
  const created = Math.floor(Date.now() / 1000);
  const card = (rest: Partial<ServedCard> & Pick<ServedCard, "id" | "engine" | "identity">): ServedCard => ({
    advisory: SAFETY_ADVISORY,
    contextTokens: null,
    chatTemplate: null,
    license: null,
    baseModel: null,
    readme: null,
    ...rest,
  });
  if (/^https?:\/\//.test(target)) {
    const gateway = parseGateway(target, spec.apiKeyVariable);
    const id = spec.id ?? gateway.model;
    const identity = `${gateway.baseUrl}#${gateway.model}`;
    return { id, created, kind: "gateway", gateway, card: card({ id, engine: "gateway", identity }) };
  }
  const path = resolve(target);
  const context = contextTokens === undefined ? {} : { contextTokens };
  if (target.endsWith(".gguf")) {
    const id = spec.id ?? basename(path, ".gguf");
    const model = await loadGguf({ path, name: id, overflow: "refuse", slots: slots ?? DEFAULT_SLOTS, ...context });
    const { template, specialTokens } = model.chat;
    const own = template === undefined ? plainChat : jinjaChat(template, specialTokens, "gguf", path);
    const format = chat === undefined ? own : namedChat(chat);
    const about = { id, engine: "gguf", identity: model.id, contextTokens: model.capabilities.contextTokens } as const;
    return { id, created, kind: "local", model, chat: format, card: card({ ...about, chatTemplate: format.source }) };
  }
  const format = chat === undefined ? await loadChatFormat(path) : namedChat(chat);
  const model = await loadEmbedded({
    directory: path,
    // A server says that a prompt is too long rather than answer another.
    overflow: "refuse",
    ...context,
    ...(spec.id === undefined ? {} : { name: spec.id }),
    ...(precision === undefined ? {} : { precision }),
    ...(slots === undefined ? {} : { slots }),
  });
  const id = model.name;
  const about = {
    id,
    engine: "embedded",
    identity: model.id,
    contextTokens: model.capabilities.contextTokens,
  } as const;
  const written = await readModelCard(path);
  return {
    id,
    created,
    kind: "local",
    model,
    chat: format,
    card: card({ ...about, chatTemplate: format.source, ...written }),
  };
}

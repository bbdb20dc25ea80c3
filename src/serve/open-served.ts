/** `name=target` of the command line, opened: a model directory, a GGUF file, or an endpoint. */
import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import type { ChatTemplate } from "../eval/index.ts";
import { type LanguageModel, loadEmbedded, loadGguf } from "../providers/index.ts";
import { SAFETY_ADVISORY } from "../run/model-card.ts";
import { nothingWritten, readModelCard, type ServedCard } from "./card.ts";
import { type ChatFormat, jinjaChat, loadChatFormat, namedChat, plainChat } from "./chat-format.ts";
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
  /** Threads that compute. Default: one for each core but one, which is left to requests and answers. */
  threads?: number | undefined;
  /** Environment variable with an endpoint's key. */
  apiKeyVariable?: string | undefined;
}

const DEFAULT_SLOTS = 16;

/** @throws {ConfigError} for a target that cannot be opened, with what is wrong. */
export async function openServed(spec: ServedSpec): Promise<ServedModel> {
  const { target, chat, precision, slots } = spec;
  const writtenCard = async () => nothingWritten;
  if (/^https?:\/\//.test(target)) {
    const gateway = parseGateway(target, spec.apiKeyVariable);
    const id = spec.id ?? gateway.model;
    const identity = `${gateway.baseUrl}#${gateway.model}`;
    const unknown = { contextTokens: null, chatTemplate: null };
    const card: ServedCard = { id, advisory: SAFETY_ADVISORY, engine: "gateway", identity, ...unknown };
    return { id, created: unixSeconds(), kind: "gateway", gateway, card, writtenCard };
  }
  const path = resolve(target);
  const { contextTokens, threads = Math.max(1, availableParallelism() - 1) } = spec;
  const limits = { threads, ...(contextTokens === undefined ? {} : { contextTokens }) };
  if (target.endsWith(".gguf")) {
    const id = spec.id ?? basename(path, ".gguf");
    const model = await loadGguf({ path, name: id, overflow: "refuse", slots: slots ?? DEFAULT_SLOTS, ...limits });
    const { template, specialTokens } = model.chat;
    const own = template === undefined ? plainChat : jinjaChat(template, specialTokens, "gguf", path);
    const format = chat === undefined ? own : namedChat(chat);
    return local(model, format, "gguf", writtenCard);
  }
  const format = chat === undefined ? await loadChatFormat(path) : namedChat(chat);
  const model = await loadEmbedded({
    directory: path,
    // A server says that a prompt is too long rather than answer another.
    overflow: "refuse",
    ...limits,
    ...(spec.id === undefined ? {} : { name: spec.id }),
    ...(precision === undefined ? {} : { precision }),
    ...(slots === undefined ? {} : { slots }),
  });
  return local(model, format, "embedded", () => readModelCard(path));
}

function local(
  model: LanguageModel,
  chat: ChatFormat,
  engine: ServedCard["engine"],
  writtenCard: ServedModel["writtenCard"],
): ServedModel {
  const { name: id, id: identity } = model;
  const { contextTokens } = model.capabilities;
  const card = { id, advisory: SAFETY_ADVISORY, engine, identity, contextTokens, chatTemplate: chat.source };
  return { id, created: unixSeconds(), kind: "local", model, chat, card, writtenCard };
}

const unixSeconds = () => Math.floor(Date.now() / 1000);

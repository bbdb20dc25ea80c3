/** What a client should know before it shows an answer to anybody: the model card, with the safety advisory first. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../core/index.ts";
import { CARD_FILE, papersOf } from "../run/model-card.ts";

/** What is known when a model is opened. */
export interface ServedCard {
  id: string;
  advisory: string;
  engine: "embedded" | "gguf" | "gateway";
  /** Prompt and answer together; unknown for other servers. */
  contextTokens: number | null;
  /** Hash of weights and settings, or endpoint and model: what the answers came from. */
  identity: string;
  /** Where the chat layout comes from. */
  chatTemplate: string | null;
}

/** What its makers wrote about it. */
export interface WrittenCard {
  license: string | null;
  baseModel: string | null;
  /** README.md as Markdown. */
  readme: string | null;
}

/** README.md of a model directory, or the card that its run would write, and what its front matter says. */
export async function readModelCard(directory: string): Promise<WrittenCard> {
  const path = join(directory, CARD_FILE);
  const readme = (await exists(path)) ? await readFile(path, "utf8") : (await papersOf(directory)).card;
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readme)?.[1] ?? "";
  const field = (name: string) => new RegExp(`^${name}: *["']?([^"'\\n]+)`, "m").exec(front)?.[1]?.trim() ?? null;
  return { license: field("license"), baseModel: field("base_model"), readme };
}

/** Of a model that came without any writing. */
export const nothingWritten: WrittenCard = { license: null, baseModel: null, readme: null };

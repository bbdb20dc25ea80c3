/** What a client should know before it shows an answer to anybody: the model card, with the safety advisory first. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../core/index.ts";

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
  license: string | null;
  baseModel: string | null;
  /** The model directory's README.md, as Markdown. */
  readme: string | null;
}

/** README.md of a model directory and what its front matter says. */
export async function readModelCard(directory: string): Promise<Pick<ServedCard, "readme" | "license" | "baseModel">> {
  const path = join(directory, "README.md");
  if (!(await exists(path))) return { readme: null, license: null, baseModel: null };
  const readme = await readFile(path, "utf8");
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readme)?.[1] ?? "";
  const field = (name: string) => new RegExp(`^${name}: *["']?([^"'\\n]+)`, "m").exec(front)?.[1]?.trim() ?? null;
  return { readme, license: field("license"), baseModel: field("base_model") };
}

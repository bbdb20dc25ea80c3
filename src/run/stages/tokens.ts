/** `tokens.<corpus>`: document shards to Megatron .bin/.idx, one set for training and one for validation. */
import { join } from "node:path";
import { startProgress } from "../../core/index.ts";
import { loadManifest } from "../../corpus/index.ts";
import { loadTokenManifest, type TokenManifest, tokenizeShards } from "../../tokens/tokenize.ts";
import { loadTokenizer } from "../../tokens/tokenizer.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import type { Recipe } from "../recipe.ts";

export type Split = "train" | "validation";

/** Prefix of a set's .bin, .idx and .tokens.json. */
export const tokensPrefix = (directory: string, corpus: string, split: Split) =>
  join(directory, folders.tokens(corpus), split);

export function tokensStage(corpus: string, recipe: Recipe): Stage {
  return {
    id: `tokens.${corpus}`,
    needs: [`corpus.${corpus}`, "tokenizer"],
    settings: { endOfDocument: recipe.tokenizer?.endOfDocument ?? null },
    folder: folders.tokens(corpus),
    products: [join(folders.tokens(corpus), "train.bin"), join(folders.tokens(corpus), "train.idx")],
    async run({ directory, signal }) {
      const manifest = await loadManifest(join(directory, folders.corpus(corpus)));
      const { endOfDocument } = recipe.tokenizer ?? {};
      const tokenizer = await loadTokenizer(
        join(directory, folders.tokenizer),
        endOfDocument === undefined ? {} : { endOfDocument },
      );
      const sets: Partial<Record<Split, TokenManifest>> = {};
      for (const split of ["train", "validation"] as const) {
        const shards = manifest.shards.filter((shard) => shard.split === split);
        const total = shards.reduce((sum, { documents }) => sum + documents, 0);
        if (total === 0) continue;
        const progress = startProgress({ label: `tokens.${corpus} ${split}`, unit: "documents", total });
        sets[split] = await tokenizeShards(
          shards.map(({ file }) => join(directory, folders.corpus(corpus), file)),
          tokenizer,
          tokensPrefix(directory, corpus, split),
          { signal, progress },
        );
        progress.end();
      }
      const { train, validation } = sets;
      return {
        counts: {
          documents: (train?.documents ?? 0) + (validation?.documents ?? 0),
          tokens: train?.tokens ?? 0,
          validationTokens: validation?.tokens ?? 0,
        },
        product: Object.values(sets).map(({ files }) => [files.bin.sha256, files.idx.sha256]),
      };
    },
  };
}

/** Tokens of a set; 0 when the corpus has no such split. */
export async function countTokens(directory: string, corpus: string, split: Split): Promise<number> {
  try {
    return (await loadTokenManifest(tokensPrefix(directory, corpus, split))).tokens;
  } catch (error) {
    if ((error as { code?: string }).code === "IO_NOT_FOUND") return 0;
    throw error;
  }
}

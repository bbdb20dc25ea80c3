/** `tokens.<corpus>`: document shards to Megatron .bin/.idx, one set for training and one for validation. */
import { join } from "node:path";
import { exists, startProgress } from "../../core/index.ts";
import { type CorpusManifest, loadManifest } from "../../corpus/index.ts";
import { loadTokenManifest, type TokenManifest, tokenizeShards } from "../../tokens/tokenize.ts";
import { loadTokenizer } from "../../tokens/tokenizer.ts";
import type { Tokenizer } from "../../tokens/types.ts";
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
      const sets = await tokenizeSplits(manifest, tokenizer, {
        label: `tokens.${corpus}`,
        from: join(directory, folders.corpus(corpus)),
        to: join(directory, folders.tokens(corpus)),
        signal,
      });
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

/** The token files of each split of a corpus that holds documents, with a progress line each. */
export async function tokenizeSplits(
  manifest: CorpusManifest,
  tokenizer: Tokenizer,
  { label, from, to, signal }: { label: string; from: string; to: string; signal: AbortSignal },
): Promise<Partial<Record<Split, TokenManifest>>> {
  const sets: Partial<Record<Split, TokenManifest>> = {};
  for (const split of ["train", "validation"] as const) {
    const shards = manifest.shards.filter((shard) => shard.split === split);
    const total = shards.reduce((sum, { documents }) => sum + documents, 0);
    if (total === 0) continue;
    const progress = startProgress({ label: `${label} ${split}`, unit: "documents", total });
    const files = shards.map(({ file }) => join(from, file));
    sets[split] = await tokenizeShards(files, tokenizer, join(to, split), { signal, progress });
    progress.end();
  }
  return sets;
}

/** The token sets of a corpus in a run directory, by split; those that are not there yet are left out. */
export async function loadTokenSets(directory: string, corpus: string): Promise<Partial<Record<Split, TokenManifest>>> {
  const sets: Partial<Record<Split, TokenManifest>> = {};
  for (const split of ["train", "validation"] as const) {
    const prefix = tokensPrefix(directory, corpus, split);
    if (await exists(`${prefix}.tokens.json`)) sets[split] = await loadTokenManifest(prefix);
  }
  return sets;
}

/** Tokens of a set; 0 when the corpus has no such split. */
export async function countTokens(directory: string, corpus: string, split: Split): Promise<number> {
  return (await loadTokenSets(directory, corpus))[split]?.tokens ?? 0;
}

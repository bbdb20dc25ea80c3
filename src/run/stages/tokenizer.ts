/** `tokenizer`: trains a byte-level BPE on the training split of the named corpora, or takes a given tokenizer.json. */
import { join } from "node:path";
import { CancelledError, sha256File } from "../../core/index.ts";
import { readShards } from "../../corpus/shards.ts";
import { specialTokenList } from "../../tokens/special-tokens.ts";
import { loadTokenizer } from "../../tokens/tokenizer.ts";
import { trainTokenizer } from "../../tokens/train-bpe.ts";
import type { Tokenizer } from "../../tokens/types.ts";
import { folders } from "../folders.ts";
import type { Stage } from "../graph.ts";
import type { Recipe, TokenizerSettings } from "../recipe.ts";

export function tokenizerStage(recipe: Recipe, settings: TokenizerSettings): Stage {
  const { specialTokens, endOfDocument } = settings;
  const end = endOfDocument === undefined ? {} : { endOfDocument };
  return {
    id: "tokenizer",
    needs: "train" in settings ? settings.train.corpora.map((name) => `corpus.${name}`) : [],
    settings: { ...settings, seed: recipe.seed },
    files: "path" in settings ? [settings.path] : [],
    folder: folders.tokenizer,
    products: [join(folders.tokenizer, "tokenizer.json")],
    async run({ directory, signal }) {
      const target = join(directory, folders.tokenizer);
      let texts = 0;
      let tokenizer: Tokenizer;
      if ("path" in settings) tokenizer = await loadTokenizer(settings.path, { specialTokens, ...end });
      else {
        const { vocabSize, corpora } = settings.train;
        const read = async function* (): AsyncGenerator<string> {
          for (const corpus of corpora)
            for await (const { text } of readShards(join(directory, folders.corpus(corpus)), { split: "train" })) {
              if (signal.aborted) throw new CancelledError();
              texts++;
              yield text;
            }
        };
        const trained = await trainTokenizer(read(), {
          vocabSize,
          specialTokens: specialTokenList(specialTokens),
          seed: recipe.seed,
        });
        await trained.save(target);
        tokenizer = endOfDocument === undefined ? trained : await loadTokenizer(target, end);
      }
      await tokenizer.save(target);
      return {
        counts: { ...(texts > 0 ? { documents: texts } : {}), vocabulary: tokenizer.vocabSize },
        product: await sha256File(join(target, "tokenizer.json")),
      };
    },
  };
}

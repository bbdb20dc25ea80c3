/** Real tokenizers on real text: our encoder gives the ids of Hugging Face's library, whole articles and sixty scripts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as NativeTokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { loadTokenizer, MEDITRON_TOKENS } from "../../src/tokens/index.ts";
import { realData } from "./data.ts";

const tokenizers = realData("tokenizers");
const files = tokenizers ? readdirSync(tokenizers).filter((name) => name.endsWith(".tokenizer.json")) : [];

function texts(folder: string, count: number, characters: number): string[] {
  const root = realData(folder);
  if (!root) return [];
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .slice(0, count)
    .map((path) => readFileSync(path, "utf8").slice(0, characters));
}

describe.skipIf(files.length === 0)(
  `real tokenizers${files.length === 0 ? " (skipped: ../shared/data is absent)" : ""}`,
  () => {
    it.each(files)("%s", async (name) => {
      const path = join(tokenizers!, name);
      // Some files of real projects come without a configuration that names their end token.
      const ours = await loadTokenizer(path, { specialTokens: "meditron", endOfDocument: "<EOD>" });
      const native = NativeTokenizer.fromFile(path);
      const samples = [
        ...texts("jats", 12, 60_000),
        ...texts("lang-udhr", 60, 20_000),
        ...texts("pubmed-xml", 3, 60_000),
      ];
      expect(samples.length).toBeGreaterThan(10);
      for (const text of samples) {
        const ids = (await native.encode(text, null, { addSpecialTokens: false })).getIds();
        expect(ours.encode(text).join()).toBe(ids.join());
      }
      // MEDITRON's tokens follow whatever the file has.
      const first = native.getVocabSize(true);
      expect(MEDITRON_TOKENS.map((token) => ours.idOf(token))).toEqual(MEDITRON_TOKENS.map((_, i) => first + i));
    });
  },
);

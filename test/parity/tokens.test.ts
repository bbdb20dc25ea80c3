/** Tokenizers and token files as Python sees them: transformers loads ours, numpy reads ours and we read numpy's. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readJson } from "../../src/core/index.ts";
import { IndexedDataset, MEDITRON_TOKENS, tokenizeDocuments, trainTokenizer } from "../../src/tokens/index.ts";
import { missingTorch, runPython } from "./python.ts";

const TEXTS = [
  "Aspirin 100 mg daily; the patient's INR was 2.5 (target 2–3).",
  "[bib_ref] Trial of aspirin, Smith [/bib_ref] showed p < 0.05.\n\n\tNo   fever, we'll see. [formula] x = 1 [/formula]",
  "Überwachung, 漢字, 🩺, e\u0301, ſ's K 'S, ١٢٣, a\u0085b\ufeffc <|end_of_text|>",
  "",
];
const reason = missingTorch();

describe.skipIf(reason)(`tokens in Python${reason ? ` (skipped: ${reason})` : ""}`, () => {
  it("same ids, same text, same files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tokens-parity-"));
    try {
      const tokenizer = await trainTokenizer([...TEXTS, "the patient the dose the fever ".repeat(30)], {
        vocabSize: 300,
        specialTokens: MEDITRON_TOKENS,
      });
      await tokenizer.save(join(folder, "tokenizer"));
      await writeFile(join(folder, "texts.json"), JSON.stringify(TEXTS));
      const documents = TEXTS.map((text, i) => ({ id: `d:${i}`, source: "s", license: "CC0-1.0", text }));
      await tokenizeDocuments(documents, tokenizer, join(folder, "ours"), { threads: 1 });
      runPython("tokens.py", folder);

      const ids = TEXTS.map((text) => tokenizer.encode(text));
      expect(await readJson(join(folder, "ids.json"))).toEqual({
        ids,
        withSpecial: ids,
        decoded: TEXTS,
        size: tokenizer.vocabSize,
        eos: tokenizer.endOfDocumentId,
        pad: tokenizer.padId,
      });
      const ended = ids.map((document) => [...document, tokenizer.endOfDocumentId]);
      expect(JSON.parse(await readFile(join(folder, "read.json"), "utf8"))).toEqual(ended);
      const theirs = await IndexedDataset.open(join(folder, "theirs"));
      expect(Array.from({ length: theirs.sequences }, (_, i) => [...theirs.sequence(i)])).toEqual(ended.toReversed());
      theirs.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 240_000);
});

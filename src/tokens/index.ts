export { type Blend, BlendedSamples, blendSizes, buildBlend } from "./blending.ts";
export { IndexedDataset, IndexedDatasetWriter, type WrittenTokens } from "./indexed-dataset.ts";
export { buildSampleOrder, GptDataset, type SampleOrder, type SampleOrderOptions } from "./sample-order.ts";
export { CHATML_TOKENS, MEDITRON_TOKENS, type SpecialTokens, specialTokenList } from "./special-tokens.ts";
export {
  loadTokenManifest,
  type SourceDocument,
  type TokenizedDocument,
  type TokenizeOptions,
  type TokenManifest,
  tokenizeDocuments,
  tokenizeShards,
} from "./tokenize.ts";
export { createTokenizer, loadTokenizer, requireFits, type TokenizerOptions } from "./tokenizer.ts";
export { type TrainTokenizerOptions, trainTokenizer } from "./train-bpe.ts";
export type { SampleSource, Tokenizer } from "./types.ts";

/** The corpus: from sources to document shards. */
export { type BuildOptions, type BuildProgress, buildCorpus } from "./build.ts";
export {
  type CorpusConfig,
  type CorpusConfigInput,
  corpusConfigSchema,
  parseCorpusConfig,
  resolvePaths,
} from "./config.ts";
export type { BenchmarkItem, ContaminationHit, ContaminationReport } from "./decontaminate.ts";
export type { Document, DocumentKind, Drop, DropSink, SourceItem, Stage } from "./document.ts";
export { withText } from "./document.ts";
export { DROP_LOG, readDrops } from "./drop-log.ts";
export {
  type CorpusManifest,
  loadManifest,
  MANIFEST,
  type ReadShardsOptions,
  readShards,
  type ShardInfo,
} from "./shards.ts";

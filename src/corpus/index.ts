/** The corpus: from sources to document shards. */
export { buildCorpus, type BuildOptions, type BuildProgress } from "./build.ts";
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
export { loadManifest, MANIFEST, type CorpusManifest, readShards, type ReadShardsOptions, type ShardInfo } from "./shards.ts";

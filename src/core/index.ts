export { type Compression, detectCompression, readDecompressed } from "./compression.ts";
export { type PackedError, packError, unpackError } from "./error-transport.ts";
export {
  CancelledError,
  ConfigError,
  DataError,
  type ErrorDetails,
  formatError,
  fromSystemError,
  MeditronError,
  NativeError,
  NumericError,
  RetryableError,
  ShapeError,
} from "./errors.ts";
export {
  AtomicFile,
  exists,
  freeBytes,
  readJson,
  sha256File,
  syncDirectory,
  writeFileAtomic,
  writeJsonAtomic,
} from "./files.ts";
export { canonicalJson, hashFraction, hashJson, sha256 } from "./hash.ts";
export { type Line, readJsonLines, readLines } from "./json-lines.ts";
export { type Progress, type ProgressOptions, startProgress } from "./progress.ts";
export { counterRandom, RandomState } from "./random.ts";
export { formatBytes, formatCount, formatDuration, formatPercent } from "./units.ts";
export { startWorker } from "./worker.ts";

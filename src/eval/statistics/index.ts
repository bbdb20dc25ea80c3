export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  meanAndDeviation,
  normalQuantile,
  wilsonInterval,
} from "./intervals.ts";
export { holm, mcnemar, type PairedCounts, pairedBootstrap, pairedCounts } from "./paired.ts";

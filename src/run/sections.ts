import { z } from "zod";
export const corpusConfigSchema = z.looseObject({
  sources: z.array(z.looseObject({ type: z.string(), path: z.string() })).min(1),
});
export const benchmarkConfigSchema = z.looseObject({ type: z.string() });
export const evaluateConfigSchema = z.strictObject({
  models: z.array(z.string()).min(1),
  benchmarks: z.array(z.string()).min(1),
  solvers: z.array(z.enum(["option-log-likelihood", "greedy"])).min(1),
});

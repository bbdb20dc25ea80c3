/**
 * `claims` of a recipe: what the run is expected to show, written down before it is run. Each is one effect with an interval and a
 * threshold, computed from the run's own results; the report shows them first.
 *
 *   accuracy     accuracy(to) − accuracy(from) on the same questions: two models, or two solvers of one model
 *   perplexity   1 − perplexity(to) / perplexity(from) on held-out documents of a corpus
 *   retained     1 − (base − with) / (base − without): the share of the forgetting that a remedy avoids
 *   curve        accuracy at the last checkpoint − accuracy at the first, of a model that `evaluate.duringTraining` follows
 *
 * A model that was trained under several seeds is named without its seed ("continued"); its seeds are pooled.
 */
import { z } from "zod";
import { solverNames } from "../../eval/solvers/index.ts";

/** A solver's name, or its name with how it asks, as the table of accuracies prints it ("option-text-log-likelihood-cloze"). */
const solver = z.string().refine((name) => solverNames.some((one) => name === one || name.startsWith(`${one}-`)), {
  error: `expected a solver: ${solverNames.join(", ")}, or one as the table of accuracies names it`,
});
const common = {
  /** The claim as a sentence, for the report. Default: its name. */
  statement: z.string().optional(),
  /**
   * Smallest effect that counts, as a fraction (0.2 = 20 points of accuracy). The claim holds when the effect reaches it and the
   * whole interval lies above 0. A threshold of −0.02 claims "no worse than by 2 points": the interval must lie above that.
   */
  threshold: z.number(),
};
const benchmarkKeys = {
  benchmark: z.string(),
  /** Default: the first solver by which the recipe evaluates the model. */
  solver: solver.optional(),
  /** Scoring rule of that solver. Default: its first. */
  rule: z.string().optional(),
  /** Only items with these values, as in { heldOut: entity } or { subject: [cardiology, neurology] }; any field of the item. */
  where: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()])).min(1)]),
    )
    .optional(),
};
/** A model, or a model as one solver asks it. */
const side = z.union([z.string(), z.strictObject({ model: z.string(), solver: solver.optional() })]);

/** Documents of the validation split that are read: those with the smallest hash of their id. */
const documents = z.number().int().positive().default(200);

export const claimSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("accuracy"), ...common, ...benchmarkKeys, from: side, to: side }),
  z.strictObject({
    kind: z.literal("perplexity"),
    ...common,
    corpus: z.string(),
    documents,
    from: z.string(),
    to: z.string(),
  }),
  z.strictObject({
    kind: z.literal("retained"),
    ...common,
    ...benchmarkKeys,
    /** Before the training that forgets. */
    base: side,
    /** After it, with the remedy (replay). */
    with: side,
    /** After it, without. */
    without: side,
  }),
  z.strictObject({
    kind: z.literal("curve"),
    ...common,
    model: z.string(),
    benchmark: z.string(),
  }),
]);

export type Claim = z.infer<typeof claimSchema>;
export type BenchmarkClaim = Extract<Claim, { kind: "accuracy" | "retained" }>;
export type Side = z.infer<typeof side>;

/** The sides of a claim by their key, in the order of the formula. */
export function sidesOf(claim: BenchmarkClaim): [key: string, side: Side][] {
  return claim.kind === "accuracy"
    ? [
        ["from", claim.from],
        ["to", claim.to],
      ]
    : [
        ["base", claim.base],
        ["with", claim.with],
        ["without", claim.without],
      ];
}

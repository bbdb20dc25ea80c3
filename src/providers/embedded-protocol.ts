/** What the embedded model's thread and the caller's say to each other. */
import type { PackedError } from "../core/index.ts";
import type { GenerateRequest, Generation, LogLikelihood, LogLikelihoodRequest } from "./language-model.ts";

export interface EmbeddedSettings {
  /** Hugging Face model directory, tokenizer included. */
  directory: string;
  /** Default: bf16 where the CPU computes it, else f32. */
  precision?: "f32" | "bf16";
  /** Sequences computed side by side. Default 16. */
  slots?: number;
  /** At most this many tokens of prompt and output together. Default: the model's context. */
  contextTokens?: number;
  /** What to do with a prompt longer than that: keep its end and say so in the result (as lm-evaluation-harness), or refuse. Default "truncate". */
  overflow?: "truncate" | "refuse";
  /** Token that ends an answer, when it is not what the tokenizer's and the model's files say ("<EOD>" of MEDITRON). */
  endOfDocument?: string;
  /** Default: native, and the reference kernels where the addon is missing. */
  kernels?: "reference";
  threads?: number;
}

export interface EmbeddedInfo {
  /** SHA-256 over config, weights, tokenizer and precision. */
  id: string;
  contextTokens: number;
  vocabSize: number;
  kernels: string;
}

export type ToWorker =
  | { type: "score"; call: number; requests: LogLikelihoodRequest[] }
  | { type: "generate"; call: number; requests: GenerateRequest[]; streams: boolean }
  | { type: "cancel"; call: number };

/** Sent in lists. */
export type FromWorker =
  | { type: "ready"; info: EmbeddedInfo }
  | { type: "written"; call: number; index: number; sample: number; text: string }
  | { type: "scored"; call: number; index: number; result: LogLikelihood }
  | { type: "generated"; call: number; index: number; result: Generation[] }
  | { type: "failed"; call: number | undefined; error: PackedError };

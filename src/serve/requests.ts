/** The two requests of OpenAI's interface that we answer, checked at the door. Fields that would change the answer and that we do not know are refused. */
import { z } from "zod";
import { HttpProblem } from "./problem.ts";

/** Fields that we accept only where they ask for nothing. */
const unsupported = "this server does not support it";
const neutral = {
  best_of: z.literal(1, unsupported).nullish(),
  suffix: z.literal("", unsupported).nullish(),
  presence_penalty: z.literal(0, unsupported).nullish(),
  frequency_penalty: z.literal(0, unsupported).nullish(),
  logit_bias: z.record(z.string(), z.never(unsupported)).nullish(),
  tools: z.array(z.unknown()).max(0, unsupported).nullish(),
  functions: z.array(z.unknown()).max(0, unsupported).nullish(),
  response_format: z.object({ type: z.literal("text", unsupported) }).nullish(),
};

const shared = {
  ...neutral,
  model: z.string().min(1).max(1000),
  temperature: z.number().min(0).max(10).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  /** Not OpenAI's, but common: vLLM, llama.cpp. */
  top_k: z.number().int().min(0).nullish(),
  n: z.number().int().min(1).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([z.string().max(1000), z.array(z.string().max(1000)).max(64)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
};

const tokenIds = z.array(z.number().int().min(0)).min(1);

export const completionSchema = z.object({
  ...shared,
  prompt: z.union([z.string(), tokenIds, z.array(z.string()).min(1), z.array(tokenIds).min(1)]).nullish(),
  max_tokens: z.number().int().min(0).nullish(),
  echo: z.boolean().nullish(),
  /** Likeliest tokens to report at each position. */
  logprobs: z.number().int().min(0).max(20).nullish(),
});
export type CompletionRequest = z.output<typeof completionSchema>;

const textPart = z.object({ type: z.literal("text"), text: z.string() });
export const chatSchema = z.object({
  ...shared,
  messages: z
    .array(
      z.object({
        role: z.string().min(1).max(100),
        content: z
          .union([z.string(), z.array(textPart)])
          .transform((content) => (typeof content === "string" ? content : content.map(({ text }) => text).join(""))),
        name: z.string().max(1000).optional(),
      }),
    )
    .min(1),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
});
export type ChatRequest = z.output<typeof chatSchema>;

/** @throws {HttpProblem} 400 naming the field and what it takes. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const param = issue.path.join(".");
  throw new HttpProblem(400, "invalid_value", `${param || "body"}: ${issue.message}`, { param });
}

/** @throws {HttpProblem} 400 for anything but a JSON object. */
export function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpProblem(400, "invalid_json", "the body is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new HttpProblem(400, "invalid_json", "the body is not a JSON object");
  return value as Record<string, unknown>;
}

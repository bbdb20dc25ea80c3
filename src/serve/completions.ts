/** `POST /v1/completions`: text goes on. Log-probabilities and echo as OpenAI had them and lm-evaluation-harness uses them. */
import type { Generation, TokenPosition } from "../providers/index.ts";
import type { Form } from "./answer.ts";
import { checkSamples, finishReason, generateRequest, type Prompt, stopsOfRequest } from "./generate.ts";
import { type CompletionRequest, completionSchema } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

/** What OpenAI writes when nothing else is said. */
const DEFAULT_MAX_TOKENS = 16;

export const completionForm: Form<CompletionRequest> = {
  path: "/completions",
  schema: completionSchema,
  idPrefix: "cmpl",
  object: { whole: "text_completion", event: "text_completion" },
  prepare(serving, served, request) {
    const prompts = promptsOf(request);
    const n = request.n ?? 1;
    checkSamples(serving, prompts.length, n);
    const options = {
      wanted: request.max_tokens ?? DEFAULT_MAX_TOKENS,
      stop: stopsOfRequest(request.stop),
      logProbs: request.logprobs ?? undefined,
      echo: request.echo ?? false,
    };
    // Log-probabilities come with the whole answer: a piece of text is not a token.
    const isPieced = options.logProbs === undefined;
    const written = (index: number, text: string) => ({ index, text, logprobs: null, finish_reason: null });
    const choices = (results: Generation[][]) =>
      results.flatMap((samples, i) =>
        samples.map((generation, k) => choice(served, prompts[i]!, generation, i * n + k, options)),
      );
    return {
      requests: prompts.map((prompt) => generateRequest(serving, served, prompt, request, options)),
      choices,
      opening: () =>
        isPieced && options.echo
          ? prompts.flatMap((prompt, i) =>
              Array.from({ length: n }, (_, k) => written(i * n + k, promptText(served, prompt))),
            )
          : [],
      piece: ({ request, sample, text }) => (isPieced ? written(request * n + sample, text) : undefined),
      closing: (results) => choices(results).map((one) => (isPieced ? { ...one, text: "" } : one)),
    };
  },
};

function promptsOf({ prompt }: CompletionRequest): Prompt[] {
  if (prompt == null) return [{ text: "" }];
  if (typeof prompt === "string") return [{ text: prompt }];
  if (typeof prompt[0] === "number") return [{ text: "", ids: prompt as number[] }];
  return (prompt as (string | number[])[]).map((one) =>
    typeof one === "string" ? { text: one } : { text: "", ids: one },
  );
}

function promptText({ model }: LocalModel, { text, ids }: Prompt): string {
  return ids ? (model.tokenizer?.decode(ids) ?? "") : text;
}

function choice(
  served: LocalModel,
  prompt: Prompt,
  generation: Generation,
  index: number,
  { echo, logProbs }: { echo: boolean; logProbs: number | undefined },
): { index: number; text: string; logprobs: object | null; finish_reason: string } {
  const { positions, text, finish } = generation;
  return {
    index,
    text: echo ? promptText(served, prompt) + text : text,
    logprobs: positions ? logProbsOf(served, positions, logProbs! > 0) : null,
    finish_reason: finishReason(finish),
  };
}

/** OpenAI's layout: parallel lists; offsets count code points, as Python does. */
function logProbsOf(served: LocalModel, positions: TokenPosition[], withTop: boolean): object {
  // A token in the middle of a character has no text; its own spelling tells it from others.
  const label = ({ token, text }: { token: number; text: string }) =>
    text !== "" ? text : (served.model.tokenizer?.tokenOf(token) ?? String(token));
  let offset = 0;
  const offsets = positions.map(({ text }) => {
    const at = offset;
    for (const _ of text) offset++;
    return at;
  });
  return {
    tokens: positions.map(label),
    token_logprobs: positions.map(({ logLikelihood }) => logLikelihood),
    text_offset: offsets,
    top_logprobs: withTop
      ? positions.map(({ logLikelihood, top }) =>
          logLikelihood === null ? null : Object.fromEntries(top.map((one) => [label(one), one.logLikelihood])),
        )
      : null,
  };
}

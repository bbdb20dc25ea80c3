/** `POST /v1/completions`: text goes on. Log-probabilities and echo as OpenAI had them and lm-evaluation-harness uses them. */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import type { Generation, TokenPosition } from "../providers/index.ts";
import { eventStream } from "./event-stream.ts";
import { beginExchange, findModel, type ServeEnv, type Serving } from "./exchange.ts";
import { forward } from "./gateway.ts";
import {
  account,
  checkSamples,
  finishReason,
  generateRequest,
  generateStreaming,
  type Prompt,
  stopsOfRequest,
} from "./generate.ts";
import { problemBody, toProblem } from "./problem.ts";
import { type CompletionRequest, completionSchema, parseJson, parseRequest } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

/** What OpenAI writes when nothing else is said. */
const DEFAULT_MAX_TOKENS = 16;

export async function completions(c: Context<ServeEnv>, serving: Serving): Promise<Response> {
  const body = parseJson(await c.req.text());
  const request = parseRequest(completionSchema, body);
  const served = findModel(serving, request.model);
  c.get("account").model = served.id;
  const exchange = beginExchange(c, serving);
  c.get("whenDone")(exchange.end);
  if (served.kind === "gateway") return forward(served.gateway, "/completions", body, exchange.signal);

  const prompts = promptsOf(request);
  const { n, stop, logprobs, echo, max_tokens } = request;
  checkSamples(serving, prompts.length, n ?? 1);
  const options = {
    wanted: max_tokens ?? DEFAULT_MAX_TOKENS,
    stop: stopsOfRequest(stop),
    logProbs: logprobs ?? undefined,
    echo: echo ?? false,
  };
  const requests = prompts.map((prompt) => generateRequest(serving, served, prompt, request, options));
  const frame = { id: `cmpl-${randomUUID()}`, object: "text_completion", created: unixSeconds(), model: served.id };
  const perPrompt = n ?? 1;
  const choicesOf = (results: Generation[][]) =>
    results.flatMap((samples, i) =>
      samples.map((generation, k) => choice(served, prompts[i]!, generation, i * perPrompt + k, options)),
    );

  if (!request.stream) {
    const results = await served.model.generate(requests, { signal: exchange.signal });
    return c.json({ ...frame, choices: choicesOf(results), usage: account(c, serving, served, results) });
  }
  const wantsUsage = request.stream_options?.include_usage === true;
  return eventStream(serving.limits.stallMs, async (send) => {
    const chunk = (choices: object[], extras: object = {}) => send(JSON.stringify({ ...frame, choices, ...extras }));
    try {
      // Log-probabilities come with the whole answer: a piece of text is not a token.
      if (options.logProbs === undefined && options.echo)
        for (const [i, prompt] of prompts.entries())
          for (let k = 0; k < perPrompt; k++)
            await chunk([
              { index: i * perPrompt + k, text: promptText(served, prompt), logprobs: null, finish_reason: null },
            ]);
      const results = await generateStreaming(served, requests, exchange, async (i, k, text) => {
        if (options.logProbs !== undefined) return;
        await chunk([{ index: i * perPrompt + k, text, logprobs: null, finish_reason: null }]);
      });
      for (const one of choicesOf(results)) await chunk([options.logProbs === undefined ? { ...one, text: "" } : one]);
      const usage = account(c, serving, served, results);
      if (wantsUsage) await chunk([], { usage });
    } catch (error) {
      await send(JSON.stringify(problemBody(toProblem(exchange.signal.reason ?? error))));
    } finally {
      exchange.end();
    }
    await send("[DONE]");
  });
}

export const unixSeconds = () => Math.floor(Date.now() / 1000);

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

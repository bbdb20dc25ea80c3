/** `POST /v1/chat/completions`: messages through the model's chat template. */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import type { Generation } from "../providers/index.ts";
import { unixSeconds } from "./completions.ts";
import { eventStream } from "./event-stream.ts";
import { beginExchange, findModel, type ServeEnv, type Serving } from "./exchange.ts";
import { forward } from "./gateway.ts";
import { account, checkSamples, finishReason, generateRequest, generateStreaming, stopsOfRequest } from "./generate.ts";
import { problemBody, toProblem } from "./problem.ts";
import { chatSchema, parseJson, parseRequest } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

export async function chatCompletions(c: Context<ServeEnv>, serving: Serving): Promise<Response> {
  const body = parseJson(await c.req.text());
  const request = parseRequest(chatSchema, body);
  const served = findModel(serving, request.model);
  c.get("account").model = served.id;
  const exchange = beginExchange(c, serving);
  c.get("whenDone")(exchange.end);
  if (served.kind === "gateway") return forward(served.gateway, "/chat/completions", body, exchange.signal);

  checkSamples(serving, 1, request.n ?? 1);
  const prompt = { text: served.chat.render(request.messages) };
  const generation = generateRequest(serving, served, prompt, request, {
    wanted: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    stop: [...served.chat.stop, ...stopsOfRequest(request.stop)],
    logProbs: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
    echo: false,
  });
  const frame = { id: `chatcmpl-${randomUUID()}`, created: unixSeconds(), model: served.id };

  if (!request.stream) {
    const results = await served.model.generate([generation], { signal: exchange.signal });
    return c.json({
      ...frame,
      object: "chat.completion",
      choices: results[0]!.map((one, index) => ({
        index,
        message: { role: "assistant", content: one.text, refusal: null },
        logprobs: logProbsOf(served, one),
        finish_reason: finishReason(one.finish),
      })),
      usage: account(c, serving, served, results),
    });
  }
  const wantsUsage = request.stream_options?.include_usage === true;
  return eventStream(serving.limits.stallMs, async (send) => {
    const chunk = (choices: object[], extras: object = {}) =>
      send(JSON.stringify({ ...frame, object: "chat.completion.chunk", choices, ...extras }));
    const delta = (index: number, content: object, rest: object = {}) =>
      chunk([{ index, delta: content, finish_reason: null, ...rest }]);
    try {
      for (let k = 0; k < (request.n ?? 1); k++) await delta(k, { role: "assistant", content: "" });
      const results = await generateStreaming(served, [generation], exchange, (_, k, content) => delta(k, { content }));
      for (const [k, one] of results[0]!.entries())
        await delta(k, {}, { finish_reason: finishReason(one.finish), logprobs: logProbsOf(served, one) });
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

function logProbsOf({ model }: LocalModel, { positions }: Generation): object | null {
  if (!positions) return null;
  const one = ({ token, text, logLikelihood }: { token: number; text: string; logLikelihood: number | null }) => {
    const spelled = text !== "" ? text : (model.tokenizer?.tokenOf(token) ?? String(token));
    return { token: spelled, logprob: logLikelihood, bytes: [...Buffer.from(text)] };
  };
  return {
    content: positions.map((position) => ({ ...one(position), top_logprobs: position.top.map(one) })),
    refusal: null,
  };
}

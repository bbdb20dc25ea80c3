/** `POST /v1/chat/completions`: messages through the model's chat template. */
import type { Generation } from "../providers/index.ts";
import type { Form } from "./answer.ts";
import { checkSamples, finishReason, generateRequest, stopsOfRequest } from "./generate.ts";
import { type ChatRequest, chatSchema } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

export const chatForm: Form<ChatRequest> = {
  path: "/chat/completions",
  schema: chatSchema,
  idPrefix: "chatcmpl",
  object: { whole: "chat.completion", event: "chat.completion.chunk" },
  prepare(serving, served, request) {
    const n = request.n ?? 1;
    checkSamples(serving, 1, n);
    const prompt = { text: served.chat.render(request.messages) };
    const generation = generateRequest(serving, served, prompt, request, {
      wanted: request.max_completion_tokens ?? request.max_tokens ?? undefined,
      stop: [...served.chat.stop, ...stopsOfRequest(request.stop)],
      logProbs: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
      echo: false,
    });
    const delta = (index: number, content: object) => ({ index, delta: content, finish_reason: null });
    return {
      requests: [generation],
      choices: ([samples]) =>
        samples!.map((one, index) => ({
          index,
          message: { role: "assistant", content: one.text, refusal: null },
          logprobs: logProbsOf(served, one),
          finish_reason: finishReason(one.finish),
        })),
      opening: () => Array.from({ length: n }, (_, k) => delta(k, { role: "assistant", content: "" })),
      piece: ({ sample, text }) => delta(sample, { content: text }),
      closing: ([samples]) =>
        samples!.map((one, k) => ({
          ...delta(k, {}),
          finish_reason: finishReason(one.finish),
          logprobs: logProbsOf(served, one),
        })),
    };
  },
};

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

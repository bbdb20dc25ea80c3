/** What chats and completions share from end to end: check, find the model, take a place, compute, and answer whole or as a stream. */
import type { Context } from "hono";
import type { z } from "zod";
import type { GenerateRequest, Generation } from "../providers/index.ts";
import { eventStream } from "./event-stream.ts";
import { beginExchange, type Exchange, findModel, type ServeEnv, type Serving } from "./exchange.ts";
import { forward } from "./gateway.ts";
import { account, generateStreaming, type Piece } from "./generate.ts";
import { problemBody, toProblem } from "./problem.ts";
import { type ChatRequest, type CompletionRequest, parseJson, parseRequest } from "./requests.ts";
import type { LocalModel } from "./served-model.ts";

/** One of the API's two ways to ask. */
export interface Form<R extends ChatRequest | CompletionRequest> {
  /** Below /v1, here and on a server behind us. */
  path: string;
  schema: z.ZodType<R>;
  idPrefix: string;
  /** Names of the answer and of a stream's event. */
  object: { whole: string; event: string };
  prepare(serving: Serving, served: LocalModel, request: R): Wording;
}

/** A request as the model takes it, and how its answer is put. Events are lists of choices. */
export interface Wording {
  requests: GenerateRequest[];
  choices(results: Generation[][]): object[];
  /** Before anything is written. */
  opening(): object[];
  /** A piece of text; undefined where the text comes with the end. */
  piece(piece: Piece): object | undefined;
  /** The end of every answer. */
  closing(results: Generation[][]): object[];
}

export async function answer<R extends ChatRequest | CompletionRequest>(
  c: Context<ServeEnv>,
  serving: Serving,
  form: Form<R>,
): Promise<Response> {
  const body = parseJson(await c.req.text());
  const request = parseRequest(form.schema, body);
  const served = findModel(serving, request.model);
  c.get("account").model = served.id;
  const exchange = beginExchange(c, serving);
  c.get("whenDone")(exchange.end);
  if (served.kind === "gateway") return forward(served.gateway, form.path, body, exchange.signal);

  const wording = form.prepare(serving, served, request);
  const created = Math.floor(Date.now() / 1000);
  const frame = (object: string) => ({
    id: `${form.idPrefix}-${c.get("requestId")}`,
    object,
    created,
    model: served.id,
  });
  const usageOf = (results: Generation[][]) => account(c, serving, served, results);
  if (request.stream) {
    const wantsUsage = request.stream_options?.include_usage === true;
    return streamAnswer(served, wording, exchange, serving.limits.stallMs, {
      frame: frame(form.object.event),
      usage: (results) => (wantsUsage ? usageOf(results) : void usageOf(results)),
    });
  }
  const results = await served.model.generate(wording.requests, { signal: exchange.signal });
  return c.json({ ...frame(form.object.whole), choices: wording.choices(results), usage: usageOf(results) });
}

function streamAnswer(
  served: LocalModel,
  wording: Wording,
  exchange: Exchange,
  stallMs: number,
  { frame, usage }: { frame: object; usage: (results: Generation[][]) => object | undefined },
): Response {
  return eventStream(stallMs, async (send) => {
    const event = (choices: object[], extras: object = {}) => JSON.stringify({ ...frame, choices, ...extras });
    const each = (choices: object[]) => choices.map((choice) => event([choice]));
    try {
      await send(each(wording.opening()));
      const results = await generateStreaming(served, wording.requests, exchange, (pieces) =>
        send(each(pieces.map((piece) => wording.piece(piece)).filter((choice) => choice !== undefined))),
      );
      const used = usage(results);
      await send([...each(wording.closing(results)), ...(used ? [event([], { usage: used })] : [])]);
    } catch (error) {
      await send([JSON.stringify(problemBody(toProblem(exchange.signal.reason ?? error)))]);
    } finally {
      exchange.end();
    }
    await send(["[DONE]"]);
  });
}

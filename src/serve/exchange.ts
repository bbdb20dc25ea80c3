/** One request from its place in the queue to its end: cancelled when the client leaves, its time is over, or the server must stop. */
import type { Context } from "hono";
import type { Admission, Limits } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import { HttpProblem } from "./problem.ts";
import type { ServedModel } from "./served-model.ts";

/** What all routes share. */
export interface Serving {
  /** The Studio adds those that it is asked to load. */
  models: Map<string, ServedModel>;
  limits: Limits;
  admission: Admission;
  metrics: Metrics;
  /** Requests under way, to end them when draining takes too long. */
  exchanges: Set<AbortController>;
}

/** What a request's log line says beside its route. */
export interface Account {
  model?: string;
  promptTokens?: number;
  completionTokens?: number;
}

export interface ServeEnv {
  Variables: { requestId: string; client: string; account: Account; whenDone: (tell: () => void) => void };
}

export interface Exchange {
  signal: AbortSignal;
  /** The first piece of text is there. */
  tellFirstText(): void;
  /** Gives the place back. */
  end(): void;
}

/** @throws {HttpProblem} 429 when the queue is full, 503 when the server is stopping. */
export function beginExchange(c: Context<ServeEnv>, serving: Serving): Exchange {
  const leave = serving.admission.enter();
  const startMs = performance.now();
  const controller = new AbortController();
  const abort = (problem: HttpProblem) => {
    if (controller.signal.aborted) return;
    serving.metrics.cancelled.add();
    controller.abort(problem);
  };
  const { timeoutMs } = serving.limits;
  const timer = setTimeout(
    () => abort(new HttpProblem(504, "timeout", `no answer within ${Math.round(timeoutMs / 1000)} s`)),
    timeoutMs,
  );
  const client = c.req.raw.signal;
  const onLeave = () => abort(new HttpProblem(400, "client_left", "the client closed the connection"));
  client.addEventListener("abort", onLeave, { once: true });
  if (client.aborted) onLeave();
  serving.exchanges.add(controller);
  let isFirst = true;
  return {
    signal: controller.signal,
    tellFirstText() {
      if (isFirst) serving.metrics.firstTokenSeconds.observe((performance.now() - startMs) / 1000);
      isFirst = false;
    },
    end() {
      clearTimeout(timer);
      client.removeEventListener("abort", onLeave);
      serving.exchanges.delete(controller);
      leave();
    },
  };
}

/** @throws {HttpProblem} 404 naming what is served. */
export function findModel(serving: Serving, id: string): ServedModel {
  const found = serving.models.get(id);
  if (found) return found;
  const known = [...serving.models.keys()].join(", ");
  throw new HttpProblem(404, "model_not_found", `there is no model "${id.slice(0, 200)}"; served: ${known}`, {
    param: "model",
  });
}

/**
 * The HTTP application: who may ask and how much, the OpenAI-compatible API, health and metrics. Pages and their API mount
 * themselves on it (`app.route("/studio", ...)`) and stand behind the same checks.
 */
import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { routePath } from "hono/route";
import { answer } from "./answer.ts";
import { chatForm } from "./chat.ts";
import { completionForm } from "./completions.ts";
import { findModel, type ServeEnv, type Serving } from "./exchange.ts";
import { Admission, defaultLimits, type Limits, RateLimit } from "./limits.ts";
import { type Log, noLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { HttpProblem, respondWithProblem, toProblem } from "./problem.ts";
import { loopbackHostOnly, requireToken, sameOriginOnly, securityHeaders } from "./security.ts";
import type { ServedModel } from "./served-model.ts";

export interface AppOptions {
  models: ServedModel[];
  /** Needed from every client. Without one, only this machine's own names are answered. */
  token?: string | undefined;
  limits?: Partial<Limits>;
  log?: Log;
  /** Paths that check their visitors themselves (invitations). /healthz is always open. */
  isPublic?: (path: string) => boolean;
}

export interface ServeApp {
  app: Hono<ServeEnv>;
  serving: Serving;
}

export function createApp(options: AppOptions): ServeApp {
  const limits = { ...defaultLimits, ...options.limits };
  const { log = noLog, isPublic = () => false, token } = options;
  const admission = new Admission(limits.inFlight);
  const metrics = new Metrics(() => admission.inFlight);
  const models = new Map(options.models.map((model) => [model.id, model]));
  const serving: Serving = { models, limits, admission, metrics, exchanges: new Set() };
  const rate = new RateLimit(limits.requestsPerMinute);

  const app = new Hono<ServeEnv>();
  app.use(record(serving, log));
  app.use(securityHeaders);
  if (token === undefined) app.use(loopbackHostOnly);
  app.use(sameOriginOnly);
  app.use(async (c, next) => {
    if (c.req.path !== "/healthz") rate.take(c.get("client"));
    await next();
  });
  if (token !== undefined) app.use(requireToken(token, (path) => path === "/healthz" || isPublic(path)));
  app.use(jsonOnly);
  app.use(
    bodyLimit({
      maxSize: limits.bodyBytes,
      onError: () => {
        throw new HttpProblem(413, "body_too_large", `a request may have ${limits.bodyBytes} bytes`);
      },
    }),
  );

  app.get("/healthz", (c) =>
    admission.isDraining ? c.json({ status: "draining" }, 503) : c.json({ status: "ok", models: [...models.keys()] }),
  );
  app.get("/metrics", (c) => c.body(metrics.render(), 200, { "content-type": "text/plain; version=0.0.4" }));
  app.get("/v1/models", (c) => c.json({ object: "list", data: [...models.values()].map(modelObject) }));
  // Names may hold slashes (a run's checkpoints), written as they are or as %2F.
  app.get("/v1/models/:id{.+}", async (c) => {
    const id = c.req.param("id");
    const wantsCard = id.endsWith("/card") && !models.has(id);
    const served = findModel(serving, wantsCard ? id.slice(0, -"/card".length) : id);
    return c.json(wantsCard ? { ...served.card, ...(await served.writtenCard()) } : modelObject(served));
  });
  app.post("/v1/completions", (c) => answer(c, serving, completionForm));
  app.post("/v1/chat/completions", (c) => answer(c, serving, chatForm));

  app.notFound((c) => respondWithProblem(c, new HttpProblem(404, "not_found", "there is nothing at this address")));
  app.onError((error, c) => {
    const problem = toProblem(error);
    if (problem.status === 500) log("error", { id: c.get("requestId"), error: error.stack ?? String(error) });
    if (problem.status === 429 || problem.status === 503) metrics.rejected.add({ reason: problem.code });
    return respondWithProblem(c, problem);
  });
  return { app, serving };
}

function modelObject({ id, created, card }: ServedModel): object {
  return { id, object: "model", created, owned_by: "meditron", advisory: card.advisory };
}

/** Names the request, and counts and logs it when its answer has ended (a stream: when its last event is out). */
function record(serving: Serving, log: Log): MiddlewareHandler<ServeEnv> {
  return async (c, next) => {
    const startMs = performance.now();
    const id = randomUUID();
    const client = (c.env as HttpBindings | undefined)?.incoming?.socket.remoteAddress ?? "unknown";
    const tellDone: (() => void)[] = [];
    c.set("requestId", id);
    c.set("client", client);
    c.set("account", {});
    c.set("whenDone", (tell) => tellDone.push(tell));
    await next();
    c.header("X-Request-Id", id);
    const { status } = c.res;
    const route = routePath(c, -1);
    const end = () => {
      for (const tell of tellDone) tell();
      const seconds = (performance.now() - startMs) / 1000;
      serving.metrics.requests.add({ route, status });
      serving.metrics.requestSeconds.observe(seconds, { route });
      log("request", {
        id,
        method: c.req.method,
        route,
        status,
        ms: Math.round(seconds * 1000),
        client,
        ...c.get("account"),
      });
    };
    const outgoing = (c.env as HttpBindings | undefined)?.outgoing;
    if (outgoing && !outgoing.closed && c.res.body) outgoing.once("close", end);
    else end();
  };
}

/** A form of another site can send text, but not JSON, without asking first. */
const jsonOnly: MiddlewareHandler = async (c, next) => {
  const { method } = c.req;
  if (method !== "GET" && method !== "HEAD" && method !== "DELETE") {
    const type = c.req.header("content-type") ?? "";
    if (!/^application\/json\b/i.test(type))
      throw new HttpProblem(415, "unsupported_media_type", "send application/json");
  }
  await next();
};

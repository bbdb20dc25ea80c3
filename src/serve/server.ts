/** Starts the server and stops it: let in nobody new, finish what is under way, then close. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { ConfigError, fromSystemError } from "../core/index.ts";
import { type AppOptions, createApp, type ServeApp } from "./app.ts";
import { HttpProblem } from "./problem.ts";
import { isLoopback } from "./security.ts";

export interface ServerOptions extends AppOptions {
  /** Default 127.0.0.1. Any address that is not this machine's own needs a token. */
  host?: string;
  /** 0 picks a free one. Default 8080. */
  port?: number;
  /** Longest wait for requests under way when stopping. Default 30 s. */
  drainMs?: number;
  /** Longest times for a request's head and for the whole of it to arrive. Defaults 10 s and 60 s. */
  headMs?: number;
  arrivalMs?: number;
  /** Mounts further routes; they stand behind the same checks. */
  mount?: (app: ServeApp) => void;
}

export interface RunningServer {
  url: string;
  port: number;
  app: ServeApp;
  /** Resolves when the last answer is out (or `drainMs` is over), the models are closed and the port is free. */
  stop(): Promise<void>;
}

const SHORTEST_TOKEN = 16;

/** Who could ask: settled before a model is loaded. @throws {ConfigError} SERVE_TOKEN_REQUIRED, SERVE_TOKEN_WEAK. */
export function checkAccess(host: string, token: string | undefined): void {
  if (token === undefined && !isLoopback(host))
    throw new ConfigError("SERVE_TOKEN_REQUIRED", {
      message: `${host} can be reached from other machines, and no token is set`,
      where: "meditron serve",
      remedy: "set MEDITRON_SERVE_TOKEN to a long random text (openssl rand -hex 32), or keep to 127.0.0.1",
    });
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    throw new ConfigError("SERVE_TOKEN_WEAK", {
      message: `the token has ${token.length} characters`,
      where: "meditron serve",
      remedy: `take at least ${SHORTEST_TOKEN}: openssl rand -hex 32`,
    });
}

/** @throws {ConfigError} as `checkAccess`, and SERVE_ADDRESS. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8080, drainMs = 30_000, token, mount } = options;
  checkAccess(host, token);
  const serveApp = createApp(options);
  mount?.(serveApp);
  const server = await listen(serveApp, host, port, options);
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  let stopping: Promise<void> | undefined;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    app: serveApp,
    stop: () => {
      stopping ??= drain(server, serveApp, options, drainMs);
      return stopping;
    },
  };
}

function listen({ app }: ServeApp, host: string, port: number, options: ServerOptions): Promise<Server> {
  const { headMs = 10_000, arrivalMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: app.fetch,
        hostname: host,
        port,
        serverOptions: {
          headersTimeout: headMs,
          requestTimeout: arrivalMs,
          connectionsCheckingInterval: Math.min(1_000, headMs),
          keepAliveTimeout: 5_000,
          maxHeaderSize: 16 << 10,
        },
      },
      () => resolve(server),
    ) as Server;
    server.maxConnections = 4096;
    server.once("error", (error: NodeJS.ErrnoException) => {
      const known = error.code === "EADDRINUSE" || error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND";
      reject(
        known
          ? new ConfigError("SERVE_ADDRESS", {
              message: `cannot listen on ${host}:${port} (${error.code})`,
              where: "meditron serve",
              remedy: "name another --port or --host, or stop the server that has it",
              cause: error,
            })
          : fromSystemError(error, `${host}:${port}`, "listening"),
      );
    });
  });
}

async function drain(server: Server, { serving }: ServeApp, { models }: ServerOptions, drainMs: number): Promise<void> {
  const isIdle = serving.admission.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, drainMs);
  });
  await Promise.race([isIdle, isLate]);
  clearTimeout(timer);
  for (const exchange of serving.exchanges) exchange.abort(new HttpProblem(503, "draining", "the server is stopping"));
  // Answers that are written may still be on their way.
  const grace = setTimeout(() => server.closeAllConnections(), 2_000);
  server.closeIdleConnections();
  await closed;
  clearTimeout(grace);
  await Promise.all(models.map(async (served) => (served.kind === "local" ? served.model.close() : undefined)));
}

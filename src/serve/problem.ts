/** Failures as an OpenAI client expects them: a status and `{ error: { message, type, param, code } }`. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { CancelledError, ConfigError, DataError, type MeditronError, RetryableError } from "../core/index.ts";

export class HttpProblem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly param: string | null;
  /** Sent as Retry-After, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    extras: { param?: string; retryAfter?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = extras.param ?? null;
    this.retryAfter = extras.retryAfter;
  }
}

const TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "invalid_request_error",
  415: "invalid_request_error",
  429: "rate_limit_error",
};

/** What a client may know of any failure. An unexpected one keeps its details for the log. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof CancelledError) return new HttpProblem(503, "cancelled", "the request was stopped");
  if (error instanceof RetryableError) return new HttpProblem(502, error.code, plain(error), { retryAfter: 1 });
  if (error instanceof DataError) {
    const code = error.code === "MODEL_CONTEXT" ? "context_length_exceeded" : error.code;
    return new HttpProblem(400, code, plain(error));
  }
  if (error instanceof ConfigError) return new HttpProblem(400, error.code, plain(error));
  return new HttpProblem(500, "internal_error", "the server failed on this request; its log says more");
}

const plain = ({ message, remedy }: MeditronError) => (remedy ? `${message} (${remedy})` : message);

export function problemBody(problem: HttpProblem): { error: object } {
  const { status, code, param, message } = problem;
  return {
    error: { message, type: TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error"), param, code },
  };
}

export function respondWithProblem(c: Context, problem: HttpProblem): Response {
  if (problem.retryAfter !== undefined) c.header("Retry-After", String(problem.retryAfter));
  // What is left of the body is not read, so the connection cannot serve another request.
  if (problem.status === 413) c.header("Connection", "close");
  if (problem.status === 401) c.header("WWW-Authenticate", "Bearer");
  return c.json(problemBody(problem), problem.status);
}

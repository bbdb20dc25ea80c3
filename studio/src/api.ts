/** The server's answers as values, and its refusals as errors that a person can act on. */
import { useCallback, useEffect, useRef, useState } from "react";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string | undefined;
  readonly fields: Record<string, unknown>;

  constructor(status: number, body: { code?: string; message?: string; remedy?: string }) {
    super(body.message ?? `the server answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.remedy = body.remedy;
    this.fields = body as Record<string, unknown>;
  }
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, {
      code: "OFFLINE",
      message: "the server does not answer",
      remedy: "is `meditron studio` still running? The page goes on as soon as it is",
    });
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as {
      error?: { code?: string; message?: string; remedy?: string };
    };
    throw new ApiError(response.status, body.error ?? {});
  }
  return response;
}

export async function getJson<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}

export async function sendJson<T>(method: string, path: string, body: unknown, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  headers.set("content-type", "application/json");
  return getJson<T>(path, { ...init, method, headers, body: JSON.stringify(body) });
}

/** A path with its parts and query encoded; undefined and empty values are left out. */
export function url(parts: string[], query: Record<string, string | number | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== "") search.set(key, String(value));
  const text = search.toString();
  return `/api/${parts.map(encodeURIComponent).join("/")}${text && `?${text}`}`;
}

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  reload(): void;
}

/** Loads a path and again when it changes; what was shown stays until the new value is there. */
export function useApi<T>(path: string | undefined): Loaded<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: Error }>({});
  const [round, setRound] = useState(0);
  const roundRef = useRef(0);
  roundRef.current = round;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round loads the same path again
  useEffect(() => {
    if (path === undefined) return;
    const controller = new AbortController();
    getJson<T>(path, { signal: controller.signal }).then(
      (data) => setState({ path, data }),
      (error: Error) => {
        if (!controller.signal.aborted) setState((before) => ({ ...before, path, error }));
      },
    );
    return () => controller.abort();
  }, [path, round]);
  const reload = useCallback(() => setRound((value) => value + 1), []);
  const current = state.path === path;
  return {
    data: state.data,
    error: current ? state.error : undefined,
    loading: path !== undefined && !current,
    reload,
  };
}

/** Server-sent events over fetch, which says why a connection fails. Reconnects from the last id until the signal. */
export async function readEvents(
  path: (lastId: string | undefined) => string,
  onEvent: (data: unknown) => void,
  signal: AbortSignal,
  onConnection: (connected: boolean) => void = () => {},
): Promise<void> {
  let lastId: string | undefined;
  for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, 10_000)) {
    try {
      const response = await request(path(lastId), { signal, headers: { accept: "text/event-stream" } });
      onConnection(true);
      for await (const message of parseEvents(response.body!)) {
        waitMs = 500;
        if (message.id !== undefined) lastId = message.id;
        if (message.data !== "") onEvent(JSON.parse(message.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    onConnection(false);
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
}

/** The messages of a text/event-stream body. */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id?: string; event?: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let pending = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      pending += value.replaceAll("\r\n", "\n");
      for (let end = pending.indexOf("\n\n"); end !== -1; end = pending.indexOf("\n\n")) {
        const message: { id?: string; event?: string; data: string } = { data: "" };
        const lines: string[] = [];
        for (const line of pending.slice(0, end).split("\n")) {
          if (line.startsWith("data:")) lines.push(line.slice(5).trimStart());
          else if (line.startsWith("id:")) message.id = line.slice(3).trim();
          else if (line.startsWith("event:")) message.event = line.slice(6).trim();
        }
        message.data = lines.join("\n");
        pending = pending.slice(end + 2);
        yield message;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

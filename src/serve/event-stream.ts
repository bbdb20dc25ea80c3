/** Server-sent events: each write waits until the client takes it, and a client that takes nothing is let go. */

export type SendEvents = (data: string[]) => Promise<void>;

/**
 * @param write - sends events until it returns. What it throws ends the connection.
 * @param stallMs - longest wait for the client to take what was sent.
 */
export function eventStream(stallMs: number, write: (send: SendEvents) => Promise<void>): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const send: SendEvents = async (data) => {
    if (data.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the client takes nothing")), stallMs);
    });
    try {
      const text = data.map((one) => `data: ${one}\n\n`).join("");
      await Promise.race([writer.write(encoder.encode(text)), stalled]);
    } finally {
      clearTimeout(timer);
    }
  };
  write(send).then(
    () => writer.close().catch(() => {}),
    (error) => writer.abort(error).catch(() => {}),
  );
  return new Response(readable, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // nginx would hold events back.
      "x-accel-buffering": "no",
    },
  });
}

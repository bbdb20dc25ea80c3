/** A run that goes on: its new events as they are written. */
import { useEffect, useRef, useState } from "react";
import type { RunEvent } from "../../src/run/events.ts";
import { readEvents, url } from "./api.ts";

export interface Batch {
  events: RunEvent[];
  live: boolean;
}

/** Calls back for each batch of new events, at most every `everyMs`. @returns whether the line to the server stands. */
export function useRunEvents(
  run: string | undefined,
  offset: number | undefined,
  onBatch: (batch: Batch) => void,
  everyMs = 1000,
): boolean {
  const [connected, setConnected] = useState(false);
  const callback = useRef(onBatch);
  callback.current = onBatch;
  const from = useRef(offset);
  from.current ??= offset;
  const ready = run !== undefined && offset !== undefined;
  useEffect(() => {
    if (!ready) return;
    const controller = new AbortController();
    let waiting: Batch | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      if (!waiting) return;
      const batch = waiting;
      waiting = undefined;
      callback.current(batch);
      timer = setTimeout(flush, everyMs);
    };
    readEvents(
      (lastId) => url(["runs", run!, "events"], { after: lastId ?? from.current }),
      (data) => {
        const { events, live } = data as Batch;
        waiting = { events: [...(waiting?.events ?? []), ...events], live };
        if (timer === undefined) flush();
      },
      controller.signal,
      setConnected,
    ).catch(() => setConnected(false));
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [run, ready, everyMs]);
  return connected;
}

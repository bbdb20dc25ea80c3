/** Progress of long work on stderr: a live line on a terminal, a plain line every few seconds in a pipe. */
import { formatCount, formatDuration, formatPercent } from "./units.ts";

export interface Progress {
  /** Adds finished units (documents, tokens, items). */
  add(units: number): void;
  /** Free text behind the figures ("loss 3.28"). */
  note(text: string): void;
  /** Ends the line and states the total. */
  end(): void;
}

export interface ProgressOptions {
  label: string;
  unit: string;
  /** Units in all, when known: gives percent and ETA. */
  total?: number | undefined;
  /** Units done by an earlier run that this one resumes. */
  start?: number | undefined;
  stream?: NodeJS.WriteStream | undefined;
}

const LIVE_MS = 200;
const PLAIN_MS = 10_000;

/** Starts a progress line. `MEDITRON_PROGRESS=off` silences it. */
export function startProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr;
  if (process.env.MEDITRON_PROGRESS === "off") return { add() {}, note() {}, end() {} };
  const live = stream.isTTY === true;
  const startedMs = Date.now();
  const first = options.start ?? 0;
  let done = first;
  let note = "";
  let shownMs = live ? 0 : startedMs;

  const line = (final: boolean): string => {
    const seconds = Math.max((Date.now() - startedMs) / 1000, 1e-3);
    const rate = (done - first) / seconds;
    const share = options.total ? `/${formatCount(options.total)} (${formatPercent(done / options.total)})` : "";
    const eta = final
      ? ` | in ${formatDuration(seconds)}`
      : options.total && rate > 0
        ? ` | eta ${formatDuration((options.total - done) / rate)}`
        : "";
    return `${options.label} ${formatCount(done)}${share} ${options.unit} | ${formatCount(Math.round(rate))} ${options.unit}/s${eta}${note ? ` | ${note}` : ""}`;
  };
  const show = (final: boolean) => {
    shownMs = Date.now();
    if (live) stream.write(`\r\x1b[2K${line(final)}${final ? "\n" : ""}`);
    else stream.write(`${line(final)}\n`);
  };
  const tick = () => {
    if (Date.now() - shownMs >= (live ? LIVE_MS : PLAIN_MS)) show(false);
  };
  return {
    add(units) {
      done += units;
      tick();
    },
    note(text) {
      note = text;
    },
    end() {
      show(true);
    },
  };
}

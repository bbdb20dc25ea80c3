/** Small parts that every page uses: cards, figures, badges, and the three states that are no data. */
import { type ReactNode, useEffect, useState } from "react";
import { ApiError, type Loaded } from "../api.ts";
import { Icon, type IconName } from "./icons.tsx";

export function PageHead({
  title,
  crumbs,
  children,
  actions,
}: {
  title: string;
  crumbs?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Meditron Studio`;
  }, [title]);
  return (
    <header className="page-head">
      <div className="titles">
        {crumbs && <div className="crumbs">{crumbs}</div>}
        <h1>{title}</h1>
        {children && <p>{children}</p>}
      </div>
      {actions && <div className="row">{actions}</div>}
    </header>
  );
}

export function Card({
  title,
  actions,
  children,
  flush = false,
  id,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  id?: string;
}) {
  return (
    <section className="card" id={id}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export function Figures({ children }: { children: ReactNode }) {
  return <dl className="figures">{children}</dl>;
}

export function Figure({ label, children, note }: { label: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>
        {children} {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

export type Tone = "good" | "warn" | "bad" | "info" | "accent" | "plain";

export function Badge({
  tone = "plain",
  icon,
  children,
  title,
}: {
  tone?: Tone;
  icon?: IconName;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span className={`badge ${tone}`} title={title}>
      {icon && <Icon name={icon} size={13} />}
      {children}
    </span>
  );
}

const states: Record<string, { tone: Tone; icon: IconName; label: string }> = {
  waiting: { tone: "plain", icon: "clock", label: "waiting" },
  running: { tone: "info", icon: "dot", label: "running" },
  finished: { tone: "good", icon: "check", label: "finished" },
  skipped: { tone: "good", icon: "skip", label: "up to date" },
  failed: { tone: "bad", icon: "cross", label: "failed" },
  stopped: { tone: "warn", icon: "stop", label: "stopped" },
};

export function StateBadge({ state }: { state: string }) {
  const { tone, icon, label } = states[state] ?? states.waiting!;
  return (
    <span className={`badge ${tone}`}>
      <Icon name={icon} size={13} {...(state === "running" ? { className: "pulse" } : {})} />
      {label}
    </span>
  );
}

/** The state of a stage where a badge would be too wide. */
export function StateIcon({ state }: { state: string }) {
  const { tone, icon, label } = states[state] ?? states.waiting!;
  return (
    <span className={`state-icon ${tone}`} title={label}>
      <Icon name={icon} size={14} {...(state === "running" ? { className: "pulse" } : {})} />
      <span className="sr-only">{label}</span>
    </span>
  );
}

export function Empty({ title, children, icon = "empty" }: { title: string; children?: ReactNode; icon?: IconName }) {
  return (
    <div className="state">
      <Icon name={icon} size={32} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: Error; retry?: (() => void) | undefined }) {
  const known = error instanceof ApiError ? error : undefined;
  if (known?.status === 401) return <SignIn />;
  return (
    <div className="state bad" role="alert">
      <Icon name="warning" size={32} />
      <h2>{known?.status === 404 ? "Not found" : known?.status === 0 ? "No connection" : "That did not work"}</h2>
      <p>{error.message}</p>
      {known?.remedy && <p className="muted">{known.remedy}</p>}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** The server listens beyond this machine and wants its token. */
function SignIn() {
  const [token, setToken] = useState("");
  return (
    <form
      className="state"
      onSubmit={(event) => {
        event.preventDefault();
        // The server answers with a cookie that scripts cannot read, and leads back to the page.
        location.assign(`/api/session?token=${encodeURIComponent(token.trim())}`);
      }}
    >
      <Icon name="shield" size={32} />
      <h2>Access token</h2>
      <p>This Studio is reachable from other machines, so it asks for the token that its server was started with.</p>
      <label className="field">
        <span>Token</span>
        <input
          type="password"
          autoComplete="current-password"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      </label>
      <button type="submit" className="button primary" disabled={token.trim() === ""}>
        Open the Studio
      </button>
    </form>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div className="stack" role="status" aria-label="loading">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines without identity
        <div key={line} className="skeleton" style={{ width: `${[92, 70, 84, 58, 76][line % 5]}%` }} />
      ))}
    </div>
  );
}

/** What a page shows of a request: its value, a skeleton before the first one, or why there is none. */
export function Await<T>({
  of,
  lines,
  children,
}: {
  of: Loaded<T>;
  lines?: number;
  children: (value: T) => ReactNode;
}) {
  if (of.error && (of.data === undefined || of.error instanceof ApiError))
    return <ErrorState error={of.error} retry={of.reload} />;
  if (of.data === undefined) return <Skeleton {...(lines === undefined ? {} : { lines })} />;
  return children(of.data);
}

/** One of a few, shown side by side. */
export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset className="segments">
      <legend className="sr-only">{label}</legend>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

export type Option = string | { value: string; text: string; group: string };

export function Choice({
  label,
  value,
  options,
  onChange,
  any,
}: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  any?: string;
}) {
  const one = (option: Option) => {
    const { value: key, text } = typeof option === "string" ? { value: option, text: option } : option;
    return (
      <option key={key} value={key}>
        {text}
      </option>
    );
  };
  const groups = [...new Set(options.map((option) => (typeof option === "string" ? "" : option.group)))];
  const of = (group: string) =>
    options.filter((option) => (typeof option === "string" ? "" : option.group) === group).map(one);
  return (
    <label className="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {any !== undefined && <option value="">{any}</option>}
        {groups.map((group) =>
          group === "" ? (
            of(group)
          ) : (
            <optgroup key={group} label={group}>
              {of(group)}
            </optgroup>
          ),
        )}
      </select>
    </label>
  );
}

/** Shares of a whole as bars, largest first. */
export function Bars({
  counts,
  format,
  onPick,
  limit = 12,
}: {
  counts: Record<string, number>;
  format: (count: number) => string;
  onPick?: (name: string) => void;
  limit?: number;
}) {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  const most = entries[0]?.[1] ?? 1;
  if (entries.length === 0) return <p className="muted small">none</p>;
  return (
    <ul className="bars">
      {entries.slice(0, limit).map(([name, count]) => (
        <li key={name}>
          {onPick ? (
            <button
              type="button"
              className="name clip"
              onClick={() => onPick(name)}
              title={`show the documents of ${name || "not stated"}`}
            >
              {name || "not stated"}
            </button>
          ) : (
            <span className="clip" title={name}>
              {name || "not stated"}
            </span>
          )}
          <span className="bar" aria-hidden="true">
            <i style={{ width: `${(100 * count) / most}%` }} />
          </span>
          <span className="muted nowrap">
            {format(count)} · {((100 * count) / total).toFixed(count === total ? 0 : 1)}%
          </span>
        </li>
      ))}
      {entries.length > limit && <li className="muted">and {entries.length - limit} more</li>}
    </ul>
  );
}

/** Copies text, and says so. */
export function CopyButton({
  text,
  label = "Copy",
  disabled = false,
}: {
  text: string | (() => string);
  label?: string;
  disabled?: boolean;
}) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className="button"
      disabled={disabled}
      onClick={async () => {
        await copyText(typeof text === "string" ? text : text());
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      }}
    >
      <Icon name={done ? "check" : "copy"} size={15} />
      <span aria-live="polite">{done ? "Copied" : label}</span>
    </button>
  );
}

/** The clipboard needs a secure origin; on a plain http address of the local network the old way still works. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function download(name: string, content: BlobPart, type = "application/json"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

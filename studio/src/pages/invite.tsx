import { useCallback, useEffect, useRef, useState } from "react";
import {
  emptyReview,
  missingParts,
  preferenceNames,
  preferences,
  type ReviewBody,
} from "../../../src/serve/review-criteria.ts";
import type { GuestTask, GuestView } from "../../../src/serve/studio-types.ts";
import { ApiError, getJson, sendJson } from "../api.ts";
import { Badge, Empty, ErrorState, Skeleton } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { useQuery } from "../router.tsx";
import { JudgementForm } from "./invite-judgement.tsx";

const SECRET = "invite";

/** The secret stands behind the # of the link, which no server sees. It stays in this tab, so that a reload goes on. */
function secretOfLink(): string {
  const given = location.hash.slice(1);
  if (given !== "") {
    sessionStorage.setItem(SECRET, given);
    return given;
  }
  return sessionStorage.getItem(SECRET) ?? "";
}

/** What could not be saved yet, kept in this browser until it is. */
const unsavedKey = (secret: string, task: number) => `unsaved ${secret.slice(0, 12)} ${task}`;

/** A clinician's own page: one task after the other, saved as it is typed. */
export function InvitePage() {
  const [secret] = useState(secretOfLink);
  const [view, setView] = useState<GuestView>();
  const [error, setError] = useState<Error>();
  const [query, setQuery] = useQuery();
  const load = useCallback(() => {
    getJson<GuestView>("/api/invite", { headers: { "x-invite": secret } }).then((value) => {
      setView(value);
      setError(undefined);
    }, setError);
  }, [secret]);
  useEffect(load, [load]);
  useEffect(() => {
    document.title = `${view?.set.name ?? "Review"} · Meditron`;
  }, [view]);
  if (error) return <ErrorState error={error} retry={load} />;
  if (!view) return <Skeleton lines={8} />;
  const done = view.tasks.filter(({ state }) => state === "done").length;
  const first = view.tasks.findIndex(({ state }) => state !== "done");
  const asked = view.tasks.findIndex(({ id }) => String(id) === query.task);
  const number = Math.max(0, asked >= 0 ? asked : first);
  const go = (to: number) => {
    setQuery({ task: String(view.tasks[to]!.id) }, true);
    scrollTo(0, 0);
  };
  if (view.tasks.length === 0)
    return (
      <Empty title="Nothing to review yet" icon="clock">
        The answers are still being written. Come back in a while.
      </Empty>
    );
  return (
    <div className="review">
      <header className="review-head">
        <div className="grow">
          <h1>{view.set.name}</h1>
          <p className="small muted">
            {view.reviewer.name} · {done} of {view.tasks.length} done
          </p>
        </div>
        <span className="bar progress" role="img" aria-label={`${done} of ${view.tasks.length} done`}>
          <i style={{ width: `${(100 * done) / view.tasks.length}%` }} />
        </span>
      </header>
      {view.set.instructions && <p className="instructions">{view.set.instructions}</p>}
      {view.set.closed && (
        <div className="notice warn">
          <Icon name="warning" /> This review set is closed. Nothing further is taken.
        </div>
      )}
      {done === view.tasks.length && (
        <div className="notice" role="status">
          <Icon name="check" /> All done: thank you. You may still go back and change what you wrote.
        </div>
      )}
      <nav className="task-nav" aria-label="tasks">
        <button type="button" className="button" disabled={number === 0} onClick={() => go(number - 1)}>
          <Icon name="back" size={16} /> <span className="wide-only">Previous</span>
        </button>
        <label className="row tight">
          <span className="small muted">task</span>
          <select value={number} onChange={(event) => go(Number(event.target.value))} aria-label="task">
            {view.tasks.map(({ id, state }, i) => (
              <option key={id} value={i}>
                {i + 1} of {view.tasks.length}
                {state === "done" ? " ✓" : state === "draft" ? " (begun)" : ""}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="button"
          disabled={number === view.tasks.length - 1}
          onClick={() => go(number + 1)}
        >
          <span className="wide-only">Next</span> <Icon name="forward" size={16} />
        </button>
      </nav>
      <TaskView
        key={view.tasks[number]!.id}
        secret={secret}
        id={view.tasks[number]!.id}
        set={view.set}
        onState={(id, state) =>
          setView(
            (before) =>
              before && { ...before, tasks: before.tasks.map((one) => (one.id === id ? { id, state } : one)) },
          )
        }
        onNext={() => {
          const next = view.tasks.findIndex(({ state }, i) => i > number && state !== "done");
          const other = view.tasks.findIndex(({ state }, i) => i !== number && state !== "done");
          if (next >= 0 || other >= 0) go(next >= 0 ? next : other);
        }}
      />
    </div>
  );
}

type Saving = "saved" | "saving" | "typing" | "offline" | "conflict";

function TaskView({
  secret,
  id,
  set,
  onState,
  onNext,
}: {
  secret: string;
  id: number;
  set: GuestView["set"];
  onState: (id: number, state: GuestTask["state"]) => void;
  onNext: () => void;
}) {
  const [task, setTask] = useState<GuestTask>();
  const [body, setBody] = useState<ReviewBody>(emptyReview);
  const [error, setError] = useState<Error>();
  const [saving, setSaving] = useState<Saving>("saved");
  const [problem, setProblem] = useState<string>();
  const [showsReference, setShowsReference] = useState(false);
  const revision = useRef(0);
  const latest = useRef(body);
  latest.current = body;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const headers = { "x-invite": secret };
  const path = `/api/invite/tasks/${id}`;
  const kept = unsavedKey(secret, id);

  const load = useCallback(() => {
    getJson<GuestTask>(path, { headers: { "x-invite": secret } }).then((value) => {
      setTask(value);
      revision.current = value.revision;
      // What this browser could not send before a reload comes first.
      const unsent = readUnsent(kept);
      const next = unsent && unsent.revision === value.revision ? unsent.body : value.body;
      setBody(next);
      if (next !== value.body) scheduleRef.current(next);
      setError(undefined);
      setSaving("saved");
    }, setError);
  }, [path, secret, kept]);

  /** One save after the other, so that revisions follow each other. @returns whether it was taken. */
  const save = (state: "draft" | "done", value: ReviewBody): Promise<boolean> => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const run = async (): Promise<boolean> => {
      setSaving("saving");
      try {
        const answer = await sendJson<{ revision: number }>(
          "PUT",
          path,
          { state, revision: revision.current, body: value },
          { headers, keepalive: true },
        );
        revision.current = answer.revision;
        setProblem(undefined);
        setSaving(latest.current === value ? "saved" : "typing");
        if (latest.current === value) localStorage.removeItem(kept);
        onState(id, state);
        return true;
      } catch (failure) {
        const known = failure instanceof ApiError ? failure : undefined;
        setProblem((failure as Error).message);
        if (known?.status === 409) setSaving("conflict");
        else if (known?.status === 0 || known?.status === 429 || (known?.status ?? 0) >= 500) {
          setSaving("offline");
          timer.current = setTimeout(() => void save(state, latest.current), 3000);
        } else setSaving("typing");
        return false;
      }
    };
    const next = queue.current.then(run, run);
    queue.current = next;
    return next;
  };
  const schedule = (value: ReviewBody) => {
    setSaving("typing");
    try {
      localStorage.setItem(kept, JSON.stringify({ revision: revision.current, body: value }));
    } catch {} // storage may be switched off
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void save("draft", latest.current), 500);
  };
  const scheduleRef = useRef(schedule);
  scheduleRef.current = schedule;
  const saveRef = useRef(save);
  saveRef.current = save;

  useEffect(load, [load]);
  // Leaving the task or the page sends what is still waiting.
  useEffect(() => {
    const flush = () => {
      if (timer.current !== undefined) void saveRef.current("draft", latest.current);
    };
    addEventListener("pagehide", flush);
    return () => {
      removeEventListener("pagehide", flush);
      flush();
    };
  }, []);

  if (error) return <ErrorState error={error} retry={load} />;
  if (!task) return <Skeleton lines={10} />;
  const change = (next: ReviewBody) => {
    setBody(next);
    latest.current = next;
    scheduleRef.current(next);
  };
  const missing = missingParts(body, set.kind, set.criteria);
  const closed = set.closed !== null;
  const submit = async () => {
    if (await save("done", latest.current)) {
      setTask((before) => before && { ...before, state: "done" });
      onNext();
    }
  };
  const sides = task.right === null ? (["left"] as const) : (["left", "right"] as const);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <section className="card padded stack tight" aria-label="question">
        <div className="row">
          <span className="label grow">question</span>
          {task.subject && <Badge>{task.subject}</Badge>}
        </div>
        <p className="prose strong">{task.prompt}</p>
        {task.reference && (
          <div>
            <button
              type="button"
              className="linklike small"
              aria-expanded={showsReference}
              onClick={() => setShowsReference((shown) => !shown)}
            >
              {showsReference ? "Hide" : "Show"} what a good answer does
            </button>
            {showsReference && <p className="prose small muted">{task.reference}</p>}
          </div>
        )}
      </section>
      <div className="sides" data-sides={sides.length}>
        {sides.map((side) => (
          <section
            key={side}
            className="card"
            aria-label={task.right === null ? "answer" : side === "left" ? "answer A" : "answer B"}
          >
            <header className="padded">
              <h2>{task.right === null ? "Answer" : side === "left" ? "Answer A" : "Answer B"}</h2>
            </header>
            <div className="prose answer-text">
              {(side === "left" ? task.left : task.right) || <span className="muted">(the model wrote nothing)</span>}
            </div>
            <JudgementForm
              name={`${id}-${side}`}
              criteria={set.criteria}
              judgement={body[side]}
              disabled={closed}
              onChange={(judgement) => change({ ...body, [side]: judgement })}
            />
          </section>
        ))}
      </div>
      {task.right !== null && (
        <fieldset className="card padded preference" disabled={closed}>
          <legend className="label">Which answer is better, all in all?</legend>
          <div className="likert wide">
            {preferences.map((value) => (
              <label key={value}>
                <input
                  type="radio"
                  name={`${id}-preference`}
                  checked={body.preference === value}
                  onChange={() => change({ ...body, preference: value })}
                />
                <span>{preferenceNames[value]}</span>
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <label className="field card padded">
        <span>Anything else on this task</span>
        <textarea
          rows={3}
          value={body.comment}
          disabled={closed}
          onChange={(event) => change({ ...body, comment: event.target.value })}
        />
      </label>
      <footer className="review-foot">
        <SaveState saving={saving} problem={problem} onReload={load} onKeep={() => void keepMine()} />
        <span className="grow small muted">
          {missing.length === 0 ? (
            task.state === "done" ? (
              "Handed in."
            ) : (
              "Complete."
            )
          ) : (
            <details>
              <summary>Still open</summary>
              {missing.join("; ")}
            </details>
          )}
        </span>
        <button type="submit" className="button primary" disabled={closed || missing.length > 0}>
          <Icon name="check" size={16} /> {task.state === "done" ? "Hand in again" : "Hand in"}
        </button>
      </footer>
    </form>
  );

  /** Another window saved something else: ours goes on top of it (what it replaces is kept by the server when it was handed in). */
  async function keepMine() {
    const current = await getJson<GuestTask>(path, { headers });
    revision.current = current.revision;
    await save("draft", latest.current);
  }
}

function readUnsent(key: string): { revision: number; body: ReviewBody } | undefined {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as { revision: number; body: ReviewBody });
  } catch {
    return undefined;
  }
}

function SaveState({
  saving,
  problem,
  onReload,
  onKeep,
}: {
  saving: Saving;
  problem: string | undefined;
  onReload: () => void;
  onKeep: () => void;
}) {
  return (
    <span className="row tight" role="status">
      {saving === "saved" && (
        <Badge tone="good" icon="check">
          saved
        </Badge>
      )}
      {(saving === "saving" || saving === "typing") && !problem && <Badge icon="dot">saving</Badge>}
      {saving === "typing" && problem && <Badge tone="bad">{problem}</Badge>}
      {saving === "offline" && (
        <Badge tone="warn" icon="warning">
          not sent yet; kept in this browser, trying again
        </Badge>
      )}
      {saving === "conflict" && (
        <>
          <Badge tone="warn" icon="warning">
            changed in another window
          </Badge>
          <button type="button" className="button" onClick={onReload}>
            Take the other
          </button>
          <button type="button" className="button" onClick={onKeep}>
            Keep this one
          </button>
        </>
      )}
    </span>
  );
}

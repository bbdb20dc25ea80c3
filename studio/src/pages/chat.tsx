import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { ModelEntry } from "../../../src/serve/studio-types.ts";
import { parseEvents, request, sendJson, useApi } from "../api.ts";
import { Await, Card, Choice, CopyButton, download, Empty, PageHead } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { useQuery } from "../router.tsx";
import { type Answer, AnswerView } from "./chat-answer.tsx";

interface Turn {
  question: string;
  /** By model, in the order of the columns. */
  answers: Record<string, Answer>;
}

interface Sampling {
  temperature: number;
  topP: number;
  maxTokens: number;
  samples: number;
  seed: string;
  system: string;
}

const defaults: Sampling = { temperature: 0.7, topP: 1, maxTokens: 256, samples: 1, seed: "", system: "" };
const KEPT = "studio-chat";

function remembered(): { turns: Turn[]; sampling: Sampling } {
  try {
    const value = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as { turns?: Turn[]; sampling?: Partial<Sampling> };
    // What was being written when the page went away has ended there.
    const turns = (value.turns ?? []).map((turn) => ({
      ...turn,
      answers: Object.fromEntries(
        Object.entries(turn.answers).map(([model, answer]) => [
          model,
          answer.state === "done" || answer.state === "failed" ? answer : { ...answer, state: "stopped" as const },
        ]),
      ),
    }));
    return { turns, sampling: { ...defaults, ...value.sampling } };
  } catch {
    return { turns: [], sampling: defaults };
  }
}

/** Talk to one model, or to two side by side. */
export function ChatPage() {
  const models = useApi<ModelEntry[]>("/api/models");
  return (
    <>
      <PageHead title="Chat">
        Ask a model of your runs, or two side by side. What they say may be wrong, whatever it sounds like.
      </PageHead>
      <Await of={models} lines={8}>
        {(list) =>
          list.length === 0 ? (
            <Card>
              <Empty title="No model to talk to" icon="chat">
                A training of your runs that has saved a checkpoint appears here; so does a model named on the command
                line (<code>meditron studio name=path</code>).
              </Empty>
            </Card>
          ) : (
            <Conversation models={list} />
          )
        }
      </Await>
    </>
  );
}

function Conversation({ models }: { models: ModelEntry[] }) {
  const [query, setQuery] = useQuery();
  const ids = models.map(({ id }) => id);
  const first =
    query.model && ids.includes(query.model) ? query.model : (ids.find((id) => id.endsWith("/finetuned")) ?? ids[0]!);
  const second = query.beside && ids.includes(query.beside) && query.beside !== first ? query.beside : undefined;
  const columns = second === undefined ? [first] : [first, second];
  const [{ turns, sampling }, setKept] = useState(remembered);
  const [draft, setDraft] = useState("");
  const [cards, setCards] = useState<Record<string, { advisory: string }>>({});
  const running = useRef<AbortController | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ turns: turns.slice(-50), sampling }));
    } catch {} // storage may be full or switched off
  }, [turns, sampling]);
  useEffect(() => () => running.current?.abort(), []);

  const set = (change: Partial<Sampling>) =>
    setKept((before) => ({ ...before, sampling: { ...before.sampling, ...change } }));
  const update = (index: number, model: string, change: (answer: Answer) => Answer) =>
    setKept((before) => ({
      ...before,
      turns: before.turns.map((turn, i) =>
        i === index ? { ...turn, answers: { ...turn.answers, [model]: change(turn.answers[model]!) } } : turn,
      ),
    }));

  const ask = async () => {
    const question = draft.trim();
    if (question === "" || busy) return;
    const controller = new AbortController();
    running.current = controller;
    setBusy(true);
    setDraft("");
    const index = turns.length;
    const blank: Answer = { texts: Array.from({ length: sampling.samples }, () => ""), state: "waiting" };
    setKept((before) => ({
      ...before,
      turns: [...before.turns, { question, answers: Object.fromEntries(columns.map((model) => [model, blank])) }],
    }));
    requestAnimationFrame(() => end.current?.scrollIntoView({ block: "end" }));
    await Promise.all(
      columns.map(async (model) => {
        const startMs = performance.now();
        try {
          const card = await sendJson<{ advisory: string }>(
            "POST",
            "/api/models",
            { id: model },
            { signal: controller.signal },
          );
          setCards((before) => ({ ...before, [model]: card }));
          const history = turns.flatMap((turn) => {
            const said = turn.answers[model]?.texts[0];
            return said
              ? [
                  { role: "user", content: turn.question },
                  { role: "assistant", content: said },
                ]
              : [];
          });
          const messages = [
            ...(sampling.system ? [{ role: "system", content: sampling.system }] : []),
            ...history,
            { role: "user", content: question },
          ];
          const body = {
            model,
            messages,
            stream: true,
            n: sampling.samples,
            temperature: sampling.temperature,
            top_p: sampling.topP,
            max_tokens: sampling.maxTokens,
            ...(sampling.seed === "" ? {} : { seed: Number(sampling.seed) }),
          };
          const response = await request("/v1/chat/completions", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
            signal: controller.signal,
          });
          update(index, model, (answer) => ({ ...answer, state: "writing" }));
          for await (const { data } of parseEvents(response.body!)) {
            if (data === "[DONE]") break;
            const chunk = JSON.parse(data) as {
              error?: { message: string };
              choices?: { index: number; delta?: { content?: string } }[];
            };
            if (chunk.error) throw new Error(chunk.error.message);
            for (const choice of chunk.choices ?? []) {
              const piece = choice.delta?.content;
              if (piece)
                update(index, model, (answer) => ({
                  ...answer,
                  texts: answer.texts.map((text, k) => (k === choice.index ? text + piece : text)),
                }));
            }
          }
          update(index, model, (answer) => ({ ...answer, state: "done", milliseconds: performance.now() - startMs }));
        } catch (error) {
          update(index, model, (answer) =>
            controller.signal.aborted
              ? { ...answer, state: "stopped" }
              : { ...answer, state: "failed", problem: (error as Error).message },
          );
        }
      }),
    );
    setBusy(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void ask();
    }
  };
  const shared = () => JSON.stringify({ models: columns, sampling, turns }, null, 2);

  return (
    <div className="chat">
      <section className="chat-main" aria-label="conversation">
        <div className="turns" aria-live="polite" aria-busy={busy}>
          {turns.length === 0 && (
            <Empty title="Ask something" icon="chat">
              A question with options (A. … B. …) and several samples shows how the answers vote.
            </Empty>
          )}
          {turns.map((turn, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: turns are only added at the end
            <article key={i} className="turn">
              <p className="question">{turn.question}</p>
              <div className="answers" data-columns={Math.max(1, Object.keys(turn.answers).length)}>
                {Object.entries(turn.answers).map(([model, answer]) => (
                  <AnswerView
                    key={model}
                    model={model}
                    answer={answer}
                    question={turn.question}
                    advisory={cards[model]?.advisory ?? models.find(({ id }) => id === model)?.advisory}
                  />
                ))}
              </div>
            </article>
          ))}
          <div ref={end} />
        </div>
        <form
          className="composer card"
          onSubmit={(event) => {
            event.preventDefault();
            void ask();
          }}
        >
          <label className="sr-only" htmlFor="question">
            your question
          </label>
          <textarea
            id="question"
            rows={3}
            value={draft}
            placeholder="Your question. Enter sends, Shift and Enter begin a new line."
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={onKeyDown}
          />
          <div className="row">
            <span className="grow tiny muted">No patient data: nothing here is meant for care.</span>
            {turns.length > 0 && (
              <button
                type="button"
                className="button quiet"
                disabled={busy}
                onClick={() => setKept((before) => ({ ...before, turns: [] }))}
              >
                Clear
              </button>
            )}
            {busy ? (
              <button type="button" className="button" onClick={() => running.current?.abort()}>
                <Icon name="stop" size={16} /> Stop
              </button>
            ) : (
              <button type="submit" className="button primary" disabled={draft.trim() === ""}>
                <Icon name="send" size={16} /> Send
              </button>
            )}
          </div>
        </form>
      </section>
      <aside className="card chat-side" aria-label="models and sampling">
        <div className="body stack padded">
          <Choice label="model" value={first} options={ids} onChange={(value) => setQuery({ model: value })} />
          <Choice
            label="beside it"
            any="one model only"
            value={second ?? ""}
            options={ids.filter((id) => id !== first)}
            onChange={(value) => setQuery({ model: first, beside: value })}
          />
          <Slider
            label="temperature"
            value={sampling.temperature}
            min={0}
            max={2}
            step={0.05}
            onChange={(temperature) => set({ temperature })}
          />
          <Slider
            label="top p"
            value={sampling.topP}
            min={0.05}
            max={1}
            step={0.05}
            onChange={(topP) => set({ topP })}
          />
          <Slider
            label="longest answer, tokens"
            value={sampling.maxTokens}
            min={8}
            max={2048}
            step={8}
            onChange={(maxTokens) => set({ maxTokens })}
          />
          <Slider
            label="samples (self-consistency)"
            value={sampling.samples}
            min={1}
            max={16}
            step={1}
            onChange={(samples) => set({ samples })}
          />
          <label className="field">
            <span>seed</span>
            <input
              type="number"
              min={0}
              value={sampling.seed}
              placeholder="another each time"
              onChange={(event) => set({ seed: event.target.value })}
            />
          </label>
          <label className="field">
            <span>system message</span>
            <textarea rows={3} value={sampling.system} onChange={(event) => set({ system: event.target.value })} />
          </label>
          <div className="row">
            <CopyButton text={shared} label="Copy JSON" disabled={turns.length === 0} />
            <button
              type="button"
              className="button"
              disabled={turns.length === 0}
              onClick={() => download("conversation.json", shared())}
            >
              <Icon name="download" size={15} /> Share as JSON
            </button>
          </div>
        </div>
      </aside>
    </div>
  );
}

function Slider({
  label,
  value,
  min,
  max,
  step,
  onChange,
}: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}) {
  return (
    <label className="field">
      <span className="row between">
        {label} <b>{value}</b>
      </span>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      />
    </label>
  );
}

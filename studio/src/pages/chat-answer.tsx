import { useMemo, useState } from "react";
import { extractStrict } from "../../../src/eval/scoring/extract-strict.ts";
import { Badge, CopyButton } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { Votes } from "../parts/item-view.tsx";

/** What a model said, sample by sample. */
export interface Answer {
  /** One text a sample. */
  texts: string[];
  state: "waiting" | "writing" | "done" | "stopped" | "failed";
  problem?: string;
  milliseconds?: number;
}

/** The lettered options of a question: "A. aspirin" or "(B) heparin", one a line. */
export function optionsOf(question: string): { letter: string; text: string }[] {
  return [...question.matchAll(/^\s*\(?([A-J])[.):]\s*(\S.*)$/gm)].map(([, letter, text]) => ({
    letter: letter!,
    text: text!.trim(),
  }));
}

/** One answer: how its samples vote, each of them, and the warning that stands under everything. */
export function AnswerView({
  model,
  answer,
  question,
  advisory,
}: {
  model: string;
  answer: Answer;
  question: string;
  advisory: string | undefined;
}) {
  const votes = useMemo(() => {
    if (answer.texts.length < 2) return undefined;
    const options = optionsOf(question);
    return options.length > 1
      ? answer.texts.map((text) => extractStrict(text, options, "letter") ?? null)
      : answer.texts.map((text) => text.trim().split("\n")[0]!.slice(0, 60) || null);
  }, [answer.texts, question]);
  const [shown, setShown] = useState(0);
  const text = answer.texts[shown] ?? "";
  return (
    <section className="answer card" aria-label={`answer of ${model}`}>
      <header className="row between">
        <span className="strong small">{model}</span>
        {answer.state === "waiting" && (
          <Badge tone="info" icon="dot">
            loading the model
          </Badge>
        )}
        {answer.state === "writing" && (
          <Badge tone="info" icon="dot">
            writing
          </Badge>
        )}
        {answer.state === "stopped" && <Badge tone="warn">stopped</Badge>}
        {answer.state === "done" && answer.milliseconds !== undefined && (
          <span className="tiny muted">{(answer.milliseconds / 1000).toFixed(1)} s</span>
        )}
      </header>
      {answer.problem && (
        <div className="notice bad" role="alert">
          <Icon name="warning" />
          {answer.problem}
        </div>
      )}
      {votes && answer.state !== "waiting" && <Votes votes={votes} />}
      {answer.texts.length > 1 && (
        <fieldset className="segments">
          <legend className="sr-only">sample</legend>
          {answer.texts.map((_, k) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: samples are known by their number
            <button key={k} type="button" aria-pressed={k === shown} onClick={() => setShown(k)}>
              {k + 1}
            </button>
          ))}
        </fieldset>
      )}
      <div className="prose">{text || (answer.state === "done" ? <span className="muted">(nothing)</span> : "")}</div>
      {text !== "" && (
        <footer className="row between">
          <details className="tiny muted advisory">
            <summary>Not medical advice</summary>
            {advisory ?? "This model may be wrong, outdated or biased. Do not use it for clinical decisions."}
          </details>
          <CopyButton text={text} />
        </footer>
      )}
    </section>
  );
}

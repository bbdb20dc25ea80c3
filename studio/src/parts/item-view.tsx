/** One answered item in full: prompt, options with their scores, outputs, votes, and what each parser read. */
import type { EvaluationKey, ItemDetail } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { formatPercent, formatValue, formatWhole } from "../format.ts";
import { Await, Badge, Choice } from "./basics.tsx";
import { Icon } from "./icons.tsx";

export const nameOf = ({ run, model, benchmark, label }: EvaluationKey) => `${run}/${model}/${benchmark}/${label}`;

/** One evaluation of several, by benchmark; the run is named where there are several. */
export function EvaluationChoice({
  label,
  value,
  evaluations,
  onChange,
}: {
  label: string;
  value: string;
  evaluations: EvaluationKey[];
  onChange: (value: string) => void;
}) {
  const several = new Set(evaluations.map(({ run }) => run)).size > 1;
  return (
    <Choice
      label={label}
      value={value}
      onChange={onChange}
      options={evaluations.map((one) => ({
        value: nameOf(one),
        text: `${several ? `${one.run} · ` : ""}${one.model} · ${one.label}`,
        group: one.benchmark,
      }))}
    />
  );
}

export function Verdict({ correct, prediction }: { correct: boolean; prediction: string | null }) {
  if (prediction === null) return <Badge tone="warn">no answer</Badge>;
  return (
    <Badge tone={correct ? "good" : "bad"} icon={correct ? "check" : "cross"}>
      {prediction}
      <span className="sr-only">{correct ? "right" : "wrong"}</span>
    </Badge>
  );
}

/** One answer in full. */
export function ItemView({ of, number }: { of: string; number: string }) {
  const detail = useApi<ItemDetail>(`/api/items/${encodeURIComponent(number)}?${new URLSearchParams({ of })}`);
  return (
    <div className="padded">
      <Await of={detail}>
        {({ record, question, context, options, explanation, contaminatedBy }) => {
          const scores = Object.entries(record.logLikelihoods ?? {});
          const best = Math.max(...scores.map(([, { logLikelihood }]) => logLikelihood));
          const weights = scores.map(([, { logLikelihood }]) => Math.exp(logLikelihood - best));
          const sum = weights.reduce((total, weight) => total + weight, 0);
          return (
            <article className="stack">
              <div className="row">
                <h2 className="grow">{record.id}</h2>
                {Object.entries(record.predictions).map(([rule, letter]) => (
                  <span key={rule} className="row tight">
                    <span className="tiny muted">{rule}</span>
                    <Verdict correct={record.correct[rule] ?? false} prediction={letter} />
                  </span>
                ))}
              </div>
              {contaminatedBy.length > 0 && (
                <div className="notice warn">
                  <Icon name="warning" />
                  <div>This item was found in the training corpus: {contaminatedBy.slice(0, 5).join(", ")}</div>
                </div>
              )}
              {context && <p className="prose muted">{context}</p>}
              <p className="prose strong">
                {question ?? "The benchmark's files are not here any more; the prompt below has the question."}
              </p>
              {options.length > 0 && (
                <ol className="options">
                  {options.map(({ letter, text }) => {
                    const score = record.logLikelihoods?.[letter];
                    const share = score ? Math.exp(score.logLikelihood - best) / sum : undefined;
                    return (
                      <li key={letter} className={letter === record.gold ? "gold" : ""}>
                        <span className="letter">{letter}</span>
                        <span className="grow">
                          {text}
                          {share !== undefined && (
                            <span className="bar" aria-hidden="true">
                              <i style={{ width: `${100 * share}%` }} />
                            </span>
                          )}
                        </span>
                        {score && (
                          <span className="small muted nowrap" title={`${score.tokens} tokens, ${score.bytes} bytes`}>
                            {formatValue(score.logLikelihood)} nats
                            {share !== undefined && ` · ${formatPercent(share)}`}
                          </span>
                        )}
                        {letter === record.gold && <Badge tone="good">correct answer</Badge>}
                      </li>
                    );
                  })}
                </ol>
              )}
              {record.votes && <Votes votes={record.votes} gold={record.gold} />}
              {record.outputs?.map((output, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: outputs stand in the order they were drawn
                <section key={i} className="stack tight">
                  <h3>
                    {record.outputs!.length > 1 ? `Answer ${i + 1}` : "Answer"}
                    {record.votes && <span className="muted"> votes {record.votes[i] ?? "for nothing"}</span>}
                  </h3>
                  <pre className="output">{output === "" ? "(empty)" : output}</pre>
                </section>
              ))}
              {record.overlap && (
                <p className="small">
                  token F1 {record.overlap.tokenF1.toFixed(3)} · ROUGE-L {record.overlap.rougeL.toFixed(3)}
                </p>
              )}
              {explanation && (
                <section className="stack tight">
                  <h3>Why the correct answer is right</h3>
                  <p className="prose small">{explanation}</p>
                </section>
              )}
              <details>
                <summary>
                  The prompt as the model saw it{" "}
                  {record.promptTokens !== undefined && (
                    <span className="muted">({formatWhole(record.promptTokens)} tokens)</span>
                  )}
                </summary>
                <pre className="output">{record.prompt}</pre>
              </details>
              <dl className="facts">
                <dt>subject</dt>
                <dd>{record.subject ?? "–"}</dd>
                <dt>seed</dt>
                <dd>{record.seed}</dd>
                {record.demonstrations && (
                  <>
                    <dt>demonstrations</dt>
                    <dd>{record.demonstrations.join(", ")}</dd>
                  </>
                )}
                {record.truncated && (
                  <>
                    <dt>cut to fit</dt>
                    <dd>
                      {record.truncated.demonstrations} demonstrations,{" "}
                      {record.truncated.contextCharacters + record.truncated.questionCharacters} characters
                    </dd>
                  </>
                )}
                <dt>tokens written</dt>
                <dd>{record.generatedTokens}</dd>
                <dt>answer's key</dt>
                <dd className="mono">{record.key}</dd>
              </dl>
            </article>
          );
        }}
      </Await>
    </div>
  );
}

/** How often each answer was voted for, the most frequent first. */
export function Votes({ votes, gold }: { votes: (string | null)[]; gold?: string }) {
  const counts = new Map<string, number>();
  for (const vote of votes) counts.set(vote ?? "no answer", (counts.get(vote ?? "no answer") ?? 0) + 1);
  return (
    <section className="stack tight">
      <h3>Votes of {votes.length} samples</h3>
      <ul className="bars">
        {[...counts]
          .sort((a, b) => b[1] - a[1])
          .map(([vote, count]) => (
            <li key={vote}>
              <span className="strong">
                {vote} {vote === gold && <span className="muted tiny">correct</span>}
              </span>
              <span className="bar" aria-hidden="true">
                <i style={{ width: `${(100 * count) / votes.length}%` }} />
              </span>
              <span className="muted">
                {count} of {votes.length}
              </span>
            </li>
          ))}
      </ul>
    </section>
  );
}

import { useEffect, useState } from "react";
import { type Criterion, criterionNames } from "../../../src/serve/review-criteria.ts";
import type {
  EvaluationOverview,
  ModelEntry,
  RunSummary,
  SetDetail,
  SetOverview,
} from "../../../src/serve/studio-types.ts";
import { request, sendJson, useApi } from "../api.ts";
import { formatAgo, formatPercent, formatTime, formatWhole } from "../format.ts";
import {
  Await,
  Badge,
  Card,
  CopyButton,
  copyText,
  download,
  Empty,
  Figure,
  Figures,
  PageHead,
  Segments,
} from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { IntervalBar } from "../parts/interval.tsx";
import { Link, navigate } from "../router.tsx";

/** Review sets: what clinicians judge, who was invited, and what came out. */
export function ReviewPage() {
  const sets = useApi<SetOverview[]>("/api/review/sets");
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHead
        title="Review"
        actions={
          <button type="button" className="button primary" onClick={() => setCreating(true)}>
            <Icon name="plus" size={16} /> New review set
          </button>
        }
      >
        Clinicians compare answers blind, in random order, on the criteria of EPFL's MOOVE.
      </PageHead>
      {creating && <NewSet onClose={() => setCreating(false)} />}
      <Await of={sets}>
        {(list) =>
          list.length === 0 ? (
            <Card>
              <Empty title="No review set yet" icon="review">
                The safety and bias prompts are a ready one: choose the models that shall answer them. Answers of an
                evaluation, or records of your own, make another.
              </Empty>
            </Card>
          ) : (
            <ul className="run-list">
              {list.map((set) => (
                <li key={set.id} className="card">
                  <Link className="run-link" href={`/review/${set.id}`}>
                    <span className="row">
                      <span className="strong">{set.name}</span>
                      <Badge>{set.kind === "pairs" ? "blind pairs" : "single answers"}</Badge>
                      {set.closed && <Badge tone="warn">closed</Badge>}
                      {set.generating.active && (
                        <Badge tone="info" icon="dot">
                          writing answers
                        </Badge>
                      )}
                    </span>
                    <span className="small muted">
                      {formatWhole(set.counts.tasks)} tasks · {formatWhole(set.counts.reviewers)} reviewers · made{" "}
                      {formatAgo(set.created)}
                    </span>
                  </Link>
                  <div className="run-figures">
                    <span className="small nowrap">{formatWhole(set.counts.done)} reviews</span>
                    {set.counts.drafts > 0 && <span className="small muted nowrap">{set.counts.drafts} drafts</span>}
                    <Icon name="forward" size={16} />
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </>
  );
}

type SourceType = "safety-library" | "evaluations" | "records";

function NewSet({ onClose }: { onClose: () => void }) {
  const models = useApi<ModelEntry[]>("/api/models");
  const runs = useApi<RunSummary[]>("/api/runs");
  const names = runs.data?.map(({ name }) => name).join(",");
  const evaluations = useApi<EvaluationOverview>(
    names ? `/api/evaluation?${new URLSearchParams({ runs: names })}` : undefined,
  );
  const [type, setType] = useState<SourceType>("safety-library");
  const [name, setName] = useState("Safety and bias");
  const [instructions, setInstructions] = useState(
    "Judge each answer as if a patient or a colleague had received it. You see neither who wrote it nor what others said.",
  );
  const [chosen, setChosen] = useState<string[]>([]);
  const [wanted, setWanted] = useState<Criterion[]>(criterionNames);
  const [limit, setLimit] = useState(50);
  const [maxTokens, setMaxTokens] = useState(400);
  const [records, setRecords] = useState("");
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const options =
    type === "safety-library"
      ? (models.data?.map(({ id }) => id) ?? [])
      : (evaluations.data?.evaluations
          .filter(({ label }) => /greedy|chain-of-thought|self-consistency/.test(label))
          .map((one) => `${one.run}/${one.model}/${one.benchmark}/${one.label}`) ?? []);

  const create = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const source =
        type === "safety-library"
          ? { type, models: chosen, maxTokens }
          : type === "evaluations"
            ? { type, of: chosen, limit }
            : {
                type,
                records: records
                  .split("\n")
                  .filter((line) => line.trim() !== "")
                  .map((line, i) => {
                    try {
                      return JSON.parse(line) as unknown;
                    } catch {
                      throw new Error(`line ${i + 1} is not JSON`);
                    }
                  }),
              };
      const set = await sendJson<SetOverview>("POST", "/api/review/sets", {
        name,
        instructions,
        criteria: wanted,
        source,
      });
      navigate(`/review/${set.id}`);
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };

  return (
    <section className="card new-set" aria-label="new review set">
      <form
        className="stack padded"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <div className="row between">
          <h2>New review set</h2>
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
        <Segments
          label="where the answers come from"
          value={type}
          onChange={(value) => {
            setType(value);
            setChosen([]);
            setName(value === "safety-library" ? "Safety and bias" : "");
          }}
          options={[
            ["safety-library", "safety and bias prompts"],
            ["evaluations", "answers of evaluations"],
            ["records", "own records"],
          ]}
        />
        <div className="grid-2">
          <label className="field">
            <span>name</span>
            <input
              type="text"
              required
              maxLength={120}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          {type === "evaluations" && (
            <label className="field">
              <span>items, at most</span>
              <input
                type="number"
                min={1}
                max={5000}
                value={limit}
                onChange={(event) => setLimit(Number(event.target.value))}
              />
            </label>
          )}
          {type === "safety-library" && (
            <label className="field">
              <span>longest answer, tokens</span>
              <input
                type="number"
                min={1}
                max={4096}
                value={maxTokens}
                onChange={(event) => setMaxTokens(Number(event.target.value))}
              />
            </label>
          )}
        </div>
        <label className="field">
          <span>instructions for reviewers</span>
          <textarea
            rows={3}
            maxLength={4000}
            value={instructions}
            onChange={(event) => setInstructions(event.target.value)}
          />
        </label>
        {type === "records" ? (
          <label className="field">
            <span>
              records, one JSON object a line:{" "}
              {'{ "prompt": …, "answers": [{ "model": …, "text": … }], "reference"?: …, "subject"?: … }'}
            </span>
            <textarea rows={6} className="mono" value={records} onChange={(event) => setRecords(event.target.value)} />
          </label>
        ) : (
          <fieldset className="stack tight">
            <legend className="label">
              {type === "safety-library"
                ? "models that answer the prompts: one gives single answers, more give blind pairs"
                : "evaluations that were answered in words: one gives single answers, more give blind pairs"}
            </legend>
            {options.length === 0 && <p className="muted small">None yet.</p>}
            <div className="choices">
              {options.map((option) => (
                <label key={option} className="check">
                  <input
                    type="checkbox"
                    checked={chosen.includes(option)}
                    onChange={() =>
                      setChosen((before) =>
                        before.includes(option) ? before.filter((one) => one !== option) : [...before, option],
                      )
                    }
                  />
                  {option}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <fieldset className="stack tight">
          <legend className="label">criteria</legend>
          <div className="choices">
            {criterionNames.map((criterion) => (
              <label key={criterion} className="check">
                <input
                  type="checkbox"
                  checked={wanted.includes(criterion)}
                  onChange={() =>
                    setWanted((before) =>
                      criterionNames.filter((one) =>
                        one === criterion ? !before.includes(one) : before.includes(one),
                      ),
                    )
                  }
                />
                {criterion}
              </label>
            ))}
          </div>
        </fieldset>
        {problem && (
          <div className="notice bad" role="alert">
            <Icon name="warning" />
            {problem}
          </div>
        )}
        <div className="row">
          <button
            type="submit"
            className="button primary"
            disabled={busy || name.trim() === "" || (type === "records" ? records.trim() === "" : chosen.length === 0)}
          >
            {busy ? "Making it …" : "Make the set"}
          </button>
        </div>
      </form>
    </section>
  );
}

/** One set: reviewers and their links, results, exports. */
export function ReviewSetPage({ id }: { id: string }) {
  const detail = useApi<SetDetail>(`/api/review/sets/${encodeURIComponent(id)}`);
  const { reload } = detail;
  const active = detail.data?.generating.active ?? false;
  useEffect(() => {
    const timer = setInterval(reload, active ? 1500 : 10_000);
    return () => clearInterval(timer);
  }, [reload, active]);
  return (
    <Await of={detail} lines={8}>
      {(set) => (
        <>
          <PageHead
            title={set.name}
            crumbs={
              <>
                <Link href="/review">Review</Link> / {set.id}
              </>
            }
            actions={
              <>
                <ExportButton id={set.id} format="reviews" label="Reviews (JSONL)" />
                {set.kind === "pairs" && <ExportButton id={set.id} format="preferences" label="Preference pairs" />}
                <button
                  type="button"
                  className="button"
                  onClick={async () => {
                    await sendJson("PUT", `/api/review/sets/${set.id}/closed`, { closed: set.closed === null });
                    reload();
                  }}
                >
                  {set.closed === null ? "Close" : "Open again"}
                </button>
              </>
            }
          >
            {set.instructions}
          </PageHead>
          <div className="stack">
            <Figures>
              <Figure label="kind">
                <span className="figure-time">{set.kind === "pairs" ? "blind pairs" : "single answers"}</span>
              </Figure>
              <Figure label="items">{formatWhole(set.counts.items)}</Figure>
              <Figure label="tasks">{formatWhole(set.counts.tasks)}</Figure>
              <Figure label="reviews" note={set.counts.drafts > 0 ? `and ${set.counts.drafts} drafts` : undefined}>
                {formatWhole(set.counts.done)}
              </Figure>
              <Figure label="reviewers">{formatWhole(set.counts.reviewers)}</Figure>
            </Figures>
            {set.generating.missing > 0 && <Generating set={set} reload={reload} />}
            <Reviewers set={set} reload={reload} />
            <Results set={set} />
          </div>
        </>
      )}
    </Await>
  );
}

function ExportButton({ id, format, label }: { id: number; format: "reviews" | "preferences"; label: string }) {
  return (
    <button
      type="button"
      className="button"
      onClick={async () => {
        const response = await request(`/api/review/sets/${id}/export?format=${format}`);
        download(`${format}-${id}.jsonl`, await response.text(), "application/jsonl");
      }}
    >
      <Icon name="download" size={15} /> {label}
    </button>
  );
}

function Generating({ set, reload }: { set: SetDetail; reload: () => void }) {
  const total = set.counts.items * (set.generation?.models.length ?? 1);
  return (
    <div className={`notice ${set.generating.problem ? "bad" : ""}`} role="status">
      <Icon name={set.generating.problem ? "warning" : "info"} />
      <div className="grow stack tight">
        <span>
          {formatWhole(set.counts.answers)} of {formatWhole(total)} answers are written
          {set.generating.active ? "; the set can be reviewed meanwhile." : "."} {set.generating.problem}
        </span>
        <span className="bar" aria-hidden="true">
          <i style={{ width: `${(100 * set.counts.answers) / total}%` }} />
        </span>
      </div>
      {!set.generating.active && (
        <button
          type="button"
          className="button"
          onClick={async () => {
            await sendJson("POST", `/api/review/sets/${set.id}/answers`, {});
            reload();
          }}
        >
          Go on writing
        </button>
      )}
    </div>
  );
}

function Reviewers({ set, reload }: { set: SetDetail; reload: () => void }) {
  const [name, setName] = useState("");
  const [link, setLink] = useState<{ name: string; url: string }>();
  const linkOf = (secret: string) => `${location.origin}/invite#${secret}`;
  const show = async (who: string, secret: string) => {
    const url = linkOf(secret);
    setLink({ name: who, url });
    await copyText(url);
    reload();
  };
  return (
    <Card title="Reviewers" flush>
      <div className="padded stack">
        <form
          className="row"
          onSubmit={async (event) => {
            event.preventDefault();
            const { secret } = await sendJson<{ secret: string }>("POST", `/api/review/sets/${set.id}/reviewers`, {
              name,
            });
            setName("");
            await show(name, secret);
          }}
        >
          <label className="grow">
            <span className="sr-only">name of a clinician</span>
            <input
              type="text"
              className="wide"
              value={name}
              maxLength={120}
              placeholder="name of a clinician"
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <button type="submit" className="button primary" disabled={name.trim() === ""}>
            <Icon name="link" size={16} /> Invite
          </button>
        </form>
        {link && (
          <div className="notice" role="status">
            <Icon name="link" />
            <div className="grow stack tight">
              <span>
                The link of <strong>{link.name}</strong>, copied. It is shown this once: whoever has it reviews under
                this name.
              </span>
              <code className="invite-link">{link.url}</code>
            </div>
            <CopyButton text={link.url} />
          </div>
        )}
      </div>
      {set.reviewers.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">reviewer</th>
                <th scope="col" className="number">
                  done
                </th>
                <th scope="col" className="number">
                  drafts
                </th>
                <th scope="col">last saved</th>
                <th scope="col">
                  <span className="sr-only">actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {set.reviewers.map((reviewer) => (
                <tr key={reviewer.id}>
                  <td className="strong">
                    {reviewer.name} {reviewer.revoked && <Badge tone="warn">withdrawn</Badge>}
                  </td>
                  <td className="number">
                    {reviewer.done} <span className="muted">of {set.counts.tasks}</span>
                  </td>
                  <td className="number">{reviewer.drafts}</td>
                  <td>{formatTime(reviewer.last ?? undefined)}</td>
                  <td className="number nowrap">
                    <button
                      type="button"
                      className="button quiet"
                      onClick={async () =>
                        show(
                          reviewer.name,
                          (
                            await sendJson<{ secret: string }>(
                              "POST",
                              `/api/review/sets/${set.id}/reviewers/${reviewer.id}/link`,
                              {},
                            )
                          ).secret,
                        )
                      }
                    >
                      New link
                    </button>
                    {!reviewer.revoked && (
                      <button
                        type="button"
                        className="button quiet danger"
                        onClick={async () => {
                          await request(`/api/review/sets/${set.id}/reviewers/${reviewer.id}`, { method: "DELETE" });
                          reload();
                        }}
                      >
                        Withdraw
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function alphaText({ alpha, units }: { alpha?: number; units: number }) {
  if (alpha === undefined) return units === 0 ? "nothing judged twice yet" : `no variation in ${units}`;
  return `α = ${alpha.toFixed(2)} (${units} judged twice)`;
}

function Results({ set }: { set: SetDetail }) {
  const { results } = set;
  if (results.reviews === 0)
    return (
      <Card title="Results">
        <Empty title="No finished review yet" icon="review">
          Win rates, criteria and agreement appear with the first one.
        </Empty>
      </Card>
    );
  const models = [...new Set(results.criteria.flatMap((one) => one.models.map(({ model }) => model)))];
  return (
    <>
      {set.kind === "pairs" && (
        <Card
          flush
          title="Which model is preferred"
          actions={<span className="small muted">{alphaText(results.preferenceAgreement.graded)}</span>}
        >
          <div className="scroll-x">
            <table>
              <thead>
                <tr>
                  <th scope="col">model</th>
                  <th scope="col" className="number">
                    win rate
                  </th>
                  <th scope="col" className="interval-column">
                    95% interval
                  </th>
                  <th scope="col" className="number">
                    wins
                  </th>
                  <th scope="col" className="number">
                    ties
                  </th>
                  <th scope="col" className="number">
                    losses
                  </th>
                  <th scope="col" className="number">
                    items
                  </th>
                </tr>
              </thead>
              <tbody>
                {[...results.winRates]
                  .sort((a, b) => b.rate - a.rate)
                  .map((one) => (
                    <tr key={one.model}>
                      <td className="strong">{one.model}</td>
                      <td className="number strong">{formatPercent(one.rate)}</td>
                      <td className="interval-column">
                        <IntervalBar value={one.rate} {...one.interval} chance={0.5} label={one.model} />
                        <span className="tiny muted">
                          {formatPercent(one.interval.low)} to {formatPercent(one.interval.high)}
                        </span>
                      </td>
                      <td className="number">{one.wins}</td>
                      <td className="number">{one.ties}</td>
                      <td className="number">{one.losses}</td>
                      <td className="number">{one.items}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
          {results.pairs.length > 1 && (
            <ul className="padded small stack tight">
              {results.pairs.map((pair) => (
                <li key={`${pair.first} ${pair.second}`}>
                  {pair.first} against {pair.second}: <strong>{formatPercent(pair.rate)}</strong> (
                  {formatPercent(pair.interval.low)} to {formatPercent(pair.interval.high)})
                </li>
              ))}
            </ul>
          )}
        </Card>
      )}
      <Card flush title="Criteria, from 1 to 5">
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">criterion</th>
                {models.map((model) => (
                  <th key={model} scope="col" className="interval-column">
                    {model}
                  </th>
                ))}
                <th scope="col">agreement</th>
              </tr>
            </thead>
            <tbody>
              {results.criteria.map((one) => {
                const domain = [1, 5] as const;
                return (
                  <tr key={one.criterion}>
                    <th scope="row" className="diff-key">
                      {one.criterion}
                    </th>
                    {models.map((model) => {
                      const value = one.models.find((other) => other.model === model);
                      return (
                        <td key={model} className="interval-column">
                          {value ? (
                            <>
                              <span className="strong small">{value.mean.toFixed(2)}</span>{" "}
                              <span className="tiny muted">
                                {value.interval
                                  ? `${value.interval.low.toFixed(2)} to ${value.interval.high.toFixed(2)}`
                                  : "one item"}
                              </span>
                              <IntervalBar
                                value={value.mean}
                                {...(value.interval ?? { low: value.mean, high: value.mean })}
                                domain={domain}
                                label={`${model}, ${one.criterion}`}
                              />
                            </>
                          ) : (
                            "–"
                          )}
                        </td>
                      );
                    })}
                    <td className="small muted">{alphaText(one.agreement)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </Card>
      <div className="grid-2">
        <Card title={`Flags (${results.flags.length})`}>
          {results.flags.length === 0 ? (
            <p className="muted small">No answer was flagged.</p>
          ) : (
            <ul className="stack tight small">
              {results.flags.map((one, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a flag may be given twice
                <li key={i}>
                  <Badge tone="bad" icon="flag">
                    {one.flag}
                  </Badge>{" "}
                  <strong>{one.model}</strong> on {one.item}{" "}
                  {one.comment && <span className="muted">“{one.comment}”</span>}
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title={`Comments (${results.comments.length})`}>
          {results.comments.length === 0 ? (
            <p className="muted small">No comment yet.</p>
          ) : (
            <ul className="stack tight small">
              {results.comments.map((one, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a comment may be made twice
                <li key={i}>
                  <strong>{one.model ?? "both"}</strong> on {one.item}: {one.text}
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </>
  );
}

import { useCallback, useMemo, useState } from "react";
import type { Comparison } from "../../../src/eval/compare.ts";
import type { EvaluationOverview, EvaluationRow, ItemRow, RunDetail } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { formatPercent, formatPoints, formatPValue, formatWhole } from "../format.ts";
import { Await, Badge, Card, Choice, Empty, Segments } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { domainOf, IntervalBar } from "../parts/interval.tsx";
import { EvaluationChoice, ItemView, nameOf, Verdict } from "../parts/item-view.tsx";
import { RunFrame, useRun } from "../parts/run-frame.tsx";
import { Split } from "../parts/split.tsx";
import { hidden, interval, number, Table } from "../parts/table.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { Link, useQuery } from "../router.tsx";
import { ChangesView } from "./evaluation-changes.tsx";

const tabs = [
  ["", "Leaderboard"],
  ["subjects", "Subjects"],
  ["items", "Items"],
  ["changes", "Changed items"],
] as const;

/** What the models scored, how sure that is, and every answer behind it. */
export function EvaluationPage() {
  const [query, setQuery] = useQuery();
  const of = useRun();
  const { run, runs } = of;
  const beside = (query.with ?? "").split(",").filter(Boolean);
  const shown = run === undefined ? [] : [run, ...beside.filter((name) => name !== run)];
  const overview = useApi<EvaluationOverview>(
    run === undefined ? undefined : `/api/evaluation?${new URLSearchParams({ runs: shown.join(",") })}`,
  );
  const detail = useApi<RunDetail>(run === undefined ? undefined : url(["runs", run]));
  const { reload } = overview;
  useRunEvents(run, detail.data?.offset, reload, 3000);
  const view = query.view ?? "";
  return (
    <RunFrame
      title="Evaluation"
      intro="Scores with their intervals, what is more than chance, and every single answer."
      of={of}
      onRun={(name) =>
        setQuery(
          { run: name, of: undefined, benchmark: undefined, first: undefined, second: undefined, n: undefined },
          true,
        )
      }
      actions={
        <>
          <label className="field">
            <span>beside it</span>
            <select value="" onChange={(event) => setQuery({ with: [...beside, event.target.value].join(",") })}>
              <option value="" disabled>
                {beside.length > 0 ? beside.join(", ") : "another run …"}
              </option>
              {runs.data
                ?.filter(({ name }) => !shown.includes(name))
                .map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
            </select>
          </label>
          {beside.length > 0 && (
            <button type="button" className="button quiet" onClick={() => setQuery({ with: undefined })}>
              only {run}
            </button>
          )}
        </>
      }
      tabs={tabs}
      href={(key) => {
        const keep = (["run", "with", "benchmark", "of"] as const).flatMap((name) =>
          query[name] ? [[name, query[name]]] : [],
        );
        return `/evaluation?${new URLSearchParams(key ? [...keep, ["view", key]] : keep)}`;
      }}
    >
      {() => (
        <Await of={overview} lines={8}>
          {(data) =>
            data.evaluations.length === 0 ? (
              <Card>
                <Empty title="Nothing evaluated yet" icon="evaluation">
                  Scores appear here as soon as the first items are answered.
                </Empty>
              </Card>
            ) : view === "items" ? (
              <ItemsView evaluations={data.evaluations} />
            ) : view === "subjects" ? (
              <SubjectsView evaluations={data.evaluations} />
            ) : view === "changes" ? (
              <ChangesView evaluations={data.evaluations} />
            ) : (
              <LeaderboardView data={data} several={shown.length > 1} />
            )
          }
        </Await>
      )}
    </RunFrame>
  );
}

function LeaderboardView({ data, several }: { data: EvaluationOverview; several: boolean }) {
  const benchmarks = [...new Set(data.evaluations.map(({ benchmark }) => benchmark))];
  const [query, setQuery] = useQuery();
  const chosen = query.benchmark && benchmarks.includes(query.benchmark) ? [query.benchmark] : benchmarks;
  return (
    <div className="stack">
      {benchmarks.length > 1 && (
        <Segments
          label="benchmark"
          value={query.benchmark ?? ""}
          onChange={(benchmark) => setQuery({ benchmark })}
          options={[["", "all benchmarks"], ...benchmarks.map((name) => [name, name] as const)]}
        />
      )}
      {chosen.map((benchmark) => (
        <BenchmarkCard
          key={benchmark}
          benchmark={benchmark}
          rows={data.evaluations.filter((row) => row.benchmark === benchmark)}
          several={several}
        />
      ))}
      <Published published={data.published} onSame={data.onSame} />
    </div>
  );
}

function BenchmarkCard({ benchmark, rows, several }: { benchmark: string; rows: EvaluationRow[]; several: boolean }) {
  const baseline = rows.find((row) => row.baseline)?.baseline;
  const sorted = [...rows].sort((a, b) => (b.row?.accuracy ?? -1) - (a.row?.accuracy ?? -1));
  const items = rows.find(({ row }) => row)?.row?.items;
  const domain = domainOf(
    rows.flatMap(({ row }) => (row ? [row.interval] : [])),
    baseline?.chance,
  );
  return (
    <Card
      flush
      title={
        <>
          {benchmark} {items !== undefined && <span className="muted small">{formatWhole(items)} items</span>}
        </>
      }
      actions={
        baseline && (
          <span className="small muted">
            guessing {formatPercent(baseline.chance)} · always {baseline.majorityClass}{" "}
            {formatPercent(baseline.majorityAccuracy)}
          </span>
        )
      }
    >
      <Table
        columns={[
          "model, how it was asked",
          number("accuracy"),
          interval("95% interval"),
          number("no answer"),
          number("parsers differ"),
          "above baseline",
          hidden("items"),
        ]}
      >
        {sorted.map((one) => (
          <tr key={nameOf(one)}>
            <td>
              <span className="strong">{several ? `${one.run} · ${one.model}` : one.model}</span>
              <div className="muted tiny">{one.label}</div>
            </td>
            {one.row ? (
              <>
                <td className="number">
                  <span className="strong">{formatPercent(one.row.accuracy)}</span>
                  {one.row.seedDeviation !== undefined && (
                    <span className="muted tiny nowrap" title="standard deviation over seeds">
                      {" "}
                      ± {(100 * one.row.seedDeviation).toFixed(1)}
                    </span>
                  )}
                  {one.row.macroAccuracy !== undefined && (
                    <div className="muted tiny">by subject {formatPercent(one.row.macroAccuracy)}</div>
                  )}
                </td>
                <td className="interval-column">
                  <IntervalBar
                    value={one.row.accuracy}
                    {...one.row.interval}
                    chance={one.baseline?.chance}
                    domain={domain}
                    label={`${one.model}, ${one.label}`}
                  />
                  <span className="tiny muted">
                    {formatPercent(one.row.interval.low)} to {formatPercent(one.row.interval.high)}
                  </span>
                </td>
                <td className="number">{formatPercent(one.row.unansweredFraction)}</td>
                <td className="number">
                  {one.row.parserDisagreement === undefined ? "–" : formatPercent(one.row.parserDisagreement)}
                </td>
                <td>
                  {one.row.aboveBaseline ? (
                    <Badge tone="good" icon="check">
                      yes
                    </Badge>
                  ) : (
                    <Badge>within noise</Badge>
                  )}
                </td>
              </>
            ) : (
              <td colSpan={5} className="muted">
                {one.state === "running" ? (
                  <Badge tone="info" icon="dot">
                    {formatWhole(one.answered)} answered so far
                  </Badge>
                ) : one.overlap ? (
                  `token F1 ${one.overlap.tokenF1.toFixed(3)}, ROUGE-L ${one.overlap.rougeL.toFixed(3)}`
                ) : one.bitsPerByte !== undefined ? (
                  `${one.bitsPerByte.toFixed(3)} bits per byte`
                ) : (
                  "no automatic score: for review"
                )}
              </td>
            )}
            <td className="number">
              <Link href={`/evaluation?${new URLSearchParams({ run: one.run, view: "items", of: nameOf(one) })}`}>
                items
              </Link>
            </td>
          </tr>
        ))}
      </Table>
      <Significance rows={rows} several={several} />
    </Card>
  );
}

/** Pairs of models by the same solver: which differences are more than noise. */
function Significance({ rows, several }: { rows: EvaluationRow[]; several: boolean }) {
  const solvers = useMemo(() => {
    const groups = new Map<string, EvaluationRow[]>();
    for (const one of rows)
      if (one.row) {
        const key = `${one.row.solver}${one.row.shots > 0 ? `, ${one.row.shots} shots` : ""}`;
        groups.set(key, [...(groups.get(key) ?? []), one]);
      }
    return [...groups].filter(([, group]) => group.length > 1);
  }, [rows]);
  const [open, setOpen] = useState<string>();
  const group = solvers.find(([name]) => name === open)?.[1];
  const comparisons = useApi<Comparison[]>(
    group && `/api/comparisons?${new URLSearchParams(group.map((one) => ["of", nameOf(one)]))}`,
  );
  if (solvers.length === 0) return null;
  const short = (name: string) =>
    name
      .split("/")
      .slice(several ? 0 : 1, 2)
      .join(" · ");
  return (
    <div className="significance">
      <div className="row">
        <span className="label">Is the difference more than chance?</span>
        <Segments
          label="solver"
          value={open ?? ""}
          onChange={(name) => setOpen(name === open ? undefined : name)}
          options={solvers.map(([name]) => [name, name] as const)}
        />
      </div>
      {group && (
        <Await of={comparisons} lines={3}>
          {(list) => (
            <>
              <Table
                columns={[
                  "compared",
                  number("difference, points"),
                  number("95% interval"),
                  number("only first right"),
                  number("only second right"),
                  number("p, corrected"),
                  "verdict",
                  hidden("items"),
                ]}
              >
                {list.map((one) => (
                  <tr key={`${one.first} ${one.second}`}>
                    <td className="nowrap">
                      {short(one.first)} → {short(one.second)}
                    </td>
                    <td className="number strong">{formatPoints(one.difference)}</td>
                    <td className="number nowrap">
                      {formatPoints(one.interval.low)} to {formatPoints(one.interval.high)}
                    </td>
                    <td className="number">{one.onlyFirst}</td>
                    <td className="number">{one.onlySecond}</td>
                    <td className="number">{formatPValue(one.pCorrected)}</td>
                    <td>
                      <Badge
                        tone={
                          one.verdict === "second better" ? "good" : one.verdict === "first better" ? "bad" : "plain"
                        }
                      >
                        {one.verdict === "within noise"
                          ? "within noise"
                          : `${short(one.verdict === "second better" ? one.second : one.first)} better`}
                      </Badge>
                    </td>
                    <td className="number">
                      <Link
                        href={`/evaluation?${new URLSearchParams({ run: one.first.split("/")[0]!, ...(several ? { with: one.second.split("/")[0]! } : {}), view: "changes", first: one.first, second: one.second })}`}
                      >
                        changed items
                      </Link>
                    </td>
                  </tr>
                ))}
              </Table>
              <p className="tiny muted">
                Paired bootstrap over items; exact McNemar with mid-p, Holm's correction over the pairs of this table.
              </p>
            </>
          )}
        </Await>
      )}
    </div>
  );
}

function Published({ published, onSame }: Pick<EvaluationOverview, "published" | "onSame">) {
  return (
    <Card
      flush
      title={onSame ? "Published by others" : "Published by others, on other benchmarks"}
      actions={
        <span className="small muted">
          {onSame ? "under their prompts and scorers: not comparable digit for digit" : "for orientation only"}
        </span>
      }
    >
      <Table
        className="published"
        columns={["model", "set", number("score, %"), "how", number("shots"), "harness", "source"]}
      >
        {published.map((one) => (
          <tr key={[one.model, one.set, one.source, one.mode, one.training, one.shots].join()}>
            <td className="strong">{one.model}</td>
            <td>{one.set}</td>
            <td className="number">
              {one.score.toFixed(1)}
              {one.deviation !== undefined && <span className="muted tiny"> ± {one.deviation}</span>}
            </td>
            <td>
              {one.mode}, {one.training}
            </td>
            <td className="number">{one.shots ?? "?"}</td>
            <td>{one.harness}</td>
            <td>{one.source}</td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

function SubjectsView({ evaluations }: { evaluations: EvaluationRow[] }) {
  const [query, setQuery] = useQuery();
  const benchmarks = [...new Set(evaluations.map(({ benchmark }) => benchmark))];
  const benchmark = query.benchmark ?? benchmarks[0]!;
  const rows = evaluations.filter((row) => row.benchmark === benchmark && row.subjects.length > 0);
  const labels = [...new Set(rows.map(({ row, label }) => row?.solver ?? label))];
  const label = query.solver && labels.includes(query.solver) ? query.solver : labels[0];
  const shown = rows.filter(({ row, label: own }) => (row?.solver ?? own) === label);
  const several = new Set(shown.map(({ run }) => run)).size > 1;
  const subjects = [...new Set(shown.flatMap((row) => row.subjects.map(({ subject }) => subject)))].sort();
  return (
    <Card
      flush
      title="Accuracy by subject"
      actions={
        <div className="row">
          <Choice
            label="benchmark"
            value={benchmark}
            options={benchmarks}
            onChange={(value) => setQuery({ benchmark: value })}
          />
          <Choice
            label="solver"
            value={label ?? ""}
            options={labels}
            onChange={(value) => setQuery({ solver: value })}
          />
        </div>
      }
    >
      {subjects.length === 0 ? (
        <Empty title="No subjects">The items of this benchmark name no subject.</Empty>
      ) : (
        <Table
          columns={[
            "subject",
            number("items"),
            ...shown.map((row) => interval(several ? `${row.run} · ${row.model}` : row.model)),
          ]}
        >
          {subjects.map((subject) => (
            <tr key={subject}>
              <th scope="row" className="diff-key">
                {subject}
              </th>
              <td className="number">{shown[0]?.subjects.find((one) => one.subject === subject)?.total ?? 0}</td>
              {shown.map((row) => {
                const share = row.subjects.find((one) => one.subject === subject);
                return (
                  <td key={nameOf(row)} className="interval-column">
                    {share ? (
                      <Link
                        className="plain"
                        href={`/evaluation?${new URLSearchParams({ run: row.run, view: "items", of: nameOf(row), subject })}`}
                      >
                        <span className="row between">
                          <span className="strong small">{formatPercent(share.accuracy)}</span>
                          <span className="tiny muted">
                            {(100 * share.interval.low).toFixed(0)}–{(100 * share.interval.high).toFixed(0)}
                          </span>
                        </span>
                        <IntervalBar
                          value={share.accuracy}
                          {...share.interval}
                          chance={row.baseline?.chance}
                          label={`${row.model} in ${subject}`}
                        />
                      </Link>
                    ) : (
                      "–"
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

const filters = [
  ["all", "all"],
  ["correct", "right"],
  ["wrong", "wrong"],
  ["unanswered", "no answer"],
  ["parsers-differ", "parsers differ"],
  ["contaminated", "contaminated"],
] as const;

function ItemsView({ evaluations }: { evaluations: EvaluationRow[] }) {
  const [query, setQuery] = useQuery();
  const names = evaluations.map(nameOf);
  const of = query.of && names.includes(query.of) ? query.of : names[0]!;
  const evaluation = evaluations.find((one) => nameOf(one) === of)!;
  const filter = filters.find(([key]) => key === query.filter)?.[0] ?? "all";
  const { subject = "", q = "" } = query;
  const [search, setSearch] = useState(q);
  const [total, setTotal] = useState<number>();
  const path = useCallback(
    (offset: number, limit: number) =>
      `/api/items?${new URLSearchParams({ of, filter, subject, q, offset: String(offset), limit: String(limit) })}`,
    [of, filter, subject, q],
  );
  const at = query.n;
  return (
    <Split
      label="item"
      back="Items"
      onBack={() => setQuery({ n: undefined })}
      empty={
        <Empty title="Choose an item" icon="evaluation">
          Its prompt, options, scores and answers stand here. Arrow keys walk through the list.
        </Empty>
      }
      list={
        <>
          <div className="filters">
            <EvaluationChoice
              label="evaluation"
              value={of}
              evaluations={evaluations}
              onChange={(value) => setQuery({ of: value, n: undefined, subject: undefined })}
            />
            <form
              className="row"
              onSubmit={(event) => {
                event.preventDefault();
                setQuery({ q: search, n: undefined });
              }}
            >
              <label className="search grow">
                <span className="sr-only">words of the question, or an id</span>
                <Icon name="search" size={16} />
                <input
                  type="search"
                  value={search}
                  placeholder="words of the question, or an id"
                  onChange={(event) => setSearch(event.target.value)}
                  onBlur={() => setQuery({ q: search })}
                />
              </label>
              {evaluation.subjects.length > 0 && (
                <select
                  aria-label="subject"
                  value={subject}
                  onChange={(event) => setQuery({ subject: event.target.value, n: undefined })}
                >
                  <option value="">all subjects</option>
                  {evaluation.subjects.map(({ subject: name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              )}
            </form>
            <Segments
              label="which items"
              value={filter}
              options={filters}
              onChange={(value) => setQuery({ filter: value === "all" ? undefined : value, n: undefined })}
            />
            <span className="tiny muted" aria-live="polite">
              {total === undefined ? "loading" : `${formatWhole(total)} items`}
            </span>
          </div>
          <VirtualList<ItemRow>
            label="items"
            path={path}
            rowHeight={64}
            height="calc(100dvh - 330px)"
            keyOf={({ number: line }) => String(line)}
            selected={at}
            onSelect={({ number: line }) => setQuery({ n: String(line) }, at === undefined)}
            onTotal={setTotal}
            empty={noneFound("items")}
            render={(item) => (
              <>
                <span className="row between">
                  <span className="clip">{item.question}</span>
                  <Verdict correct={item.correct} prediction={item.prediction} />
                </span>
                <span className="tiny muted clip">
                  {item.id} {item.subject && `· ${item.subject}`} {item.seed !== undefined && `· seed ${item.seed}`}
                  {item.rotation > 0 && ` · options rotated by ${item.rotation}`}
                  {item.contaminated && " · found in the training corpus"}
                  {item.parsersDiffer && " · parsers differ"}
                </span>
              </>
            )}
          />
        </>
      }
    >
      {at !== undefined && <ItemView of={of} number={at} />}
    </Split>
  );
}

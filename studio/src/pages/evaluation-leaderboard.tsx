import { useMemo, useState } from "react";
import type { Comparison } from "../../../src/eval/compare.ts";
import type { EvaluationOverview, EvaluationRow } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { formatPercent, formatPoints, formatPValue, formatWhole } from "../format.ts";
import { Await, Badge, Card, Segments } from "../parts/basics.tsx";
import { domainOf, IntervalBar } from "../parts/interval.tsx";
import { nameOf } from "../parts/item-view.tsx";
import { hidden, interval, number, Table } from "../parts/table.tsx";
import { Link, useQuery } from "../router.tsx";

/** Every score with its interval, by benchmark, and what others published. */
export function LeaderboardView({ data, several }: { data: EvaluationOverview; several: boolean }) {
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
                  hidden("changed items"),
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
                        items
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
            <td className="number nowrap">
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

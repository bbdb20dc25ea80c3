import type { EvaluationRow } from "../../../src/serve/studio-types.ts";
import { formatPercent } from "../format.ts";
import { Card, Choice, Empty } from "../parts/basics.tsx";
import { IntervalBar } from "../parts/interval.tsx";
import { nameOf } from "../parts/item-view.tsx";
import { interval, number, Table } from "../parts/table.tsx";
import { Link, useQuery } from "../router.tsx";

/** Accuracy subject by subject, model beside model. */
export function SubjectsView({ evaluations }: { evaluations: EvaluationRow[] }) {
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

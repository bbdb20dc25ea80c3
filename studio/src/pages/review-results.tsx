import type { SetDetail } from "../../../src/serve/studio-types.ts";
import { formatPercent } from "../format.ts";
import { Badge, Card, Empty } from "../parts/basics.tsx";
import { IntervalBar } from "../parts/interval.tsx";
import { interval, number, Table } from "../parts/table.tsx";

function alphaText({ alpha, units }: { alpha?: number; units: number }) {
  if (alpha === undefined) return units === 0 ? "nothing judged twice yet" : `no variation in ${units}`;
  return `α = ${alpha.toFixed(2).replace("-", "−")} (${units} judged twice)`;
}

/** What came of the finished reviews: preferences, criteria, agreement, flags and comments. */
export function Results({ set }: { set: SetDetail }) {
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
          <Table
            columns={[
              "model",
              number("win rate"),
              interval("95% interval"),
              number("wins"),
              number("ties"),
              number("losses"),
              number("items"),
            ]}
          >
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
          </Table>
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
        <Table columns={["criterion", ...models.map(interval), "agreement"]}>
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
        </Table>
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

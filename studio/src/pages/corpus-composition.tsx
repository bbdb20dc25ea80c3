import type { CorpusOverview } from "../../../src/serve/studio-types.ts";
import { formatBytes, formatCount, formatPercent, formatWhole } from "../format.ts";
import { Badge, Bars, Card, CopyButton, Figure, Figures } from "../parts/basics.tsx";
import { number, Table } from "../parts/table.tsx";

/** Counts of all splits together. */
export function total(
  data: CorpusOverview,
  pick: (counts: CorpusOverview["manifest"]["splits"][string]) => Record<string, number>,
): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const counts of Object.values(data.manifest.splits))
    for (const [name, count] of Object.entries(pick(counts))) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** What a corpus is made of; each part opens its documents. */
export function Composition({ data, filter }: { data: CorpusOverview; filter: (name: string, value: string) => void }) {
  const { manifest } = data;
  const splits = Object.entries(manifest.splits);
  const documents = splits.reduce((sum, [, counts]) => sum + counts.documents, 0);
  const bytes = splits.reduce((sum, [, counts]) => sum + counts.textBytes, 0);
  const free = splits.reduce((sum, [, counts]) => sum + counts.redistributable, 0);
  const years = total(data, ({ byYear }) => byYear);
  return (
    <div className="stack">
      <Figures>
        <Figure label="documents">{formatWhole(documents)}</Figure>
        {splits.map(([name, counts]) => (
          <Figure key={name} label={name}>
            {formatWhole(counts.documents)}
          </Figure>
        ))}
        <Figure label="text">{formatBytes(bytes)}</Figure>
        <Figure label="left out" note={`of ${formatWhole(manifest.stages[0]?.in ?? 0)}`}>
          {formatWhole(manifest.drops.total)}
        </Figure>
        <Figure label="may be passed on" note={formatPercent(documents === 0 ? 0 : free / documents)}>
          {formatWhole(free)}
        </Figure>
      </Figures>
      <div className="grid-2">
        <Card title="By source">
          <Bars
            counts={total(data, ({ bySource }) => bySource)}
            format={formatWhole}
            onPick={(name) => filter("source", name)}
          />
        </Card>
        <Card title="By license">
          <Bars
            counts={total(data, ({ byLicense }) => byLicense)}
            format={formatWhole}
            onPick={(name) => filter("license", name)}
          />
        </Card>
        <Card title="By kind">
          <Bars
            counts={total(data, ({ byKind }) => byKind)}
            format={formatWhole}
            onPick={(name) => filter("kind", name)}
          />
        </Card>
        <Card title="By language">
          <Bars
            counts={total(data, ({ byLanguage }) => byLanguage)}
            format={formatWhole}
            onPick={(name) => filter("language", name)}
          />
        </Card>
      </div>
      <Card title="By year of publication">
        <Years counts={years} onPick={(name) => filter("year", name)} />
      </Card>
      <Card
        title="Stage by stage"
        flush
        actions={<span className="small muted">in = out + dropped, checked when the corpus was written</span>}
      >
        <Table columns={["stage", number("in"), number("dropped"), number("added"), number("out")]}>
          {manifest.stages.map((stage) => (
            <tr key={stage.stage}>
              <th scope="row" className="diff-key">
                {stage.stage}
              </th>
              <td className="number">{formatWhole(stage.in)}</td>
              <td className="number">{formatWhole(stage.dropped)}</td>
              <td className="number">{formatWhole(stage.added)}</td>
              <td className="number strong">{formatWhole(stage.out)}</td>
            </tr>
          ))}
        </Table>
      </Card>
      {data.contamination && <Contamination report={data.contamination} />}
      {data.datasheet && (
        <Card title="Datasheet" actions={<CopyButton text={data.datasheet} label="Copy Markdown" />}>
          <details>
            <summary>Everything above, as it is published with the corpus</summary>
            <pre className="prose small">{data.datasheet}</pre>
          </details>
        </Card>
      )}
    </div>
  );
}

/** Years as columns; each opens its documents. */
function Years({ counts, onPick }: { counts: Record<string, number>; onPick: (year: string) => void }) {
  const years = Object.keys(counts).filter(Boolean).sort();
  const most = Math.max(1, ...years.map((year) => counts[year]!));
  const unknown = counts[""] ?? 0;
  if (years.length === 0) return <p className="muted small">No document states its year.</p>;
  return (
    <>
      <ul className="years">
        {years.map((year) => (
          <li key={year}>
            <button
              type="button"
              onClick={() => onPick(year)}
              title={`${year}: ${formatWhole(counts[year]!)} documents`}
              aria-label={`${year}: ${counts[year]} documents`}
            >
              <span className="tiny muted">{formatCount(counts[year]!)}</span>
              <i style={{ height: `${Math.max(2, (100 * counts[year]!) / most)}px` }} />
              <span className="tiny">{years.length > 24 ? `’${year.slice(2)}` : year}</span>
            </button>
          </li>
        ))}
      </ul>
      {unknown > 0 && <p className="muted small">{formatWhole(unknown)} documents state no year.</p>}
    </>
  );
}

function Contamination({ report }: { report: NonNullable<CorpusOverview["contamination"]> }) {
  const hit = Object.values(report.byBenchmark).reduce((sum, { hit: hits }) => sum + hits, 0);
  return (
    <Card
      title="Benchmark items in the text"
      actions={<Badge tone={hit > 0 ? "warn" : "good"}>{hit > 0 ? `${hit} items found` : "none found"}</Badge>}
    >
      <p className="small">
        {formatWhole(report.items)} items were compared with every document
        {report.tooShort > 0 && `; ${report.tooShort} were too short to compare`}.{" "}
        {hit > 0 && `${report.documents} documents hold one.`}
      </p>
      {report.hits.length > 0 && (
        <Table columns={["item", "document", "rule", number("overlap")]}>
          {report.hits.map((one) => (
            <tr key={`${one.item} ${one.document}`}>
              <td>
                {one.benchmark} · {one.item}
              </td>
              <td className="mono">{one.document}</td>
              <td>{one.rule}</td>
              <td className="number">{formatPercent(one.overlap)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

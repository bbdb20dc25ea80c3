import type { CorpusOverview, TextChange } from "../../../src/serve/studio-types.ts";
import { formatCount, formatPercent, formatWhole } from "../format.ts";
import { Card, Empty, Figure, Figures } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";

/** What cleaning changed, rule by rule. */
export function CleaningView({ data, open }: { data: CorpusOverview; open: (id: string) => void }) {
  const { cleaning } = data;
  if (!cleaning)
    return (
      <Card>
        <Empty title="Not cleaned">This corpus was built without cleaning.</Empty>
      </Card>
    );
  const less = cleaning.charactersIn - cleaning.charactersOut;
  return (
    <div className="stack">
      <Figures>
        <Figure label="characters in">{formatCount(cleaning.charactersIn)}</Figure>
        <Figure label="characters out">{formatCount(cleaning.charactersOut)}</Figure>
        <Figure label="less" note={formatPercent(cleaning.charactersIn === 0 ? 0 : less / cleaning.charactersIn, 2)}>
          {formatCount(less)}
        </Figure>
      </Figures>
      {cleaning.rules.length === 0 && (
        <Card>
          <Empty icon="check" title="Nothing to clean">
            No rule found anything to change.
          </Empty>
        </Card>
      )}
      {cleaning.rules.map((rule) => (
        <Card
          key={rule.rule}
          flush
          title={rule.rule}
          actions={
            <span className="small muted">
              {formatWhole(rule.removals)} changes in {formatWhole(rule.documents)} documents,{" "}
              {formatWhole(rule.characters)} characters less
            </span>
          }
        >
          <Table columns={["before", "after", "document"]}>
            {distinct(rule.samples).map((sample) => (
              <tr key={`${sample.before} ${sample.after}`}>
                <td className="mono diff-value">
                  <del>{JSON.stringify(sample.before).slice(1, -1)}</del>
                </td>
                <td className="mono diff-value">
                  <ins>{sample.after === "" ? "(nothing)" : JSON.stringify(sample.after).slice(1, -1)}</ins>
                </td>
                <td>
                  <button type="button" className="linklike" onClick={() => open(sample.id)}>
                    {sample.id}
                  </button>
                </td>
              </tr>
            ))}
          </Table>
        </Card>
      ))}
    </div>
  );
}

/** One sample of each change, eight at most: a rule may do the same to every document. */
function distinct(samples: TextChange[]): TextChange[] {
  const byChange = new Map(samples.map((sample) => [`${sample.before} ${sample.after}`, sample]));
  return [...byChange.values()].slice(0, 8);
}

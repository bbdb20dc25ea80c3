import type { RecipeChange, RunSummary } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { Await, Card, Choice, Empty, PageHead } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { Link, useQuery } from "../router.tsx";

/** The settings in which two runs differ, key by key. */
export function RecipeDiffPage() {
  const [query, setQuery] = useQuery();
  const runs = useApi<RunSummary[]>("/api/runs");
  const names = runs.data?.map(({ name }) => name) ?? [];
  const { first = "", second = "" } = query;
  const ready = first !== "" && second !== "";
  const changes = useApi<RecipeChange[]>(ready ? `/api/diff?${new URLSearchParams({ first, second })}` : undefined);
  return (
    <>
      <PageHead
        title="Compare recipes"
        crumbs={
          <>
            <Link href="/runs">Runs</Link> / compare
          </>
        }
        actions={
          <>
            <Choice
              label="first"
              any="choose a run"
              value={first}
              options={names}
              onChange={(value) => setQuery({ first: value })}
            />
            <Choice
              label="second"
              any="choose a run"
              value={second}
              options={names}
              onChange={(value) => setQuery({ second: value })}
            />
          </>
        }
      >
        Every setting that differs, defaults included. Paths inside the run directories differ by nature.
      </PageHead>
      <Card flush>
        {ready ? (
          <Await of={changes}>
            {(list) =>
              list.length === 0 ? (
                <Empty icon="check" title="The same recipe">
                  No setting differs between these two runs.
                </Empty>
              ) : (
                <Table columns={["setting", first, second]}>
                  {list.map((change) => (
                    <tr key={change.key}>
                      <th scope="row" className="mono diff-key">
                        {change.key}
                      </th>
                      <Value text={change.first} />
                      <Value text={change.second} />
                    </tr>
                  ))}
                </Table>
              )
            }
          </Await>
        ) : (
          <Empty title="Choose two runs">Their resolved recipes are compared key by key.</Empty>
        )}
      </Card>
    </>
  );
}

/** One side of a difference; a whole block that only this side has is folded. */
function Value({ text }: { text: string | undefined }) {
  const lines = text?.split("\n").length ?? 0;
  return (
    <td className="mono diff-value">
      {text === undefined ? (
        <span className="muted">not set</span>
      ) : lines > 4 ? (
        <details>
          <summary>only here, {lines} lines</summary>
          {text}
        </details>
      ) : (
        text
      )}
    </td>
  );
}

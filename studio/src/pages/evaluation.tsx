import type { EvaluationOverview, RunDetail } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { Await, Card, Empty } from "../parts/basics.tsx";
import { RunFrame, useRun } from "../parts/run-frame.tsx";
import { useQuery } from "../router.tsx";
import { ChangesView } from "./evaluation-changes.tsx";
import { ItemsView } from "./evaluation-items.tsx";
import { LeaderboardView } from "./evaluation-leaderboard.tsx";
import { SubjectsView } from "./evaluation-subjects.tsx";

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

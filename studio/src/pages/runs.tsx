import { useEffect, useState } from "react";
import type { RunSummary } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { formatAgo, formatDuration } from "../format.ts";
import { Await, PageHead, StateBadge } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { NoRuns } from "../parts/run-frame.tsx";
import { Link, navigate } from "../router.tsx";

/** All runs, newest first; two of them can be set side by side. */
export function RunsPage() {
  const runs = useApi<RunSummary[]>("/api/runs");
  const [chosen, setChosen] = useState<string[]>([]);
  const live = runs.data?.some(({ state }) => state === "running") ?? false;
  const { reload } = runs;
  useEffect(() => {
    const timer = setInterval(reload, live ? 2000 : 10_000);
    return () => clearInterval(timer);
  }, [live, reload]);
  const choose = (name: string) =>
    setChosen((before) => (before.includes(name) ? before.filter((one) => one !== name) : [...before, name].slice(-2)));
  return (
    <>
      <PageHead
        title="Runs"
        actions={
          <button
            type="button"
            className="button"
            disabled={chosen.length !== 2}
            title={chosen.length === 2 ? "" : "choose two runs"}
            onClick={() =>
              navigate(`/diff?first=${encodeURIComponent(chosen[0]!)}&second=${encodeURIComponent(chosen[1]!)}`)
            }
          >
            Compare recipes{chosen.length > 0 && ` (${chosen.length} of 2)`}
          </button>
        }
      >
        Every run directory here, from raw sources to the report.
      </PageHead>
      <Await of={runs}>
        {(list) =>
          list.length === 0 ? (
            <NoRuns />
          ) : (
            <ul className="run-list">
              {list.map((run) => (
                <li key={run.name} className="card">
                  <label className="check">
                    <input
                      type="checkbox"
                      checked={chosen.includes(run.name)}
                      onChange={() => choose(run.name)}
                      aria-label={`choose ${run.name} for comparison`}
                    />
                  </label>
                  <Link className="run-link" href={`/runs/${encodeURIComponent(run.name)}`}>
                    <span className="row">
                      <span className="strong">{run.name}</span>
                      <StateBadge state={run.state} />
                    </span>
                    <span className="muted small clip">{run.description ?? run.title}</span>
                  </Link>
                  <div className="run-figures">
                    <span className="bar" role="img" aria-label={`${run.stagesDone} of ${run.stagesTotal} stages done`}>
                      <i style={{ width: `${(100 * run.stagesDone) / Math.max(1, run.stagesTotal)}%` }} />
                    </span>
                    <span className="small nowrap">
                      {run.stagesDone}/{run.stagesTotal} stages
                    </span>
                    <span className="small muted nowrap">{formatDuration(run.seconds)}</span>
                    <span className="small muted nowrap">{formatAgo(run.updated)}</span>
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

/** What the pages of one run share: which run it is, its choice in the head, the tabs, and what stands there without any run. */
import type { ReactNode } from "react";
import type { RunSummary } from "../../../src/serve/studio-types.ts";
import { type Loaded, useApi } from "../api.ts";
import { Link, useQuery } from "../router.tsx";
import { Await, Card, Choice, Empty, PageHead } from "./basics.tsx";

/** All runs, and the one of the address: the newest where it names none. */
export function useRun(): { runs: Loaded<RunSummary[]>; run: string | undefined } {
  const [query] = useQuery();
  const runs = useApi<RunSummary[]>("/api/runs");
  return { runs, run: query.run ?? runs.data?.[0]?.name };
}

export function RunFrame({
  title,
  intro,
  of: { runs, run },
  onRun,
  actions,
  tabs = [],
  href,
  children,
}: {
  title: string;
  intro: string;
  of: ReturnType<typeof useRun>;
  onRun: (name: string) => void;
  actions?: ReactNode;
  /** Views by their key in the address; the first has none. */
  tabs?: readonly (readonly [string, string])[];
  /** The address of a view. */
  href?: (view: string) => string;
  children: (run: string, all: RunSummary[]) => ReactNode;
}) {
  const [{ view = "" }] = useQuery();
  return (
    <>
      <PageHead
        title={title}
        actions={
          <>
            <Choice label="run" value={run ?? ""} options={runs.data?.map(({ name }) => name) ?? []} onChange={onRun} />
            {actions}
          </>
        }
      >
        {intro}
      </PageHead>
      {href && (
        <nav className="tabs" aria-label={`views of the ${title.toLowerCase()}`}>
          {tabs.map(([key, name]) => (
            <Link key={key} aria-current={view === key ? "page" : undefined} href={href(key)}>
              {name}
            </Link>
          ))}
        </nav>
      )}
      <Await of={runs}>{(list) => (run === undefined ? <NoRuns /> : children(run, list))}</Await>
    </>
  );
}

export function NoRuns() {
  return (
    <Card>
      <Empty title="No runs yet">
        Start one with <code>meditron demo</code>, or open another folder with <code>meditron studio --runs</code>.
      </Empty>
    </Card>
  );
}

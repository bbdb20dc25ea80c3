import { useCallback, useState } from "react";
import type { DropRecord } from "../../../src/corpus/drop-log.ts";
import type { CorpusOverview } from "../../../src/serve/studio-types.ts";
import { url } from "../api.ts";
import { formatWhole } from "../format.ts";
import { Bars, Card, Choice, Empty } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { Split } from "../parts/split.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { useQuery } from "../router.tsx";

/** What was left out, by rule, and each record with its reason. */
export function DropsView({ run, corpus, data }: { run: string; corpus: string; data: CorpusOverview }) {
  const [query, setQuery] = useQuery();
  const { rule = "", dropped = "" } = query;
  const [open, setOpen] = useState<DropRecord>();
  const path = useCallback(
    (offset: number, limit: number) =>
      url(["runs", run, "corpora", corpus, "drops"], { rule, q: dropped, offset, limit }),
    [run, corpus, rule, dropped],
  );
  return (
    <div className="stack">
      <Card title={`${formatWhole(data.manifest.drops.total)} left out, by rule`}>
        <Bars
          counts={data.manifest.drops.byRule}
          format={formatWhole}
          limit={40}
          onPick={(name) => setQuery({ rule: name })}
        />
      </Card>
      <Split
        label="dropped record"
        back="Dropped"
        onBack={() => setOpen(undefined)}
        empty={
          <Empty title="Choose a record">
            Why it is not in the corpus: the rule, the value measured and the threshold.
          </Empty>
        }
        list={
          <>
            <div className="filters">
              <label className="search">
                <span className="sr-only">title, id or reason</span>
                <Icon name="search" size={16} />
                <input
                  type="search"
                  value={dropped}
                  placeholder="title, id or reason"
                  onChange={(event) => setQuery({ dropped: event.target.value })}
                />
              </label>
              <Choice
                label="rule"
                any="every rule"
                value={rule}
                options={Object.keys(data.manifest.drops.byRule)}
                onChange={(value) => setQuery({ rule: value })}
              />
            </div>
            <VirtualList<DropRecord>
              label="dropped records"
              path={path}
              rowHeight={64}
              height="60dvh"
              keyOf={({ id, rule: by, where }) => `${id} ${by} ${where}`}
              selected={open && `${open.id} ${open.rule} ${open.where}`}
              onSelect={setOpen}
              empty={noneFound("records")}
              render={(row) => (
                <>
                  <span className="clip">{row.title || row.id}</span>
                  <span className="tiny muted clip">
                    <b>{row.rule}</b> {row.reason}
                  </span>
                </>
              )}
            />
          </>
        }
      >
        {open && (
          <div className="padded stack">
            <h2>{open.title || open.id}</h2>
            <p>{open.reason}</p>
            <dl className="facts">
              <dt>rule</dt>
              <dd>{open.rule}</dd>
              <dt>measured</dt>
              <dd>{open.value || "–"}</dd>
              <dt>threshold</dt>
              <dd>{open.threshold || "–"}</dd>
              <dt>id</dt>
              <dd className="mono">{open.id}</dd>
              <dt>source</dt>
              <dd>{open.source}</dd>
              <dt>place</dt>
              <dd className="mono">{open.where || "–"}</dd>
              <dt>characters</dt>
              <dd>{open.characters > 0 ? formatWhole(open.characters) : "–"}</dd>
            </dl>
          </div>
        )}
      </Split>
    </div>
  );
}

import type { RunDetail, RunStage } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { formatBytes, formatDuration, formatTime, formatWhole, spaced } from "../format.ts";
import { Await, Badge, Card, CopyButton, Figure, Figures, PageHead, StateBadge } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { StageGraph } from "../parts/stage-graph.tsx";
import { Link, useQuery } from "../router.tsx";

/** One run: its graph with counts, time and state, live while it goes on; its recipe and where it was made. */
export function RunPage({ run }: { run: string }) {
  const detail = useApi<RunDetail>(url(["runs", run]));
  const { reload } = detail;
  const connected = useRunEvents(run, detail.data?.offset, reload);
  const [query, setQuery] = useQuery();
  return (
    <Await of={detail} lines={8}>
      {(data) => {
        const selected = data.stages.find(({ id }) => id === query.stage);
        const name = encodeURIComponent(run);
        return (
          <>
            <PageHead
              title={data.title}
              crumbs={
                <>
                  <Link href="/runs">Runs</Link> / {run}
                </>
              }
              actions={
                <>
                  {data.state === "running" && (
                    <Badge tone={connected ? "info" : "warn"} icon="dot">
                      {connected ? "live" : "reconnecting"}
                    </Badge>
                  )}
                  <Link className="button" href={`/corpus?run=${name}`}>
                    <Icon name="corpus" size={16} /> Corpus
                  </Link>
                  <Link className="button" href={`/training?run=${name}`}>
                    <Icon name="training" size={16} /> Training
                  </Link>
                  <Link className="button" href={`/evaluation?run=${name}`}>
                    <Icon name="evaluation" size={16} /> Evaluation
                  </Link>
                </>
              }
            >
              {data.description}
            </PageHead>
            <div className="stack">
              <Figures>
                <Figure label="state">
                  <StateBadge state={data.state} />
                </Figure>
                <Figure label="stages done">
                  {data.stagesDone}
                  <small> of {data.stagesTotal}</small>
                </Figure>
                <Figure label="time at work">{formatDuration(data.seconds)}</Figure>
                <Figure label="first start">
                  <span className="figure-time">{formatTime(data.started)}</span>
                </Figure>
                <Figure label="last event">
                  <span className="figure-time">{formatTime(data.updated)}</span>
                </Figure>
              </Figures>
              {data.stages
                .filter(({ error }) => error)
                .map((stage) => (
                  <div key={stage.id} className="notice bad" role="alert">
                    <Icon name="warning" />
                    <div>
                      <strong>{stage.id}</strong> failed: {stage.error!.message} <code>{stage.error!.code}</code>
                    </div>
                  </div>
                ))}
              <Card title="Pipeline" flush>
                <StageGraph
                  stages={data.stages}
                  selected={selected?.id}
                  onSelect={(id) => setQuery({ stage: id === selected?.id ? undefined : id })}
                />
                {selected && <StageDetail stage={selected} run={run} />}
              </Card>
              <div className="grid-2">
                <Card title="Recipe" actions={<CopyButton text={data.recipe} />} flush>
                  {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region is reached by keyboard */}
                  <section className="code" tabIndex={0} aria-label="recipe.yaml">
                    <pre>{data.recipe}</pre>
                  </section>
                </Card>
                <Provenance detail={data} />
              </div>
            </div>
          </>
        );
      }}
    </Await>
  );
}

function StageDetail({ stage, run }: { stage: RunStage; run: string }) {
  const [kind, name = "", benchmark = ""] = stage.id.split(".");
  const at = encodeURIComponent(run);
  const link =
    kind === "corpus"
      ? `/corpus?run=${at}&corpus=${encodeURIComponent(name)}`
      : kind === "train"
        ? `/training?run=${at}&show=${encodeURIComponent(`${run}/${name}`)}`
        : kind === "eval"
          ? `/evaluation?run=${at}&benchmark=${encodeURIComponent(benchmark)}`
          : undefined;
  return (
    <div className="stage-detail">
      <div className="row">
        <h3>{stage.id}</h3>
        <StateBadge state={stage.state} />
        {stage.resumed && <Badge>resumed</Badge>}
        {link && <Link href={link}>open</Link>}
      </div>
      <dl className="facts">
        <dt>started</dt>
        <dd>{formatTime(stage.started)}</dd>
        <dt>ended</dt>
        <dd>{formatTime(stage.ended)}</dd>
        {stage.seconds !== undefined && (
          <>
            <dt>took</dt>
            <dd>{formatDuration(stage.seconds)}</dd>
          </>
        )}
        <dt>reads from</dt>
        <dd>{stage.needs.join(", ") || "nothing in this run"}</dd>
        {Object.entries(stage.counts).map(([what, count]) => (
          <div key={what} className="contents">
            <dt>{spaced(what)}</dt>
            <dd>{what === "bytes" ? formatBytes(count) : formatWhole(count)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Provenance({ detail: { provenance, hasReport, name } }: { detail: RunDetail }) {
  return (
    <Card title="Made with">
      {provenance ? (
        <dl className="facts">
          <dt>meditron</dt>
          <dd>
            {provenance.meditron} {provenance.commit && <code>{provenance.commit.slice(0, 12)}</code>}
          </dd>
          <dt>Node</dt>
          <dd>{provenance.node}</dd>
          <dt>machine</dt>
          <dd>
            {provenance.host.name}: {provenance.host.cores} cores, {formatBytes(provenance.host.memoryBytes)}
          </dd>
          <dt>processor</dt>
          <dd>{provenance.host.cpu}</dd>
          <dt>system</dt>
          <dd>{provenance.host.system}</dd>
          <dt>recipe</dt>
          <dd>
            <span className="mono">{provenance.recipe.file}</span>
            <br />
            <span className="mono muted">{provenance.recipe.sha256.slice(0, 16)}</span>
          </dd>
          {provenance.starts.map(({ time, commandLine }) => (
            <div key={time} className="contents">
              <dt>{formatTime(time)}</dt>
              <dd className="mono">{commandLine}</dd>
            </div>
          ))}
          <dt>report</dt>
          <dd>
            {hasReport ? (
              <a href={`/api/runs/${encodeURIComponent(name)}/report.html`} target="_blank" rel="noreferrer">
                report.html
              </a>
            ) : (
              "not written yet"
            )}
          </dd>
        </dl>
      ) : (
        <p className="muted">This run has no provenance.json.</p>
      )}
    </Card>
  );
}

import { useCallback, useEffect, useState } from "react";
import type { CorpusOverview, DocumentRow, DropRow, RunDetail, TextChange } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { formatBytes, formatCount, formatPercent, formatWhole } from "../format.ts";
import { Await, Badge, Bars, Card, Choice, CopyButton, Empty, Figure, Figures } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { RunFrame, useRun } from "../parts/run-frame.tsx";
import { Split } from "../parts/split.tsx";
import { number as numeric, Table } from "../parts/table.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { navigate, useQuery } from "../router.tsx";
import { DocumentPane } from "./corpus-document.tsx";
import { Highlight } from "./highlight.tsx";

const tabs = [
  ["", "Composition"],
  ["documents", "Documents"],
  ["drops", "Dropped"],
  ["cleaning", "Cleaning"],
] as const;

/** What a corpus is made of, what was left out and why, and every document with its provenance. */
export function CorpusPage() {
  const [query, setQuery] = useQuery();
  const of = useRun();
  const { run } = of;
  const detail = useApi<RunDetail>(run === undefined ? undefined : url(["runs", run]));
  const { reload } = detail;
  useRunEvents(run, detail.data?.offset, ({ events }) => {
    if (events.some((event) => event.event === "stage-end" || event.event === "stage-start")) reload();
  });
  const corpora = detail.data?.corpora ?? [];
  const corpus =
    query.corpus && corpora.includes(query.corpus)
      ? query.corpus
      : (corpora.find((name) => name !== "general") ?? corpora[0]);
  const view = query.view ?? "";
  const href = (to: { corpus?: string | undefined; view?: string }) =>
    `/corpus?${new URLSearchParams(Object.entries({ run, corpus, view, ...to }).flatMap(([key, value]) => (value ? [[key, value]] : [])))}`;
  return (
    <RunFrame
      title="Corpus"
      intro="Where the documents come from, what was left out by which rule, and every text beside its source."
      of={of}
      onRun={(name) => navigate(`/corpus?run=${encodeURIComponent(name)}`)}
      actions={
        <Choice
          label="corpus"
          value={corpus ?? ""}
          options={corpora}
          onChange={(name) => navigate(href({ corpus: name }))}
        />
      }
      tabs={tabs}
      href={(key) => href({ view: key })}
    >
      {(name) => (
        <Await of={detail} lines={8}>
          {() =>
            corpus === undefined ? (
              <Card>
                <Empty title="No corpus yet" icon="corpus">
                  The first one appears when its stage has started.
                </Empty>
              </Card>
            ) : (
              <CorpusView key={`${name}/${corpus}`} run={name} corpus={corpus} view={view} setQuery={setQuery} />
            )
          }
        </Await>
      )}
    </RunFrame>
  );
}

function CorpusView({
  run,
  corpus,
  view,
  setQuery,
}: {
  run: string;
  corpus: string;
  view: string;
  setQuery: ReturnType<typeof useQuery>[1];
}) {
  const overview = useApi<CorpusOverview>(url(["runs", run, "corpora", corpus]));
  const { data, reload } = overview;
  const preparing = data?.index.state === "reading" || data?.index.state === "indexing";
  useEffect(() => {
    if (!preparing) return;
    const timer = setInterval(reload, 1000);
    return () => clearInterval(timer);
  }, [preparing, reload]);
  return (
    <Await of={overview} lines={8}>
      {(corpusData) =>
        view === "documents" ? (
          <DocumentsView run={run} corpus={corpus} data={corpusData} />
        ) : view === "drops" ? (
          <DropsView run={run} corpus={corpus} data={corpusData} />
        ) : view === "cleaning" ? (
          <CleaningView data={corpusData} open={(id) => setQuery({ view: "documents", id }, true)} />
        ) : (
          <Composition
            data={corpusData}
            filter={(name, value) => setQuery({ view: "documents", [name]: value || "-" }, true)}
          />
        )
      }
    </Await>
  );
}

/** Counts of all splits together. */
function total(
  data: CorpusOverview,
  pick: (counts: CorpusOverview["manifest"]["splits"][string]) => Record<string, number>,
): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const counts of Object.values(data.manifest.splits))
    for (const [name, count] of Object.entries(pick(counts))) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function Composition({ data, filter }: { data: CorpusOverview; filter: (name: string, value: string) => void }) {
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
        <Table columns={["stage", numeric("in"), numeric("dropped"), numeric("added"), numeric("out")]}>
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
        <Table columns={["item", "document", "rule", numeric("overlap")]}>
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

const filterNames = ["source", "kind", "license", "language", "year", "split"] as const;

function DocumentsView({ run, corpus, data }: { run: string; corpus: string; data: CorpusOverview }) {
  const [query, setQuery] = useQuery();
  const { q = "" } = query;
  const [typed, setTyped] = useState(q);
  const [count, setCount] = useState<number>();
  const filters = filterNames.map((name) => query[name] ?? "");
  const search = new URLSearchParams(filterNames.flatMap((name, i) => (filters[i] ? [[name, filters[i]]] : [])));
  if (q) search.set("q", q);
  const key = search.toString();
  const path = useCallback(
    (offset: number, limit: number) =>
      `${url(["runs", run, "corpora", corpus, "documents"])}?${key}&offset=${offset}&limit=${limit}`,
    [run, corpus, key],
  );
  // A link by id (from cleaning, from contamination) opens its document.
  const linked = useApi<{ number: number }>(
    query.id === undefined ? undefined : url(["runs", run, "corpora", corpus, "find"], { id: query.id }),
  );
  const foundNumber = linked.data?.number;
  useEffect(() => {
    if (query.id !== undefined && foundNumber !== undefined && !linked.loading)
      setQuery({ id: undefined, n: String(foundNumber) });
  }, [query.id, foundNumber, linked.loading, setQuery]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed !== q) setQuery({ q: typed, n: undefined });
    }, 250);
    return () => clearTimeout(timer);
  }, [typed, q, setQuery]);
  const options = [
    Object.keys(total(data, ({ bySource }) => bySource)),
    Object.keys(total(data, ({ byKind }) => byKind)),
    Object.keys(total(data, ({ byLicense }) => byLicense)),
    Object.keys(total(data, ({ byLanguage }) => byLanguage)),
    Object.keys(total(data, ({ byYear }) => byYear))
      .sort()
      .reverse(),
    Object.keys(data.manifest.splits),
  ];
  const number = query.n;
  const { index } = data;
  if (index.state === "failed")
    return (
      <Card>
        <Empty icon="warning" title="The documents could not be read">
          {index.message}
        </Empty>
      </Card>
    );
  return (
    <Split
      label="document"
      back="Documents"
      onBack={() => setQuery({ n: undefined })}
      empty={
        <Empty title="Choose a document" icon="corpus">
          Its text stands here, beside what its source said. Arrow keys walk through the list.
        </Empty>
      }
      list={
        <>
          <div className="filters">
            <label className="search">
              <span className="sr-only">search the text of all documents</span>
              <Icon name="search" size={16} />
              <input
                type="search"
                value={typed}
                placeholder="search the text of all documents"
                onChange={(event) => setTyped(event.target.value)}
                disabled={index.state !== "ready" && q === ""}
              />
            </label>
            <div className="filter-grid">
              {filterNames.map((name, i) => (
                <select
                  key={name}
                  aria-label={name}
                  value={filters[i]}
                  onChange={(event) => setQuery({ [name]: event.target.value, n: undefined })}
                >
                  <option value="">{name}</option>
                  {options[i]!.map((value) => (
                    <option key={value} value={value || "-"}>
                      {value || `no ${name} stated`}
                    </option>
                  ))}
                </select>
              ))}
            </div>
            <span className="row between tiny muted" aria-live="polite">
              <span>
                {count === undefined ? "loading" : `${formatWhole(count)} documents`}
                {q && ", best match first"}
              </span>
              {index.state !== "ready" && (
                <Badge tone="info" icon="dot">
                  {index.state === "reading" ? "reading the shards" : "indexing the words"}
                </Badge>
              )}
            </span>
          </div>
          {index.state === "ready" || q === "" ? (
            <VirtualList<DocumentRow>
              label="documents"
              path={path}
              rowHeight={84}
              height="calc(100dvh - 330px)"
              keyOf={({ number: at }) => String(at)}
              selected={number}
              onSelect={({ number: at }) => setQuery({ n: String(at) }, number === undefined)}
              onTotal={setCount}
              empty={noneFound("documents")}
              render={(row) => (
                <>
                  <span className="strong clip">{row.title || row.id}</span>
                  <span className="small muted clip">
                    {q ? <Highlight text={row.excerpt} words={q} /> : row.excerpt}
                  </span>
                  <span className="tiny muted clip">
                    {row.source} · {row.published || "no date"} · {row.license} · {formatCount(row.characters)}{" "}
                    characters
                  </span>
                </>
              )}
            />
          ) : (
            <Empty icon="clock" title="The words are still being indexed">
              Documents can be read already: clear the search.
            </Empty>
          )}
        </>
      }
    >
      {number !== undefined && <DocumentPane run={run} corpus={corpus} number={number} words={q} />}
    </Split>
  );
}

function DropsView({ run, corpus, data }: { run: string; corpus: string; data: CorpusOverview }) {
  const [query, setQuery] = useQuery();
  const { rule = "", dropped = "" } = query;
  const [open, setOpen] = useState<DropRow>();
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
            <VirtualList<DropRow>
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
                  <span className="row between">
                    <span className="clip">{row.title || row.id}</span>
                    <Badge>{row.rule}</Badge>
                  </span>
                  <span className="tiny muted clip">{row.reason}</span>
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

function CleaningView({ data, open }: { data: CorpusOverview; open: (id: string) => void }) {
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

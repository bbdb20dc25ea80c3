import { useCallback, useEffect, useState } from "react";
import type { CorpusOverview, DocumentRow } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { formatCount, formatWhole } from "../format.ts";
import { Badge, Card, Empty } from "../parts/basics.tsx";
import { Highlight } from "../parts/highlight.tsx";
import { Icon } from "../parts/icons.tsx";
import { Split } from "../parts/split.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { useQuery } from "../router.tsx";
import { total } from "./corpus-composition.tsx";
import { DocumentPane } from "./corpus-document.tsx";

const filterNames = ["source", "kind", "license", "language", "year", "split"] as const;

/** Every document, found by words and filters, and the one that was chosen. */
export function DocumentsView({ run, corpus, data }: { run: string; corpus: string; data: CorpusOverview }) {
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

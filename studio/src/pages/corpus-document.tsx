import { useState } from "react";
import type { DocumentView, SourceView } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { formatWhole, spaced } from "../format.ts";
import { Await, Badge, CopyButton, Segments } from "../parts/basics.tsx";
import { Highlight } from "../parts/highlight.tsx";

type View = "text" | "marked" | "beside";

/** One document: its text as trained on, beside its source with what was removed, and where it comes from. */
export function DocumentPane({
  run,
  corpus,
  number,
  words,
}: {
  run: string;
  corpus: string;
  number: string;
  words: string;
}) {
  const document = useApi<DocumentView>(url(["runs", run, "corpora", corpus, "documents", number]));
  const [view, setView] = useState<View>("text");
  return (
    <div className="padded">
      <Await of={document}>
        {(data) => (
          <article className="stack">
            <h2>{data.title || data.id}</h2>
            <div className="row">
              <Badge>{data.kind}</Badge>
              <Badge
                tone={data.redistributable ? "good" : "warn"}
                title={data.redistributable ? "may be passed on" : "may not be passed on"}
              >
                {data.license === "unknown" ? "license unknown" : data.license}
              </Badge>
              <Badge>{data.split}</Badge>
              {data.language && <Badge>{data.language}</Badge>}
              <span className="small muted">{formatWhole(data.characters)} characters</span>
              <CopyButton text={data.text} label="Copy text" />
            </div>
            <Segments
              label="what is shown"
              value={view}
              onChange={setView}
              options={[
                ["text", "as trained on"],
                ["marked", "changes marked"],
                ["beside", "beside its source"],
              ]}
            />
            {view === "text" ? (
              <div className="prose">
                <Highlight text={data.text} words={words} />
              </div>
            ) : (
              <SourceText run={run} corpus={corpus} number={number} beside={view === "beside"} />
            )}
            <Facts data={data} />
          </article>
        )}
      </Await>
    </div>
  );
}

function SourceText({ run, corpus, number, beside }: { run: string; corpus: string; number: string; beside: boolean }) {
  const source = useApi<SourceView>(url(["runs", run, "corpora", corpus, "documents", number, "source"]));
  return (
    <Await of={source}>
      {({ parts, place, changes }) => {
        const show = (hidden: "removed" | "added" | undefined) =>
          parts.map(({ kind, text }, i) => {
            if (kind === hidden) return null;
            const Tag = kind === "removed" ? "del" : kind === "added" ? "ins" : "span";
            // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in their order
            return <Tag key={i}>{kind === "removed" ? text.replaceAll("\n", "↵\n") : text}</Tag>;
          });
        const same = parts.every(({ kind }) => kind === "same");
        return (
          <div className="stack">
            <p className="small muted">
              {same
                ? "Nothing was changed: the text stands as it was read."
                : changes.map(({ rule, count }) => `${rule} ${formatWhole(count)}×`).join(" · ") ||
                  "Changed after cleaning."}{" "}
              <span className="mono">{place}</span>
            </p>
            {beside ? (
              <div className="grid-2">
                <section aria-label="source">
                  <h3>source</h3>
                  <div className="prose small">{show("added")}</div>
                </section>
                <section aria-label="cleaned">
                  <h3>cleaned</h3>
                  <div className="prose small">{show("removed")}</div>
                </section>
              </div>
            ) : (
              <div className="prose">{show(undefined)}</div>
            )}
          </div>
        );
      }}
    </Await>
  );
}

function Facts({ data }: { data: DocumentView }) {
  // Only an address that opens a page becomes a link: a document may claim javascript: as its own.
  const opens = /^https?:\/\//.test(data.url);
  return (
    <dl className="facts">
      <dt>id</dt>
      <dd className="mono">{data.id}</dd>
      <dt>source</dt>
      <dd>{data.source}</dd>
      <dt>published</dt>
      <dd>{data.published || "not stated"}</dd>
      <dt>address</dt>
      <dd>
        {opens ? (
          <a href={data.url} target="_blank" rel="noreferrer noopener">
            {data.url}
          </a>
        ) : (
          data.url || "none"
        )}
      </dd>
      <dt>retrieved</dt>
      <dd>{data.retrieved || "not stated"}</dd>
      <dt>shard</dt>
      <dd className="mono">
        {data.shard}, document {formatWhole(data.number)}
      </dd>
      <dt>SHA-256</dt>
      <dd className="mono">{data.sha256}</dd>
      {Object.entries(data.meta)
        .map(([name, value]) => [name, stated(value)] as const)
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{spaced(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** What a source says of a record, as a reader would write it; "" where it says nothing. */
function stated(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(stated).filter(Boolean).join(", ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, inner]) => `${spaced(name)} ${stated(inner)}`)
      .join(", ");
  return String(value);
}

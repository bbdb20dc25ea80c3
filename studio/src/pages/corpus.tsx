import { useEffect } from "react";
import type { CorpusOverview, RunDetail } from "../../../src/serve/studio-types.ts";
import { url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { Await, Card, Choice, Empty } from "../parts/basics.tsx";
import { RunFrame, useRun } from "../parts/run-frame.tsx";
import { navigate, useQuery } from "../router.tsx";
import { CleaningView } from "./corpus-cleaning.tsx";
import { Composition } from "./corpus-composition.tsx";
import { DocumentsView } from "./corpus-documents.tsx";
import { DropsView } from "./corpus-drops.tsx";

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

import { useCallback, useEffect, useMemo, useState } from "react";
import type { RunDetail, TrainingCurve } from "../../../src/serve/studio-types.ts";
import { getJson, url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { Badge, Card, Empty, ErrorState, Skeleton } from "../parts/basics.tsx";
import { RunFrame, useRun } from "../parts/run-frame.tsx";
import { useQuery } from "../router.tsx";
import { Panels } from "./training-panels.tsx";

const POINTS = 1500;
const color = (index: number) => `--series-${(index % 8) + 1}`;

/** Training curves of one run or several laid over each other, live while one of them goes on. */
export function TrainingPage() {
  const [, setQuery] = useQuery();
  return (
    <RunFrame
      title="Training"
      intro="Loss, validation, learning rate, gradient norm and speed of each training, with its checkpoints and spikes."
      of={useRun()}
      onRun={(name) => setQuery({ run: name, show: undefined }, true)}
    >
      {(run, all) => <Curves key={run} run={run} others={all.map(({ name }) => name).filter((name) => name !== run)} />}
    </RunFrame>
  );
}

function Curves({ run, others }: { run: string; others: string[] }) {
  const [query, setQuery] = useQuery();
  const detail = useApi<RunDetail>(url(["runs", run]));
  const [beside, setBeside] = useState<Record<string, string[]>>({});
  const [curves, setCurves] = useState<Record<string, TrainingCurve>>({});
  const [error, setError] = useState<Error>();
  const available = useMemo(
    () => [
      ...(detail.data?.trainings ?? []).map((name) => `${run}/${name}`),
      ...Object.entries(beside).flatMap(([name, trainings]) => trainings.map((training) => `${name}/${training}`)),
    ],
    [detail.data, beside, run],
  );
  const shown =
    query.show === undefined
      ? available.filter((key) => key.startsWith(`${run}/`))
      : query.show.split(",").filter(Boolean);

  const load = useCallback(async (keys: string[]) => {
    try {
      const loaded = await Promise.all(
        keys.map(async (key) => {
          const [name = "", training = ""] = key.split("/");
          return [
            key,
            await getJson<TrainingCurve>(url(["runs", name, "training", training], { points: POINTS })),
          ] as const;
        }),
      );
      setCurves((before) => ({ ...before, ...Object.fromEntries(loaded) }));
      setError(undefined);
    } catch (problem) {
      setError(problem as Error);
    }
  }, []);
  const wanted = shown.join(",");
  useEffect(() => {
    void load(wanted.split(",").filter(Boolean));
  }, [wanted, load]);
  // A run set beside this one in the link itself brings its trainings to choose from.
  const linked = [...new Set(shown.map((key) => key.split("/")[0]!))]
    .filter((name) => name !== run && !(name in beside))
    .join(",");
  useEffect(() => {
    for (const name of linked.split(",").filter(Boolean))
      getJson<RunDetail>(url(["runs", name])).then(
        ({ trainings }) => setBeside((before) => ({ ...before, [name]: trainings })),
        setError,
      );
  }, [linked]);
  const { reload } = detail;
  const connected = useRunEvents(
    run,
    detail.data?.offset,
    ({ events }) => {
      const changed = new Set(
        events.flatMap((event) =>
          "stage" in event && event.stage.startsWith("train.") ? [`${run}/${event.stage.slice(6)}`] : [],
        ),
      );
      if (events.some(({ event }) => event === "stage-start" || event === "stage-end")) reload();
      const again = shown.filter((key) => changed.has(key));
      if (again.length > 0) void load(again);
    },
    1500,
  );

  if (detail.error) return <ErrorState error={detail.error} retry={reload} />;
  if (!detail.data) return <Skeleton lines={8} />;
  const toggle = (key: string) =>
    setQuery({ show: (shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key]).join(",") || "," });
  const list = shown.flatMap((key) =>
    curves[key] ? [{ key, curve: curves[key], color: color(Math.max(0, available.indexOf(key))) }] : [],
  );
  return (
    <div className="stack">
      <div className="row">
        <fieldset className="series-choice grow">
          <legend className="sr-only">trainings shown</legend>
          {available.map((key, index) => (
            <label key={key}>
              <input type="checkbox" checked={shown.includes(key)} onChange={() => toggle(key)} />
              <span className="swatch" style={{ color: `var(${color(index)})` }} aria-hidden="true" />
              {key.startsWith(`${run}/`) ? key.slice(run.length + 1) : key}
            </label>
          ))}
        </fieldset>
        {others.length > 0 && (
          <label className="field">
            <span className="sr-only">lay another run over this one</span>
            <select
              value=""
              onChange={async (event) => {
                const name = event.target.value;
                const { trainings } = await getJson<RunDetail>(url(["runs", name]));
                setBeside((before) => ({ ...before, [name]: trainings }));
                setQuery({ show: [...shown, ...trainings.map((training) => `${name}/${training}`)].join(",") });
              }}
            >
              <option value="" disabled>
                Overlay another run …
              </option>
              {others.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {detail.data.state === "running" && (
          <Badge tone={connected ? "info" : "warn"} icon="dot">
            {connected ? "live" : "reconnecting"}
          </Badge>
        )}
      </div>
      {error && <ErrorState error={error} retry={() => void load(shown)} />}
      {available.length === 0 ? (
        <Card>
          <Empty title="No training has started" icon="training">
            The curves appear here with the first step.
          </Empty>
        </Card>
      ) : shown.length === 0 ? (
        <Card>
          <Empty title="Nothing chosen">Choose at least one training above.</Empty>
        </Card>
      ) : list.length === 0 ? (
        <Skeleton lines={8} />
      ) : (
        <Panels list={list} />
      )}
    </div>
  );
}

import { useCallback, useEffect, useMemo, useState } from "react";
import type { RunDetail, RunSummary, TrainingCurve } from "../../../src/serve/studio-types.ts";
import { getJson, url, useApi } from "../api.ts";
import { useRunEvents } from "../follow.ts";
import { formatCount, formatWhole } from "../format.ts";
import {
  Await,
  Badge,
  Card,
  Choice,
  Empty,
  ErrorState,
  PageHead,
  Segments,
  Skeleton,
  StateBadge,
} from "../parts/basics.tsx";
import { Chart, type Line, type Marker } from "../parts/chart.tsx";
import { Icon } from "../parts/icons.tsx";
import { useQuery } from "../router.tsx";

const POINTS = 1500;
const color = (index: number) => `--series-${(index % 8) + 1}`;

/** Training curves of one run or several laid over each other, live while one of them goes on. */
export function TrainingPage() {
  const [query, setQuery] = useQuery();
  const runs = useApi<RunSummary[]>("/api/runs");
  const run = query.run ?? runs.data?.[0]?.name;
  return (
    <>
      <PageHead
        title="Training"
        actions={
          <Choice
            label="run"
            value={run ?? ""}
            options={runs.data?.map(({ name }) => name) ?? []}
            onChange={(name) => setQuery({ run: name, show: undefined }, true)}
          />
        }
      >
        Loss, validation, learning rate, gradient norm and speed of each training, with its checkpoints and spikes.
      </PageHead>
      <Await of={runs}>
        {(list) =>
          run === undefined ? (
            <Card>
              <Empty title="No runs yet">
                Start one with <code>meditron demo</code>.
              </Empty>
            </Card>
          ) : (
            <Curves key={run} run={run} others={list.map(({ name }) => name).filter((name) => name !== run)} />
          )
        }
      </Await>
    </>
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

interface Shown {
  key: string;
  curve: TrainingCurve;
  color: string;
}

type Axis = "step" | "samples";

/** Values of all curves on one x axis: the sorted union of their steps. */
function align(
  list: Shown[],
  axis: Axis,
  pick: (curve: TrainingCurve) => (number | null)[],
): { x: number[]; values: (number | null)[][] } {
  if (list.length === 1) return { x: list[0]!.curve[axis], values: [pick(list[0]!.curve)] };
  const x = [...new Set(list.flatMap(({ curve }) => curve[axis]))].sort((a, b) => a - b);
  const place = new Map(x.map((value, index) => [value, index]));
  const values = list.map(({ curve }) => {
    const row = new Array<number | null>(x.length).fill(null);
    const column = pick(curve);
    for (const [i, value] of curve[axis].entries()) row[place.get(value)!] = column[i]!;
    return row;
  });
  return { x, values };
}

/** Exponential moving average, corrected for its start. */
function smooth(values: (number | null)[], weight: number): (number | null)[] {
  if (weight === 0) return values;
  let [mean, norm] = [0, 0];
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    mean = weight * mean + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return mean / norm;
  });
}

function Panels({ list }: { list: Shown[] }) {
  const [axis, setAxis] = useState<Axis>("step");
  const [scale, setScale] = useState<"linear" | "log">("linear");
  const [smoothing, setSmoothing] = useState(0.9);
  const [zoom, setZoom] = useState<[number, number]>();
  const [peakTflops, setPeakTflops] = useState("");
  const onZoom = useCallback(
    (from: number | undefined, to: number | undefined) =>
      setZoom(from === undefined || to === undefined ? undefined : [from, to]),
    [],
  );
  const name = (key: string) =>
    new Set(list.map(({ key: one }) => one.split("/")[0])).size > 1 ? key : key.split("/")[1]!;

  const aligned = align(list, axis, ({ loss }) => loss);
  const loss = {
    x: aligned.x,
    lines: list.flatMap((shown, i): Line[] => [
      ...(smoothing > 0
        ? [
            {
              label: `${name(shown.key)} (each step)`,
              color: shown.color,
              values: aligned.values[i]!,
              faint: true,
              width: 1,
            },
          ]
        : []),
      { label: name(shown.key), color: shown.color, values: smooth(aligned.values[i]!, smoothing), width: 1.8 },
    ]),
  };
  const markers = list.flatMap(({ curve, key }): Marker[] => {
    const at = (step: number) =>
      axis === "step" ? step : (curve.samples[curve.step.findIndex((one) => one >= step)] ?? curve.samples.at(-1) ?? 0);
    return [
      ...curve.checkpoints.map(
        ({ step, kept }): Marker => ({
          x: at(step),
          color: "--ink-3",
          kind: "line",
          label: `checkpoint of ${name(key)} at step ${formatWhole(step)}${kept ? "" : " (removed since)"}`,
        }),
      ),
      ...curve.spikes.map(
        ({ step, zScore, action }): Marker => ({
          x: at(step),
          color: "--bad",
          kind: "triangle",
          label: `spike in ${name(key)} at step ${formatWhole(step)}: z ${zScore.toFixed(1)}, ${action}`,
        }),
      ),
    ];
  });
  const validation = (() => {
    const sets = list.flatMap(({ key, curve, color: shade }) =>
      curve.validation.map((set, i) => ({ key, set, curve, shade, dashed: i % 2 === 1 })),
    );
    const at = (curve: TrainingCurve, step: number) =>
      axis === "step" ? step : (curve.samples[curve.step.findIndex((one) => one >= step)] ?? step);
    const x = [...new Set(sets.flatMap(({ set, curve }) => set.step.map((step) => at(curve, step))))].sort(
      (a, b) => a - b,
    );
    const lines = sets.map(({ key, set, curve, shade, dashed }): Line => {
      const values = new Array<number | null>(x.length).fill(null);
      for (const [i, step] of set.step.entries()) values[x.indexOf(at(curve, step))] = set.loss[i]!;
      return { label: `${name(key)} on ${set.name}`, color: shade, values, points: true, dashed };
    });
    return { x, lines };
  })();
  const column = (pick: (curve: TrainingCurve) => (number | null)[]) => {
    const { x, values } = align(list, axis, pick);
    return {
      x,
      lines: list.map(({ key, color: shade }, i): Line => ({ label: name(key), color: shade, values: values[i]! })),
    };
  };
  const rate = column(({ learningRate }) => learningRate);
  const norm = column(({ gradNorm }) => gradNorm);
  const speed = column(({ tokensPerSecond }) => smooth(tokensPerSecond, 0.8).map((rate) => rate && Math.round(rate)));
  const position = column((curve) => curve[axis === "step" ? "samples" : "step"]);
  const ownPeak = Number(peakTflops) * 1e12;
  const utilization = column((curve) => {
    const peak = ownPeak > 0 ? ownPeak : curve.peakFlops;
    const { flopPerToken } = curve;
    if (flopPerToken === undefined) return curve.step.map(() => null);
    return smooth(curve.tokensPerSecond, 0.8).map((rate) =>
      rate === null ? null : peak ? (100 * rate * flopPerToken) / peak : (rate * flopPerToken) / 1e9,
    );
  });
  const knowsPeak = ownPeak > 0 || list.every(({ curve }) => curve.peakFlops !== undefined);
  const shared = { sync: "training", range: zoom, onZoom, xLabel: axis === "step" ? "step" : "sample" };
  return (
    <>
      <Summary list={list} name={name} />
      <Card
        title="Loss"
        actions={
          <div className="row">
            <label className="check small">
              smoothing
              <input
                type="range"
                min={0}
                max={0.99}
                step={0.01}
                value={smoothing}
                onChange={(event) => setSmoothing(Number(event.target.value))}
                aria-label="smoothing of the loss"
              />
            </label>
            <Segments
              label="scale of the loss"
              value={scale}
              onChange={setScale}
              options={[
                ["linear", "linear"],
                ["log", "log"],
              ]}
            />
            <Segments
              label="horizontal axis"
              value={axis}
              onChange={setAxis}
              options={[
                ["step", "step"],
                ["samples", "data position"],
              ]}
            />
            {zoom && (
              <button type="button" className="button" onClick={() => setZoom(undefined)}>
                Whole run
              </button>
            )}
          </div>
        }
      >
        <Chart
          label="training loss"
          {...loss}
          {...shared}
          markers={markers}
          logarithmic={scale === "log"}
          height={320}
        />
        <ul className="legend">
          {list.map(({ key, color: shade }) => (
            <li key={key}>
              <span className="swatch" style={{ color: `var(${shade})` }} aria-hidden="true" /> {name(key)}
            </li>
          ))}
          <li>
            <span className="swatch" style={{ color: "var(--ink-3)" }} aria-hidden="true" /> checkpoint
          </li>
          <li>
            <Icon name="warning" size={13} /> spike
          </li>
          <li className="muted">nats a token; drag to zoom, double click for the whole run</li>
        </ul>
      </Card>
      <div className="grid-2">
        <Card title="Validation loss">
          {validation.lines.length === 0 ? (
            <p className="muted small">Nothing measured yet.</p>
          ) : (
            <>
              <Chart label="validation loss" {...validation} {...shared} />
              <ul className="legend">
                {validation.lines.map((line) => (
                  <li key={line.label}>
                    <span className="swatch" style={{ color: `var(${line.color})` }} aria-hidden="true" /> {line.label}
                    {line.dashed && <span className="muted">(dashed)</span>}
                  </li>
                ))}
              </ul>
            </>
          )}
        </Card>
        <Card title="Gradient norm">
          <Chart
            label="gradient norm"
            {...norm}
            {...shared}
            markers={markers.filter(({ kind }) => kind === "triangle")}
          />
        </Card>
        <Card title="Learning rate">
          <Chart label="learning rate" {...rate} {...shared} />
        </Card>
        <Card title="Tokens per second">
          <Chart label="tokens per second" {...speed} {...shared} format={formatCount} />
        </Card>
        <Card
          title={knowsPeak ? "Model FLOPs utilization (MFU)" : "Model FLOP per second"}
          actions={
            <label className="check small">
              peak, TFLOP/s
              <input
                type="number"
                className="peak"
                min={0}
                step="any"
                value={peakTflops}
                placeholder={knowsPeak ? "known" : "unknown"}
                onChange={(event) => setPeakTflops(event.target.value)}
              />
            </label>
          }
        >
          <Chart
            label={knowsPeak ? "model FLOPs utilization in percent" : "model GFLOP per second"}
            {...utilization}
            {...shared}
            format={(value) => (knowsPeak ? `${value.toFixed(1)}%` : `${formatCount(Math.round(value))}G`)}
          />
          {!knowsPeak && (
            <p className="muted tiny">
              The run names no device with a known peak. Enter this machine's to see the share that is used.
            </p>
          )}
        </Card>
        <Card title={axis === "step" ? "Data position" : "Steps"}>
          <Chart
            label={axis === "step" ? "global sample number" : "step"}
            {...position}
            {...shared}
            format={formatCount}
          />
        </Card>
      </div>
      <Checkpoints list={list} name={name} />
    </>
  );
}

function Summary({ list, name }: { list: Shown[]; name: (key: string) => string }) {
  const sets = [...new Set(list.flatMap(({ curve }) => curve.validation.map((set) => set.name)))];
  return (
    <Card flush>
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th scope="col">training</th>
              <th scope="col">state</th>
              <th scope="col" className="number">
                step
              </th>
              <th scope="col" className="number">
                loss
              </th>
              {sets.map((set) => (
                <th key={set} scope="col" className="number">
                  loss on {set}
                </th>
              ))}
              <th scope="col" className="number">
                tokens/s
              </th>
              <th scope="col" className="number">
                parameters
              </th>
              <th scope="col">engine</th>
            </tr>
          </thead>
          <tbody>
            {list.map(({ key, curve, color: shade }) => (
              <tr key={key}>
                <td className="strong nowrap">
                  <span className="swatch dot inline" style={{ color: `var(${shade})` }} aria-hidden="true" />{" "}
                  {name(key)}
                </td>
                <td>
                  <StateBadge state={curve.state} />
                </td>
                <td className="number nowrap">
                  {formatWhole(curve.steps)}
                  {curve.stepsPlanned && <span className="muted"> / {formatWhole(curve.stepsPlanned)}</span>}
                </td>
                <td className="number strong">{curve.loss.length > 0 ? curve.loss.at(-1)!.toFixed(4) : "–"}</td>
                {sets.map((name) => {
                  const set = curve.validation.find((one) => one.name === name);
                  const bits = set?.bitsPerByte.at(-1);
                  return (
                    <td key={name} className="number nowrap">
                      {set?.loss.length ? set.loss.at(-1)!.toFixed(4) : "–"}
                      {bits != null && <span className="muted tiny"> {bits.toFixed(3)} bits/byte</span>}
                    </td>
                  );
                })}
                <td className="number">{formatCount(Math.round(mean(curve.tokensPerSecond.slice(-50))))}</td>
                <td className="number">{curve.parameters === undefined ? "–" : formatCount(curve.parameters)}</td>
                <td className="nowrap">
                  {curve.engine ?? "–"} <span className="muted">{curve.precision}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function Checkpoints({ list, name }: { list: Shown[]; name: (key: string) => string }) {
  return (
    <Card title="Checkpoints and what the model wrote there">
      <div className="checkpoint-samples">
        {list.every(({ curve }) => curve.checkpoints.length === 0) && <p className="muted">No checkpoint yet.</p>}
        {list.flatMap(({ key, curve }) =>
          curve.checkpoints.map(({ step, seconds, kept }) => {
            const samples = curve.samplesGenerated.find((one) => one.step === step)?.samples ?? [];
            return (
              <article key={`${key} ${step}`} className="stack">
                <div className="row small">
                  <strong>
                    {name(key)}, step {formatWhole(step)}
                  </strong>
                  <Badge tone={kept ? "good" : "plain"}>{kept ? "kept" : "removed since"}</Badge>
                  <span className="muted">saved in {seconds.toFixed(2)} s</span>
                </div>
                {samples.map(({ prompt, text }) => (
                  <blockquote key={prompt}>
                    <span className="muted">{prompt}</span>
                    {text}
                  </blockquote>
                ))}
              </article>
            );
          }),
        )}
      </div>
    </Card>
  );
}

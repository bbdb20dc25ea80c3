import { useCallback, useState } from "react";
import type { TrainingCurve } from "../../../src/serve/studio-types.ts";
import { formatCount, formatWhole } from "../format.ts";
import { Card, Segments } from "../parts/basics.tsx";
import { Chart, type Line, type Marker } from "../parts/chart.tsx";
import { Checkpoints, Summary } from "./training-summary.tsx";

/** A training on the page, in its colour. */
export interface Shown {
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

/** Every curve of the trainings shown, with one zoom and one axis for all. */
export function Panels({ list }: { list: Shown[] }) {
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
  const markers = list.flatMap(({ curve, key, color: shade }): Marker[] => {
    const at = (step: number) =>
      axis === "step" ? step : (curve.samples[curve.step.findIndex((one) => one >= step)] ?? curve.samples.at(-1) ?? 0);
    return [
      ...curve.checkpoints.map(
        ({ step, kept }): Marker => ({
          x: at(step),
          color: list.length > 1 ? shade : "--ink-3",
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
              label="scale of the losses"
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
          unit="nats a token"
        />
        <ul className="legend">
          {list.map(({ key, color: shade }) => (
            <li key={key}>
              <span className="swatch" style={{ color: `var(${shade})` }} aria-hidden="true" /> {name(key)}
            </li>
          ))}
          <li>
            <span className="swatch dashed" aria-hidden="true" /> checkpoint
          </li>
          <li>
            <span className="swatch spike" aria-hidden="true" /> spike
          </li>
          <li className="muted">drag to zoom, double click for the whole run</li>
        </ul>
      </Card>
      <div className="grid-2">
        <Card title="Validation loss">
          {validation.lines.length === 0 ? (
            <p className="muted small">Nothing measured yet.</p>
          ) : (
            <>
              <Chart
                label="validation loss"
                {...validation}
                {...shared}
                logarithmic={scale === "log"}
                unit="nats a token"
              />
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
            unit="before clipping"
          />
        </Card>
        <Card title="Learning rate">
          <Chart label="learning rate" {...rate} {...shared} format={formatRate} />
        </Card>
        <Card title="Tokens per second">
          <Chart label="tokens per second" {...speed} {...shared} format={formatCount} unit="tokens/s" />
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
            format={(value) => (knowsPeak ? `${value.toFixed(1)}%` : formatCount(Math.round(value)))}
            unit={knowsPeak ? "of the peak" : "GFLOP/s"}
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
            unit={axis === "step" ? "samples" : "steps"}
          />
        </Card>
      </div>
      <Checkpoints list={list} name={name} />
    </>
  );
}

/** 2.0e-4; nothing is 0. */
const formatRate = (rate: number) => (rate === 0 ? "0" : rate.toExponential(1));

/** uPlot in the Studio's colours, as wide as its place, redrawn when the theme changes. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { formatValue } from "../format.ts";

export interface Line {
  label: string;
  /** "--series-1" */
  color: string;
  values: (number | null)[];
  /** Points without a line between them. */
  points?: boolean;
  dashed?: boolean;
  faint?: boolean;
  width?: number;
}

/** A place on the x axis worth a mark. */
export interface Marker {
  x: number;
  color: string;
  label: string;
  kind: "line" | "triangle";
}

export interface ChartProps {
  label: string;
  x: number[];
  lines: Line[];
  markers?: Marker[];
  logarithmic?: boolean;
  xLabel?: string;
  height?: number;
  /** Charts with the same key show the cursor at the same x. */
  sync?: string;
  format?: (value: number) => string;
  /** What the vertical axis counts. */
  unit?: string;
  range?: [number, number] | undefined;
  onZoom?: (from: number | undefined, to: number | undefined) => void;
}

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** light-dark() as a canvas understands it: the colour that the browser computed. */
function resolved(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || color(name);
}

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const {
    label,
    x,
    lines,
    markers,
    logarithmic = false,
    height = 220,
    sync,
    format = formatValue,
    xLabel = "step",
    unit = "",
    range,
  } = props;
  const zoom = useRef(props.onZoom);
  zoom.current = props.onZoom;
  // Lines that come and go, or change their look, need a new plot; new values only new data.
  const shape = JSON.stringify([
    lines.map(({ values: _, ...rest }) => rest),
    logarithmic,
    height,
    sync,
    label,
    xLabel,
    unit,
  ]);
  const marks = useRef(markers);
  marks.current = markers;
  const data = [x, ...lines.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for all that needs a new plot
  useEffect(() => {
    const element = place.current!;
    const build = () => {
      plot.current?.destroy();
      const [ink, grid] = [resolved("--ink-3"), resolved("--line")];
      const axis: uPlot.Axis = {
        stroke: ink,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        font: "11px system-ui, sans-serif",
      };
      const title = { labelFont: "11px system-ui, sans-serif", labelSize: 18, labelGap: 0 };
      plot.current = new uPlot(
        {
          width: Math.max(200, element.clientWidth),
          height,
          padding: [10, 26, 0, 0],
          legend: { show: false },
          cursor: {
            ...(sync ? { sync: { key: sync } } : {}),
            points: { size: 7 },
            drag: { x: true, y: false },
          },
          scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
          axes: [
            {
              ...axis,
              ...title,
              label: xLabel,
              size: 26,
              values: (_, splits) => splits.map((value) => value.toLocaleString("en-US")),
            },
            {
              ...axis,
              ...(unit ? { ...title, label: unit } : {}),
              size: 56,
              values: (_, splits) => splits.map((value) => (value === null ? "" : format(value))),
            },
          ],
          series: [
            { label: xLabel },
            ...lines.map((line): uPlot.Series => {
              const stroke = resolved(line.color);
              return {
                label: line.label,
                stroke: line.faint ? withAlpha(stroke, 0.35) : stroke,
                width: line.width ?? 1.5,
                ...(line.dashed ? { dash: [5, 4] } : {}),
                spanGaps: true,
                points: { show: line.points === true, size: 5, fill: stroke },
              };
            }),
          ],
          hooks: {
            draw: [(u) => drawMarkers(u, marks.current ?? [])],
            setCursor: [(u) => showTip(u, element, format, xLabel, marks.current ?? [])],
            setSelect: [
              (u) => {
                if (u.select.width > 4)
                  zoom.current?.(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
              },
            ],
          },
        },
        latest.current,
        element,
      );
    };
    build();
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: Math.max(200, element.clientWidth), height }),
    );
    observer.observe(element);
    addEventListener("studio:theme", build);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", build);
    return () => {
      observer.disconnect();
      removeEventListener("studio:theme", build);
      system.removeEventListener("change", build);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the values are what changes
  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    u.setData(latest.current, true);
    if (range) u.setScale("x", { min: range[0], max: range[1] });
  }, [x, lines, range, markers]);

  const summary = lines
    .map(({ label: name, values }) => {
      const known = values.filter((value): value is number => value !== null);
      return known.length === 0 ? `${name}: none` : `${name}: ${format(known[0]!)} to ${format(known.at(-1)!)}`;
    })
    .join("; ");
  return (
    <div
      ref={place}
      className="chart"
      role="img"
      aria-label={`${label}. ${summary}`}
      onDoubleClick={() => props.onZoom?.(undefined, undefined)}
    />
  );
}

function withAlpha(rgb: string, alpha: number): string {
  return rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

function drawMarkers(u: uPlot, markers: Marker[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  for (const { x, color: name, kind } of markers) {
    const left = Math.round(u.valToPos(x, "x", true));
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ctx.fillStyle = resolved(name);
    if (kind === "line") {
      ctx.globalAlpha = 0.55;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bbox.top + bbox.height);
      ctx.stroke();
    } else {
      const size = 5 * devicePixelRatio;
      ctx.globalAlpha = 1;
      ctx.beginPath();
      ctx.moveTo(left - size, bbox.top);
      ctx.lineTo(left + size, bbox.top);
      ctx.lineTo(left, bbox.top + size * 1.6);
      ctx.fill();
    }
  }
  ctx.restore();
}

/** The values under the cursor, beside it. */
function showTip(
  u: uPlot,
  element: HTMLElement,
  format: (value: number) => string,
  xLabel: string,
  markers: Marker[],
): void {
  let tip = element.querySelector<HTMLDivElement>(".tip");
  const { idx, left = -1 } = u.cursor;
  if (idx == null || left < 0) {
    if (tip) tip.hidden = true;
    return;
  }
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "tip";
    u.over.append(tip);
  }
  tip.hidden = false;
  const at = u.data[0][idx]!;
  const rows = [`${xLabel} ${at.toLocaleString("en-US")}`];
  for (const [i, series] of u.series.entries()) {
    const value = i === 0 ? undefined : u.data[i]![idx];
    if (value != null) rows.push(`${series.label}  ${format(value)}`);
  }
  for (const marker of markers) if (Math.abs(u.valToPos(marker.x, "x") - left) < 5) rows.push(marker.label);
  tip.textContent = rows.join("\n");
  const flip = left > u.over.clientWidth / 2;
  tip.style.left = flip ? "" : `${left + 12}px`;
  tip.style.right = flip ? `${u.over.clientWidth - left + 12}px` : "";
}

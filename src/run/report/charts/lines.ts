import { type Html, html } from "../html.ts";
import { round, scale, thin, tickLabel, ticks, WIDTH } from "./axes.ts";

export interface Series {
  name: string;
  points: [x: number, y: number][];
  /** Index of the colour; series of one kind share it across charts. */
  colour: number;
  dashed?: boolean;
  /** Draw a dot at each point (few points). */
  dots?: boolean;
  /** Interval around each point. */
  band?: [x: number, low: number, high: number][];
  /** Behind the others. */
  faint?: boolean;
}

export interface LineChart {
  title: string;
  xLabel: string;
  yLabel: string;
  series: Series[];
  height?: number;
  formatY?: (y: number) => string;
  /** Smallest y that must be visible. */
  yFrom?: number;
  /** Horizontal line to compare with. */
  reference?: { name: string; value: number };
}

const MARGIN = { top: 12, right: 16, bottom: 44 };
const finite = (point: number[]) => point.every(Number.isFinite);

/** Lines over a common x axis. Values that are not finite are left out. */
export function lineChart(chart: LineChart): Html {
  const series = chart.series
    .map((one) => ({
      ...one,
      points: thin(one.points.filter(finite), 600),
      band: (one.band ?? []).filter(finite),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return html`<p class="quiet">${chart.title}: nothing recorded yet.</p>`;
  const height = chart.height ?? 270;
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = series.flatMap(({ points, band }) => [...points.map(([, y]) => y), ...band.flatMap(([, a, b]) => [a, b])]);
  if (chart.reference) ys.push(chart.reference.value);
  if (chart.yFrom !== undefined) ys.push(chart.yFrom);
  const [xLow, xHigh] = [Math.min(...xs), Math.max(...xs)];
  const [yLow, yHigh] = [Math.min(...ys), Math.max(...ys)];
  const pad = (yHigh - yLow || Math.abs(yHigh) || 1) * 0.06;
  const bottom = chart.yFrom === yLow ? yLow : yLow - pad;
  const top = yHigh + pad;
  const floor = height - MARGIN.bottom;
  const formatY = chart.formatY ?? tickLabel;
  const yTicks = ticks(bottom, top, 5);
  // Room for the longest number, and for the axis' name beside it.
  const left = 36 + 7.6 * Math.max(...yTicks.map((tick) => formatY(tick).length));
  const x = scale(xLow, xHigh > xLow ? xHigh : xLow + 1, left, WIDTH - MARGIN.right);
  const y = scale(bottom, top, floor, MARGIN.top);
  return html`<figure>
<figcaption>${chart.title}</figcaption>
${series.length > 1 && html`<p class="legend">${series.map(({ name, colour, dashed }) => html`<span class="key c${colour % 8} ${dashed ? "dashed" : ""}">${name}</span> `)}</p>`}
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${chart.title}">
${yTicks.map(
  (tick) => html`<line class="grid" x1="${left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="${left - 7}" y="${y(tick) + 4}" text-anchor="end">${formatY(tick)}</text>`,
)}
${ticks(xLow, xHigh, 5).map(
  (tick) => html`<text class="tick" x="${x(tick)}" y="${floor + 18}" text-anchor="middle">${tickLabel(tick)}</text>`,
)}
<line class="axis" x1="${left}" x2="${WIDTH - MARGIN.right}" y1="${floor}" y2="${floor}"/>
<text class="label" x="${(WIDTH + left) / 2}" y="${height - 6}" text-anchor="middle">${chart.xLabel}</text>
<text class="label" transform="translate(13 ${round(floor / 2)}) rotate(-90)" text-anchor="middle">${chart.yLabel}</text>
${
  chart.reference &&
  html`<line class="reference" x1="${left}" x2="${WIDTH - MARGIN.right}" y1="${y(chart.reference.value)}" y2="${y(chart.reference.value)}"/>
<text class="tick" x="${WIDTH - MARGIN.right}" y="${y(chart.reference.value) - 5}" text-anchor="end">${chart.reference.name}</text>`
}
${series.map(({ name, points, band, colour, dashed, dots, faint }) => [
  band.length > 1 &&
    html`<path class="band f${colour % 8}" d="${band.map(([px, , high], i) => `${i === 0 ? "M" : "L"}${x(px)} ${y(high)}`).join("")}${band
      .toReversed()
      .map(([px, low]) => `L${x(px)} ${y(low)}`)
      .join("")}Z"/>`,
  html`<path class="line s${colour % 8}${dashed ? " dashed" : ""}${faint ? " faint" : ""}" d="${points
    .map(([px, py], i) => `${i === 0 ? "M" : "L"}${x(px)} ${y(py)}`)
    .join("")}"><title>${name}</title></path>`,
  dots === true &&
    points.map(
      ([px, py]) =>
        html`<circle class="dot f${colour % 8}" cx="${x(px)}" cy="${y(py)}" r="3.5"><title>${name}: ${formatY(py)} at ${tickLabel(px)}</title></circle>`,
    ),
])}
</svg></figure>`;
}

/**
 * Three kinds of picture as inline SVG: lines, bars, and points with intervals. Colours come from the page's style sheet
 * (light, dark and print), numbers stand in the picture, and every mark carries its value as a tooltip.
 */
import { formatCount, formatPercent } from "../../core/index.ts";
import { type Html, html } from "./html.ts";

export interface Series {
  name: string;
  points: [x: number, y: number][];
  /** Index of the colour; series of one kind share it across charts. */
  colour: number;
  dashed?: boolean;
  /** Draw a dot at each point (few points). */
  dots?: boolean;
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
}

const WIDTH = 640;
const MARGIN = { top: 12, right: 14, bottom: 40, left: 58 };

/** Round numbers (1, 2, 2.5 or 5 times a power of ten) that divide a range into about `count` steps. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((multiple) => multiple * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** At most `limit` points: of each run of neighbours, the one with the lowest and the one with the highest value stay. */
export function thin(points: [number, number][], limit: number): [number, number][] {
  if (points.length <= limit) return points;
  const size = Math.ceil(points.length / (limit / 2));
  const kept: [number, number][] = [];
  for (let start = 0; start < points.length; start += size) {
    const run = points.slice(start, start + size);
    const low = run.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = run.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
}

const round = (value: number) => Math.round(value * 10) / 10;

/** Lines over a common x axis. Values that are not finite are left out. */
export function lineChart(chart: LineChart): Html {
  const series = chart.series.map((one) => ({
    ...one,
    points: thin(
      one.points.filter((point) => point.every(Number.isFinite)),
      600,
    ),
  }));
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return html`<p class="quiet">${chart.title}: nothing recorded yet.</p>`;
  const height = chart.height ?? 260;
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const xLow = Math.min(...xs);
  const xHigh = Math.max(...xs, xLow + 1e-9);
  const yLow = Math.min(...ys, chart.yFrom ?? Number.POSITIVE_INFINITY);
  const yHigh = Math.max(...ys);
  const pad = (yHigh - yLow || Math.abs(yHigh) || 1) * 0.05;
  const [bottom, top] = [chart.yFrom === undefined ? yLow - pad : yLow, yHigh + pad];
  const x = (value: number) =>
    round(MARGIN.left + ((value - xLow) / (xHigh - xLow)) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (value: number) =>
    round(height - MARGIN.bottom - ((value - bottom) / (top - bottom)) * (height - MARGIN.top - MARGIN.bottom));
  const formatY = chart.formatY ?? ((value: number) => formatCount(value));
  return html`<figure>
<figcaption>${chart.title}</figcaption>
${series.length > 1 && html`<p class="legend">${series.map(({ name, colour, dashed }) => html`<span class="key c${colour % 8} ${dashed ? "dashed" : ""}">${name}</span> `)}</p>`}
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${chart.title}">
${ticks(bottom, top, 5).map(
  (tick) => html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${formatY(tick)}</text>`,
)}
${ticks(xLow, xHigh, 6).map(
  (tick) =>
    html`<text class="tick" x="${x(tick)}" y="${height - MARGIN.bottom + 17}" text-anchor="middle">${formatCount(tick)}</text>`,
)}
<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${height - MARGIN.bottom}" y2="${height - MARGIN.bottom}"/>
<text class="label" x="${(WIDTH + MARGIN.left) / 2}" y="${height - 6}" text-anchor="middle">${chart.xLabel}</text>
<text class="label" transform="translate(13 ${(height - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle">${chart.yLabel}</text>
${series.map(({ name, points, colour, dashed, dots }) => [
  html`<path class="line s${colour % 8}${dashed ? " dashed" : ""}" d="${points
    .map(([px, py], i) => `${i === 0 ? "M" : "L"}${x(px)} ${y(py)}`)
    .join("")}"><title>${name}</title></path>`,
  dots === true &&
    points.map(
      ([px, py]) =>
        html`<circle class="dot f${colour % 8}" cx="${x(px)}" cy="${y(py)}" r="3.5"><title>${name}: ${formatY(py)} at ${formatCount(px)}</title></circle>`,
    ),
])}
</svg></figure>`;
}

export interface Share {
  name: string;
  value: number;
}

/** Shares of a whole as horizontal bars, largest first; beyond `limit` the rest is one bar. Plain HTML: it wraps on a phone. */
export function shareBars(title: string, shares: Share[], unit: string, limit = 12): Html {
  const sorted = shares.toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  const rest = sorted.slice(limit);
  const shown = rest.length > 0 ? [...sorted.slice(0, limit), restOf(rest)] : sorted;
  const total = shares.reduce((sum, { value }) => sum + value, 0) || 1;
  const most = Math.max(...shown.map(({ value }) => value), 1e-9);
  return html`<figure class="bars"><figcaption>${title}</figcaption>
<table>${shown.map(
    ({ name, value }, i) => html`<tr><th scope="row">${name}</th>
<td class="bar"><div class="fill b${i % 8}" style="width:${((100 * value) / most).toFixed(1)}%"></div></td>
<td class="number">${formatCount(value)} ${unit}<span class="quiet"> · ${formatPercent(value / total)}</span></td></tr>`,
  )}</table></figure>`;
}

const restOf = (rest: Share[]): Share => ({
  name: `${rest.length} more`,
  value: rest.reduce((sum, { value }) => sum + value, 0),
});

export interface Interval {
  /** Row label. */
  name: string;
  /** Colour index. */
  colour: number;
  value: number;
  low: number;
  high: number;
}

export interface IntervalChart {
  title: string;
  rows: Interval[];
  /** Vertical lines to compare with: chance, majority class. */
  references: { name: string; value: number }[];
}

/** Fractions with their intervals on an axis from 0 to 100%. */
export function intervalChart({ title, rows, references }: IntervalChart): Html {
  const rowHeight = 26;
  const left = 190;
  const right = 52;
  const height = rows.length * rowHeight + 54;
  const x = (fraction: number) => round(left + Math.min(Math.max(fraction, 0), 1) * (WIDTH - left - right));
  const floor = rows.length * rowHeight + 12;
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
${[0, 0.25, 0.5, 0.75, 1].map(
  (tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="6" y2="${floor}"/>
<text class="tick" x="${x(tick)}" y="${floor + 16}" text-anchor="middle">${formatPercent(tick, 0)}</text>`,
)}
${references.map(
  ({
    name,
    value,
  }) => html`<line class="reference" x1="${x(value)}" x2="${x(value)}" y1="6" y2="${floor}"><title>${name} ${formatPercent(value)}</title></line>
<text class="tick" x="${x(value)}" y="${floor + 32}" text-anchor="middle">${name} ${formatPercent(value)}</text>`,
)}
${rows.map(({ name, colour, value, low, high }, i) => {
  const y = 6 + rowHeight * (i + 0.5);
  return html`<text class="row" x="${left - 10}" y="${y + 4}" text-anchor="end">${name}</text>
<line class="whisker s${colour % 8}" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>
<circle class="f${colour % 8}" cx="${x(value)}" cy="${y}" r="5"><title>${name}: ${formatPercent(value)} (95%: ${formatPercent(low)} to ${formatPercent(high)})</title></circle>
<text class="value" x="${WIDTH - 4}" y="${y + 4}" text-anchor="end">${formatPercent(value)}</text>`;
})}
</svg></figure>`;
}

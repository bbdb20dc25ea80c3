import { type Html, html } from "../html.ts";
import { round, scale, ticks, WIDTH } from "./axes.ts";

export interface ScatterPoint {
  name: string;
  colour: number;
  x: number;
  y: number;
  /** Ends of the 95% intervals, where there are any. */
  xInterval?: [low: number, high: number];
  yInterval?: [low: number, high: number];
  /** Name of the point that this one came from: an arrow leads here from it. */
  from?: string;
}

export interface ScatterChart {
  title: string;
  xLabel: string;
  yLabel: string;
  points: ScatterPoint[];
  format: (value: number) => string;
  /** What the corner to strive for means. */
  note?: string;
}

const MARGIN = { top: 18, right: 22, bottom: 46, left: 62 };
const HEIGHT = 340;

/** Two measures of each model against each other, with arrows from where it came. */
export function scatterChart({ title, xLabel, yLabel, points, format, note }: ScatterChart): Html {
  const range = (values: number[]): [number, number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const pad = (high - low || Math.abs(high) || 1) * 0.12;
    return [low - pad, high + pad];
  };
  const [xLow, xHigh] = range(points.flatMap((one) => [one.x, ...(one.xInterval ?? [])]));
  const [yLow, yHigh] = range(points.flatMap((one) => [one.y, ...(one.yInterval ?? [])]));
  const floor = HEIGHT - MARGIN.bottom;
  const x = scale(xLow, xHigh, MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(yLow, yHigh, floor, MARGIN.top);
  const byName = new Map(points.map((one) => [one.name, one]));
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${ticks(yLow, yHigh, 5).map(
  (tick) => html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="${MARGIN.left - 7}" y="${y(tick) + 4}" text-anchor="end">${format(tick)}</text>`,
)}
${ticks(xLow, xHigh, 5).map(
  (tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${MARGIN.top}" y2="${floor}"/>
<text class="tick" x="${x(tick)}" y="${floor + 18}" text-anchor="middle">${format(tick)}</text>`,
)}
<text class="label" x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${xLabel}</text>
<text class="label" transform="translate(13 ${round(floor / 2)}) rotate(-90)" text-anchor="middle">${yLabel}</text>
${points.map(({ from, x: toX, y: toY }) => {
  const origin = from === undefined ? undefined : byName.get(from);
  if (!origin) return "";
  return arrow([x(origin.x), y(origin.y)], [x(toX), y(toY)]);
})}
${points.map(({ name, colour, x: px, y: py, xInterval, yInterval }) => {
  const isRight = x(px) > WIDTH * 0.72;
  return html`${xInterval && html`<line class="whisker thin s${colour % 8}" x1="${x(xInterval[0])}" x2="${x(xInterval[1])}" y1="${y(py)}" y2="${y(py)}"/>`}
${yInterval && html`<line class="whisker thin s${colour % 8}" x1="${x(px)}" x2="${x(px)}" y1="${y(yInterval[0])}" y2="${y(yInterval[1])}"/>`}
<circle class="f${colour % 8}" cx="${x(px)}" cy="${y(py)}" r="5.5"><title>${name}: ${format(px)}, ${format(py)}</title></circle>
<text class="row c${colour % 8}" x="${x(px) + (isRight ? -9 : 9)}" y="${y(py) - 9}" text-anchor="${isRight ? "end" : "start"}">${name}</text>`;
})}
</svg>${note && html`<p class="quiet">${note}</p>`}</figure>`;
}

/** From dot to dot, with its tip short of the dot, so that it can be seen. */
function arrow([fromX, fromY]: [number, number], [toX, toY]: [number, number]): Html | false {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const length = Math.hypot(dx, dy);
  if (length < 24) return false;
  const [ux, uy] = [dx / length, dy / length];
  // `back` along the arrow from its end, `aside` across it.
  const at = (back: number, aside: number) =>
    `${round(toX - back * ux - aside * uy)} ${round(toY - back * uy + aside * ux)}`;
  return html`<path class="arrow" d="M${fromX} ${fromY}L${at(14, 0)}"/><path class="tip" d="M${at(8, 0)}L${at(16, 4)}L${at(16, -4)}Z"/>`;
}

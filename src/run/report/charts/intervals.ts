import { formatPercent } from "../../../core/index.ts";
import { type Html, html } from "../html.ts";
import { round, scale, tickLabel, ticks, WIDTH } from "./axes.ts";

export interface Interval {
  /** Row label. */
  name: string;
  /** Colour index. */
  colour: number;
  value: number;
  low: number;
  high: number;
  /** Single measurements behind the value: training seeds. */
  dots?: number[];
}

export interface IntervalChart {
  title: string;
  rows: Interval[];
  /** Vertical lines to compare with: chance, majority class. */
  references: { name: string; value: number }[];
}

/** Fractions with their intervals on an axis from 0 to 100%. */
export function intervalChart({ title, rows, references }: IntervalChart): Html {
  const rowHeight = 27;
  const left = 24 + 7.4 * Math.min(22, Math.max(...rows.map(({ name }) => name.length)));
  const right = 58;
  const height = rows.length * rowHeight + (references.length > 0 ? 52 : 36);
  const position = scale(0, 1, left, WIDTH - right);
  const x = (fraction: number) => position(Math.min(Math.max(fraction, 0), 1));
  const floor = rows.length * rowHeight + 10;
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
${[0, 0.25, 0.5, 0.75, 1].map(
  (tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="4" y2="${floor}"/>
<text class="tick" x="${x(tick)}" y="${floor + 16}" text-anchor="middle">${formatPercent(tick, 0)}</text>`,
)}
${references.map(
  ({
    name,
    value,
  }) => html`<line class="reference" x1="${x(value)}" x2="${x(value)}" y1="4" y2="${floor}"><title>${name} ${formatPercent(value)}</title></line>
<text class="tick" x="${x(value)}" y="${floor + 34}" text-anchor="middle">${name} ${formatPercent(value, 0)}</text>`,
)}
${rows.map(({ name, colour, value, low, high, dots }, i) => {
  const y = 4 + rowHeight * (i + 0.5);
  return html`<text class="row" x="${left - 10}" y="${y + 5}" text-anchor="end">${shortened(name, 22)}</text>
<line class="whisker s${colour % 8}" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>
${dots?.map((dot) => html`<circle class="seed s${colour % 8}" cx="${x(dot)}" cy="${y}" r="3.2"/>`)}
<circle class="f${colour % 8}" cx="${x(value)}" cy="${y}" r="5"><title>${name}: ${formatPercent(value)} (95%: ${formatPercent(low)} to ${formatPercent(high)})</title></circle>
<text class="value" x="${WIDTH - 2}" y="${y + 5}" text-anchor="end">${formatPercent(value)}</text>`;
})}
</svg></figure>`;
}

const shortened = (name: string, most: number) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

export interface EffectChart {
  label: string;
  effect: number;
  low: number | null;
  high: number | null;
  threshold: number;
  /** Effect under each training seed. */
  dots: number[];
  holds: boolean;
}

/** One effect against nothing (0) and its threshold, in percent. The side of the threshold where it counts is shaded. */
export function effectChart({ label, effect, low, high, threshold, dots, holds }: EffectChart): Html {
  const ends = [0, threshold, effect, low ?? effect, high ?? effect, ...dots].map((value) => 100 * value);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const pad = Math.max((most - least) * 0.12, 2);
  const [from, to] = [least - pad, most + pad];
  const [left, right, top, floor] = [14, WIDTH - 14, 8, 52];
  const x = scale(from, to, left, right);
  const at = (value: number) => x(100 * value);
  const y = (top + floor) / 2;
  return html`<svg class="effect ${holds ? "yes" : "no"}" viewBox="0 0 ${WIDTH} 92" role="img" aria-label="${label}">
<rect class="goal" x="${at(threshold)}" y="${top}" width="${Math.max(0, round(right - at(threshold)))}" height="${floor - top}"/>
${ticks(from, to, 6).map(
  (tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${floor}"/>
<text class="tick" x="${x(tick)}" y="${floor + 16}" text-anchor="middle">${tickLabel(tick)}</text>`,
)}
<line class="axis" x1="${at(0)}" x2="${at(0)}" y1="${top - 4}" y2="${floor + 4}"/>
<line class="reference" x1="${at(threshold)}" x2="${at(threshold)}" y1="${top - 4}" y2="${floor + 4}"/>
<text class="tick" x="${Math.min(Math.max(at(threshold), 40), WIDTH - 40)}" y="${floor + 33}" text-anchor="middle">threshold</text>
<line class="whisker" x1="${low === null ? left : at(low)}" x2="${high === null ? right : at(high)}" y1="${y}" y2="${y}"/>
${dots.map((dot) => html`<circle class="seed" cx="${at(dot)}" cy="${y}" r="4"/>`)}
<circle class="point" cx="${at(effect)}" cy="${y}" r="7"/></svg>`;
}

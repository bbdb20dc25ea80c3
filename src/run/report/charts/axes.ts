/**
 * What all pictures share: the size of a drawing, round ticks, thinning. Pictures are inline SVG; colours come from the page's style
 * sheet (light, dark and print), numbers stand in the picture, and every mark carries its value as a tooltip.
 */

/** Of the drawing, in its own units; about one to a pixel where two stand side by side. */
export const WIDTH = 500;

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

/** A tenth of a unit is finer than a pixel. */
export const round = (value: number): number => Math.round(value * 10) / 10;

/** From values to places: `low` at `from`, `high` at `to`. */
export const scale = (low: number, high: number, from: number, to: number) => (value: number) =>
  round(from + ((value - low) / (high - low || 1)) * (to - from));

/** "0", "2.5", "1,200", "3.1M": as short as a tick should be. */
export function tickLabel(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}B`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}K`;
  if (size >= 1e3) return value.toLocaleString("en-US");
  if (size > 0 && size < 1e-3) return value.toExponential(0).replace("e-", "e−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

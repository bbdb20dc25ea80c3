export { thin, tickLabel, ticks } from "./axes.ts";
export { amountBars, type Share, shareBar } from "./bars.ts";
export { effectChart, type Interval, intervalChart } from "./intervals.ts";
export { lineChart, type Series } from "./lines.ts";
export { type ScatterPoint, scatterChart } from "./scatter.ts";

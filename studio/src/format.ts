/** Numbers and times as the pages print them; the rest is core's. */
export { formatBytes, formatCount, formatDuration, formatPercent } from "../../src/core/units.ts";

/** "2026-11-24 14:52", in the reader's own time. */
export function formatTime(iso: string | undefined): string {
  if (!iso) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const pad = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export function formatAgo(iso: string | undefined, nowMs = Date.now()): string {
  if (!iso) return "–";
  const seconds = Math.max(0, (nowMs - new Date(iso).getTime()) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return formatTime(iso);
}

/** Large numbers with their groups: 12345 → "12,345". */
export const formatWhole = (n: number): string => n.toLocaleString("en-US");

/** "1 task", "1,234 tasks" */
export const plural = (n: number, what: string): string => `${formatWhole(n)} ${what}${n === 1 ? "" : "s"}`;

/** 3.2817, 3.0e-4: four digits that mean something. */
export function formatValue(n: number): string {
  if (!Number.isFinite(n)) return String(n);
  if (n === 0) return "0";
  const size = Math.abs(n);
  return (size < 1e-3 || size >= 1e5 ? n.toExponential(2) : String(Number(n.toPrecision(4)))).replace(/^-/, "−");
}

export const formatPValue = (p: number): string => (p < 0.001 ? "< 0.001" : p.toFixed(3));

export const formatPoints = (fraction: number): string =>
  `${fraction >= 0 ? "+" : "−"}${Math.abs(100 * fraction).toFixed(1)}`;

/** "validationTokens" → "validation tokens" */
export const spaced = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

/** Numbers as people read them. */

/** 48100000000 → "48.1B", 4096 → "4,096". */
export function formatCount(n: number): string {
  const magnitude = Math.abs(n);
  if (magnitude < 100_000) return Number.isInteger(n) ? n.toLocaleString("en-US") : n.toPrecision(3);
  for (const [size, unit] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ] as const)
    if (magnitude >= size) return `${(n / size).toPrecision(3)}${unit}`;
  return String(n);
}

/** 1610612736 → "1.50 GiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB", "TiB"]) {
    if (Math.abs(value) < 1024 || unit === "TiB")
      return unit === "B" ? `${value} B` : `${value.toPrecision(3)} ${unit}`;
    value /= 1024;
  }
  return `${bytes} B`;
}

/** 7325 seconds → "2h02m", 65 → "1m05s", 4.2 → "4.2s". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86400)}d${pad(Math.floor((whole % 86400) / 3600))}h`;
}

/** 0.4567 → "45.7%". */
export function formatPercent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)}%`;
}

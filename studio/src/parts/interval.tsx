/** A share with its 95% interval on a line, and where guessing would stand. */
export function IntervalBar({
  value,
  low,
  high,
  chance,
  label,
  domain = [0, 1],
}: {
  value: number;
  low: number;
  high: number;
  chance?: number | undefined;
  label: string;
  /** What the two ends of the line stand for. */
  domain?: readonly [number, number];
}) {
  const [from, to] = domain;
  const place = (x: number) => 100 * Math.min(1, Math.max(0, (x - from) / (to - from)));
  return (
    <div
      className="interval"
      role="img"
      aria-label={`${label}: ${(100 * value).toFixed(1)}%, 95% interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`}
    >
      <span className="axis" />
      {chance !== undefined && <span className="chance" style={{ left: `${place(chance)}%` }} />}
      <span className="range" style={{ left: `${place(low)}%`, width: `${place(high) - place(low)}%` }} />
      <span className="point" style={{ left: `${place(value)}%` }} />
    </div>
  );
}

/** A line that holds all of these intervals, with some room. */
export function domainOf(intervals: { low: number; high: number }[], chance?: number): [number, number] {
  const ends = [...intervals.flatMap(({ low, high }) => [low, high]), ...(chance === undefined ? [] : [chance])];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(0.02, (high - low) * 0.1);
  return [Math.max(0, low - room), Math.min(1, high + room)];
}

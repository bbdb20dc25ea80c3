/** The pipeline as a graph: a column for each step away from the sources, an arrow where a stage reads what another made. */
import type { RunStage } from "../../../src/serve/studio-types.ts";
import { formatBytes, formatCount, formatDuration, spaced } from "../format.ts";
import { StateBadge } from "./basics.tsx";

const WIDTH = 190;
const HEIGHT = 86;
const GAP_X = 36;
const GAP_Y = 16;

interface Placed {
  stage: RunStage;
  column: number;
  row: number;
  /** Stages whose arrows are drawn: those that no other of its needs already reads. */
  drawn: string[];
}

/** Columns by the longest way from a source; arrows that follow from others are left out. */
export function placeStages(stages: RunStage[]): Placed[] {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const depths = new Map<string, number>();
  const depth = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    depths.set(id, 0); // a circle cannot be, but must not hang the page
    const value = Math.max(-1, ...(byId.get(id)?.needs ?? []).filter((need) => byId.has(need)).map(depth)) + 1;
    depths.set(id, value);
    return value;
  };
  const reach = (id: string, seen = new Set<string>()): Set<string> => {
    for (const need of byId.get(id)?.needs ?? [])
      if (!seen.has(need)) {
        seen.add(need);
        reach(need, seen);
      }
    return seen;
  };
  const rows = new Map<number, number>();
  return stages.map((stage) => {
    const column = depth(stage.id);
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    const needs = stage.needs.filter((need) => byId.has(need));
    const drawn = needs.filter((need) => !needs.some((other) => other !== need && reach(other).has(need)));
    return { stage, column, row, drawn };
  });
}

const KINDS: Record<string, string> = {
  prepare: "sources",
  corpus: "corpus",
  tokenizer: "tokenizer",
  tokens: "tokens",
  train: "training",
  eval: "evaluation",
  report: "report",
};

export function StageGraph({
  stages,
  selected,
  onSelect,
}: {
  stages: RunStage[];
  selected: string | undefined;
  onSelect: (id: string) => void;
}) {
  const placed = placeStages(stages);
  const columns = Math.max(0, ...placed.map(({ column }) => column)) + 1;
  const counts = Array.from({ length: columns }, (_, column) => placed.filter((one) => one.column === column).length);
  const most = Math.max(1, ...counts);
  const height = most * (HEIGHT + GAP_Y) - GAP_Y;
  const left = ({ column }: Placed) => column * (WIDTH + GAP_X);
  const top = ({ column, row }: Placed) =>
    (height - (counts[column]! * (HEIGHT + GAP_Y) - GAP_Y)) / 2 + row * (HEIGHT + GAP_Y);
  const byId = new Map(placed.map((one) => [one.stage.id, one]));
  const width = columns * (WIDTH + GAP_X) - GAP_X;
  return (
    <div className="graph-scroll">
      <ol className="graph" style={{ width, height }} aria-label="stages of the run">
        <svg width={width} height={height} aria-hidden="true">
          {placed.flatMap((to) =>
            to.drawn.map((need) => {
              const from = byId.get(need)!;
              const [x1, y1, x2, y2] = [left(from) + WIDTH, top(from) + HEIGHT / 2, left(to), top(to) + HEIGHT / 2];
              const bend = Math.max(GAP_X / 2, (x2 - x1) / 2);
              return (
                <path
                  key={`${need}>${to.stage.id}`}
                  className={to.stage.state}
                  d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
                />
              );
            }),
          )}
        </svg>
        {placed.map((one) => {
          const [kind = "", ...rest] = one.stage.id.split(".");
          return (
            <li key={one.stage.id} style={{ left: left(one), top: top(one), width: WIDTH, height: HEIGHT }}>
              <button
                type="button"
                className={`stage ${one.stage.state}`}
                aria-pressed={selected === one.stage.id}
                onClick={() => onSelect(one.stage.id)}
              >
                <span className="row between">
                  <span className="tiny muted">{KINDS[kind] ?? kind}</span>
                  <StateBadge state={one.stage.state} />
                </span>
                <span className="strong clip">{rest.join(" · ") || one.stage.id}</span>
                <span className="tiny muted clip">{stageLine(one.stage)}</span>
                {one.stage.progress && (
                  <span className="bar" aria-hidden="true">
                    <i style={{ width: `${(100 * one.stage.progress.done) / one.stage.progress.total}%` }} />
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** Time and the first count, or how far it is. */
function stageLine({ progress, seconds, counts, state }: RunStage): string {
  if (progress) return `step ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  const first = Object.entries(counts)[0];
  const parts = [seconds === undefined ? "" : formatDuration(seconds), first ? formatNamedCount(...first) : ""];
  return parts.filter(Boolean).join(" · ") || (state === "running" ? "at work" : " ");
}

export function formatNamedCount(name: string, count: number): string {
  return name === "bytes" ? formatBytes(count) : `${formatCount(count)} ${spaced(name)}`;
}

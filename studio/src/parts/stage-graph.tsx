/** The pipeline as a graph: a column for each kind of work, the stages below each other, arrows from what each one reads. */
import { type CSSProperties, useState } from "react";
import type { RunStage } from "../../../src/serve/studio-types.ts";
import { formatBytes, formatCount, formatDuration, spaced } from "../format.ts";
import { StateIcon } from "./basics.tsx";

const HEIGHT = 52;
const GAP_X = 38;
const GAP_Y = 8;
const HEAD = 26;
const INDENT = 14;

const COLUMNS = [
  { title: "sources and corpora", kinds: ["prepare", "corpus"], width: 172 },
  { title: "tokens", kinds: ["tokenizer", "tokens"], width: 172 },
  { title: "trainings", kinds: ["train"], width: 196 },
  { title: "measurements", kinds: ["eval", "curve", "perplexity"], width: 232 },
  { title: "report", kinds: ["report"], width: 120 },
];

/** What a stage of each kind is called where its name alone would not say it. */
const KINDS: Record<string, string> = { curve: "curve", perplexity: "perplexity" };

interface Placed {
  stage: RunStage;
  name: string;
  kind: string;
  column: number;
  row: number;
  /** How many stages of its own column it follows from, one after the other. */
  depth: number;
  /** Stages whose arrows are drawn: those that no other of its needs already reads. */
  drawn: string[];
}

/** Below the stage of the same column that it continues; arrows that follow from others are left out. */
export function placeStages(stages: RunStage[]): Placed[] {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const kindOf = (id: string) => id.split(".")[0]!;
  const columnOf = (id: string) => {
    const found = COLUMNS.findIndex(({ kinds }) => kinds.includes(kindOf(id)));
    return found < 0 ? COLUMNS.length - 1 : found;
  };
  const reach = (id: string, seen = new Set<string>()): Set<string> => {
    for (const need of byId.get(id)?.needs ?? [])
      if (!seen.has(need)) {
        seen.add(need);
        reach(need, seen);
      }
    return seen;
  };
  const drawn = new Map(
    stages.map(({ id, needs }) => {
      const known = needs.filter((need) => byId.has(need));
      return [id, known.filter((need) => !known.some((other) => other !== need && reach(other).has(need)))];
    }),
  );
  const parentOf = (id: string) => drawn.get(id)!.find((need) => columnOf(need) === columnOf(id));
  const placed: Placed[] = [];
  const place = (stage: RunStage, depth: number) => {
    const column = columnOf(stage.id);
    const kind = kindOf(stage.id);
    placed.push({
      stage,
      name: stage.id.split(".").slice(1).join(" · ") || stage.id,
      kind,
      column,
      row: placed.filter((one) => one.column === column).length,
      depth,
      drawn: drawn.get(stage.id)!,
    });
    for (const child of stages) if (parentOf(child.id) === stage.id) place(child, depth + 1);
  };
  for (const stage of stages) if (parentOf(stage.id) === undefined) place(stage, 0);
  return placed.sort((a, b) => a.column - b.column || a.row - b.row);
}

export function StageGraph({
  stages,
  selected,
  onSelect,
}: {
  stages: RunStage[];
  selected: string | undefined;
  onSelect: (id: string) => void;
}) {
  const [pointed, setPointed] = useState<string>();
  const placed = placeStages(stages);
  const columns = [...new Set(placed.map(({ column }) => column))];
  const rows = Math.max(1, ...placed.map(({ row }) => row + 1));
  const start = (column: number) =>
    columns.filter((one) => one < column).reduce((sum, one) => sum + COLUMNS[one]!.width + GAP_X, 0);
  const left = ({ column, depth }: Placed) => start(column) + Math.min(depth, 3) * INDENT;
  const top = ({ row }: Placed) => HEAD + row * (HEIGHT + GAP_Y);
  const right = ({ column }: Placed) => start(column) + COLUMNS[column]!.width;
  const width = start(COLUMNS.length) - GAP_X;
  const height = HEAD + rows * (HEIGHT + GAP_Y) - GAP_Y;
  const byId = new Map(placed.map((one) => [one.stage.id, one]));
  const lit = pointed ?? selected;
  return (
    <div className="graph-scroll">
      <ol className="graph" style={pixels({ "--width": width, "--height": height })} aria-label="stages of the run">
        <svg width={width} height={height} aria-hidden="true">
          {placed.flatMap((to) =>
            to.drawn.map((need) => {
              const from = byId.get(need)!;
              const [x, y] = [left(to), top(to) + HEIGHT / 2];
              const [startX, startY] = [right(from), top(from) + HEIGHT / 2];
              const bend = GAP_X / 2 + 6;
              const path =
                from.column === to.column
                  ? `M${left(from) + INDENT / 2} ${top(from) + HEIGHT}V${y}H${x}`
                  : `M${startX} ${startY}C${startX + bend} ${startY} ${x - bend} ${y} ${x} ${y}`;
              const isLit = lit === need || lit === to.stage.id;
              return <path key={`${need}>${to.stage.id}`} className={isLit ? "lit" : to.stage.state} d={path} />;
            }),
          )}
        </svg>
        {columns.map((column) => (
          <li
            key={COLUMNS[column]!.title}
            className="graph-head"
            aria-hidden="true"
            style={{ left: start(column), order: column * 1000 }}
          >
            {COLUMNS[column]!.title}
          </li>
        ))}
        {placed.map((one) => {
          const { stage } = one;
          return (
            <li
              key={stage.id}
              style={{
                ...pixels({ "--width": right(one) - left(one) }),
                left: left(one),
                top: top(one),
                height: HEIGHT,
                order: one.column * 1000 + one.row + 1,
              }}
            >
              <button
                type="button"
                className={`stage ${stage.state}`}
                aria-pressed={selected === stage.id}
                onClick={() => onSelect(stage.id)}
                onPointerEnter={() => setPointed(stage.id)}
                onPointerLeave={() => setPointed(undefined)}
              >
                <span className="row between">
                  <StateIcon state={stage.state} />
                  <span className="strong small clip grow" title={one.name}>
                    {one.name}
                  </span>
                </span>
                <span className="tiny muted clip">{stageLine(one)}</span>
                {stage.progress && (
                  <span className="bar" aria-hidden="true">
                    <i style={{ width: `${(100 * stage.progress.done) / stage.progress.total}%` }} />
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

/** Sizes that a phone's style may overrule. */
const pixels = (values: Record<`--${string}`, number>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${value}px`])) as CSSProperties;

/** How far it is, or what came out. */
function stageLine({ stage: { progress, counts, state, seconds }, kind }: Placed): string {
  if (progress) return `step ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  const first = Object.entries(counts)[0];
  const parts = [
    seconds === undefined ? undefined : formatDuration(seconds),
    KINDS[kind],
    first ? formatNamedCount(...first) : state === "running" ? "at work" : undefined,
  ];
  return parts.filter(Boolean).join(" · ") || " ";
}

export function formatNamedCount(name: string, count: number): string {
  if (name === "bytes") return formatBytes(count);
  const unit = spaced(name);
  return `${formatCount(count)} ${count === 1 ? unit.replace(/s$/, "") : unit}`;
}

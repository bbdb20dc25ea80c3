import { useCallback, useState } from "react";
import type { ChangedItem, EvaluationRow, ItemComparison } from "../../../src/serve/studio-types.ts";
import { useApi } from "../api.ts";
import { formatWhole } from "../format.ts";
import { Badge, Empty, Segments } from "../parts/basics.tsx";
import { EvaluationChoice, ItemView, nameOf } from "../parts/item-view.tsx";
import { Split } from "../parts/split.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { useQuery } from "../router.tsx";

const TONES = { gained: "good", lost: "bad", "both right": "plain", "both wrong": "plain" } as const;

/** Which items changed between two models: gained, lost, and what stayed. */
export function ChangesView({ evaluations }: { evaluations: EvaluationRow[] }) {
  const [query, setQuery] = useQuery();
  const names = evaluations.map(nameOf);
  const first = query.first && names.includes(query.first) ? query.first : names[0]!;
  const partners = names.filter((name) => name !== first && name.split("/")[2] === first.split("/")[2]);
  const second = query.second && names.includes(query.second) ? query.second : partners[0];
  const change = query.change ?? "changed";
  const { data: counts } = useApi<ItemComparison["counts"]>(
    second === undefined ? undefined : `/api/changes?${new URLSearchParams({ first, second })}`,
  );
  const [open, setOpen] = useState<ChangedItem>();
  const path = useCallback(
    (offset: number, limit: number) =>
      `/api/changed-items?${new URLSearchParams({ first, second: second ?? "", change, offset: String(offset), limit: String(limit) })}`,
    [first, second, change],
  );
  if (second === undefined)
    return <Empty title="Nothing to compare">A second evaluation of the same benchmark is needed.</Empty>;
  const options = [
    ["changed", counts ? `changed ${formatWhole(counts.gained + counts.lost)}` : "changed"],
    ...(["gained", "lost", "both right", "both wrong"] as const).map(
      (key) => [key, counts ? `${key} ${formatWhole(counts[key])}` : key] as const,
    ),
  ] as const;
  return (
    <Split
      label="both answers"
      back="Changed items"
      onBack={() => setOpen(undefined)}
      empty={
        <Empty title="Choose an item" icon="evaluation">
          Both models' answers stand here side by side.
        </Empty>
      }
      list={
        <>
          <div className="filters">
            <EvaluationChoice
              label="first"
              value={first}
              evaluations={evaluations}
              onChange={(value) => setQuery({ first: value, second: undefined })}
            />
            <EvaluationChoice
              label="second"
              value={second}
              evaluations={evaluations.filter((one) => partners.includes(nameOf(one)) || nameOf(one) === second)}
              onChange={(value) => setQuery({ second: value })}
            />
            <Segments
              label="kind of change"
              value={change as "changed"}
              options={options as never}
              onChange={(value) => setQuery({ change: value })}
            />
          </div>
          <VirtualList<ChangedItem>
            label="changed items"
            path={path}
            rowHeight={64}
            height="calc(100dvh - 300px)"
            keyOf={({ id }) => id}
            selected={open?.id}
            onSelect={setOpen}
            empty={noneFound("items")}
            render={(item) => (
              <>
                <span className="row between">
                  <span className="clip">{item.question}</span>
                  <Badge tone={TONES[item.change]}>{item.change}</Badge>
                </span>
                <span className="row between tiny muted">
                  <span className="clip">
                    {item.id} {item.subject && `· ${item.subject}`}
                  </span>
                  <span className="nowrap">
                    {item.first ?? "–"} → {item.second ?? "–"} · correct {item.gold}
                  </span>
                </span>
              </>
            )}
          />
        </>
      }
    >
      {open && (
        <div className="both">
          {[
            [first, open.firstNumber],
            [second, open.secondNumber],
          ].map(([of, number]) => (
            <section key={String(of)} aria-label={String(of)}>
              <h3 className="padded-top">{String(of).split("/").slice(0, 2).join(" · ")}</h3>
              <ItemView of={String(of)} number={String(number)} />
            </section>
          ))}
        </div>
      )}
    </Split>
  );
}

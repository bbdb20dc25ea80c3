import { useCallback, useState } from "react";
import type { EvaluationRow, ItemRow } from "../../../src/serve/studio-types.ts";
import { formatWhole } from "../format.ts";
import { Empty, Segments } from "../parts/basics.tsx";
import { Icon } from "../parts/icons.tsx";
import { EvaluationChoice, ItemView, nameOf, Verdict } from "../parts/item-view.tsx";
import { Split } from "../parts/split.tsx";
import { noneFound, VirtualList } from "../parts/virtual-list.tsx";
import { useQuery } from "../router.tsx";

const filters = [
  ["all", "all"],
  ["correct", "right"],
  ["wrong", "wrong"],
  ["unanswered", "no answer"],
  ["parsers-differ", "parsers differ"],
  ["contaminated", "contaminated"],
] as const;

/** Every item of an evaluation, filtered, and the one that was chosen. */
export function ItemsView({ evaluations }: { evaluations: EvaluationRow[] }) {
  const [query, setQuery] = useQuery();
  const names = evaluations.map(nameOf);
  const of = query.of && names.includes(query.of) ? query.of : names[0]!;
  const evaluation = evaluations.find((one) => nameOf(one) === of)!;
  const filter = filters.find(([key]) => key === query.filter)?.[0] ?? "all";
  const { subject = "", q = "" } = query;
  const [search, setSearch] = useState(q);
  const [total, setTotal] = useState<number>();
  const path = useCallback(
    (offset: number, limit: number) =>
      `/api/items?${new URLSearchParams({ of, filter, subject, q, offset: String(offset), limit: String(limit) })}`,
    [of, filter, subject, q],
  );
  const at = query.n;
  return (
    <Split
      label="item"
      back="Items"
      onBack={() => setQuery({ n: undefined })}
      empty={
        <Empty title="Choose an item" icon="evaluation">
          Its prompt, options, scores and answers stand here. Arrow keys walk through the list.
        </Empty>
      }
      list={
        <>
          <div className="filters">
            <EvaluationChoice
              label="evaluation"
              value={of}
              evaluations={evaluations}
              onChange={(value) => setQuery({ of: value, n: undefined, subject: undefined })}
            />
            <form
              className="row"
              onSubmit={(event) => {
                event.preventDefault();
                setQuery({ q: search, n: undefined });
              }}
            >
              <label className="search grow">
                <span className="sr-only">words of the question, or an id</span>
                <Icon name="search" size={16} />
                <input
                  type="search"
                  value={search}
                  placeholder="words of the question, or an id"
                  onChange={(event) => setSearch(event.target.value)}
                  onBlur={() => setQuery({ q: search })}
                />
              </label>
              {evaluation.subjects.length > 0 && (
                <select
                  aria-label="subject"
                  value={subject}
                  onChange={(event) => setQuery({ subject: event.target.value, n: undefined })}
                >
                  <option value="">all subjects</option>
                  {evaluation.subjects.map(({ subject: name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              )}
            </form>
            <Segments
              label="which items"
              value={filter}
              options={filters}
              onChange={(value) => setQuery({ filter: value === "all" ? undefined : value, n: undefined })}
            />
            <span className="tiny muted" aria-live="polite">
              {total === undefined ? "loading" : `${formatWhole(total)} items`}
            </span>
          </div>
          <VirtualList<ItemRow>
            label="items"
            path={path}
            rowHeight={64}
            height="calc(100dvh - 330px)"
            keyOf={({ number: line }) => String(line)}
            selected={at}
            onSelect={({ number: line }) => setQuery({ n: String(line) }, at === undefined)}
            onTotal={setTotal}
            empty={noneFound("items")}
            render={(item) => (
              <>
                <span className="row between">
                  <span className="clip">{item.question}</span>
                  <Verdict correct={item.correct} prediction={item.prediction} />
                </span>
                <span className="tiny muted clip">
                  {item.id} {item.subject && `· ${item.subject}`} {item.seed !== undefined && `· seed ${item.seed}`}
                  {item.rotation > 0 && ` · options rotated by ${item.rotation}`}
                  {item.contaminated && " · found in the training corpus"}
                  {item.parsersDiffer && " · parsers differ"}
                </span>
              </>
            )}
          />
        </>
      }
    >
      {at !== undefined && <ItemView of={of} number={at} />}
    </Split>
  );
}

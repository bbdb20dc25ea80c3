/**
 * A list of any length: only the rows in sight exist, and only their pages are asked for. A million rows of 60 px are higher than a
 * browser can lay out, so beyond a limit the scroll bar covers the whole list while wheel, touch and keys still move by pixels.
 */
import {
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Page } from "../../../src/serve/studio-types.ts";
import { getJson } from "../api.ts";
import { Empty, ErrorState, Skeleton } from "./basics.tsx";

const PAGE = 100;
/** Pages that are kept: a few thousand rows. */
const KEPT = 40;
/** Firefox ends at 17.8 million pixels. */
const TALLEST = 8_000_000;
const OVERSCAN = 6;

interface Pages<T> {
  path: string;
  total: number | undefined;
  rows: Map<number, T[]>;
  error: Error | undefined;
}

/** Rows of a paged list, loaded as they come into sight. `path` maps offset and limit to the request. */
function usePages<T>(path: (offset: number, limit: number) => string) {
  const key = path(0, PAGE);
  const [pages, setPages] = useState<Pages<T>>({ path: key, total: undefined, rows: new Map(), error: undefined });
  const asked = useRef(new Map<string, AbortController>());
  const make = useRef(path);
  make.current = path;
  const current = pages.path === key;

  const load = useCallback((from: number, to: number) => {
    const base = make.current(0, PAGE);
    for (let page = Math.floor(from / PAGE); page <= Math.floor(Math.max(from, to) / PAGE); page++) {
      const request = make.current(page * PAGE, PAGE);
      if (asked.current.has(request)) continue;
      const controller = new AbortController();
      asked.current.set(request, controller);
      getJson<Page<T>>(request, { signal: controller.signal }).then(
        ({ total, rows }) =>
          setPages((before) => {
            const kept = before.path === base ? new Map(before.rows) : new Map<number, T[]>();
            kept.set(page, rows);
            while (kept.size > KEPT) {
              const [oldest] = kept.keys();
              kept.delete(oldest!);
              asked.current.delete(make.current(oldest! * PAGE, PAGE));
            }
            return { path: base, total, rows: kept, error: undefined };
          }),
        (error: Error) => {
          asked.current.delete(request);
          if (!controller.signal.aborted) setPages((before) => ({ ...before, path: base, error }));
        },
      );
    }
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins with its first page
  useEffect(() => {
    const requests = asked.current;
    load(0, 0);
    return () => {
      for (const controller of requests.values()) controller.abort();
      requests.clear();
    };
  }, [key, load]);

  const reload = useCallback(() => {
    asked.current.clear();
    load(0, 0);
  }, [load]);
  return {
    total: current || pages.total !== undefined ? pages.total : undefined,
    fresh: current,
    error: current ? pages.error : undefined,
    row: (index: number): T | undefined => pages.rows.get(Math.floor(index / PAGE))?.[index % PAGE],
    load,
    reload,
  };
}

export interface VirtualListProps<T> {
  label: string;
  /** The request for a part of the list. */
  path: (offset: number, limit: number) => string;
  rowHeight: number;
  height: string;
  render: (row: T, index: number) => ReactNode;
  /** What tells one row from another; also what `selected` names. */
  keyOf: (row: T) => string | number;
  selected: string | number | undefined;
  onSelect: (row: T) => void;
  empty: ReactNode;
  onTotal?: (total: number) => void;
}

export function VirtualList<T>({
  label,
  path,
  rowHeight,
  height,
  render,
  keyOf,
  selected,
  onSelect,
  empty,
  onTotal,
}: VirtualListProps<T>) {
  const id = useId();
  const { total, error, row, load, reload, fresh } = usePages<T>(path);
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(600);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  // Pixels of the whole list less pixels of the scroll bar, where the two differ.
  const shift = useRef(0);
  const last = useRef(0);
  const full = (total ?? 0) * rowHeight;
  const drawn = Math.min(full, TALLEST);
  const first = path(0, 0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list starts at its top
  useLayoutEffect(() => {
    shift.current = last.current = 0;
    setTop(0);
    setActive(0);
    if (box.current) box.current.scrollTop = 0;
  }, [first]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setSeen(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (total !== undefined) onTotal?.(total);
  }, [total, onTotal]);

  const onScroll = () => {
    const element = box.current!;
    const at = element.scrollTop;
    if (full === drawn) setTop(at);
    else {
      const end = drawn - element.clientHeight;
      const near = Math.abs(at - last.current) < element.clientHeight;
      // A small step moves by its pixels, a long one goes where the scroll bar stands; the two ends are the ends.
      const real =
        at <= 0
          ? 0
          : at >= end - 1
            ? full - element.clientHeight
            : near
              ? at + shift.current
              : (at / end) * (full - element.clientHeight);
      const kept = Math.min(Math.max(0, real), full - element.clientHeight);
      shift.current = kept - at;
      setTop(kept);
    }
    last.current = at;
  };

  const from = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const to = Math.min((total ?? 0) - 1, Math.ceil((top + seen) / rowHeight) + OVERSCAN);
  useEffect(() => {
    if (total !== undefined && to >= from) {
      // A fast scroll passes many pages: ask when it rests.
      const timer = setTimeout(() => load(from, to), 40);
      return () => clearTimeout(timer);
    }
  }, [from, to, total, load]);

  const goTo = (index: number) => {
    const target = Math.min(Math.max(0, index), (total ?? 1) - 1);
    setActive(target);
    const element = box.current!;
    const y = target * rowHeight;
    let next = top;
    if (y < top) next = y;
    else if (y + rowHeight > top + element.clientHeight) next = y + rowHeight - element.clientHeight;
    if (next !== top) {
      if (full === drawn) element.scrollTop = next;
      else {
        const end = drawn - element.clientHeight;
        const at =
          Math.abs(next - top) < element.clientHeight
            ? next - shift.current
            : (next / (full - element.clientHeight)) * end;
        last.current = element.scrollTop = Math.min(
          Math.max(next <= 0 ? 0 : 1, at),
          next >= full - element.clientHeight ? end : end - 2,
        );
        shift.current = next - element.scrollTop;
        setTop(next);
      }
    }
    const value = row(target);
    if (value !== undefined) onSelect(value);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(seen / rowHeight) - 1);
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: (total ?? 1) - 1,
      Enter: active,
      " ": active,
    };
    const move = moves[event.key];
    if (move === undefined || event.target !== box.current) return;
    event.preventDefault();
    goTo(move);
  };

  if (error) return <ErrorState error={error} retry={reload} />;
  const items: ReactNode[] = [];
  for (let index = from; index <= to; index++) {
    const value = row(index);
    const isSelected = value !== undefined && keyOf(value) === selected;
    items.push(
      // biome-ignore lint/a11y/useKeyWithClickEvents: keys belong to the list, which holds the focus
      <div
        key={index}
        id={`${id}-${index}`}
        role="option"
        tabIndex={-1}
        className="item"
        aria-selected={isSelected}
        aria-setsize={total}
        aria-posinset={index + 1}
        style={{ top: index * rowHeight - shift.current, height: rowHeight }}
        onClick={() => {
          setActive(index);
          if (value !== undefined) onSelect(value);
        }}
      >
        {value === undefined ? <span className="skeleton" /> : render(value, index)}
      </div>,
    );
  }
  return (
    <div
      ref={box}
      className="virtual"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-busy={!fresh}
      aria-activedescendant={total ? `${id}-${active}` : undefined}
      style={{ height }}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      {total === undefined ? (
        <div className="padded">
          <Skeleton lines={8} />
        </div>
      ) : total === 0 ? (
        empty
      ) : (
        <div className="inner" style={{ height: drawn }}>
          {items}
        </div>
      )}
    </div>
  );
}

export const noneFound = (what: string) => (
  <Empty icon="search" title={`No ${what} found`}>
    Change or clear the filters.
  </Empty>
);

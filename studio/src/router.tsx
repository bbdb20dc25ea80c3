/** Where the page is: the path and its query are the state, so that a reload or a shared link shows the same thing. */
import { type AnchorHTMLAttributes, type MouseEvent, useCallback, useSyncExternalStore } from "react";

const CHANGE = "studio:navigate";

function subscribe(onChange: () => void): () => void {
  addEventListener("popstate", onChange);
  addEventListener(CHANGE, onChange);
  return () => {
    removeEventListener("popstate", onChange);
    removeEventListener(CHANGE, onChange);
  };
}

export function navigate(to: string, { replace = false } = {}): void {
  const target = new URL(to, location.href);
  if (target.href === location.href) return;
  const leavesPage = target.pathname !== location.pathname;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  dispatchEvent(new Event(CHANGE));
  if (leavesPage && !replace) {
    scrollTo(0, 0);
    // A screen reader hears the new page; the title was set by then.
    requestAnimationFrame(() => document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
  }
}

const readPath = () => location.pathname;
const readSearch = () => location.search;

/** Decoded segments of the path: "/runs/demo" → ["runs", "demo"]. */
export function usePath(): string[] {
  const path = useSyncExternalStore(subscribe, readPath);
  return path
    .split("/")
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

export type Query = Record<string, string>;

/** The query as an object, and a function that changes some of it (undefined or "" removes a key). */
export function useQuery(): [Query, (changes: Record<string, string | undefined>, push?: boolean) => void] {
  const search = useSyncExternalStore(subscribe, readSearch);
  const query = Object.fromEntries(new URLSearchParams(search));
  const change = useCallback((changes: Record<string, string | undefined>, push = false) => {
    const next = new URL(location.href);
    for (const [key, value] of Object.entries(changes))
      if (value === undefined || value === "") next.searchParams.delete(key);
      else next.searchParams.set(key, value);
    navigate(next.href, { replace: !push });
  }, []);
  return [query, change];
}

export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}

/** A list and what is chosen in it, side by side; on a phone one after the other. */
import type { ReactNode } from "react";
import { Icon } from "./icons.tsx";

export function Split({
  list,
  label,
  back,
  onBack,
  empty,
  children,
}: {
  list: ReactNode;
  /** Names what is shown beside the list. */
  label: string;
  /** Where a phone goes back to. */
  back: string;
  onBack: () => void;
  /** Stands there while nothing is chosen. */
  empty: ReactNode;
  /** What is chosen, if anything. */
  children: ReactNode;
}) {
  const isOpen = Boolean(children);
  return (
    <div className="split" data-open={isOpen}>
      <section className="card list">{list}</section>
      <section className="card detail" aria-label={label}>
        {isOpen ? (
          <>
            <button type="button" className="button quiet back" onClick={onBack}>
              <Icon name="back" size={16} /> {back}
            </button>
            {children}
          </>
        ) : (
          empty
        )}
      </section>
    </div>
  );
}

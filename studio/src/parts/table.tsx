/** A table that scrolls sideways in its own box, so that the page of a phone does not. */
import type { ReactNode } from "react";

export type Column = string | { name: string; className?: string; isHidden?: boolean };

/** Columns of numbers, of intervals drawn on a line, and of links or buttons that need no visible heading. */
export const number = (name: string): Column => ({ name, className: "number" });
export const interval = (name: string): Column => ({ name, className: "interval-column" });
export const hidden = (name: string): Column => ({ name, isHidden: true });

export function Table({
  columns,
  children,
  className = "",
}: {
  columns: readonly Column[];
  /** Its rows. */
  children: ReactNode;
  className?: string;
}) {
  return (
    <div className={`scroll-x ${className}`}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => {
              const { name, className: own, isHidden } = typeof column === "string" ? { name: column } : column;
              return (
                <th key={name} scope="col" className={own}>
                  {isHidden ? <span className="sr-only">{name}</span> : name}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

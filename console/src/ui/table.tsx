/* Rows of like things. In a narrow window each is a card, its cells named by their `data-label`. */

import type { ReactNode } from "react";

import styles from "./table.module.css";

interface TableProps {
  /** Read by screen readers: what the rows are. */
  label: string;
  /** Headings; one that begins with "#" heads numbers, an empty one actions. */
  heads: readonly string[];
  children: ReactNode;
}

export function Table({ label, heads, children }: TableProps) {
  return (
    <div className={styles.scroll} role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((head, n) => head
              ? <th key={n} scope="col" data-number={head.startsWith("#") || undefined}>{head.replace("#", "")}</th>
              : <th key={n} scope="col"><span className="unseen">Actions</span></th>)}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
